"""How does the core serve a WebSocket without a server? Over one in memory, with a client on its other side."""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Final

from nexios.errors import ClientDisconnect
from nexios.messages.transport import Address, Pairs
from nexios.messages.websocket_messages import Message
from nexios.messages.websocket_state import ABNORMAL, NO_STATUS, check_close
from nexios.testing.legal import IllegalSequence

__all__ = ["MemoryWebSocket"]

_LEFT: Final = "the client left the WebSocket"


class MemoryWebSocket:
    """One WebSocket in memory; belongs to one event loop. It takes nothing from the app that a server may not send.

    The app's side is a `WebSocketTransport`; the client's side are the functions from `answered` on.
    """

    server_name = "memory"
    http_version = "1.1"

    def __init__(
        self,
        path: str,
        *,
        headers: Pairs,
        query_string: str = "",
        scheme: str = "wss",
        root_path: str = "",
        client: Address | None = None,
        server: Address | None = None,
        subprotocols: Sequence[str] = (),
    ) -> None:
        self.path = path
        self.query_string = query_string
        self.scheme = scheme
        self.root_path = root_path
        self.client = client
        self.server = server
        self.subprotocols: tuple[str, ...] = tuple(subprotocols)
        self.close_code: int = NO_STATUS
        self.close_reason: str = ""
        self.accepted: tuple[str | None, Pairs] | None = None
        """The subprotocol and the headers of the app's answer to the handshake."""
        self.denied: tuple[int, Pairs, bytes] | None = None
        """Status, headers and body of the response that it answered with instead."""
        self.closed: tuple[int, str] | None = None
        """The close code and the reason of the app."""
        self.left: bool = False
        """Whether the client has gone."""
        self._headers = headers
        self._to_app: deque[Message] = deque()
        self._to_client: deque[Message] = deque()
        self._changes: set[asyncio.Future[None]] = set()

    def headers(self) -> Pairs:
        """The header fields of the handshake."""
        return self._headers

    # The app's side

    async def accept(self, *, subprotocol: str | None, headers: Pairs) -> None:
        """Complete the handshake."""
        self._check("accept", self.accepted is None)
        if subprotocol is not None and subprotocol not in self.subprotocols:
            raise IllegalSequence(f"the app accepts with {subprotocol!r}, which the client does not offer", [])
        self.accepted = (subprotocol, headers)
        self._change()

    async def deny(self, status: int, headers: Pairs, body: bytes) -> None:
        """Refuse the handshake."""
        self._check("deny", self.accepted is None)
        if not 300 <= status <= 599:
            raise IllegalSequence(f"the app denies a handshake with the status {status}", [])
        self.denied = (status, headers, body)
        self._change()

    async def receive(self) -> Message | None:
        """Return the next message, or None when the client has closed."""
        if self.accepted is None:
            raise IllegalSequence("the app receives before it accepts", [])
        while not self._to_app:
            if self.left or self.closed is not None:
                return None
            await self._change_to_come()
        return self._to_app.popleft()

    async def send_text(self, text: str) -> None:
        """Send a text message."""
        self._send(text)

    async def send_bytes(self, data: bytes) -> None:
        """Send a binary message."""
        self._send(data)

    async def close(self, code: int, reason: str) -> None:
        """Send a close frame."""
        self._check("close", self.accepted is not None)
        check_close(code, reason)
        self.closed = (code, reason)
        self._change()

    def _send(self, message: Message) -> None:
        self._check("send", self.accepted is not None)
        self._to_client.append(message)
        self._change()

    def _check(self, action: str, fits: bool) -> None:
        """What comes too late or too early is the app's mistake; what a client that has gone misses is not."""
        if not fits or self.denied is not None or self.closed is not None:
            ends = [name for name in ("accepted", "denied", "closed") if getattr(self, name) is not None]
            raise IllegalSequence(f"{action}: this WebSocket is {' and '.join(ends) or 'not accepted'}", [])
        if self.left:
            raise ClientDisconnect(_LEFT)

    # The client's side

    def put(self, message: Message) -> None:
        """Send a message to the app."""
        self._to_app.append(message)
        self._change()

    def leave(self, code: int = ABNORMAL, reason: str = "") -> None:
        """Close, or go without a word (1006). What was sent before still arrives."""
        if not self.left:
            self.left = True
            self.close_code, self.close_reason = code, reason
            self._change()

    async def answered(self) -> None:
        """Return when the handshake is answered."""
        while self.accepted is None and self.denied is None:
            await self._change_to_come()

    async def next_message(self) -> Message | None:
        """Return the next message of the app; None when it has closed."""
        while not self._to_client:
            if self.closed is not None:
                return None
            await self._change_to_come()
        return self._to_client.popleft()

    async def over(self) -> None:
        """Return when the app has closed."""
        while self.closed is None:
            await self._change_to_come()

    def _change(self) -> None:
        changes, self._changes = self._changes, set()
        for future in changes:
            if not future.done():
                future.set_result(None)

    async def _change_to_come(self) -> None:
        future = asyncio.get_running_loop().create_future()
        self._changes.add(future)
        try:
            await future
        finally:
            self._changes.discard(future)
