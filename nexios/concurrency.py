"""How does synchronous code run beside the event loop, and who keeps a background task alive?

`Threads` runs `def` handlers and providers in worker threads of its own, with
the context of the task that waits. `BackgroundTasks` holds the tasks that
nobody waits for. An app has one of each; there is no global one.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context, copy_context
from functools import partial
from typing import Final, ParamSpec, TypeVar

__all__ = ["BackgroundTasks", "Threads"]

_P = ParamSpec("_P")
_T = TypeVar("_T")

_UNSET: Final = object()
_CANCEL_GRACE: Final = 5.0
"""Seconds that cancelled tasks get to clean up; one that refuses to end can't hold a shutdown."""

_logger = logging.getLogger("nexios")


class Threads:
    """Worker threads, at most `limit` of them, that start when they are first needed.

    One per app, for one event loop at a time. More calls than threads wait in
    line without blocking the loop.

    Raises:
        ValueError: `limit` is under 1.
    """

    __slots__ = ("_executor", "_limit")

    def __init__(self, limit: int) -> None:
        if limit < 1:
            raise ValueError(f"a limit of {limit} threads runs nothing; use 1 or more")
        self._limit = limit
        self._executor: ThreadPoolExecutor | None = None

    @property
    def limit(self) -> int:
        """How many calls run at once."""
        return self._limit

    async def run_in_thread(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Return what `fn` returns in a worker thread; its exceptions arrive as they were raised.

        Context variables are visible in the thread, and what the thread sets is set in the calling task
        afterwards, also when `fn` fails. A thread cannot be interrupted: when the caller is cancelled, a call
        that still waits in line never runs, and one that runs goes on, keeps its thread until its end, and
        what it returns or sets is dropped.

        Raises:
            RuntimeError: `fn` raised StopIteration, which no coroutine can pass on (PEP 479).
        """
        context = copy_context()
        before = context.copy()
        call = partial(fn, *args, **kwargs)
        work = asyncio.get_running_loop().run_in_executor(self._started(), _call, context, call)
        try:
            return await work
        finally:
            if work.done() and not work.cancelled():
                _take_over(context, before)

    def begin(self, call: Callable[[], _T]) -> "asyncio.Future[_T]":
        """Let a worker thread make a call, in whatever context it brings along; it is waited for by the caller."""
        return asyncio.get_running_loop().run_in_executor(self._started(), call)

    def close(self) -> None:
        """Let the threads end when the calls that were made are over; does not wait. A later call starts new ones."""
        executor, self._executor = self._executor, None
        if executor is not None:
            executor.shutdown(wait=False)

    def _started(self) -> ThreadPoolExecutor:
        if self._executor is None:
            self._executor = ThreadPoolExecutor(self._limit, thread_name_prefix="nexios")
        return self._executor


def _call(context: Context, fn: Callable[[], _T]) -> _T:
    """A future cannot hold StopIteration; under older Pythons the task that awaits it would never wake."""
    try:
        return context.run(fn)
    except StopIteration as exc:
        raise RuntimeError("the function that ran in a thread raised StopIteration") from exc


def _take_over(context: Context, before: Context) -> None:
    """Set in the current context what changed in another one."""
    for variable, value in context.items():
        if before.get(variable, _UNSET) is not value:
            variable.set(value)


class BackgroundTasks:
    """The tasks of an app that nobody awaits.

    One per app. Holds each task until it ends, as the event loop itself would let it be collected.
    """

    __slots__ = ("_tasks",)

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[object]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    def spawn(self, coroutine: Coroutine[object, object, object], *, name: str) -> asyncio.Task[object]:
        """Run `coroutine` beside the current task; a failure is logged once, under `name`."""
        task = asyncio.get_running_loop().create_task(coroutine, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._forget)
        return task

    async def drain(self, grace: float) -> None:
        """Wait `grace` seconds for all tasks, also those that are spawned meanwhile, then cancel the others."""
        await self._wait(grace)
        left = self._others()
        if not left:
            return
        _logger.warning("%d background task(s) did not end in %g s and were cancelled", len(left), grace)
        for task in left:
            task.cancel()
        await self._wait(_CANCEL_GRACE)

    async def _wait(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while (others := self._others()) and (left := deadline - loop.time()) >= 0:
            await asyncio.wait(others, timeout=left)

    def _others(self) -> set[asyncio.Task[object]]:
        """A task that drains can't wait for itself."""
        return self._tasks - {asyncio.current_task()}

    def _forget(self, task: asyncio.Task[object]) -> None:
        self._tasks.discard(task)
        exc = None if task.cancelled() else task.exception()
        if exc is not None:
            _logger.error("background task %r failed", task.get_name(), exc_info=exc)
