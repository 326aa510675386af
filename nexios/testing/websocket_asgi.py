"""How does a WebSocket in memory reach an app through its ASGI side? As a server would, checked message by message.

Sources: ASGI WebSocket spec 2.4; RFC 6455 sections 5.5 and 7.4.
"""

from typing import Any

from nexios.errors import ClientDisconnect
from nexios.messages.transport import Pairs
from nexios.testing.asgi_side import connection_scope
from nexios.testing.legal import IllegalSequence, Message
from nexios.testing.raw import ASGIApp
from nexios.testing.websocket_wire import MemoryWebSocket

__all__ = ["serve_websocket_asgi"]


async def serve_websocket_asgi(app: ASGIApp, transport: MemoryWebSocket) -> None:
    """Serve one WebSocket by an ASGI application.

    Raises:
        IllegalSequence: It sent what no server may take.
    """
    wire = _Wire(transport)
    await app(_scope(transport), wire.receive, wire.send)
    if wire.illegal is not None:
        raise wire.illegal
    if transport.accepted is None and transport.denied is None and not transport.left:
        raise IllegalSequence("the app returned without an answer to the handshake", wire.messages)


class _Wire:
    """The server's two functions."""

    def __init__(self, transport: MemoryWebSocket) -> None:
        self.messages: list[Message] = []
        self.illegal: IllegalSequence | None = None
        self._transport = transport
        self._connected = False
        self._denial: Message | None = None

    async def receive(self) -> Message:
        if not self._connected:
            self._connected = True
            return {"type": "websocket.connect"}
        transport = self._transport
        message = await transport.receive()
        if message is None:
            code, reason = transport.closed or (transport.close_code, transport.close_reason)
            return {"type": "websocket.disconnect", "code": code, "reason": reason}
        return {"type": "websocket.receive", "text" if isinstance(message, str) else "bytes": message}

    async def send(self, message: Message) -> None:
        """Since WebSocket spec 2.4 a server says with OSError that the client has gone."""
        self.messages[1:] = [message]
        try:
            await self._take(message)
        except ClientDisconnect as exc:
            raise OSError("the client has gone") from exc
        except ValueError as exc:
            self.illegal = self.illegal or IllegalSequence(str(exc), self.messages)
            raise self.illegal from exc
        except IllegalSequence as exc:
            self.illegal = self.illegal or exc
            raise

    async def _take(self, message: Message) -> None:
        kind, transport = message.get("type"), self._transport
        if self._denial is not None and kind != "websocket.http.response.body":
            raise IllegalSequence(f"{kind} follows the start of a denial", self.messages)
        if kind == "websocket.accept":
            await transport.accept(subprotocol=message.get("subprotocol"), headers=_pairs(message))
        elif kind == "websocket.send":
            await self._send(message.get("text"), message.get("bytes"))
        elif kind == "websocket.close":
            await self._close(message.get("code", 1000), message.get("reason") or "")
        elif kind == "websocket.http.response.start" and transport.accepted is None:
            _pairs(message)
            self._denial = message
        elif kind == "websocket.http.response.body" and self._denial is not None:
            await self._deny(message)
        else:
            raise IllegalSequence(f"{kind!r} is no message of a WebSocket here", self.messages)

    async def _send(self, text: object, data: object) -> None:
        if isinstance(text, str) and data is None:
            await self._transport.send_text(text)
        elif isinstance(data, bytes) and text is None:
            await self._transport.send_bytes(data)
        else:
            raise IllegalSequence("websocket.send has text (str) or bytes, one of the two", self.messages)

    async def _close(self, code: int, reason: str) -> None:
        """Before the handshake is answered it means 403."""
        if self._transport.accepted is None:
            await self._transport.deny(403, (), b"")
        else:
            await self._transport.close(code, reason)

    async def _deny(self, message: Message) -> None:
        start = self._denial or {}
        if message.get("more_body", False):
            raise IllegalSequence("the denial of a handshake is sent in one piece", self.messages)
        self._denial = None
        await self._transport.deny(start["status"], _pairs(start), message.get("body", b""))


def _pairs(message: Message) -> Pairs:
    for name, value in message.get("headers", ()):
        if type(name) is not bytes or type(value) is not bytes or name != name.lower():
            raise IllegalSequence(f"the header {name!r} is not a pair of bytes with a lower-case name", [message])
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in message.get("headers", ())]


def _scope(transport: MemoryWebSocket) -> dict[str, Any]:
    return {
        "type": "websocket",
        "subprotocols": list(transport.subprotocols),
        "extensions": {"websocket.http.response": {}},
        **connection_scope(transport),
    }
