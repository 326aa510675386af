"""Every kind of exception at every place it can come up: status, log records, cleanup, and what the server sees.

The kinds: an answer that is raised; a programming error; an error that a handler of the app expects;
several errors at once; and two that no framework may hold back. The places are the columns of a
request's life. Dependencies and validation of typed inputs do not exist yet; they are columns to come.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from nexios import HTTPException, NexiosApp, Request, Response
from nexios._pipeline.middleware import CallNext
from nexios.routing.converters import Converter
from nexios.testing.raw import RawAnswer, call


class Expected(Exception):
    """The app has a handler for it, which answers 409."""


KINDS: dict[str, Callable[[], BaseException]] = {
    "HTTPException": lambda: HTTPException(403),
    "ValueError": lambda: ValueError("inside"),
    "mapped": lambda: Expected("inside"),
    "group": lambda: BaseExceptionGroup("several", [ValueError("one"), Expected("two")]),
    "CancelledError": lambda: asyncio.CancelledError(),
    "SystemExit": lambda: SystemExit(3),
}


@dataclass
class Cell:
    """What happens: a status (0 for none), how many records are logged, and what leaves the app."""

    status: int
    records: int = 0
    escapes: type[BaseException] | None = None
    complete: bool = True


ANSWERED = {
    "HTTPException": Cell(403),
    "ValueError": Cell(500, 1),
    "mapped": Cell(409),
    "group": Cell(500, 1),
    "CancelledError": Cell(0, 0, asyncio.CancelledError, False),
    "SystemExit": Cell(0, 0, SystemExit, False),
}
"""Where nothing was sent yet: an error is an answer, and the two go through."""

NO_MATCH = {
    **dict.fromkeys(("HTTPException", "ValueError", "mapped", "group"), Cell(404)),
    "CancelledError": ANSWERED["CancelledError"],
    "SystemExit": ANSWERED["SystemExit"],
}
"""A converter that refuses a text, with whatever exception, says that its route is not meant."""

BROKEN_OFF = {
    "HTTPException": Cell(200, 1, HTTPException, False),
    "ValueError": Cell(200, 1, ValueError, False),
    "mapped": Cell(200, 1, Expected, False),
    "group": Cell(200, 1, BaseExceptionGroup, False),
    "CancelledError": Cell(200, 0, asyncio.CancelledError, False),
    "SystemExit": Cell(200, 0, SystemExit, False),
}
"""A response that began is never ended as if it were whole: the server closes the connection."""

LOGGED = {
    **dict.fromkeys(("HTTPException", "ValueError", "mapped", "group"), Cell(200, 1)),
    "CancelledError": Cell(200),
}
"""The response is whole and stays so."""

SITES: dict[str, dict[str, Cell]] = {
    "app middleware before call_next": ANSWERED,
    "app middleware after call_next": ANSWERED,
    "route middleware before call_next": ANSWERED,
    "route middleware after call_next": ANSWERED,
    "converter": NO_MATCH,
    "handler": ANSWERED,
    "handler in a thread": ANSWERED,
    "handler below a mount": {**ANSWERED, "mapped": Cell(500, 1)},
    "conversion of the return value": ANSWERED,
    "first chunk of a stream": BROKEN_OFF,
    "later chunk of a stream": BROKEN_OFF,
    "background task": LOGGED,
    "background task in a thread": LOGGED,
    "listener of request.started": {**LOGGED, "CancelledError": ANSWERED["CancelledError"]},
    "listener of request.finished": {**LOGGED, "CancelledError": ANSWERED["CancelledError"]},
}

CELLS = [
    pytest.param(site, kind, cell, id=f"{kind} in {site}") for site, row in SITES.items() for kind, cell in row.items()
]


@dataclass
class World:
    """An app in which one exception comes up at one place, and the traces it leaves."""

    error: BaseException
    site: str
    traces: list[str] = field(default_factory=list)

    def fail_at(self, *sites: str) -> None:
        if self.site in sites:
            raise self.error

    def app(self) -> NexiosApp:
        app = NexiosApp(middleware=[self.cleaning, self.around("app")], exception_handlers={Expected: self.conflict})
        app.register_path_converter("risky", self.converter())
        app.add_route("/{x:risky}", self.handler, middleware=[self.around("route")])
        app.add_route("/thread/{x}", self.in_thread)
        if self.site == "handler below a mount":
            mounted = NexiosApp()
            mounted.add_route("/x", self.handler)
            app.mount("/mounted", mounted)
        if self.site.startswith("listener"):
            app.event_emitter.on(self.site.rpartition(" ")[2], self.listener)
        return app

    @property
    def path(self) -> str:
        return {"handler in a thread": "/thread/x", "handler below a mount": "/mounted/x"}.get(self.site, "/x")

    async def cleaning(self, request: Request, response: Response, call_next: CallNext) -> Response:
        try:
            return await call_next()
        finally:
            self.traces.append("cleaned")

    def around(self, level: str) -> Callable[[Request, Response, CallNext], Awaitable[Response]]:
        async def middleware(request: Request, response: Response, call_next: CallNext) -> Response:
            self.fail_at(f"{level} middleware before call_next")
            answer = await call_next()
            self.fail_at(f"{level} middleware after call_next")
            return answer

        return middleware

    def converter(self) -> Converter[str]:
        world = self

        class Risky(Converter[str]):
            def convert(self, text: str) -> str:
                world.fail_at("converter")
                return text

            def format(self, value: str) -> str:
                return value

        return Risky()

    async def handler(self, request: Request, response: Response) -> object:
        self.fail_at("handler", "handler below a mount")
        if self.site == "conversion of the return value":
            return {"value": Unwilling(self)}
        if "chunk" in self.site:
            return response.stream(self.chunks())
        if self.site == "background task":
            response.add_background(self.task).add_background(self.next_task)
        if self.site == "background task in a thread":
            response.add_background(self.task_in_thread).add_background(self.next_task)
        return response.text("whole")

    def in_thread(self, request: Request, response: Response) -> str:
        self.fail_at("handler in a thread")
        return "whole"

    async def chunks(self) -> AsyncIterator[str]:
        try:
            self.fail_at("first chunk of a stream")
            yield "one"
            self.fail_at("later chunk of a stream")
        finally:
            self.traces.append("stream closed")

    async def task(self) -> None:
        self.traces.append("first task")
        raise self.error

    def task_in_thread(self) -> None:
        self.traces.append("first task")
        raise self.error

    async def next_task(self) -> None:
        self.traces.append("next task")

    async def listener(self, *payload: object) -> None:
        raise self.error

    @staticmethod
    async def conflict(request: Request, response: Response, exc: Exception) -> Response:
        return response.status(409).text("conflict")


class Unwilling:
    """A model that fails while it is written as JSON."""

    def __init__(self, world: World) -> None:
        self.world = world

    def model_dump(self, *, mode: str, by_alias: bool) -> object:
        raise self.world.error


class Escaped(Exception):
    """SystemExit would end the event loop of the tests."""


async def run(world: World) -> RawAnswer:
    app = world.app()

    async def guarded(scope: Any, receive: Any, send: Any) -> None:
        try:
            await app(scope, receive, send)
        except SystemExit as exc:
            raise Escaped from exc

    answer = await call(guarded, path=world.path)
    if isinstance(answer.error, Escaped):
        answer.error = answer.error.__cause__
    return answer


@pytest.mark.parametrize(("site", "kind", "cell"), CELLS)
async def test_every_exception_has_its_answer(
    site: str, kind: str, cell: Cell, caplog: pytest.LogCaptureFixture
) -> None:
    world = World(KINDS[kind](), site)
    answer = await run(world)

    escaped = type(answer.error) if answer.error is not None else None
    assert (answer.status, len(caplog.records), answer.complete) == (cell.status, cell.records, cell.complete)
    assert escaped is cell.escapes or (cell.escapes is not None and isinstance(answer.error, cell.escapes))
    assert {record.name for record in caplog.records} <= {"nexios"}
    assert all(record.levelno == logging.ERROR for record in caplog.records)


@pytest.mark.parametrize(("site", "kind"), [(site, kind) for site, row in SITES.items() for kind in row])
async def test_whatever_happens_the_middleware_around_it_cleans_up(site: str, kind: str) -> None:
    world = World(KINDS[kind](), site)

    await run(world)

    ran = not (site == "listener of request.started" and kind == "CancelledError")
    assert ("cleaned" in world.traces) is ran
    assert ("stream closed" in world.traces) is ("chunk" in site)


@pytest.mark.parametrize("kind", list(LOGGED))
@pytest.mark.parametrize("site", ["background task", "background task in a thread"])
async def test_after_a_failed_background_task_the_next_one_runs_unless_they_are_cancelled(site: str, kind: str) -> None:
    world = World(KINDS[kind](), site)

    await run(world)

    following = [] if kind == "CancelledError" else ["next task"]
    assert world.traces == ["cleaned", "first task", *following]


@pytest.mark.parametrize("site", ["background task", "listener of request.started"])
def test_a_program_that_ends_itself_is_not_kept_alive(site: str) -> None:
    """SystemExit leaves the event loop, from wherever it is raised."""
    world = World(SystemExit(3), site)

    async def serve() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda loop, details: None)
        await call(world.app(), path=world.path)

    with pytest.raises(SystemExit) as caught:
        asyncio.run(serve())

    assert caught.value.code == 3


async def test_an_error_that_is_answered_is_answered_once_and_not_raised_again() -> None:
    """It was logged and sent; a server that got it as well would log it twice, or close the connection."""
    answer = await run(World(ValueError("inside"), "handler"))

    assert answer.error is None
    assert [message["type"] for message in answer.messages] == ["http.response.start", "http.response.body"]


async def test_a_stream_that_fails_is_neither_begun_twice_nor_ended() -> None:
    answer = await run(World(ValueError("inside"), "later chunk of a stream"))

    assert [(message["type"], message.get("more_body")) for message in answer.messages] == [
        ("http.response.start", None),
        ("http.response.body", True),
    ]


async def lifespan(app: NexiosApp) -> list[str]:
    """Start and stop an app as a server does; return the types of its messages."""
    sent: list[str] = []
    messages = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])

    async def receive() -> Any:
        return next(messages)

    async def send(message: Any) -> None:
        sent.append(message["type"])

    await app({"type": "lifespan", "asgi": {"version": "3.0"}}, receive, send)
    return sent


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize("place", ["hook", "sync hook", "context", "strict listener"])
async def test_a_start_that_fails_is_told_to_the_server_and_undone(
    place: str, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    error = KINDS[kind]()
    traces: list[str] = []
    app = NexiosApp(lifespan=failing_context(error) if place == "context" else None)
    app.on_shutdown(lambda: traces.append("undone"))

    async def fail(*payload: object) -> None:
        raise error

    def fail_at_once() -> None:
        raise error

    if place == "hook":
        app.on_startup(fail)
    if place == "sync hook":
        app.on_startup(fail_at_once)
    if place == "strict listener":
        app.event_emitter.on("startup", fail, strict=True)

    if kind in ("CancelledError", "SystemExit"):
        with pytest.raises(type(error)):
            await lifespan(app)
        assert caplog.records == []
    else:
        assert await lifespan(app) == ["lifespan.startup.failed"]
        assert [record.getMessage() for record in caplog.records] == ["the application did not start"]
    assert traces == ([] if place == "context" else ["undone"])


def failing_context(error: BaseException) -> Callable[[Any], Any]:
    class Context:
        def __init__(self, app: Any) -> None: ...

        async def __aenter__(self) -> None:
            raise error

        async def __aexit__(self, *details: object) -> None: ...

    return Context


@pytest.mark.parametrize("kind", ["HTTPException", "ValueError", "mapped", "group"])
async def test_a_stop_that_fails_is_logged_and_goes_on(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    traces: list[str] = []
    app = NexiosApp()
    app.on_shutdown(lambda: traces.append("last"))

    @app.on_shutdown
    async def fail() -> None:
        raise KINDS[kind]()

    assert await lifespan(app) == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert (traces, len(caplog.records)) == (["last"], 1)
