"""How long does a call wait for a connection that is being made? As long as the backend has patience."""

import asyncio

from nexios.websockets.backends.base import BackendUnavailable

__all__ = ["until_connected"]


async def until_connected(connected: asyncio.Event, patience: float) -> None:
    """Return when `connected` is set.

    Raises:
        BackendUnavailable: It is not, within `patience` seconds.
    """
    if connected.is_set():
        return
    try:
        async with asyncio.timeout(patience):
            await connected.wait()
    except TimeoutError:
        raise BackendUnavailable from None
