"""A long body is sent in pieces where the server waits for the client, so that no client can hold it for ever."""

import asyncio
from typing import Any

import pytest

from nexios import NexiosApp, Request, Response
from nexios.testing import MemoryTransport
from nexios.testing.exchange import serve_in_memory

AT_ONCE = 256 * 1024


async def messages_for(body: bytes, method: str = "GET", status: int = 200) -> list[dict[str, Any]]:
    """What an ASGI server is given for an answer of these bytes."""
    app, sent = NexiosApp(), list[dict[str, Any]]()

    @app.get("/")
    async def handler(request: Request, response: Response) -> Response:
        return response.binary(body, status_code=status).set_header("content-length", "1")

    async def receive() -> Any:
        await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": method, "path": "/", "headers": [], "query_string": b""}
    await app(scope, receive, send)
    return sent


def length_in(head: dict[str, Any]) -> list[bytes]:
    return [value for name, value in head["headers"] if name == b"content-length"]


async def test_256_kibibytes_are_sent_at_once() -> None:
    head, *rest = await messages_for(b"x" * AT_ONCE)

    assert rest == [{"type": "http.response.body", "body": b"x" * AT_ONCE}]
    assert length_in(head) == [b"262144"]


@pytest.mark.parametrize("size", [AT_ONCE + 1, 2 * AT_ONCE, 1_000_003])
async def test_a_longer_body_is_sent_in_pieces_with_its_whole_length_in_the_head(size: int) -> None:
    body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)

    head, *rest = await messages_for(body)

    assert length_in(head) == [str(size).encode()]
    assert b"".join(message["body"] for message in rest) == body
    assert max(len(message["body"]) for message in rest) == 128 * 1024
    assert [message["more_body"] for message in rest] == [True] * (len(rest) - 1) + [False]


async def test_head_says_the_length_of_a_long_body_and_sends_nothing_of_it() -> None:
    head, *rest = await messages_for(b"x" * 1_000_000, "HEAD")

    assert (length_in(head), [message["body"] for message in rest]) == ([b"1000000"], [b""])


async def test_a_status_without_content_has_none_of_a_long_body() -> None:
    head, *rest = await messages_for(b"x" * 1_000_000, status=204)

    assert (length_in(head), [message["body"] for message in rest]) == ([], [b""])


@pytest.mark.parametrize("taken", [0, 1, 5])
async def test_a_client_that_takes_no_more_of_a_long_body_is_given_up(
    taken: int, caplog: pytest.LogCaptureFixture
) -> None:
    app, sent = NexiosApp(limits={"send_timeout": 0.0}), list[dict[str, Any]]()
    app.add_route("/", lambda request, response: response.binary(b"x" * 1_000_000))

    async def never() -> Any:
        await asyncio.Event().wait()

    async def send(message: Any) -> None:
        if len(sent) == taken:
            await asyncio.Event().wait()
        sent.append(message)

    async with asyncio.timeout(5):  # only so that a failure is no hang
        await app({"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b""}, never, send)

    assert (len(sent), caplog.records) == (taken, [])


async def test_a_transport_that_does_not_wait_is_given_a_long_body_whole() -> None:
    """Over RSGI the pieces would be queued without end, so they would cost copies for nothing."""
    app, transport = NexiosApp(), MemoryTransport()
    app.add_route("/", lambda request, response: response.binary(b"x" * 1_000_000))

    await serve_in_memory(app.compile(), transport)

    assert (transport.verb, len(await transport.response_body())) == ("bytes", 1_000_000)
