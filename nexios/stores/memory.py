"""How does one process keep bytes for a while without an engine? In a dict, and a heap of what expires next.

Every call first removes a few entries that have expired, so each costs the same however many there are, no call waits
for a great sweep, and there is no task that could be left behind. The heap holds at most a few items too many: what
is touched again and again is put back when its old time comes.
"""

import heapq
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from nexios.stores.base import StoreUnavailable, checked_entry, checked_key, checked_seconds, encoded_prefix

__all__ = ["MemoryStore"]

_AT_ONCE: Final = 16
"""Expired entries that one call removes: more than it can add, so that they never pile up."""
_OVERHEAD: Final = 256
"""Bytes that an entry takes beside its key and value, about."""
_SLACK: Final = 64
"""Items of the heap that may be outdated before it is made anew."""

Moment = tuple[float, int]
"""A time, and a number that no other item of the heap has."""


class _Entry:
    __slots__ = ("expires", "scheduled", "value")

    def __init__(self, value: bytes, expires: float | None) -> None:
        self.value = value
        self.expires = expires
        self.scheduled: Moment | None = None
        """Its item in the heap, at its time or before; None for what stays for ever."""


class MemoryStore:
    """Keeps bytes in this process: for development, for tests, and for what may be forgotten. One per event loop.

    Units:  `max_size` counts the bytes of keys and values and 256 for each entry; when it is reached, those go that
            were used least lately. None is no limit. `clock` gives seconds from any beginning.

    >>> import asyncio
    >>> store = MemoryStore()
    >>> async def use():
    ...     await store.set("greeting", b"hello", expires_in=60)
    ...     return await store.get("greeting"), await store.get("other")
    >>> asyncio.run(use())
    (b'hello', None)
    """

    def __init__(self, *, max_size: int | None = 64 * 1024 * 1024, clock: Callable[[], float] = time.monotonic) -> None:
        if max_size is not None and max_size <= 0:
            raise ValueError(f"max_size is a number of bytes over 0, or None for no limit; got {max_size!r}")
        self._max_size = max_size
        self._clock = clock
        self._entries: OrderedDict[bytes, _Entry] = OrderedDict()
        self._heap: list[tuple[float, int, bytes]] = []
        self._number = 0
        self._size = 0

    def __len__(self) -> int:
        """How many entries are held, with some that have expired."""
        return len(self._entries)

    @property
    def size(self) -> int:
        """What is held, in bytes as `max_size` counts them."""
        return self._size

    async def start(self) -> None:
        """Do nothing: there is nothing to connect to."""

    async def stop(self) -> None:
        """Do nothing: what is kept stays for the next start, as in an engine."""

    async def get(self, key: str) -> bytes | None:
        """Return the value of a key, or None."""
        entry = self._find(checked_key(key))
        return None if entry is None else entry.value

    async def set(self, key: str, value: bytes, *, expires_in: float | None = None) -> None:
        """Keep a value, whatever was there."""
        name, seconds = checked_entry(key, value, expires_in)
        self._keep(name, value, seconds)

    async def add(self, key: str, value: bytes, *, expires_in: float | None = None) -> bool:
        """Keep a value unless there is one."""
        name, seconds = checked_entry(key, value, expires_in)
        if self._find(name) is not None:
            return False
        self._keep(name, value, seconds)
        return True

    async def replace(self, key: str, value: bytes, *, expected: bytes, expires_in: float | None = None) -> bool:
        """Keep a value if the present one is `expected`."""
        name, seconds = checked_entry(key, value, expires_in)
        entry = self._find(name)
        if entry is None or entry.value != expected:
            return False
        self._keep(name, value, seconds)
        return True

    async def update(self, key: str, value: bytes, *, expires_in: float | None = None) -> bool:
        """Keep a value if there is one already."""
        name, seconds = checked_entry(key, value, expires_in)
        if self._find(name) is None:
            return False
        self._keep(name, value, seconds)
        return True

    async def touch(self, key: str, *, expires_in: float) -> bool:
        """Give a key more time."""
        name, seconds = checked_key(key), checked_seconds(expires_in)
        entry = self._find(name)
        if entry is None:
            return False
        entry.expires = self._clock() + seconds
        self._schedule(name, entry)
        return True

    async def delete(self, key: str) -> bool:
        """Remove a key."""
        name = checked_key(key)
        if self._find(name) is None:
            return False
        self._remove(name)
        return True

    async def clear(self, prefix: str) -> int:
        """Remove all keys that begin with `prefix`; looks at every key."""
        start = encoded_prefix(prefix)
        now = self._clock()
        names = [name for name in self._entries if name.startswith(start)]
        count = sum(not _is_over(self._entries[name], now) for name in names)
        for name in names:
            self._remove(name)
        return count

    def _find(self, name: bytes) -> _Entry | None:
        """Return what has not expired, which is now the entry that was used last."""
        now = self._clock()
        self._sweep(now)
        entry = self._entries.get(name)
        if entry is None:
            return None
        if _is_over(entry, now):
            self._remove(name)
            return None
        self._entries.move_to_end(name)
        return entry

    def _keep(self, name: bytes, value: bytes, seconds: float | None) -> None:
        size = len(name) + len(value) + _OVERHEAD
        if self._max_size is not None and size > self._max_size:
            raise StoreUnavailable(
                explanation=f"MemoryStore has max_size={self._max_size}, and this entry alone has {size} bytes"
            )
        now = self._clock()
        self._sweep(now)
        old = self._entries.get(name)
        entry = _Entry(value, None if seconds is None else now + seconds)
        if old is not None:
            entry.scheduled = old.scheduled
            self._size -= len(name) + len(old.value) + _OVERHEAD
        self._entries[name] = entry
        self._entries.move_to_end(name)
        self._size += size
        self._schedule(name, entry)
        self._evict()

    def _remove(self, name: bytes) -> None:
        entry = self._entries.pop(name)
        self._size -= len(name) + len(entry.value) + _OVERHEAD
        self._compact()

    def _evict(self) -> None:
        while self._max_size is not None and self._size > self._max_size:
            self._remove(next(iter(self._entries)))

    def _schedule(self, name: bytes, entry: _Entry) -> None:
        """An item that comes too early is put back when it comes."""
        if entry.expires is None or (entry.scheduled is not None and entry.scheduled[0] <= entry.expires):
            return
        self._number += 1
        entry.scheduled = (entry.expires, self._number)
        heapq.heappush(self._heap, (entry.expires, self._number, name))
        self._compact()

    def _sweep(self, now: float) -> None:
        """Remove a few of the entries whose time has come."""
        heap = self._heap
        for _ in range(_AT_ONCE):
            if not heap or heap[0][0] > now:
                return
            moment, number, name = heapq.heappop(heap)
            entry = self._entries.get(name)
            if entry is None or entry.scheduled != (moment, number):
                continue
            entry.scheduled = None
            if _is_over(entry, now):
                self._remove(name)
            else:
                self._schedule(name, entry)

    def _compact(self) -> None:
        """Make the heap anew when most of it is outdated: not often, as so much has to change in between."""
        if len(self._heap) <= 2 * len(self._entries) + _SLACK:
            return
        self._heap.clear()
        for name, entry in self._entries.items():
            entry.scheduled = None
            if entry.expires is not None:
                self._number += 1
                entry.scheduled = (entry.expires, self._number)
                self._heap.append((entry.expires, self._number, name))
        heapq.heapify(self._heap)


def _is_over(entry: _Entry, now: float) -> bool:
    return entry.expires is not None and entry.expires <= now
