"""Whatever can be called can be a provider, and is called as it is meant to be."""

import asyncio
import functools
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

import pytest

from nexios import Depend, Request, Response
from nexios._injection.manner import Manner, manner_of
from tests.injection.injection_kit import Trace, result_of

closed: Trace = []


@pytest.fixture(autouse=True)
def nothing_closed() -> None:
    closed.clear()


# Each gives the text "value", and those that open something close it.


def function() -> str:
    return "value"


async def async_function() -> str:
    return "value"


def generator() -> Iterator[str]:
    yield "value"
    closed.append("generator")


async def async_generator() -> AsyncIterator[str]:
    yield "value"
    closed.append("async generator")


@contextmanager
def context() -> Iterator[str]:
    yield "value"
    closed.append("context")


@asynccontextmanager
async def async_context() -> AsyncIterator[str]:
    yield "value"
    closed.append("async context")


class Managed:
    """A class of context managers: what entering one gives is the value."""

    def __enter__(self) -> str:
        return "value"

    def __exit__(self, *details: object) -> None:
        closed.append("managed")


class AsyncManaged:
    """The same, async."""

    async def __aenter__(self) -> str:
        return "value"

    async def __aexit__(self, *details: object) -> None:
        closed.append("async managed")


class EitherManaged(Managed, AsyncManaged):
    """Where a class is both, it is entered as an async one."""


class Callables:
    """Methods and objects that are called."""

    def method(self) -> str:
        return "value"

    async def async_method(self) -> str:
        return "value"

    @classmethod
    def class_method(cls) -> str:
        return "value"

    @staticmethod
    async def static_method() -> str:
        return "value"

    def generator_method(self) -> Iterator[str]:
        yield "value"
        closed.append("generator method")


class Callable_:
    """An object that is called."""

    def __call__(self) -> str:
        return "value"


class AsyncCallable:
    """An object that is called and awaited."""

    async def __call__(self) -> str:
        return "value"


class GeneratorCallable:
    """An object whose call is a context."""

    async def __call__(self) -> AsyncIterator[str]:
        yield "value"
        closed.append("generator callable")


@dataclass
class Unhashable:
    """An object that is equal to others, and so has no hash."""

    text: str

    def __call__(self) -> str:
        return self.text


def echo(text: str, *, end: str = "") -> str:
    return text + end


async def async_echo(text: str) -> str:
    return text


class AsyncEcho:
    """An object that is called with something and awaited."""

    async def __call__(self, text: str) -> str:
        return text


def logged(fn: Callable[..., Any]) -> Callable[..., Any]:
    """A decorator as most are: it calls, and hands on what it got."""

    @functools.wraps(fn)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return fn(*args, **kwargs)

    return wrapper


class Remembered:
    """A decorator that is an object."""

    def __init__(self, fn: Callable[..., Any]) -> None:
        self.fn = fn
        functools.update_wrapper(self, fn)

    def __call__(self, *args: Any) -> Any:
        return self.fn(*args)


VALUES: dict[str, Callable[..., Any]] = {
    "function": function,
    "async function": async_function,
    "lambda": lambda: "value",
    "bound method": Callables().method,
    "async bound method": Callables().async_method,
    "class method": Callables.class_method,
    "static method": Callables.static_method,
    "callable object": Callable_(),
    "async callable object": AsyncCallable(),
    "object without a hash": Unhashable("value"),
    "partial": functools.partial(echo, "value"),
    "partial by name": functools.partial(echo, text="value"),
    "partial of a partial": functools.partial(functools.partial(echo, "val"), end="ue"),
    "partial of an async function": functools.partial(async_echo, "value"),
    "partial of an async callable": functools.partial(AsyncEcho(), "value"),
    "decorated function": logged(function),
    "decorated async function": logged(async_function),
    "object around an async function": Remembered(async_function),
}

CONTEXTS: dict[str, tuple[Callable[..., Any], str]] = {
    "generator": (generator, "generator"),
    "async generator": (async_generator, "async generator"),
    "contextmanager": (context, "context"),
    "asynccontextmanager": (async_context, "async context"),
    "class of context managers": (Managed, "managed"),
    "class of async context managers": (AsyncManaged, "async managed"),
    "class of both": (EitherManaged, "async managed"),
    "generator method": (Callables().generator_method, "generator method"),
    "callable object that yields": (GeneratorCallable(), "generator callable"),
    "partial of a generator": (functools.partial(generator), "generator"),
    "partial of an async generator": (functools.partial(async_generator), "async generator"),
    "partial of a contextmanager": (functools.partial(context), "context"),
    "partial of a class": (functools.partial(Managed), "managed"),
    "decorated generator": (logged(generator), "generator"),
    "decorated async generator": (logged(async_generator), "async generator"),
    "decorated contextmanager": (logged(context), "context"),
    "object around a generator": (Remembered(generator), "generator"),
}


@pytest.mark.parametrize("form", list(VALUES))
async def test_whatever_gives_a_value_is_a_provider(form: str) -> None:
    async def handler(request: Request, response: Response, value: str = Depend(VALUES[form])) -> dict[str, str]:
        return {"got": value}

    assert await result_of(handler) == {"got": "value"}


@pytest.mark.parametrize("form", list(VALUES))
async def test_a_provider_may_stand_in_the_annotation(form: str) -> None:
    async def handler(value: Annotated[str, Depend(VALUES[form])]) -> dict[str, str]:
        return {"got": value}

    assert await result_of(handler) == {"got": "value"}


@pytest.mark.parametrize("form", [form for form, made in VALUES.items() if manner_of(made) is Manner.VALUE])
async def test_a_provider_may_be_called_in_a_thread(form: str) -> None:
    async def handler(value: str = Depend(VALUES[form], thread=True)) -> dict[str, str]:
        return {"got": value}

    assert await result_of(handler) == {"got": "value"}


@pytest.mark.parametrize("scope", ["handler", "request"])
@pytest.mark.parametrize("form", list(CONTEXTS))
async def test_whatever_is_a_context_is_entered_and_left(form: str, scope: Any) -> None:
    provider, trace = CONTEXTS[form]

    async def handler(request: Request, response: Response, value: str = Depend(provider, scope=scope)) -> Any:
        return {"got": value, "closed": closed[:]}

    assert await result_of(handler) == {"got": "value", "closed": []}
    assert closed == [trace]


@pytest.mark.parametrize("form", [form for form, (made, _) in CONTEXTS.items() if manner_of(made) is Manner.CONTEXT])
async def test_a_context_may_be_entered_and_left_in_threads(form: str) -> None:
    provider, trace = CONTEXTS[form]

    async def handler(value: Annotated[str, Depend(provider, thread=True)]) -> Any:
        return {"got": value, "closed": closed[:]}

    result = await result_of(handler)

    assert (result, closed) == ({"got": "value", "closed": []}, [trace])


@pytest.mark.parametrize(
    ("provider", "value"),
    [(dict, {}), (list, []), (int, 0), (str, ""), pytest.param(os.getpid, os.getpid(), id="getpid")],
)
async def test_a_builtin_is_called_with_nothing(provider: Any, value: object) -> None:
    async def handler(got: object = Depend(provider)) -> dict[str, object]:
        return {"got": got}

    assert await result_of(handler) == {"got": value}


async def test_a_class_is_a_provider_of_its_objects() -> None:
    class Clock:
        def now(self) -> int:
            return 7

    async def handler(clock: Clock = Depend(Clock)) -> int:
        return clock.now()

    assert await result_of(handler) == 7


async def test_without_a_provider_the_annotated_class_is_it() -> None:
    async def handler(clock: Annotated[Unhashable, Depend()], other: Callable_ = Depend()) -> list[str]:
        return [type(clock).__name__, type(other).__name__]

    assert await result_of(handler, query=b"text=one") == ["Unhashable", "Callable_"]


T = TypeVar("T")


class Repository(Generic[T]):
    """A generic class, asked for with its argument."""

    def __init__(self, table: str = Depend(function)) -> None:
        self.table = table

    def __enter__(self) -> "Repository[T]":
        return self

    def __exit__(self, *details: object) -> None:
        closed.append("repository")


async def test_a_generic_class_with_its_argument_is_that_class() -> None:
    async def handler(repository: Annotated[Repository[int], Depend()]) -> str:
        return repository.table

    assert await result_of(handler) == "value"
    assert closed == ["repository"]


async def test_a_class_that_is_entered_gives_what_entering_gives() -> None:
    async def handler(lock: None = Depend(asyncio.Lock)) -> dict[str, None]:
        return {"got": lock}

    assert await result_of(handler) == {"got": None}


async def test_a_function_that_returns_a_context_manager_gives_it_unentered() -> None:
    def make() -> Managed:
        return Managed()

    async def handler(managed: Managed = Depend(make)) -> str:
        return type(managed).__name__

    assert await result_of(handler) == "Managed"
    assert closed == []


async def test_two_objects_without_a_hash_are_two_providers() -> None:
    async def handler(one: str = Depend(Unhashable("one")), two: str = Depend(Unhashable("two"))) -> list[str]:
        return [one, two]

    assert await result_of(handler) == ["one", "two"]
