"""When does an application begin and end? Contexts, mounted apps and hooks, undone in reverse order.

start   lifespan contexts, mounted apps, dependencies of the app, startup hooks, the `startup` event
stop    the `shutdown` event, background tasks, shutdown hooks (last first), dependencies, mounted apps, contexts

When the start fails, what had started is undone: shutdown hooks run then too, so they should
bear to find nothing to close. One that fails does not keep the others from running.
"""

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Any, Protocol

from nexios._injection.app_values import AppValues
from nexios._injection.graph import Node
from nexios._pipeline.lifespan_checks import check_context, check_entered, check_hook
from nexios.concurrency import BackgroundTasks, Threads
from nexios.errors import ConfigurationError
from nexios.events.emitter import EventEmitter
from nexios.events.names import SHUTDOWN, STARTUP
from nexios.messages.state import State

__all__ = ["Hook", "Lifespan", "LifespanContext", "Startable"]

Hook = Callable[[], Any]
"""A function without arguments, sync or async."""

LifespanContext = Callable[[Any], AbstractAsyncContextManager[Mapping[str, Any] | None]]
"""Takes the app; what it yields, if a mapping, goes to `app.state`."""

logger = logging.getLogger("nexios")


class Startable(Protocol):
    """A mounted application, nexios or foreign."""

    async def start(self) -> None:
        """Begin."""

    async def stop(self) -> None:
        """End."""


class Lifespan:
    """The beginning and the end of one app; `start` and `stop` are each effective once."""

    def __init__(
        self,
        *,
        app: Any,
        state: State,
        contexts: Sequence[LifespanContext],
        mounted: Sequence[Startable],
        on_startup: Sequence[Hook],
        on_shutdown: Sequence[Hook],
        emitter: EventEmitter,
        background: BackgroundTasks,
        threads: Threads,
        app_values: AppValues,
        startup_timeout: float | None,
        shutdown_grace: float,
    ) -> None:
        """Take everything, and raise `ConfigurationError` for a context or a hook that could not run."""
        for context in contexts:
            check_context(context)
        for hook in on_startup:
            check_hook(hook, "on_startup")
        for hook in on_shutdown:
            check_hook(hook, "on_shutdown")
        self._app = app
        self._state = state
        self._contexts = contexts
        self._mounted = mounted
        self._on_startup = on_startup
        self._on_shutdown = on_shutdown
        self._emitter = emitter
        self._background = background
        self._threads = threads
        self._app_values = app_values
        self._startup_timeout = startup_timeout
        self._shutdown_grace = shutdown_grace
        self._stack: AsyncExitStack | None = None

    async def start(self, of_app: Iterable[Node] = ()) -> None:
        """Start everything, dependencies of the app too, or undo what had started and raise why."""
        if self._stack is not None:
            raise ConfigurationError("The app has started already; it can be started again after it has stopped.")
        self._stack = AsyncExitStack()
        try:
            async with asyncio.timeout(self._startup_timeout) as limit:
                await self._enter(self._stack, of_app)
        except BaseException as exc:
            await self._leave(exc)
            if isinstance(exc, TimeoutError) and limit.expired():
                raise TimeoutError(
                    f"The app did not start within startup_timeout={self._startup_timeout:g} s."
                ) from exc
            raise

    async def stop(self) -> None:
        """Stop everything that started. Stopping what never started does nothing."""
        if self._stack is not None:
            await self._emit_quietly(SHUTDOWN)
            await self._leave(None)

    async def _enter(self, stack: AsyncExitStack, of_app: Iterable[Node]) -> None:
        stack.callback(self._threads.close)
        for context in self._contexts:
            entered = context(self._app)
            check_entered(context, entered)
            yielded = await stack.enter_async_context(entered)
            if isinstance(yielded, Mapping):
                self._state.update(**yielded)
        for mounted in self._mounted:
            await mounted.start()
            stack.push_async_callback(_quietly, mounted.stop)
        stack.push_async_exit(self._close_app_values)
        await self._app_values.start(of_app)
        for hook in self._on_shutdown:
            stack.push_async_callback(_quietly, hook)
        stack.push_async_callback(self._background.drain, self._shutdown_grace)
        for hook in self._on_startup:
            await _called(hook)
        await self._emitter.emit(STARTUP, self._app)

    async def _leave(self, exc: BaseException | None) -> None:
        """Run the exits; a context is told why, as an `async with` block would tell it."""
        stack, self._stack = self._stack, None
        if stack is None:
            return
        try:
            details = (type(exc), exc, exc.__traceback__) if exc is not None else (None, None, None)
            await stack.__aexit__(*details)
        except Exception as failure:
            if failure is not exc:
                logger.exception("the app's lifespan context failed while it was left")

    async def _close_app_values(self, _kind: object, exc: BaseException | None, _traceback: object) -> None:
        for failure in await self._app_values.close(exc):
            logger.error("closing a dependency of the app failed", exc_info=failure)

    async def _emit_quietly(self, name: str) -> None:
        try:
            await self._emitter.emit(name, self._app)
        except Exception:
            logger.exception("a listener of the event %s failed", name)


async def _called(hook: Hook) -> None:
    result = hook()
    if inspect.isawaitable(result):
        await result


async def _quietly(hook: Callable[[], Awaitable[Any] | Any]) -> None:
    try:
        await _called(hook)
    except Exception:
        logger.exception("the shutdown of %s failed", getattr(hook, "__qualname__", hook))
