"""Logins by OpenID Connect and by OAuth, from the first redirect to the user."""

import asyncio
import base64
import json
import subprocess
import sys
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from nexios.errors import ConfigurationError, ServiceUnavailable
from nexios.stores.memory import MemoryStore
from tests.session.visitor import Visitor

pytest.importorskip("authlib")
pytest.importorskip("joserfc")
from nexios.auth.oauth import OAuthClient
from nexios.auth.oidc import LoginFailed, OpenIDClient, PrivateKey, SecretInBody
from tests.auth.oauth_provider import CALLBACK, CLIENT, ISSUER, KEY, SECRET, LoginService, make_site


def openid(service: LoginService, **changes: Any) -> OpenIDClient:
    options: dict[str, Any] = {"client_id": CLIENT, "redirect_uri": CALLBACK, "credentials": SECRET, **changes}
    options.setdefault("transport", httpx2.ASGITransport(app=service.app))
    return OpenIDClient(ISSUER, **options)


def oauth(service: LoginService, **changes: Any) -> OAuthClient:
    options: dict[str, Any] = {"client_id": CLIENT, "redirect_uri": CALLBACK, "credentials": SECRET, **changes}
    return OAuthClient(
        authorization_endpoint=f"{ISSUER}/authorize?tenant=1",
        token_endpoint=f"{ISSUER}/token",
        userinfo_endpoint=f"{ISSUER}/userinfo",
        scopes=["read", "write"],
        transport=httpx2.ASGITransport(app=service.app),
        **options,
    )


class Ends:
    """Stands for a client, and keeps what its logins end with."""

    def __init__(self, client: Any) -> None:
        self.begin = client.begin
        self._finish = client.finish
        self.found: list[Any] = []

    async def finish(self, request: Any) -> Any:
        self.found.append(await self._finish(request))
        return self.found[-1]


async def test_a_login_ends_with_a_user_in_a_new_session() -> None:
    service = LoginService()
    ends = Ends(openid(service))
    visitor = Visitor(make_site(ends))

    sent = await visitor.get("/login", query=b"next=/shelf?page=2")
    before = dict(visitor.cookies)
    back = await visitor.get("/callback", query=service.authorize(sent.header("location") or ""))

    assert (sent.status, sent.header("cache-control")) == (303, "no-store")
    assert (back.status, back.header("location")) == (303, "/shelf?page=2")
    assert await visitor.json("/who") == {"user": "ada-1"}
    assert visitor.cookies != before
    [found] = ends.found
    assert (found.user.issuer, found.user.subject, found.user.email) == (ISSUER, "ada-1", "ada@books.example")
    assert found.user.email_verified is False
    assert found.user.claims["aud"] == CLIENT
    assert found.tokens.access_token == service.access_token
    assert found.tokens.expires_at == pytest.approx(time.time() + 3600, abs=120)


async def test_the_browser_is_sent_with_all_that_ties_a_login_together() -> None:
    service = LoginService()
    sent = await Visitor(make_site(openid(service))).get("/login")
    asked = parse_qs(urlsplit(sent.header("location") or "").query)

    assert (sent.header("location") or "").startswith(f"{ISSUER}/authorize?")
    assert {name: values for name, values in asked.items() if name not in ("state", "nonce", "code_challenge")} == {
        "response_type": ["code"],
        "client_id": [CLIENT],
        "redirect_uri": [CALLBACK],
        "scope": ["openid profile email"],
        "code_challenge_method": ["S256"],
    }
    assert [len(asked[name][0]) for name in ("state", "nonce", "code_challenge")] == [32, 32, 43]


@pytest.mark.parametrize("kept", ["cookie", "store"])
async def test_finishing_a_login_gives_the_session_a_new_id_by_itself(kept: str) -> None:
    service = LoginService()
    options: dict[str, Any] = {"store": MemoryStore()} if kept == "store" else {}
    visitor = Visitor(make_site(openid(service), signs_in=False, **options))

    query = service.authorize((await visitor.get("/login")).header("location") or "")
    before = dict(visitor.cookies)
    back = await visitor.get("/callback", query=query)

    assert back.status == 303
    assert visitor.cookies != before


async def test_a_service_without_openid_gives_tokens_and_says_who_the_user_is() -> None:
    service = LoginService()
    service.answer = {"id_token": None, "scope": "read"}
    client = oauth(service)
    ends = Ends(client)
    visitor = Visitor(make_site(ends))

    location = (await visitor.get("/login")).header("location") or ""
    back = await visitor.get("/callback", query=service.authorize(location, iss=None))

    assert "tenant=1&response_type=code&" in location
    assert "nonce" not in location
    assert "scope=read+write" in location
    assert back.status == 303
    tokens = ends.found[0].tokens
    assert (tokens.scopes, tokens.id_token) == (("read",), None)
    assert (await client.userinfo(tokens))["email"] == "ada@books.example"


CREDENTIALS = {
    "basic": SECRET,
    "body": SecretInBody(SECRET),
    "key": PrivateKey(KEY.as_dict(private=True), algorithm="PS256", key_id="own"),
    "public": None,
}


@pytest.mark.parametrize("kind", ["basic", "body", "key", "public"])
async def test_an_app_proves_that_it_is_the_app_in_one_way(kind: str) -> None:
    service = LoginService()
    visitor = Visitor(make_site(openid(service, credentials=CREDENTIALS[kind])))

    back = await visitor.get(
        "/callback", query=service.authorize((await visitor.get("/login")).header("location") or "")
    )
    [(_, authorization, fields)] = [one for one in service.asked if one[0] == "/token"]

    assert back.status == 303
    assert (authorization is not None) is (kind == "basic")
    assert ("client_secret" in fields) is (kind == "body")
    assert ("client_assertion" in fields) is (kind == "key")
    assert set(fields) - {"client_secret", "client_assertion", "client_assertion_type", "client_id"} == {
        "grant_type",
        "code",
        "code_verifier",
        "redirect_uri",
    }


def test_an_assertion_is_short_lived_for_one_endpoint_and_used_once() -> None:
    key = PrivateKey(KEY.as_dict(private=True), algorithm="RS256", key_id="own", clock=lambda: 1000)

    def parts() -> Any:
        _, fields = key.proof(CLIENT, "https://login.example/token")
        segments = fields["client_assertion"].split(".")[:2]
        return [json.loads(base64.urlsafe_b64decode(part + "==")) for part in segments]

    (header, claims), (_, others) = parts(), parts()

    assert (header["alg"], header["kid"]) == ("RS256", "own")
    assert (claims["iss"], claims["sub"], claims["aud"]) == (CLIENT, CLIENT, "https://login.example/token")
    assert claims["exp"] == 1060
    assert claims["jti"] != others["jti"]


async def test_a_refresh_gives_new_tokens_and_keeps_the_refresh_token_that_is_not_replaced() -> None:
    service = LoginService()
    client = openid(service)
    first = await client.refresh(service.refresh_token, subject="ada-1")
    service.answer = {"refresh_token": None}
    second = await client.refresh(service.refresh_token, subject="ada-1")

    assert first.refresh_token == second.refresh_token == service.refresh_token
    with pytest.raises(LoginFailed, match="400"):
        await client.refresh("stolen", subject="ada-1")
    with pytest.raises(LoginFailed, match="400"):
        await client.refresh(service.refresh_token, subject="eve")


async def test_what_the_provider_says_of_a_user_is_of_that_user() -> None:
    service = LoginService()
    client = openid(service)
    tokens = await client.refresh(service.refresh_token, subject="ada-1")

    assert (await client.userinfo(tokens, subject="ada-1"))["email"] == "ada@books.example"
    with pytest.raises(LoginFailed):
        await client.userinfo(tokens, subject="eve")
    service.access_token = "another"
    with pytest.raises(LoginFailed):
        await client.userinfo(tokens, subject="ada-1")


async def test_a_provider_is_asked_where_it_is_once_for_many_logins() -> None:
    service = LoginService()
    visitor = Visitor(make_site(openid(service)))
    for _ in range(3):
        sent = await visitor.get("/login")
        assert (await visitor.get("/callback", query=service.authorize(sent.header("location") or ""))).status == 303

    assert service.paths().count("/.well-known/openid-configuration") == 1
    assert service.paths().count("/keys") == 1


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        ("access_denied", 403, "access_denied"),
        ("login_required", 400, "login_failed"),
        ("<script>", 400, "login_failed"),
        ("server_error", 503, "service_unavailable"),
        ("temporarily_unavailable", 503, "service_unavailable"),
        ("unauthorized_client", 503, "service_unavailable"),
    ],
)
async def test_an_error_of_the_provider_is_a_clear_answer(error: str, status: int, code: str) -> None:
    service = LoginService()
    visitor = Visitor(make_site(openid(service)))
    location = (await visitor.get("/login")).header("location") or ""
    query = service.authorize(location, code=None, error=error, error_description="<b>words of others</b>")
    back = await visitor.get("/callback", query=query)

    assert (back.status, back.json()["code"]) == (status, code)
    assert b"words of others" not in back.body
    assert b"script" not in back.body
    assert "/token" not in service.paths()


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/token", "/keys"])
@pytest.mark.parametrize("status", [404, 429, 500, 503])
async def test_a_provider_that_is_away_is_503_and_nobody_is_signed_in(path: str, status: int) -> None:
    service = LoginService()
    service.instead[path] = lambda response: response.text("gone", status)
    visitor = Visitor(make_site(openid(service)))
    sent = await visitor.get("/login")
    if sent.status == 303:
        sent = await visitor.get("/callback", query=service.authorize(sent.header("location") or ""))

    assert (sent.status, sent.header("retry-after")) == (503, "1")
    assert await visitor.json("/who") == {"user": None}


async def test_a_refused_app_is_503_as_the_user_can_do_nothing_about_it() -> None:
    service = LoginService()
    visitor = Visitor(make_site(openid(service, credentials="another secret")))
    back = await visitor.get(
        "/callback", query=service.authorize((await visitor.get("/login")).header("location") or "")
    )
    assert back.status == 503


WRONG: dict[str, dict[str, Any]] = {
    "plain issuer": {"issuer": "http://login.example"},
    "issuer with a query": {"issuer": "https://login.example/?a=1"},
    "plain redirect": {"redirect_uri": "http://books.example/callback"},
    "redirect with a fragment": {"redirect_uri": "https://books.example/#callback"},
    "relative redirect": {"redirect_uri": "/callback"},
    "no client": {"client_id": ""},
    "no secret": {"credentials": ""},
    "mixed algorithms": {"algorithms": ["RS256", "HS256"]},
    "no algorithm": {"algorithms": ["none"]},
    "scopes without openid": {"scopes": ["email"]},
    "scopes in one text": {"scopes": "openid email"},
    "a scope with a space": {"scopes": ["openid", "a b"]},
    "no timeout": {"timeout": 0},
    "much leeway": {"leeway": 61},
}


@pytest.mark.parametrize("name", sorted(WRONG))
def test_a_wrong_option_is_an_error_at_the_start(name: str) -> None:
    options: dict[str, Any] = {"issuer": ISSUER, "client_id": CLIENT, "redirect_uri": CALLBACK, **WRONG[name]}
    with pytest.raises(ConfigurationError):
        OpenIDClient(options.pop("issuer"), **options)


PUBLIC, PRIVATE = KEY.as_dict(private=False), KEY.as_dict(private=True)


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [(PUBLIC, "RS256"), (PRIVATE, "ES256"), (SECRET, "HS256")],
    ids=["public", "other", "secret"],
)
def test_a_private_key_is_one(key: Any, algorithm: str) -> None:
    with pytest.raises(ConfigurationError):
        PrivateKey(key, algorithm=algorithm)


async def test_a_parameter_that_is_made_here_cannot_be_given() -> None:
    service = LoginService()
    client = openid(service)

    class Own:
        finish = client.finish

        async def begin(self, request: Any, response: Any, next: Any) -> Any:
            with pytest.raises(ValueError, match="made here: state"):
                await client.begin(request, response, parameters={"state": "x"})
            return await client.begin(request, response, parameters={"prompt": "login"})

    sent = await Visitor(make_site(Own())).get("/login")
    assert "&prompt=login&" in (sent.header("location") or "")


async def test_without_sessions_there_is_no_login() -> None:
    from nexios import NexiosApp
    from nexios.testing.raw import call

    client = openid(LoginService())
    app = NexiosApp(openapi=None)

    @app.get("/")
    async def begin(request: Any, response: Any) -> Any:
        with pytest.raises(ConfigurationError, match="SessionMiddleware"):
            await client.begin(request, response)
        return "no"

    assert (await call(app)).body == b"no"


async def test_a_service_of_which_nothing_is_known_is_asked_again_after_a_while_only() -> None:
    from nexios.auth.oauth_wire import Wire
    from nexios.auth.oidc_discovery import Provider

    now = [0.0]
    service = LoginService()
    service.instead["/.well-known/openid-configuration"] = lambda response: response.text("gone", 503)
    provider = Provider(ISSUER, Wire(timeout=5, transport=httpx2.ASGITransport(app=service.app)), clock=lambda: now[0])
    for now[0] in (0.0, 0.9, 1.0, 2.9, 3.0, 7.0, 14.9, 15.0, 24.9, 25.0):
        with pytest.raises(ServiceUnavailable):
            await provider.metadata()
    assert len(service.asked) == 6

    service.instead.clear()
    now[0] = 40.0
    assert (await provider.metadata()).issuer == ISSUER
    service.instead["/.well-known/openid-configuration"] = lambda response: response.text("gone", 503)
    now[0] = 40.0 + 86_399
    assert (await provider.metadata()).issuer == ISSUER
    now[0] = 40.0 + 86_400
    with pytest.raises(ServiceUnavailable):
        await provider.metadata()


async def test_a_key_that_is_new_is_found_a_minute_later_at_most() -> None:
    from joserfc.jwk import RSAKey

    from nexios.auth.oauth_wire import Wire
    from nexios.auth.oidc_discovery import Provider

    now = [0.0]
    service = LoginService()
    provider = Provider(ISSUER, Wire(timeout=5, transport=httpx2.ASGITransport(app=service.app)), clock=lambda: now[0])
    algorithms = frozenset({"RS256"})
    assert await provider.find_key("k1", algorithms) is not None

    new = RSAKey.generate_key(2048, private=True)
    service.published = [{**new.as_dict(private=False), "kid": "k2"}]
    now[0] = 59.0
    assert await provider.find_key("k2", algorithms) is None
    now[0] = 60.0
    assert await provider.find_key("k2", algorithms) is not None
    assert await provider.find_key("k1", algorithms) is None
    assert service.paths().count("/keys") == 2


async def test_a_service_without_openid_refreshes_tokens_too() -> None:
    service = LoginService()
    client = oauth(service)
    tokens = await client.refresh(service.refresh_token)

    assert tokens.access_token == service.access_token
    assert repr(client) == "OAuthClient(client_id='books', redirect_uri='https://books.example/callback')"


async def test_a_place_to_ask_that_is_not_there_is_named() -> None:
    service = LoginService()
    service.said = {"userinfo_endpoint": None}
    urls: dict[str, Any] = {"authorization_endpoint": f"{ISSUER}/authorize", "token_endpoint": f"{ISSUER}/token"}
    transport = httpx2.ASGITransport(app=service.app)
    own = OAuthClient(client_id=CLIENT, redirect_uri=CALLBACK, transport=transport, **urls)
    client = openid(service)
    tokens = await client.refresh(service.refresh_token, subject="ada-1")

    with pytest.raises(ConfigurationError, match="userinfo_endpoint"):
        await own.userinfo(tokens)
    with pytest.raises(ConfigurationError, match="userinfo endpoint"):
        await client.userinfo(tokens, subject="ada-1")


@pytest.mark.parametrize("said", ["[]", "5", "{", '{"sub": "ada-1"}}'])
async def test_what_a_provider_says_of_a_user_is_an_object(said: str) -> None:
    service = LoginService()
    client = openid(service)
    tokens = await client.refresh(service.refresh_token, subject="ada-1")
    service.instead["/userinfo"] = lambda response: response.text(said)

    with pytest.raises(ServiceUnavailable):
        await client.userinfo(tokens, subject="ada-1")


async def test_a_refresh_without_an_id_token_is_one() -> None:
    service = LoginService()
    service.answer = {"id_token": None}
    tokens = await openid(service).refresh(service.refresh_token, subject="ada-1")
    assert tokens.id_token is None


@pytest.mark.parametrize("code", ["", "a" * 4097, "a\r\nb", "ключ"], ids=["empty", "long", "line end", "other letters"])
async def test_a_code_that_is_none_is_not_sent_on(code: str) -> None:
    service = LoginService()
    visitor = Visitor(make_site(openid(service)))
    location = (await visitor.get("/login")).header("location") or ""
    back = await visitor.get("/callback", query=service.authorize(location, code=code))

    assert (back.status, back.json()["code"]) == (400, "login_failed")
    assert "/token" not in service.paths()


async def test_what_else_is_in_a_session_under_the_name_is_no_login() -> None:
    service = LoginService()
    app = make_site(openid(service))

    @app.get("/spoil")
    async def spoil(request: Any, response: Any) -> str:
        request.session["nexios.oauth:state"] = {"state": "mine"}
        return "spoilt"

    visitor = Visitor(app)
    await visitor.get("/spoil")
    assert (await visitor.get("/callback", query=b"state=state&code=a")).status == 400
    location = (await visitor.get("/login")).header("location") or ""
    assert (await visitor.get("/callback", query=service.authorize(location))).status == 303


async def test_many_logins_at_once_ask_the_provider_where_it_is_once() -> None:
    service = LoginService()

    class Yields(httpx2.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            await asyncio.sleep(0)  # so that the others begin
            return await httpx2.ASGITransport(app=service.app).handle_async_request(request)

    app = make_site(openid(service, transport=Yields()))
    sent = await asyncio.gather(*(Visitor(app).get("/login") for _ in range(5)))

    assert {answer.status for answer in sent} == {303}
    assert service.paths() == ["/.well-known/openid-configuration"]


async def test_a_first_login_that_is_given_up_takes_the_answer_from_nobody() -> None:
    from nexios.auth.oauth_wire import Wire
    from nexios.auth.oidc_discovery import Provider

    asked, may_answer, service = asyncio.Event(), asyncio.Event(), LoginService()

    class Waits(httpx2.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            asked.set()
            await may_answer.wait()
            return await httpx2.ASGITransport(app=service.app).handle_async_request(request)

    provider = Provider(ISSUER, Wire(timeout=60, transport=Waits()), clock=lambda: 0.0)
    first = asyncio.create_task(provider.metadata())
    await asked.wait()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    may_answer.set()
    assert (await provider.metadata()).issuer == ISSUER
    assert service.paths() == ["/.well-known/openid-configuration"]


@pytest.mark.parametrize(
    "url",
    ["https://[::1/", "https://a:b/", "https://", "", "https://login.example /", "https:\\\\login.example", 5, None],
)
def test_what_is_no_url_is_none(url: Any) -> None:
    with pytest.raises(ConfigurationError):
        OpenIDClient(url, client_id=CLIENT, redirect_uri=CALLBACK)


def test_a_user_shows_the_key_to_know_it_by_and_nothing_personal() -> None:
    from nexios.auth.oidc_user import user_of

    user = user_of({"iss": ISSUER, "sub": "ada-1", "email": "ada@books.example", "name": 5, "email_verified": "true"})
    assert repr(user) == "OpenIDUser(issuer='https://login.example', subject='ada-1')"
    assert user.__rich_repr__() == [("issuer", ISSUER), ("subject", "ada-1")]
    assert (user.email, user.name, user.email_verified) == ("ada@books.example", None, False)


@pytest.mark.parametrize("package", ["authlib", "httpx2"])
def test_the_package_that_is_missing_is_named(package: str) -> None:
    program = f"import sys; sys.modules[{package!r}] = None; import nexios.auth.oauth"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert f"Logins by OAuth need the package {package}" in ran.stderr
    assert 'pip install "nexios[oauth]"' in ran.stderr


def test_authentication_itself_loads_no_oauth() -> None:
    program = "import sys, nexios.auth; print({'authlib', 'httpx2', 'joserfc'} & sys.modules.keys())"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert ran.stdout == "set()\n"
