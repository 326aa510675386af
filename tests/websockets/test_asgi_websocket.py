"""The ASGI side, with scopes and messages as servers make them."""

from collections.abc import Iterable
from typing import Any

import pytest

from nexios._servers.asgi_websocket import ASGIWebSocketTransport
from nexios.application import NexiosApp
from nexios.errors import ClientDisconnect
from nexios.messages.websocket import WebSocket, WebSocketDisconnect

EXTENSION: dict[str, Any] = {"websocket.http.response": {}}
CONNECT = {"type": "websocket.connect"}


class FakeServer:
    """Gives the messages of a client, and keeps those of the app."""

    def __init__(self, *incoming: dict[str, Any], fails: type[Exception] | None = None) -> None:
        self.incoming = list(incoming)
        self.sent: list[dict[str, Any]] = []
        self.fails = fails

    async def receive(self) -> dict[str, Any]:
        return self.incoming.pop(0)

    async def send(self, message: Any) -> None:
        if self.fails is not None:
            raise self.fails
        self.sent.append(message)


def scope_of(path: str = "/ws", **fields: Any) -> dict[str, Any]:
    return {"type": "websocket", "path": path, "headers": [(b"host", b"testserver")], **fields}


def text(message: str) -> dict[str, Any]:
    return {"type": "websocket.receive", "text": message}


def make_app() -> NexiosApp:
    app = NexiosApp()

    @app.websocket("/ws")
    async def echo(websocket: WebSocket) -> None:
        await websocket.accept(next(iter(websocket.subprotocols), None), headers=[("X-Served-By", "nexios")])
        async for message in websocket:
            if isinstance(message, str):
                await websocket.send_text(message)
            else:
                await websocket.send_bytes(message)

    @app.websocket("/deny")
    async def deny(websocket: WebSocket) -> None:
        await websocket.deny(401, headers=[("WWW-Authenticate", "Bearer")], body=b"no")

    @app.websocket("/close")
    async def close(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.close(4001, "done")

    return app


async def exchange(server: FakeServer, **scope: Any) -> list[dict[str, Any]]:
    await make_app()(scope_of(**scope), server.receive, server.send)
    return server.sent


async def test_an_echo_over_asgi() -> None:
    server = FakeServer(
        CONNECT,
        {"type": "websocket.receive", "text": "a", "bytes": None},
        {"type": "websocket.receive", "text": None, "bytes": b"b"},
        {"type": "websocket.receive", "text": ""},
        {"type": "websocket.receive", "bytes": b""},
        {"type": "websocket.disconnect", "code": 1000},
    )

    assert await exchange(server, subprotocols=["v1", "v2"]) == [
        {"type": "websocket.accept", "subprotocol": "v1", "headers": [(b"x-served-by", b"nexios")]},
        {"type": "websocket.send", "text": "a"},
        {"type": "websocket.send", "bytes": b"b"},
        {"type": "websocket.send", "text": ""},
        {"type": "websocket.send", "bytes": b""},
    ]


async def test_a_close_frame_has_code_and_reason() -> None:
    sent = await exchange(FakeServer(CONNECT), path="/close")

    assert sent[1:] == [{"type": "websocket.close", "code": 4001, "reason": "done"}]


async def test_a_denial_is_a_whole_response_where_the_server_can_send_one() -> None:
    sent = await exchange(FakeServer(CONNECT), path="/deny", extensions=EXTENSION)

    assert sent == [
        {
            "type": "websocket.http.response.start",
            "status": 401,
            "headers": [(b"www-authenticate", b"Bearer"), (b"content-length", b"2")],
        },
        {"type": "websocket.http.response.body", "body": b"no"},
    ]


@pytest.mark.parametrize("fields", [{}, {"extensions": None}, {"extensions": {"tls": {}}}])
async def test_a_denial_is_a_close_before_accept_elsewhere(fields: dict[str, Any]) -> None:
    sent = await exchange(FakeServer(CONNECT), path="/deny", **fields)

    assert sent == [{"type": "websocket.close"}]


async def test_a_client_that_leaves_before_the_handshake_is_not_answered() -> None:
    server = FakeServer({"type": "websocket.disconnect", "code": 1006})

    assert await exchange(server) == []


async def test_a_client_that_leaves_while_we_send_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    """Since spec 2.4 a server raises OSError then; Uvicorn's is a subclass."""
    server = FakeServer(CONNECT, text("a"), fails=ConnectionResetError)

    assert await exchange(server) == []
    assert caplog.records == []


@pytest.mark.parametrize(
    ("message", "code", "reason"),
    [
        ({"code": 4001, "reason": "bye"}, 4001, "bye"),
        ({"code": 1000}, 1000, ""),
        ({"code": 1000, "reason": None}, 1000, ""),
        ({"code": None}, 1005, ""),
        ({}, 1005, ""),
    ],
)
async def test_a_disconnect_may_leave_fields_out(message: dict[str, Any], code: int, reason: str) -> None:
    ends: list[WebSocketDisconnect] = []
    app = NexiosApp()

    @app.websocket("/ws")
    async def chat(websocket: WebSocket) -> None:
        await websocket.accept()
        try:
            await websocket.receive()
        except WebSocketDisconnect as exc:
            ends.append(exc)

    server = FakeServer(CONNECT, {"type": "websocket.disconnect", **message})
    await app(scope_of(), server.receive, server.send)

    assert [(end.code, end.reason) for end in ends] == [(code, reason)]
    assert len(server.sent) == 1


async def test_a_message_of_an_unknown_type_is_passed_over() -> None:
    server = FakeServer(CONNECT, {"type": "websocket.ping"}, text("a"), {"type": "websocket.disconnect"})

    assert [message["type"] for message in await exchange(server)] == ["websocket.accept", "websocket.send"]


async def test_a_scope_with_nothing_but_type_and_path_has_a_head() -> None:
    server = FakeServer()
    transport = ASGIWebSocketTransport({"type": "websocket", "path": "/"}, server.receive, server.send)

    assert (transport.scheme, transport.http_version, transport.query_string) == ("ws", "1.1", "")
    assert (transport.root_path, transport.client, transport.server) == ("", None, None)
    assert (list(transport.headers()), list(transport.subprotocols)) == ([], [])
    assert (transport.path, transport.server_name) == ("/", "ASGI")


async def test_the_head_is_what_the_scope_says() -> None:
    scope = scope_of(
        "/v1/ws",
        scheme="wss",
        http_version="2",
        query_string=b"a=%ff",
        root_path="/v1",
        client=("10.0.0.1", "50000"),
        server=("/run/app.sock", None),
        headers=[(b"Host", b"a"), (b"x-b", b"\xe9")],
    )
    transport = ASGIWebSocketTransport(scope, FakeServer().receive, FakeServer().send)

    assert (transport.scheme, transport.http_version, transport.query_string) == ("wss", "2", "a=%ff")
    assert transport.root_path == "/v1"
    assert transport.client == ("10.0.0.1", 50000)  # Granian has the port as text
    assert transport.server == ("/run/app.sock", None)
    assert transport.headers() == [("host", "a"), ("x-b", "\u00e9")]


@pytest.mark.parametrize("subprotocols", [[""], ["\u00e9", "a b"], ["p"] * 10_000])
async def test_odd_subprotocols_are_only_text(subprotocols: Iterable[str]) -> None:
    server = FakeServer(CONNECT, {"type": "websocket.disconnect"})

    sent = await exchange(server, subprotocols=subprotocols)

    assert sent[0]["subprotocol"] == next(iter(subprotocols))


async def test_only_an_os_error_means_that_the_client_left() -> None:
    broken = FakeServer(fails=RuntimeError)
    gone = FakeServer(fails=BrokenPipeError)

    with pytest.raises(RuntimeError):
        await ASGIWebSocketTransport(scope_of(), broken.receive, broken.send).send_text("x")
    with pytest.raises(ClientDisconnect):
        await ASGIWebSocketTransport(scope_of(), gone.receive, gone.send).send_text("x")
