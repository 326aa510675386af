"""Where does a provider run? In the task and the context of its request, or in threads with that context."""

import threading
from collections.abc import AsyncIterator, Iterator
from contextvars import ContextVar
from typing import Any

import pytest

from nexios import Depend, HTTPException, NexiosApp, Request, Response
from tests.injection.injection_kit import Trace, ask, one_route, result_of

USER: ContextVar[str] = ContextVar("user", default="nobody")


async def test_what_a_provider_sets_in_the_context_the_handler_sees_and_the_provider_takes_back() -> None:
    async def as_ada() -> AsyncIterator[None]:
        token = USER.set("ada")
        try:
            yield
        finally:
            USER.reset(token)

    async def handler(value: None = Depend(as_ada)) -> str:
        return USER.get()

    assert await result_of(handler) == "ada"


@pytest.mark.parametrize("fails", [False, True])
async def test_a_sync_generator_in_threads_has_one_context_from_beginning_to_end(fails: bool) -> None:
    """A token can only be used in the context in which it was made."""
    seen: list[str] = []

    def as_ada() -> Iterator[None]:
        seen.append(USER.get())
        token = USER.set("ada")
        try:
            yield
        finally:
            seen.append(USER.get())
            USER.reset(token)
            seen.append(USER.get())

    async def handler(value: None = Depend(as_ada, thread=True, scope="handler")) -> str:
        seen.append(USER.get())
        USER.set("grace")
        if fails:
            raise HTTPException(403)
        return "whole"

    async def middleware(request: Request, response: Response, call_next: Any) -> Response:
        USER.set("bob")
        answer: Response = await call_next()
        seen.append(USER.get())
        return answer

    app = one_route(handler)
    app.add_middleware(middleware)

    assert (await ask(app)).status == (403 if fails else 200)
    assert seen == ["bob", "ada", "grace", "bob", "bob"]


async def test_a_context_manager_is_made_entered_and_left_in_threads() -> None:
    """`sqlite3.connect` in an `__init__` blocks as well as in an `__enter__`."""
    places: list[str] = []

    def note() -> None:
        places.append("loop" if threading.current_thread() is threading.main_thread() else "thread")

    class Connection:
        def __init__(self) -> None:
            note()

        def __enter__(self) -> None:
            note()

        def __exit__(self, *details: object) -> None:
            note()

    async def handler(value: None = Depend(Connection, thread=True)) -> str:
        note()
        return "whole"

    await ask(one_route(handler))

    assert places == ["thread", "thread", "loop", "thread"]


async def test_what_opening_raises_in_a_thread_is_the_answer_and_nothing_is_left() -> None:
    left: Trace = []

    class Connection:
        def __enter__(self) -> None:
            raise HTTPException(503)

        def __exit__(self, *details: object) -> None:
            left.append("left")

    async def handler(value: None = Depend(Connection, thread=True)) -> str:
        return "whole"

    assert (await ask(one_route(handler))).status == 503
    assert left == []


async def test_the_app_goes_on_after_all_of_that() -> None:
    async def handler(fails: bool, value: str = Depend(lambda: "value", limit=1)) -> str:
        if fails:
            raise ValueError
        return value

    app: NexiosApp = one_route(handler)

    assert [(await ask(app, query=query)).status for query in (b"fails=1", b"fails=0", b"fails=1", b"fails=0")] == [
        *(500, 200, 500, 200)
    ]
