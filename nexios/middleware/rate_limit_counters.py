"""How many requests were there lately? Limits as texts, and counters in memory that forget.

A window begins with the first request and is followed by the next; the requests of the one before count as far as it
still reaches into the last `window` seconds. So a limit is kept at the edges of windows too, where a plain count would
let through twice as much, and it takes two numbers for each key however high it is.

The package `limits` has counters in memory as well: they grow with the number of keys, and look at all of them with
each request. These here hold so many keys, and forget those that were used least lately.
"""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, Protocol

import msgspec

from nexios.errors import ConfigurationError

__all__ = ["Counters", "Hit", "Limit", "MemoryCounters", "parse_limit"]

_UNITS: Final = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
_LONGEST: Final = 366 * 86400
_MOST: Final = 10**9
_ROUNDING: Final = 1e-6
"""Less than any time that matters, and more than what floats lose."""


class Limit(msgspec.Struct, frozen=True):
    """So many requests in so many seconds. `text` is how it was written: "5/minute"."""

    amount: int
    window: int
    text: str


class Hit(msgspec.Struct, frozen=True):
    """One request, counted: whether it is within the limit, how many more are, and in how many seconds one more is."""

    limit: Limit
    allowed: bool
    remaining: int
    reset: float

    @property
    def seconds(self) -> int:
        """`reset` in whole seconds, 1 or more: who comes after them is not too early."""
        return max(1, math.ceil(self.reset - _ROUNDING))


class Counters(Protocol):
    """Where requests are counted. One event loop at a time; tasks may share it."""

    async def start(self) -> None:
        """Connect."""

    async def stop(self) -> None:
        """Let go of everything."""

    async def hit(self, limit: Limit, key: str) -> Hit:
        """Count one request of `key`, unless it is over the limit.

        Raises:
            StoreUnavailable: The engine cannot be reached.
        """


class MemoryCounters:
    """Counts in this process. One per event loop.

    `max_keys` is how many keys each limit remembers: about 300 bytes each. `clock` gives seconds from any beginning.
    """

    def __init__(self, *, max_keys: int = 100_000, clock: Callable[[], float] = time.monotonic) -> None:
        """Raises `ConfigurationError` for a number that is not over 0."""
        if type(max_keys) is not int or max_keys < 1:
            raise ConfigurationError(f"'max_keys' is a whole number over 0, not {max_keys!r}.")
        self._max_keys = max_keys
        self._clock = clock
        self._tables: dict[Limit, OrderedDict[str, _Windows]] = {}

    def __len__(self) -> int:
        """How many keys are remembered, of all limits together."""
        return sum(map(len, self._tables.values()))

    async def start(self) -> None:
        """Do nothing: there is nothing to connect to."""

    async def stop(self) -> None:
        """Forget what was counted: it is of one life of the app, as tests that start it anew expect."""
        self._tables.clear()

    async def hit(self, limit: Limit, key: str) -> Hit:
        """Count one request of `key`, unless it is over the limit."""
        table = self._tables.get(limit)
        if table is None:
            table = self._tables[limit] = OrderedDict()
        now = self._clock()
        windows = table.get(key)
        if windows is None:
            windows = table[key] = _Windows(now)
            self._forget(table, now - 2 * limit.window)
        else:
            table.move_to_end(key)
        return windows.hit(limit, now)

    def _forget(self, table: "OrderedDict[str, _Windows]", before: float) -> None:
        """Let go of two that count no more, one more than are added, and of the oldest when there are too many.

        The first in the table was used least lately, so what is behind it ends later, or not much earlier.
        """
        for _ in range(2):
            oldest = next(iter(table))
            if len(table) <= self._max_keys and table[oldest].begin > before:
                return
            del table[oldest]


class _Windows:
    """The present window of one key, and the one before."""

    __slots__ = ("before", "begin", "count")

    def __init__(self, begin: float) -> None:
        self.begin = begin
        self.before = 0
        self.count = 0

    def hit(self, limit: Limit, now: float) -> Hit:
        window = limit.window
        age = now - self.begin
        passed = age + _ROUNDING  # sums of fractions miss by a little, and who waited as told is not to wait again
        if passed >= window:
            if passed < 2 * window:
                self.begin, self.before = self.begin + window, self.count
            else:
                self.begin, self.before = now, 0
            self.count = 0
            age = now - self.begin
        left = window - age
        still = max(0, math.ceil(self.before * left / window - _ROUNDING) - 1)
        used = still + self.count
        allowed = used < limit.amount
        if allowed:
            self.count += 1
            used += 1
        reset = left - still * window / self.before if still else left
        return Hit(limit, allowed, limit.amount - used, reset)


def parse_limit(text: str) -> Limit:
    """Return the limit that a text says: a number of requests, and a time.

    >>> parse_limit("5/minute"), parse_limit("100/30 seconds")
    (Limit(amount=5, window=60, text='5/minute'), Limit(amount=100, window=30, text='100/30 seconds'))

    Raises:
        ConfigurationError: It is none.
    """
    if isinstance(text, str):
        amount, _, time_ = text.partition("/")
        times, several, unit = time_.rpartition(" ")
        seconds = _UNITS.get(unit.removesuffix("s") if several else unit)
        many, number = _number(amount), _number(times) if several else 1
        if many and number and seconds and many <= _MOST and number * seconds <= _LONGEST:
            return Limit(many, number * seconds, text)
    raise ConfigurationError(
        f"{text!r} is no limit. A limit is a number of requests and a time: a second, minute, hour or day, or several:"
        '\n\n    RateLimitMiddleware("5/minute", "100/hour", "1000/7 days")\n'
    )


def _number(text: str) -> int:
    """Plain digits as a number, anything else as 0."""
    return int(text) if len(text) <= 10 and text.isascii() and text.isdigit() else 0
