"""What keeps its data in a store, and so keeps that store open while the app runs?"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from nexios.stores.base import Store

__all__ = ["StoreBacked"]


class StoreBacked:
    """Gives `lifespan` to what has its store in `_store`."""

    _store: Store

    @asynccontextmanager
    async def lifespan(self, app: object) -> AsyncIterator[None]:
        """Keep the store open while the app runs. Raises `StoreUnavailable`."""
        await self._store.start()
        try:
            yield
        finally:
            await self._store.stop()
