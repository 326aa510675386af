"""How long may a client take? A timer that costs nothing when there is nothing to wait for."""

import asyncio
import types
from collections.abc import Coroutine, Generator
from typing import Any, TypeVar

__all__ = ["within"]

T = TypeVar("T")


@types.coroutine
def within(coroutine: Coroutine[Any, Any, T], seconds: float | None) -> Generator[Any, Any, T]:
    """Await `coroutine`; when it has to wait, for `seconds` at most (None: as long as it takes).

    What a server has received already is there at once, and then no timer is made.

    Raises:
        TimeoutError: The time is over; the coroutine was cancelled.
    """
    steps = coroutine.__await__()
    try:
        waiting = next(steps)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]
    result: T = yield from _timed(_Rest(steps, waiting), seconds).__await__()
    return result


async def _timed(rest: "_Rest", seconds: float | None) -> Any:
    async with asyncio.timeout(seconds):
        return await rest


class _Rest:
    """The rest of a coroutine that was begun elsewhere: it had yielded `waiting`."""

    __slots__ = ("_steps", "_waiting")

    def __init__(self, steps: Generator[Any, Any, Any], waiting: Any) -> None:
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
