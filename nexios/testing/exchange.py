"""What does a client hold of one exchange? The task in which the app answers, and the errors that came up in it."""

import asyncio
from collections.abc import Awaitable, Callable, Generator, Iterable
from contextlib import contextmanager
from contextvars import Context, ContextVar, copy_context
from functools import partial
from typing import Final

from nexios._pipeline.engine import Engine
from nexios._servers.faults import send_failed
from nexios.application import NexiosApp
from nexios.errors import ClientDisconnect
from nexios.messages.request import Request
from nexios.messages.response import Response
from nexios.messages.send import send_response
from nexios.routing.flatten import flatten
from nexios.testing.legal import check_length, check_message
from nexios.testing.transport import MemoryTransport

__all__ = ["GRACE", "Exchange", "Serve", "errors_noted", "serve_in_memory", "unhandled_in"]

Serve = Callable[[MemoryTransport], Awaitable[None]]
"""Answers one exchange."""

GRACE: Final = 5.0
"""Seconds an app may go on with an exchange after its client has gone; then it is cancelled."""

_unhandled: ContextVar[list[Exception]] = ContextVar("nexios_testing_unhandled")


async def serve_in_memory(engine: Engine, transport: MemoryTransport) -> None:
    """Answer one exchange by the engine alone, with no server interface in between."""
    path = transport.path
    request = Request(transport, engine, transport.method, path, path)
    if transport.root_path:
        request.enter(transport.root_path)
    response: Response | None = None
    broken: BaseException | None = None
    try:
        response = await engine.handle(request)
        await send_response(transport, request, response)
    except Exception as exc:
        broken = exc
        if not transport.started and not isinstance(exc, ClientDisconnect):
            _note(request, exc)
        await send_failed(transport, request, exc)
    except BaseException as exc:
        broken = exc
        raise
    finally:
        await engine.finish(request, response, broken)


class Exchange:
    """One exchange from the client's side; it begins when it is made, in a task and a context of its own."""

    def __init__(self, transport: MemoryTransport, serve: Serve) -> None:
        self.transport = transport
        self._seen: BaseException | None = None
        context = copy_context()
        self.unhandled: list[Exception] = unhandled_in(context)
        """What came up in the app and nobody expected."""
        self._task = asyncio.get_running_loop().create_task(self._run(serve), context=context)

    @property
    def task(self) -> "asyncio.Task[None]":
        """The task in which the app answers."""
        return self._task

    async def _run(self, serve: Serve) -> None:
        try:
            await serve(self.transport)
        finally:
            await self.transport.close()

    async def end(self, grace: float = GRACE) -> None:
        """Leave, and wait until the app is done; it is cancelled after `grace` seconds."""
        self.transport.leave()
        if not self._task.done() and grace:
            await asyncio.wait({self._task}, timeout=grace)
        if not self._task.done():
            self._task.cancel()
            await asyncio.wait({self._task}, timeout=GRACE)

    async def finished(self) -> None:
        """Wait until the app is done with an exchange whose response is whole or broken off."""
        await asyncio.wait({self._task})

    def take_error(self) -> BaseException | None:
        """Return what went wrong in the app: what left it, or was not handled. Each error once."""
        error: BaseException | None = self.unhandled[-1] if self.unhandled else None
        if self._task.done() and not self._task.cancelled():
            error = self._task.exception() or error
        if error is self._seen:
            return None
        self._seen = error
        return error

    def check_head(self) -> None:
        """Check the head of the response. Raises `IllegalSequence`."""
        transport = self.transport
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in transport.response_headers]
        start = {"type": "http.response.start", "status": transport.status, "headers": headers}
        check_message(transport.method, [], start)

    def check_size(self, size: int) -> None:
        """Check that a whole response had `size` bytes. Raises `IllegalSequence`."""
        transport = self.transport
        for name, value in transport.response_headers:
            if name == "content-length":
                check_length(transport.method, transport.status, int(value), size)


def unhandled_in(context: Context) -> list[Exception]:
    """Return the list that will hold the unhandled errors of what runs in `context`."""
    errors: list[Exception] = []
    context.run(_unhandled.set, errors)
    return errors


@contextmanager
def errors_noted(app: NexiosApp) -> Generator[None, None, None]:
    """While this lasts, exchanges hear of the unhandled errors of `app` and of the apps mounted in it."""
    emitters = [one.event_emitter for one in _with_mounted(app, set())]
    own = partial(_note)  # another client's listener is not equal to it
    for emitter in emitters:
        emitter.on("error", own)
    try:
        yield
    finally:
        for emitter in emitters:
            emitter.off("error", own)


def _note(request: Request, exc: Exception) -> None:
    errors = _unhandled.get(None)
    if errors is not None and exc not in errors:
        errors.append(exc)


def _with_mounted(app: NexiosApp, seen: set[int]) -> Iterable[NexiosApp]:
    if id(app) in seen:
        return
    seen.add(id(app))
    yield app
    for mount in flatten(app).mounts:
        if isinstance(mount.app, NexiosApp):
            yield from _with_mounted(mount.app, seen)
