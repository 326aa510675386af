"""Mistakes in lifespans and hooks are told when the app compiles, with the place and the fix."""

import functools
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest

from nexios import NexiosApp
from nexios.errors import ConfigurationError


def refusal_of(app: NexiosApp) -> str:
    """The text of the error that compile raises; it names this file and a line of it."""
    with pytest.raises(ConfigurationError) as caught:
        app.compile()
    assert f"  {__file__}:" in str(caught.value)
    return str(caught.value)


async def undecorated(app: NexiosApp) -> AsyncIterator[None]:
    yield


def synchronous(app: NexiosApp) -> Iterator[None]:
    yield


async def endless(app: NexiosApp) -> None: ...


entered: list[str] = []


@asynccontextmanager
async def right(app: NexiosApp) -> AsyncIterator[None]:
    entered.append("in")
    yield
    entered.append("out")


@asynccontextmanager
async def without_app() -> AsyncIterator[None]:
    yield


@asynccontextmanager
async def with_more(app: NexiosApp, url: str) -> AsyncIterator[None]:
    async with right(app):
        yield


@pytest.mark.parametrize(
    ("lifespan", "words"),
    [
        (
            undecorated,
            "The lifespan undecorated() is an async generator without its decorator: add @asynccontextmanager.",
        ),
        (synchronous, "The lifespan synchronous() is a generator, but neither async nor decorated."),
        (endless, "The lifespan endless() never yields"),
        (without_app, "The lifespan without_app() must take one argument, the app."),
        (with_more, "The lifespan with_more() must take one argument, the app."),
        (functools.partial(undecorated), "add @asynccontextmanager"),
    ],
)
def test_a_lifespan_that_could_not_run_is_refused_with_the_way_to_write_it(lifespan: Any, words: str) -> None:
    text = refusal_of(NexiosApp(lifespan=lifespan))

    assert words in text
    assert "    @asynccontextmanager\n    async def lifespan(app):\n" in text


def test_a_lifespan_that_was_called_already_is_refused() -> None:
    app = NexiosApp(lifespan=right(NexiosApp()))

    with pytest.raises(ConfigurationError, match="was called already: pass the function itself"):
        app.compile()


def test_each_lifespan_of_a_list_is_looked_at() -> None:
    assert "undecorated() is an async generator" in refusal_of(NexiosApp(lifespan=[right, undecorated]))  # type: ignore[list-item]
    with pytest.raises(ConfigurationError, match="cannot be called with the app"):
        NexiosApp(lifespan=[7]).compile()  # type: ignore[list-item]


@pytest.mark.parametrize(
    "lifespan", [lambda app: undecorated(app), contextmanager(synchronous)], ids=["lambda", "sync"]
)
async def test_what_only_its_call_can_tell_is_refused_at_the_start(lifespan: Any) -> None:
    engine = NexiosApp(lifespan=lifespan).compile()

    with pytest.raises(ConfigurationError, match="which is no asynchronous context manager"):
        await engine.start()


class Opened:
    """A lifespan as an object that gives itself."""

    def __call__(self, app: NexiosApp) -> "Opened":
        return self

    async def __aenter__(self) -> None:
        entered.append("in")

    async def __aexit__(self, *details: object) -> None:
        entered.append("out")


@pytest.mark.parametrize("lifespan", [right, Opened(), functools.partial(with_more, url="x")])
async def test_every_other_form_of_a_lifespan_is_entered_and_left(lifespan: Any) -> None:
    entered.clear()
    engine = NexiosApp(lifespan=lifespan).compile()

    await engine.start()
    await engine.stop()

    assert entered == ["in", "out"]


KINDS: list[Callable[[NexiosApp], Callable[..., Any]]] = [lambda app: app.on_startup, lambda app: app.on_shutdown]


async def wants_app(app: NexiosApp) -> None: ...


def wants_two(first: int, *, second: int) -> None: ...


async def halves() -> AsyncIterator[None]:
    yield


@pytest.mark.parametrize("register", KINDS, ids=["on_startup", "on_shutdown"])
@pytest.mark.parametrize(
    ("hook", "words"),
    [
        (wants_app, "wants_app() of on_{} takes 'app', and hooks are called without arguments."),
        (wants_two, "wants_two() of on_{} takes 'first', 'second', and hooks are called without arguments."),
        (halves, "halves() of on_{} yields, so calling it would run nothing of it."),
    ],
)
def test_a_hook_that_could_not_run_is_refused(register: Any, hook: Any, words: str) -> None:
    app = NexiosApp()
    register(app)(hook)
    kind = "startup" if register is KINDS[0] else "shutdown"

    assert words.format(kind) in refusal_of(app)


def test_a_hook_that_is_no_function_is_refused() -> None:
    app = NexiosApp()
    app.on_startup("connect")  # type: ignore[call-overload]

    with pytest.raises(ConfigurationError, match="on_startup takes a function without arguments, not 'connect'"):
        app.compile()


def optional(app: NexiosApp | None = None, *more: int, **options: int) -> None: ...


@pytest.mark.parametrize("hook", [optional, functools.partial(wants_app, NexiosApp()), dict, [].clear, print])
def test_a_hook_that_needs_nothing_is_taken(hook: Any) -> None:
    app = NexiosApp()
    app.on_startup(hook)

    assert app.compile() is app.engine
