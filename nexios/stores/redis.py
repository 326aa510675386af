"""How do processes of several machines keep bytes in Redis or Valkey?

Each entry is one key of the server, which removes it at its time by its own clock. Each call is one command or one
script, so it happens wholly or not at all.

The extra `redis` brings the client. One server, not a cluster. A server that may run out of memory should be told
`maxmemory-policy noeviction`: then it refuses what is new, where otherwise it would forget what is kept.
"""

import math
from typing import Any, Final

from nexios.stores.base import (
    SharedLife,
    checked_entry,
    checked_key,
    checked_seconds,
    encoded_prefix,
    not_started,
)
from nexios.stores.redis_client import asking, close_client, make_client

__all__ = ["RedisStore"]

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
        self._client: Any = None

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
        client = self._client = make_client(
            self._url, self._options, patience=self._patience, connections=self._connections
        )
        try:
            await self._ask("PING")
        except BaseException:
            self._client = None
            await close_client(client)
            raise

    async def _close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await close_client(client)

    async def _ask(self, *command: bytes | str | int) -> Any:
        """Return what the server answers, as it is: a client would make other types of it."""
        client = self._client
        if client is None:
            raise not_started(self)
        async with asking(client, patience=self._patience, is_open=lambda: self._client is client):
            return await client.execute_command(*command)


def _milliseconds(seconds: float) -> int:
    return math.ceil(seconds * 1000)


def _literal(text: bytes) -> bytes:
    """Write a beginning of keys into a pattern, with a backslash before what would be special."""
    return b"".join(b"\\" + bytes((byte,)) if byte in _WILD else bytes((byte,)) for byte in text)
