"""When do the channels of an app begin and end? With the app; of several test clients, with the first and the last."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from nexios.concurrency import shielded
from nexios.websockets.hub import Hub

__all__ = ["HubLife"]

_PARTING: Final = 10.0
"""Seconds that the channels have to end when their app is cancelled."""


class HubLife:
    """The life of one hub, for each life of its app."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._lives = 0

    @asynccontextmanager
    async def __call__(self, app: object) -> AsyncIterator[None]:
        """A lifespan context."""
        await self._hub.start()
        self._lives += 1
        try:
            yield
        finally:
            self._lives -= 1
            if not self._lives:
                await shielded(self._hub.stop(), _PARTING)
