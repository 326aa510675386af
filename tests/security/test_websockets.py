"""Section I of the security notes, R7 and R9, and the faults of the published package, for WebSockets."""

import asyncio
import logging
from collections.abc import MutableMapping
from typing import Any

import pytest

from nexios import Depend, HTTPException, NexiosApp, Router
from nexios.errors import ConfigurationError
from nexios.messages.websocket import WebSocket, WebSocketDisconnect
from nexios.messages.websocket_state import WebSocketStateError
from nexios.testing.client import TestClient
from nexios.testing.websocket import WebSocketDenied
from nexios.websockets.consumer import WebSocketConsumer
from tests.security.kit import MIB, raw_websocket

Message = MutableMapping[str, Any]


def echo_app(**options: Any) -> NexiosApp:
    app = NexiosApp(**options)

    @app.websocket("/ws")
    async def echo(websocket: WebSocket) -> None:
        await websocket.accept()
        async for message in websocket:
            await websocket.send_text(message) if isinstance(message, str) else await websocket.send_bytes(message)

    @app.websocket("/json")
    async def json(websocket: WebSocket) -> None:
        await websocket.accept()
        while True:
            await websocket.send_json(await websocket.receive_json())

    return app


def kinds(sent: list[Message]) -> list[str]:
    return [message["type"].removeprefix("websocket.") for message in sent]


# I1 and R7: sizes and depth


@pytest.mark.parametrize("letter", ["x", b"x", "\u00e9"])
async def test_i1_a_message_over_1_mib_closes_with_1009(letter: Any) -> None:
    """CVE-2018-1000518, CVE-2026-44545, CVE-2026-54274: counted after decompression, whatever the server allows."""
    size = len(letter.encode()) if isinstance(letter, str) else 1
    fits, bursts = letter * (MIB // size), letter * (MIB // size + 1)

    async with TestClient(echo_app()) as client, client.websocket_connect("/ws") as ws:
        send = ws.send_text if isinstance(letter, str) else ws.send_bytes
        await send(fits)
        assert await ws.receive() == fits
        await send(bursts)
        assert await ws.wait_closed() == (1009, "the message is too big")


async def test_i1_json_over_the_depth_is_answered_and_builds_nothing() -> None:
    async with TestClient(echo_app()) as client, client.websocket_connect("/json") as ws:
        for bomb in ("[" * 100_000, "[" * 101 + "]" * 101, '{"a":' * 101 + "1" + "}" * 101):
            await ws.send_text(bomb)
            assert (await ws.receive_json())["type"] == "error"
        await ws.send_json([1])
        assert await ws.receive_json() == [1]


@pytest.mark.parametrize(("path", "message", "code"), [("/json", "{", 1007), ("/bytes", "text", 1003)])
async def test_r7_a_helper_that_raises_closes_with_the_code_of_the_fault(path: str, message: str, code: int) -> None:
    app = echo_app(bad_messages="raise")

    @app.websocket("/bytes")
    async def only_bytes(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.receive_bytes()

    async with TestClient(app) as client, client.websocket_connect(path) as ws:
        await ws.send_text(message)
        assert (await ws.wait_closed())[0] == code


# I3: cross-site WebSocket hijacking


@pytest.mark.parametrize(
    ("origin", "scheme"),
    [
        ("https://evil.com", "wss"),
        ("null", "wss"),
        ("http://good.com", "wss"),
        ("https://good.com.evil", "wss"),
        ("https://evilgood.com", "wss"),
        ("https://sub.good.com", "wss"),
        ("https://good.com:8443", "wss"),
        ("https://good.com@evil.com", "wss"),
        ("https://good.com/", "wss"),
        ("HTTPS://evil.com", "ws"),
        ("", "ws"),
        ("good.com", "ws"),
        ("file://", "ws"),
        ("https://good.com https://evil.com", "ws"),
        ("https://g\xf6od.com", "ws"),
    ],
)
async def test_i3_a_foreign_page_with_our_cookies_reaches_nothing(origin: str, scheme: str) -> None:
    """CVE-2019-13611, CVE-2022-42975, CVE-2026-59950."""
    reached: list[str] = []

    async def middleware(websocket: WebSocket, call_next: Any) -> None:
        reached.append("middleware")
        await call_next()

    app = NexiosApp(websocket_middleware=[middleware])

    @app.websocket("/ws", dependencies=[Depend(lambda: reached.append("dependency"))])
    async def handler(websocket: WebSocket) -> None:
        reached.append("handler")

    headers = [(b"host", b"good.com"), (b"cookie", b"session=1"), (b"origin", origin.encode("latin-1"))]
    sent = await raw_websocket(app, headers=headers, scheme=scheme)

    assert (sent[0]["status"], reached) == (403, [])


@pytest.mark.parametrize("headers", [[], [(b"origin", b"https://good.com")]])
async def test_i3_our_own_page_and_a_client_that_is_none_come_in(headers: list[tuple[bytes, bytes]]) -> None:
    sent = await raw_websocket(echo_app(), headers=[(b"host", b"good.com"), *headers], scheme="wss")

    assert kinds(sent) == ["accept"]


async def test_i3_two_origins_are_none() -> None:
    headers = [(b"host", b"good.com"), (b"origin", b"https://good.com"), (b"origin", b"https://evil.com")]

    assert (await raw_websocket(echo_app(), headers=headers))[0]["status"] == 403


# I4: malformed handshakes


@pytest.mark.parametrize(
    "head",
    [
        {"subprotocols": ["\u00e9", "", "a" * 10_000]},
        {"subprotocols": [str(number) for number in range(10_000)]},
        {"subprotocols": None},
        {"headers": [(b"host", b"\xff\xfe"), (b"x", b"\x00\x7f")]},
        {"headers": [(b"host", b"a"), (b"host", b"b"), (b"origin", b"https://a")]},
        {"headers": [(b"cookie", b"=;;=\xff;a")]},
        {"path": "/ws/../ws"},
        {"path": ""},
        {"path": "/\ud800"},
        {"path": "/ws\x00"},
        {"query_string": b"%ff&&=%zz"},
        {"client": None, "server": None, "scheme": "", "extensions": None},
    ],
    ids=str,
)
async def test_i4_a_malformed_handshake_is_answered_and_the_app_lives(head: dict[str, Any]) -> None:
    """CVE-2026-42544, CVE-2022-21676, CVE-2022-41940."""
    app = echo_app()

    sent = await raw_websocket(app, **head)

    assert kinds(sent)[0] in ("accept", "http.response.start", "close")
    assert kinds(await raw_websocket(app)) == ["accept"]


@pytest.mark.parametrize(
    "incoming",
    [
        {"type": "websocket.disconnect"},
        {"type": "websocket.disconnect", "code": None, "reason": None},
        {"type": "websocket.receive", "text": None, "bytes": None},
        {"type": "websocket.receive"},
        {"type": "something.new"},
        {"type": "websocket.receive", "bytes": b"where text is expected"},
    ],
    ids=str,
)
async def test_i4_odd_events_of_a_server_are_taken(incoming: Message) -> None:
    app = echo_app()

    @app.websocket("/text")
    async def text(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.receive_text()

    for path in ("/ws", "/text", "/json"):
        assert kinds(await raw_websocket(app, dict(incoming), path=path))[0] == "accept"


async def test_i4_a_client_that_leaves_before_it_is_accepted_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    app, sent = echo_app(), []

    async def receive() -> Message:
        return {"type": "websocket.disconnect", "code": 1006}

    async def send(message: Message) -> None:
        sent.append(message)

    with caplog.at_level(logging.DEBUG, "nexios"):
        await app({"type": "websocket", "path": "/ws", "headers": []}, receive, send)

    assert (sent, caplog.records) == ([], [])


# I5: who are you, before anything else


@pytest.mark.parametrize("subprotocols", [[], ["graphql-ws"], ["graphql-transport-ws", "graphql-ws"]])
@pytest.mark.parametrize("path", ["/function", "/class"])
async def test_i5_a_guard_runs_once_at_the_handshake_whatever_the_client_chooses(
    path: str, subprotocols: list[str]
) -> None:
    """CVE-2026-35523."""
    asked: list[str] = []

    async def guard(websocket: WebSocket) -> None:
        asked.append(websocket.connection_state.value)
        if "key" not in websocket.cookies:
            raise HTTPException(401)

    app = NexiosApp(dependencies=[Depend(guard)])

    @app.websocket("/function")
    async def function(websocket: WebSocket) -> None:
        await websocket.accept(next(iter(websocket.subprotocols), None))
        await websocket.send_text(await websocket.receive_text())

    @app.websocket("/class")
    class Class(WebSocketConsumer):
        async def on_receive(self, websocket: WebSocket, message: Any) -> None:
            await websocket.send_json(message)

    async with TestClient(app) as client:
        with pytest.raises(WebSocketDenied, match="401"):
            async with client.websocket_connect(path, subprotocols=subprotocols):
                pass
        async with client.websocket_connect(path, subprotocols=subprotocols, cookies={"key": "1"}) as ws:
            await ws.send_json(1)
            assert await ws.receive_json() == 1

    assert asked == ["connecting", "connecting"]


# I9 and R9: use after the end


async def test_i9_use_after_the_end_is_a_defined_exception_and_no_task_dies_of_it() -> None:
    """CVE-2025-53365, CVE-2025-53366."""
    found: list[type[BaseException]] = []
    faults: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: faults.append(context))
    app = NexiosApp()

    @app.websocket("/ws")
    async def ws(websocket: WebSocket) -> None:
        for step in (websocket.receive, lambda: websocket.send_text("x")):
            found.append(await _raised_by(step))
        await websocket.accept()
        await websocket.close(4000)
        await websocket.close(4001)
        for step in (websocket.receive, lambda: websocket.send_text("x"), websocket.accept, websocket.deny):
            found.append(await _raised_by(step))

    async with TestClient(app) as client, client.websocket_connect("/ws") as session:
        assert (await session.wait_closed())[0] == 4000

    early, late = [WebSocketStateError] * 2, [WebSocketDisconnect] * 2
    assert found == [*early, *late, WebSocketStateError, WebSocketStateError]
    assert faults == []


async def test_i9_use_after_the_client_has_left_is_a_defined_exception() -> None:
    """CVE-2025-53365, CVE-2025-53366: and to close what is closed is nothing."""
    found: dict[str, type[BaseException]] = {}
    faults: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: faults.append(context))
    app = NexiosApp()

    @app.websocket("/ws")
    async def ws(websocket: WebSocket) -> None:
        await websocket.accept()
        steps = {
            "first receive": websocket.receive,
            "receive": websocket.receive,
            "receive_json": websocket.receive_json,
            "send_text": lambda: websocket.send_text("x"),
            "send_bytes": lambda: websocket.send_bytes(b"x"),
            "send_json": lambda: websocket.send_json(1),
            "accept": websocket.accept,
            "close": lambda: websocket.close(4000),
            "close again": lambda: websocket.close(4001),
        }
        found.update({name: await _raised_by(step) for name, step in steps.items()})

    assert kinds(await raw_websocket(app)) == ["accept"]
    nothing = {"close", "close again"}
    assert found == {name: type(None) if name in nothing else WebSocketDisconnect for name in found}
    assert (len(found), faults) == (9, [])


async def _raised_by(step: Any) -> type[BaseException]:
    try:
        await step()
    except Exception as exc:
        return type(exc)
    return type(None)  # type: ignore[return-value]


async def test_i9_a_close_before_accept_is_a_denial() -> None:
    app = NexiosApp()

    @app.websocket("/ws")
    async def ws(websocket: WebSocket) -> None:
        await websocket.close(4000)

    assert (await raw_websocket(app))[0]["status"] == 403
    assert kinds(await raw_websocket(app, extensions={})) == ["close"]


# I10: a denial leaves nothing on the connection


@pytest.mark.parametrize("body", [b"", b"x" * 100_000])
async def test_i10_a_denial_is_one_whole_response_or_a_close_alone(body: bytes) -> None:
    """CVE-2026-69243."""
    app = NexiosApp()

    @app.websocket("/ws")
    async def ws(websocket: WebSocket) -> None:
        lying = [("content-length", "3"), ("transfer-encoding", "chunked")]
        await websocket.deny(403, headers=lying, body=body)
        await websocket.deny(404)

    start, end = await raw_websocket(app)
    assert [pair for pair in start["headers"] if pair[0] != b"content-length"] == []
    assert dict(start["headers"])[b"content-length"] == str(len(body)).encode()
    assert (end["body"], end.get("more_body", False)) == (body, False)
    assert kinds(await raw_websocket(app, extensions={})) == ["close"]


# The published package


def test_fault_49_a_router_without_a_prefix_has_websockets() -> None:
    router = Router()
    router.add_websocket("/ws", _handler)
    app = NexiosApp()
    app.include_router(router)

    assert app.url_for("_handler") == "/ws"


async def test_fault_49_no_route_is_a_404_and_never_a_close_code_404() -> None:
    assert (await raw_websocket(echo_app(), path="/nothing"))[0]["status"] == 404
    assert await raw_websocket(echo_app(), path="/nothing", extensions={}) == [{"type": "websocket.close"}]


@pytest.mark.parametrize("path", ["/wsx", "/ws/x", "/ws/", "/w", "/WS"])
async def test_fault_49_a_path_that_begins_like_a_route_is_another(path: str) -> None:
    assert (await raw_websocket(echo_app(), path=path))[0]["status"] == 404


async def test_fault_49_middleware_of_a_route_runs() -> None:
    async def refusing(websocket: WebSocket, call_next: Any) -> None:
        await websocket.deny(418)

    app = NexiosApp()
    app.add_websocket("/ws", _handler, middleware=[refusing])

    assert (await raw_websocket(app))[0]["status"] == 418


async def test_fault_49_path_parameters_reach_a_class() -> None:
    seen: list[object] = []
    app = NexiosApp()

    @app.websocket("/ws/{room:int}")
    class Chat(WebSocketConsumer):
        async def on_connect(self, websocket: WebSocket, room: int) -> None:
            seen.append(room)

    await raw_websocket(app, path="/ws/7")

    assert seen == [7]


def test_fault_49_middleware_for_requests_is_not_ignored() -> None:
    async def for_requests(request: Any, response: Any, call_next: Any) -> Any: ...

    router = Router(middleware=[for_requests])
    router.add_websocket("/ws", _handler)
    app = NexiosApp()
    app.include_router(router)

    with pytest.raises(ConfigurationError, match="middleware that is for requests"):
        app.compile()


async def _handler(websocket: WebSocket) -> None:
    await websocket.accept()


# Reconnecting leaves nothing


async def test_r9_ten_thousand_connections_leave_no_task_and_no_entry() -> None:
    app = echo_app()
    app.compile()
    before = len(asyncio.all_tasks())

    for _ in range(10_000):
        await raw_websocket(app, {"type": "websocket.receive", "text": "x"})

    assert len(asyncio.all_tasks()) == before
    assert len(app.engine.websockets.sockets) == 0
