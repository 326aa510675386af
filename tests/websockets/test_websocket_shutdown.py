"""The app stops: what is open gets 1001, what comes is denied, and handlers have time to end."""

import asyncio
import signal
from collections.abc import Iterator

import pytest

from nexios import NexiosApp
from nexios._pipeline.websocket_registry import OpenWebSockets
from nexios.errors import ServiceUnavailable
from nexios.messages.websocket import WebSocket
from nexios.testing import TestClient, WebSocketDenied
from tests.websockets.fake_transport import FakeTransport, make_websocket


@pytest.fixture
def server_signals() -> Iterator[list[int]]:
    """What a server catches that has a handler of its own for SIGTERM."""
    caught: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: caught.append(number))
    yield caught
    signal.signal(signal.SIGTERM, before)


def app_with_an_open_websocket() -> NexiosApp:
    app = NexiosApp()

    @app.websocket("/ws")
    async def ws(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text("open")
        async for _ in websocket:
            pass

    return app


async def opened() -> tuple[WebSocket, FakeTransport]:
    transport = FakeTransport()
    websocket = make_websocket(transport)
    await websocket.accept()
    return websocket, transport


async def test_every_open_websocket_is_closed_before_anything_else_of_the_app() -> None:
    events: list[object] = []
    app = NexiosApp()

    @app.websocket("/ws")
    async def ws(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text("open")
        async for _ in websocket:
            pass
        events.append(websocket.close_code)

    app.on_shutdown(lambda: events.append("shutdown"))

    async with TestClient(app) as client:
        sessions = [client.websocket_connect("/ws") for _ in range(20)]
        for session in sessions:
            await session.__aenter__()
            await session.receive()

    assert events == [1001] * 20 + ["shutdown"]
    assert {(session.close_code, session.close_reason) for session in sessions} == {(1001, "the server stops")}


async def test_a_restart_has_a_code_of_its_own() -> None:
    app = app_with_an_open_websocket()

    async with TestClient(app) as client, client.websocket_connect("/ws") as session:
        assert await session.receive() == "open"
        app.restarting = True
        await client.engine.resources.sockets.close_all()

        assert await session.wait_closed() == (1012, "the server restarts")


def test_that_a_process_restarts_is_a_setting_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEXIOS_RESTARTING", "1")

    assert NexiosApp().restarting
    assert not NexiosApp(restarting=False).restarting


async def test_sockets_are_closed_as_soon_as_the_process_is_told_to_stop(server_signals: list[int]) -> None:
    """Before the server hears of it: most break WebSockets off, or have a code of their own."""
    app = app_with_an_open_websocket()

    async with TestClient(app) as client, client.websocket_connect("/ws") as session:
        assert await session.receive() == "open"
        signal.raise_signal(signal.SIGTERM)

        assert server_signals == []
        assert await session.wait_closed() == (1001, "the server stops")
        while not server_signals:  # noqa: ASYNC110  one turn of the event loop at a time
            await asyncio.sleep(0)
        assert server_signals == [signal.SIGTERM]
        with pytest.raises(WebSocketDenied, match="503"):
            async with client.websocket_connect("/ws"):
                pass

    async with TestClient(app) as client, client.websocket_connect("/ws") as session:
        assert await session.receive() == "open"  # an app can be started again


async def test_the_handlers_of_signals_are_as_before_when_the_app_has_stopped(server_signals: list[int]) -> None:
    before = signal.getsignal(signal.SIGTERM)

    async with TestClient(app_with_an_open_websocket()) as client, client.websocket_connect("/ws") as session:
        assert await session.receive() == "open"
        assert signal.getsignal(signal.SIGTERM) is not before

    assert signal.getsignal(signal.SIGTERM) is before


async def test_a_handshake_that_waits_is_denied_and_one_that_comes_too() -> None:
    sockets = OpenWebSockets()
    transport = FakeTransport()
    websocket = make_websocket(transport)
    sockets.add(websocket, None)
    closing = asyncio.ensure_future(sockets.close_all())
    await asyncio.sleep(0)

    with pytest.raises(ServiceUnavailable):
        sockets.add(make_websocket(FakeTransport()), None)
    await asyncio.sleep(0)
    sockets.remove(websocket)
    await closing

    assert transport.sent == [("deny", 503)]
    sockets.add(websocket, None)  # an app can be started again
    assert list(sockets) == [websocket]


async def test_one_that_takes_nothing_does_not_hold_the_others_or_the_shutdown() -> None:
    sockets = OpenWebSockets()
    stuck, _ = await opened()
    stuck._transport.may_close.clear()  # type: ignore[attr-defined]
    other, transport = await opened()
    sockets.add(stuck, None)
    sockets.add(other, None)

    await sockets.close_all(grace=0.01)

    assert transport.sent[-1][:2] == ("close", 1001)


async def test_a_stop_without_websockets_waits_for_nothing() -> None:
    await asyncio.wait_for(OpenWebSockets().close_all(grace=60), 1)
    assert not list(OpenWebSockets())


async def test_a_stop_that_is_cancelled_leaves_no_task() -> None:
    before = asyncio.all_tasks()
    sockets = OpenWebSockets()
    sockets.add(make_websocket(FakeTransport()), None)
    closing = asyncio.ensure_future(sockets.close_all())
    for _ in range(5):
        await asyncio.sleep(0)
    closing.cancel()
    await asyncio.wait((closing,))

    assert closing.cancelled()
    assert asyncio.all_tasks() == before
