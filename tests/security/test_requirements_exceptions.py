"""Promises about exceptions, whatever raises them and wherever: R13 and R14.

One table says of every kind at every place what the client gets, what the log gets and what still ran.
`tests/pipeline/test_exception_matrix*.py` has more places; here are the 54 cells that the requirement names.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
import pytest

from nexios._pipeline.middleware import CallNext
from nexios.application import NexiosApp
from nexios.errors import HTTPException
from nexios.messages.request import Request
from nexios.messages.response import Response
from nexios.routing.converters import Converter
from nexios.testing.client import TestClient
from tests.security.kit import Peer, http_scope


class Mapped(Exception):
    """The app has a handler for it, which answers 409."""


KINDS: Final[dict[str, Callable[[], BaseException]]] = {
    "HTTPException": lambda: HTTPException(403),
    "ValueError": lambda: ValueError("inside"),
    "Mapped": lambda: Mapped("inside"),
    "Group": lambda: BaseExceptionGroup("several", [ValueError("one"), Mapped("two")]),
    "Cancelled": lambda: asyncio.CancelledError(),
    "SystemExit": lambda: SystemExit(3),
}

TABLE: Final = """
    place            kind           status  log  leaves      ran
    before           HTTPException  403     0    -           outer
    before           ValueError     500     1    -           outer
    before           Mapped         409     0    -           outer
    before           Group          500     1    -           outer
    before           Cancelled      -       0    Cancelled   outer
    before           SystemExit     -       0    SystemExit  outer
    after            HTTPException  403     0    -           open handler outer close
    after            ValueError     500     1    -           open handler outer close
    after            Mapped         409     0    -           open handler outer close
    after            Group          500     1    -           open handler outer close
    after            Cancelled      -       0    Cancelled   open handler outer close
    after            SystemExit     -       0    SystemExit  open handler outer close
    dependency       HTTPException  403     0    -           open close outer
    dependency       ValueError     500     1    -           open close outer
    dependency       Mapped         409     0    -           open close outer
    dependency       Group          500     1    -           open close outer
    dependency       Cancelled      -       0    Cancelled   open close outer
    dependency       SystemExit     -       0    SystemExit  open close outer
    converter        HTTPException  404     0    -           outer
    converter        ValueError     404     0    -           outer
    converter        Mapped         404     0    -           outer
    converter        Group          404     0    -           outer
    converter        Cancelled      -       0    Cancelled   outer
    converter        SystemExit     -       0    SystemExit  outer
    validation       HTTPException  403     0    -           open close outer
    validation       ValueError     422     0    -           open close outer
    validation       Mapped         409     0    -           open close outer
    validation       Group          500     1    -           open close outer
    validation       Cancelled      -       0    Cancelled   open close outer
    validation       SystemExit     -       0    SystemExit  open close outer
    handler          HTTPException  403     0    -           open handler close outer
    handler          ValueError     500     1    -           open handler close outer
    handler          Mapped         409     0    -           open handler close outer
    handler          Group          500     1    -           open handler close outer
    handler          Cancelled      -       0    Cancelled   open handler close outer
    handler          SystemExit     -       0    SystemExit  open handler close outer
    render           HTTPException  403     0    -           open handler outer close
    render           ValueError     500     1    -           open handler outer close
    render           Mapped         409     0    -           open handler outer close
    render           Group          500     1    -           open handler outer close
    render           Cancelled      -       0    Cancelled   open handler outer close
    render           SystemExit     -       0    SystemExit  open handler outer close
    background       HTTPException  200     1    -           open handler outer close task next
    background       ValueError     200     1    -           open handler outer close task next
    background       Mapped         200     1    -           open handler outer close task next
    background       Group          200     1    -           open handler outer close task next
    background       Cancelled      200     0    -           open handler outer close task
    background       SystemExit     200     1    SystemExit  open handler outer close task
    cleanup          HTTPException  200     1    -           open handler outer close
    cleanup          ValueError     200     1    -           open handler outer close
    cleanup          Mapped         200     1    -           open handler outer close
    cleanup          Group          200     1    -           open handler outer close
    cleanup          Cancelled      200     0    Cancelled   open handler outer close
    cleanup          SystemExit     200     0    SystemExit  open handler outer close
"""
"""What happens where which exception comes up.

status  of the answer, which is whole; "-" is no answer at all
log     how many records, all of them errors
leaves  what goes through the app to its server
ran     open and close: a dependency; outer: the `finally` of the outermost middleware; task, next: what was to be
        done in the background. A dependency is closed with the request, or at once by what fails inside its route
"""

HEAD, *ROWS = [line.split() for line in TABLE.strip().splitlines()]
PLACES: Final = [*dict.fromkeys(row[0] for row in ROWS)]


@dataclass
class World:
    """An app in which one exception comes up at one place, and the traces it leaves."""

    place: str
    error: BaseException
    traces: list[str] = field(default_factory=list[str])

    def fail_at(self, place: str) -> None:
        if self.place == place:
            raise self.error

    def app(self) -> NexiosApp:
        app = NexiosApp(middleware=[self.outer, self.inner], exception_handlers={Mapped: conflict})
        app.register_path_converter("risky", Risky(self))
        app.add_route("/{x:risky}", self.handler_for_place(), dependencies=[self.opened, self.refusing])
        return app

    async def outer(self, request: Request, response: Response, call_next: CallNext) -> Response:
        try:
            return await call_next()
        finally:
            self.traces.append("outer")

    async def inner(self, request: Request, response: Response, call_next: CallNext) -> Response:
        self.fail_at("before")
        answer = await call_next()
        self.fail_at("after")
        return answer

    async def opened(self) -> AsyncIterator[None]:
        self.traces.append("open")
        try:
            yield
        finally:
            self.traces.append("close")
            self.fail_at("cleanup")

    def refusing(self) -> None:
        self.fail_at("dependency")

    def handler_for_place(self) -> Callable[..., Awaitable[object]]:
        world = self

        class Checked(msgspec.Struct):
            q: str = ""

            def __post_init__(self) -> None:
                world.fail_at("validation")

        async def validated(request: Request, response: Response, body: Checked) -> object:
            return await world.handler(request, response)

        return validated if self.place == "validation" else self.handler

    async def handler(self, request: Request, response: Response) -> object:
        self.traces.append("handler")
        self.fail_at("handler")
        if self.place == "background":
            response.add_background(self.task).add_background(self.next_task)
        return {"value": Unwilling(self)} if self.place == "render" else response.text("whole")

    async def task(self) -> None:
        self.traces.append("task")
        raise self.error

    async def next_task(self) -> None:
        self.traces.append("next")


class Risky(Converter[str]):
    """A path converter that fails in its own way."""

    def __init__(self, world: World) -> None:
        self.world = world

    def convert(self, text: str) -> str:
        self.world.fail_at("converter")
        return text

    def format(self, value: str) -> str:
        return value


class Unwilling:
    """A model that fails while it is written as JSON."""

    def __init__(self, world: World) -> None:
        self.world = world

    def model_dump(self, *, mode: str, by_alias: bool) -> object:
        raise self.world.error


async def conflict(request: Request, response: Response, exc: Exception) -> Response:
    return response.status(409).text("conflict")


def serve(world: World) -> tuple[Peer, BaseException | None]:
    """Serve one request in a loop of its own, which a SystemExit may end; return what came and what left."""
    client = Peer(chunks=iter([b"{}"]))
    head = http_scope("POST" if world.place == "validation" else "GET", "/x", [(b"content-type", b"application/json")])

    async def exchange() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda loop, details: None)
        await app(head, client.receive, client.send)
        if others := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(others)

    app = world.app() if world.place != "validation" else posted(world)
    try:
        asyncio.run(exchange())
    except BaseException as exc:
        return client, exc
    return client, None


def posted(world: World) -> NexiosApp:
    app = NexiosApp(middleware=[world.outer, world.inner], exception_handlers={Mapped: conflict})
    app.post("/x", dependencies=[world.opened])(world.handler_for_place())
    return app


def test_r13_the_table_has_a_row_for_each_kind_at_each_place() -> None:
    assert HEAD == ["place", "kind", "status", "log", "leaves", "ran"]
    assert [(row[0], row[1]) for row in ROWS] == [(place, kind) for place in PLACES for kind in KINDS]
    assert len(ROWS) == 54


@pytest.mark.parametrize(
    ("place", "kind", "status", "log", "leaves", "ran"),
    [pytest.param(*row[:5], row[5:], id=f"{row[1]}-{row[0]}") for row in ROWS],
)
def test_r13_every_exception_at_every_place_does_what_the_table_says(
    place: str, kind: str, status: str, log: str, leaves: str, ran: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    world = World(place, KINDS[kind]())

    client, left = serve(world)

    assert world.traces == ran
    assert (client.status, client.complete) == ((0, False) if status == "-" else (int(status), True))
    assert [record.levelno for record in caplog.records] == [logging.ERROR] * int(log)
    assert left is None if leaves == "-" else isinstance(left, type(KINDS[kind]()))


# R14: after `call_next`, and while the answer is made

LATE = ["after", "render"]


@pytest.mark.parametrize("place", LATE)
def test_r14_the_answer_that_was_made_is_dropped_whole_for_a_500(place: str) -> None:
    """One start, nothing of the first answer's content, and the error in one record with its traceback."""
    world = World(place, ValueError("inside"))

    client, left = serve(world)

    assert (client.status, left) == (500, None)
    assert dict(client.headers)[b"content-type"] == b"application/problem+json"
    assert b"inside" not in b"".join(value for _, value in client.headers)


@pytest.mark.parametrize("place", LATE)
def test_r14_the_error_is_logged_once_with_its_traceback(place: str, caplog: pytest.LogCaptureFixture) -> None:
    """A server that was given the exception too would log it twice, and close the connection."""
    error = ValueError("inside")

    serve(World(place, error))

    assert [record.exc_info[1] for record in caplog.records if record.exc_info] == [error]


@pytest.mark.parametrize("place", LATE)
def test_r14_middleware_further_out_sees_the_error_and_answers_for_it(place: str) -> None:
    world = World(place, ValueError("inside"))
    seen: list[Any] = []

    async def outermost(request: Request, response: Response, call_next: CallNext) -> Response:
        answer = await call_next()
        seen.append(answer.error)
        return answer.set_header("x-outer", "1")

    app = NexiosApp(middleware=[outermost, world.inner])
    app.add_route("/x", world.handler)
    with TestClient(app, raise_app_exceptions=False) as client:
        answer = client.get("/x")

    assert (answer.status_code, answer.headers["x-outer"], seen) == (500, "1", [world.error])


@pytest.mark.parametrize("place", LATE)
def test_r14_the_test_client_raises_it_unless_it_is_told_not_to(place: str) -> None:
    world = World(place, ValueError("inside"))
    app = NexiosApp(middleware=[world.inner])
    app.add_route("/x", world.handler)

    with TestClient(app) as client, pytest.raises(ValueError, match="inside"):
        client.get("/x")
