"""One model is the whole input: the same answers whether its body has arrived already, comes late, or in pieces."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest

from nexios import NexiosApp, Request, Response
from nexios.testing.raw import call

JSON = [(b"content-type", b"application/json")]


class Note(msgspec.Struct):
    text: str


def app(limit: int | None = 100) -> NexiosApp:
    made = NexiosApp(limits={"max_body_size": limit})

    @made.post("/")
    async def save(note: Note) -> Note:
        return note

    @made.post("/optional")
    async def save_some(note: Note | None = None) -> str:
        return "nothing" if note is None else note.text

    return made


async def late(chunks: list[bytes], headers: list[tuple[bytes, bytes]] = JSON) -> tuple[int, list[Any]]:
    """Put a request whose body only comes when the application waits for it."""
    sent: list[Any] = []
    rest = list(chunks)

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(0)
        return {"type": "http.request", "body": rest.pop(0), "more_body": bool(rest)}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/", "headers": headers, "query_string": b""}
    await app()(scope, receive, send)
    return sent[0]["status"], sent


@pytest.mark.parametrize("chunks", [[b'{"text": "a"}'], [b'{"te', b'xt": "a"}'], [b"", b'{"text": "a"}', b""]])
async def test_a_model_is_the_same_in_whatever_pieces_its_body_comes(chunks: list[bytes]) -> None:
    assert (await call(app(), method="POST", headers=JSON, chunks=chunks)).json() == {"text": "a"}
    status, sent = await late(chunks)
    assert (status, sent[1]["body"]) == (200, b'{"text":"a"}')


@pytest.mark.parametrize("chunks", [[b"x" * 101], [b"x" * 60, b"x" * 60]])
async def test_a_model_over_the_limit_is_413_late_or_not(chunks: list[bytes]) -> None:
    assert (await call(app(), method="POST", headers=JSON, chunks=chunks)).status == 413
    assert (await late(chunks))[0] == 413


@pytest.mark.parametrize(
    ("lengths", "status"),
    [([b"13"], 200), ([b"100"], 200), ([b"101"], 413), ([b"13", b"13"], 400), ([b"five"], 400), ([b"\xb2"], 400)],
)
async def test_the_length_is_judged_before_anything_is_received(lengths: list[bytes], status: int) -> None:
    headers = [*JSON, *((b"content-length", length) for length in lengths)]

    answer = await call(app(), method="POST", headers=headers, chunks=[b'{"text": "a"}'])

    assert (answer.status, answer.received > 0) == (status, status == 200)


async def test_a_length_over_the_digits_of_the_limit_is_no_matter_without_a_limit() -> None:
    headers = [*JSON, (b"content-length", b"9" * 19)]

    assert (await call(app(None), method="POST", headers=headers, chunks=[b'{"text": "a"}'])).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        [(b"content-type", b"text/plain")],
        [*JSON, *JSON],
        [*JSON, (b"content-encoding", b"gzip")],
        [*JSON, (b"content-encoding", b"identity"), (b"content-encoding", b"br")],
    ],
)
async def test_what_is_415_is_so_before_the_body_is_received(headers: list[tuple[bytes, bytes]]) -> None:
    answer = await call(app(), method="POST", headers=headers, chunks=[b'{"text": "a"}'])

    assert (answer.status, answer.received) == (415, 0)


async def test_without_a_media_type_only_no_body_is_right() -> None:
    assert (await call(app(), method="POST", path="/optional", chunks=[b""])).body == b"nothing"
    assert (await call(app(), method="POST", path="/optional", chunks=[b'{"text": "a"}'])).status == 415
    assert (await call(app(), method="POST", chunks=[b""])).status == 422


@pytest.mark.parametrize("headers", [JSON, [(b"content-type", b"application/json; charset=utf-8")]])
@pytest.mark.parametrize(("body", "status"), [(b"{", 400), (b"{}", 422), (b'{"text": 1}', 422), (b"", 422)])
async def test_what_does_not_fit_is_told_in_the_same_words(
    headers: list[tuple[bytes, bytes]], body: bytes, status: int
) -> None:
    assert (await call(app(), method="POST", headers=headers, chunks=[body])).status == status


async def test_the_timer_runs_for_a_body_that_does_not_come() -> None:
    made = NexiosApp(limits={"body_read_timeout": 0.0})
    received: Callable[[], Awaitable[Any]] = asyncio.Event().wait
    statuses: list[int] = []

    @made.post("/")
    async def save(note: Note) -> Note:
        return note

    async def send(message: Any) -> None:
        statuses.append(message.get("status", 0))

    await made({"type": "http", "method": "POST", "path": "/", "headers": JSON, "query_string": b""}, received, send)

    assert statuses[0] == 408


@pytest.mark.parametrize("how", ["whole", "chunks", "json"])
async def test_what_a_model_was_made_of_can_be_read_afterwards(how: str) -> None:
    made = NexiosApp()
    readers: dict[str, Callable[[Request], Awaitable[object]]] = {
        "whole": lambda request: request.body(),
        "chunks": in_chunks,
        "json": lambda request: request.json(),
    }

    @made.exception_handler(ValueError)
    async def explain(request: Request, response: Response, exc: Exception) -> Response:
        return response.text(f"{await readers[how](request)!r}", 400)

    @made.post("/")
    async def save(note: Note) -> Note:
        raise ValueError(note.text)

    answer = await call(made, method="POST", headers=JSON, chunks=[b'{"text": "a"}'])

    expected: dict[str, object] = {"whole": b'{"text": "a"}', "chunks": [b'{"text": "a"}'], "json": {"text": "a"}}
    assert (answer.status, answer.body) == (400, f"{expected[how]!r}".encode())


async def in_chunks(request: Request) -> object:
    return [chunk async for chunk in request.stream()]
