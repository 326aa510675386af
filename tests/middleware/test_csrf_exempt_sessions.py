"""What is exempt from CSRF protection and believes the cookie of a session is a hole: the log says so."""

import logging
from typing import Any

import pytest

from nexios import NexiosApp, Router
from nexios.auth import AuthBackend, SessionAuth, login, requires
from nexios.middleware import CSRFMiddleware
from nexios.session import SessionMiddleware
from nexios.stores import MemoryStore
from nexios.testing import TestClient

ELSEWHERE = {"sec-fetch-site": "cross-site"}


class Key(AuthBackend):
    async def authenticate(self, request: Any) -> Any:
        return "program" if request.headers.get("x-key") == "right" else None


def make_app(**router_options: Any) -> NexiosApp:
    async def find_user(user_id: str) -> Any:
        return user_id

    app = NexiosApp()
    app.add_middleware(SessionMiddleware, store=MemoryStore())
    app.add_middleware(CSRFMiddleware)
    app.auth_backend = SessionAuth(find_user)
    api = Router(prefix="/api", metadata={"csrf_exempt": True}, **router_options)

    @app.get("/sign-in")
    async def sign_in(request: Any, response: Any) -> str:
        await login(request, "ada")
        return "in"

    @api.post("/callback")
    async def callback(request: Any, response: Any) -> str:
        await login(request, "ada")
        return "in"

    @api.post("/orders")
    @requires()
    async def order(request: Any, response: Any) -> str:
        return str(request.user)

    app.include_router(api)
    return app


def test_an_exempt_route_that_knows_people_by_a_session_is_named_once(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "nexios"), TestClient(make_app()) as client:
        client.get("/sign-in")
        assert [client.post("/api/orders", headers=ELSEWHERE).text for _ in range(2)] == ["ada", "ada"]

    assert len(caplog.messages) == 1
    assert "CSRF: 'POST' to '/api/orders' is exempt, and a session says whose request it is" in caplog.messages[0]
    assert "an auth_backend that takes no session" in caplog.messages[0]


def test_with_a_backend_of_its_own_the_session_is_nobody_there(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "nexios"), TestClient(make_app(auth_backend=Key())) as client:
        client.get("/sign-in")
        assert client.post("/api/orders", headers=ELSEWHERE).status_code == 401
        assert client.post("/api/orders", headers={**ELSEWHERE, "x-key": "right"}).text == "program"

    assert caplog.messages == []


def test_a_login_on_an_exempt_route_is_no_reason_to_warn(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "nexios"), TestClient(make_app()) as client:
        assert client.post("/api/callback", headers=ELSEWHERE).status_code == 200

    assert caplog.messages == []


def test_the_log_tells_a_program_without_cookies_what_it_may_be(caplog: pytest.LogCaptureFixture) -> None:
    app = NexiosApp()
    app.add_middleware(CSRFMiddleware)

    @app.post("/orders")
    async def order(request: Any, response: Any) -> str:
        return "ordered"

    with caplog.at_level(logging.WARNING, "nexios"), TestClient(app) as client:
        assert client.post("/orders").status_code == 403

    assert "A route for programs, which is known by a token or key and by no cookie, is marked with @csrf_exempt" in (
        caplog.text
    )
