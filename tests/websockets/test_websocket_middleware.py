"""What happens around a WebSocket: middleware of apps, routers and routes, before the handshake is answered."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from nexios import Depend, HTTPException, NexiosApp, Router
from nexios._pipeline.websocket_chain import WebSocketMiddleware
from nexios.errors import ConfigurationError
from nexios.messages.websocket import WebSocket
from nexios.middleware import BaseMiddleware
from nexios.testing.client import TestClient
from nexios.testing.websocket import WebSocketDenied

SEEN: list[str] = []


@pytest.fixture(autouse=True)
def _nothing_seen() -> None:
    SEEN.clear()


def noting(name: str) -> Any:
    async def middleware(websocket: WebSocket, call_next: Any) -> None:
        SEEN.append(f"{name} {websocket.connection_state.value}")
        await call_next()
        SEEN.append(f"{name} done")

    return middleware


async def accepting(websocket: WebSocket) -> None:
    SEEN.append("handler")
    await websocket.accept()


async def test_it_runs_around_dependencies_and_handler_outermost_first() -> None:
    async def provider(websocket: WebSocket) -> AsyncIterator[None]:
        SEEN.append("provider")
        yield
        SEEN.append("closed")

    app = NexiosApp(websocket_middleware=[noting("app")])
    inner = Router("/inner", websocket_middleware=[noting("router")])
    inner.add_websocket_middleware(noting("added"))
    inner.add_websocket("/ws", accepting, middleware=[noting("route")], dependencies=[Depend(provider)])
    app.include_router(inner)

    async with TestClient(app) as client, client.websocket_connect("/inner/ws"):
        pass

    around = ["app", "router", "added", "route"]
    before = [f"{name} connecting" for name in around]
    after = [f"{name} done" for name in reversed(around)]
    assert [*before, "provider", "handler", *after, "closed"] == SEEN


async def test_it_denies_by_returning_and_the_handler_is_never_called() -> None:
    class Members(WebSocketMiddleware):
        def __init__(self, cookie: str) -> None:
            self.cookie = cookie

        async def __call__(self, websocket: WebSocket, call_next: Any) -> None:
            if self.cookie not in websocket.cookies:
                await websocket.deny(401)
                return
            await call_next()

    app = NexiosApp()
    app.add_websocket_middleware(Members, cookie="member")
    app.add_websocket("/ws", accepting)

    async with TestClient(app) as client:
        with pytest.raises(WebSocketDenied, match="401"):
            async with client.websocket_connect("/ws"):
                pass
        assert SEEN == []
        async with client.websocket_connect("/ws", cookies={"member": "1"}):
            pass

    assert SEEN == ["handler"]


async def test_it_sees_what_the_handler_raises() -> None:
    async def watching(websocket: WebSocket, call_next: Any) -> None:
        try:
            await call_next()
        except KeyError:
            SEEN.append("seen")
            raise HTTPException(403, "No such room.") from None

    async def failing(websocket: WebSocket) -> None:
        await websocket.accept()
        raise KeyError

    app = NexiosApp()
    app.add_websocket("/ws", failing, middleware=[watching])

    async with TestClient(app) as client, client.websocket_connect("/ws") as ws:
        assert await ws.wait_closed() == (1008, "No such room.")
    assert SEEN == ["seen"]


async def test_a_client_that_leaves_is_no_exception_for_it() -> None:
    async def reading(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.receive()

    app = NexiosApp(websocket_middleware=[noting("app")])
    app.add_websocket("/ws", reading)

    async with TestClient(app) as client, client.websocket_connect("/ws"):
        pass

    assert SEEN == ["app connecting", "app done"]


async def test_that_of_the_app_runs_for_a_path_without_a_route_too() -> None:
    app = NexiosApp(websocket_middleware=[noting("app")])

    async with TestClient(app) as client:
        with pytest.raises(WebSocketDenied, match="404"):
            async with client.websocket_connect("/nothing"):
                pass

    assert SEEN == ["app connecting"]


async def test_it_is_given_dependencies_and_shares_them_with_the_handler() -> None:
    class Session:
        pass

    async def session(websocket: WebSocket) -> AsyncIterator[Session]:
        SEEN.append(f"open {websocket.path}")
        yield Session()
        SEEN.append("close")

    async def opening(websocket: WebSocket, call_next: Any, opened: Session = Depend(session)) -> None:
        websocket.state.opened = opened
        await call_next()

    async def handler(websocket: WebSocket, opened: Session = Depend(session)) -> None:
        SEEN.append(f"same {opened is websocket.state.opened}")

    app = NexiosApp(websocket_middleware=[opening])
    app.add_websocket("/ws", handler)

    async with TestClient(app) as client:
        with pytest.raises(WebSocketDenied):
            async with client.websocket_connect("/ws"):
                pass

    assert SEEN == ["open /ws", "same True", "close"]


async def test_middleware_of_requests_may_serve_both() -> None:
    class Both(BaseMiddleware):
        async def __call__(self, request: Any, response: Any, call_next: Any) -> Any:
            SEEN.append("request")
            return await call_next()

        async def handle_websocket(self, websocket: WebSocket, call_next: Any) -> None:
            SEEN.append("websocket")
            await call_next()

    app = NexiosApp(middleware=[Both()])
    inner = Router(middleware=[Both()])
    inner.add_websocket("/ws", accepting)
    app.include_router(inner)

    async with TestClient(app) as client:
        await client.get("/nothing")
        async with client.websocket_connect("/ws"):
            pass

    assert SEEN == ["request", "websocket", "websocket", "handler"]


class ForRequests(BaseMiddleware):
    async def __call__(self, request: Any, response: Any, call_next: Any) -> Any:
        return await call_next()


class Without(ForRequests):
    handle_websocket = None


def test_what_would_be_left_out_silently_is_refused_on_a_router_and_told_for_an_app(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Public fault 49: middleware of WebSocket routes was ignored."""
    app = NexiosApp()
    inner = Router("/inner", middleware=[ForRequests()])
    inner.add_websocket("/ws", accepting)
    app.include_router(inner)
    with pytest.raises(ConfigurationError, match=r"(?s)for requests: ForRequests.*websocket_middleware=\[check\]"):
        app.compile()

    warned = NexiosApp(middleware=[ForRequests()])
    warned.add_websocket("/ws", accepting)
    warned.compile()

    assert "middleware of the app does not run for WebSockets (/ws): ForRequests" in caplog.text


def test_one_that_says_that_websockets_do_without_it_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    app = NexiosApp(middleware=[Without()])
    inner = Router("/inner", middleware=[Without()])
    inner.add_websocket("/ws", accepting)
    app.include_router(inner)

    app.compile()

    assert caplog.records == []


def plain(websocket: WebSocket, call_next: Any) -> None: ...


async def of_requests(request: Any, response: Any, call_next: Any) -> Any: ...


@pytest.mark.parametrize("middleware", [plain, of_requests, 3])
def test_what_is_no_middleware_is_refused_at_compile(middleware: Any) -> None:
    app = NexiosApp(websocket_middleware=[middleware])

    with pytest.raises(ConfigurationError, match=r"(?s)no middleware of WebSockets.*async def middleware\(websocket"):
        app.compile()


def test_middleware_that_needs_another_before_it_says_so() -> None:
    class Session(WebSocketMiddleware):
        async def __call__(self, websocket: WebSocket, call_next: Any) -> None: ...

    class User(Session):
        requires = (Session,)

    app = NexiosApp(websocket_middleware=[User()])

    with pytest.raises(ConfigurationError, match="User needs Session before it"):
        app.compile()
