"""How do processes of one machine keep bytes in a file, through restarts? In SQLite, in threads beside the event loop.

Each call is one statement, so it happens wholly or not at all, whichever process makes it. One connection reads and one
writes, each in a thread of its own: readers wait for nobody (https://www.sqlite.org/wal.html), and writers of several
processes take turns. What is written survives a crash of the process; a loss of power may take the last moments.
"""

import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from nexios.errors import ConfigurationError
from nexios.stores.base import SharedLife, checked_entry, checked_key, checked_seconds, encoded_prefix, not_started
from nexios.stores.sqlite_connection import Connection
from nexios.stores.sweeper import BATCH, Sweeper

__all__ = ["SQLiteStore"]

_CREATE: Final = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    "CREATE TABLE IF NOT EXISTS nexios_store (key BLOB PRIMARY KEY, value BLOB NOT NULL, expires REAL)",
    "CREATE INDEX IF NOT EXISTS nexios_store_expires ON nexios_store (expires) WHERE expires IS NOT NULL",
)
_LIVE: Final = "(expires IS NULL OR expires > :now)"
_GET: Final = f"SELECT value FROM nexios_store WHERE key = :key AND {_LIVE}"
_SET: Final = (
    "INSERT INTO nexios_store (key, value, expires) VALUES (:key, :value, :expires)"
    " ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires = excluded.expires"
)
_ADD: Final = f"{_SET} WHERE nexios_store.expires <= :now"
_UPDATE: Final = f"UPDATE nexios_store SET value = :value, expires = :expires WHERE key = :key AND {_LIVE}"
_REPLACE: Final = f"{_UPDATE} AND value = :expected"
_TOUCH: Final = f"UPDATE nexios_store SET expires = :expires WHERE key = :key AND {_LIVE}"
_DELETE: Final = f"DELETE FROM nexios_store WHERE key = :key AND {_LIVE}"
_CLEAR: Final = f"DELETE FROM nexios_store WHERE key >= :key AND key < :end AND {_LIVE}"
_SWEEP: Final = (
    "DELETE FROM nexios_store WHERE rowid IN"
    f" (SELECT rowid FROM nexios_store WHERE expires <= :now ORDER BY expires LIMIT {BATCH})"
)
_AFTER_ALL: Final = b"\xff"
"""After a prefix, this is behind all keys that begin with it: no UTF-8 has this byte."""

Values = dict[str, bytes | float | None]


class SQLiteStore(SharedLife):
    """Keeps bytes in a file: `SQLiteStore("data/sessions.db")`. Several processes of one machine may share it.

    The file is made with its folder if need be, readable for its owner alone. It must be on a disk of the
    machine: the locks of network file systems do not hold.

    Units:  `patience` is how many seconds a write waits for those of other processes; `sweep_interval` is how many
            seconds pass between removals of what has expired. `clock` gives seconds since 1970, in all processes.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        patience: float = 5.0,
        sweep_interval: float = 60.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__()
        if os.fspath(path) in ("", ":memory:"):
            raise ConfigurationError("SQLiteStore needs a file. For memory alone there is:\n\n    MemoryStore()\n")
        self._path = Path(path).absolute()
        self._patience = patience
        self._sweep_interval = sweep_interval
        self._clock = clock
        self._reader: Connection | None = None
        self._writer: Connection | None = None
        self._sweeper: Sweeper | None = None

    async def get(self, key: str) -> bytes | None:
        """Return the value of a key, or None."""
        values: Values = {"key": checked_key(key), "now": self._clock()}
        if self._reader is None:
            raise not_started(self)
        return await self._reader.run(_value, values)

    async def set(self, key: str, value: bytes, *, expires_in: float | None = None) -> None:
        """Keep a value, whatever was there."""
        await self._write(_SET, self._values(key, value, expires_in))

    async def add(self, key: str, value: bytes, *, expires_in: float | None = None) -> bool:
        """Keep a value unless there is one."""
        return await self._write(_ADD, self._values(key, value, expires_in)) > 0

    async def replace(self, key: str, value: bytes, *, expected: bytes, expires_in: float | None = None) -> bool:
        """Keep a value if the present one is `expected`."""
        return await self._write(_REPLACE, {**self._values(key, value, expires_in), "expected": expected}) > 0

    async def update(self, key: str, value: bytes, *, expires_in: float | None = None) -> bool:
        """Keep a value if there is one already."""
        return await self._write(_UPDATE, self._values(key, value, expires_in)) > 0

    async def touch(self, key: str, *, expires_in: float) -> bool:
        """Give a key more time."""
        name, now = checked_key(key), self._clock()
        return await self._write(_TOUCH, {"key": name, "now": now, "expires": now + checked_seconds(expires_in)}) > 0

    async def delete(self, key: str) -> bool:
        """Remove a key."""
        return await self._write(_DELETE, {"key": checked_key(key), "now": self._clock()}) > 0

    async def clear(self, prefix: str) -> int:
        """Remove all keys that begin with `prefix`, in one transaction. What has expired is left to the sweep."""
        start = encoded_prefix(prefix)
        return await self._write(_CLEAR, {"key": start, "end": start + _AFTER_ALL, "now": self._clock()})

    def _values(self, key: str, value: bytes, expires_in: float | None) -> Values:
        name, seconds = checked_entry(key, value, expires_in)
        now = self._clock()
        return {"key": name, "value": value, "now": now, "expires": None if seconds is None else now + seconds}

    async def _write(self, statement: str, values: Values) -> int:
        """Return how many rows it changed."""
        if self._writer is None:
            raise not_started(self)
        changed = await self._writer.run(_change, statement, values)
        if self._sweeper is not None:
            self._sweeper.written()
        return changed

    async def _sweep(self) -> int:
        if self._writer is None:
            return 0
        return await self._writer.run(_change, _SWEEP, {"now": self._clock()})

    async def _open(self) -> None:
        writer = Connection(self._path, self._patience)
        reader = Connection(self._path, self._patience)
        try:
            await writer.open(_CREATE)
            await reader.open(())
        except BaseException:
            await reader.close()
            await writer.close()
            raise
        self._writer, self._reader = writer, reader
        self._sweeper = Sweeper(self._sweep, interval=self._sweep_interval, clock=self._clock)

    async def _close(self) -> None:
        sweeper, reader, writer = self._sweeper, self._reader, self._writer
        self._sweeper = self._reader = self._writer = None
        if sweeper is not None:
            await sweeper.stop()
        for connection in (reader, writer):
            if connection is not None:
                await connection.close()


def _value(connection: sqlite3.Connection, values: Values) -> bytes | None:
    rows = connection.execute(_GET, values).fetchall()
    return rows[0][0] if rows else None


def _change(connection: sqlite3.Connection, statement: str, values: Values) -> int:
    return connection.execute(statement, values).rowcount
