"""How does synchronous code run beside the event loop, and who keeps a background task alive?

`Threads` runs `def` handlers and providers in worker threads of its own, with
the context of the task that waits. `BackgroundTasks` holds the tasks that
nobody waits for. An app has one of each; there is no global one. `shielded` lets
a cleanup end that a cancellation would cut short, `end` sees to it that a task is over.
"""

import asyncio
import gc
import logging
from collections.abc import Callable, Coroutine, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import Context, copy_context
from functools import partial
from types import MethodType
from typing import Any, Final, Generic, ParamSpec, TypeVar

import msgspec

__all__ = ["BackgroundTasks", "Threads", "Work", "end", "renewed", "shielded"]

_P = ParamSpec("_P")
_T = TypeVar("_T")

_UNSET: Final = object()
_CANCEL_GRACE: Final = 5.0
"""Seconds that cancelled tasks get to clean up; one that refuses to end can't hold a shutdown."""

_IN_STEPS: Final = frozenset(
    {
        "async_generator",
        "async_generator_asend",
        "async_generator_athrow",
        "coroutine",
        "coroutine_wrapper",
        "generator",
    }
)
"""Types of what runs in steps, and so has a frame or leads to one."""

_logger = logging.getLogger("nexios")


class Work(msgspec.Struct, Generic[_T], frozen=True, eq=False):
    """A call that was given to a worker thread. Cancelling `future` works while the call waits in line."""

    future: "Future[_T]"
    context: Context
    before: Context
    """What was set when the call was made."""


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
        return await self.finish(self.submit(copy_context(), partial(fn, *args, **kwargs)))

    def submit(self, context: Context, call: Callable[[], _T]) -> "Work[_T]":
        """Let a worker thread make a call in `context`, which keeps what the call sets; `finish` gives the result.

        A context may be used for one call after the other, see `renewed`: tokens of its variables stay good.
        """
        before = context.copy()
        return Work(self._started().submit(_call, context, call), context, before)

    async def finish(self, work: "Work[_T]") -> _T:
        """Return what the call gave, and set what it set; as `run_in_thread`."""
        future = asyncio.wrap_future(work.future)
        try:
            return await future
        finally:
            if future.done() and not future.cancelled():
                _take_over(work.context, work.before)

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


def renewed(context: Context) -> Context:
    """Return `context`, in which everything is now set that is set in the current one."""
    for variable, value in copy_context().items():
        if context.get(variable, _UNSET) is not value:
            context.run(variable.set, value)
    return context


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


async def end(task: "asyncio.Task[Any]", patience: float) -> None:
    """Cancel a task and wait until it is over. After each `patience` seconds it is cancelled once more.

    For tasks that would go on for ever: a library may keep a cancellation to itself, as `asyncio.wait_for` does before
    Python 3.12 where one comes just when its future is done.
    """
    while not task.done():
        task.cancel()
        await asyncio.wait((task,), timeout=patience)


class shielded(Generic[_T]):
    """Awaits a coroutine in the current task, and lets a cancellation wait until it is over.

    In the same task and context, because a cleanup may reset context variables or leave task groups,
    which `asyncio.shield` would break. A cancellation that arrives meanwhile is raised after the
    end; when the coroutine does not end within `patience` seconds after it, it is passed on.

    An `asyncio.timeout` inside the coroutine works as ever: it cancels the task too, and that is passed on at
    once. What a task group inside cancels looks like a cancellation from outside, and is passed on as late.
    """

    __slots__ = ("_cancelled", "_coroutine", "_deadline", "_patience")

    def __init__(self, coroutine: Coroutine[Any, Any, _T], patience: float) -> None:
        self._coroutine = coroutine
        self._patience = patience
        self._cancelled: asyncio.CancelledError | None = None
        self._deadline: float | None = None

    def __await__(self) -> Generator[Any, Any, _T]:
        before = _cancelling()
        try:
            result = yield from self._run()
        except Exception as exc:
            if self._cancelled is not None and _cancelling() > before:
                raise self._cancelled from exc
            raise
        if self._cancelled is not None and _cancelling() > before:
            raise self._cancelled
        return result

    def _run(self) -> Generator[Any, Any, _T]:
        while True:
            try:
                future = self._coroutine.send(None)
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]
            if future is None:
                yield from self._turn()
            else:
                future._asyncio_future_blocking = False  # it is this loop that waits for it, by asyncio.wait
                yield from self._outlast(future)

    def _turn(self) -> Generator[None, None, None]:
        """One turn of the event loop, as `asyncio.sleep(0)` asks for."""
        try:
            yield
        except asyncio.CancelledError as exc:
            self._remember(exc)

    def _outlast(self, future: "asyncio.Future[object]") -> Generator[Any, Any, None]:
        while not future.done():
            left = None if self._deadline is None else self._deadline - asyncio.get_running_loop().time()
            if left is not None and left <= 0:
                future.cancel()
                self._deadline = left = None
            try:
                yield from asyncio.wait((future,), timeout=left).__await__()
            except asyncio.CancelledError as exc:
                if _has_timed_out(self._coroutine):
                    future.cancel()
                else:
                    self._remember(exc)

    def _remember(self, exc: asyncio.CancelledError) -> None:
        self._cancelled = exc
        if self._deadline is None:
            self._deadline = asyncio.get_running_loop().time() + self._patience


def _has_timed_out(coroutine: object) -> bool:
    """Whether an `asyncio.timeout` around what the coroutine waits for is over; its frames know, and nobody else."""
    waiting: list[object] = [coroutine]
    seen: set[int] = set()
    while waiting:
        for held in gc.get_referents(waiting.pop()):
            if isinstance(held, MethodType) and isinstance(held.__self__, asyncio.Timeout) and held.__self__.expired():
                return True
            if type(held).__name__ in _IN_STEPS and id(held) not in seen:
                seen.add(id(held))
                waiting.append(held)
    return False


def _cancelling() -> int:
    """How many cancellations of the current task were asked for and not taken back."""
    task = asyncio.current_task()
    return 0 if task is None else task.cancelling()
