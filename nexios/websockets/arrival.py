"""How does a client that comes back get what it missed: all of it, in order, and nothing twice?

The history is read and written until it is as new as what has come here; only then does the member get
what comes, from there on. It is written by the task that connects, so a slow client holds up itself alone.
"""

from collections.abc import Awaitable, Callable

from nexios.messages.websocket import WebSocket
from nexios.websockets.backends.base import ChannelBackend
from nexios.websockets.feed import Feed
from nexios.websockets.history import HistoryLimits
from nexios.websockets.member import Member
from nexios.websockets.message import Frame, Message, gap_frame, read_body
from nexios.websockets.outbox import Counters
from nexios.websockets.room import Room, is_for

__all__ = ["replay_to_feed", "replay_to_member"]


async def replay_to_member(
    room: Room,
    member: Member,
    last_seen: int | None,
    *,
    backend: ChannelBackend,
    keep: HistoryLimits,
    counters: Counters,
) -> None:
    """Write what came after `last_seen`, None for nothing, and let the member get everything after that."""
    room.add(member)
    if last_seen is None:
        room.go_live(member, 0)
        return
    member.outbox.hold()

    async def gap() -> None:
        """Note that messages are missing, and tell a client that gets envelopes."""
        member.missed = True
        if member.envelope:
            await _send(member.websocket, gap_frame(room.name))

    async def write(message: Message) -> None:
        """Send one message of the history, if it is for this member."""
        if is_for(message, member):
            counters.queued += 1
            try:
                await _send(member.websocket, message.envelope if member.envelope else message.frame)
            except BaseException:
                counters.dropped += 1
                raise
            counters.delivered += 1

    seen = await _replay(room, last_seen, write, gap, backend, keep)
    room.go_live(member, seen)
    member.outbox.release()


async def replay_to_feed(
    room: Room, id: str, feed: Feed, last_seen: int | None, *, backend: ChannelBackend, keep: HistoryLimits
) -> None:
    """The same for a feed."""

    async def gap() -> None:
        """Note that messages are missing."""
        feed.missed = True

    async def write(message: Message) -> None:
        """Queue one message of the history."""
        feed.replay(message)

    seen = 0 if last_seen is None else await _replay(room, last_seen, write, gap, backend, keep)
    if not len(feed):
        feed.begins_after = room.last if last_seen is None else seen
    room.feed_goes_live(id, feed, seen)


async def _replay(
    room: Room,
    seen: int,
    write: Callable[[Message], Awaitable[None]],
    gap: Callable[[], Awaitable[None]],
    backend: ChannelBackend,
    keep: HistoryLimits,
) -> int:
    """Return the number from which on everything is still to come."""
    while True:
        before = room.last
        replay = await backend.history(room.name, after=seen, keep=keep)
        if not replay.complete:
            await gap()
        for stored in replay.messages:
            await write(Message(room.name, stored.sequence, read_body(stored.body)))
        seen = replay.last
        if room.last <= seen or seen < before:  # an engine that forgets what was received has lost its memory
            return seen


async def _send(websocket: WebSocket, frame: Frame) -> None:
    """Write a frame to a WebSocket as the kind of message it is."""
    data = frame.data
    await (websocket.send_text(data) if isinstance(data, str) else websocket.send_bytes(data))
