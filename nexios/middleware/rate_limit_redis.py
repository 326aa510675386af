"""How do several processes count requests together? In Redis or Valkey, with the scripts of the package `limits`.

Each window of a key is a number with an end, by the clock of the server. A request is one script for each limit, and a
second that says what is left.

The extras `limits` and `redis` bring the packages. One server, not a cluster.
"""

import hashlib
import math
from typing import Any, Final

from nexios.errors import ConfigurationError
from nexios.middleware.rate_limit_counters import Hit, Limit
from nexios.stores.base import SharedLife, StoreUnavailable

try:
    from limits import RateLimitItemPerSecond
    from limits.aio.storage import RedisStorage
    from limits.errors import StorageError

    from nexios.stores.redis_client import asking, close_client, make_client
except ModuleNotFoundError as _missing:
    raise ConfigurationError(
        f'RedisCounters need the package {_missing.name}:\n\n    pip install "nexios[limits,redis]"\n'
    ) from _missing

__all__ = ["RedisCounters"]

_TICK: Final = 0.001
"""Seconds that the clock of the server goes on at once."""


class RedisCounters(SharedLife):
    """Counts in a Redis or Valkey server: `RedisCounters("redis://localhost:6379")`. One for all limits of an app.

    All keys begin with `prefix`; they are hashes, so whoever reads the server learns no user and no address.

    Units:  `patience` is how many seconds a request waits for a connection or an answer; `connections` are there at
            most for one process, and more requests wait in line.
    """

    def __init__(
        self,
        url: str = "redis://localhost:6379/0",
        *,
        prefix: str = "nexios:limits",
        patience: float = 0.5,
        connections: int = 20,
        **options: Any,
    ) -> None:
        """`options` go to `redis.asyncio`, as `password` or `ssl_ca_certs`."""
        super().__init__()
        self._url = url
        self._prefix = prefix
        self._patience = patience
        self._connections = connections
        self._options = options
        self._client: Any = None
        self._storage: RedisStorage | None = None

    async def hit(self, limit: Limit, key: str) -> Hit:
        """Count one request of `key`, unless it is over the limit."""
        storage, client = self._storage, self._client
        if storage is None:
            raise StoreUnavailable("RedisCounters are not started")
        item = RateLimitItemPerSecond(limit.amount, limit.window)
        name = item.key_for(hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest())
        is_open, broken = lambda: self._client is client, (StorageError,)
        async with asking(client, patience=self._patience, is_open=is_open, broken=broken):
            allowed = await storage.acquire_sliding_window_entry(name, limit.amount, limit.window)
            windows = await storage.get_sliding_window(name, limit.window)
        return _hit(limit, allowed, *windows)

    async def _open(self) -> None:
        """Connections are made when they are needed: an engine that is away does not keep an app from starting."""
        client = self._client = make_client(
            self._url, self._options, patience=self._patience, connections=self._connections
        )
        pool: Any = client.connection_pool
        self._storage = RedisStorage(
            "async+redis://", implementation="redispy", key_prefix=self._prefix, connection_pool=pool
        )

    async def _close(self) -> None:
        client, self._client, self._storage = self._client, None, None
        if client is not None:
            await close_client(client)


def _hit(limit: Limit, allowed: bool, before: int, before_ends: float, count: int, ends: float) -> Hit:
    """The numbers are those of the window before and of the present one, which is kept for as long again."""
    still = math.floor(before * before_ends / limit.window)
    reset = before_ends - still * limit.window / before if still else ends - limit.window
    return Hit(limit, allowed, max(0, limit.amount - still - count), max(0.0, reset) + _TICK)
