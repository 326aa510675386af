"""How is somebody put out of channels, in whichever process they are, when they may not be there any more?

All processes are told by the control channel, and each closes the WebSockets and ends the event streams that it has.
Like a message to a group this is not kept: a process that has lost its engine does not hear of it.
"""

from collections.abc import Callable

import msgspec

from nexios.messages.websocket import WebSocket
from nexios.messages.websocket_state import check_close
from nexios.websockets.message import Kind, Wire, write_wire
from nexios.websockets.room import Room

__all__ = ["expel", "write_expulsion"]


class _Close(msgspec.Struct, frozen=True, array_like=True):
    """The close frame of those who are put out."""

    code: int
    reason: str


def write_expulsion(pattern: str, recipient: str, code: int, reason: str) -> bytes:
    """Encode that a member, or all members of a user, are put out of a channel or a group.

    Raises:
        ValueError: The code may not be in a close frame, or the reason is longer than 123 bytes.
    """
    check_close(code, reason)
    return write_wire(Kind.EXPULSION, msgspec.json.encode(_Close(code, reason)), to=recipient, group=pattern)


def expel(room: Room, wire: Wire, close: Callable[[WebSocket, int, str], object]) -> None:
    """Put out those of a channel who are meant: `close` their WebSockets, and end their event streams.

    Raises:
        ValueError: It is nothing of ours.
    """
    how = msgspec.json.decode(wire.payload, type=_Close)
    for member in tuple(room.members.values()):
        if wire.to in (member.id, member.user):
            close(member.websocket, how.code, how.reason)
    for feed in tuple(room.readers.values()):
        if wire.to in feed.names:
            feed.end()
