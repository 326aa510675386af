"""How does a synchronous test reach an asynchronous app? Through an event loop in a thread of its own."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

__all__ = ["Portal"]

_T = TypeVar("_T")


class Portal:
    """One event loop, in one thread, from `Portal()` to `close`."""

    def __init__(self) -> None:
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._live, name="nexios test client", daemon=True)
        self._thread.start()
        self._ready.wait()

    def _live(self) -> None:
        with asyncio.Runner() as runner:
            self.loop: asyncio.AbstractEventLoop = runner.get_loop()
            self.loop.call_soon(self._ready.set)
            asyncio.set_event_loop(self.loop)
            self.loop.run_forever()

    def run(self, coroutine: Coroutine[Any, Any, _T]) -> _T:
        """Run `coroutine` in the loop and return its result, or raise what it raises."""
        future = asyncio.run_coroutine_threadsafe(coroutine, self.loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def close(self) -> None:
        """End the loop and its thread; tasks that are left are cancelled."""
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
