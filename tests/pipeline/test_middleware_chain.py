"""Middleware: its forms and places, its order, and what it sees."""

import asyncio
from typing import Any

import pytest

from nexios import NexiosApp, Request, Response, Router
from nexios._pipeline.middleware import BaseMiddleware, CallNext
from nexios.errors import HTTPException
from nexios.testing.raw import call


class Mark(BaseMiddleware):
    """Writes its name into a list on the way in and out."""

    def __init__(self, name: str, log: list[str] | None = None) -> None:
        self.name = name
        self.log = log if log is not None else []

    async def __call__(self, request: Request, response: Response, call_next: CallNext) -> Response:
        self.log.append(f"{self.name} in")
        answer: Response = await call_next()
        self.log.append(f"{self.name} out")
        return answer.set_header(f"x-{self.name}", "1")


async def handle(request: Request, response: Response) -> str:
    return "handled"


def app_with(*middleware: object, **options: Any) -> NexiosApp:
    app = NexiosApp(middleware=middleware, **options)
    app.add_route("/", handle)
    return app


async def test_middleware_runs_in_the_order_added_outermost_first() -> None:
    log: list[str] = []
    app = NexiosApp(middleware=[Mark("a", log)])
    app.add_middleware(Mark("b", log))
    app.add_middleware(Mark, "c", log=log)
    app.add_route("/", handle)

    answer = await call(app)

    assert log == ["a in", "b in", "c in", "c out", "b out", "a out"]
    assert [name for name, _ in answer.headers if name.startswith(b"x-")] == [b"x-c", b"x-b", b"x-a"]


async def test_app_router_group_and_route_have_middleware_each_around_the_next() -> None:
    log: list[str] = []
    app = NexiosApp(middleware=[Mark("app", log)])
    router = Router("/r", middleware=[Mark("router", log)])
    group = router.group("/g", middleware=[Mark("group", log)])
    group.add_route("/x", handle, middleware=[Mark("route", log)])
    router.add_route("/y", handle)
    app.include_router(router)

    await call(app, path="/r/g/x")
    assert log == [f"{name} in" for name in ("app", "router", "group", "route")] + [
        f"{name} out" for name in ("route", "group", "router", "app")
    ]

    log.clear()
    await call(app, path="/r/y")
    assert log == ["app in", "router in", "router out", "app out"]


async def test_a_plain_function_is_middleware() -> None:
    async def shout(request: Request, response: Response, call_next: CallNext) -> Response:
        answer: Response = await call_next()
        return answer.set_header("x-shout", "1")

    app = app_with(shout)
    app.add_route("/b", handle, middleware=[shout])

    assert (await call(app)).header("x-shout") == "1"
    assert (await call(app, path="/b")).header("x-shout") == "1"


async def test_the_arguments_of_call_next_are_ignored() -> None:
    """People write `call_next(request, response)`, and mean the same."""

    async def wordy(request: Request, response: Response, call_next: CallNext) -> Any:
        return await call_next(request, response)

    assert (await call(app_with(wordy))).body == b"handled"


@pytest.mark.parametrize(
    ("path", "method", "status"), [("/none", "GET", 404), ("/", "POST", 405), ("/boom", "GET", 500), ("/", "BREW", 501)]
)
async def test_headers_added_by_middleware_are_on_every_error(path: str, method: str, status: int) -> None:
    """Without them a browser hides an error of the server behind one of CORS."""

    async def cors(request: Request, response: Response, call_next: CallNext) -> Response:
        answer: Response = await call_next()
        return answer.set_header("access-control-allow-origin", "https://app.example")

    app = app_with(cors)

    @app.get("/boom")
    async def boom(request: Request, response: Response) -> None:
        raise ValueError

    answer = await call(app, path=path, method=method)

    assert (answer.status, answer.header("access-control-allow-origin")) == (status, "https://app.example")


async def test_call_next_always_returns_a_response_and_error_tells_why() -> None:
    seen: list[tuple[int, object]] = []

    async def watch(request: Request, response: Response, call_next: CallNext) -> Response:
        answer: Response = await call_next()
        seen.append((answer.status_code, answer.error))
        return answer

    app = app_with(watch)
    error = ValueError("inside")

    @app.get("/boom")
    async def boom(request: Request, response: Response) -> None:
        raise error

    await call(app)
    await call(app, path="/boom")
    await call(app, path="/none")

    assert seen[0] == (200, None)
    assert seen[1] == (500, error)
    assert seen[2][0] == 404
    assert isinstance(seen[2][1], HTTPException)


async def test_an_error_answered_by_a_handler_is_seen_by_middleware_too() -> None:
    seen: list[object] = []

    async def watch(request: Request, response: Response, call_next: CallNext) -> Response:
        answer: Response = await call_next()
        seen.append(answer.error)
        return answer

    app = app_with(watch, exception_handlers={KeyError: lambda request, exc: ("handled", 409)})
    error = KeyError("x")

    @app.get("/boom")
    async def boom(request: Request, response: Response) -> None:
        raise error

    assert (await call(app, path="/boom")).status == 409
    assert seen == [error]


async def test_a_middleware_may_answer_without_going_on() -> None:
    async def gate(request: Request, response: Response, call_next: CallNext) -> object:
        return response.status(403).json({"gate": "closed"})

    log: list[str] = []
    answer = await call(app_with(Mark("outer", log), gate, Mark("inner", log)))

    assert (answer.status, answer.json(), log) == (403, {"gate": "closed"}, ["outer in", "outer out"])


@pytest.mark.parametrize(
    ("result", "status", "body"),
    [
        ({"a": 1}, 200, b'{"a":1}'),
        (("no", 403), 403, b"no"),
        (Response("own", 401), 401, b"own"),
        ("text", 200, b"text"),
    ],
)
async def test_a_middleware_may_return_what_a_handler_may(result: object, status: int, body: bytes) -> None:
    async def answers(request: Request, response: Response, call_next: CallNext) -> object:
        return result

    answer = await call(app_with(answers))

    assert (answer.status, answer.body) == (status, body)


async def test_a_middleware_may_return_another_response_than_it_got() -> None:
    async def replace(request: Request, response: Response, call_next: CallNext) -> Response:
        await call_next()
        return Response("replaced", 202)

    answer = await call(app_with(replace))

    assert (answer.status, answer.body) == (202, b"replaced")


async def test_a_forgotten_return_is_a_500_that_names_the_middleware(caplog: pytest.LogCaptureFixture) -> None:
    async def forgetful(request: Request, response: Response, call_next: CallNext) -> None:
        await call_next()

    answer = await call(app_with(forgetful))

    assert answer.status == 500
    assert "test_middleware_chain.test_a_forgotten_return" in caplog.text
    assert (
        "forgetful returned None.\nA middleware returns the response:\n\n    return await call_next()\n" in caplog.text
    )


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
async def test_a_forgotten_await_is_a_500_and_never_an_empty_200() -> None:
    async def hasty(request: Request, response: Response, call_next: CallNext) -> object:
        return call_next()

    assert (await call(app_with(hasty))).status == 500


async def test_a_middleware_that_raises_is_answered_inside_the_one_around_it() -> None:
    async def raises(request: Request, response: Response, call_next: CallNext) -> Response:
        raise HTTPException(403)

    answer = await call(app_with(Mark("outer"), raises))

    assert (answer.status, answer.header("x-outer")) == (403, "1")


async def test_request_and_state_are_the_same_in_the_whole_chain() -> None:
    requests: list[Request] = []

    async def first(request: Request, response: Response, call_next: CallNext) -> Any:
        requests.append(request)
        request.state.user = "ada"
        answer = await call_next()
        assert request.state.seen == "by the handler"
        return answer

    app = NexiosApp(middleware=[first])

    @app.get("/")
    async def handler(request: Request, response: Response) -> str:
        requests.append(request)
        request.state.seen = "by the handler"
        return request.state.user  # type: ignore[no-any-return]

    assert (await call(app)).body == b"ada"
    assert requests[0] is requests[1]


async def test_an_instance_serves_requests_side_by_side_and_keeps_nothing_of_them() -> None:
    """One instance for all: what one request leaves on it, another would find."""
    gate = asyncio.Event()

    class Tag(BaseMiddleware):
        async def __call__(self, request: Request, response: Response, call_next: CallNext) -> Any:
            request.state.tag = request.query_params["tag"]
            answer = await call_next()
            return answer.set_header("x-tag", request.state.tag)

    app = NexiosApp(middleware=[Tag()])

    @app.get("/")
    async def handler(request: Request, response: Response) -> str:
        if request.query_params["tag"] == "last":
            gate.set()
        await gate.wait()
        return request.state.tag  # type: ignore[no-any-return]

    answers = await asyncio.gather(*(call(app, query=f"tag={tag}".encode()) for tag in ("a", "b", "c", "last")))

    assert [(answer.body, answer.header("x-tag")) for answer in answers] == [
        (b"a", "a"), (b"b", "b"), (b"c", "c"), (b"last", "last"),
    ]  # fmt: skip


async def test_middleware_on_a_router_is_one_instance_for_all_its_routes() -> None:
    made: list[object] = []

    class Counting(BaseMiddleware):
        def __init__(self) -> None:
            made.append(self)

        async def __call__(self, request: Request, response: Response, call_next: CallNext) -> Any:
            return await call_next()

    app = NexiosApp()
    router = Router("/r")
    router.add_middleware(Counting)
    router.add_route("/a", handle)
    router.add_route("/b", handle)
    app.include_router(router)

    await call(app, path="/r/a")
    await call(app, path="/r/b")

    assert len(made) == 1


async def test_a_middleware_may_read_route_and_parameters_before_it_goes_on() -> None:
    seen: list[object] = []

    async def watch(request: Request, response: Response, call_next: CallNext) -> Any:
        route = request.route
        seen.append((route.template, route.name, route.metadata) if route is not None else None)
        seen.append(dict(request.path_params))
        return await call_next()

    app = NexiosApp(middleware=[watch])
    app.add_route("/items/{id:int}", handle, metadata={"public": True}, name="item")

    assert (await call(app, path="/items/7")).body == b"handled"
    assert (await call(app, path="/none")).status == 404
    assert (await call(app, path="/items/7", method="POST")).status == 405

    assert seen == [("/items/{id:int}", "item", {"public": True}), {"id": 7}, None, {}, None, {}]


async def test_middleware_of_a_route_does_not_run_for_other_methods_and_paths() -> None:
    log: list[str] = []
    app = NexiosApp()
    app.add_route("/a", handle, middleware=[Mark("a", log)])

    await call(app, path="/a", method="POST")
    await call(app, path="/b")
    await call(app, path="/a", method="OPTIONS")

    assert log == []


async def test_call_next_twice_runs_the_handler_twice() -> None:
    """A middleware may try again; a body that was read is replayed."""
    count = 0

    async def retry(request: Request, response: Response, call_next: CallNext) -> Any:
        answer = await call_next()
        return await call_next() if answer.status_code == 503 else answer

    app = NexiosApp(middleware=[retry])

    @app.post("/")
    async def flaky(request: Request, response: Response) -> object:
        nonlocal count
        count += 1
        body = await request.body()
        if count == 1:
            raise HTTPException(503)
        return body

    answer = await call(app, method="POST", chunks=[b"ab", b"c"])

    assert (answer.status, answer.body, count) == (200, b"abc", 2)


async def test_a_middleware_may_answer_with_a_file(tmp_path: Any) -> None:
    (tmp_path / "note.txt").write_text("a note")

    async def answers(request: Request, response: Response, call_next: CallNext) -> Any:
        return response.file(tmp_path / request.query_params["name"])

    app = app_with(answers)

    assert (await call(app, query=b"name=note.txt")).body == b"a note"


async def test_a_missing_file_of_a_middleware_is_404(tmp_path: Any) -> None:
    async def answers(request: Request, response: Response, call_next: CallNext) -> Any:
        return response.file(tmp_path / "none.txt")

    assert (await call(app_with(answers))).status == 404
