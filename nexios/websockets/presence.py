"""Who is here, over all processes, and who came or left since?

Each process tells the backend who its members are, and holds a lease on all of them: when the process dies, they are
gone with the lease. It also keeps a view of each channel that somebody here watches, changes it with what others
publish, and compares it with the backend now and then, which is how a dead process is noticed.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Final, Protocol

import msgspec

from nexios.messages.clock import Clock, sleep
from nexios.websockets.backends.base import BackendUnavailable, ChannelBackend
from nexios.websockets.member import PresenceDiff, PresenceEntry

__all__ = ["LEASE", "Presence", "PresenceView"]

LEASE: Final = 30.0
"""Seconds after which the members of a process that died are gone for all others, at the latest."""
_LOOKS: Final = 6
"""Renewals and comparisons within one lease."""
_HELD: Final = 4 / 6
"""The part of it that the engine is asked to hold: what is left is the time until someone looks."""

_logger = logging.getLogger("nexios")
_decode_entry: Final = msgspec.json.Decoder(PresenceEntry)
_decode_diff: Final = msgspec.json.Decoder(PresenceDiff)
_encode: Final = msgspec.json.Encoder().encode


class PresenceView:
    """Who is in one channel, as far as this process knows.

    >>> view = PresenceView()
    >>> view.apply(PresenceDiff(joins=(PresenceEntry("a", "ada"), PresenceEntry("b", "ada")))).joins
    (PresenceEntry(id='a', user='ada', metadata={}),)
    >>> view.apply(PresenceDiff(leaves=(PresenceEntry("a", "ada"),))).leaves
    ()
    """

    __slots__ = ("entries", "left")

    def __init__(self) -> None:
        self.entries: dict[str, PresenceEntry] = {}
        self.left: set[str] | None = None
        """Who left while the view is being loaded, and may be in what is loaded."""

    def apply(self, diff: PresenceDiff) -> PresenceDiff:
        """Take over what changed by member; return what changed by user."""
        before = self._by_key()
        for entry in diff.leaves:
            self.entries.pop(entry.id, None)
            if self.left is not None:
                self.left.add(entry.id)
        for entry in diff.joins:
            self.entries[entry.id] = entry
        for entry in diff.updates:
            self.entries.pop(entry.id, None)
            self.entries = {entry.id: entry, **self.entries}
        return self._changed(before)

    def replace(self, present: Mapping[str, PresenceEntry]) -> PresenceDiff:
        """Take over who is there; return what changed by user."""
        before = self._by_key()
        self.entries = dict(present)
        return self._changed(before)

    def everyone(self) -> PresenceDiff:
        """Return who is here, as what changed for somebody who knew of nobody."""
        return PresenceDiff(joins=tuple(self._by_key().values()))

    def _by_key(self) -> dict[str, PresenceEntry]:
        """For each user the member that spoke of itself last, else the one that came first."""
        found: dict[str, PresenceEntry] = {}
        for entry in self.entries.values():
            found.setdefault(entry.key, entry)
        return found

    def _changed(self, before: Mapping[str, PresenceEntry]) -> PresenceDiff:
        """Compare by user with how it was `before`."""
        after = self._by_key()
        return PresenceDiff(
            joins=tuple(entry for key, entry in after.items() if key not in before),
            leaves=tuple(entry for key, entry in before.items() if key not in after),
            updates=tuple(
                entry for key, entry in after.items() if key in before and entry.metadata != before[key].metadata
            ),
        )


class Announcer(Protocol):
    """What presence asks of the hub."""

    async def announce(self, channel: str, diff: bytes) -> None:
        """Publish a change of members to all processes."""

    def present_changed(self, channel: str, diff: PresenceDiff) -> None:
        """Tell the members and listeners of a channel in this process."""


class Presence:
    """The presence of one hub: who is here of its own members, and the views of the channels that it watches."""

    __slots__ = ("_announcer", "_backend", "_clock", "_lease", "_own", "_spawn", "_task", "_views")

    def __init__(
        self,
        backend: ChannelBackend,
        announcer: Announcer,
        *,
        clock: Clock,
        lease: float,
        spawn: Callable[..., "asyncio.Task[object]"],
    ) -> None:
        self._backend = backend
        self._announcer = announcer
        self._clock = clock
        self._lease = lease
        self._spawn = spawn
        self._own: dict[str, dict[str, PresenceEntry]] = {}
        self._views: dict[str, PresenceView] = {}
        self._task: asyncio.Task[object] | None = None

    async def enter(self, channel: str, entry: PresenceEntry) -> None:
        """Put a member of this process into the presence of a channel, or change what it tells of itself.

        Raises:
            TypeError, ValueError: What it tells has no JSON form; then nothing is changed.
            BackendUnavailable: The engine of the channels is away.
        """
        body = _encode(entry)
        is_new = entry.id not in self._own.get(channel, ())
        self._own.setdefault(channel, {})[entry.id] = entry
        if self._task is None:
            await self._backend.renew(self._lease * _HELD)
            self._task = self._spawn(self._keep(), name="nexios-presence")
        if await self._put(channel, entry.id, body):
            diff = PresenceDiff(joins=(entry,)) if is_new else PresenceDiff(updates=(entry,))
            await self._announcer.announce(channel, _encode(diff))

    def remove(self, channel: str, entry: PresenceEntry) -> bool:
        """Forget a member of this process; tell whether the others have to hear of it, by `leave`."""
        own = self._own.get(channel)
        if own is None or own.pop(entry.id, None) is None:
            return False
        if not own:
            del self._own[channel]
        self._rest()
        return True

    async def leave(self, channel: str, entry: PresenceEntry) -> None:
        """Tell the others that a member left."""
        try:
            await self._backend.leave(channel, entry.id)
            await self._announcer.announce(channel, _encode(PresenceDiff(leaves=(entry,))))
        except BackendUnavailable:
            _logger.info("a member left %r while the channel backend was away", channel)

    async def watch(self, channel: str) -> PresenceView:
        """Keep a view of a channel, until `unwatch`. One task at a time for each channel."""
        view = self._views.get(channel)
        if view is None:
            view = self._views[channel] = PresenceView()
            view.left = set()
            try:
                present = await self._load(channel)
            except BaseException:
                self._views.pop(channel, None)
                raise
            gone, view.left = view.left, None
            view.entries = {id: entry for id, entry in {**present, **view.entries}.items() if id not in gone}
        return view

    def unwatch(self, channel: str) -> None:
        """Forget a view."""
        self._views.pop(channel, None)
        self._rest()

    async def present(self, channel: str) -> tuple[PresenceEntry, ...]:
        """Return who is in a channel, of all processes."""
        return tuple((await self._load(channel)).values())

    def heard(self, channel: str, diff: bytes) -> None:
        """Take over what some process, or this one, announced."""
        view = self._views.get(channel)
        if view is not None:
            self._tell(channel, view.apply(read_diff(diff)))

    async def refresh(self, *, rejoin: bool) -> None:
        """Hold the lease; tell the backend again who is here if it may have forgotten; compare the views."""
        if self._own:
            held = await self._backend.renew(self._lease * _HELD)
            if rejoin or not held:
                await self._rejoin()
        for channel in tuple(self._views):
            present = await self._load(channel)
            view = self._views.get(channel)
            if view is not None:
                self._tell(channel, view.replace({**present, **self._own.get(channel, {})}))

    def stop(self) -> None:
        """Forget everything."""
        self._own.clear()
        self._views.clear()
        self._rest()

    async def _keep(self) -> None:
        """Refresh for ever, some times within each lease."""
        while True:
            await sleep(self._clock, self._lease / _LOOKS)
            try:
                await self.refresh(rejoin=False)
            except BackendUnavailable:
                _logger.info("presence waits for the channel backend")

    async def _put(self, channel: str, id: str, body: bytes) -> bool:
        """Tell the backend of a member; one that has left meanwhile is taken out again, or it would stay for ever."""
        await self._backend.join(channel, id, body)
        is_here = id in self._own.get(channel, ())
        if not is_here:
            await self._backend.leave(channel, id)
        return is_here

    async def _rejoin(self) -> None:
        """Tell the backend and the other processes of all our members again."""
        for channel, entries in tuple(self._own.items()):
            for entry in tuple(entries.values()):
                await self._put(channel, entry.id, _encode(entry))
            await self._announcer.announce(channel, _encode(PresenceDiff(joins=tuple(entries.values()))))

    async def _load(self, channel: str) -> dict[str, PresenceEntry]:
        """Ask the backend who is in a channel."""
        return dict(_entries(await self._backend.present(channel)))

    def _tell(self, channel: str, diff: PresenceDiff) -> None:
        """Pass a change on, if there is one."""
        if diff:
            self._announcer.present_changed(channel, diff)

    def _rest(self) -> None:
        """No task when there is nothing to watch over."""
        if self._task is not None and not self._own and not self._views:
            task, self._task = self._task, None
            task.cancel()


def read_diff(diff: bytes) -> PresenceDiff:
    """Decode what was announced.

    Raises:
        ValueError: It is nothing of ours.
    """
    try:
        return _decode_diff.decode(diff)
    except msgspec.DecodeError as exc:
        raise ValueError("the body of a presence message is nothing that nexios wrote") from exc


def _entries(present: Mapping[str, bytes]) -> Iterable[tuple[str, PresenceEntry]]:
    """Decode who is present, by the id of the member; what cannot be read is left out."""
    for member, body in present.items():
        try:
            yield member, _decode_entry.decode(body)
        except msgspec.DecodeError:
            _logger.warning("the presence of a member cannot be read, and is left out")
