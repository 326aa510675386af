"""When does Granian answer the close of a client over RSGI? Once nobody holds the object that messages came from."""

import weakref
from types import SimpleNamespace

from nexios._servers.rsgi_websocket import RSGIWebSocketTransport

CLOSE = 0


class FakeMessages:
    """What `accept` gives; the client closes at once."""

    async def receive(self) -> SimpleNamespace:
        return SimpleNamespace(kind=CLOSE, data=None)


class FakeProtocol:
    async def accept(self) -> FakeMessages:
        return FakeMessages()


async def test_what_messages_came_from_is_let_go_when_the_client_closes() -> None:
    """A handler, or middleware with a callback, may hold the WebSocket in a cycle: the client does not wait for it."""
    transport = RSGIWebSocketTransport(SimpleNamespace(), FakeProtocol())
    await transport.accept(subprotocol=None, headers=[])
    held = weakref.ref(transport._messages)

    assert await transport.receive() is None
    assert held() is None
