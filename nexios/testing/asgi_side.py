"""How does a client in memory reach an app through its ASGI side? As a server would: by scope, receive and send."""

from typing import Any
from urllib.parse import quote

from nexios._pipeline.engine import Engine
from nexios._servers.asgi import ASGIApplication
from nexios.errors import ClientDisconnect
from nexios.messages.transport import Address, ConnectionHead
from nexios.testing.legal import IllegalSequence, Message, body_of, check_ended, check_message
from nexios.testing.raw import ASGIApp
from nexios.testing.transport import MemoryTransport

__all__ = ["EngineOverASGI", "connection_scope", "serve_asgi"]


class EngineOverASGI(ASGIApplication):
    """One engine as an ASGI application."""

    def __init__(self, engine: Engine) -> None:
        self._engine = self._compiled = engine

    @property
    def engine(self) -> Engine:
        """The engine it was made for."""
        return self._compiled


async def serve_asgi(app: ASGIApp, transport: MemoryTransport) -> None:
    """Answer one exchange by an ASGI application.

    Raises:
        IllegalSequence: It sent what no server may take.
    """
    wire = _Wire(transport)
    await app(_scope(transport), wire.receive, wire.send)
    if wire.illegal is not None:
        raise wire.illegal
    if not transport.complete:
        check_ended(transport.method, wire.messages, broken=transport.left)


class _Wire:
    """The server's two functions. Of the messages it keeps the first and the last, which is what the rules look at."""

    def __init__(self, transport: MemoryTransport) -> None:
        self.messages: list[Message] = []
        self.illegal: IllegalSequence | None = None
        self._transport = transport
        self._body_ended = False

    async def receive(self) -> Message:
        if self._body_ended:
            await self._transport.over()
            return {"type": "http.disconnect"}
        try:
            chunk = await self._transport.next_chunk()
        except ClientDisconnect:
            return {"type": "http.disconnect"}
        self._body_ended = chunk is None
        return {"type": "http.request", "body": chunk or b"", "more_body": chunk is not None}

    async def send(self, message: Message) -> None:
        """Since HTTP spec 2.4 a server says with OSError that the client has gone."""
        transport = self._transport
        if transport.left:
            raise OSError("the client has gone")
        try:
            check_message(transport.method, self.messages, message)
        except IllegalSequence as exc:
            self.illegal = self.illegal or exc
            raise
        self.messages[1:] = [{key: value for key, value in message.items() if key != "body"}]
        if message["type"] == "http.response.start":
            headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in message.get("headers", ())]
            transport.begin("stream", message["status"], headers)
            return
        try:
            if body := body_of(message):
                await transport.push(body)
        except ClientDisconnect as exc:
            raise OSError("the client has gone") from exc
        if not message.get("more_body", False):
            transport.end()


def _scope(transport: MemoryTransport) -> dict[str, Any]:
    return {"type": "http", "method": transport.method, "extensions": {}, **connection_scope(transport)}


def connection_scope(transport: ConnectionHead) -> dict[str, Any]:
    """Return what the scopes of HTTP and of WebSockets have in common (ASGI 3.0, HTTP and WebSocket spec 2.4)."""
    return {
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": transport.http_version,
        "scheme": transport.scheme,
        "path": transport.path,
        "raw_path": quote(transport.path).encode(),
        "query_string": transport.query_string.encode("latin-1"),
        "root_path": transport.root_path,
        "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in transport.headers()],
        "client": _pair(transport.client),
        "server": _pair(transport.server),
    }


def _pair(address: Address | None) -> tuple[str, int | None] | None:
    return None if address is None else (address.host, address.port)
