"""Who closes what providers opened? The last opened first, whatever happens, like nested `with` blocks.

An exit sees the exception that is under way and may raise another in its place; it cannot
swallow it. All exits run, whatever the others raise. A cancellation that arrives while they
run waits for them (`shielded`).
"""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from contextvars import copy_context
from functools import partial
from typing import Any, Final

from nexios.concurrency import Threads, Work, renewed, shielded

__all__ = ["CLOSE_PATIENCE", "Exits"]

CLOSE_PATIENCE: Final = 10.0
"""Seconds that exits get to end once a cancellation has arrived."""

Leave = Callable[..., Any]
"""`__exit__`, `__aexit__` or their like: takes the class, the exception and its traceback."""


class Exits:
    """What is open, in the order it was opened. One for each scope of each request, and one for the app."""

    __slots__ = ("_entries",)

    def __init__(self) -> None:
        self._entries: list[tuple[Leave, bool]] = []

    def __len__(self) -> int:
        return len(self._entries)

    def enter(self, context: AbstractContextManager[Any]) -> Any:
        """Enter a context manager, and return its value."""
        value = context.__enter__()
        self._entries.append((context.__exit__, False))
        return value

    async def enter_async(self, context: AbstractAsyncContextManager[Any]) -> Any:
        """Enter an async context manager, and return its value."""
        value = await context.__aenter__()
        self._entries.append((context.__aexit__, True))
        return value

    async def enter_in_thread(
        self, make: Callable[[], AbstractContextManager[Any]], threads: Threads, closing: Threads
    ) -> Any:
        """Make and enter a context manager in a worker thread; it is left in one of `closing`.

        That nobody else may fill: who closes must not wait for who opens.
        """
        place = _InThread(make, threads, closing)
        self._entries.append((place.leave, True))  # first: who is cancelled leaves what the thread goes on to enter
        return await threads.finish(place.work)

    def push(self, leave: Callable[[], None]) -> None:
        """Let `leave()` be called among the exits."""
        self._entries.append((lambda *_: leave(), False))

    async def close(self, exc: BaseException | None, *, keep: int = 0) -> list[Exception]:
        """Run the exits down to the first `keep`, with the exception under way; return what they raised on their own.

        The last of those is what is under way afterwards.
        """
        entries, self._entries = self._entries[keep:], self._entries[:keep]
        if any(is_async for _, is_async in entries):
            return await shielded(_leave_all(entries, exc), CLOSE_PATIENCE)
        return await _leave_all(entries, exc)


async def _leave_all(entries: list[tuple[Leave, bool]], exc: BaseException | None) -> list[Exception]:
    failures: list[Exception] = []
    stopped: BaseException | None = None
    for leave, is_async in reversed(entries):
        try:
            result = leave(*((None, None, None) if exc is None else (type(exc), exc, exc.__traceback__)))
            if is_async:
                await result
        except Exception as failure:
            if failure is not exc:
                failure.__context__ = failure.__context__ or exc
                failures.append(failure)
                exc = failure
        except BaseException as stop:  # cancelled for good, or the process ends: the others still run
            stopped = stop if stop is not exc else stopped
            exc = stop
    if stopped is not None:
        raise stopped
    return failures


class _InThread:
    """A context manager that is made, entered and left in worker threads, in one context of context variables."""

    __slots__ = ("_closing", "_make", "_managed", "work")

    def __init__(self, make: Callable[[], AbstractContextManager[Any]], threads: Threads, closing: Threads) -> None:
        self._make = make
        self._closing = closing
        self._managed: AbstractContextManager[Any] | None = None
        self.work: Work[Any] = threads.submit(copy_context(), self._enter)

    def _enter(self) -> Any:
        managed = self._make()
        value = managed.__enter__()
        self._managed = managed
        return value

    async def leave(self, *details: Any) -> None:
        """Leave it, if it was entered; what is entered right now is waited for."""
        if not self.work.future.done():
            await asyncio.gather(asyncio.wrap_future(self.work.future), return_exceptions=True)
        if self._managed is not None:
            leave = partial(self._managed.__exit__, *details)
            await self._closing.finish(self._closing.submit(renewed(self.work.context), leave))
