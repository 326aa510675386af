"""Who closes what providers opened? The last opened first, whatever happens, like nested `with` blocks.

An exit sees the exception that is under way and may raise another in its place; it cannot
swallow it. All exits run, whatever the others raise. A cancellation that arrives while they
run waits for them (`shielded`).
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from functools import partial
from typing import Any, Final

from nexios.concurrency import Threads, shielded

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

    async def enter_in_thread(self, context: AbstractContextManager[Any], threads: Threads, closing: Threads) -> Any:
        """Enter a context manager in a worker thread; it is left in one of `closing`, which nobody else may fill."""
        value = await threads.run_in_thread(context.__enter__)
        leave: Leave = context.__exit__
        self._entries.append((partial(closing.run_in_thread, leave), True))
        return value

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
