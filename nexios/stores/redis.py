"""How do processes of several machines keep bytes in Redis or Valkey?

Each entry is one key of the server, which removes it at its time by its own clock. Each call is one command or one
script, so it happens wholly or not at all.

The extra `redis` brings the client. One server, not a cluster. A server that may run out of memory should be told
`maxmemory-policy noeviction`: then it refuses what is new, where otherwise it would forget what is kept.
"""

import asyncio
import math
from typing import Any, Final

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

try:
    from redis.asyncio import BlockingConnectionPool, Redis
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff
    from redis.exceptions import RedisError
except ModuleNotFoundError as _missing:
    raise ConfigurationError(
        f'RedisStore needs the package {_missing.name}:\n\n    pip install "nexios[redis]"\n'
    ) from _missing

__all__ = ["RedisStore"]

_BROKEN: Final = (RedisError, OSError, EOFError, TimeoutError)
_REPLACE: Final = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
if ARGV[3] == '' then
  redis.call('SET', KEYS[1], ARGV[2])
else
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
end
return 1
"""
"""Key; the value that is expected, the new one, milliseconds or nothing. Returns whether it was replaced."""
_BATCH: Final = 500
"""Keys that one command of `clear` removes."""
_WILD: Final = b"*?[]\\^-"


class RedisStore(SharedLife):
    """Keeps bytes in a Redis or Valkey server: `RedisStore("redis://localhost:6379")`.

    All keys begin with `prefix`: stores that share a server take different ones, none the beginning of another.

    Units:  `patience` is how many seconds a call waits for a connection or an answer; `connections` are there at most
            for one process, and more calls wait in line.
    """

    def __init__(
        self,
        url: str = "redis://localhost:6379/0",
        *,
        prefix: str = "nexios:store:",
        patience: float = 5.0,
        connections: int = 20,
        **options: Any,
    ) -> None:
        """`options` go to `redis.asyncio.Redis.from_url`, as `password` or `ssl_ca_certs`."""
        super().__init__()
        self._url = url
        self._prefix = encoded_prefix(prefix)
        self._patience = patience
        self._connections = connections
        self._options = options
        self._client: Redis | None = None

    async def get(self, key: str) -> bytes | None:
        """Return the value of a key, or None."""
        found: bytes | None = await self._ask("GET", self._key(checked_key(key)))
        return found

    async def set(self, key: str, value: bytes, *, expires_in: float | None = None) -> None:
        """Keep a value, whatever was there."""
        await self._set(key, value, expires_in)

    async def add(self, key: str, value: bytes, *, expires_in: float | None = None) -> bool:
        """Keep a value unless there is one."""
        return await self._set(key, value, expires_in, "NX")

    async def replace(self, key: str, value: bytes, *, expected: bytes, expires_in: float | None = None) -> bool:
        """Keep a value if the present one is `expected`."""
        name, seconds = checked_entry(key, value, expires_in)
        milliseconds: int | str = "" if seconds is None else _milliseconds(seconds)
        return bool(await self._ask("EVAL", _REPLACE, 1, self._key(name), expected, value, milliseconds))

    async def update(self, key: str, value: bytes, *, expires_in: float | None = None) -> bool:
        """Keep a value if there is one already."""
        return await self._set(key, value, expires_in, "XX")

    async def touch(self, key: str, *, expires_in: float) -> bool:
        """Give a key more time."""
        milliseconds = _milliseconds(checked_seconds(expires_in))
        return bool(await self._ask("PEXPIRE", self._key(checked_key(key)), milliseconds))

    async def delete(self, key: str) -> bool:
        """Remove a key."""
        return bool(await self._ask("DEL", self._key(checked_key(key))))

    async def clear(self, prefix: str) -> int:
        """Remove all keys that begin with `prefix`; the server looks at every key it has, a few at a time."""
        pattern = _literal(self._prefix + encoded_prefix(prefix)) + b"*"
        cursor, count = 0, 0
        while True:
            cursor, keys = await self._ask("SCAN", cursor, "MATCH", pattern, "COUNT", _BATCH)
            if keys:
                count += int(await self._ask("UNLINK", *keys))
            if int(cursor) == 0:
                return count

    async def _set(self, key: str, value: bytes, expires_in: float | None, *condition: str) -> bool:
        name, seconds = checked_entry(key, value, expires_in)
        lifetime = () if seconds is None else ("PX", _milliseconds(seconds))
        return await self._ask("SET", self._key(name), value, *lifetime, *condition) is not None

    def _key(self, name: bytes) -> bytes:
        return self._prefix + name

    async def _open(self) -> None:
        """Connect once, so that a wrong address stops the start of an app."""
        pool = BlockingConnectionPool.from_url(self._url, **self._pool_options())
        client = self._client = Redis(connection_pool=pool)
        try:
            await self._ask("PING")
        except BaseException:
            self._client = None
            await self._quietly(client)
            raise

    async def _close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await self._quietly(client)

    def _pool_options(self) -> dict[str, Any]:
        """Nothing is tried twice: `add` would say that it was not kept, of what it has kept itself."""
        usual: dict[str, Any] = {} if self._url.startswith("unix:") else {"socket_keepalive": True}
        fixed: dict[str, Any] = {
            "decode_responses": False,
            "protocol": 2,
            "retry": Retry(NoBackoff(), 0),
            "socket_timeout": self._patience,
            "socket_connect_timeout": self._patience,
            "max_connections": self._connections,
            "timeout": self._patience,
        }
        return {**usual, **self._options, **fixed}

    async def _ask(self, *command: bytes | str | int) -> Any:
        """Return what the server answers, as it is: a client would make other types of it."""
        client: Any = self._client
        if client is None:
            raise not_started(self)
        try:
            async with asyncio.timeout(self._patience):
                return await client.execute_command(*command)
        except _BROKEN as exc:
            raise StoreUnavailable("RedisStore had no answer from its server") from exc

    async def _quietly(self, client: Redis) -> None:
        """Whatever goes wrong with connections that are given up is of no interest."""
        try:
            await client.aclose()
            await client.connection_pool.disconnect()
        except _BROKEN:
            pass


def _milliseconds(seconds: float) -> int:
    return math.ceil(seconds * 1000)


def _literal(text: bytes) -> bytes:
    """Write a beginning of keys into a pattern, with a backslash before what would be special."""
    return b"".join(b"\\" + bytes((byte,)) if byte in _WILD else bytes((byte,)) for byte in text)
