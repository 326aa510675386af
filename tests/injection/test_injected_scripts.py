"""`app.inject`: dependencies for scripts and tasks, outside of a request."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from nexios import Depend, NexiosApp, Request
from nexios.errors import ConfigurationError
from tests.injection.injection_kit import Session, Sessions, ask, one_route

Next = Callable[[], Any]


async def test_inject_fills_what_is_not_given_and_closes_it() -> None:
    sessions = Sessions()
    app = NexiosApp()
    app.provide(Session, sessions.get)

    async def report(month: str, session: Session, *, copies: int = 1) -> str:
        assert len(sessions.ends) == session.number - 1
        return f"{month} {session.number} {copies}"

    assert await app.inject(report, "march") == "march 1 1"
    assert await app.inject(report, month="april", copies=3) == "april 2 3"
    assert sessions.ends == ["1 committed", "2 committed"]


async def test_inject_calls_functions_of_every_kind() -> None:
    class Job:
        def __init__(self, word: str = Depend(lambda: "word")) -> None:
            self.word = word

        async def run(self, times: int, word: str = Depend(lambda: "word")) -> str:
            return word * times

    def sync(word: str = Depend(lambda: "word")) -> str:
        return word

    async def without() -> str:
        return "nothing"

    app = NexiosApp()

    assert await app.inject(sync) == "word"
    assert await app.inject(without) == "nothing"
    assert await app.inject(Job("a").run, 2) == "wordword"
    assert await app.inject(lambda word=Depend(lambda: "word"): word) == "word"
    made: Any = await app.inject(Job)
    assert made.word == "word"


async def test_what_inject_calls_is_seen_by_what_was_opened_for_it() -> None:
    sessions = Sessions()

    async def failing(session: Session = Depend(sessions.get)) -> None:
        raise LookupError("inside")

    with pytest.raises(LookupError, match="inside"):
        await NexiosApp().inject(failing)
    assert sessions.ends == ["1 rolled back for LookupError"]


@pytest.mark.parametrize("count", [1, 2])
async def test_a_cleanup_that_fails_is_raised_to_who_injects(count: int) -> None:
    """A script must not say that all is done when the commit has failed."""

    def failing(name: str) -> Any:
        async def provider() -> AsyncIterator[None]:
            try:
                yield
            finally:
                raise ValueError(name)

        return provider

    async def one(a: None = Depend(failing("a"))) -> None: ...
    async def two(a: None = Depend(failing("a")), b: None = Depend(failing("b"))) -> None: ...

    with pytest.raises(ValueError if count == 1 else ExceptionGroup) as caught:
        await NexiosApp().inject(one if count == 1 else two)
    if isinstance(caught.value, ExceptionGroup):
        assert [str(failure) for failure in caught.value.exceptions] == ["b", "a"]


async def test_inject_in_a_handler_has_scopes_of_its_own() -> None:
    sessions = Sessions()

    async def job(session: Session = Depend(sessions.get)) -> int:
        return session.number

    async def handler(session: Session = Depend(sessions.get)) -> list[int]:
        other = await app.inject(job)
        assert sessions.ends == ["2 committed"]
        return [session.number, other]

    app = one_route(handler)

    assert (await ask(app)).json() == [1, 2]


async def test_inject_of_what_needs_a_request_outside_of_one_is_an_error_that_says_so() -> None:
    def get_path(request: Request) -> str:
        return request.path

    async def job(path: str = Depend(get_path)) -> str:
        return path

    with pytest.raises(ConfigurationError) as caught:
        await NexiosApp().inject(job)
    assert "job() needs a provider that asks for the request, and is called outside of one." in str(caught.value)
    assert f"{__file__}:{job.__code__.co_firstlineno}" in str(caught.value)


async def test_an_injected_job_that_is_cancelled_closes_what_it_had() -> None:
    sessions, waiting = Sessions(), asyncio.Event()

    async def job(session: Session = Depend(sessions.get)) -> None:
        waiting.set()
        await asyncio.Event().wait()

    task = asyncio.ensure_future(NexiosApp().inject(job))
    await waiting.wait()
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert sessions.ends == ["1 rolled back for CancelledError"]


async def test_a_value_of_the_app_is_one_for_handlers_and_scripts() -> None:
    made: list[object] = []

    def get_pool() -> int:
        made.append(1)
        return len(made)

    async def job(pool: int = Depend(get_pool, scope="app")) -> int:
        return pool

    app = one_route(job)

    assert await app.inject(job) == 1
    assert (await ask(app)).json() == 1
    assert made == [1]
