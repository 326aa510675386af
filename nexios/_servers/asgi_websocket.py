"""How does a WebSocket of an ASGI server reach the core? (ASGI 3.0, WebSocket spec 2.4.)

A handshake is denied with a whole HTTP response where the server offers the extension
`websocket.http.response`, else by closing before accepting, which every server answers with 403.
"""

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

from nexios._pipeline.engine import Engine
from nexios._servers.asgi_head import ASGIHead
from nexios.errors import ClientDisconnect
from nexios.messages.transport import DirectSend, Pairs

__all__ = ["ASGIWebSocketTransport", "serve_websocket"]

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_NO_STATUS = 1005
"""The client closed without a code (RFC 6455 section 7.1.5)."""


async def serve_websocket(engine: Engine, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
    """Serve one WebSocket: wait for the handshake, then let the engine answer it."""
    message = await receive()
    if message["type"] == "websocket.connect":
        await engine.websockets.handle(ASGIWebSocketTransport(scope, receive, send), engine)


class ASGIWebSocketTransport(ASGIHead):
    """One WebSocket of an ASGI server, after `websocket.connect`."""

    __slots__ = ("_receive", "_scope", "_send", "close_code", "close_reason")

    def __init__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self.close_code = _NO_STATUS
        self.close_reason = ""

    @property
    def scheme(self) -> str:
        """ws or wss."""
        return self._scope.get("scheme") or "ws"

    @property
    def subprotocols(self) -> Sequence[str]:
        """The subprotocols that the client offers."""
        return tuple(self._scope.get("subprotocols") or ())

    async def accept(self, *, subprotocol: str | None, headers: Pairs) -> None:
        """Complete the handshake."""
        await self._write({"type": "websocket.accept", "subprotocol": subprotocol, "headers": _encoded(headers)})

    async def deny(self, status: int, headers: Pairs, body: bytes) -> None:
        """Refuse the handshake, with the response itself where the server can send one."""
        if "websocket.http.response" not in (self._scope.get("extensions") or ()):
            await self._write({"type": "websocket.close"})
            return
        await self._write({"type": "websocket.http.response.start", "status": status, "headers": _encoded(headers)})
        await self._write({"type": "websocket.http.response.body", "body": body})

    async def receive(self) -> str | bytes | None:
        """Return the next message; of its two fields a server may leave one out, or have it None."""
        message = await self._receive()
        while message["type"] not in ("websocket.receive", "websocket.disconnect"):
            message = await self._receive()
        if message["type"] == "websocket.disconnect":
            self.close_code = int(message.get("code") or _NO_STATUS)
            self.close_reason = message.get("reason") or ""
            return None
        text: str | None = message.get("text")
        return text if text is not None else bytes(message.get("bytes") or b"")

    @property
    def direct(self) -> DirectSend:
        """How a message for many is sent: one event, shared by all."""
        return DirectSend(_event, self._send)

    async def send_text(self, text: str) -> None:
        """Send a text message."""
        await self._write({"type": "websocket.send", "text": text})

    async def send_bytes(self, data: bytes) -> None:
        """Send a binary message."""
        await self._write({"type": "websocket.send", "bytes": data})

    async def close(self, code: int, reason: str) -> None:
        """Send a close frame."""
        await self._write({"type": "websocket.close", "code": code, "reason": reason})

    async def _write(self, message: Message) -> None:
        """Since WebSocket spec 2.4 a server says with OSError that the client has gone."""
        try:
            await self._send(message)
        except OSError as exc:
            raise ClientDisconnect("the client left the WebSocket") from exc


def _event(message: str | bytes) -> Message:
    return {"type": "websocket.send", "text" if isinstance(message, str) else "bytes": message}


def _encoded(headers: Pairs) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
