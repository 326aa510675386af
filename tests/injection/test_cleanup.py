"""Generator dependencies, R16 of the security notes: every cleanup runs, in reverse, and is told what went wrong."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextvars import ContextVar
from typing import Any

import pytest

from nexios import Depend, HTTPException
from tests.injection.injection_kit import Trace, ask, one_route

USER: ContextVar[str] = ContextVar("user", default="nobody")


def tracing(trace: Trace, name: str, below: Callable[..., Any] = lambda: None, **options: Any) -> Callable[..., Any]:
    """A provider on top of another; it notes its opening, its closing, and what it saw."""

    async def provider(inner: object = Depend(below, **options)) -> AsyncIterator[str]:
        trace.append(f"open {name}")
        try:
            yield name
        except BaseException as exc:
            trace.append(f"{name} saw {type(exc).__name__}")
            raise
        else:
            trace.append(f"{name} went on")
        finally:
            trace.append(f"close {name}")

    return provider


def sync_tracing(trace: Trace, name: str) -> Callable[..., Any]:
    def provider() -> Iterator[str]:
        trace.append(f"open {name}")
        try:
            yield name
        except BaseException as exc:
            trace.append(f"{name} saw {type(exc).__name__}")
            raise
        else:
            trace.append(f"{name} went on")
        finally:
            trace.append(f"close {name}")

    return provider


SCOPES = ["handler", "request"]


# How often does it yield?


@pytest.mark.parametrize("thread", [False, True])
async def test_a_generator_that_does_not_yield_is_an_error_that_names_it(
    thread: bool, caplog: pytest.LogCaptureFixture
) -> None:
    def silent() -> Iterator[str]:
        if False:
            yield "never"

    async def handler(value: str = Depend(silent, thread=thread)) -> str:
        return value

    assert (await ask(one_route(handler))).status == 500
    assert f"{__file__}:{silent.__code__.co_firstlineno}   silent()" in caplog.text
    assert "A provider yields its value once" in caplog.text


async def test_an_async_generator_that_does_not_yield_is_an_error_that_names_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def silent() -> AsyncIterator[str]:
        if False:
            yield "never"

    async def handler(value: str = Depend(silent)) -> str:
        return value

    assert (await ask(one_route(handler))).status == 500
    assert f"{__file__}:{silent.__code__.co_firstlineno}   silent()" in caplog.text


@pytest.mark.parametrize(("scope", "status"), [("handler", 500), ("request", 200)])
async def test_a_second_yield_that_nobody_could_foresee_is_an_error(
    scope: Any, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    async def restless() -> AsyncIterator[int]:
        for number in (1, 2):
            yield number

    async def handler(value: int = Depend(restless, scope=scope)) -> int:
        return value

    assert (await ask(one_route(handler))).status == status
    assert len(caplog.records) == 1
    assert "generator didn't stop" in caplog.text


async def test_a_second_yield_after_an_exception_is_an_error(caplog: pytest.LogCaptureFixture) -> None:
    async def restless() -> AsyncIterator[int]:
        try:
            yield 1
        except ValueError:
            yield 2

    async def handler(value: int = Depend(restless)) -> None:
        raise ValueError("inside")

    assert (await ask(one_route(handler))).status == 500
    assert "generator didn't stop after athrow()" in caplog.text


# What goes on, and what it sees


@pytest.mark.parametrize("scope", SCOPES)
async def test_the_code_after_the_yield_runs(scope: Any) -> None:
    """Published nexios closed its generators, so that it never ran (public-nexios.md, 39)."""
    trace: Trace = []

    async def handler(value: str = Depend(tracing(trace, "a"), scope=scope)) -> str:
        trace.append("handler")
        return value

    assert (await ask(one_route(handler))).status == 200
    assert trace == ["open a", "handler", "a went on", "close a"]


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("thread", [False, True])
async def test_a_sync_generator_goes_on_too_and_sees_what_was_raised(scope: Any, thread: bool) -> None:
    trace: Trace = []
    provider = sync_tracing(trace, "a")

    async def handler(fails: bool, value: str = Depend(provider, scope=scope, thread=thread)) -> str:
        if fails:
            raise ValueError("inside")
        return value

    app = one_route(handler)
    assert (await ask(app, query=b"fails=false")).status == 200
    assert trace == ["open a", "a went on", "close a"]
    trace.clear()
    assert (await ask(app, query=b"fails=true")).status == 500
    assert trace == ["open a", "a saw ValueError", "close a"]


@pytest.mark.parametrize("scope", SCOPES)
async def test_three_nested_providers_close_in_reverse_and_each_sees_the_exception(scope: Any) -> None:
    """Published nexios threw nothing in: no rollback ever ran (public-nexios.md, 39)."""
    trace: Trace = []
    a = tracing(trace, "a")
    b = tracing(trace, "b", a, scope=scope)
    c = tracing(trace, "c", b, scope=scope)

    async def handler(value: str = Depend(c, scope=scope)) -> str:
        raise ValueError("inside")

    assert (await ask(one_route(handler))).status == 500
    assert trace == [
        *("open a", "open b", "open c"),
        *("c saw ValueError", "close c", "b saw ValueError", "close b", "a saw ValueError", "close a"),
    ]


async def test_an_http_exception_of_the_handler_is_seen_too() -> None:
    trace: Trace = []

    async def handler(value: str = Depend(tracing(trace, "a"))) -> str:
        raise HTTPException(409)

    assert (await ask(one_route(handler))).status == 409
    assert trace == ["open a", "a saw HTTPException", "close a"]


async def test_the_exception_that_is_seen_is_the_one_that_was_raised() -> None:
    error, seen = ValueError("inside"), []

    async def provider() -> AsyncIterator[None]:
        try:
            yield
        except ValueError as exc:
            seen.append(exc)
            raise

    async def handler(value: None = Depend(provider)) -> None:
        raise error

    await ask(one_route(handler))

    assert seen == [error]


@pytest.mark.parametrize("scope", SCOPES)
async def test_what_a_provider_raises_in_place_of_the_exception_is_the_answer(scope: Any) -> None:
    async def translating() -> AsyncIterator[None]:
        try:
            yield
        except KeyError as exc:
            raise HTTPException(404, "There is no such item.") from exc

    trace: Trace = []

    async def handler(
        outer: str = Depend(tracing(trace, "outer"), scope=scope), inner: None = Depend(translating, scope=scope)
    ) -> None:
        raise KeyError("item")

    answer = await ask(one_route(handler))

    assert (answer.status, answer.json()["detail"]) == (404, "There is no such item.")
    assert trace == ["open outer", "outer saw HTTPException", "close outer"]


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize(("error", "status"), [(ValueError("inside"), 500), (HTTPException(403), 403)])
async def test_an_exception_that_a_provider_swallows_is_the_answer_all_the_same(
    scope: Any, error: Exception, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    """There is nothing else to answer with: the handler has returned nothing."""
    trace: Trace = []

    async def swallowing() -> AsyncIterator[None]:
        try:
            yield
        except Exception:
            trace.append("swallowed")

    async def handler(
        outer: str = Depend(tracing(trace, "outer"), scope=scope), value: None = Depend(swallowing, scope=scope)
    ) -> None:
        raise error

    assert (await ask(one_route(handler))).status == status
    assert trace == ["open outer", "swallowed", f"outer saw {type(error).__name__}", "close outer"]
    assert [record.getMessage()[:15] for record in caplog.records] == (["unhandled error"] if status == 500 else [])


async def test_a_class_that_swallows_the_exception_does_not_hide_it() -> None:
    class Suppressing:
        def __enter__(self) -> None: ...

        def __exit__(self, *details: object) -> bool:
            return True

    async def handler(value: None = Depend(Suppressing)) -> None:
        raise ValueError("inside")

    assert (await ask(one_route(handler))).status == 500


async def test_what_is_raised_before_the_yield_is_the_answer_and_nothing_follows_it() -> None:
    trace: Trace = []

    async def refusing() -> AsyncIterator[None]:
        raise HTTPException(401)
        yield

    async def handler(value: None = Depend(refusing)) -> str:
        trace.append("handler")
        return "whole"

    assert (await ask(one_route(handler))).status == 401
    assert trace == []


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("later", ["function", "generator", "input", "guard"])
async def test_when_a_later_provider_fails_the_earlier_ones_are_closed(scope: Any, later: str) -> None:
    """Published nexios left them open (public-nexios.md, 39)."""
    trace: Trace = []

    def failing_function() -> None:
        raise LookupError("later")

    async def failing_generator() -> AsyncIterator[None]:
        raise LookupError("later")
        yield

    def needs_input(number: int) -> None: ...

    providers: dict[str, Callable[..., Any]] = {"generator": failing_generator, "input": needs_input}
    provider = providers.get(later, failing_function)

    async def handler(one: str = Depend(tracing(trace, "a"), scope=scope), two: None = Depend(provider)) -> str:
        trace.append("handler")
        return "whole"

    first = tracing(trace, "a")
    app = one_route(handler)
    if later == "guard":
        app = one_route(handler, dependencies=[Depend(first, scope=scope), Depend(failing_function)])
    answer = await ask(app)

    saw = "InvalidInput" if later == "input" else "LookupError"
    assert answer.status == (422 if later == "input" else 500)
    assert trace == ["open a", f"a saw {saw}", "close a"]


# Cleanups that fail


@pytest.mark.parametrize("thread", [False, True])
async def test_all_failing_cleanups_run_and_are_logged_as_one_group(
    thread: bool, caplog: pytest.LogCaptureFixture
) -> None:
    trace: Trace = []

    def failing(name: str) -> Callable[..., Any]:
        def provider() -> Iterator[None]:
            try:
                yield
            finally:
                trace.append(name)
                raise ValueError(name)

        return provider

    async def handler(
        a: None = Depend(failing("a"), thread=thread),
        b: str = Depend(tracing(trace, "b")),
        c: None = Depend(failing("c"), thread=thread),
        d: None = Depend(failing("d"), thread=thread),
    ) -> str:
        return "whole"

    answer = await ask(one_route(handler))

    assert (answer.status, answer.body, answer.complete, answer.error) == (200, b"whole", True, None)
    assert trace == ["open b", "d", "c", "b saw ValueError", "close b", "a"]
    [record] = caplog.records
    assert (record.name, record.levelno) == ("nexios", logging.ERROR)
    assert record.exc_info is not None
    group = record.exc_info[1]
    assert isinstance(group, ExceptionGroup)
    assert [str(failure) for failure in group.exceptions] == ["d", "c", "a"]


async def test_a_cleanup_that_fails_does_not_keep_the_others_from_running(caplog: pytest.LogCaptureFixture) -> None:
    trace: Trace = []

    async def failing() -> AsyncIterator[None]:
        yield
        raise ValueError("cleanup")

    async def handler(
        a: str = Depend(tracing(trace, "a")), b: None = Depend(failing), c: str = Depend(tracing(trace, "c"))
    ) -> str:
        return "whole"

    assert (await ask(one_route(handler))).status == 200
    assert trace == ["open a", "open c", "c went on", "close c", "a saw ValueError", "close a"]
    assert len(caplog.records) == 1


@pytest.mark.parametrize("scope", SCOPES)
async def test_a_cleanup_that_fails_after_the_handler_failed_hides_nothing(
    scope: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def failing() -> AsyncIterator[None]:
        try:
            yield
        finally:
            raise RuntimeError("the cleanup's")

    async def handler(value: None = Depend(failing, scope=scope)) -> None:
        raise ValueError("the handler's")

    assert (await ask(one_route(handler))).status == 500
    assert len(caplog.records) == 1
    assert "the cleanup's" in caplog.text
    assert "the handler's" in caplog.text


async def test_of_two_cleanups_that_fail_before_the_answer_the_log_has_both(caplog: pytest.LogCaptureFixture) -> None:
    class Failing:
        def __init__(self, text: str) -> None:
            self.text = text

        def __enter__(self) -> None: ...

        def __exit__(self, *details: object) -> None:
            raise ValueError(self.text)

    class One(Failing):
        def __init__(self) -> None:
            super().__init__("the first")

    class Two(Failing):
        def __init__(self) -> None:
            super().__init__("the second")

    async def handler(two: None = Depend(Two, scope="handler"), one: None = Depend(One, scope="handler")) -> str:
        return "whole"

    assert (await ask(one_route(handler))).status == 500
    assert len(caplog.records) == 1
    assert "the first" in caplog.text
    assert "the second" in caplog.text


async def test_a_program_that_ends_itself_in_a_cleanup_ends_after_the_other_cleanups() -> None:
    trace: Trace = []

    def ending() -> Iterator[None]:
        yield
        raise asyncio.CancelledError

    async def handler(a: str = Depend(tracing(trace, "a")), b: None = Depend(ending)) -> str:
        return "whole"

    answer = await ask(one_route(handler))

    assert (answer.body, type(answer.error)) == (b"whole", asyncio.CancelledError)
    assert trace == ["open a", "a saw CancelledError", "close a"]
