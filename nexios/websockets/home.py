"""In which event loop does a hub live, and how does another thread get there?

A `def` handler runs in a worker thread, where nothing can be awaited; so do threads of the application's own. They hand
a coroutine to the loop of the hub, and wait for what it gives.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

__all__ = ["Home"]

T = TypeVar("T")


class Home:
    """The event loop of one hub, from `enter` to `leave`."""

    __slots__ = ("_loop",)

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None

    def enter(self) -> None:
        """Live in the running loop."""
        self._loop = asyncio.get_running_loop()

    def leave(self) -> None:
        """Live nowhere."""
        self._loop = None

    def check(self) -> None:
        """Refuse another loop while that of the hub runs: what they share is not safe in two. Else move there.

        Raises:
            RuntimeError: The running loop is another one.
        """
        loop = asyncio.get_running_loop()
        if loop is self._loop:
            return
        if self._loop is not None and self._loop.is_running():
            raise RuntimeError(
                "The channels of this app live in another event loop, and nothing of them may be awaited in this one. "
                "From a thread, as that of a `def` handler, call:\n\n"
                '    app.channel("room:1").publish_from_thread(message)\n\n'
                "or, for anything else of a channel, app.hub.run_from_thread(coroutine). "
                "Test clients without `async` have a loop each: open all WebSockets by one client.\n"
            )
        self._loop = loop

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the loop of the hub, and wait in this thread for what it returns or raises.

        Raises:
            RuntimeError: The app is not running, or this thread has an event loop, which waiting would block.
        """
        try:
            loop = self._refuse_to_block()
        except BaseException:
            coroutine.close()
            raise
        future = asyncio.run_coroutine_threadsafe(coroutine, loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def _refuse_to_block(self) -> asyncio.AbstractEventLoop:
        """Return the loop of the hub, unless to wait for it here would be a mistake."""
        if asyncio._get_running_loop() is not None:
            raise RuntimeError(
                "This is the thread of an event loop, which would stand still; await it instead:\n\n"
                '    await app.channel("room:1").publish(message)\n'
            )
        if self._loop is None or not self._loop.is_running():
            raise RuntimeError("The channels of this app are not running: they start and stop with the app.")
        return self._loop
