"""APIs whose clients get their tokens from a login service: who is let in, and what the documents say of it."""

import time
from typing import Any

import httpx2
import pytest

from nexios import NexiosApp
from nexios.auth import requires
from nexios.errors import ConfigurationError
from nexios.testing.raw import call

pytest.importorskip("authlib")
pytest.importorskip("joserfc")
from nexios.auth.oauth_bearer import OAuthBearerAuth, OpenIDBearerAuth
from tests.auth.oauth_provider import ISSUER, LoginService, signed


def api(backend: Any, **options: Any) -> NexiosApp:
    app = NexiosApp(**options)
    app.auth_backend = backend

    @app.get("/books", dependencies=[requires("books:read")])
    async def books(request: Any, response: Any) -> str:
        return str(request.user["sub"])

    return app


def openid(service: LoginService, **options: Any) -> OpenIDBearerAuth:
    return OpenIDBearerAuth(ISSUER, audience="books-api", transport=httpx2.ASGITransport(app=service.app), **options)


def access(**changes: Any) -> str:
    claims = {"iss": ISSUER, "aud": "books-api", "sub": "ada-1", "exp": int(time.time()) + 300, "scope": "books:read"}
    return signed({**claims, **changes}, typ="at+jwt")


async def ask(app: NexiosApp, token: str) -> tuple[int, bytes]:
    answer = await call(app, path="/books", headers=[(b"authorization", f"Bearer {token}".encode())])
    return answer.status, answer.body if answer.status == 200 else b""


async def test_a_token_that_the_provider_signed_for_this_api_is_taken() -> None:
    app = api(openid(LoginService()))
    assert await ask(app, access()) == (200, b"ada-1")
    assert (await ask(app, access(scope="films")))[0] == 403


@pytest.mark.parametrize("changes", [{"aud": "books"}, {"iss": ISSUER + "/"}, {"exp": 1}, {"sub": ""}], ids=str)
async def test_another_token_is_not(changes: Any) -> None:
    assert (await ask(api(openid(LoginService())), access(**changes)))[0] == 401


async def test_an_id_token_is_no_access_token() -> None:
    claims = {"iss": ISSUER, "aud": "books-api", "sub": "ada-1", "exp": int(time.time()) + 300}
    assert (await ask(api(openid(LoginService())), signed(claims)))[0] == 401
    assert (await ask(api(openid(LoginService())), signed(claims, typ="JWT")))[0] == 401


async def test_a_provider_that_is_away_is_503_and_nobody_is_anonymous() -> None:
    service = LoginService()
    service.instead["/keys"] = lambda response: response.text("gone", 503)
    assert (await ask(api(openid(service)), access()))[0] == 503


async def test_a_provider_on_this_machine_is_for_debug_mode() -> None:
    service = LoginService("http://127.0.0.1:9000")
    backend = OpenIDBearerAuth(
        "http://127.0.0.1:9000", audience="books-api", transport=httpx2.ASGITransport(app=service.app)
    )
    assert (await ask(api(backend), access(iss="http://127.0.0.1:9000")))[0] == 500
    assert (await ask(api(backend, debug=True), access(iss="http://127.0.0.1:9000")))[0] == 200


def test_the_document_names_the_provider() -> None:
    document = api(openid(LoginService())).openapi()
    assert document["components"]["securitySchemes"] == {
        "openId": {"type": "openIdConnect", "openIdConnectUrl": f"{ISSUER}/.well-known/openid-configuration"}
    }
    assert document["paths"]["/books"]["get"]["security"] == [{"openId": ["books:read"]}]


async def find(token: str) -> Any:
    return ({"sub": "ada-1"}, ["books:read"]) if token == "opaque" else None


def test_the_document_says_where_a_token_comes_from() -> None:
    backend = OAuthBearerAuth(
        find,
        authorization_endpoint=f"{ISSUER}/authorize",
        token_endpoint=f"{ISSUER}/token",
        scopes={"books:read": "Read the books."},
    )
    document = api(backend).openapi()
    assert document["components"]["securitySchemes"] == {
        "oauth2": {
            "type": "oauth2",
            "flows": {
                "authorizationCode": {
                    "authorizationUrl": f"{ISSUER}/authorize",
                    "tokenUrl": f"{ISSUER}/token",
                    "refreshUrl": f"{ISSUER}/token",
                    "scopes": {"books:read": "Read the books."},
                    "x-usePkce": "SHA-256",
                }
            },
        }
    }
    assert document["paths"]["/books"]["get"]["security"] == [{"oauth2": ["books:read"]}]


async def test_a_token_that_is_looked_up_is_taken() -> None:
    urls: dict[str, Any] = {"authorization_endpoint": f"{ISSUER}/authorize", "token_endpoint": f"{ISSUER}/token"}
    app = api(OAuthBearerAuth(find, **urls))
    assert await ask(app, "opaque") == (200, b"ada-1")
    assert (await ask(app, "other"))[0] == 401
    with pytest.raises(ConfigurationError):
        OAuthBearerAuth(find, authorization_endpoint="http://login.example/a", token_endpoint=f"{ISSUER}/token")
