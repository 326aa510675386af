"""How does a WebSocket of an RSGI server reach the core? (RSGI 1.6, as Granian 2.8 does it.)

What RSGI cannot say: a subprotocol and headers when accepting, headers and a body when
denying, and the code and reason of a close frame, in either direction.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, Literal

from nexios._pipeline.engine import Engine
from nexios._servers.rsgi_head import RSGIHead
from nexios.errors import ClientDisconnect, UnsupportedByServer
from nexios.messages.transport import Pairs

__all__ = ["RSGIWebSocketTransport", "serve_websocket"]

_NO_STATUS, _ABNORMAL = 1005, 1006
"""Closed without a code that we are told; gone without closing (RFC 6455 section 7.1.5)."""

_CLOSE = 0
"""The kind of the message that says that the client closed."""

_LEFT = "the client left the WebSocket"

_PATIENCE = 1.0
"""Seconds that a close waits for the message before it; to a client that does not read it may never be sent."""


async def serve_websocket(engine: Engine, scope: Any, protocol: Any) -> None:
    """Serve one WebSocket."""
    await engine.websockets.handle(RSGIWebSocketTransport(scope, protocol), engine)


class RSGIWebSocketTransport(RSGIHead):
    """One WebSocket of an RSGI server.

    Granian's process ends when `accept` is called twice or a handshake is denied with a number
    that is no HTTP status, so neither may get here; `WebSocket` sees to both.
    """

    __slots__ = ("_messages", "_protocol", "_scope", "_writing", "close_code")

    def __init__(self, scope: Any, protocol: Any) -> None:
        self._scope = scope
        self._protocol = protocol
        self._messages: Any = None
        self._writing = asyncio.Lock()
        """Granian refuses a message while another one is being sent."""
        self.close_code = _NO_STATUS

    @property
    def scheme(self) -> str:
        """ws or wss; RSGI has the scheme of the handshake, http or https."""
        return "wss" if self._scope.scheme in ("https", "wss") else "ws"

    @property
    def subprotocols(self) -> Sequence[str]:
        """The subprotocols that the client offers (RFC 6455 section 11.3.4)."""
        values = [value for name, value in self.headers() if name == "sec-websocket-protocol"]
        names = (name.strip(" \t") for value in values for name in value.split(","))
        return tuple(name for name in names if name)

    @property
    def close_reason(self) -> str:
        """RSGI never tells."""
        return ""

    async def accept(self, *, subprotocol: str | None, headers: Pairs) -> None:
        """Complete the handshake."""
        if subprotocol is not None:
            raise UnsupportedByServer("RSGI", "WebSocket subprotocols", "Accept without one, or serve over ASGI.")
        if headers:
            raise UnsupportedByServer("RSGI", "headers of a WebSocket handshake", "Leave them out, or serve over ASGI.")
        try:
            self._messages = await self._protocol.accept()
        except (OSError, RuntimeError) as exc:
            raise ClientDisconnect(_LEFT) from exc

    async def deny(self, status: int, headers: Pairs, body: bytes) -> None:
        """Refuse the handshake with a status; RSGI sends nothing else."""
        self._protocol.close(status)

    async def receive(self) -> str | bytes | None:
        """Return the next message.

        After the one that says "closed" nothing may be received: Granian would never
        answer the client's close frame.
        """
        try:
            message = await self._messages.receive()
        except (OSError, RuntimeError):
            self.close_code = _ABNORMAL
            return None
        if message.kind == _CLOSE:
            self._messages = None  # Granian answers the close once nothing holds this, whoever still holds us
            return None
        data: str | bytes = message.data
        return data

    async def send_text(self, text: str) -> None:
        """Send a text message."""
        await self._write("send_str", text)

    async def send_bytes(self, data: bytes) -> None:
        """Send a binary message."""
        await self._write("send_bytes", data)

    async def close(self, code: int, reason: str) -> None:
        """Close the socket. Granian sends a close frame without the code, once its transport is let go."""
        try:
            async with asyncio.timeout(_PATIENCE), self._writing:
                self._protocol.close(code)
        except TimeoutError:
            self._protocol.close(code)
        self._messages = None

    async def _write(self, verb: Literal["send_str", "send_bytes"], data: str | bytes) -> None:
        async with self._writing:
            if self._messages is None:
                raise ClientDisconnect("the WebSocket was closed meanwhile")
            try:
                await getattr(self._messages, verb)(data)
            except (OSError, RuntimeError) as exc:
                raise ClientDisconnect(_LEFT) from exc
