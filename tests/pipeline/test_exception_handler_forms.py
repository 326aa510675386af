"""How is an exception handler called? By what it takes; and in a worker thread when it is no async function."""

import contextvars
import functools
import threading
from typing import Any

import pytest

from nexios import Depend, HTTPException, NexiosApp, Request, Response
from nexios.errors import ConfigurationError
from nexios.testing import TestClient, WebSocketDenied, call
from nexios.websockets import WebSocket


async def exc_first(exc: HTTPException, request: Request) -> None: ...
async def untyped_exc_first(exc, request) -> None: ...  # type: ignore[no-untyped-def]
async def error_first(error: Any, req: Any) -> None: ...
def sync_exc_first(exc: Exception, request: Request) -> None: ...
async def socket_last(exc: Exception, websocket: WebSocket) -> None: ...


@pytest.mark.parametrize("handler", [exc_first, untyped_exc_first, error_first, sync_exc_first, socket_last])
def test_arguments_in_the_wrong_order_are_refused_with_the_right_one(handler: Any) -> None:
    app = NexiosApp(exception_handlers={404: handler})

    with pytest.raises(ConfigurationError) as caught:
        app.compile()

    name, first = handler.__name__, handler.__code__.co_varnames[0]
    assert f"The exception handler {name}() is given the request as its first argument, where it takes {first!r}." in (
        str(caught.value)
    )
    assert "test_exception_handler_forms.py:" in str(caught.value)
    assert f"async def {name}(request, exc): ..." in str(caught.value)


async def response_second(request: Request, response: Response) -> None: ...
async def exc_second(request: Request, exc: Exception, response: Response) -> None: ...


@pytest.mark.parametrize("handler", [response_second, exc_second])
def test_a_response_in_the_place_of_another_argument_is_refused(handler: Any) -> None:
    app = NexiosApp(exception_handlers={404: handler})

    with pytest.raises(ConfigurationError, match=r"where it takes '(response|exc)'"):
        app.compile()


async def answer(handler: Any, **options: Any) -> bytes:
    app = NexiosApp(exception_handlers={418: handler}, **options)

    @app.get("/")
    async def index() -> None:
        raise HTTPException(418)

    return (await call(app)).body


def two(request: Request, exc: HTTPException) -> str:
    return f"{exc.status_code} {threading.current_thread().name.partition('_')[0]}"


def three(req, res, e):  # type: ignore[no-untyped-def]
    return res.text(f"{e.status_code} {threading.current_thread().name.partition('_')[0]}")


class Called:
    def __call__(self, request: Request, exc: HTTPException) -> str:
        return two(request, exc)


@pytest.mark.parametrize(
    "handler", [two, three, Called(), functools.partial(two), lambda request, exc: two(request, exc)]
)
async def test_a_def_handler_runs_in_a_worker_thread(handler: Any) -> None:
    assert await answer(handler) == b"418 nexios"


async def test_an_async_handler_stays_on_the_event_loop() -> None:
    async def handler(request: Request, exc: HTTPException) -> str:
        return threading.current_thread().name

    assert await answer(handler) == threading.current_thread().name.encode()


async def test_a_def_handler_of_a_miss_runs_in_a_worker_thread_too() -> None:
    app = NexiosApp(exception_handlers={404: lambda request, exc: two(request, exc)})

    assert (await call(app, path="/nowhere")).body == b"404 nexios"


async def test_a_def_handler_in_a_thread_gets_its_dependencies() -> None:
    async def get_name() -> str:
        return threading.current_thread().name

    def handler(request: Request, exc: HTTPException, name: str = Depend(get_name)) -> str:
        return f"{name} {two(request, exc)}"

    assert await answer(handler) == f"{threading.current_thread().name} 418 nexios".encode()


async def test_a_lambda_around_an_async_handler_is_awaited() -> None:
    async def render(exc: HTTPException) -> str:
        return f"rendered {exc.status_code}"

    assert await answer(lambda request, exc: render(exc)) == b"rendered 418"


variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")


async def test_a_handler_in_a_thread_sees_the_context_of_the_request() -> None:
    async def middleware(request: Request, response: Response, call_next: Any) -> Any:
        variable.set("of the request")
        return await call_next()

    def handler(request: Request, exc: HTTPException) -> str:
        return variable.get()

    assert await answer(handler, middleware=[middleware]) == b"of the request"


async def test_what_a_handler_in_a_thread_raises_is_a_500() -> None:
    def handler(request: Request, exc: HTTPException) -> str:
        raise RuntimeError("the handler is wrong")

    assert b'"status":500' in await answer(handler)


async def test_a_def_handler_of_a_websocket_runs_in_a_worker_thread() -> None:
    threads: list[str] = []

    def handler(websocket: WebSocket, exc: ValueError) -> tuple[str, int]:
        threads.append(threading.current_thread().name.partition("_")[0])
        return "refused", 403

    app = NexiosApp(exception_handlers={ValueError: handler})

    @app.websocket("/ws")
    async def socket(websocket: WebSocket) -> None:
        raise ValueError

    async with TestClient(app) as client:
        with pytest.raises(WebSocketDenied) as caught:
            async with client.websocket_connect("/ws"):
                pass

    assert (caught.value.response.status_code, threads) == (403, ["nexios"])
