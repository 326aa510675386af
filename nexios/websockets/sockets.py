"""In which channels is a WebSocket, and how do we hear that it is over?"""

import asyncio
from collections.abc import Callable, Iterator

from nexios.messages.websocket import WebSocket
from nexios.websockets.member import Member
from nexios.websockets.rules import TooManyChannels

__all__ = ["Sockets"]


class _Socket:
    __slots__ = ("members", "on_task_end", "task")

    def __init__(self) -> None:
        self.members: dict[str, Member] = {}
        self.task: asyncio.Task[object] | None = None
        self.on_task_end: Callable[[object], None] | None = None


class Sockets:
    """The WebSockets of one hub, while they are in any channel.

    `forget` is called with a WebSocket that is over: its handler has ended, or its connection.
    """

    __slots__ = ("_forget", "_most", "_sockets")

    def __init__(self, most: int, forget: Callable[[WebSocket], None]) -> None:
        self._most = most
        self._forget = forget
        self._sockets: dict[WebSocket, _Socket] = {}

    def __len__(self) -> int:
        return len(self._sockets)

    def __iter__(self) -> Iterator[WebSocket]:
        return iter(tuple(self._sockets))

    def members_of(self, websocket: WebSocket) -> tuple[Member, ...]:
        """What it is in all its channels."""
        socket = self._sockets.get(websocket)
        return () if socket is None else tuple(socket.members.values())

    def find(self, websocket: WebSocket, channel: str) -> Member | None:
        """What it is in one channel."""
        socket = self._sockets.get(websocket)
        return None if socket is None else socket.members.get(channel)

    def check(self, websocket: WebSocket) -> None:
        """Is there room for one more channel?

        Raises:
            TooManyChannels: There is none.
        """
        if len(self.members_of(websocket)) >= self._most:
            raise TooManyChannels

    def add(self, member: Member) -> None:
        """Take a member in, and hear of the end of its WebSocket."""
        socket = self._sockets.get(member.websocket)
        if socket is None:
            socket = self._sockets[member.websocket] = _Socket()
            self._watch(member.websocket, socket)
        socket.members[member.channel] = member

    def remove(self, member: Member) -> None:
        """Take a member out."""
        socket = self._sockets.get(member.websocket)
        if socket is not None and socket.members.get(member.channel) is member:
            del socket.members[member.channel]
            if not socket.members:
                del self._sockets[member.websocket]
                if socket.task is not None and socket.on_task_end is not None:
                    socket.task.remove_done_callback(socket.on_task_end)

    def _watch(self, websocket: WebSocket, socket: _Socket) -> None:
        """The task that joins is that of the handler, or ends with it."""
        socket.task = asyncio.current_task()
        if socket.task is not None:
            socket.on_task_end = lambda _: self._forget(websocket)
            socket.task.add_done_callback(socket.on_task_end)
