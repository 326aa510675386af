"""Context variables, threads and memory: what requests see of each other, and what stays behind."""

import asyncio
import gc
import threading
from contextvars import ContextVar
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nexios import NexiosApp, Request, Response
from nexios._pipeline.middleware import CallNext
from nexios.testing.raw import call

USER: ContextVar[str] = ContextVar("user", default="nobody")


async def set_by_handler(request: Request, response: Response) -> str:
    USER.set("handler")
    return "x"


def set_in_thread(request: Request, response: Response) -> str:
    USER.set("thread")
    return "x"


@pytest.mark.parametrize(("path", "seen"), [("/async", "handler"), ("/sync", "thread")])
async def test_what_a_handler_sets_is_visible_in_middleware_after_it(path: str, seen: str) -> None:
    async def middleware(request: Request, response: Response, call_next: CallNext) -> Response:
        answer: Response = await call_next()
        return answer.set_header("x-user", USER.get())

    app = NexiosApp(middleware=[middleware, middleware])
    app.add_route("/async", set_by_handler)
    app.add_route("/sync", set_in_thread)

    assert (await call(app, path=path)).header("x-user") == seen


@pytest.mark.parametrize("threaded", [False, True])
async def test_what_middleware_sets_is_visible_in_the_handler_and_after_the_response(threaded: bool) -> None:
    seen: list[str] = []

    async def middleware(request: Request, response: Response, call_next: CallNext) -> Any:
        USER.set("ada")
        return await call_next()

    async def look(request: Request, response: Response) -> Response:
        seen.append(USER.get())
        return response.empty().add_background(lambda: seen.append(USER.get()))

    def look_in_thread(request: Request, response: Response) -> Response:
        seen.append(USER.get())
        return response.empty().add_background(lambda: seen.append(USER.get()))

    app = NexiosApp(middleware=[middleware])
    app.add_route("/", look_in_thread if threaded else look)

    await call(app)

    assert seen == ["ada", "ada"]


async def test_the_chain_runs_in_one_task() -> None:
    tasks: list[object] = []

    async def middleware(request: Request, response: Response, call_next: CallNext) -> Any:
        tasks.append(asyncio.current_task())
        return await call_next()

    app = NexiosApp(middleware=[middleware, middleware])

    @app.get("/")
    async def handler(request: Request, response: Response) -> None:
        tasks.append(asyncio.current_task())

    await call(app)

    assert len(set(tasks)) == 1


@settings(max_examples=15)
@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=6), st.randoms(use_true_random=False))
async def test_requests_side_by_side_see_nothing_of_each_other(names: list[str], random: Any) -> None:
    async def middleware(request: Request, response: Response, call_next: CallNext) -> Response:
        USER.set(request.query_params["name"])
        request.state.user = USER.get()
        await wait()
        answer: Response = await call_next()
        await wait()
        return answer.set_header("x-user", f"{USER.get()} {request.state.user}")

    async def wait() -> None:
        for _ in range(random.randrange(4)):
            await asyncio.sleep(0)

    app = NexiosApp(middleware=[middleware])

    @app.get("/")
    async def handler(request: Request, response: Response) -> str:
        await wait()
        return USER.get()

    answers = await asyncio.gather(*(call(app, query=f"name={name}".encode()) for name in names))

    assert [(answer.body.decode(), answer.header("x-user")) for answer in answers] == [
        (name, f"{name} {name}") for name in names
    ]


async def test_plain_handlers_run_side_by_side_and_the_loop_goes_on() -> None:
    app = NexiosApp(thread_limit=2)
    both = threading.Barrier(2)
    gate = threading.Event()

    @app.get("/")
    def handler(request: Request, response: Response) -> str:
        both.wait(5)
        gate.wait(5)
        return "done"

    requests = [asyncio.create_task(call(app)) for _ in range(2)]
    await asyncio.sleep(0)
    gate.set()

    assert [answer.body for answer in await asyncio.gather(*requests)] == [b"done", b"done"]


async def test_no_object_is_left_of_a_request() -> None:
    """Neither by path, nor by error, nor by header, nor by cookie."""
    app = NexiosApp()

    @app.get("/items/{name}")
    async def handler(request: Request, response: Response) -> Response:
        response.set_cookie("seen", request.cookies.get("seen", "x"))
        return response.json({"name": request.path_params.name, "q": request.query_params.get("q")})

    @app.get("/boom/{name}")
    async def boom(request: Request, response: Response) -> None:
        raise ValueError(request.path)

    app.logger.disabled = True
    try:

        async def some(start: int) -> None:
            for number in range(start, start + 6):
                headers = [(b"cookie", b"seen=%d" % number), (b"x-request-id", b"%d" % number)]
                await call(app, path=f"/items/{number}", query=b"q=%d" % number, headers=headers)
                await call(app, path=f"/none/{number}")
                await call(app, path=f"/boom/{number}", headers=headers)
                await call(app, path="/items/x", method=f"M{number}")

        def count() -> int:
            gc.collect()
            return sum(isinstance(one, Request | Response | BaseException) for one in gc.get_objects())

        await some(0)
        before = count()
        await some(1000)

        assert count() <= before
    finally:
        app.logger.disabled = False
