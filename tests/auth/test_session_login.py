"""Signing in with a browser: the session remembers, login rotates it, and credentials of somebody else go first."""

from typing import Any

import pytest

from nexios import NexiosApp
from nexios.auth import BasicAuth, SessionAuth, login, logout, requires
from nexios.errors import ConfigurationError
from nexios.session import SessionMiddleware
from nexios.stores.memory import MemoryStore
from nexios.testing import TestClient

USERS = {"1": {"name": "ada"}, "2": {"name": "bob"}}


async def find_user(user_id: str) -> Any:
    return USERS.get(user_id)


async def check(name: str, password: str) -> Any:
    return {"name": name} if password == "right" else None


def app_with_sessions(**options: Any) -> NexiosApp:
    app = NexiosApp(debug=True)
    app.add_middleware(SessionMiddleware, store=MemoryStore())
    app.auth_backend = [SessionAuth(find_user, **options), BasicAuth(check)]

    @app.post("/login/{user_id}")
    async def sign_in(request: Any, response: Any, user_id: Any) -> Any:
        request.session["cart"] = [*request.session.get("cart", []), user_id]
        await login(request, user_id)
        return {"cart": request.session.get("cart")}

    @app.post("/logout")
    async def sign_out(request: Any, response: Any) -> None:
        logout(request)

    @app.get("/who")
    @requires()
    async def who(request: Any, response: Any) -> Any:
        return request.user

    return app


@pytest.fixture
def client() -> Any:
    with TestClient(app_with_sessions(), base_url="https://testserver") as client:
        yield client


def test_a_session_remembers_its_user_until_logout(client: Any) -> None:
    assert client.get("/who").status_code == 401
    client.post("/login/1")
    assert client.get("/who").json() == {"name": "ada"}
    client.post("/logout")
    assert client.get("/who").status_code == 401


def test_login_gives_the_session_a_new_id(client: Any) -> None:
    """The id that somebody had planted before is worth nothing after it."""
    client.post("/login/1")
    before = dict(client.cookies)
    client.post("/login/1")
    assert dict(client.cookies) != before
    with TestClient(app_with_sessions(), base_url="https://testserver", cookies=before) as other:
        assert other.get("/who").status_code == 401


def test_another_user_takes_over_nothing(client: Any) -> None:
    client.post("/login/1")
    answer = client.post("/login/2")
    assert client.get("/who").json() == {"name": "bob"}
    assert answer.json() == {"cart": None}


def test_a_user_who_left_is_nobody(client: Any) -> None:
    client.post("/login/3")
    assert client.get("/who").status_code == 401


@pytest.mark.parametrize(("password", "expected"), [("right", 200), ("wrong", 401)])
def test_c14_a_session_of_one_user_beside_credentials_of_another(client: Any, password: Any, expected: Any) -> None:
    """C14: never the first one silently."""
    client.post("/login/1")
    answer = client.get("/who", auth=("bob", password))
    assert answer.status_code == expected
    assert expected == 401 or answer.json() == {"name": "bob"}


def test_an_app_behind_the_password_of_a_proxy_says_so() -> None:
    with TestClient(app_with_sessions(beside_authorization=True), base_url="https://testserver") as client:
        client.post("/login/1")
        assert client.get("/who", auth=("proxy", "password")).json() == {"name": "ada"}


def test_without_sessions_the_error_says_what_to_add() -> None:
    app = NexiosApp()
    app.auth_backend = SessionAuth(find_user)

    @app.get("/")
    async def home(request: Any, response: Any) -> None: ...

    with pytest.raises(ConfigurationError, match="SessionMiddleware"), TestClient(app) as client:
        client.get("/")
