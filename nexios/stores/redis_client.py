"""How is a Redis or Valkey server asked, when an answer must come soon or not at all, and nothing happens twice?

The extra `redis` brings the client.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from nexios.errors import ConfigurationError
from nexios.stores.base import StoreUnavailable

try:
    from redis.asyncio import BlockingConnectionPool, Redis
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff
    from redis.exceptions import RedisError
except ModuleNotFoundError as _missing:
    raise ConfigurationError(
        f'Redis needs the package {_missing.name}:\n\n    pip install "nexios[redis]"\n'
    ) from _missing

__all__ = ["asking", "close_client", "make_client"]

_BROKEN: Final = (RedisError, OSError, EOFError, TimeoutError)
"""What a command raises whose answer nobody will know."""


def make_client(url: str, options: Mapping[str, Any], *, patience: float, connections: int) -> Redis:
    """Make a client whose connections are opened when they are needed, `connections` at most.

    Units:  `patience` is in seconds: for a connection that is free, for a new one, and for each answer.

    Nothing is tried twice, which could count or keep a thing twice. Its answers are bytes, as RESP 2 has them.
    """
    usual: dict[str, Any] = {} if url.startswith("unix:") else {"socket_keepalive": True}
    fixed: dict[str, Any] = {
        "decode_responses": False,
        "protocol": 2,
        "retry": Retry(NoBackoff(), 0),
        "socket_timeout": patience,
        "socket_connect_timeout": patience,
        "max_connections": connections,
        "timeout": patience,
    }
    return Redis(connection_pool=BlockingConnectionPool.from_url(url, **{**usual, **options, **fixed}))


async def close_client(client: Redis) -> None:
    """Close all connections. Whatever goes wrong with what is given up is of no interest."""
    try:
        await client.aclose()
        await client.connection_pool.disconnect()
    except _BROKEN:
        pass


@asynccontextmanager
async def asking(
    client: Redis, *, patience: float, is_open: Callable[[], bool], broken: tuple[type[Exception], ...] = ()
) -> AsyncIterator[None]:
    """Wait for answers within. `is_open` says whether the client is still in use: it may be closed under way.

    Then whatever came of it is no answer, and a connection that was made meanwhile has come back to the pool.

    Raises:
        StoreUnavailable: There is no answer, or one of `broken` was raised.
    """
    try:
        async with asyncio.timeout(patience):
            yield
    except Exception as exc:
        if isinstance(exc, (*_BROKEN, *broken)) or not is_open():
            raise StoreUnavailable("Redis did not answer") from exc
        raise
    finally:
        if not is_open():
            await close_client(client)
