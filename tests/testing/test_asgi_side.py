"""The client's way through the ASGI side: an app is held to what a server would hold it to."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from nexios import NexiosApp
from nexios.testing import MemoryTransport, TestClient
from nexios.testing.asgi_side import EngineOverASGI, serve_asgi
from nexios.testing.legal import IllegalSequence

START = {"type": "http.response.start", "status": 200, "headers": [(b"x-a", b"1")]}


async def test_what_an_app_sends_is_the_response() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        message = await receive()
        await send(START)
        await send({"type": "http.response.body", "body": message["body"]})

    transport = MemoryTransport("POST", "/ü", body=[b"abc"], client=None)
    await serve_asgi(app, transport)
    assert (transport.status, transport.response_headers, transport.complete) == (200, [("x-a", "1")], True)
    assert await transport.response_body() == b"abc"


async def test_after_the_body_the_client_stays_until_the_response_is_whole() -> None:
    types: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        types.append((await receive())["type"])
        late = asyncio.ensure_future(receive())
        await asyncio.sleep(0)
        assert not late.done()
        await send(START)
        await send({"type": "http.response.body"})
        types.append((await late)["type"])

    await serve_asgi(app, MemoryTransport())
    assert types == ["http.request", "http.disconnect"]


async def test_an_illegal_message_is_told_even_when_the_app_swallows_it() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        try:
            await send(START)
        except Exception:
            await send({"type": "http.response.body"})

    with pytest.raises(IllegalSequence, match="begins twice"):
        await serve_asgi(app, MemoryTransport())


async def test_an_app_that_sends_nothing_is_told_of() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()

    with pytest.raises(IllegalSequence, match="before its response was whole"):
        await serve_asgi(app, MemoryTransport())


async def test_sending_to_a_client_that_has_gone_is_an_os_error() -> None:
    transport = MemoryTransport()
    raised: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        await send({"type": "http.response.body", "body": b"a", "more_body": True})
        waiting = asyncio.ensure_future(send({"type": "http.response.body", "body": b"b", "more_body": True}))
        await asyncio.sleep(0)
        transport.leave()
        for sending in (waiting, send({"type": "http.response.body"})):
            try:
                await sending
            except OSError as exc:
                raised.append(str(exc))

    await serve_asgi(app, transport)
    assert raised == ["the client has gone"] * 2


async def test_a_client_that_leaves_half_way_is_a_disconnect() -> None:
    types: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        types.extend([(await receive())["type"], (await receive())["type"]])

    await serve_asgi(app, MemoryTransport("POST", body=[b"abc"], leave_after=2))
    assert types == ["http.request", "http.disconnect"]


async def test_a_wrong_content_length_is_told_of() -> None:
    app = NexiosApp()

    @app.get("/")
    async def home(request: Any, response: Any) -> Any:
        return response.text("whole")

    engine = app.compile()
    assert EngineOverASGI(engine).engine is engine

    class Lying(EngineOverASGI):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            await send({**START, "headers": [(b"content-length", b"9")]})
            await send({"type": "http.response.body", "body": b"short"})

    client = TestClient(app, raise_app_exceptions=False)

    async def serve(transport: MemoryTransport) -> None:
        await serve_asgi(Lying(engine), transport)

    client._wire._serve = serve
    async with client:
        with pytest.raises(IllegalSequence, match="Content-Length is 9 and 5 bytes"):
            await client.get("/")


async def test_an_app_that_closes_the_connection_without_an_answer() -> None:
    app = NexiosApp()
    client = TestClient(app, raise_app_exceptions=False)

    async def serve(transport: MemoryTransport) -> None:
        raise OSError("lost")

    client._wire._serve = serve
    async with client:
        with pytest.raises(Exception, match="without a response"):
            await client.get("/")
        assert await client.disconnect_after("GET", "/") == b""


async def test_a_client_that_leaves_early_waits_no_longer_than_its_timeout() -> None:
    app = NexiosApp()
    ended: list[bool] = []

    @app.get("/")
    async def silent(request: Any, response: Any) -> Any:
        async def chunks() -> AsyncIterator[str]:
            try:
                yield "one"
                await asyncio.Event().wait()
            finally:
                ended.append(True)

        return response.stream(chunks(), "text/plain")

    async with TestClient(app, timeout=0.01) as client:
        with pytest.raises(Exception, match=r"0\.01 s"):
            await client.disconnect_after("GET", "/", received=100)
    assert ended == [True]
