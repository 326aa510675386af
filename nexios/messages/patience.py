"""How long may a client take? A timer that costs nothing when there is nothing to wait for."""

import asyncio
from collections.abc import Coroutine, Generator
from typing import Any, TypeVar

__all__ = ["Rest", "going_on"]

T = TypeVar("T")


async def going_on(steps: Coroutine[Any, Any, T], waiting: Any, seconds: float | None) -> T:
    """Await the rest of a coroutine that was begun by `send(None)` and then waited for `waiting`.

    Who begins a read like this makes a timer only where it has to wait: what a server has received
    already is there at once. `seconds` None waits as long as it takes.

    Raises:
        TimeoutError: The time is over; the coroutine was cancelled.
    """
    async with asyncio.timeout(seconds):
        result: T = await Rest(steps, waiting)
        return result


class Rest:
    """The rest of a coroutine that was begun by `send(None)` and then waited for `waiting`, to be awaited once."""

    __slots__ = ("_steps", "_waiting")

    def __init__(self, steps: Coroutine[Any, Any, Any], waiting: Any) -> None:
        self._steps = steps
        self._waiting = waiting

    def __await__(self) -> Generator[Any, Any, Any]:
        waiting = self._waiting
        while True:
            failure: BaseException | None = None
            try:
                value = yield waiting
            except BaseException as exc:
                failure = exc
            try:
                waiting = self._steps.send(value) if failure is None else self._steps.throw(failure)
            except StopIteration as done:
                return done.value
