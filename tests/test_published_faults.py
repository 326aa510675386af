"""Faults that a published framework of this name had, each as the behaviour that we have instead.

Authentication, sessions and API descriptions have tests of their own where they are built.
"""

import asyncio
import logging
import os
import subprocess
import sys
import traceback
from contextlib import asynccontextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import pytest

from nexios import NexiosApp, Request, Response, Router, Settings
from nexios._pipeline.middleware import BaseMiddleware, CallNext
from nexios.testing.raw import call

ROOT = Path(__file__).parent.parent
SEEN: ContextVar[str] = ContextVar("seen", default="nothing")


async def lifespan(app: NexiosApp) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []
    messages = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])

    async def receive() -> Any:
        return next(messages)

    async def send(message: Any) -> None:
        sent.append(message)

    await app({"type": "lifespan", "asgi": {"version": "3.0"}}, receive, send)
    return sent


async def test_two_requests_at_once_each_get_their_own_answer() -> None:
    """There was one response object for the process: alice received what was bob's."""
    gate = asyncio.Barrier(2)
    app = NexiosApp()

    @app.get("/{name}")
    async def handler(request: Request, response: Response, name: str) -> Response:
        response.set_header("x-name", name).status(200 if name == "alice" else 201)
        await gate.wait()
        return response.json({"secret of": name, "path": request.path})

    alice, bob = await asyncio.gather(call(app, path="/alice"), call(app, path="/bob"))

    assert (alice.status, alice.header("x-name"), alice.json()) == (
        200,
        "alice",
        {"secret of": "alice", "path": "/alice"},
    )
    assert (bob.status, bob.header("x-name"), bob.json()) == (201, "bob", {"secret of": "bob", "path": "/bob"})


async def test_a_wrong_method_changes_nothing_for_the_requests_after_it() -> None:
    """A request with a wrong method replaced the route by its 405, for everybody and for good."""
    app = NexiosApp()
    group = app.group("/api")
    group.add_route("/items/{id:int}", lambda request, response, id: {"id": id})

    refused = [await call(app, method="DELETE", path="/api/items/7") for _ in range(3)]

    assert [(answer.status, answer.header("allow")) for answer in refused] == [(405, "GET, HEAD, OPTIONS")] * 3
    assert refused[0].json()["detail"] == "Method Not Allowed"
    assert (await call(app, path="/api/items/7")).json() == {"id": 7}


async def test_a_middleware_that_stops_one_request_does_not_touch_another() -> None:
    """`call_next` was kept on the shared instance, so one request went on with another's."""
    gate = asyncio.Barrier(2)
    after: list[str] = []

    class Gate(BaseMiddleware):
        async def __call__(self, request: Request, response: Response, call_next: CallNext) -> Any:
            await gate.wait()
            if request.path == "/stopped":
                return response.status(403).text("stopped")
            answer = await call_next()
            after.append(request.path)
            return answer

    app = NexiosApp(middleware=[Gate()])
    app.add_route("/{name}", lambda request, response: request.path)

    stopped, passed = await asyncio.gather(call(app, path="/stopped"), call(app, path="/passed"))

    assert (stopped.status, stopped.body, passed.status, passed.body) == (403, b"stopped", 200, b"/passed")
    assert after == ["/passed"]


async def test_two_instances_of_a_middleware_keep_their_own_options() -> None:
    """A constructor wrote module globals: the second one changed the first."""

    class Named(BaseMiddleware):
        def __init__(self, *, header: str) -> None:
            self.header = header

        async def __call__(self, request: Request, response: Response, call_next: CallNext) -> Any:
            answer = await call_next()
            return answer.set_header(self.header, "1")

    one, two = NexiosApp(), NexiosApp()
    for app, header in ((one, "x-one"), (two, "x-two")):
        app.add_middleware(Named, header=header)
        app.add_route("/", lambda: "x")

    first, second = await call(one), await call(two)

    assert (first.header("x-one"), first.header("x-two")) == ("1", None)
    assert (second.header("x-one"), second.header("x-two")) == (None, "1")


def test_the_settings_of_one_app_are_not_those_of_another() -> None:
    """The configuration of the first app was the global one, changing it changed all, and `immutable` did nothing."""
    one, two = NexiosApp(secret_key="k" * 40, debug=True), NexiosApp()

    assert (two.settings.secret_key, two.settings.debug) == (None, False)
    with pytest.raises(AttributeError):
        one.settings.secret_key = "x"  # type: ignore[misc]
    assert Settings() == two.settings


async def test_state_of_the_request_stays_what_middleware_made_it() -> None:
    """`app.state` was written over it when the next Request object was made."""

    async def user(request: Request, response: Response, call_next: CallNext) -> Any:
        request.state.name = "of the request"
        return await call_next()

    app = NexiosApp(middleware=[user, user])
    app.state.name = "of the app"
    app.add_route("/", lambda request, response: [request.state.name, request.app.state.name])

    assert (await call(app)).json() == ["of the request", "of the app"]


async def test_the_scope_of_the_server_is_left_as_it_was() -> None:
    """`extensions` was replaced, so that trailers, push and denial responses were lost; `app` was overwritten."""
    app = NexiosApp()
    app.add_route("/", lambda request, response: [str(request.url), dict(request.query_params.items())])
    extensions: dict[str, object] = {"http.response.trailers": {}}
    scope: dict[str, Any] = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": "/", "raw_path": b"/", "query_string": b"a=1", "root_path": "", "headers": [(b"host", b"x")],
        "client": None, "server": None, "extensions": extensions, "state": {},
    }  # fmt: skip
    before = dict(scope)

    async def receive() -> Any: ...

    async def send(message: Any) -> None: ...

    await app(scope, receive, send)

    assert scope == before
    assert scope["extensions"] is extensions


async def test_request_app_is_the_app_below_every_router() -> None:
    """Each router put itself in its place."""
    app = NexiosApp(title="the app")
    app.group("/a").group("/b").add_route("/c", lambda request, response: request.app.settings.title)

    assert (await call(app, path="/a/b/c")).body == b"the app"


def test_what_is_said_of_a_route_stays_with_its_app() -> None:
    """The description of the API was one object for the process."""
    one, two = NexiosApp(), NexiosApp()
    one.add_route("/one", lambda: "x", metadata={"summary": "one"}, tags=["one"])

    assert len(one.items) == 1
    assert two.items == ()


async def test_debug_is_off_and_an_error_page_of_ones_own_is_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """The debug page was always on, with headers, environment and sys.path, and it replaced the page of the user."""
    monkeypatch.setenv("TOKEN_IN_ENVIRONMENT", "environment-secret")
    app = NexiosApp()
    own = NexiosApp(exception_handlers={500: lambda request, exc: "own page"})
    for one in (app, own):

        @one.get("/")
        async def boom(request: Request, response: Response) -> None:
            local = "local-secret"
            raise ValueError(local)

    headers = [(b"authorization", b"header-secret"), (b"accept", b"text/html"), (b"cookie", b"a=cookie-secret")]
    answer = await call(app, headers=headers)

    assert (answer.status, len(answer.body) < 200, b"secret" in answer.body, b"File" in answer.body) == (
        500,
        True,
        False,
        False,
    )
    assert os.fsencode(sys.path[1]) not in answer.body
    assert (await call(own, headers=headers)).body == b"own page"


async def test_the_chain_is_built_once_and_has_one_request_and_one_task() -> None:
    """It was built for each request, with a task, a stream and a Request a layer; context variables were lost."""
    seen: list[tuple[Request, object]] = []
    made: list[str] = []

    class Layer(BaseMiddleware):
        def __init__(self) -> None:
            made.append("made")

        async def __call__(self, request: Request, response: Response, call_next: CallNext) -> Any:
            seen.append((request, asyncio.current_task()))
            answer = await call_next()
            return answer.set_header("x-seen", SEEN.get())

    app = NexiosApp()
    app.add_middleware(Layer)
    app.add_middleware(Layer)

    @app.get("/")
    async def handler(request: Request, response: Response) -> str:
        seen.append((request, asyncio.current_task()))
        SEEN.set("by the handler")
        return "x"

    answer = await call(app)
    made_at_first = len(made)
    await call(app)

    assert answer.header("x-seen") == "by the handler"
    assert (made_at_first, len(made)) == (2, 2)
    assert len(set(map(id, (request for request, _ in seen[:3])))) == 1
    assert len({task for _, task in seen[:3]}) == 1


async def test_an_exception_reaches_its_handler_as_it_was_raised() -> None:
    """Task groups wrapped it into an ExceptionGroup at each layer, which had to be unwrapped again."""

    async def layer(request: Request, response: Response, call_next: CallNext) -> Any:
        return await call_next()

    error = ValueError("as it was")
    handled: list[Exception] = []

    async def handler_of_errors(request: Request, exc: Exception) -> str:
        handled.append(exc)
        return "handled"

    app = NexiosApp(middleware=[layer, layer], exception_handlers={ValueError: handler_of_errors})

    @app.get("/", middleware=[layer])
    async def boom(request: Request, response: Response) -> None:
        raise error

    assert (await call(app)).body == b"handled"
    assert handled == [error]
    assert "boom" in "".join(traceback.format_exception(error))


async def test_hooks_run_beside_a_lifespan_and_stop_in_reverse() -> None:
    """`on_startup` was ignored beside a lifespan; a failing shutdown hook stopped the others, in the order added."""
    log: list[str] = []

    @asynccontextmanager
    async def context(app: NexiosApp) -> Any:
        log.append("context in")
        yield
        log.append("context out")

    app = NexiosApp(lifespan=context)
    app.on_startup(lambda: log.append("startup"))
    app.on_shutdown(lambda: log.append("shutdown 1"))

    @app.on_shutdown
    async def fails() -> None:
        raise RuntimeError

    app.on_shutdown(lambda: log.append("shutdown 3"))

    await lifespan(app)

    assert log == ["context in", "startup", "shutdown 3", "shutdown 1", "context out"]


async def test_a_start_that_fails_is_reported_and_its_context_is_left_with_the_reason() -> None:
    """It was swallowed and reported as complete; the context was never left, or not told why."""
    left: list[object] = []

    class Context:
        def __init__(self, app: NexiosApp) -> None: ...

        async def __aenter__(self) -> None: ...

        async def __aexit__(self, kind: object, exc: object, tb: object) -> None:
            left.append(exc)

    error = RuntimeError("no database")
    app = NexiosApp(lifespan=Context)

    @app.on_startup
    async def fails() -> None:
        raise error

    assert await lifespan(app) == [{"type": "lifespan.startup.failed", "message": "RuntimeError: no database"}]
    assert left == [error]


def test_importing_it_configures_no_logging_and_starts_nothing() -> None:
    """`logging.basicConfig` ran at import, with DEBUG and a thread for each logger."""
    script = (
        "import logging, threading, nexios\n"
        "from nexios import NexiosApp\n"
        "NexiosApp()\n"
        "root = logging.getLogger()\n"
        "print(root.handlers, root.level, logging.getLogger('nexios').handlers, threading.active_count())\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment)

    assert done.stdout == f"[] {logging.WARNING} [] 1\n"
    assert done.stderr == ""


async def test_async_listeners_are_awaited_their_errors_logged_and_no_payload_is_kept(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """They were started and forgotten, or never run; errors were lost; a history kept the text of all payloads."""
    log: list[str] = []
    app = NexiosApp()

    class Payload:
        def __str__(self) -> str:
            raise AssertionError("a payload is nobody's text")

        __repr__ = __str__

    @app.events.on("order.paid", priority=1)
    async def fails(payload: Payload) -> None:
        await asyncio.sleep(0)
        raise RuntimeError("lost?")

    @app.events.on("order.paid")
    async def listens(payload: Payload) -> None:
        await asyncio.sleep(0)
        log.append("heard")

    await app.events.emit("order.paid", Payload())

    assert log == ["heard"]
    assert len(caplog.records) == 1
    assert "lost?" in caplog.text


async def test_an_event_reaches_its_own_listeners_and_no_other() -> None:
    """ "Bubbling" triggered the children of an event, and "capturing" the whole parent."""
    log: list[str] = []
    app = NexiosApp()
    for name in ("order", "order.paid", "order.paid.late"):
        app.events.on(name, lambda name=name: log.append(name))

    await app.events.emit("order.paid")

    assert log == ["order.paid"]


async def test_what_a_middleware_returns_is_the_answer() -> None:
    """It was ignored: another response was silently dropped, and a forgotten call an empty 200."""

    async def replaces(request: Request, response: Response, call_next: CallNext) -> Response:
        await call_next()
        return Response("replaced")

    async def forgets(request: Request, response: Response, call_next: CallNext) -> None:
        await call_next()

    router = Router()
    router.add_route("/replaced", lambda: "original", middleware=[replaces])
    router.add_route("/forgotten", lambda: "original", middleware=[forgets])
    app = NexiosApp()
    app.include_router(router)

    assert (await call(app, path="/replaced")).body == b"replaced"
    assert (await call(app, path="/forgotten")).status == 500
