"""What reaches the wire: framing after RFC 9110 whatever the handler set, and streams up to their end."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nexios import NexiosApp, Request, Response
from nexios.testing.raw import RawAnswer, call


async def sent(fill: Callable[[Response], object], **options: Any) -> RawAnswer:
    """What is sent when a handler fills its builder so; `call` checks that it is legal."""
    app = NexiosApp()

    async def handler(request: Request, response: Response) -> object:
        return fill(response)

    app.add_route("/", handler, ["GET", "POST"])
    return await call(app, **options)


@pytest.mark.parametrize("length", [0, 1, 2047, 2048, 2049, 100_000])
async def test_the_content_length_is_the_number_of_bytes(length: int) -> None:
    answer = await sent(lambda r: r.binary(b"x" * length))

    assert (answer.header("content-length"), len(answer.body)) == (str(length), length)


async def test_a_content_length_of_the_handler_is_not_believed() -> None:
    """RFC 9110 section 8.6; a wrong one would shift the next response into this one."""
    answer = await sent(
        lambda r: r.text("abc").set_header("content-length", "1").set_header("transfer-encoding", "chunked")
    )

    assert (answer.header("content-length"), answer.header("transfer-encoding")) == ("3", None)


@pytest.mark.parametrize("status", [204, 304])
@pytest.mark.parametrize(
    "fill", [lambda r: r.text("x"), lambda r: r.stream(["x"]), lambda r: r.empty(200), lambda r: r.json({})]
)
async def test_204_and_304_have_neither_body_nor_length(status: int, fill: Callable[[Response], Response]) -> None:
    """RFC 9110 sections 15.3.5 and 15.4.5."""
    answer = await sent(lambda r: fill(r).status(status))

    assert (answer.status, answer.body, answer.header("content-length")) == (status, b"", None)


async def test_205_is_empty_and_says_so() -> None:
    """RFC 9110 section 15.3.6."""
    answer = await sent(lambda r: r.text("x", 205))

    assert (answer.body, answer.header("content-length")) == (b"", "0")


async def test_an_empty_200_has_length_0() -> None:
    answer = await sent(lambda r: r.text(""))

    assert (answer.status, answer.header("content-length")) == (200, "0")


@pytest.mark.parametrize(
    "fill",
    [
        lambda r: r.text("abc"),
        lambda r: r.json([1]),
        lambda r: r.empty(200),
        lambda r: r.empty(),
        lambda r: r.redirect("/x"),
        lambda r: r.status(404).text("no"),
    ],
)
async def test_head_has_the_status_and_headers_of_get(fill: Callable[[Response], object]) -> None:
    get, head = await sent(fill), await sent(fill, method="HEAD")

    assert (head.status, head.headers, head.body) == (get.status, get.headers, b"")


async def test_head_of_a_stream_runs_nothing_of_it() -> None:
    started: list[str] = []

    async def chunks() -> AsyncIterator[str]:
        started.append("started")
        yield "x"

    answer = await sent(lambda r: r.stream(chunks(), "text/plain"), method="HEAD")

    assert (answer.status, answer.header("content-type"), answer.header("content-length"), started) == (
        200,
        "text/plain",
        None,
        [],
    )


HEADERS = st.dictionaries(
    st.sampled_from(["x-a", "content-length", "transfer-encoding", "content-type", "etag", "set-cookie", "vary"]),
    st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=10).map(str.strip),
    max_size=4,
)
CONTENTS = st.one_of(
    st.tuples(st.just("text"), st.text(st.characters(exclude_categories=["Cs"]), max_size=20)),
    st.tuples(st.just("binary"), st.binary(max_size=20)),
    st.tuples(st.just("json"), st.lists(st.integers(-5, 5), max_size=3)),
    st.tuples(st.just("stream"), st.lists(st.binary(max_size=5), max_size=3)),
    st.tuples(st.just("stream"), st.lists(st.text("aé", max_size=5), max_size=3)),
)


@settings(max_examples=40)
@given(st.integers(200, 599), HEADERS, CONTENTS, st.sampled_from(["GET", "HEAD", "POST"]), st.booleans())
async def test_every_response_is_legal(
    status: int, headers: dict[str, str], content: tuple[str, Any], method: str, returned: bool
) -> None:
    """One start, an end, no body where none may be, a length that is right, legal headers: `call` checks them."""
    kind, value = content

    def fill(response: Response) -> object:
        response.set_headers(headers).status(status)
        if returned and kind != "stream":
            return value
        return getattr(response, kind)(value)

    answer = await sent(fill, method=method)

    assert (answer.status, answer.complete, answer.error) == (status, True, None)
    assert answer.header("transfer-encoding") is None


async def test_a_stream_is_sent_chunk_by_chunk_without_a_length() -> None:
    async def chunks() -> AsyncIterator[str | bytes]:
        yield "é"
        yield b""
        yield bytearray(b"b")  # type: ignore[misc]
        yield memoryview(b"c")  # type: ignore[misc]

    answer = await sent(lambda r: r.stream(chunks(), "text/plain"))

    assert [message.get("body") for message in answer.messages[1:]] == ["é".encode(), b"b", b"c", b""]
    assert (answer.header("content-length"), answer.header("content-type")) == (None, "text/plain")


async def test_a_plain_iterable_runs_in_a_thread_and_is_closed() -> None:
    threads: list[bool] = []

    def chunks() -> Iterator[str]:
        try:
            threads.append(threading.current_thread() is threading.main_thread())
            yield "a"
            yield "b"
        finally:
            threads.append(threading.current_thread() is threading.main_thread())

    answer = await sent(lambda r: r.stream(chunks()))

    assert (answer.body, threads) == (b"ab", [False, False])


async def test_a_list_a_tuple_and_an_open_file_are_streams(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one\ntwo\n")

    with (tmp_path / "a.txt").open("rb") as file:
        assert (await sent(lambda r: r.stream(file))).body == b"one\ntwo\n"
    assert (await sent(lambda r: r.stream(["a", b"b"]))).body == b"ab"
    assert (await sent(lambda r: r.stream(()))).body == b""


@pytest.mark.parametrize("chunk", [5, 1.5, None, {"a": 1}, [1, 2], object()])
async def test_a_chunk_that_is_neither_text_nor_bytes_breaks_the_stream_off(
    chunk: object, caplog: pytest.LogCaptureFixture
) -> None:
    """`bytes(5)` would be five zeros on the wire, and a mapping its keys."""
    answer = await sent(lambda r: r.stream(["first", chunk]))  # type: ignore[list-item]

    assert (answer.body, answer.complete, type(answer.error)) == (b"first", False, TypeError)
    assert len(caplog.records) == 1


async def test_a_stream_without_waiting_points_still_lets_others_run() -> None:
    turns = 0

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(50):
            yield b"x"

    async def beat() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    heart = asyncio.create_task(beat())
    await sent(lambda r: r.stream(chunks()))
    heart.cancel()

    assert turns >= 50


async def test_a_client_that_does_not_read_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    closed: list[str] = []
    app = NexiosApp(limits={"send_timeout": 0.0})

    async def chunks() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"x"
        finally:
            closed.append("closed")

    @app.get("/")
    async def handler(request: Request, response: Response) -> Response:
        return response.stream(chunks())

    async def receive() -> Any:
        await asyncio.Event().wait()

    async def send(message: Any) -> None:
        if message["type"] == "http.response.body":
            await asyncio.Event().wait()

    await app({"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b""}, receive, send)

    assert (closed, caplog.records) == (["closed"], [])


async def test_the_time_to_make_a_chunk_is_not_the_clients() -> None:
    app = NexiosApp(limits={"send_timeout": 0.0})

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(3):
            for _ in range(10):
                await asyncio.sleep(0)
            yield b"x"

    @app.get("/")
    async def handler(request: Request, response: Response) -> Response:
        return response.stream(chunks())

    assert (await call(app)).body == b"xxx"


async def test_a_stream_that_times_out_by_itself_is_its_own_error(caplog: pytest.LogCaptureFixture) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"x"
        raise TimeoutError

    answer = await sent(lambda r: r.stream(chunks()))

    assert (answer.complete, type(answer.error)) == (False, RuntimeError)
    assert len(caplog.records) == 1


async def test_headers_keep_their_order_and_repeat() -> None:
    answer = await sent(
        lambda r: r.set_header("x-b", "1").set_header("x-a", "2").set_header("x-b", "3", append=True).text("")
    )

    assert [pair for pair in answer.headers if pair[0].startswith(b"x-")] == [
        (b"x-b", b"1"),
        (b"x-a", b"2"),
        (b"x-b", b"3"),
    ]


async def test_header_values_are_latin_1_on_the_wire() -> None:
    answer = await sent(lambda r: r.set_header("x-a", "é").text(""))

    assert (b"x-a", b"\xe9") in answer.headers
