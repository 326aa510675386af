"""Promises about slow clients, failing error handlers, the event loop and every answer: R10, R17, R24 and R26."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nexios.application import NexiosApp
from nexios.errors import BodyConsumed
from nexios.messages.request import Request
from nexios.messages.response import Response
from nexios.settings import Limits
from nexios.testing.raw import call
from tests.security.kit import KIB, MIB, Peer, heartbeat, http_scope, in_chunks, post
from tests.security.reading_app import END, MULTIPART, READERS, URLENCODED, ReadingApp, field, upload


def errors_in(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


# R10: slow clients

IMPATIENT = Limits(body_read_timeout=0.01, send_timeout=0.01)


@pytest.mark.parametrize("reader", READERS)
async def test_r10_a_client_that_stops_sending_is_told_and_left(reader: str) -> None:
    """408, and the connection is not used again (RFC 9110 section 15.5.9)."""
    app = ReadingApp(IMPATIENT)
    content_type = {"form": URLENCODED, "files": MULTIPART}.get(reader, "text/plain")
    client = Peer(chunks=iter([b"--b\r\n"]), ends=False)

    await app(http_scope("POST", f"/{reader}", [(b"content-type", content_type.encode())]), client.receive, client.send)

    assert (client.status, client.complete, app.read) == (408, True, [])
    assert (b"connection", b"close") in client.headers


async def test_r10_a_client_that_is_slow_but_sends_is_served() -> None:
    """The limit is for a silence, and each byte ends one."""
    app = ReadingApp(Limits(body_read_timeout=5))
    client = Peer(chunks=iter([b"x"] * 20))

    async def receive() -> Any:
        await asyncio.sleep(0)
        return await client.receive()

    await app(http_scope("POST", "/body"), receive, client.send)

    assert (client.status, app.read) == (200, [b"x" * 20])


@pytest.mark.parametrize("kind", ["async", "sync", "file", "bytes"])
@pytest.mark.parametrize("stalls_at", [0, 1, 2])
async def test_r10_a_client_that_stops_reading_is_left(
    kind: str, stalls_at: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The task ends, and what the answer was made from is closed."""
    (tmp_path / "large").write_bytes(b"x" * MIB)
    app, source = NexiosApp(limits=IMPATIENT), Source()
    contents: dict[str, Callable[[Response], Response]] = {
        "async": lambda response: response.stream(source.asynchronous()),
        "sync": lambda response: response.stream(source.synchronous()),
        "file": lambda response: response.file(tmp_path / "large"),
        "bytes": lambda response: response.binary(b"x" * MIB),
    }
    app.get("/")(lambda request, response: contents[kind](response))
    client = Peer(stalls_at=stalls_at)

    async with asyncio.timeout(5):  # only so that a failure is no hang
        await app(http_scope(), client.receive, client.send)

    assert not client.complete
    assert source.opened == source.closed
    assert errors_in(caplog) == []


class Source:
    """Streams without end, and counts how often one was begun and ended."""

    def __init__(self) -> None:
        self.opened = self.closed = 0

    async def asynchronous(self) -> AsyncIterator[bytes]:
        self.opened += 1
        try:
            while True:
                yield b"x"
        finally:
            self.closed += 1

    def synchronous(self) -> Iterator[bytes]:
        self.opened += 1
        try:
            while True:
                yield b"x"
        finally:
            self.closed += 1


# R17: errors in error handlers


def raises(request: Request, response: Response, exc: Exception) -> Response:
    raise RuntimeError("the handler failed")


def garbage(request: Request, response: Response, exc: Exception) -> object:
    return object()


def nothing(request: Request, response: Response, exc: Exception) -> None:
    return None


def unreadable(request: Request, response: Response, exc: Exception) -> Response:
    return response.text("\ud800")


def endless(request: Request, response: Response, exc: Exception) -> object:
    circle: list[Any] = []
    circle.append(circle)
    return circle


WORDS = "Internal Server Error"
CONSTANT_500 = {"type": "about:blank", "title": WORDS, "status": 500, "detail": WORDS}


@pytest.mark.parametrize("handler", [raises, garbage, nothing, unreadable, endless])
@pytest.mark.parametrize("key", [ValueError, Exception, 500])
async def test_r17_a_failing_error_handler_is_a_constant_500(
    handler: Callable[..., Any], key: type[Exception] | int, caplog: pytest.LogCaptureFixture
) -> None:
    """Both errors are in the log."""
    app = NexiosApp(exception_handlers={key: handler})

    async def fail(request: Request, response: Response) -> None:
        raise ValueError("the first error")

    app.get("/")(fail)

    answer = await call(app)

    assert (answer.status, answer.complete, answer.error) == (500, True, None)
    assert {**answer.json(), "code": ""} == {**CONSTANT_500, "code": ""}
    logged = [record.exc_info[1] for record in caplog.records if record.exc_info]
    assert len(logged) == 2
    assert str(logged[0]) == "the first error"


async def test_r17_the_words_of_the_errors_are_not_in_the_answer() -> None:
    """Neither of the two."""
    app = NexiosApp(exception_handlers={ValueError: raises})

    async def fail(request: Request, response: Response) -> None:
        raise ValueError("the first error")

    app.get("/")(fail)

    answer = await call(app)

    assert b"failed" not in answer.body
    assert b"first" not in answer.body


# R24: the event loop

BODIES = {
    "multipart": (MULTIPART, "form", upload(body=b"x" * 8 * MIB) + field() * 900 + END),
    "many fields": (MULTIPART, "form", field(body=b"x" * 8 * KIB) * 999 + END),
    "urlencoded": (URLENCODED, "form", b"&".join([b"a=" + b"%C3%A9" * 1000] * 999)),
    "one escaped field": (URLENCODED, "form", b"a=" + b"%78" * MIB),
    "JSON": ("application/json", "json", json.dumps([{"name": "é" * 100, "n": 1}] * 300).encode()),
    "bytes": (None, "body", b"x" * 10 * MIB),
}


@pytest.mark.parametrize("kind", BODIES)
async def test_r24_no_body_holds_the_loop(kind: str) -> None:
    """For more than 50 ms of CPU; three tries, as a worker thread may hold the interpreter on a busy machine."""
    content_type, reader, body = BODIES[kind]
    stalls = []
    for _ in range(3):
        with heartbeat(0.001) as heart:
            answer = await post(ReadingApp(), in_chunks(body), content_type, path=f"/{reader}")
        assert answer.status == 200
        stalls.append(heart.stall)
        if heart.stall < 0.05:
            break

    assert min(stalls) < 0.05


# R26: what every answer keeps; `call` checks it, message by message

MIXED: list[str | bytes] = [b"a", "é", b"", b"c"]
ANSWERS: dict[str, Callable[[Response, Path], Response]] = {
    "nothing": lambda response, path: response,
    "text": lambda response, path: response.text("é"),
    "json": lambda response, path: response.json({"a": 1}),
    "empty": lambda response, path: response.empty(),
    "redirect": lambda response, path: response.redirect("/é?a=é"),
    "own length": lambda response, path: response.set_header("content-length", "999").text("abc"),
    "own framing": lambda response, path: response.set_header("transfer-encoding", "chunked").text("abc"),
    "large": lambda response, path: response.binary(b"x" * 5000),
    "stream": lambda response, path: response.stream(iter(MIXED)),
    "empty stream": lambda response, path: response.stream(iter(())),
    "stream with a length": lambda response, path: response.stream([b"abc"]).set_header("content-length", "1"),
    "file": lambda response, path: response.file(path),
    "download": lambda response, path: response.file(path, filename="é.txt").set_header("X-Upper", "1"),
    "cookies": lambda response, path: response.set_cookie("a", "1").set_cookie("b", "2").delete_cookie("c").text("x"),
}


@pytest.mark.parametrize("kind", ANSWERS)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize("status", [None, 201, 204, 205, 206, 304, 404, 500])
async def test_r26_every_answer_is_legal(kind: str, method: str, status: int | None, tmp_path: Path) -> None:
    """One start, legal headers in lower case, a length that is right, no body where there must be none."""
    path = tmp_path / "file.txt"
    path.write_bytes(b"0123456789")
    app = NexiosApp()

    async def answer_it(request: Request, response: Response) -> Response:
        filled = ANSWERS[kind](response, path)
        return filled if status is None else filled.status(status)

    app.get("/")(answer_it)
    app.post("/")(answer_it)

    answer = await call(app, method=method)

    assert (answer.complete, answer.error) == (True, None)
    if method == "HEAD" or status in (204, 205, 304):
        assert answer.body == b""


async def test_r26_a_body_is_read_once_or_kept() -> None:
    """What a second reader gets is the whole body or an error, never the rest of it."""
    app = NexiosApp()

    async def twice(request: Request, response: Response) -> str:
        async for _ in request.stream():
            break
        with pytest.raises(BodyConsumed):
            await request.body()
        return "refused"

    app.post("/")(twice)

    assert (await post(app, [b"a", b"b"])).body == b"refused"
