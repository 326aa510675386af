"""A provider yields once: two yields that are certain are refused at compile, with the place."""

from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from typing import Any

import pytest

from nexios import Depend, NexiosApp, Request, Response
from nexios._injection.manner import yields_twice
from nexios.errors import ConfigurationError
from tests.injection.injection_kit import one_route


def refusal(app: NexiosApp) -> str:
    with pytest.raises(ConfigurationError) as caught:
        app.compile()
    return str(caught.value)


def place(fn: Any) -> str:
    return f"{fn.__code__.co_filename}:{fn.__code__.co_firstlineno}   {fn.__name__}()"


def yields_in_a_row() -> Iterator[int]:
    yield 1
    yield 2


def yields_in_try_and_after() -> Iterator[int]:
    try:
        yield 1
    finally:
        print("closed")  # noqa: T201
    yield 2


def yields_in_with_and_finally() -> Iterator[int]:
    try:
        with open("x"):
            yield 1
    finally:
        yield 2


def yields_in_both_branches_and_after(flag: bool = False) -> Iterator[int]:
    if flag:
        yield 1
    else:
        yield 2
    yield 3


async def yields_and_awaits() -> AsyncGenerator[int, int]:
    value = yield 1
    yield value


def yields_in_assignments() -> Generator[int, int, int]:
    first: int = yield 1
    first += yield 2
    return first


@pytest.mark.parametrize(
    "provider",
    [
        yields_in_a_row,
        yields_in_try_and_after,
        yields_in_with_and_finally,
        yields_in_both_branches_and_after,
        yields_and_awaits,
        yields_in_assignments,
    ],
)
def test_two_certain_yields_are_refused_with_the_place_and_the_right_way(provider: Callable[..., Any]) -> None:
    async def handler(request: Request, response: Response, value: int = Depend(provider)) -> None: ...

    text = refusal(one_route(handler))

    assert f"{provider.__name__}() yields twice, and a provider yields its value once." in text
    assert place(provider) in text
    assert "try:\n        yield value\n    finally:" in text


def yields_once() -> Iterator[int]:
    yield 1


def yields_in_one_branch(flag: bool = False) -> Iterator[int]:
    if flag:
        yield 1
        return
    yield 2


def yields_in_each_branch(flag: bool = False) -> Iterator[int]:
    if flag:
        yield 1
    else:
        yield 2


def yields_as_a_fallback() -> Iterator[int]:
    try:
        yield 1
        return
    except OSError:
        pass
    yield 2


def yields_or_raises(flag: bool = False) -> Iterator[int]:
    if flag:
        yield 1
        raise ValueError
    yield 2


def yields_in_an_except() -> Iterator[int]:
    try:
        value = int("1")
    except ValueError:
        yield 0
    else:
        yield value


def yields_with_a_lock() -> Iterator[int]:
    with open("x"):
        yield 1
        return
    yield 2


def yields_in_a_loop() -> Iterator[int]:
    for number in (1, 2):
        yield number + 1


def holds_a_generator() -> Iterator[Any]:
    def numbers() -> Iterator[int]:
        yield 1
        yield 2

    yield numbers


def yields_never() -> None: ...


@pytest.mark.parametrize(
    "provider",
    [
        yields_once,
        yields_in_one_branch,
        yields_in_each_branch,
        yields_as_a_fallback,
        yields_or_raises,
        yields_in_an_except,
        yields_with_a_lock,
        yields_in_a_loop,
        holds_a_generator,
        yields_never,
        dict,
        lambda: (yield),
    ],
)
def test_what_may_yield_once_is_let_through(provider: Callable[..., Any]) -> None:
    assert not yields_twice(provider)


def test_a_generator_without_source_is_let_through() -> None:
    namespace: dict[str, Any] = {}
    exec("def made():\n    yield 1\n    yield 2\n", namespace)

    assert not yields_twice(namespace["made"])


def test_a_method_and_a_callable_object_that_yield_twice_are_found() -> None:
    class Twice:
        def method(self) -> Iterator[int]:
            yield 1
            yield 2

        def __call__(self) -> Iterator[int]:
            yield 1
            yield 2

    assert yields_twice(Twice().method)
    assert yields_twice(Twice())
