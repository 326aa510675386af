"""When is what a provider opened closed? After the handler, after the last byte, or when the app stops."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any

import pytest

from nexios import Depend, HTTPException, NexiosApp, Request, Response
from nexios.testing.raw import RawAnswer
from tests.injection.injection_kit import Trace, ask, one_route


def opened(trace: Trace, name: str) -> Callable[..., Any]:
    async def provider() -> AsyncIterator[str]:
        trace.append(f"open {name}")
        yield name
        trace.append(f"close {name}")

    return provider


async def ask_noting(app: NexiosApp, trace: Trace) -> RawAnswer:
    """Ask, and note when a part of the response goes out."""

    async def noting(scope: Any, receive: Any, send: Any) -> None:
        async def noting_send(message: Mapping[str, Any]) -> None:
            body = message.get("body", b"").decode()
            trace.append(f"send {body}" if body else f"send {message['type'].rpartition('.')[2]}")
            await send(message)

        await app(scope, receive, noting_send)

    return await ask(noting)  # type: ignore[arg-type]


async def test_the_scopes_of_one_request_end_in_their_order() -> None:
    trace: Trace = []

    async def task() -> None:
        trace.append("background")

    async def middleware(request: Request, response: Response, call_next: Any) -> Response:
        trace.append("before")
        answer: Response = await call_next()
        trace.append("after")
        return answer

    async def handler(
        request: Request,
        response: Response,
        of_request: str = Depend(opened(trace, "request")),
        of_handler: str = Depend(opened(trace, "handler"), scope="handler"),
        another: str = Depend(opened(trace, "another")),
    ) -> Response:
        trace.append("handle")
        return response.text("whole").add_background(task)

    app = one_route(handler)
    app.add_middleware(middleware)
    await ask_noting(app, trace)

    assert trace == [
        *("before", "open request", "open handler", "open another", "handle", "close handler", "after"),
        *("send start", "send whole", "close another", "close request", "background"),
    ]


async def test_a_stream_is_sent_whole_before_the_request_scope_ends() -> None:
    """Published nexios closed a session before the stream had read from it (public-nexios.md, 39)."""
    trace: Trace = []

    async def chunks() -> AsyncIterator[str]:
        for number in "12":
            await asyncio.sleep(0)
            yield number

    async def handler(
        request: Request,
        response: Response,
        one: str = Depend(opened(trace, "request")),
        two: str = Depend(opened(trace, "handler"), scope="handler"),
    ) -> Response:
        return response.stream(chunks())

    await ask_noting(one_route(handler), trace)

    assert trace == [
        *("open request", "open handler", "close handler", "send start", "send 1", "send 2", "send body"),
        "close request",
    ]


async def test_a_cleanup_of_the_handler_scope_can_turn_the_response_into_an_error() -> None:
    """A commit that fails must not be told as a success."""
    trace: Trace = []

    async def transaction() -> AsyncIterator[None]:
        yield
        raise HTTPException(409, "Somebody was faster.")

    async def handler(
        outer: str = Depend(opened(trace, "outer")), one: None = Depend(transaction, scope="handler")
    ) -> str:
        return "whole"

    answer = await ask(one_route(handler))

    assert (answer.status, answer.json()["detail"]) == (409, "Somebody was faster.")
    assert trace == ["open outer"]  # it saw the exception at its yield


async def test_a_middleware_sees_the_error_of_the_handler_scope() -> None:
    seen: list[object] = []

    def transaction() -> Iterator[None]:
        yield
        raise ValueError("commit")

    async def middleware(request: Request, response: Response, call_next: Any) -> Response:
        answer: Response = await call_next()
        seen.extend((answer.status_code, str(answer.error)))
        return answer

    async def handler(one: None = Depend(transaction, scope="handler")) -> str:
        return "whole"

    app = one_route(handler)
    app.add_middleware(middleware)
    await ask(app)

    assert seen == [500, "commit"]


async def test_a_result_that_leans_on_the_handler_scope_is_written_while_it_is_open() -> None:
    is_open: list[bool] = []

    class Lazy:
        def model_dump(self, *, mode: str, by_alias: bool) -> dict[str, bool]:
            return {"open": bool(is_open)}

    def transaction() -> Iterator[None]:
        is_open.append(True)
        yield
        is_open.clear()

    async def handler(request: Request, response: Response, one: None = Depend(transaction, scope="handler")) -> object:
        return {"lazy": Lazy()}

    assert (await ask(one_route(handler))).json() == {"lazy": {"open": True}}


async def test_a_task_that_is_added_after_the_yield_runs_too() -> None:
    trace: Trace = []

    async def task(name: str) -> None:
        trace.append(name)

    async def provider(response: Response) -> AsyncIterator[None]:
        yield
        response.add_background(task, "added after")
        trace.append("close")

    async def handler(request: Request, response: Response, one: None = Depend(provider)) -> Response:
        return response.text("whole").add_background(task, "added before")

    await ask(one_route(handler))

    assert trace == ["close", "added before", "added after"]


async def test_a_failing_cleanup_does_not_keep_the_background_tasks_from_running(
    caplog: pytest.LogCaptureFixture,
) -> None:
    trace: Trace = []

    async def task() -> None:
        trace.append("background")

    async def provider() -> AsyncIterator[None]:
        yield
        raise ValueError("cleanup")

    async def handler(request: Request, response: Response, one: None = Depend(provider)) -> Response:
        return response.text("whole").add_background(task)

    await ask(one_route(handler))

    assert trace == ["background"]
