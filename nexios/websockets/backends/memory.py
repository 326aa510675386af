"""How do channels work in one process, without an engine? In memory, by the rules of every other backend.

A `MemoryEngine` is what a server would be elsewhere; each hub talks to it through a `MemoryBackend` of its own, so
that a test has several "processes" in one.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Final

from nexios.websockets.backends.base import Receiver
from nexios.websockets.clock import Clock, SystemClock
from nexios.websockets.history import HistoryLimits, HistoryLog, Replay, replay_of

__all__ = ["MemoryBackend", "MemoryEngine"]

_MIB: Final = 1024 * 1024
_MICROSECONDS: Final = 1_000_000


class MemoryEngine:
    """The messages, subscriptions and presence of all channels. For the tasks of one event loop at a time.

    The histories of all channels together hold `max_size` bytes at most, and there are at most `max_channels` of
    them, whoever names channels: those that were quiet for longest are forgotten first.
    """

    __slots__ = (
        "_clock",
        "_first",
        "_leases",
        "_logs",
        "_max_channels",
        "_max_size",
        "_numbers",
        "_presence",
        "_size",
        "_wall",
        "receivers",
    )

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        wall: Callable[[], float] = time.time,
        max_size: int = 64 * _MIB,
        max_channels: int = 10_000,
    ) -> None:
        self._clock: Clock = SystemClock() if clock is None else clock
        self._wall = wall
        self._max_size = max_size
        self._max_channels = max_channels
        self._size = 0
        self._first = 0
        self._logs: OrderedDict[str, tuple[HistoryLog, HistoryLimits]] = OrderedDict()
        self._numbers: OrderedDict[str, int] = OrderedDict()
        self._leases: dict[str, float] = {}
        self._presence: dict[str, dict[str, tuple[str, bytes]]] = {}
        self.receivers: dict[str, dict[str, Receiver]] = {}
        """For each subscribed channel, the receivers by node."""

    @property
    def channels(self) -> frozenset[str]:
        """The channels that have subscribers, history or presence."""
        return frozenset((*self._logs, *self.receivers, *self._presence))

    def keep(self, channel: str, body: bytes, limits: HistoryLimits) -> int:
        """Keep a message and return its number."""
        log, _ = self._logs.get(channel) or (HistoryLog(self._next_number(channel)), limits)
        before = log.size
        sequence = log.append(body, limits, now=self._clock.time())
        self._size += log.size - before
        self._logs[channel] = log, limits
        self._logs.move_to_end(channel)
        self._forget()
        return sequence

    def last(self, channel: str) -> int:
        """The number of the last message of a channel; 0 when it is not known."""
        found = self._logs.get(channel)
        return self._numbers.get(channel, 0) if found is None else found[0].last

    def history(self, channel: str, after: int, limits: HistoryLimits) -> Replay:
        """What came after the number `after`."""
        found = self._logs.get(channel)
        if found is None:
            return replay_of((), after=after, last=self._numbers.get(channel, 0))
        log, _ = found
        before = log.size
        replay = log.after(after, limits, now=self._clock.time())
        self._size += log.size - before
        return replay

    def renew(self, node: str, lease: float) -> bool:
        """Set the lease of a node; tell whether it had one."""
        held = self._holds(node)
        self._leases[node] = self._clock.time() + lease
        return held

    def join(self, channel: str, node: str, member: str, body: bytes) -> None:
        """Put a member of a node into the presence of a channel."""
        self._presence.setdefault(channel, {})[member] = node, body

    def leave(self, channel: str, member: str) -> None:
        """Take a member out again."""
        members = self._presence.get(channel)
        if members is not None and members.pop(member, None) is not None and not members:
            del self._presence[channel]

    def present(self, channel: str) -> dict[str, bytes]:
        """The members of a channel whose nodes hold their lease; forgets the others."""
        members = self._presence.get(channel, {})
        for member in [member for member, (node, _) in members.items() if not self._holds(node)]:
            self.leave(channel, member)
        return {member: body for member, (_, body) in members.items()}

    def clear(self) -> None:
        """Forget everything, as a server in memory does that is started again; numbers go on growing."""
        self._logs.clear()
        self._numbers.clear()
        self._leases.clear()
        self._presence.clear()
        self.receivers.clear()
        self._size = 0

    def forget(self, node: str) -> None:
        """Take out everything of a node that ends."""
        self._leases.pop(node, None)
        for channel in [channel for channel, receivers in self.receivers.items() if node in receivers]:
            self.unsubscribe(channel, node)
        for channel, members in list(self._presence.items()):
            for member in [member for member, (owner, _) in members.items() if owner == node]:
                self.leave(channel, member)

    def unsubscribe(self, channel: str, node: str) -> None:
        """Stop giving the messages of a channel to a node."""
        receivers = self.receivers.get(channel)
        if receivers is not None and receivers.pop(node, None) is not None and not receivers:
            del self.receivers[channel]

    def _holds(self, node: str) -> bool:
        """Tell whether a node holds its lease."""
        return self._leases.get(node, float("-inf")) > self._clock.time()

    def _next_number(self, channel: str) -> int:
        """One more than the last of the channel, or above all that were ever first, should the clock be set back."""
        last = self._numbers.pop(channel, 0)
        if last:
            return last + 1
        self._first = max(self._first + 1, int(self._wall() * _MICROSECONDS))
        return self._first

    def _forget(self) -> None:
        """The messages of a channel that is quiet for long; of one that has none, all but the number of the last."""
        for _ in range(2):
            channel, (log, limits) = next(iter(self._logs.items()))
            before = log.size
            log.trim(limits, now=self._clock.time())
            self._size += log.size - before
            if log or len(self._logs) == 1:
                break
            self._drop(channel)
        while self._size > self._max_size or len(self._logs) > self._max_channels:
            self._drop(next(iter(self._logs)))

    def _drop(self, channel: str) -> None:
        """Forget the messages of a channel, but not the number of the last."""
        log, _ = self._logs.pop(channel)
        self._size -= log.size
        self._numbers[channel] = log.last
        if len(self._numbers) > self._max_channels:
            self._numbers.popitem(last=False)


class MemoryBackend:
    """One process' way to a `MemoryEngine`.

    Without `engine` it has one of its own, which goes by `clock` and forgets everything when the backend stops. One
    that it is given, as one that several share in a test, remembers.
    """

    __slots__ = ("_is_own", "_node", "_receiver", "engine")

    name = "memory"

    def __init__(self, engine: MemoryEngine | None = None, *, clock: Clock | None = None) -> None:
        self.engine: MemoryEngine = MemoryEngine(clock=clock) if engine is None else engine
        self._is_own = engine is None
        self._receiver: Receiver | None = None
        self._node = ""

    async def start(self, receiver: Receiver, *, node: str) -> None:
        """Begin as `node`."""
        self._receiver, self._node = receiver, node

    async def stop(self) -> None:
        """Take everything of this process out; of an engine of its own all that there is."""
        self._receiver = None
        if self._is_own:
            self.engine.clear()
        else:
            self.engine.forget(self._node)

    async def subscribe(self, channel: str) -> int:
        """Receive a channel, and return the number of its last message."""
        if self._receiver is not None:
            self.engine.receivers.setdefault(channel, {})[self._node] = self._receiver
        return self.engine.last(channel)

    async def unsubscribe(self, channel: str) -> None:
        """Stop receiving a channel."""
        self.engine.unsubscribe(channel, self._node)

    async def publish(self, channel: str, body: bytes, *, keep: HistoryLimits | None) -> int:
        """Give a message to all subscribers, and let other tasks run once."""
        sequence = 0 if keep is None else self.engine.keep(channel, body, keep)
        for receiver in tuple(self.engine.receivers.get(channel, {}).values()):
            receiver.receive(channel, sequence, body)
        await asyncio.sleep(0)
        return sequence

    async def history(self, channel: str, *, after: int, keep: HistoryLimits) -> Replay:
        """Return what came after a number."""
        return self.engine.history(channel, after, keep)

    async def renew(self, lease: float) -> bool:
        """Hold the lease of this process."""
        return self.engine.renew(self._node, lease)

    async def join(self, channel: str, member: str, body: bytes) -> None:
        """Put a member into the presence of a channel."""
        self.engine.join(channel, self._node, member, body)

    async def leave(self, channel: str, member: str) -> None:
        """Take a member out again."""
        self.engine.leave(channel, member)

    async def present(self, channel: str) -> Mapping[str, bytes]:
        """Return who is present in a channel."""
        return self.engine.present(channel)
