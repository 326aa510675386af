"""How does a blocking file call run beside the event loop, so that nothing is left behind when it is cancelled?

A worker thread cannot be interrupted. `asyncio.to_thread` returns at once when the
task is cancelled, while the call goes on with a file that is then closed under it.
Here the call always ends first, and the cancellation follows.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import ParamSpec, TypeVar

__all__ = ["finish", "finish_in_thread"]

_P = ParamSpec("_P")
_T = TypeVar("_T")


async def finish_in_thread(call: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """Return what `call` returns in a worker thread; the call is over when this returns or raises.

    Meant for short file operations: a cancelled task waits for the one that runs.
    A future and not a task, because a loop that stops cancels every task.
    """
    return await finish(asyncio.get_running_loop().run_in_executor(None, partial(call, *args, **kwargs)))


async def finish(work: "asyncio.Future[_T]") -> _T:
    """Wait for a call that a thread has begun; when the task is cancelled, that follows the end of the call."""
    cancelled: asyncio.CancelledError | None = None
    while not work.done():
        try:
            await asyncio.wait([work])
        except asyncio.CancelledError as exc:
            cancelled = cancelled or exc
    if cancelled is not None:
        if not work.cancelled():
            work.exception()
        raise cancelled
    return work.result()
