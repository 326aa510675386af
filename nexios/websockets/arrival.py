"""How does a client that comes back get what it missed: all of it, in order, and nothing twice?

The history is read and written until it is as new as what has come here; only then does the member get
what comes, from there on. It is written by the task that connects, so a slow client holds up itself alone, and no
longer than any send may take.
"""

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType

from nexios.messages.clock import Clock, Timer
from nexios.websockets.backends.base import ChannelBackend
from nexios.websockets.feed import Feed
from nexios.websockets.history import HistoryLimits
from nexios.websockets.member import Member
from nexios.websockets.message import Frame, Message, gap_frame, read_body
from nexios.websockets.outbox import Counters, TooSlow
from nexios.websockets.room import Room, is_for
from nexios.websockets.sockets import disconnected

__all__ = ["replay_to_feed", "replay_to_member"]


async def replay_to_member(
    room: Room,
    member: Member,
    last_seen: int | None,
    *,
    backend: ChannelBackend,
    keep: HistoryLimits,
    counters: Counters,
    clock: Clock,
) -> None:
    """Write what came after `last_seen`, None for nothing, and let the member get everything after that.

    Raises:
        WebSocketDisconnect: The client has gone, or did not take a message in time.
    """
    room.add(member)
    if last_seen is None:
        room.go_live(member, 0)
        return
    member.outbox.hold()

    async def gap() -> None:
        """Note that messages are missing, and tell a client that gets envelopes."""
        member.missed = True
        if member.envelope:
            await _send(member, gap_frame(room.name), clock)

    async def write(message: Message) -> None:
        """Send one message of the history, if it is for this member."""
        if is_for(message, member):
            counters.queued += 1
            try:
                await _send(member, message.envelope if member.envelope else message.frame, clock)
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


async def _send(member: Member, frame: Frame, clock: Clock) -> None:
    """Write a frame to a WebSocket as the kind of message it is."""
    data, websocket, seconds = frame.data, member.websocket, member.outbox.limits.send_timeout
    try:
        with _Deadline(clock, seconds):
            await (websocket.send_text(data) if isinstance(data, str) else websocket.send_bytes(data))
    except TimeoutError:
        member.outbox.failed(TooSlow(f"a message of the history was not taken for {seconds:g} s"))
        await asyncio.sleep(0)  # the close begins
        raise disconnected(websocket) from None


class _Deadline:
    """`asyncio.timeout` by a clock of ours. Raises `TimeoutError`."""

    __slots__ = ("_cancelling", "_clock", "_is_over", "_seconds", "_task", "_timer")

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._seconds = seconds
        self._task: asyncio.Task[object] | None = None
        self._timer: Timer | None = None
        self._cancelling = 0
        self._is_over = False

    def __enter__(self) -> None:
        self._task = asyncio.current_task()
        self._cancelling = 0 if self._task is None else self._task.cancelling()
        self._timer = self._clock.call_later(self._seconds, self._end)

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._is_over and self._task is not None:
            is_ours = self._task.uncancel() <= self._cancelling
            if is_ours and kind is asyncio.CancelledError:
                raise TimeoutError from exc

    def _end(self) -> None:
        self._is_over = True
        if self._task is not None:
            self._task.cancel()
