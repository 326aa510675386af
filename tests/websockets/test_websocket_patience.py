"""How long a client may be silent, how fast it may talk, and how many there may be."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from nexios import NexiosApp
from nexios.errors import ConfigurationError
from nexios.messages.websocket import WebSocket, WebSocketDisconnect
from nexios.settings import Limits
from nexios.testing.client import TestClient
from nexios.testing.websocket import WebSocketDenied
from nexios.websockets.clock import ManualClock
from nexios.websockets.heartbeat import Heartbeat
from tests.websockets.fake_transport import FakeContext, FakeTransport, make_websocket

PING, PONG = '{"type":"ping"}', '{"type":"pong"}'


def make_app(**limits: Any) -> NexiosApp:
    app = NexiosApp(limits=limits)

    @app.websocket("/echo")
    async def echo(websocket: WebSocket) -> None:
        await websocket.accept()
        async for message in websocket:
            await websocket.send_text(str(message))
        app.state.end = (websocket.close_code, websocket.close_reason)

    return app


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


async def client_of(app: NexiosApp, clock: ManualClock) -> AsyncIterator[TestClient]:
    async with TestClient(app, clock=clock) as client:
        yield client


async def test_a_silence_over_the_receive_timeout_closes_with_a_code_for_timeouts(clock: ManualClock) -> None:
    app = make_app(websocket_receive_timeout=30.0)

    async for client in client_of(app, clock):
        async with client.websocket_connect("/echo") as ws:
            for _ in range(3):
                await clock.advance(29)
                await ws.send_text("still here")
                assert await ws.receive() == "still here"
            await clock.advance(31)

            assert await ws.wait_closed() == (3008, "nothing was received for 30 s")

    assert app.state.end == (3008, "nothing was received for 30 s")
    assert clock.waiting == 0


async def test_a_receive_timeout_is_a_disconnect_by_the_server(clock: ManualClock) -> None:
    transport = FakeTransport()
    websocket = WebSocket(transport, FakeContext(), Limits(websocket_receive_timeout=5.0), clock=clock)
    await websocket.accept()
    reader = asyncio.ensure_future(websocket.receive())

    await clock.advance(5)

    with pytest.raises(WebSocketDisconnect) as caught:
        await reader
    assert (caught.value.code, caught.value.initiator) == (3008, "server")


async def test_messages_over_the_rate_wait_and_none_is_lost(clock: ManualClock) -> None:
    async for client in client_of(make_app(max_messages_per_second=2.0), clock):
        async with client.websocket_connect("/echo") as ws:
            for number in range(6):
                await ws.send_text(str(number))
            await clock.advance(0)
            at_once = len(ws._open._to_client)
            await clock.advance(1)
            after_a_second = len(ws._open._to_client)
            await clock.advance(1)

            assert (at_once, after_a_second) == (2, 4)
            assert [await ws.receive() for _ in range(6)] == list("012345")


async def test_closing_ends_a_wait_for_the_rate(clock: ManualClock) -> None:
    transport = FakeTransport(incoming=["a", "b"])
    websocket = WebSocket(transport, FakeContext(), Limits(max_messages_per_second=1.0), clock=clock)
    await websocket.accept()
    await websocket.receive()
    reader = asyncio.ensure_future(websocket.receive())
    await asyncio.sleep(0)

    await websocket.close(1001)

    with pytest.raises(WebSocketDisconnect):
        await reader
    assert clock.waiting == 0


def test_a_rate_below_one_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="max_messages_per_second: expected a float of 1 or more"):
        Limits(max_messages_per_second=0)


async def test_one_websocket_over_the_limit_is_denied_with_503() -> None:
    async with TestClient(make_app(max_websockets=2)) as client:
        async with client.websocket_connect("/echo"):
            async with client.websocket_connect("/echo"):
                with pytest.raises(WebSocketDenied, match="503"):
                    async with client.websocket_connect("/echo"):
                        pass
            async with client.websocket_connect("/echo"):
                assert len(client.engine.websockets.sockets) == 2

        assert len(client.engine.websockets.sockets) == 0


async def heartbeat_client(clock: ManualClock) -> AsyncIterator[TestClient]:
    app = make_app()
    app.add_websocket_middleware(Heartbeat, interval=20, timeout=50)
    async for client in client_of(app, clock):
        yield client


async def test_a_silent_client_is_asked_and_stays_when_it_answers(clock: ManualClock) -> None:
    async for client in heartbeat_client(clock):
        async with client.websocket_connect("/echo") as ws:
            for _ in range(5):
                await clock.advance(20)
                assert await ws.receive() == PING
                await ws.send_text('{"type": "pong"}')
                await clock.advance(0)
            await ws.send_text("a message")

            assert await ws.receive() == "a message"  # no pong reached the handler
    assert clock.waiting == 0


async def test_one_that_never_answers_is_closed_after_the_timeout(clock: ManualClock) -> None:
    async for client in heartbeat_client(clock):
        async with client.websocket_connect("/echo") as ws:
            await clock.advance(49)
            assert [await ws.receive(), await ws.receive()] == [PING, PING]
            assert ws.close_code is None
            await clock.advance(1)

            assert await ws.wait_closed() == (3008, "nothing was heard for 50 s")
        assert client.app.state.end[0] == 3008
    assert clock.waiting == 0


async def test_one_that_talks_is_not_asked(clock: ManualClock) -> None:
    async for client in heartbeat_client(clock):
        async with client.websocket_connect("/echo") as ws:
            for _ in range(5):
                await clock.advance(15)
                await ws.send_text("busy")
                assert await ws.receive() == "busy"


async def test_a_page_may_ask_too(clock: ManualClock) -> None:
    async for client in heartbeat_client(clock):
        async with client.websocket_connect("/echo") as ws:
            await ws.send_text(PING)
            assert await ws.receive() == PONG


async def test_a_ping_that_is_stuck_is_not_sent_twice(clock: ManualClock) -> None:
    class Stuck(FakeTransport):
        tries = 0

        async def send_text(self, text: str) -> None:
            self.tries += 1
            await asyncio.Event().wait()

    transport = Stuck()
    websocket = WebSocket(transport, FakeContext(), Limits(), clock=clock)

    async def handler() -> None:
        await websocket.accept()
        with pytest.raises(WebSocketDisconnect):
            await websocket.receive()

    serving = asyncio.ensure_future(Heartbeat(interval=10, timeout=35)(websocket, handler))
    await clock.advance(40)
    await serving

    assert transport.tries == 1
    assert transport.sent[-1][:2] == ("close", 3008)


@pytest.mark.parametrize(("interval", "timeout"), [(0, 1), (-1, 5), (5, 5), (6, 5)])
def test_a_heartbeat_that_could_not_work_is_refused(interval: float, timeout: float) -> None:
    with pytest.raises(ConfigurationError, match="the timeout longer than the interval"):
        Heartbeat(interval=interval, timeout=timeout)


async def test_timeouts_go_by_the_event_loop_where_nobody_says_otherwise() -> None:
    assert make_websocket(FakeTransport()).clock is asyncio.get_running_loop()
