"""Where do bytes live under a name, for a while? What every store does, and what it may be asked.

A store keeps what has to outlive a request: sessions, counters, tokens that were used. It never looks into a value.
A new store is right when it passes `tests/contract/stores/`.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, Protocol

from nexios.concurrency import shielded
from nexios.errors import ConfigurationError, ServiceUnavailable

__all__ = [
    "SharedLife",
    "Store",
    "StoreUnavailable",
    "checked_entry",
    "checked_key",
    "checked_seconds",
    "checked_store",
    "encoded_prefix",
    "not_started",
]

_PATIENCE: Final = 5.0
"""Seconds that a store has to close when whoever stops it is cancelled."""

_LONGEST: Final = 3_000_000_000.0
"""Seconds of a century or so: the times of engines have an end, and what is kept longer is kept for this long."""


class StoreUnavailable(ServiceUnavailable):
    """The store did not do what it was asked, or nobody knows whether it did: 503 in a handler that does not catch it.

    Never taken for "it is not there": a session that cannot be read is not an anonymous one.
    """

    def __init__(self, explanation: str = "") -> None:
        """`explanation` is for the log; clients are not told."""
        super().__init__()
        if explanation:
            self.add_note(explanation)


def not_started(store: object) -> StoreUnavailable:
    """Return the error for a store that is asked before anybody opened it."""
    return StoreUnavailable(
        f"{type(store).__name__} is not started. A SessionMiddleware opens its own; let the app open any other:\n\n"
        "    app.on_startup(store.start)\n    app.on_shutdown(store.stop)\n"
    )


class Store(Protocol):
    """Keys to values, each with a time after which it is gone. One event loop at a time; tasks may share it.

    Shape:  a key is any text but the empty one, without NUL and lone surrogates, compared exactly: nothing is
            folded or normalised. A value is any bytes.
    Units:  seconds for `expires_in`, more than 0. None is for ever, whatever was said for the key before.

    What has expired is not there, for every method. Each call happens wholly or not at all, also beside calls of
    other tasks and other processes; one that is cancelled has happened or has not.

    Raises:
        StoreUnavailable: Any method, when the engine cannot be reached or refuses, or the store is not started.
        ValueError: The key or `expires_in` is not of the shape above.
        TypeError: The key is no text, or the value is not bytes.
    """

    async def start(self) -> None:
        """Connect. Several users of one store each start and stop it; the first and the last of these calls count."""

    async def stop(self) -> None:
        """Let go of everything: afterwards no task, thread or connection is left. Harmless when it is not started."""

    async def get(self, key: str) -> bytes | None:
        """Return the value of a key, or None."""

    async def set(self, key: str, value: bytes, *, expires_in: float | None = None) -> None:
        """Keep a value, whatever was there."""

    async def add(self, key: str, value: bytes, *, expires_in: float | None = None) -> bool:
        """Keep a value unless there is one; returns whether it was kept."""

    async def replace(self, key: str, value: bytes, *, expected: bytes, expires_in: float | None = None) -> bool:
        """Keep a value if the present one is `expected`; returns whether it was kept."""

    async def update(self, key: str, value: bytes, *, expires_in: float | None = None) -> bool:
        """Keep a value if there is one already; returns whether it was kept. What was deleted stays deleted."""

    async def touch(self, key: str, *, expires_in: float) -> bool:
        """Give a key another `expires_in` seconds from now; returns whether it is there."""

    async def delete(self, key: str) -> bool:
        """Remove a key; returns whether it was there."""

    async def clear(self, prefix: str) -> int:
        """Remove all keys that begin with `prefix`, all of this store for ""; returns how many there were.

        A key that is added meanwhile may stay.
        """


class SharedLife(ABC):
    """Opens with the first `start` and closes with the last `stop`."""

    def __init__(self) -> None:
        self._users = 0
        self._callers = 0
        self._turn = asyncio.Lock()

    async def start(self) -> None:
        """Open, unless it is open."""
        async with self._in_turn():
            if self._users == 0:
                await self._open()
            self._users += 1

    async def stop(self) -> None:
        """Close, if no one else has started it. Whoever is cancelled meanwhile is so when it is closed."""
        async with self._in_turn():
            if self._users == 1:
                self._users = 0
                await shielded(self._close(), _PATIENCE)
            elif self._users:
                self._users -= 1

    @asynccontextmanager
    async def _in_turn(self) -> AsyncIterator[None]:
        """One after the other; those before may have been in another event loop, which a lock would remember."""
        if not self._callers:
            self._turn = asyncio.Lock()
        self._callers += 1
        try:
            async with self._turn:
                yield
        finally:
            self._callers -= 1

    @abstractmethod
    async def _open(self) -> None:
        """Get what is needed; nothing is left behind when it fails."""

    @abstractmethod
    async def _close(self) -> None:
        """Let go of it."""


def checked_store(store: Store, example: str) -> Store:
    """Return the store; `example` is the line that gives one, for the text of an error.

    Raises:
        ConfigurationError: It is a class of stores, an address, or anything else that is none.
    """
    if not isinstance(store, type) and hasattr(store, "start"):
        return store
    what = f"the class {store.__name__}" if isinstance(store, type) else type(store).__name__
    raise ConfigurationError(f"A store is needed, not {what}:\n\n    {example}\n")


def checked_key(key: str) -> bytes:
    """Return a key in UTF-8.

    >>> checked_key("session:ä")
    b'session:\\xc3\\xa4'
    """
    if key == "":
        raise ValueError("the key of a store is a text that is not empty")
    return encoded_prefix(key)


def encoded_prefix(prefix: str) -> bytes:
    """Return what keys begin with in UTF-8: a key, or nothing."""
    if not isinstance(prefix, str):
        raise TypeError(f"the key of a store is a str, not {type(prefix).__name__}")
    if "\0" in prefix:
        raise ValueError("the key of a store holds no NUL")
    try:
        return prefix.encode()
    except UnicodeEncodeError:
        raise ValueError("the key of a store holds no lone surrogate: UTF-8 has no bytes for one") from None


def checked_entry(key: str, value: bytes, expires_in: float | None) -> tuple[bytes, float | None]:
    """Return a key in UTF-8 and for how long its value is kept, all three being what they should be."""
    if not isinstance(value, bytes):
        raise TypeError(f"the value in a store is bytes, not {type(value).__name__}")
    return checked_key(key), None if expires_in is None else checked_seconds(expires_in)


def checked_seconds(expires_in: float) -> float:
    """Return for how long something is kept.

    >>> checked_seconds(1.5), checked_seconds(1e300)
    (1.5, 3000000000.0)
    """
    if not expires_in > 0:
        raise ValueError(f"expires_in is a number of seconds over 0, or None for ever; got {expires_in!r}")
    return min(float(expires_in), _LONGEST)
