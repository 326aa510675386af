"""The columns of dependencies and of typed inputs in the matrix of exceptions (`test_exception_matrix.py`).

Each kind is raised while a dependency is made, while an input is checked, and while a dependency is closed, in
each scope. Whatever it is, the dependency that was opened first is closed, and is told.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any

import msgspec
import pytest

from nexios import Depend, NexiosApp, Query, Request, Response
from nexios._pipeline.middleware import CallNext
from nexios.testing.raw import RawAnswer, call
from tests.pipeline.test_exception_matrix import ANSWERED, KINDS, Cell, Escaped, Expected

CHECKED = {**ANSWERED, "ValueError": Cell(422)}
"""A model says with a ValueError that the value is not right, which is the client's fault."""

CLOSED = {
    **dict.fromkeys(("HTTPException", "ValueError", "mapped", "group"), Cell(200, 1)),
    "CancelledError": Cell(200, 0, asyncio.CancelledError),
    "SystemExit": Cell(200, 0, SystemExit),
}
"""The response is whole and stays so."""

SITES: dict[str, dict[str, Cell]] = {
    "function": ANSWERED,
    "async function": ANSWERED,
    "function in a thread": ANSWERED,
    "guard": ANSWERED,
    "generator before its yield": ANSWERED,
    "async generator before its yield": ANSWERED,
    "generator in a thread before its yield": ANSWERED,
    "class while it is entered": ANSWERED,
    "dependency of a middleware": ANSWERED,
    "value of the app": ANSWERED,
    "validation": CHECKED,
    "handler": ANSWERED,
    "handler scope": ANSWERED,
    "async handler scope": ANSWERED,
    "handler scope in a thread": ANSWERED,
    "request scope": CLOSED,
    "async request scope": CLOSED,
    "request scope in a thread": CLOSED,
    "request scope of a stream": CLOSED,
    "request scope of a middleware": CLOSED,
}

CELLS = [
    pytest.param(site, kind, cell, id=f"{kind} in {site}") for site, row in SITES.items() for kind, cell in row.items()
]


@dataclass
class World:
    """An app in which one exception comes up at one place, and the traces it leaves."""

    error: BaseException
    site: str
    seen: list[str | None] = field(default_factory=list)

    def fail_at(self, *sites: str) -> None:
        if self.site in sites:
            raise self.error

    async def opened_first(self) -> AsyncIterator[None]:
        try:
            yield
        except BaseException as exc:
            self.seen.append(type(exc).__name__)
            raise
        else:
            self.seen.append(None)

    # Providers, by the place at which they fail

    def function(self) -> None:
        self.fail_at("function", "function in a thread", "guard", "value of the app", "dependency of a middleware")

    async def async_function(self) -> None:
        self.fail_at("async function")

    def generator(self) -> Iterator[None]:
        self.fail_at("generator before its yield", "generator in a thread before its yield")
        yield
        self.fail_at("handler scope", "request scope", "handler scope in a thread", "request scope in a thread")

    async def async_generator(self) -> AsyncIterator[None]:
        self.fail_at("async generator before its yield")
        yield
        self.fail_at("async handler scope", "async request scope", "request scope of a stream")
        self.fail_at("request scope of a middleware")

    def dependency(self) -> Any:
        scope: Any = "handler" if "handler scope" in self.site else "request"
        thread = "in a thread" in self.site
        if self.site == "value of the app":
            return Depend(self.function, scope="app")
        if self.site == "class while it is entered":
            return Depend(type("Bound", (Managed,), {"world": self}))
        if "async" in self.site or "stream" in self.site:
            is_function = self.site == "async function"
            return Depend(self.async_function if is_function else self.async_generator, scope=scope)
        if "generator" in self.site or "scope" in self.site:
            return Depend(self.generator, scope=scope, thread=thread)
        return Depend(self.function, thread=thread)

    def app(self) -> NexiosApp:
        async def conflict(request: Request, response: Response, exc: Exception) -> Response:
            return response.status(409).text("conflict")

        app = NexiosApp(exception_handlers={Expected: conflict})
        guards = [Depend(self.opened_first)]
        if self.site == "guard":
            guards.append(Depend(self.function))
        app.get("/", dependencies=guards)(self.handler())
        if "middleware" in self.site:
            app.add_middleware(self.middleware())
        return app

    def middleware(self) -> Callable[..., Any]:
        provider = self.function if self.site == "dependency of a middleware" else self.async_generator

        async def middleware(
            request: Request,
            response: Response,
            call_next: CallNext,
            first: None = Depend(self.opened_first),
            value: None = Depend(provider),
        ) -> Response:
            return await call_next()

        return middleware

    def handler(self) -> Callable[..., Any]:
        is_elsewhere = self.site in ("guard", "handler", "validation") or "middleware" in self.site
        plain = Depend(lambda: None)

        async def handler(
            request: Request, response: Response, value: None = plain if is_elsewhere else self.dependency()
        ) -> Response:
            self.fail_at("handler")
            return response.stream(chunks()) if "stream" in self.site else response.text("whole")

        async def validated(request: Request, response: Response, checked: Annotated[Checked, Query()]) -> str:
            return "never"

        return validated if self.site == "validation" else handler


class Managed:
    """A class of context managers."""

    world: World

    def __enter__(self) -> None:
        self.world.fail_at("class while it is entered")

    def __exit__(self, *details: object) -> None: ...


async def chunks() -> AsyncIterator[str]:
    yield "who"
    yield "le"


class Checked(msgspec.Struct):
    """A model with a check of its own; it raises what the test says."""

    text: str = ""

    def __post_init__(self) -> None:
        if raised_by_checks:
            raise raised_by_checks[-1]


raised_by_checks: list[BaseException] = []


@pytest.fixture(autouse=True)
def checks_are_quiet() -> Iterator[None]:
    yield
    raised_by_checks.clear()


async def run(world: World) -> RawAnswer:
    app = world.app()
    if world.site == "validation":
        raised_by_checks.append(world.error)

    async def guarded(scope: Any, receive: Any, send: Any) -> None:
        try:
            await app(scope, receive, send)
        except SystemExit as exc:
            raise Escaped from exc

    answer = await call(guarded, path="/", query=b"text=x")
    if isinstance(answer.error, Escaped):
        answer.error = answer.error.__cause__
    return answer


@pytest.mark.parametrize(("site", "kind", "cell"), CELLS)
async def test_every_exception_around_a_dependency_has_its_answer(
    site: str, kind: str, cell: Cell, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await run(World(KINDS[kind](), site))

    escaped = type(answer.error) if answer.error is not None else None
    assert (answer.status, len(caplog.records), answer.complete) == (cell.status, cell.records, cell.complete)
    assert escaped is cell.escapes or (cell.escapes is not None and isinstance(answer.error, cell.escapes))
    assert {record.name for record in caplog.records} <= {"nexios"}
    assert all(record.levelno == logging.ERROR for record in caplog.records)
    if answer.complete and answer.status == 200:
        assert answer.body == b"whole"


@pytest.mark.parametrize(("site", "kind"), [(site, kind) for site, row in SITES.items() for kind in row])
async def test_what_was_opened_first_is_closed_last_and_told(site: str, kind: str) -> None:
    world = World(KINDS[kind](), site)

    await run(world)

    if site == "validation":  # a check that fails in a way of its own does so before anything is opened
        assert world.seen == (["InvalidInput"] if kind == "ValueError" else [])
    else:
        assert world.seen == [type(world.error).__name__]
