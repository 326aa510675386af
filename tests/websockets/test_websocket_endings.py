"""How a conversation ends when the handler fails, the client leaves, or the server stops."""

import asyncio
import logging
from typing import Any

import pytest

from nexios.errors import HTTPException, NexiosError
from nexios.messages.websocket import BadMessage, WebSocket, WebSocketDisconnect
from tests.websockets.fake_transport import GONE, FakeContext, FakeTransport, make_plans, problem_of, serve


async def accepting(websocket: WebSocket) -> None:
    await websocket.accept()


async def test_an_exception_before_accepting_denies_with_500(caplog: pytest.LogCaptureFixture) -> None:
    async def chat(websocket: WebSocket) -> None:
        raise KeyError("secret")

    transport = FakeTransport("/ws")

    assert await serve(chat, transport) == [("deny", 500)]
    assert problem_of(transport)["detail"] == "Internal Server Error"
    assert b"secret" not in transport.denied_with[1]
    assert [record.getMessage() for record in caplog.records] == ["unhandled error: WEBSOCKET /ws"]


async def test_an_http_exception_before_accepting_denies_with_its_status(caplog: pytest.LogCaptureFixture) -> None:
    async def chat(websocket: WebSocket) -> None:
        raise HTTPException(401, "Log in first.", headers={"WWW-Authenticate": "Bearer"})

    transport = FakeTransport("/ws")

    assert await serve(chat, transport) == [("deny", 401)]
    assert problem_of(transport)["detail"] == "Log in first."
    assert ("www-authenticate", "Bearer") in transport.denied_with[0]
    assert caplog.records == []


async def test_headers_over_the_limit_deny_with_431() -> None:
    transport = FakeTransport("/ws", headers=[("x", "y")] * 2000)

    assert await serve(accepting, transport) == [("deny", 431)]


@pytest.mark.parametrize(
    ("exc", "closing", "is_logged"),
    [
        (ValueError("secret"), ("close", 1011, ""), True),
        (NexiosError("secret"), ("close", 1011, ""), True),
        (HTTPException(403, "no " * 100), ("close", 1008, ("no " * 100)[:123]), False),
        (HTTPException(503), ("close", 1011, "Service Unavailable"), False),
        (BadMessage("The message is not valid JSON."), ("close", 1007, "The message is not valid JSON."), False),
        (WebSocketDisconnect(1000), ("close", 1011, ""), True),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_an_exception_after_accepting_closes_and_a_fault_of_ours_is_logged_once(
    exc: Exception, closing: tuple[Any, ...], is_logged: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """A disconnect of another WebSocket, which this one was writing to, is a mistake like any other."""

    async def chat(websocket: WebSocket) -> None:
        await websocket.accept()
        raise exc

    with caplog.at_level(logging.DEBUG, "nexios"):
        sent = await serve(chat)

    assert sent == [("accept", None, []), closing]
    assert len(caplog.records) == is_logged


async def test_a_raised_bad_message_closes_with_1007_unless_it_is_caught() -> None:
    async def chat(websocket: WebSocket) -> None:
        await websocket.accept()
        websocket.bad_messages = "raise"
        try:
            await websocket.receive_json()
        except BadMessage as exc:
            await websocket.send_json({"error": str(exc)})
        await websocket.receive_json()

    sent = await serve(chat, FakeTransport("/ws", incoming=["{", "{"]))

    assert sent[1] == ("text", '{"error":"The message is not valid JSON."}')
    assert sent[2][:2] == ("close", 1007)


@pytest.mark.parametrize("end", [(1000, ""), (4001, "bye"), GONE])
async def test_a_disconnect_that_the_handler_lets_pass_is_no_error(
    end: object, caplog: pytest.LogCaptureFixture
) -> None:
    async def chat(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.receive_text()

    with caplog.at_level(logging.DEBUG, "nexios"):
        sent = await serve(chat, FakeTransport("/ws", incoming=[end]))

    assert sent == [("accept", None, [])]
    assert caplog.records == []


async def test_a_message_over_the_limit_ends_quietly_with_1009(caplog: pytest.LogCaptureFixture) -> None:
    async def chat(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.receive_text()

    sent = await serve(chat, FakeTransport("/ws", incoming=["x" * (1024 * 1024 + 1)]))

    assert sent[1][:2] == ("close", 1009)
    assert caplog.records == []


async def test_an_error_after_the_client_left_is_logged_and_nothing_is_sent(caplog: pytest.LogCaptureFixture) -> None:
    async def chat(websocket: WebSocket) -> None:
        await websocket.accept()
        try:
            await websocket.receive_text()
        finally:
            raise KeyError("cleaning up failed")

    sent = await serve(chat, FakeTransport("/ws", incoming=[(1001, "")]))

    assert sent == [("accept", None, [])]
    assert len(caplog.records) == 1


async def test_a_client_that_leaves_while_we_close_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    async def chat(websocket: WebSocket) -> None:
        await websocket.accept()
        transport.client_is_gone = True

    transport = FakeTransport("/ws")

    assert await serve(chat, transport) == [("accept", None, [])]
    assert caplog.records == []


async def test_a_server_that_fails_to_close_does_not_bring_the_app_down(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(FakeTransport):
        async def close(self, code: int, reason: str) -> None:
            raise RuntimeError("Unexpected ASGI message")

    with caplog.at_level(logging.DEBUG, "nexios"):
        sent = await serve(accepting, Broken("/ws"))

    assert sent == [("accept", None, [])]
    assert [record.levelname for record in caplog.records] == ["DEBUG"]


async def test_cancellation_closes_with_1001_and_goes_on() -> None:
    async def chat(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.receive_text()

    transport = FakeTransport("/ws")
    task = asyncio.create_task(make_plans(chat).handle(transport, FakeContext()))
    await transport.reading.wait()

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert transport.sent == [("accept", None, []), ("close", 1001, "")]


async def test_cancellation_before_accepting_denies_with_503() -> None:
    started = asyncio.Event()

    async def chat(websocket: WebSocket) -> None:
        started.set()
        await asyncio.Event().wait()

    transport = FakeTransport("/ws")
    task = asyncio.create_task(make_plans(chat).handle(transport, FakeContext()))
    await started.wait()

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert transport.sent == [("deny", 503)]
