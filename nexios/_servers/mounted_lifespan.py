"""When does a mounted ASGI application begin and end? By the lifespan protocol (ASGI lifespan 2.0), in its own task."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

__all__ = ["ASGIApp", "MountedLifespan", "end"]

Message = MutableMapping[str, Any]
ASGIApp = Callable[
    [MutableMapping[str, Any], Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]
]

GRACE = 5.0
"""Seconds that a cancelled task gets to clean up; one that refuses to end can't hold a shutdown."""

logger = logging.getLogger("nexios")


async def end(*tasks: "asyncio.Task[Any]") -> None:
    """Cancel tasks and wait until they are over, or the grace is."""
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=GRACE)


class MountedLifespan:
    """The lifespan of one mounted application; it may start again after it has stopped.

    An application that ends or fails before it answers does not speak the protocol, which is fine.
    """

    __slots__ = ("_answers", "_app", "_messages", "_task", "state")

    state: dict[str, Any]
    """What the application put there while it started; each request gets a copy."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._task: asyncio.Task[None] | None = None
        self.state = {}

    async def start(self) -> None:
        """Let the application start.

        Raises:
            RuntimeError: It said that it cannot.
        """
        self.state = {}
        self._messages = _queue("lifespan.startup")
        self._answers: asyncio.Queue[Message] = asyncio.Queue()
        self._task = asyncio.create_task(self._run(), name="lifespan of a mounted application")
        try:
            answer = await self._answer(self._task)
        except BaseException:
            await self._leave(0)
            raise
        if answer is None:
            failure = self._task.exception() if not self._task.cancelled() else None
            logger.info("a mounted application has no lifespan", exc_info=failure)
            self._task = None
        elif answer["type"] == "lifespan.startup.failed":
            await self._leave(GRACE)
            raise RuntimeError(f"A mounted application did not start: {_why(answer)}")

    async def stop(self) -> None:
        """Let the application shut down, if it has a lifespan.

        Raises:
            RuntimeError: It said that the shutdown failed.
            Exception: What its lifespan raised.
        """
        task = self._task
        if task is None:
            return
        try:
            self._messages.put_nowait({"type": "lifespan.shutdown"})
            answer = await self._answer(task)
            if answer is not None and answer["type"] == "lifespan.shutdown.failed":
                raise RuntimeError(
                    f"A mounted application did not stop: {answer.get('message') or 'it did not say why'}"
                )
            if answer is None and not task.cancelled() and (failure := task.exception()) is not None:
                raise failure
        finally:
            await self._leave(GRACE)

    async def _run(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self.state}
        await self._app(scope, self._messages.get, self._answers.put)

    async def _answer(self, task: "asyncio.Task[None]") -> Message | None:
        """The application's next message; None when it ends without one."""
        answer = asyncio.ensure_future(self._answers.get())
        try:
            await asyncio.wait({answer, task}, return_when=asyncio.FIRST_COMPLETED)
            if answer.done():
                return answer.result()
            return self._answers.get_nowait() if not self._answers.empty() else None
        finally:
            answer.cancel()

    async def _leave(self, grace: float) -> None:
        """Let the application end by itself after its last message; what it still raises is known already."""
        task, self._task = self._task, None
        if task is None:
            return
        await asyncio.wait({task}, timeout=grace)
        await end(task)
        if task.done() and not task.cancelled():
            task.exception()


def _queue(first: str) -> "asyncio.Queue[Message]":
    messages: asyncio.Queue[Message] = asyncio.Queue()
    messages.put_nowait({"type": first})
    return messages


def _why(answer: Message) -> str:
    return str(answer.get("message") or "it did not say why")
