"""What does a channel remember, and how does someone who comes back get the rest?

Every kept message has a sequence number. The first one of a channel is the time in microseconds, each further
one is the last plus 1: so numbers also grow over a restart that forgot everything, and one integer says
both where somebody stopped reading and whether we can still tell what came after.
"""

from collections import deque
from typing import Final

import msgspec

__all__ = [
    "MAX_SEQUENCE",
    "HistoryLimits",
    "HistoryLog",
    "Replay",
    "Stored",
    "check_history",
    "parse_last_seen",
    "replay_of",
]

MAX_SEQUENCE: Final = 2**53 - 1
"""The largest integer that JavaScript keeps exactly."""


class HistoryLimits(msgspec.Struct, frozen=True):
    """How much of a channel is kept: whatever limit is reached first.

    Units: `count` messages, `age` seconds, `size` bytes of message bodies. A count of 0 keeps nothing, and then
    messages have no sequence numbers.

    Raises:
        ValueError: A limit is negative, or messages are kept for no time at all.
    """

    count: int = 100
    age: float = 300.0
    size: int = 1024 * 1024

    def __post_init__(self) -> None:
        if self.count < 0 or self.size < 0 or not 0 < self.age < float("inf"):
            raise ValueError(
                "history takes a count and a size of 0 or more, and an age of more than 0 seconds that ends: "
                "HistoryLimits(count=100, age=300.0)"
            )

    @property
    def keeps(self) -> bool:
        """Whether anything is kept at all."""
        return self.count > 0


def check_history(limits: HistoryLimits | None) -> HistoryLimits:
    """Return the limits that were given, the usual ones for None. Raises TypeError when they are none."""
    if limits is None:
        return HistoryLimits()
    if not isinstance(limits, HistoryLimits):
        raise TypeError(f"history takes HistoryLimits, as history=HistoryLimits(count=1000), not {limits!r}")
    return limits


class Stored(msgspec.Struct, frozen=True):
    """One kept message: its sequence number, and its body as it was published."""

    sequence: int
    body: bytes


class Replay(msgspec.Struct, frozen=True):
    """What was kept after a sequence number, oldest first.

    `last` is the number of the newest message of the channel, 0 when it is not known. `complete` is False
    when messages may be missing between the number that was asked for and the first one here.
    """

    messages: tuple[Stored, ...] = ()
    last: int = 0
    complete: bool = True


class _Kept(msgspec.Struct, frozen=True):
    """One kept message, and the time it was kept at."""

    sequence: int
    body: bytes
    at: float


class HistoryLog:
    """The kept messages of one channel, in memory.

    `size` is the bytes it holds. Time is given by the caller, in seconds of any clock that only goes forward.

    >>> log = HistoryLog(first=1)
    >>> log.append(b"one", HistoryLimits(count=2), now=0.0), log.append(b"two", HistoryLimits(count=2), now=1.0)
    (1, 2)
    >>> log.after(1, HistoryLimits(), now=2.0)
    Replay(messages=(Stored(sequence=2, body=b'two'),), last=2, complete=True)
    """

    __slots__ = ("_kept", "last", "size")

    def __init__(self, first: int) -> None:
        self._kept: deque[_Kept] = deque()
        self.last: int = first - 1
        self.size: int = 0

    def __len__(self) -> int:
        return len(self._kept)

    def append(self, body: bytes, limits: HistoryLimits, *, now: float) -> int:
        """Keep a message, forget what is over the limits, and return the sequence number."""
        self.last += 1
        self._kept.append(_Kept(self.last, body, now))
        self.size += len(body)
        self.trim(limits, now=now)
        return self.last

    def trim(self, limits: HistoryLimits, *, now: float) -> None:
        """Forget the oldest messages until the limits hold."""
        kept = self._kept
        while kept and (len(kept) > limits.count or self.size > limits.size or kept[0].at <= now - limits.age):
            self.size -= len(kept.popleft().body)

    def clear(self) -> None:
        """Forget all messages, and not the number of the last one."""
        self._kept.clear()
        self.size = 0

    def after(self, sequence: int, limits: HistoryLimits, *, now: float) -> Replay:
        """Return what came after `sequence`; 0 asks for all there is."""
        self.trim(limits, now=now)
        messages = tuple(Stored(kept.sequence, kept.body) for kept in self._kept)
        return replay_of(messages, after=sequence, last=self.last)


def replay_of(messages: tuple[Stored, ...], *, after: int, last: int, oldest: int | None = None) -> Replay:
    """Return the answer to "what came after?", for a channel whose numbers have no holes.

    `messages` is all that is kept, or at least all of it that comes after; `oldest` is the number of the oldest that is
    kept, by default the first of these. `last` is the number that was given last, 0 when it was forgotten. A
    number that the channel never gave is one from before it lost its memory.
    """
    if not 0 < after <= last:
        return Replay(messages, last, complete=after == 0)
    if oldest is None:
        oldest = messages[0].sequence if messages else last + 1
    return Replay(tuple(one for one in messages if one.sequence > after), last, complete=after >= oldest - 1)


def parse_last_seen(value: int | str | None) -> int | None:
    """Return the sequence number that a client gives as the last it saw, as text perhaps; None when it gives none.

    What is no such number is read as 0: the client saw nothing.

    >>> parse_last_seen("17"), parse_last_seen("-1"), parse_last_seen(None)
    (17, 0, None)
    """
    if value is None:
        return None
    if isinstance(value, str):
        value = int(value) if len(value) <= 16 and value.isascii() and value.isdigit() else 0
    return value if 0 <= value <= MAX_SEQUENCE else 0
