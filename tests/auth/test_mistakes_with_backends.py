"""What a developer gets to read who gives a backend the wrong thing."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from nexios import NexiosApp
from nexios.auth import APIKeyAuth, APIKeys, AuthBackend, BasicAuth, BearerAuth, Passwords, SessionAuth, requires
from nexios.auth.jwt import JWTAuth
from nexios.auth.password_hashes import Scrypt
from nexios.errors import ConfigurationError
from nexios.stores import MemoryStore
from nexios.testing import TestClient

Make = Callable[[Any], object]


@pytest.mark.parametrize(
    ("make", "line"),
    [
        (SessionAuth, "SessionAuth(find_user)"),
        (BearerAuth, "BearerAuth(find_token)"),
        (BasicAuth, "BasicAuth(check_password)"),
        (APIKeyAuth, "APIKeyAuth(APIKeys(store))"),
        (JWTAuth, "JWTAuth(JWT(key"),
    ],
    ids=["session", "bearer", "basic", "keys", "jwt"],
)
def test_a_backend_that_is_given_a_text_says_what_to_give_it(make: Make, line: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        make("a secret of mine")

    assert f"app.auth_backend = {line}" in str(caught.value)
    assert "a secret of mine" not in str(caught.value)


def test_a_function_of_a_backend_that_is_not_async_is_named_with_its_line() -> None:
    def find_token(token: str) -> Any:
        return {"name": "ada"}

    app = NexiosApp(dependencies=[requires()])
    app.auth_backend = BearerAuth(find_token)

    @app.get("/")
    async def index(request: Any, response: Any) -> str:
        return "in"

    with TestClient(app) as client, pytest.raises(ConfigurationError) as caught:
        client.get("/", headers={"Authorization": "Bearer x"})

    assert "find_token() is asked by an auth backend, which awaits it, and it is not async" in str(caught.value)
    assert "    async def find_token(token): ..." in str(caught.value)
    assert f"{__file__}:" in str(caught.value)


def test_a_function_that_returns_what_can_be_awaited_is_fine() -> None:
    async def find(token: str) -> Any:
        return {"name": token}

    app = NexiosApp()
    app.auth_backend = BearerAuth(lambda token: find(token))

    @app.get("/")
    async def index(request: Any, response: Any) -> Any:
        return request.user

    with TestClient(app) as client:
        assert client.get("/", headers={"Authorization": "Bearer ada"}).json() == {"name": "ada"}


def test_a_backend_whose_authenticate_is_not_async_is_named_with_its_line() -> None:
    class Headers(AuthBackend):
        def authenticate(self, request: Any) -> Any:
            return None

    app = NexiosApp()
    app.auth_backend = Headers()

    @app.get("/")
    async def index(request: Any, response: Any) -> str:
        return "in"

    with pytest.raises(ConfigurationError) as caught:
        app.compile()

    assert "Headers is not async. Write:\n\n    async def authenticate(self, request): ..." in str(caught.value)
    assert f"{__file__}:" in str(caught.value)


def test_a_role_that_is_no_text_is_named() -> None:
    with pytest.raises(ConfigurationError, match="1 is no name of a scope, role or permission"):
        requires(roles=1)  # type: ignore[arg-type]


@pytest.mark.parametrize("given", [MemoryStore, "redis://localhost", None], ids=["class", "address", "nothing"])
def test_keys_need_a_store(given: Any) -> None:
    with pytest.raises(ConfigurationError, match=r'APIKeys\(SQLiteStore\("keys\.sqlite3"\)\)'):
        APIKeys(given)


async def test_a_check_of_a_password_that_is_not_awaited_lets_nobody_in() -> None:
    passwords = Passwords(costs=Scrypt(log_n=2))

    unawaited = passwords.verify("wrong", None)

    with pytest.raises(TypeError, match=r"await passwords\.verify\(password, kept\)"):
        bool(unawaited)


async def test_a_check_of_a_password_is_a_coroutine_like_any_other() -> None:
    passwords = Passwords(costs=Scrypt(log_n=2))
    kept = await passwords.hash("correct horse")

    right = asyncio.create_task(passwords.verify("correct horse", kept))
    both = await asyncio.gather(right, passwords.verify("wrong horse", kept))

    assert list(both) == [True, False]
    passwords.verify("correct horse", kept).close()
