"""In which channels is a WebSocket, and how do we hear that it is over?"""

from collections.abc import Callable, Iterator
from functools import partial
from weakref import WeakSet

from nexios.messages.websocket import WebSocket
from nexios.messages.websocket_state import ABNORMAL, SocketState, WebSocketDisconnect
from nexios.websockets.member import Member
from nexios.websockets.rules import TooManyChannels

__all__ = ["Sockets", "disconnected", "open_websocket"]


class Sockets:
    """The WebSockets of one hub, while they are in any channel.

    `forget` is called with a WebSocket that is over: closed by either side, broken, or its handler has ended.
    """

    __slots__ = ("_forget", "_most", "_sockets", "_watched")

    def __init__(self, most: int, forget: Callable[[WebSocket], None]) -> None:
        self._most = most
        self._forget = forget
        self._sockets: dict[WebSocket, dict[str, Member]] = {}
        self._watched: WeakSet[WebSocket] = WeakSet()
        """Those that tell us of their end: once, however often they come and go meanwhile."""

    def __len__(self) -> int:
        return len(self._sockets)

    def __iter__(self) -> Iterator[WebSocket]:
        return iter(tuple(self._sockets))

    def members_of(self, websocket: WebSocket) -> tuple[Member, ...]:
        """What it is in all its channels."""
        return tuple(self._sockets.get(websocket, {}).values())

    def find(self, websocket: WebSocket, channel: str) -> Member | None:
        """What it is in one channel."""
        return self._sockets.get(websocket, {}).get(channel)

    def check(self, websocket: WebSocket) -> None:
        """Is there room for one more channel?

        Raises:
            TooManyChannels: There is none.
        """
        if len(self._sockets.get(websocket, ())) >= self._most:
            raise TooManyChannels

    def add(self, member: Member) -> None:
        """Take a member in, and hear of the end of its WebSocket, which may be now."""
        websocket = member.websocket
        self._sockets.setdefault(websocket, {})[member.channel] = member
        if websocket not in self._watched:
            self._watched.add(websocket)
            websocket.on_end(partial(self._forget, websocket))

    def remove(self, member: Member) -> None:
        """Take a member out."""
        members = self._sockets.get(member.websocket, {})
        if members.get(member.channel) is member:
            del members[member.channel]
            if not members:
                del self._sockets[member.websocket]


async def open_websocket(websocket: WebSocket) -> None:
    """Accept a WebSocket if nobody did. Raises `WebSocketDisconnect` when it is over."""
    if websocket.connection_state is SocketState.CONNECTING:
        await websocket.accept()
    if not websocket.is_open:
        raise disconnected(websocket)


def disconnected(websocket: WebSocket) -> WebSocketDisconnect:
    """Make the exception for a WebSocket that is over."""
    by_us = websocket.connection_state in (SocketState.CLOSED, SocketState.DENIED)
    code = websocket.close_code or ABNORMAL
    return WebSocketDisconnect(code, websocket.close_reason, initiator="server" if by_us else "client")
