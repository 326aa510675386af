"""How does a client hear an answer that came before its request was whole? By our reading on for a while.

A server that closes a connection on which bytes still arrive resets it, and the client may lose the answer with
it (RFC 9112 section 9.6). So what still comes is taken and thrown away, for a limited time, and only then is the
exchange over. nginx waits as long (lingering_time, lingering_timeout).
"""

import asyncio
from collections.abc import Sequence
from typing import Final

from nexios.errors import ClientDisconnect
from nexios.messages.transport import HTTPTransport
from nexios.settings import Limits

__all__ = ["has_body", "read_out"]

_LONGEST: Final = 30.0
"""Seconds for the whole rest."""
_SILENCE: Final = 5.0
"""Seconds in which nothing comes, unless `Limits.body_read_timeout` is shorter."""


def has_body(transport: HTTPTransport) -> bool:
    """Whether the head announces a body (RFC 9112 section 6.3); HTTP/2 need not announce it."""
    lengths: Sequence[str] = transport.header_values("content-length")
    if lengths:
        return lengths != ["0"]
    return transport.http_version >= "2" or bool(transport.header_values("transfer-encoding"))


async def read_out(transport: HTTPTransport, limits: Limits) -> None:
    """Return when the body is whole, the client has gone, or it took too long."""
    patience = limits.body_read_timeout
    silence = _SILENCE if patience is None else min(patience, _SILENCE)
    try:
        async with asyncio.timeout(_LONGEST):
            while True:
                async with asyncio.timeout(silence):
                    if await transport.next_chunk() is None:
                        return
    except (TimeoutError, ClientDisconnect):
        return
