"""Dependencies outside of handlers: middleware, exception handlers, listeners, mounts, scripts."""

from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any

import pytest

from nexios import Depend, Header, HTTPException, NexiosApp, Query, Request, Response, Router
from nexios._pipeline.middleware import BaseMiddleware
from nexios.errors import ConfigurationError
from tests.injection.injection_kit import Session, Sessions, Trace, ask, one_route

Next = Callable[[], Any]


# Middleware


async def test_a_middleware_has_dependencies_and_typed_inputs() -> None:
    seen: list[object] = []

    async def middleware(
        request: Request,
        response: Response,
        call_next: Next,
        word: str = Depend(lambda: "word"),
        *,
        size: Annotated[int, Query()] = 20,
        x_trace: str = Header("none"),
    ) -> Any:
        seen.extend((word, size, x_trace))
        return await call_next()

    async def handler(request: Request, response: Response) -> str:
        return "whole"

    app = one_route(handler)
    app.add_middleware(middleware)

    assert (await ask(app, query=b"size=5", headers=[(b"x-trace", b"t1")])).body == b"whole"
    assert seen == ["word", 5, "t1"]
    assert (await ask(app, query=b"size=x")).status == 422


@pytest.mark.parametrize("level", ["app", "router", "route"])
async def test_a_session_that_a_middleware_opened_is_the_handlers_session(level: str) -> None:
    sessions = Sessions()
    numbers: list[int] = []

    class Auditing(BaseMiddleware):
        async def __call__(
            self, request: Request, response: Response, call_next: Next, session: Session = Depend(sessions.get)
        ) -> Any:
            numbers.append(session.number)
            assert sessions.ends == []
            return await call_next()

    async def handler(session: Session = Depend(sessions.get)) -> int:
        numbers.append(session.number)
        return session.number

    router = Router(middleware=[Auditing()] if level == "router" else [])
    router.get("/", middleware=[Auditing()] if level == "route" else [])(handler)
    app = NexiosApp(middleware=[Auditing()] if level == "app" else [])
    app.include_router(router)

    assert (await ask(app)).json() == 1
    assert (numbers, sessions.ends) == ([1, 1], ["1 committed"])


@pytest.mark.parametrize("error", [ValueError("inside"), HTTPException(409)])
@pytest.mark.parametrize("answers", ["what it got", "something else"])
async def test_a_session_that_a_middleware_opened_sees_the_error_of_the_handler(error: Exception, answers: str) -> None:
    """The middleware gets a response; the session must not commit the half of what the handler meant to do."""
    sessions = Sessions()

    async def auditing(
        request: Request, response: Response, call_next: Next, session: Session = Depend(sessions.get)
    ) -> Any:
        answer = await call_next()
        return answer if answers == "what it got" else response.status(200).text("all is well")

    async def handler(session: Session = Depend(sessions.get)) -> None:
        raise error

    app = one_route(handler)
    app.add_middleware(auditing)
    await ask(app)

    assert sessions.ends == [f"1 rolled back for {type(error).__name__}"]


async def test_a_session_of_a_middleware_alone_is_not_told_of_the_handlers_errors() -> None:
    sessions = Sessions()

    async def auditing(
        request: Request, response: Response, call_next: Next, session: Session = Depend(sessions.get)
    ) -> Any:
        return await call_next()

    async def handler(other: object = Depend(object, limit=1)) -> None:
        raise HTTPException(404)

    app = one_route(handler)
    app.add_middleware(auditing)

    assert [(await ask(app)).status, (await ask(app, "/nowhere")).status] == [404, 404]
    assert sessions.ends == ["1 committed", "2 committed"]


async def test_what_a_middleware_asked_for_is_closed_when_it_fails_before_the_handler() -> None:
    sessions = Sessions()

    async def refusing(
        request: Request, response: Response, call_next: Next, session: Session = Depend(sessions.get)
    ) -> Any:
        raise HTTPException(403)

    async def handler(session: Session = Depend(sessions.get)) -> None: ...

    app = one_route(handler)
    app.add_middleware(refusing)

    assert (await ask(app)).status == 403
    assert sessions.ends == ["1 rolled back for HTTPException"]


async def test_two_middleware_and_the_handler_have_one_session() -> None:
    sessions = Sessions()
    numbers: list[int] = []

    async def first(request: Request, response: Response, call_next: Next, s: Session = Depend(sessions.get)) -> Any:
        numbers.append(s.number)
        return await call_next()

    async def second(request: Request, response: Response, call_next: Next, s: Session = Depend(sessions.get)) -> Any:
        numbers.append(s.number)
        return await call_next()

    async def handler(s: Session = Depend(sessions.get)) -> str:
        numbers.append(s.number)
        return "whole"

    app = one_route(handler, middleware=[second])
    app.add_middleware(first)
    await ask(app)

    assert (numbers, sessions.ends) == ([1, 1, 1], ["1 committed"])


async def test_the_handler_scope_of_a_middleware_ends_when_it_returns() -> None:
    trace: Trace = []

    async def transaction() -> AsyncIterator[None]:
        trace.append("open")
        yield
        trace.append("close")

    async def outer(request: Request, response: Response, call_next: Next) -> Any:
        answer = await call_next()
        trace.append("outer")
        return answer

    async def inner(
        request: Request, response: Response, call_next: Next, one: None = Depend(transaction, scope="handler")
    ) -> Any:
        answer = await call_next()
        trace.append("inner")
        return answer

    async def handler(request: Request, response: Response) -> str:
        trace.append("handler")
        return "whole"

    app = one_route(handler)
    app.add_middleware(outer)
    app.add_middleware(inner)
    await ask(app)

    assert trace == ["open", "handler", "inner", "close", "outer"]


async def test_a_middleware_that_tries_again_gives_the_handler_a_new_session() -> None:
    sessions = Sessions()
    numbers: list[int] = []

    async def again(request: Request, response: Response, call_next: Next) -> Any:
        answer = await call_next()
        return answer if answer.error is None else await call_next()

    async def handler(session: Session = Depend(sessions.get)) -> int:
        numbers.append(session.number)
        if len(numbers) == 1:
            raise HTTPException(503)
        return session.number

    app = one_route(handler)
    app.add_middleware(again)

    assert (await ask(app)).json() == 2
    assert sessions.ends == ["1 rolled back for HTTPException", "2 committed"]


# Exception handlers


@pytest.mark.parametrize("level", ["app", "route"])
@pytest.mark.parametrize("with_middleware", [False, True])
async def test_an_exception_handler_has_a_session_that_has_not_failed(level: str, with_middleware: bool) -> None:
    sessions = Sessions()

    async def on_error(
        request: Request, response: Response, exc: Exception, session: Session = Depend(sessions.get)
    ) -> Response:
        return response.status(500).json({"error": str(exc), "session": session.number})

    async def auditing(request: Request, response: Response, call_next: Next, s: Session = Depend(sessions.get)) -> Any:
        return await call_next()

    async def handler(session: Session = Depend(sessions.get)) -> None:
        raise LookupError("inside")

    router = Router(exception_handlers={LookupError: on_error} if level == "route" else {})
    router.get("/")(handler)
    app = NexiosApp(exception_handlers={LookupError: on_error} if level == "app" else {})
    app.include_router(router)
    if with_middleware:
        app.add_middleware(auditing)
    answer = await ask(app)

    assert answer.json() == {"error": "inside", "session": 2}
    assert "1 rolled back for LookupError" in sessions.ends
    assert len(sessions.ends) == 2


async def test_an_exception_handler_of_two_arguments_has_dependencies_too() -> None:
    async def on_error(
        request: Request, exc: Exception, word: str = Depend(lambda: "word"), *, q: int = Query()
    ) -> str:
        return f"{exc} {word} {q}"

    async def handler(request: Request, response: Response) -> None:
        raise LookupError("inside")

    app = NexiosApp(exception_handlers={LookupError: on_error})
    app.get("/")(handler)

    assert (await ask(app, query=b"q=5")).body == b"inside word 5"
    assert (await ask(app, query=b"q=x")).status == 422


async def test_a_provider_of_an_exception_handler_that_fails_is_a_500(caplog: pytest.LogCaptureFixture) -> None:
    def failing() -> None:
        raise RuntimeError("the provider's")

    async def on_error(request: Request, exc: Exception, one: None = Depend(failing)) -> str:
        return "never"

    async def handler(request: Request, response: Response) -> None:
        raise LookupError("the handler's")

    app = NexiosApp(exception_handlers={LookupError: on_error})
    app.get("/")(handler)

    assert (await ask(app)).status == 500
    assert "the provider's" in caplog.text
    assert "the handler's" in caplog.text


# Listeners


async def test_a_listener_has_dependencies_and_its_arguments() -> None:
    sessions = Sessions()
    heard: list[object] = []
    app = NexiosApp()

    @app.event_emitter.on("order.paid")
    async def send_receipt(order: str, *, session: Session = Depend(sessions.get), note: str = "") -> None:
        heard.extend((order, session.number, note))
        assert sessions.ends == []

    await app.event_emitter.emit("order.paid", "A1", note="thanks")

    assert (heard, sessions.ends) == (["A1", 1, "thanks"], ["1 committed"])


async def test_a_listener_of_a_request_may_ask_for_what_the_request_has() -> None:
    heard: list[str] = []
    app = NexiosApp()

    @app.event_emitter.on("request.started")
    async def note(request: Request, path: str = Depend(lambda request: request.path)) -> None:
        heard.append(path)

    @app.get("/")
    async def handler(request: Request, response: Response) -> str:
        return "whole"

    await ask(app)

    assert heard == ["/"]


async def test_a_listener_without_a_request_is_told_that_there_is_none(caplog: pytest.LogCaptureFixture) -> None:
    app = NexiosApp()

    @app.event_emitter.on("order.paid", strict=True)
    async def note(path: str = Depend(lambda request: request.path)) -> None: ...

    with pytest.raises(ConfigurationError, match=r"note\(\) needs a provider that asks for the request"):
        await app.event_emitter.emit("order.paid")


async def test_a_cleanup_of_a_listener_that_fails_is_logged_as_the_listeners(caplog: pytest.LogCaptureFixture) -> None:
    async def failing() -> AsyncIterator[None]:
        yield
        raise ValueError("commit")

    app = NexiosApp()

    @app.event_emitter.on("order.paid")
    async def note(one: None = Depend(failing)) -> None: ...

    await app.event_emitter.emit("order.paid")

    assert len(caplog.records) == 1
    assert "listener" in caplog.text
    assert "commit" in caplog.text
