"""Exception handlers, shared with HTTP: before accept they deny with a response, after it they close with a code."""

from typing import Any

import pytest

from nexios import Depend, HTTPException, NexiosApp, Request, Router
from nexios.errors import ConfigurationError
from nexios.messages.connection import Connection
from nexios.messages.response import Response
from nexios.messages.websocket import BadMessage, WebSocket
from nexios.testing.client import TestClient
from nexios.testing.websocket import WebSocketDenied


class Missing(Exception):
    pass


class Expired(Exception):
    pass


def make_app() -> NexiosApp:
    app = NexiosApp()

    @app.websocket("/early")
    async def early(websocket: WebSocket) -> None:
        raise Missing

    @app.websocket("/late")
    async def late(websocket: WebSocket) -> None:
        await websocket.accept()
        raise Missing

    @app.get("/http")
    async def http(request: Request, response: Response) -> None:
        raise Missing

    return app


async def denial(app: NexiosApp, path: str, **options: Any) -> tuple[int, str]:
    async with TestClient(app, **options) as client:
        with pytest.raises(WebSocketDenied) as caught:
            async with client.websocket_connect(path):
                pass
        return caught.value.status_code, caught.value.response.text


async def closing(app: NexiosApp, path: str, **options: Any) -> tuple[int, str]:
    async with TestClient(app, **options) as client, client.websocket_connect(path) as ws:
        return await ws.wait_closed()


async def test_one_handler_answers_requests_and_websockets() -> None:
    app = make_app()

    @app.exception_handler(Missing)
    async def missing(connection: Any, exc: Missing) -> Any:
        return {"missing": connection.path}, 404

    assert await denial(app, "/early") == (404, '{"missing":"/early"}')
    assert await closing(app, "/late") == (1008, "")
    async with TestClient(app) as client:
        assert (await client.get("/http")).json() == {"missing": "/http"}


@pytest.mark.parametrize(
    ("result", "expected"),
    [(4004, (4004, "")), ((4004, "gone"), (4004, "gone")), ({"a": 1}, (1011, "")), (({}, 409), (1008, ""))],
)
async def test_after_accept_what_it_returns_is_a_close_code(result: Any, expected: tuple[int, str]) -> None:
    app = make_app()

    @app.exception_handler(Missing)
    async def missing(websocket: WebSocket, exc: Missing) -> Any:
        return result

    assert await closing(app, "/late") == expected


async def test_it_may_end_the_websocket_itself() -> None:
    app = make_app()

    @app.exception_handler(Missing)
    async def missing(websocket: WebSocket, exc: Missing) -> None:
        if websocket.is_open:
            await websocket.close(4100, "no such room")
        else:
            await websocket.deny(410, body=b"gone")

    assert await closing(app, "/late") == (4100, "no such room")
    assert await denial(app, "/early") == (410, "gone")


async def test_it_may_fill_the_response_and_ask_for_dependencies() -> None:
    async def motto(websocket: WebSocket) -> str:
        return f"nothing at {websocket.path}"

    app = make_app()

    @app.exception_handler(Missing)
    async def missing(websocket: WebSocket, response: Response, exc: Missing, text: str = Depend(motto)) -> None:
        response.text(text, 404)

    assert await denial(app, "/early") == (404, "nothing at /early")


async def test_the_nearest_handler_wins() -> None:
    app, inner = make_app(), Router("/inner")

    async def failing(websocket: WebSocket) -> None:
        await websocket.accept()
        raise Missing

    async def outer_handler(websocket: WebSocket, exc: Exception) -> int:
        return 4001

    async def inner_handler(websocket: WebSocket, exc: Exception) -> int:
        return 4002

    async def own_handler(websocket: WebSocket, exc: Exception) -> int:
        return 4003

    app.add_exception_handler(Missing, outer_handler)
    inner.add_exception_handler(Missing, inner_handler)
    inner.add_websocket("/ws", failing)
    inner.add_websocket("/own", failing, exception_handlers={Exception: own_handler})
    app.include_router(inner)

    assert [(await closing(app, path, raise_app_exceptions=False))[0] for path in ("/late", "/inner/ws")] == [
        4001,
        4002,
    ]
    assert (await closing(app, "/inner/own", raise_app_exceptions=False))[0] == 4003


async def test_one_for_requests_alone_is_left_out_and_so_is_one_for_websockets() -> None:
    app = make_app()

    @app.exception_handler(Missing)
    async def for_requests(request: Request, exc: Missing) -> Any:
        return {"method": request.method}, 404

    assert await denial(app, "/early", raise_app_exceptions=False) != (404, '{"method":"GET"}')

    other = make_app()

    @other.exception_handler(Missing)
    async def for_websockets(websocket: WebSocket, exc: Missing) -> int:
        return 4004

    async with TestClient(other, raise_app_exceptions=False) as client:
        assert (await client.get("/http")).status_code == 500
    assert await closing(other, "/late") == (4004, "")


async def test_a_handler_that_fails_leaves_it_to_the_default(caplog: pytest.LogCaptureFixture) -> None:
    app = make_app()

    @app.exception_handler(Missing)
    async def broken(websocket: WebSocket, exc: Missing) -> Any:
        raise KeyError("a fault of the exception handler")

    assert await closing(app, "/late") == (1011, "")
    assert (await denial(app, "/early"))[0] == 500
    assert "the exception handler of a WebSocket failed" in caplog.text


@pytest.mark.parametrize("code", [1005, 70, (1000, "x" * 200)])
async def test_a_code_that_cannot_travel_leaves_it_to_the_default(code: Any) -> None:
    app = make_app()

    @app.exception_handler(Missing)
    async def missing(websocket: WebSocket, exc: Missing) -> Any:
        return code

    assert await closing(app, "/late") == (1011, "")


async def test_an_http_exception_from_a_handler_is_the_answer() -> None:
    app = make_app()

    @app.exception_handler(Missing)
    async def missing(websocket: WebSocket, exc: Missing) -> Any:
        raise HTTPException(404, "No such room.")

    assert await closing(app, "/late") == (1008, "No such room.")
    assert (await denial(app, "/early"))[0] == 404


async def test_a_status_handler_answers_a_path_without_a_route() -> None:
    app = make_app()

    @app.exception_handler(404)
    async def not_found(connection: Any, exc: Exception) -> Any:
        return "nothing here", 404

    assert await denial(app, "/nowhere") == (404, "nothing here")


async def test_a_bad_message_that_is_raised_can_be_handled() -> None:
    app = NexiosApp(bad_messages="raise")

    @app.websocket("/ws")
    async def ws(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.receive_json()

    @app.exception_handler(BadMessage)
    async def bad(websocket: WebSocket, exc: BadMessage) -> Any:
        return 4000, exc.error

    async with TestClient(app) as client, client.websocket_connect("/ws") as session:
        await session.send_text("{")
        assert await session.wait_closed() == (4000, "malformed_json")


def test_a_handler_of_other_arguments_is_refused_at_compile() -> None:
    app = NexiosApp()

    async def four(websocket: WebSocket, b: Any, c: Any, d: Any) -> None: ...

    app.add_exception_handler(Missing, four)

    with pytest.raises(ConfigurationError, match=r"four\(\) takes 4 arguments"):
        app.compile()


def asks_for_the_request(request: Request) -> None: ...


def through_another(made: Any = Depend(asks_for_the_request)) -> None: ...


@pytest.mark.parametrize("guard", [asks_for_the_request, through_another])
def test_a_guard_of_the_app_that_asks_for_the_request_is_refused_with_the_reason_and_the_fix(guard: Any) -> None:
    app = NexiosApp(dependencies=[Depend(guard)])

    @app.websocket("/ws")
    async def ws(websocket: WebSocket) -> None: ...

    with pytest.raises(ConfigurationError) as caught:
        app.compile()

    text = str(caught.value)
    assert text.startswith("WEBSOCKET /ws cannot be compiled: Nothing fills the parameter 'request' of asks_for_the")
    assert "A WebSocket has no request and no response." in text
    assert "async def guard(connection: Connection): ..." in text
    assert "api = Router(dependencies=[Depend(guard)])" in text
    assert "Give it a provider" not in text


async def test_a_guard_that_asks_for_what_both_have_in_common_serves_both() -> None:
    app = make_app()
    app.dependencies.append(Depend(_common))

    assert (await denial(app, "/early", raise_app_exceptions=False))[0] == 401
    async with TestClient(app) as client:
        assert (await client.get("/http")).status_code == 401


def _common(connection: Connection) -> None:  # type: ignore[type-arg]
    if "key" not in connection.cookies:
        raise HTTPException(401)
