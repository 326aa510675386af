"""How does an app begin and end where a server calls twice? In one task, as under ASGI: some contexts need it."""

import asyncio

from nexios._pipeline.engine import Engine

__all__ = ["Life"]


class Life:
    """One life of an engine. Lifespan contexts are entered and left in the same task."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._started = asyncio.Event()
        self._stop = asyncio.Event()

    async def start(self) -> None:
        """Start the app. Raises what its startup raised."""
        self._task = asyncio.create_task(self._live(), name="lifespan of the app")
        started = asyncio.ensure_future(self._started.wait())
        try:
            await asyncio.wait({started, self._task}, return_when=asyncio.FIRST_COMPLETED)
        except BaseException:
            self._task.cancel()
            await asyncio.wait({self._task})
            raise
        finally:
            started.cancel()
        if self._task.done():
            await self._task

    async def _live(self) -> None:
        await self._engine.start()
        try:
            await self._until_stopped()
        finally:
            await self._engine.stop()

    async def _until_stopped(self) -> None:
        self._started.set()
        await self._stop.wait()

    async def stop(self) -> None:
        """Stop the app: its shutdown in reverse order of its startup."""
        self._stop.set()
        await self._task
