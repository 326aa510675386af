"""The end of a streamed answer: a message like the others, for which a client has as long as for a chunk."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from nexios import NexiosApp, Request, Response
from nexios.testing import call

SCOPE = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b""}


async def never() -> Any:
    await asyncio.Event().wait()


@pytest.mark.parametrize("chunks", [[], [b"x"], [b"x", b"y"]], ids=len)
async def test_a_client_that_does_not_take_the_end_is_given_up(
    chunks: list[bytes], caplog: pytest.LogCaptureFixture
) -> None:
    app, sent = NexiosApp(limits={"send_timeout": 0.0}), list[str]()
    app.add_route("/", lambda request, response: response.stream(chunks))

    async def send(message: Any) -> None:
        if message["type"] == "http.response.body" and not message["more_body"]:
            sent.append("the end is begun")
            await asyncio.Event().wait()

    async with asyncio.timeout(5):  # only so that a failure is no hang
        await app(dict(SCOPE), never, send)

    assert (sent, caplog.records) == (["the end is begun"], [])


async def test_the_time_between_the_last_chunk_and_the_end_is_not_the_clients() -> None:
    app = NexiosApp(limits={"send_timeout": 0.0})

    async def chunks() -> AsyncIterator[bytes]:
        yield b"x"
        for _ in range(10):
            await asyncio.sleep(0)

    @app.get("/")
    async def handler(request: Request, response: Response) -> Response:
        return response.stream(chunks())

    answer = await call(app)

    assert (answer.body, answer.complete) == (b"x", True)
