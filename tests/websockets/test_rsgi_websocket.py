"""The RSGI side, with a protocol object that behaves as Granian 2.8 was seen to."""

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from nexios._servers.rsgi_websocket import RSGIWebSocketTransport
from nexios.application import NexiosApp
from nexios.errors import ClientDisconnect, UnsupportedByServer
from nexios.messages.websocket import WebSocket, WebSocketDisconnect

CLOSE, BYTES, TEXT = 0, 1, 2


class ProtocolClosed(RuntimeError):
    """What Granian raises when the client has gone."""


class FakeHeaders:
    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        self._pairs = pairs

    def keys(self) -> list[str]:
        return list(dict(self._pairs))

    def get_all(self, name: str) -> list[str]:
        return [value for key, value in self._pairs if key == name]

    def __contains__(self, name: str) -> bool:
        return name in dict(self._pairs)


class FakeProtocol:
    """The protocol, and the transport that its `accept` gives; keeps all that was done to either."""

    def __init__(self, *incoming: tuple[int, Any], is_gone: bool = False) -> None:
        self.incoming = list(incoming)
        self.done: list[tuple[Any, ...]] = []
        self.is_gone = is_gone

    async def accept(self) -> "FakeProtocol":
        self._do("accept")
        return self

    def close(self, status: int | None) -> None:
        self.done.append(("close", status))

    async def receive(self) -> SimpleNamespace:
        if not self.incoming:
            raise ProtocolClosed("RSGI transport is closed")
        kind, data = self.incoming.pop(0)
        return SimpleNamespace(kind=kind, data=data)

    async def send_str(self, text: str) -> None:
        self._do("str", text)

    async def send_bytes(self, data: bytes) -> None:
        self._do("bytes", data)

    def _do(self, *verb: Any) -> None:
        if self.is_gone:
            raise ProtocolClosed("RSGI transport is closed")
        self.done.append(verb)


def scope_of(path: str = "/ws", *, headers: Sequence[tuple[str, str]] = (), **fields: Any) -> SimpleNamespace:
    plain = {"authority": None, "client": "127.0.0.1:50000", "server": "127.0.0.1:8000", "scheme": "http"}
    head = {"proto": "ws", "path": path, "query_string": "", "http_version": "1.1", "headers": FakeHeaders(headers)}
    return SimpleNamespace(**{**plain, **head, **fields})


def make_app() -> NexiosApp:
    app = NexiosApp()

    @app.websocket("/ws")
    async def echo(websocket: WebSocket) -> None:
        await websocket.accept()
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


async def exchange(protocol: FakeProtocol, path: str = "/ws", **fields: Any) -> list[tuple[Any, ...]]:
    await make_app().__rsgi__(scope_of(path, **fields), protocol)
    return protocol.done


async def test_an_echo_over_rsgi() -> None:
    protocol = FakeProtocol((TEXT, "a"), (BYTES, b"b"), (CLOSE, None), (TEXT, "never read"))

    assert await exchange(protocol) == [("accept",), ("str", "a"), ("bytes", b"b")]
    assert len(protocol.incoming) == 1  # after a close Granian must not be asked again


async def test_a_client_that_breaks_off_is_a_disconnect_with_1006() -> None:
    protocol = FakeProtocol()
    transport = RSGIWebSocketTransport(scope_of(), protocol)
    await transport.accept(subprotocol=None, headers=())

    assert await transport.receive() is None
    assert (transport.close_code, transport.close_reason) == (1006, "")


async def test_a_client_that_closes_is_a_disconnect_with_1005() -> None:
    """RSGI has no code."""
    transport = RSGIWebSocketTransport(scope_of(), FakeProtocol((CLOSE, None)))
    await transport.accept(subprotocol=None, headers=())

    assert await transport.receive() is None
    assert transport.close_code == 1005


async def test_a_close_has_the_code() -> None:
    assert await exchange(FakeProtocol(), "/close") == [("accept",), ("close", 4001)]


async def test_a_denial_is_its_status() -> None:
    assert await exchange(FakeProtocol(), "/deny") == [("close", 401)]
    assert await exchange(FakeProtocol(), "/nothing") == [("close", 404)]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"subprotocol": "v1"}, "RSGI does not support WebSocket subprotocols"),
        ({"headers": [("x-a", "b")]}, "RSGI does not support headers of a WebSocket handshake"),
    ],
)
async def test_what_rsgi_cannot_say_is_refused_and_the_handshake_denied(
    options: dict[str, Any], words: str, caplog: pytest.LogCaptureFixture
) -> None:
    app = NexiosApp()
    caught: list[str] = []

    @app.websocket("/ws")
    async def chat(websocket: WebSocket) -> None:
        try:
            await websocket.accept(**options)
        except UnsupportedByServer as exc:
            caught.append(str(exc))
            raise

    protocol = FakeProtocol()
    await app.__rsgi__(scope_of(headers=[("sec-websocket-protocol", "v1")]), protocol)

    assert caught[0].startswith(words)
    assert protocol.done == [("close", 500)]
    assert len(caplog.records) == 1


async def test_sending_to_a_client_that_is_gone_is_a_disconnect() -> None:
    protocol = FakeProtocol()
    transport = RSGIWebSocketTransport(scope_of(), protocol)
    await transport.accept(subprotocol=None, headers=())
    protocol.is_gone = True

    with pytest.raises(ClientDisconnect):
        await transport.send_text("x")
    with pytest.raises(ClientDisconnect):
        await transport.send_bytes(b"x")
    with pytest.raises(ClientDisconnect):
        await transport.accept(subprotocol=None, headers=())


async def test_messages_are_sent_one_by_one_and_a_close_after_them() -> None:
    """Granian refuses a message, and forgets a close frame, while a message is being sent."""

    class Slow(FakeProtocol):
        may_send = asyncio.Event()

        async def send_str(self, text: str) -> None:
            self._do("begin", text)
            await self.may_send.wait()
            self._do("end", text)

    protocol = Slow()
    transport = RSGIWebSocketTransport(scope_of(), protocol)
    await transport.accept(subprotocol=None, headers=())
    verbs = (transport.send_text("a"), transport.send_text("b"), transport.close(1000, ""))
    tasks = [asyncio.create_task(verb) for verb in verbs]
    await asyncio.wait(tasks, timeout=0)
    protocol.may_send.set()
    await asyncio.gather(*tasks)

    assert protocol.done[1:] == [("begin", "a"), ("end", "a"), ("begin", "b"), ("end", "b"), ("close", 1000)]


async def test_a_client_that_does_not_read_cannot_hold_up_a_close(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stuck(FakeProtocol):
        async def send_str(self, text: str) -> None:
            await asyncio.Event().wait()

    monkeypatch.setattr("nexios._servers.rsgi_websocket._PATIENCE", 0)
    protocol = Stuck()
    transport = RSGIWebSocketTransport(scope_of(), protocol)
    await transport.accept(subprotocol=None, headers=())
    sending = asyncio.create_task(transport.send_text("a"))
    waiting = asyncio.create_task(transport.send_text("b"))
    await asyncio.wait([sending, waiting], timeout=0)

    await transport.close(1008, "")

    assert protocol.done == [("accept",), ("close", 1008)]
    sending.cancel()
    with pytest.raises(ClientDisconnect, match="closed meanwhile"):
        await waiting


async def test_a_handler_may_let_the_disconnect_pass(caplog: pytest.LogCaptureFixture) -> None:
    app = NexiosApp()

    @app.websocket("/ws")
    async def chat(websocket: WebSocket) -> None:
        await websocket.accept()
        with pytest.raises(WebSocketDisconnect):
            await websocket.receive_json()
        await websocket.receive_json()

    protocol = FakeProtocol((CLOSE, None))
    await app.__rsgi__(scope_of(), protocol)

    assert protocol.done == [("accept",)]
    assert caplog.records == []


@pytest.mark.parametrize(("given", "seen"), [("http", "ws"), ("https", "wss"), ("ws", "ws"), ("wss", "wss")])
def test_the_scheme_is_that_of_a_websocket(given: str, seen: str) -> None:
    assert RSGIWebSocketTransport(scope_of(scheme=given), FakeProtocol()).scheme == seen


def test_the_head_is_what_the_scope_says() -> None:
    headers = [("sec-websocket-protocol", "v1, v2"), ("sec-websocket-protocol", " v3 ,,"), ("x-a", "b")]
    scope = scope_of("/a", headers=headers, query_string="q=1", authority="shop.example", client="[::1]:50000")
    transport = RSGIWebSocketTransport(scope, FakeProtocol())

    assert (transport.path, transport.root_path, transport.query_string) == ("/a", "", "q=1")
    assert (transport.server_name, transport.http_version) == ("RSGI", "1.1")
    assert transport.subprotocols == ("v1", "v2", "v3")
    assert ("host", "shop.example") in transport.headers()
    assert (transport.client, transport.server) == (("::1", 50000), ("127.0.0.1", 8000))
    assert RSGIWebSocketTransport(scope_of(client="unix"), FakeProtocol()).client == ("unix", None)
