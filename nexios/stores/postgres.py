"""How do processes of several machines keep bytes in PostgreSQL, beside the data of the app?

Each entry is a row, and each call one statement, so it happens wholly or not at all. Times are those of the server.

An index of PostgreSQL holds some 2,700 bytes for a row: a long key is found by its beginning and its digest.

The extra `postgres` brings the client.
"""

import asyncio
from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import Any, Final, TypeVar

from nexios.errors import ConfigurationError
from nexios.stores.base import (
    SharedLife,
    StoreUnavailable,
    checked_entry,
    checked_key,
    checked_seconds,
    encoded_prefix,
    not_started,
)
from nexios.stores.postgres_table import Table
from nexios.stores.sweeper import Sweeper

try:
    import asyncpg  # type: ignore[import-untyped]
except ModuleNotFoundError as _missing:
    raise ConfigurationError(
        f'PostgresStore needs the package {_missing.name}:\n\n    pip install "nexios[postgres]"\n'
    ) from _missing

__all__ = ["PostgresStore"]

_BROKEN: Final = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, EOFError)
"""What goes wrong with a connection or a statement; a timeout is an `OSError`."""
_SHOWN: Final = 480
"""Bytes of a long key that are in the index as they are, so that it is found by its beginning."""
_ID: Final = _SHOWN + 2 * sha256().digest_size
_AFTER_ALL: Final = b"\xff"
"""After a prefix, this is behind all keys that begin with it: no UTF-8 has this byte. Behind its long ones too."""
_PARTING: Final = 1.0
"""Seconds that saying goodbye may take."""
_SETTINGS: Final = {"default_transaction_isolation": "read committed", "default_transaction_read_only": "off"}
"""Whatever the database has as its default: a stricter level would refuse what waited for a lock."""
_create_pool: Any = asyncpg.create_pool
"""The client has no types."""

T = TypeVar("T")


class PostgresStore(SharedLife):
    """Keeps bytes in PostgreSQL: `PostgresStore("postgresql://app@localhost/app")`.

    It makes its table `nexios_store` in `schema` at its first start; `create_sql` says how, for roles that may not.
    With a pooler that gives each statement another session, `statement_cache_size=0` has to be among the options.

    Units:  `patience` is how many seconds a call waits for a connection or an answer; `connections` are there at most
            for one process, and more calls wait in line. `sweep_interval` is how many seconds pass between removals
            of what has expired.
    """

    def __init__(
        self,
        url: str,
        *,
        schema: str = "public",
        prefix: str = "nexios_",
        patience: float = 5.0,
        connections: int = 10,
        sweep_interval: float = 60.0,
        **options: Any,
    ) -> None:
        """`options` go to `asyncpg.connect`, as `password` or `ssl`."""
        super().__init__()
        self._url = url
        self._table = Table(schema, prefix)
        self._patience = patience
        self._connections = connections
        self._sweep_interval = sweep_interval
        self._options = options
        self._pool: Any = None
        self._sweeper: Sweeper | None = None

    @property
    def create_sql(self) -> str:
        """What makes the table, for a role that may."""
        return self._table.create

    async def get(self, key: str) -> bytes | None:
        """Return the value of a key, or None."""
        found: bytes | None = await self._fetch(self._table.get, _id_of(checked_key(key)))
        return found

    async def set(self, key: str, value: bytes, *, expires_in: float | None = None) -> None:
        """Keep a value, whatever was there."""
        name, seconds = checked_entry(key, value, expires_in)
        await self._write(self._table.set, _id_of(name), _rest_of(name), value, seconds)

    async def add(self, key: str, value: bytes, *, expires_in: float | None = None) -> bool:
        """Keep a value unless there is one."""
        name, seconds = checked_entry(key, value, expires_in)
        return await self._write(self._table.add, _id_of(name), _rest_of(name), value, seconds) > 0

    async def replace(self, key: str, value: bytes, *, expected: bytes, expires_in: float | None = None) -> bool:
        """Keep a value if the present one is `expected`."""
        name, seconds = checked_entry(key, value, expires_in)
        return await self._write(self._table.replace, _id_of(name), value, seconds, expected) > 0

    async def update(self, key: str, value: bytes, *, expires_in: float | None = None) -> bool:
        """Keep a value if there is one already."""
        name, seconds = checked_entry(key, value, expires_in)
        return await self._write(self._table.update, _id_of(name), value, seconds) > 0

    async def touch(self, key: str, *, expires_in: float) -> bool:
        """Give a key more time."""
        return await self._write(self._table.touch, _id_of(checked_key(key)), checked_seconds(expires_in)) > 0

    async def delete(self, key: str) -> bool:
        """Remove a key."""
        return await self._write(self._table.delete, _id_of(checked_key(key))) > 0

    async def clear(self, prefix: str) -> int:
        """Remove all keys that begin with `prefix`, in one transaction. What has expired is left to the sweep."""
        start = encoded_prefix(prefix)
        shown = start[:_SHOWN]
        return await self._write(self._table.clear, shown, shown + _AFTER_ALL, start)

    async def _write(self, statement: str, *values: object) -> int:
        """Return how many rows it changed."""
        count = await self._fetch(statement, *values)
        if self._sweeper is not None:
            self._sweeper.written()
        return int(count or 0)

    async def _sweep(self) -> int:
        return int(await self._fetch(self._table.sweep) or 0)

    async def _fetch(self, statement: str, *values: object) -> Any:
        """Return the one value that a statement gives."""
        if self._pool is None:
            raise not_started(self)
        try:
            return await self._with_connection(self._pool, lambda connection: connection.fetchval(statement, *values))
        except _BROKEN as exc:
            raise StoreUnavailable("PostgresStore had no answer from its server") from exc

    async def _with_connection(self, pool: Any, call: Callable[[Any], Awaitable[T]]) -> T:
        """Ask by a connection of the pool. One that does not answer in time is broken off.

        Else the pool would wait for the server before it takes the connection back, and we with it.
        """
        async with asyncio.timeout(self._patience) as limit, pool.acquire() as connection:
            try:
                return await call(connection)
            except asyncio.CancelledError:
                if limit.expired():
                    connection.terminate()
                raise

    async def _open(self) -> None:
        """Connect once, so that a wrong address stops the start of an app, and make the table."""
        try:
            async with asyncio.timeout(self._patience):
                pool = self._pool = await _create_pool(self._url, **self._pool_options())
            if not await self._fetch(self._table.exists):
                await self._make_table(pool)
        except BaseException as exc:
            await self._close()
            if isinstance(exc, _BROKEN):
                raise StoreUnavailable("PostgresStore cannot reach its server") from exc
            raise
        self._sweeper = Sweeper(self._sweep, interval=self._sweep_interval, clock=asyncio.get_running_loop().time)

    def _pool_options(self) -> dict[str, Any]:
        settings = {**_SETTINGS, **self._options.get("server_settings", {})}
        fixed = {"min_size": 0, "max_size": self._connections, "reset": _leave, "server_settings": settings}
        return {"timeout": self._patience, **self._options, **fixed}

    async def _make_table(self, pool: Any) -> None:
        try:
            await self._with_connection(pool, lambda connection: connection.execute(self._table.create))
        except asyncpg.InsufficientPrivilegeError as exc:
            raise ConfigurationError(self._table.explain(exc)) from exc

    async def _close(self) -> None:
        sweeper, pool = self._sweeper, self._pool
        self._sweeper = self._pool = None
        if sweeper is not None:
            await sweeper.stop()
        if pool is not None:
            try:
                async with asyncio.timeout(_PARTING):
                    await pool.close()
            except _BROKEN:
                pool.terminate()


async def _leave(connection: object) -> None:
    """A connection that comes back to the pool is as it was: no call changes its settings."""


def _id_of(name: bytes) -> bytes:
    """What stands in the index for a key: itself when it is shorter than what stands for a long one."""
    return name if len(name) < _ID else name[:_SHOWN] + sha256(name).hexdigest().encode()


def _rest_of(name: bytes) -> bytes | None:
    """A long key, whole."""
    return name if len(name) >= _ID else None
