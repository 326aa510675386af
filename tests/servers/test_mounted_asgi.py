"""Does a foreign ASGI application work behind us as it works behind a server?"""

import asyncio
from contextvars import ContextVar
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexios._servers.mounted_asgi import MountedASGI
from nexios.errors import ClientDisconnect, ContentTooLarge, InvalidHeader
from nexios.messages.content import StreamContent
from nexios.messages.response import Response
from nexios.messages.transport import Address
from nexios.settings import Limits
from tests.servers.mounted_fakes import Client

START = {"type": "http.response.start", "status": 200, "headers": []}


def body(data: bytes = b"", more: bool = False) -> dict[str, Any]:
    return {"type": "http.response.body", "body": data, "more_body": more}


def sending(*messages: dict[str, Any]) -> MountedASGI:
    """An application that sends these messages and returns."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        for message in messages:
            await send(message)

    return MountedASGI(app)


def start(status: int = 200, *headers: tuple[bytes, bytes]) -> dict[str, Any]:
    return {"type": "http.response.start", "status": status, "headers": list(headers)}


# What the application is told


async def scope_of(client: Client) -> dict[str, Any]:
    seen: dict[str, Any] = {}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.update(scope)
        await send(START)
        await send(body())

    await client.ask(MountedASGI(app))
    return seen


async def test_the_scope_says_what_a_server_would_say() -> None:
    scope = await scope_of(
        Client(
            method="POST",
            path="/legacy/a b/é",
            query_string="q=%C3%A9",
            fields=[("host", "a.example"), ("x-name", "J\xfcrgen"), ("cookie", "a=1"), ("cookie", "b=2")],
            scheme="https",
            http_version="2",
        )
    )

    assert scope == {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "2",
        "method": "POST",
        "scheme": "https",
        "path": "/legacy/a b/é",
        "raw_path": b"/legacy/a%20b/%C3%A9",
        "query_string": b"q=%C3%A9",
        "root_path": "/legacy",
        "headers": [(b"host", b"a.example"), (b"x-name", b"J\xfcrgen"), (b"cookie", b"a=1"), (b"cookie", b"b=2")],
        "client": ("192.0.2.7", 5000),
        "server": ("192.0.2.1", 8000),
        "state": {},
    }


async def test_a_header_that_a_server_decoded_as_utf_8_is_encoded_so() -> None:
    scope = await scope_of(Client(fields=[("x-name", "名")]))

    assert scope["headers"] == [(b"x-name", "名".encode())]


async def test_a_unix_socket_and_an_unknown_peer_are_no_obstacle() -> None:
    scope = await scope_of(Client(client=None, server=Address("/run/app.sock", None)))

    assert scope["client"] is None
    assert scope["server"] == ("/run/app.sock", None)


async def test_context_variables_of_the_middleware_are_visible() -> None:
    user: ContextVar[str] = ContextVar("user")

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        await send(body(user.get().encode()))

    user.set("ada")

    assert (await Client().ask(MountedASGI(app))).content == b"ada"


# The body of the request


async def echo(scope: Any, receive: Any, send: Any) -> None:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b"") if message["type"] == "http.request" else message["type"].encode())
        if not message.get("more_body", False):
            break
    await send(START)
    await send(body(b"|".join(parts)))


async def test_the_body_arrives_part_by_part() -> None:
    answer = await Client(method="POST", body=[b"one", b"two"]).ask(MountedASGI(echo))

    assert answer.content == b"one|two|"


async def test_a_read_that_is_given_up_loses_nothing() -> None:
    """A part that is cut out of a body must not make the rest pass for the whole."""
    arrive = asyncio.Event()

    class Slow(Client):
        async def next_chunk(self) -> bytes | None:
            if arrive.is_set():
                return None
            await arrive.wait()
            return b"late"

    async def app(scope: Any, receive: Any, send: Any) -> None:
        waiting = asyncio.ensure_future(receive())
        await asyncio.wait({asyncio.ensure_future(asyncio.sleep(0))})
        waiting.cancel()
        await asyncio.wait({waiting})
        arrive.set()
        await echo(scope, receive, send)

    assert (await Slow(method="POST").ask(MountedASGI(app))).content == b"late|"


async def test_a_client_that_leaves_half_way_is_a_disconnect_and_no_end() -> None:
    answer = await Client(method="POST", body=[b"half"], leaves_early=True).ask(MountedASGI(echo))

    assert answer.content == b"half|http.disconnect"


async def test_an_application_that_gives_up_when_the_client_left_is_no_error_of_ours() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        raise RuntimeError("client disconnected")

    with pytest.raises(ClientDisconnect) as caught:
        await Client(method="POST", body=[b"half"], leaves_early=True).ask(MountedASGI(app))

    assert isinstance(caught.value.__cause__, RuntimeError)


async def test_a_body_over_the_limit_is_refused_even_when_the_application_answers() -> None:
    """Starlette, for one, answers 500 to whatever `receive` raises."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        try:
            while True:
                await receive()
        except Exception:
            await send(start(500))
            await send(body(b"swallowed"))

    with pytest.raises(ContentTooLarge):
        await Client(method="POST", body=[b"x" * 11]).ask(MountedASGI(app), Limits(max_body_size=10))


async def test_after_the_body_receive_waits_until_the_client_leaves() -> None:
    client = Client()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        client.gone.set()
        await send(START)
        await send(body((await receive())["type"].encode()))

    assert (await client.ask(MountedASGI(app))).content == b"http.disconnect"


async def test_after_the_response_receive_reports_a_disconnect() -> None:
    types: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        waiting = asyncio.ensure_future(receive())
        await send(START)
        await send(body(b"done"))
        types.append((await waiting)["type"])
        types.append((await receive())["type"])

    mounted = MountedASGI(app)
    await Client().ask(mounted)
    await mounted.stop()

    assert types == ["http.disconnect", "http.disconnect"]


# The response


async def test_one_body_message_is_a_response_of_bytes() -> None:
    response = await sending(start(201, (b"X-A", b"1")), body(b"made"))(Client().request(), Response())

    assert response.status_code == 201
    assert response.content == b"made"
    assert response.headers.pairs == [("x-a", "1")]


async def test_several_body_messages_are_a_stream() -> None:
    answer = await Client().ask(sending(START, body(b"a", True), body(b"", True), body(b"b", True), body(b"c")))

    assert answer.streamed
    assert answer.chunks_received == [b"a", b"b", b"c"]


async def test_an_empty_first_message_waits_for_no_chunk() -> None:
    """Event streams begin so, and the client must see the head at once."""
    go_on = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        await send(body(b"", True))
        await go_on.wait()
        await send(body(b"event"))

    client = Client()
    request = client.request()
    response = await MountedASGI(app)(request, Response())
    go_on.set()

    assert isinstance(response.content, StreamContent)


async def test_every_set_cookie_is_kept() -> None:
    answer = await Client().ask(sending(start(200, (b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")), body()))

    assert answer.header("set-cookie") == ["a=1", "b=2"]


async def test_headers_of_a_middleware_on_the_builder_stay() -> None:
    builder = Response().set_header("x-before", "1")

    response = await sending(start(200, (b"x-app", b"2")), body())(Client().request(), builder)

    assert response.headers.pairs == [("x-before", "1"), ("x-app", "2")]


@pytest.mark.parametrize("field", [(b"x", b"a\r\nset-cookie: b"), (b"x y", b"a"), (b"", b"a"), (b"x", b"a\x00")])
async def test_an_illegal_header_is_an_error(field: tuple[bytes, bytes]) -> None:
    with pytest.raises(InvalidHeader):
        await Client().ask(sending(start(200, field), body()))


async def test_an_illegal_header_is_an_error_even_when_the_application_hides_it() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        try:
            await send(start(200, (b"x", b"\n")))
        except Exception:
            return

    with pytest.raises(InvalidHeader):
        await Client().ask(MountedASGI(app))


@pytest.mark.parametrize("status", [0, 100, 199, 600, 99999])
async def test_a_status_that_is_not_final_is_an_error(status: int) -> None:
    with pytest.raises(ValueError, match="final status"):
        await Client().ask(sending(start(status), body()))


@given(st.lists(st.tuples(st.binary(max_size=8), st.binary(max_size=8)), max_size=3), st.integers())
def test_no_head_gets_through_but_a_legal_one(fields: list[tuple[bytes, bytes]], status: int) -> None:
    async def ask() -> Client:
        return await Client().ask(sending(start(status, *fields), body()))

    try:
        answer = asyncio.run(ask())
    except (InvalidHeader, ValueError):
        return
    assert not any("\r" in value or "\n" in value or "\0" in value for pair in answer.received for value in pair)


async def test_a_declared_length_that_fits_is_fine() -> None:
    answer = await Client().ask(sending(start(200, (b"content-length", b"4")), body(b"ab", True), body(b"cd")))

    assert answer.content == b"abcd"


@pytest.mark.parametrize("length", [b"3", b"5", b"-1", b"4, 4", b"x", b"9" * 30])
async def test_bytes_that_contradict_the_declared_length_are_an_error(length: bytes) -> None:
    with pytest.raises((RuntimeError, InvalidHeader), match=r"Content-Length"):
        await Client().ask(sending(start(200, (b"content-length", length)), body(b"abcd")))


async def test_a_stream_that_ends_before_its_declared_length_breaks_off() -> None:
    client = Client()

    with pytest.raises(RuntimeError, match="2 bytes short"):
        await client.ask(sending(start(200, (b"content-length", b"6")), body(b"ab", True), body(b"cd")))

    assert client.content == b"ab"


@pytest.mark.parametrize(("method", "status", "length"), [("HEAD", 200, ["4"]), ("GET", 304, []), ("GET", 204, [])])
async def test_a_response_without_content_is_sent_without(method: str, status: int, length: list[str]) -> None:
    answer = await Client(method=method).ask(sending(start(status, (b"content-length", b"4")), body(b"", True), body()))

    assert answer.status == status
    assert answer.content == b""
    assert answer.header("content-length") == length


async def test_the_application_is_at_most_one_chunk_ahead_of_the_client() -> None:
    sent: list[int] = []
    ahead: list[int] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        for number in range(20):
            await send(body(b"x", True))
            sent.append(number)
        await send(body())

    client = Client()
    client.on_chunk = lambda _: ahead.append(len(sent) - len(client.chunks_received))
    await client.ask(MountedASGI(app))

    assert len(client.chunks_received) == 20
    assert max(ahead) <= 1


# What goes wrong


async def test_an_exception_before_the_response_is_raised_to_us() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise LookupError("broken")

    with pytest.raises(LookupError, match="broken"):
        await Client().ask(MountedASGI(app))


async def test_an_exception_between_head_and_body_is_raised_to_us() -> None:
    """Nothing is sent yet, so that an error can still be answered."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        raise LookupError("broken")

    client = Client()
    with pytest.raises(LookupError):
        await client.ask(MountedASGI(app))

    assert client.status == 0


async def test_an_exception_in_the_stream_breaks_it_off() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        await send(body(b"part", True))
        raise LookupError("broken")

    client = Client()
    with pytest.raises(LookupError):
        await client.ask(MountedASGI(app))

    assert client.chunks_received == [b"part"]


async def test_an_exception_after_the_response_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        await send(body(b"fine"))
        raise LookupError("broken")

    mounted = MountedASGI(app)
    answer = await Client().ask(mounted)
    await mounted.stop()

    assert answer.content == b"fine"
    assert [record.message for record in caplog.records] == ["a mounted application failed after its response"]


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        ([], "returned before"),
        ([START], "returned before"),
        ([START, body(b"x", True)], "returned before"),
        ([body(b"x")], "not its turn"),
        ([START, START], "not its turn"),
        ([{"type": "http.response.pathsend", "path": "/etc/passwd"}], "not its turn"),
    ],
)
async def test_messages_out_of_order_are_an_error(messages: list[dict[str, Any]], words: str) -> None:
    with pytest.raises(RuntimeError, match=words):
        await Client().ask(sending(*messages))


async def test_an_application_that_cancels_itself_leaves_nobody_waiting() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise asyncio.CancelledError

    with pytest.raises(RuntimeError, match="cancelled"):
        await Client().ask(MountedASGI(app))


async def test_a_stream_that_is_closed_cancels_the_application() -> None:
    ended: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        try:
            await send(START)
            while True:
                await send(body(b"x", True))
        finally:
            ended.append("yes")

    client = Client()
    client.on_chunk = lambda _: client.gone.set()
    with pytest.raises(ClientDisconnect):
        await client.ask(MountedASGI(app))

    assert ended == ["yes"]


async def test_a_stream_that_nobody_reads_cancels_the_application() -> None:
    """As when a middleware answers with something else."""
    ended = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        try:
            await send(START)
            while True:
                await send(body(b"x", True))
        finally:
            ended.set()

    response = await MountedASGI(app)(Client().request(), Response())
    del response

    assert await asyncio.wait_for(ended.wait(), 30)


async def test_a_caller_that_is_cancelled_cancels_the_application() -> None:
    running, ended = asyncio.Event(), []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        running.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("yes")

    call = asyncio.ensure_future(Client().ask(MountedASGI(app)))
    await running.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call

    assert ended == ["yes"]


async def test_sending_into_a_closed_stream_says_that_the_client_left() -> None:
    heard: list[type[BaseException]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        await send(body(b"one", True))
        try:
            await send(body(b"two", True))
        except OSError as exc:
            heard.append(type(exc))

    mounted = MountedASGI(app)
    await Client(method="HEAD").ask(mounted)
    await mounted.stop()

    assert heard == [OSError]
