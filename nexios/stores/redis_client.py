"""How is a Redis or Valkey server asked, when an answer must come soon or not at all, and nothing happens twice?

The extra `redis` brings the client.
"""

from collections.abc import Mapping
from typing import Any, Final

from nexios.errors import ConfigurationError

try:
    from redis.asyncio import BlockingConnectionPool, Redis
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff
    from redis.exceptions import RedisError
except ModuleNotFoundError as _missing:
    raise ConfigurationError(
        f'Redis needs the package {_missing.name}:\n\n    pip install "nexios[redis]"\n'
    ) from _missing

__all__ = ["BROKEN", "close_client", "make_client"]

BROKEN: Final = (RedisError, OSError, EOFError, TimeoutError)
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
    except BROKEN:
        pass
