"""May this client try one more password? Attempts that fail are slowed down, and nobody is locked out for good.

Counted are attempts for one name, from one address, and all that this process sees. What is counted is the attempt
itself, before the password is looked at: many at once are no way around it. One that succeeds is taken back.

Names are counted whether there is such an account or not, so that the answer does not tell. Where a user has signed in
before, attempts from elsewhere do not hold it up: an address and a name that belong together have a count of their own.

Source: ASVS 5.0 section 6.3.1; NIST SP 800-63B section 3.2.2.
"""

import hashlib
import logging
import math
import time
import unicodedata
from collections.abc import Callable
from typing import Any, Final

import msgspec

from nexios.errors import ConfigurationError, TooManyRequests
from nexios.http.networks import network_of
from nexios.messages.connection import Connection
from nexios.stores.backed import StoreBacked
from nexios.stores.base import Store, checked_store
from nexios.stores.memory import MemoryStore

__all__ = ["LoginAttempt", "LoginThrottle"]

_logger = logging.getLogger("nexios")

_KNOWN_FOR: Final = 30 * 86400.0
"""Seconds for which an address is one where a user has signed in before."""
_OVER: Final = "%d attempts to sign in, %s, did not succeed: more have to wait"

_TRIES: Final = 16
"""How often a count is changed anew because others changed it meanwhile: whoever is as busy as that is refused."""
_SKEW: Final = 60.0
"""Seconds that the clocks of two processes may differ."""
_LONGEST_NAME: Final = 1024
_DOUBLINGS: Final = 64
"""More make no difference, and would not fit a float."""


class _Count(msgspec.Struct, frozen=True, array_like=True):
    """Attempts that failed, or are not over; none is allowed before `next`, and at `until` they are forgotten."""

    failed: int
    next: float
    until: float


class _Rule(msgspec.Struct, frozen=True):
    """So many attempts in `window` seconds; with `first_delay` more are allowed, each after a longer delay."""

    whose: str
    most: int
    window: float
    first_delay: float = 0.0

    def after(self, count: _Count | None, now: float) -> _Count:
        """Return the count with one attempt more."""
        failed = 1 if count is None else count.failed + 1
        over = failed - self.most
        if self.first_delay:
            delay = 0.0 if over < 0 else min(self.window, self.first_delay * 2.0 ** min(over, _DOUBLINGS))
            return _Count(failed, now + delay, now + delay + self.window)
        until = now + self.window if count is None else count.until
        return _Count(failed, now if over < 0 else until, until)


class LoginAttempt(msgspec.Struct, frozen=True):
    """An attempt that is counted as one that failed, until it has succeeded: the keys that it is counted under."""

    by_name: str
    by_address: str
    by_all: str | None
    place: str


class LoginThrottle(StoreBacked):
    """Slows down who guesses passwords. One per app: `NexiosApp(lifespan=throttle.lifespan)` keeps its store open.

    Units:  attempts that fail, in each `window` of seconds. `per_name` are free, then one has to wait for
            `first_delay` seconds, and twice as long after each further one, up to `window`. `per_address` are those
            of an IPv4 address or of 64 bits of IPv6, `in_total` those of all names and addresses in one process.

    Several processes share their counts in one `store`; by default each has its own, in memory.

    >>> throttle = LoginThrottle(per_name=10)
    """

    def __init__(
        self,
        store: Store | None = None,
        *,
        per_name: int = 5,
        per_address: int = 50,
        in_total: int = 1000,
        window: float = 900.0,
        first_delay: float = 30.0,
        prefix: str = "login:",
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`clock` is in seconds since 1970. Raises `ConfigurationError` for a number that is none."""
        for option, count in (("per_name", per_name), ("per_address", per_address), ("in_total", in_total)):
            if type(count) is not int or count < 1:
                raise ConfigurationError(f"'{option}' is a number of attempts, 1 or more, not {count!r}.")
        if not 0 < first_delay <= window < math.inf:
            raise ConfigurationError(
                "'first_delay' and 'window' are seconds over 0, and the second is not less than the first; got "
                f"{first_delay!r} and {window!r}."
            )
        self._of_name = _Rule("for one name", per_name, window, first_delay)
        self._of_address = _Rule("from one address", per_address, window)
        self._of_all = _Rule("in all", in_total, window)
        self._here = MemoryStore(clock=clock)
        self._store: Store = self._here
        if store is not None:
            self._store = checked_store(store, 'LoginThrottle(SQLiteStore("logins.sqlite3"))')
        self._prefix = prefix
        self._clock = clock

    async def attempt(self, connection: Connection[Any], name: str) -> LoginAttempt:
        """Count an attempt to sign in as `name`, before its password is looked at.

        Raises:
            TooManyRequests: There were too many: 429, the same whether there is such an account or not.
            StoreUnavailable: Nobody knows how many there were.
        """
        client = connection.client
        address = network_of(None if client is None else client.host)
        account = _folded(name)
        place = self._key("place", account, address)
        by_address = self._key("address", address)
        await self._count(self._store, by_address, self._of_address)
        if await self._store.get(place) is not None:
            by_name, by_all = self._key("name", account, address), None
        else:
            by_name, by_all = self._key("name", account), self._key("all")
            await self._count(self._here, by_all, self._of_all)
        await self._count(self._store, by_name, self._of_name)
        return LoginAttempt(by_name, by_address, by_all, place)

    async def succeeded(self, attempt: LoginAttempt) -> None:
        """The password was right: take the attempt back, and forget those for this name that failed before.

        Raises:
            StoreUnavailable: The attempt may still be counted.
        """
        await self._store.delete(attempt.by_name)
        await self._store.set(attempt.place, b"", expires_in=_KNOWN_FOR)
        await self._take_back(self._store, attempt.by_address)
        if attempt.by_all is not None:
            await self._take_back(self._here, attempt.by_all)

    async def _count(self, store: Store, key: str, rule: _Rule) -> None:
        """Count one attempt, or raise."""
        for _ in range(_TRIES):
            now, raw = self._clock(), await store.get(key)
            count = _decoded(raw)
            if count is not None and count.next - now > rule.window + _SKEW:
                count = None  # no wait is that long: the clock was set back
            if count is not None and now < count.next:
                raise _refused(count.next - now)
            counted = rule.after(count, now)
            if await _kept(store, key, raw, counted, now):
                if counted.failed == rule.most:
                    _logger.warning(_OVER, rule.most, rule.whose)
                return
        raise _refused(1.0)

    async def _take_back(self, store: Store, key: str) -> None:
        """This attempt alone: nobody is free again by a password of his own."""
        for _ in range(_TRIES):
            now, raw = self._clock(), await store.get(key)
            count = _decoded(raw)
            if count is None or await _kept(store, key, raw, _Count(count.failed - 1, now, count.until), now):
                return

    def _key(self, kind: str, *parts: str) -> str:
        """Whoever reads the store learns neither names nor addresses."""
        text = "".join(f"{len(part)}:{part}" for part in (kind, *parts))  # no name can be taken for two parts
        return self._prefix + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _refused(seconds: float) -> TooManyRequests:
    detail = "Too many attempts to sign in. Try again later."
    return TooManyRequests(retry_after=math.ceil(seconds), detail=detail, code="too_many_attempts")


async def _kept(store: Store, key: str, raw: bytes | None, count: _Count, now: float) -> bool:
    """Keep a count unless it was changed since it was read; returns whether it was kept."""
    value, left = msgspec.msgpack.encode(count), max(1.0, count.until - now)
    if raw is None:
        return await store.add(key, value, expires_in=left)
    return await store.replace(key, value, expected=raw, expires_in=left)


def _decoded(raw: bytes | None) -> _Count | None:
    if raw is None:
        return None
    try:
        return msgspec.msgpack.decode(raw, type=_Count)
    except msgspec.MsgspecError:
        _logger.warning("a count of attempts to sign in cannot be read; it begins anew")
        return None


def _folded(name: str) -> str:
    """What an app may take for the same name is the same here."""
    return unicodedata.normalize("NFKC", name.strip()[:_LONGEST_NAME]).strip().casefold()
