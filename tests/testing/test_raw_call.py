"""The raw exchange: what an app is given, and what it may not send back."""

import asyncio
from typing import Any

import pytest

from nexios import NexiosApp
from nexios.testing.raw import IllegalSequence, TasksLeft, call

START = {"type": "http.response.start", "status": 200, "headers": []}
LAST = {"type": "http.response.body", "body": b"", "more_body": False}


def sending(*messages: Any) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        for message in messages:
            await send(message)

    return app


def start(*headers: tuple[Any, Any], status: Any = 200) -> dict[str, Any]:
    return {**START, "status": status, "headers": list(headers)}


def body(content: Any, more: Any = False) -> dict[str, Any]:
    return {"type": "http.response.body", "body": content, "more_body": more}


async def test_the_answer_of_an_app_is_status_headers_and_body() -> None:
    answer = await call(sending(start((b"x-a", b"1"), (b"x-a", b"2")), body(b"on", True), body(b"e")))
    assert (answer.status, answer.body, answer.complete, answer.error) == (200, b"one", True, None)
    assert answer.header_all("X-A") == ["1", "2"]
    assert answer.header("x-b") is None
    assert len(answer.messages) == 3


async def test_a_header_that_is_there_twice_has_no_single_value() -> None:
    answer = await call(sending(start((b"x-a", b"1"), (b"x-a", b"2")), LAST))
    with pytest.raises(AssertionError, match="2 headers"):
        answer.header("x-a")


async def test_an_app_of_nexios_answers() -> None:
    app = NexiosApp()

    @app.post("/echo/{name}")
    async def echo(request: Any, response: Any, name: str) -> Any:
        return {"name": name, "body": await request.text(), "query": request.query_string}

    answer = await call(app, method="POST", path="/echo/ä", query=b"a=%zz", chunks=(b"x", b"y"))
    assert answer.json() == {"name": "ä", "body": "xy", "query": "a=%zz"}
    assert answer.header("content-length") == str(len(answer.body))
    assert answer.received == 2


async def test_the_scope_is_as_given() -> None:
    seen: dict[str, Any] = {}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.update(scope)
        await sending(START, LAST)(scope, receive, send)

    await call(app, path="/ü", raw_path=b"/%fc", headers=[(b"Host", b"a b")], scope_extra={"scheme": "https"})
    assert (seen["path"], seen["raw_path"], seen["scheme"]) == ("/ü", b"/%fc", "https")
    assert seen["headers"] == [(b"Host", b"a b")]
    await call(app, path="/ü")
    assert seen["raw_path"] == b"/%C3%BC"


async def test_after_the_body_receive_waits_for_the_end_of_the_response() -> None:
    order: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()

        async def watch() -> None:
            order.append((await receive())["type"])

        watching = asyncio.create_task(watch())
        await asyncio.sleep(0)
        await send(START)
        await asyncio.sleep(0)
        order.append("sent")
        await send(LAST)
        await watching

    answer = await call(app)
    assert order == ["sent", "http.disconnect"]
    assert answer.received == 2


async def test_a_client_that_leaves_after_one_message_is_heard_of_at_the_second() -> None:
    got: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        got.extend([await receive(), await receive(), await receive()])

    answer = await call(app, chunks=(b"a", b"b"), disconnect_after=1)
    assert [message["type"] for message in got] == ["http.request", "http.disconnect", "http.disconnect"]
    assert got[0]["more_body"] is True
    assert (answer.status, answer.complete) == (0, False)


async def test_what_leaves_the_app_is_kept() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        raise OSError("lost")

    answer = await call(app)
    assert isinstance(answer.error, OSError)
    assert (answer.status, answer.complete) == (200, False)


async def test_a_cancellation_that_leaves_the_app_is_kept() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise asyncio.CancelledError

    assert isinstance((await call(app)).error, asyncio.CancelledError)


@pytest.mark.parametrize(
    "messages",
    [
        [],
        [START],
        [LAST],
        [START, START, LAST],
        [START, LAST, LAST],
        [START, body(b"a", True)],
        [START, {"type": "http.response.trailers"}],
        [{"type": "http.response.debug"}],
        [START, body("text")],
        [START, body(bytearray(b"a"))],
        [START, body(b"a", 1)],
        [START, {"type": "http.response.pathsend"}],
        [start(status="200"), LAST],
        [start(status=True), LAST],
        [start(status=101), LAST],
        [start(status=600), LAST],
        [start((b"X-A", b"1")), LAST],
        [start((b"x a", b"1")), LAST],
        [start((b"", b"1")), LAST],
        [start(("x-a", b"1")), LAST],
        [start((b"x-a", "1")), LAST],
        [start((b"x-a", b"1\r\nx-b: 2")), LAST],
        [start((b"x-a", b"\x00")), LAST],
        [start((b"x-a", b"\x7f")), LAST],
        [start((b"transfer-encoding", b"chunked")), LAST],
        [start((b"content-length", b"1")), LAST],
        [start((b"content-length", b"1")), body(b"ab")],
        [start((b"content-length", b"-1")), LAST],
        [start((b"content-length", b"0"), (b"content-length", b"0")), LAST],
        [start((b"content-length", b"0"), status=204), LAST],
        [start(status=204), body(b"a")],
        [start(status=304), body(b"a")],
    ],
)
async def test_an_illegal_sequence_is_refused(messages: Any) -> None:
    with pytest.raises(IllegalSequence):
        await call(sending(*messages))


async def test_an_illegal_message_is_told_even_when_the_app_swallows_it() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        try:
            await send(body("text"))
        except Exception:
            await send(LAST)

    with pytest.raises(IllegalSequence, match="a body of type str") as caught:
        await call(app)
    assert caught.value.messages == [START, body("text")]


async def test_a_tab_is_legal_in_a_header() -> None:
    assert (await call(sending(start((b"x-a", b"1\t2")), LAST))).header("x-a") == "1\t2"


async def test_a_response_to_head_may_declare_a_length_and_send_nothing() -> None:
    app = sending(start((b"content-length", b"9")), LAST)
    assert (await call(app, method="HEAD")).complete
    with pytest.raises(IllegalSequence):
        await call(sending(START, body(b"a")), method="HEAD")


async def test_a_304_may_declare_the_length_of_what_it_leaves_out() -> None:
    assert (await call(sending(start((b"content-length", b"9"), status=304), LAST))).complete


async def test_a_file_sent_by_path_is_read_into_the_body(tmp_path: Any) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"abc")
    message = {"type": "http.response.pathsend", "path": str(path)}
    answer = await call(sending(start((b"content-length", b"3")), message))
    assert (answer.body, answer.complete) == (b"abc", True)


async def test_a_task_that_the_app_leaves_behind_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nexios.testing.raw._GRACE", 0.01)
    kept: list[asyncio.Task[None]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        kept.append(asyncio.create_task(asyncio.Event().wait()))  # type: ignore[arg-type]
        await sending(START, LAST)(scope, receive, send)

    with pytest.raises(TasksLeft, match="1 tasks go on"):
        await call(app)
    kept[0].cancel()


async def test_a_background_task_that_ends_is_no_leftover() -> None:
    done: list[str] = []
    app = NexiosApp()

    @app.get("/")
    async def home(request: Any, response: Any) -> Any:
        async def later() -> None:
            await asyncio.sleep(0)
            done.append("later")

        return response.text("now").add_background(later)

    assert (await call(app)).body == b"now"
    assert done == ["later"]


async def test_calls_may_run_side_by_side() -> None:
    both = asyncio.Event()
    here: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        here.append(scope["path"])
        if len(here) == 2:
            both.set()
        await asyncio.ensure_future(both.wait())
        await sending(START, body(scope["path"].encode()))(scope, receive, send)

    answers = await asyncio.gather(call(app, path="/a"), call(app, path="/b"))
    assert [answer.body for answer in answers] == [b"/a", b"/b"]


async def test_an_app_that_never_returns_is_cancelled() -> None:
    cancelled: list[bool] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.append(True)

    with pytest.raises(TimeoutError, match=r"0\.01 s"):
        await call(app, timeout=0.01)
    assert cancelled == [True]


async def test_long_bodies_are_cut_in_the_text_of_an_error() -> None:
    with pytest.raises(IllegalSequence) as caught:
        await call(sending(START, body(b"a" * 10_000), LAST))
    assert len(str(caught.value)) < 1000
