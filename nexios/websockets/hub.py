"""What joins the channels of one app? The hub: members, fan-out, history, presence and the way to other processes.

A message goes to the backend, and comes from there to every hub with members in the channel, this one too: so there
is one order for all. From there on nothing waits for a socket, see delivery.py.
"""

import asyncio
import secrets
from collections.abc import Callable, Coroutine, Iterable, Mapping
from functools import partial
from typing import Any, TypeVar

from nexios.concurrency import BackgroundTasks
from nexios.events.emitter import EventEmitter
from nexios.events.names import CHANNELS_PRESENCE
from nexios.messages.clock import Clock
from nexios.messages.request import Request
from nexios.messages.websocket import WebSocket
from nexios.messages.websocket_state import GOING_AWAY
from nexios.websockets.arrival import replay_to_feed, replay_to_member
from nexios.websockets.backends.base import BackendUnavailable, ChannelBackend
from nexios.websockets.backends.given import check_backend
from nexios.websockets.backends.memory import MemoryBackend
from nexios.websockets.clock import ReplaceableClock, SystemClock
from nexios.websockets.closing import Closing
from nexios.websockets.delivery import Delivery
from nexios.websockets.expulsion import write_expulsion
from nexios.websockets.feed import Feed
from nexios.websockets.history import HistoryLimits, check_history, parse_last_seen
from nexios.websockets.home import Home
from nexios.websockets.incoming import Incoming
from nexios.websockets.member import Member, PresenceDiff, PresenceEntry, Recipients, check_metadata, check_user, ids_of
from nexios.websockets.message import (
    CONTROL,
    Message,
    check_name,
    presence_frame,
    read_body,
    write_body,
    write_presence,
)
from nexios.websockets.outbox import Counters, Outbox, OutboxLimits, check_outbox
from nexios.websockets.presence import LEASE, Presence
from nexios.websockets.room import Room
from nexios.websockets.rooms import Rooms
from nexios.websockets.rules import G, Rules, matches, prefix_of
from nexios.websockets.sockets import Sockets, disconnected, open_websocket

__all__ = ["Hub"]

T = TypeVar("T")


class Hub:
    """The channels of one app in one process. For the tasks of one event loop at a time.

    An app has one, and starts and stops it; it starts by itself when it is used before. `counters` says
    what became of messages.
    """

    def __init__(
        self,
        backend: ChannelBackend | None = None,
        *,
        history: HistoryLimits | None = None,
        outbox: OutboxLimits | None = None,
        lease: float = LEASE,
        max_channels: int = 100,
        close_timeout: float = 5.0,
        events: EventEmitter | None = None,
        clock: Clock | None = None,
    ) -> None:
        """`lease` is the time after which members of a dead process are gone; `max_channels` is for one WebSocket."""
        self._clock = ReplaceableClock(SystemClock() if clock is None else clock)
        self._backend: ChannelBackend = MemoryBackend(clock=self._clock) if backend is None else check_backend(backend)
        self._rules = Rules(check_history(history))
        self._limits = check_outbox(outbox, OutboxLimits())
        self._close_timeout = close_timeout
        self.events: EventEmitter | None = events
        """Where it tells of presence and of breaks; an app gives its own to a hub that has none."""
        self._tasks = BackgroundTasks()
        self._sockets = Sockets(max_channels, self.forget)
        self._closing = Closing(self._tasks, self._clock, close_timeout)
        self._home = Home()
        self._starting = asyncio.Lock()
        self._is_started = self._is_stopped = False
        self.counters: Counters = Counters()
        self._make_outbox = partial(Outbox, counters=self.counters, clock=self._clock, fail=self._failed)
        delivery = Delivery(self.counters)
        self._replay = partial(replay_to_member, backend=self._backend, counters=self.counters, clock=self._clock)
        self._rooms = Rooms(self._backend, delivery, self._tasks.spawn)
        self._presence = Presence(self._backend, self, clock=self._clock, lease=lease, spawn=self._tasks.spawn)
        self._incoming = Incoming(
            self._backend,
            self._rooms,
            self._rules,
            self._presence,
            clock=self._clock,
            spawn=self._tasks.spawn,
            emit=self._emit,
            close=self._put_out,
        )

    @property
    def backend(self) -> ChannelBackend:
        """The way to other processes."""
        return self._backend

    @property
    def clock(self) -> Clock:
        """What outboxes, leases and the history in memory go by; a test may set another one before the start."""
        return self._clock.current

    @clock.setter
    def clock(self, clock: Clock) -> None:
        self._clock.current = clock

    @property
    def channels(self) -> tuple[str, ...]:
        """The names of the channels that have members or listeners in this process."""
        return tuple(room.name for room in self._rooms)

    # Rules

    def guard(self, pattern: str) -> Callable[[G], G]:
        """Decorate a function of (websocket, channel) that says who may join; only True lets them in.

        It is asked before the WebSocket is accepted; for an event stream with the request. All that match are asked.

        >>> hub = Hub()
        >>> @hub.guard("room:*")
        ... async def may_join(websocket, channel): return True

        Raises:
            ConfigurationError: It is no pattern, or the function does not take (websocket, channel).
        """
        return self._rules.guard(pattern)

    def keep(self, pattern: str, limits: HistoryLimits) -> None:
        """Keep more or less of some channels than of the others: `hub.keep("room:*", HistoryLimits(count=1000))`."""
        self._rules.keep(pattern, limits)

    # Life

    async def start(self) -> None:
        """Connect to the backend. Starting again does nothing; after `stop` it begins anew.

        Raises:
            BackendUnavailable: The engine of the channels cannot be reached.
        """
        self._is_stopped = False
        if not self._is_started:
            await self._ready()

    async def stop(self, code: int = GOING_AWAY, reason: str = "the server stops") -> None:
        """Close every member with `code`, end every feed, and leave the backend."""
        self._is_stopped = True
        for room in self._rooms:
            for feed in tuple(room.readers.values()):
                feed.end()
        closing = [self._closing.soon(websocket, code, reason) for websocket in self._sockets]
        for websocket in self._sockets:
            self.forget(websocket)
        if closing:
            await asyncio.wait(closing)
        self._presence.stop()
        await self._tasks.drain(self._close_timeout)
        async with self._starting:
            if self._is_started:
                self._is_started = False
                await self._backend.stop()
        self._starting = asyncio.Lock()  # the next start may be in another event loop
        self._home.leave()
        self._rooms.clear()

    def run_from_thread(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine of a channel from a thread, as that of a `def` handler, and return what it gives.

        Raises:
            RuntimeError: The app is not running, or the thread has an event loop of its own: await it there.
        """
        return self._home.run(coroutine)

    async def _ready(self) -> None:
        """Start, unless it is started. Raises `BackendUnavailable` once it was stopped."""
        if self._is_started:
            self._home.check()
            return
        async with self._starting:
            if self._is_stopped:
                raise BackendUnavailable("the channels of this app were stopped")
            if not self._is_started:
                await self._connect()
                self._home.enter()
                self._is_started = True

    async def _connect(self) -> None:
        """Start the backend, or say which one it was."""
        try:
            await self._incoming.connect()
        except BackendUnavailable as exc:
            reason = exc if exc.explanation else exc.__cause__ or exc
            away = f"the channels cannot reach their engine, {self._backend!r}: {reason}"
            raise BackendUnavailable(explanation=away) from exc

    # Members

    async def join(
        self,
        name: str,
        websocket: WebSocket,
        *,
        last_seen: int | str | None = None,
        envelope: bool | None = None,
        user: str = "",
        metadata: Mapping[str, Any] | None = None,
        outbox: OutboxLimits | None = None,
    ) -> Member:
        """Make a WebSocket a member of a channel; see `Channel.connect`."""
        check_name(name)
        check_user(user)
        check_metadata(metadata)
        limits = check_outbox(outbox, self._limits)
        if (already := self._sockets.find(websocket, name)) is not None:
            return already
        await self._ready()
        asked = await self._rules.admit(websocket, name)
        self._sockets.check(websocket)
        await open_websocket(websocket)
        room = await self._rooms.enter(name)
        member = None
        try:
            if (already := self._sockets.find(websocket, name)) is not None:
                self._rooms.exit(room)
                return already
            self._sockets.check(websocket)
            seen = parse_last_seen(last_seen)
            member = Member(
                name,
                websocket,
                self._make_outbox(websocket, direct=websocket.direct, limits=limits),
                envelope=seen is not None if envelope is None else envelope,
                user=user,
                metadata=metadata,
            )
            self._sockets.add(member)
            await self._rules.admit(websocket, name, asked)
            if member.has_left:
                raise disconnected(websocket)  # it was over before it was a member
            await self._arrive(room, member, seen, is_present=bool(user) or metadata is not None)
        except BaseException:
            if member is None:
                self._rooms.exit(room)
            else:
                self._remove(member)
            raise
        return member

    async def admit(self, request: Request, name: str, asked: int | None = None) -> int:
        """Ask the guards about a client without a WebSocket. Raises `ChannelForbidden`, `BackendUnavailable`."""
        await self._ready()
        return await self._rules.admit(request, name, asked)

    async def appear(self, name: str, entry: PresenceEntry) -> None:
        """Make a client without a WebSocket present."""
        await self._presence.enter(name, entry)

    def vanish(self, name: str, entry: PresenceEntry) -> "asyncio.Task[object] | None":
        """Let somebody be present no more. Return the task that tells others, if there is anything to tell."""
        if not self._presence.remove(name, entry):
            return None
        return self._tasks.spawn(self._presence.leave(name, entry), name="nexios-presence-leave")

    async def leave(self, name: str, websocket: WebSocket) -> None:
        """Take a WebSocket out of a channel, and wait until the others know. One that is not in it does no harm."""
        member = self._sockets.find(websocket, name)
        if member is not None and (told := self._remove(member)) is not None:
            await asyncio.wait((told,))

    def forget(self, websocket: WebSocket) -> None:
        """Take a WebSocket out of all its channels, as when its connection is over."""
        for member in self._sockets.members_of(websocket):
            self._remove(member)

    def members_of(self, pattern: str) -> tuple[Member, ...]:
        """Return the members of a channel, or of a group, in this process."""
        prefix_of(pattern)
        return tuple(member for room in self._rooms if matches(pattern, room.name) for member in room.members.values())

    async def update(self, member: Member, metadata: Mapping[str, Any]) -> None:
        """Change what a member tells of itself."""
        check_metadata(metadata)
        if not member.has_left:
            await self._presence.enter(member.channel, PresenceEntry(member.id, member.user, dict(metadata)))
            member.metadata = dict(metadata)

    async def present(self, name: str) -> tuple[PresenceEntry, ...]:
        """Return who is present in a channel, of all processes."""
        await self._ready()
        return await self._presence.present(check_name(name))

    # Messages

    async def publish(
        self,
        name: str,
        message: object,
        *,
        event: str = "",
        exclude: Recipients | Iterable[Recipients] = (),
        to: Recipients | None = None,
        keep: bool = True,
    ) -> int:
        """Give a message to the members of a channel in all processes; see `Channel.publish` and `send_to`."""
        check_name(name)
        room = self._rooms.get(name)
        here = {} if room is None else room.members
        recipient = "" if to is None else next(iter(ids_of(to, here, called="recipient")), "")
        if to is not None and not recipient:
            return 0  # it is for one who is not here, and so for nobody
        body = write_body(message, event=event, exclude=ids_of(exclude, here), to=recipient)
        await self._ready()
        if room is not None and room.patient:
            await room.wait_for_space()
        limits = self._rules.history_of(name)
        return await self._backend.publish(name, body, keep=limits if keep and to is None and limits.keeps else None)

    async def publish_to_group(
        self, pattern: str, message: object, *, event: str = "", exclude: Recipients | Iterable[Recipients] = ()
    ) -> None:
        """Give a message to the members of all channels that match; see `ChannelGroup.publish`."""
        here = {member.id: member for member in self.members_of(pattern)}
        body = write_body(message, event=event, exclude=ids_of(exclude, here), group=pattern)
        await self._ready()
        await self._backend.publish(CONTROL, body, keep=None)

    async def expel(self, pattern: str, recipient: Recipients, *, code: int, reason: str) -> None:
        """Put somebody out of a channel, or of all that match, in all processes; see `Channel.expel`."""
        here = {member.id: member for member in self.members_of(pattern)}
        for id in filter(None, ids_of(recipient, here, called="recipient")):
            body = write_expulsion(pattern, id, code, reason)
            await self._ready()
            await self._backend.publish(CONTROL, body, keep=None)

    async def history(self, name: str, last_seen: int = 0) -> tuple[Message, ...]:
        """Return the kept messages of a channel after a number, oldest first."""
        await self._ready()
        replay = await self._backend.history(check_name(name), after=last_seen, keep=self._rules.history_of(name))
        return tuple(Message(name, stored.sequence, read_body(stored.body)) for stored in replay.messages)

    def listen(self, name: str, *, last_seen: int | str | None = None, outbox: OutboxLimits | None = None) -> Feed:
        """Return the messages of a channel as an async iterator; see `Channel.listen`."""
        check_name(name)
        seen = parse_last_seen(last_seen)
        id = secrets.token_hex(8)
        return Feed(
            partial(self._open_feed, name, id, seen),
            partial(self._close_feed, name, id),
            limits=check_outbox(outbox, self._limits),
            counters=self.counters,
        )

    # What presence asks of us

    async def announce(self, channel: str, diff: bytes) -> None:
        """Publish a change of members to all processes."""
        await self._backend.publish(channel, write_presence(diff), keep=None)

    def present_changed(self, channel: str, diff: PresenceDiff) -> None:
        """Tell the members and listeners of a channel in this process."""
        room = self._rooms.get(channel)
        if room is not None and room.watchers:
            room.tell(presence_frame(channel, diff), room.watchers)
        self._emit(CHANNELS_PRESENCE, channel, diff)

    # Inside

    async def _arrive(self, room: Room, member: Member, seen: int | None, *, is_present: bool) -> None:
        """Give a new member what it missed, and put it into the presence of its channel if it `is_present`."""
        await self._replay(room, member, seen, keep=self._rules.history_of(room.name))
        if is_present and not member.has_left:
            await self._presence.enter(room.name, member.entry)
        if is_present and member.envelope and not member.has_left:
            async with room.lock:
                view = await self._presence.watch(room.name)
                if not member.has_left:
                    room.watchers.add(member.id)
                    room.tell(presence_frame(room.name, view.everyone()), (member.id,))
                elif not room.watchers:
                    self._presence.unwatch(room.name)
        if member.has_left:
            raise disconnected(member.websocket)

    def _remove(self, member: Member) -> "asyncio.Task[object] | None":
        """Take a member out, once. Return the task that tells others, if there is anything to tell."""
        if member.has_left:
            return None
        member.has_left = True
        member.outbox.close()
        self._sockets.remove(member)
        told = self.vanish(member.channel, member.entry)
        room = self._rooms.get(member.channel)
        if room is not None:
            if room.watchers == {member.id}:
                self._presence.unwatch(room.name)
            room.remove(member)
            self._rooms.exit(room)
        return told

    def _failed(self, websocket: WebSocket, exc: Exception) -> None:
        """A member cannot be written to: it is out of all channels, and closed when it was only too slow."""
        self.forget(websocket)
        self._closing.failed(websocket, exc)

    def _put_out(self, websocket: WebSocket, code: int, reason: str) -> None:
        """Somebody may not be here any more: they get nothing from now on, and are closed."""
        self.forget(websocket)
        self._closing.soon(websocket, code, reason)

    async def _open_feed(self, name: str, id: str, last_seen: int | None, feed: Feed) -> None:
        """Enter the room of a channel, and let the feed get its messages."""
        await self._ready()
        room = await self._rooms.enter(name)
        feed.is_in_room = True
        room.readers[id] = feed
        keep = self._rules.history_of(name)
        try:
            await replay_to_feed(room, id, feed, last_seen, backend=self._backend, keep=keep)
        except BaseException:
            feed.end()
            raise

    def _close_feed(self, name: str, id: str, feed: Feed) -> None:
        """Take a feed out of its room, once."""
        room = self._rooms.get(name)
        if room is not None and feed.is_in_room:
            feed.is_in_room = False
            room.remove_feed(id)
            self._rooms.exit(room)

    def _emit(self, name: str, *args: object) -> None:
        """Emit an event in a task, if anybody listens."""
        if self.events is not None and self.events.has_listeners(name):
            coroutine: Coroutine[object, object, object] = self.events.emit(name, *args)
            self._tasks.spawn(coroutine, name=f"nexios-event {name}")
