"""How is something cancelled at each of its awaits in turn? By counting them, which no slow machine changes."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Generator
from typing import Any

__all__ = ["Counted", "cancelled_at_each_await"]


class Counted:
    """Awaits a coroutine and cancels the task at its await number `stop_at`, from 0; the awaits are those that wait.

    `awaits` is how many there were.
    """

    def __init__(self, coroutine: Coroutine[Any, Any, None], stop_at: int) -> None:
        self._coroutine = coroutine
        self._stop_at = stop_at
        self.awaits = 0

    def __await__(self) -> Generator[Any, Any, None]:
        step: Callable[[], Any] = lambda: self._coroutine.send(None)  # noqa: E731
        while True:
            try:
                waits_for = step()
            except StopIteration:
                return
            if self.awaits == self._stop_at and (task := asyncio.current_task()) is not None:
                task.cancel()  # the task ends what it waits for as soon as it hears of it
            self.awaits += 1
            try:
                yield waits_for
            except BaseException as exc:
                raised = exc
                step = lambda: self._coroutine.throw(raised)  # noqa: E731, B023
            else:
                step = lambda: self._coroutine.send(None)  # noqa: E731


async def cancelled_at_each_await(make: Callable[[], Coroutine[Any, Any, Any]]) -> AsyncIterator[None]:
    """Run it again and again, cancelled one await later each time; yield after each, until it ends by itself."""
    stop_at = 0
    while True:
        counted = Counted(make(), stop_at)
        task = asyncio.ensure_future(_awaited(counted))
        await asyncio.wait((task,))
        yield
        if counted.awaits <= stop_at:
            task.result()
            return
        stop_at += 1


async def _awaited(counted: Counted) -> None:
    await counted
