"""Section J, from J13 on: logins by a login service, with a hostile one, a hostile browser and a hostile link."""

import asyncio
import base64
import gzip
import hashlib
import json
import logging
import time
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import pytest

from nexios import NexiosApp
from nexios.auth.tokens import InvalidToken
from nexios.errors import ServiceUnavailable
from nexios.stores.memory import MemoryStore
from nexios.testing import TestClient
from tests.session.visitor import NAME, Clock, Visitor

pytest.importorskip("authlib")
pytest.importorskip("joserfc")
from joserfc.jwk import RSAKey

from nexios.auth.oauth import OAuthClient
from nexios.auth.oauth_credentials import PrivateKey, SecretInBody
from nexios.auth.oauth_pending import Pending
from nexios.auth.oauth_tokens import tokens_from
from nexios.auth.oidc import OpenIDClient
from nexios.auth.oidc_user import check_login_claims
from tests.auth.oauth_provider import (
    CALLBACK,
    CLIENT,
    ISSUER,
    KEY,
    SECRET,
    LoginService,
    b64,
    make_site,
)

KINDS = ["cookie", "store"]
DISCOVERY = "/.well-known/openid-configuration"


def openid(service: LoginService, **changes: Any) -> OpenIDClient:
    options: dict[str, Any] = {"client_id": CLIENT, "redirect_uri": CALLBACK, "credentials": SECRET, **changes}
    options.setdefault("transport", httpx2.ASGITransport(app=service.app))
    return OpenIDClient(ISSUER, **options)


def site(service: LoginService, kind: str = "cookie", **changes: Any) -> NexiosApp:
    return make_site(openid(service, **changes), **kept(kind))


def kept(kind: str) -> dict[str, Any]:
    return {"store": MemoryStore()} if kind == "store" else {}


async def sent_off(visitor: Visitor) -> str:
    answer = await visitor.get("/login")
    assert answer.status == 303
    return answer.header("location") or ""


async def refused(visitor: Visitor, query: bytes, *, status: int = 400) -> bool:
    """Whether a callback signs nobody in: with an error, no redirect, and the session as it was."""
    answer = await visitor.get("/callback", query=query)
    said = (answer.status, answer.header("location"))
    return said == (status, None) and await visitor.json("/who") == {"user": None}


# J13: the state


@pytest.mark.parametrize("kind", KINDS)
async def test_j13_the_callback_of_another_browser_signs_nobody_in(kind: str) -> None:
    """J13: a link that an attacker made with a login of their own."""
    service = LoginService()
    app = site(service, kind)
    attacker, victim, stranger = Visitor(app), Visitor(app), Visitor(app)
    link = service.authorize(await sent_off(attacker))
    await sent_off(victim)

    assert await refused(victim, link)
    assert await refused(stranger, link)
    assert "/token" not in service.paths()


@pytest.mark.parametrize("kind", KINDS)
async def test_j13_a_state_is_good_once(kind: str) -> None:
    """J13."""
    service = LoginService()
    visitor = Visitor(site(service, kind))
    query = service.authorize(await sent_off(visitor))

    assert (await visitor.get("/callback", query=query)).status == 303
    assert (await visitor.get("/callback", query=query)).status == 400
    assert service.paths().count("/token") == 1


async def test_j13_a_state_is_good_once_also_when_the_login_fails() -> None:
    """J13."""
    service = LoginService()
    visitor = Visitor(site(service))
    location = await sent_off(visitor)

    assert await refused(visitor, service.authorize(location, error="access_denied", code=None), status=403)
    assert await refused(visitor, service.authorize(location))


@pytest.mark.parametrize("change", ["missing", "empty", "twice", "other", "long", "bytes", "brackets"])
async def test_j13_a_state_that_is_no_state_is_refused(change: str) -> None:
    """J13."""
    service = LoginService()
    visitor = Visitor(site(service))
    location = await sent_off(visitor)
    query = service.authorize(location)
    state = parse_qs(urlsplit(location).query)["state"][0]
    others = {
        "missing": service.authorize(location, state=None),
        "empty": service.authorize(location, state=""),
        "twice": query + b"&state=" + state.encode(),
        "other": service.authorize(location, state=state[:-1]),
        "long": service.authorize(location, state=state * 500),
        "bytes": query.replace(state.encode(), b"%ff%00" + state.encode()),
        "brackets": query.replace(b"state=", b"state[]="),
    }
    assert await refused(visitor, others[change])
    assert "/token" not in service.paths()


@pytest.mark.parametrize("name", ["code", "iss", "error"])
async def test_j13_a_parameter_that_is_there_twice_is_refused(name: str) -> None:
    """J13: one of the two would be believed by somebody else."""
    service = LoginService()
    visitor = Visitor(site(service))
    query = service.authorize(await sent_off(visitor))
    assert await refused(visitor, query + f"&{name}=a&{name}=b".encode())
    assert "/token" not in service.paths()


@pytest.mark.parametrize("kind", KINDS)
async def test_j13_several_logins_at_once_all_work(kind: str) -> None:
    """J13: in several tabs, in any order."""
    service = LoginService()
    visitor = Visitor(make_site(openid(service), signs_in=False, **kept(kind)))
    queries = [service.authorize(await sent_off(visitor)) for _ in range(5)]
    assert [(await visitor.get("/callback", query=query)).status for query in reversed(queries)] == [303] * 5


async def test_j13_of_many_logins_the_oldest_is_forgotten_and_the_cookie_stays_small() -> None:
    """J13."""
    service = LoginService()
    visitor = Visitor(site(service))
    next = b"next=/" + b"n" * 299
    queries = []
    for _ in range(12):
        answer = await visitor.get("/login", query=next)
        queries.append(service.authorize(answer.header("location") or ""))

    assert len(visitor.cookies[NAME]) < 4000
    assert await refused(visitor, queries[0])
    assert (await visitor.get("/callback", query=queries[-1])).header("location") == "/" + "n" * 299


@pytest.mark.parametrize(("seconds", "status"), [(599, 303), (600, 400), (-61, 400)])
async def test_j13_a_login_takes_ten_minutes_at_most(seconds: int, status: int) -> None:
    """J13."""
    service = LoginService()
    clock = Clock()
    clock.now = time.time()
    visitor = Visitor(site(service, clock=clock, leeway=60))
    location = await sent_off(visitor)
    clock.now += seconds
    service.claims = {"iat": int(clock.now), "exp": int(clock.now) + 300}

    assert (await visitor.get("/callback", query=service.authorize(location))).status == status


async def test_j13_the_state_is_in_the_session_cookie_of_this_host_alone() -> None:
    """J13."""
    answer = await Visitor(site(LoginService())).get("/login")
    [cookie] = answer.header_all("set-cookie")

    assert cookie.startswith("__Host-")
    assert "; Secure" in cookie
    assert "; HttpOnly" in cookie
    assert "Domain" not in cookie


# J13: several login services, and who answers


def two_services() -> tuple[LoginService, LoginService, NexiosApp]:
    honest, other = LoginService(), LoginService("https://other.example")
    app = make_site(openid(honest))
    second = OpenIDClient(
        "https://other.example",
        client_id=CLIENT,
        redirect_uri="https://books.example/callback/other",
        transport=httpx2.ASGITransport(app=other.app),
    )

    @app.get("/login/other")
    async def begin(request: Any, response: Any) -> Any:
        return await second.begin(request, response)

    @app.get("/callback/other")
    async def callback(request: Any, response: Any) -> Any:
        return (await second.finish(request)).user.issuer

    return honest, other, app


async def test_j13_two_login_services_in_one_app_do_not_mix() -> None:
    """J13, RFC 9207: the answer of one is not taken for that of the other."""
    honest, other, app = two_services()
    visitor = Visitor(app)
    begun = (await visitor.get("/login/other")).header("location") or ""

    assert await refused(visitor, honest.authorize(begun))
    assert "/token" not in honest.paths() + other.paths()
    begun = (await visitor.get("/login/other")).header("location") or ""
    answer = await visitor.get("/callback/other", query=other.authorize(begun))
    assert (answer.status, answer.body) == (200, b"https://other.example")


@pytest.mark.parametrize(
    "issuer", ["https://other.example", "https://login.example/", "HTTPS://LOGIN.EXAMPLE", "", None]
)
async def test_j13_an_answer_of_another_issuer_is_refused_before_the_code_is_used(issuer: str | None) -> None:
    """J13, RFC 9207 section 2.4."""
    service = LoginService()
    visitor = Visitor(site(service))
    assert await refused(visitor, service.authorize(await sent_off(visitor), iss=issuer))
    assert "/token" not in service.paths()


async def test_j13_a_service_that_does_not_say_that_it_names_itself_may_leave_it_out() -> None:
    """J13, RFC 9207 section 2.4; another name is refused all the same."""
    service = LoginService()
    service.said = {"authorization_response_iss_parameter_supported": False}
    visitor = Visitor(site(service))
    assert await refused(visitor, service.authorize(await sent_off(visitor), iss="https://other.example"))
    query = service.authorize(await sent_off(visitor), iss=None)
    assert (await visitor.get("/callback", query=query)).status == 303


async def test_j13_a_service_without_openid_names_itself_where_the_app_says_that_it_does() -> None:
    """J13, RFC 9207."""
    service = LoginService()
    urls = {"authorization_endpoint": f"{ISSUER}/authorize", "token_endpoint": f"{ISSUER}/token"}
    options: dict[str, Any] = {"client_id": CLIENT, "redirect_uri": CALLBACK, "issuer": ISSUER, **urls}
    visitor = Visitor(make_site(OAuthClient(**options, transport=httpx2.ASGITransport(app=service.app))))
    for issuer in (None, "https://other.example"):
        assert await refused(visitor, service.authorize(await sent_off(visitor), iss=issuer))
    assert (await visitor.get("/callback", query=service.authorize(await sent_off(visitor)))).status == 303


# PKCE


async def test_j13_a_code_that_was_taken_elsewhere_is_worth_nothing_here() -> None:
    """J13, RFC 9700 section 2.1.1: a code of another login does not fit the verifier of this one."""
    service = LoginService()
    app = site(service)
    attacker, victim = Visitor(app), Visitor(app)
    stolen = parse_qs(service.authorize(await sent_off(victim)).decode())["code"][0]

    assert await refused(attacker, service.authorize(await sent_off(attacker), code=stolen))


# J14: the ID token


def half(digest: bytes) -> str:
    return b64(digest[: len(digest) // 2])


@pytest.mark.parametrize("algorithm", ["none", "RS1", "", "rs256", "ES256K"])
def test_j14_a_hash_of_an_algorithm_that_is_not_known_is_refused(algorithm: str) -> None:
    """J14: Authlib took the token for checked."""
    claims = {"aud": CLIENT, "sub": "ada-1", "iat": 1, "nonce": "n", "at_hash": half(hashlib.sha256(b"t").digest())}
    with pytest.raises(InvalidToken, match="not known"):
        check_login_claims(claims, client_id=CLIENT, nonce="n", access_token="t", algorithm=algorithm)


@pytest.mark.parametrize(("algorithm", "name"), [("ES256", "sha256"), ("PS384", "sha384"), ("EdDSA", "sha512")])
def test_j14_a_hash_that_fits_is_taken_and_another_is_not(algorithm: str, name: str) -> None:
    """J14."""
    claims: dict[str, Any] = {"aud": CLIENT, "sub": "ada-1", "iat": 1}
    options: dict[str, Any] = {"client_id": CLIENT, "nonce": None, "access_token": "t", "algorithm": algorithm}
    check_login_claims({**claims, "at_hash": half(hashlib.new(name, b"t").digest())}, **options)
    others: list[Any] = [half(hashlib.new(name, b"T").digest()), "", None, 5, [], b64(hashlib.new(name, b"t").digest())]
    for wrong in others:
        with pytest.raises(InvalidToken):
            check_login_claims({**claims, "at_hash": wrong}, **options)


OTHER = RSAKey.generate_key(2048, private=True)
PUBLIC = KEY.as_pem(private=False)

WRONG_CLAIMS: dict[str, dict[str, Any]] = {
    "another nonce": {"nonce": "n" * 32},
    "no nonce": {"nonce": None},
    "an empty nonce": {"nonce": ""},
    "a list for a nonce": {"nonce": ["n"]},
    "a wrong at_hash": {"at_hash": "x" * 22},
    "another issuer": {"iss": "https://login.example.evil"},
    "an issuer with a slash": {"iss": ISSUER + "/"},
    "no issuer": {"iss": None},
    "another audience": {"aud": "films"},
    "several audiences without azp": {"aud": [CLIENT, "films"]},
    "another azp": {"azp": "films"},
    "an empty audience": {"aud": []},
    "no subject": {"sub": None},
    "an empty subject": {"sub": ""},
    "a long subject": {"sub": "a" * 256},
    "a number for a subject": {"sub": 1},
    "no expiry": {"exp": None},
    "an expiry long ago": {"exp": 1},
    "a text for an expiry": {"exp": "9999999999"},
    "no time of issue": {"iat": None},
    "a time of issue to come": {"iat": 9_999_999_999},
}


@pytest.mark.parametrize("name", sorted(WRONG_CLAIMS))
async def test_j14_an_id_token_of_another_login_is_refused(name: str) -> None:
    """J14, OpenID Connect Core 1.0 section 3.1.3.7."""
    service = LoginService()
    service.claims = WRONG_CLAIMS[name]
    visitor = Visitor(site(service))
    assert await refused(visitor, service.authorize(await sent_off(visitor)))


async def test_j14_an_id_token_for_several_names_this_client() -> None:
    """J14."""
    service = LoginService()
    service.claims = {"aud": ["films", CLIENT], "azp": CLIENT}
    visitor = Visitor(site(service))
    assert (await visitor.get("/callback", query=service.authorize(await sent_off(visitor)))).status == 303


FORGED: dict[str, dict[str, Any]] = {
    "no algorithm": {"alg": "none"},
    "another algorithm of the kind": {"alg": "PS256"},
    "the public key as a secret": {"alg": "HS256", "key": PUBLIC},
    "the client secret": {"alg": "HS256", "key": SECRET.encode()},
    "another key": {"key": OTHER},
    "another key id": {"kid": "k2"},
    "a key of its own": {"key": OTHER, "header": {"jwk": OTHER.as_dict(private=False)}},
    "a key elsewhere": {"key": OTHER, "header": {"jku": "https://evil.example/keys"}},
    "an extension": {"header": {"crit": ["b64"], "b64": False}},
    "an access token": {"header": {"typ": "at+jwt"}},
    "a logout token": {"header": {"typ": "logout+jwt"}},
    "no id token": {"answer": {"id_token": None}},
    "a text": {"answer": {"id_token": "a.b.c"}},
    "an encrypted one": {"answer": {"id_token": "e30.e30.e30.e30.e30"}},
    "a long one": {"answer": {"id_token": "e30." + "A" * 9000 + ".AA"}},
}


@pytest.mark.parametrize("name", sorted(FORGED))
async def test_j14_an_id_token_that_is_not_signed_by_the_service_is_refused(name: str) -> None:
    """J14, J1, J2, J4, J5, J12."""
    service = LoginService()
    for attribute, value in FORGED[name].items():
        setattr(service, attribute, value)
    visitor = Visitor(site(service))
    assert await refused(visitor, service.authorize(await sent_off(visitor)))


# J15: redirects


@pytest.mark.parametrize(
    "next",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "/a\r\nset-cookie: a=b",
        "evil.example",
        " /account",
        "/%0d%0aset-cookie:a=b",
        "/" + "a" * 600,
        "",
    ],
    ids=range(11),
)
async def test_j15_a_login_ends_on_this_site(next: str) -> None:
    """J15, E2."""
    service = LoginService()
    visitor = Visitor(site(service))
    sent = await visitor.get("/login", query=urlencode({"next": next}).encode())
    back = await visitor.get("/callback", query=service.authorize(sent.header("location") or ""))

    assert (back.status, back.header("location")) == (303, "/")


async def test_j15_nothing_that_a_request_holds_changes_where_a_login_leads() -> None:
    """J15: neither the Host header nor a parameter names the redirect URI."""
    service = LoginService()
    visitor = Visitor(site(service))
    query = b"redirect_uri=https://evil.example/&response_type=token&client_id=evil&next=/"
    sent = await visitor.get("/login", query=query)
    asked = parse_qs(urlsplit(sent.header("location") or "").query)

    assert (sent.header("location") or "").startswith(f"{ISSUER}/authorize?")
    assert (asked["redirect_uri"], asked["response_type"], asked["client_id"]) == ([CALLBACK], ["code"], [CLIENT])


async def test_j15_a_wrong_callback_is_an_error_and_no_redirect() -> None:
    """J15."""
    service = LoginService()
    visitor = Visitor(site(service))
    for query in (
        b"",
        b"error=x&redirect_uri=https://evil.example",
        b"code=a",
        b"state=&error_uri=https://evil.example",
    ):
        assert await refused(visitor, query)


# J16: where credentials go


class Routed(httpx2.AsyncBaseTransport):
    """Takes requests to every host, and notes them."""

    def __init__(self, service: LoginService) -> None:
        self.hosts: list[str] = []
        self._inner = httpx2.ASGITransport(app=service.app)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.hosts.append(request.url.host)
        return await self._inner.handle_async_request(request)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("path", [DISCOVERY, "/token", "/keys", "/userinfo"])
async def test_j16_no_redirect_is_followed_with_or_without_credentials(path: str, status: int) -> None:
    """J16: a provider that redirects elsewhere is one that is away."""
    service = LoginService()
    service.instead[path] = lambda response: response.redirect("https://evil.example/", status, external=True)
    transport = Routed(service)
    client = openid(service, transport=transport)
    visitor = Visitor(make_site(client))

    if path == "/userinfo":
        tokens = tokens_from({"access_token": "t", "token_type": "bearer"}, asked=(), now=0)
        with pytest.raises(ServiceUnavailable):
            await client.userinfo(tokens, subject="ada-1")
    else:
        answer = await visitor.get("/login")
        if answer.status == 303:
            answer = await visitor.get("/callback", query=service.authorize(answer.header("location") or ""))
        assert answer.status == 503
    assert set(transport.hosts) == {"login.example"}


def test_j16_the_test_client_sends_nothing_to_another_host() -> None:
    """J16: and what it would have sent has no credentials."""
    app = NexiosApp(openapi=None)

    @app.get("/away")
    async def away(request: Any, response: Any) -> Any:
        return response.redirect("https://evil.example/there", 302, external=True)

    with TestClient(app, follow_redirects=True) as client:
        with pytest.raises(httpx2.ConnectError) as caught:
            client.get("/away", headers={"authorization": "Bearer s3cret", "cookie": "a=b"})
    assert {"authorization", "cookie"}.isdisjoint(caught.value.request.headers)


async def test_j16_credentials_are_not_taken_from_the_environment(monkeypatch: Any, tmp_path: Any) -> None:
    """J16: neither a .netrc nor a proxy is read."""
    (tmp_path / ".netrc").write_text("machine login.example login netrc password netrc\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    service = LoginService()
    visitor = Visitor(site(service, credentials=None))
    back = await visitor.get("/callback", query=service.authorize(await sent_off(visitor)))

    assert back.status == 303
    assert [authorization for _, authorization, _ in service.asked] == [None, None, None]


# A hostile login service


def text(body: str, **headers: str) -> Any:
    def answer(response: Any) -> Any:
        response.text(body)
        response.set_headers({"content-type": "application/json", **headers})
        return response

    return answer


GOOD = {"access_token": "t", "token_type": "Bearer"}

ANSWERS: dict[str, Any] = {
    "html": text("<html>"),
    "nothing": text(""),
    "a list": text("[]"),
    "a number": text("5"),
    "deep": text("[" * 100_000),
    "huge": text(json.dumps({**GOOD, "more": "a" * 1_100_000})),
    "no token": text('{"token_type": "Bearer"}'),
    "another kind": text(json.dumps({**GOOD, "token_type": "mac"})),
    "no kind": text('{"access_token": "t"}'),
    "a line end": text(json.dumps({**GOOD, "access_token": "a\r\nb: c"})),
    "a list for a token": text(json.dumps({**GOOD, "access_token": ["t"]})),
    "a long token": text(json.dumps({**GOOD, "access_token": "t" * 20_000})),
    "a list for a scope": text(json.dumps({**GOOD, "scope": ["a"]})),
    "a negative life": text(json.dumps({**GOOD, "expires_in": -1})),
    "a text for a life": text(json.dumps({**GOOD, "expires_in": "soon"})),
    "an endless life": text('{"access_token": "t", "token_type": "Bearer", "expires_in": 1e400}'),
    "no number for a life": text('{"access_token": "t", "token_type": "Bearer", "expires_in": NaN}'),
    "an encoding": text("{}", **{"content-encoding": "gzip"}),
    "a created token": lambda response: response.json(GOOD, 201),
}


@pytest.mark.parametrize("name", sorted(ANSWERS))
async def test_an_answer_that_is_none_is_503_and_signs_nobody_in(name: str) -> None:
    service = LoginService()
    service.instead["/token"] = ANSWERS[name]
    visitor = Visitor(site(service))
    assert await refused(visitor, service.authorize(await sent_off(visitor)), status=503)


async def test_an_answer_that_is_compressed_is_not_inflated() -> None:
    """One that would be good: nobody asked for it, and how much it is can be known only too late."""
    service = LoginService()
    keys = gzip.compress(json.dumps({"keys": service.published}).encode())

    def answer(response: Any) -> Any:
        response.binary(keys, "application/json")
        response.headers["content-encoding"] = "gzip"
        return response

    service.instead["/keys"] = answer
    visitor = Visitor(site(service))
    assert await refused(visitor, service.authorize(await sent_off(visitor)), status=503)


SAID: dict[str, dict[str, Any]] = {
    "another issuer": {"issuer": "https://other.example"},
    "an issuer with a slash": {"issuer": ISSUER + "/"},
    "a list for an issuer": {"issuer": [ISSUER]},
    "a plain endpoint": {"token_endpoint": "http://login.example/token"},
    "an endpoint on this machine": {"token_endpoint": "http://127.0.0.1/token"},
    "keys in a file": {"jwks_uri": "file:///etc/passwd"},
    "keys in the document": {"jwks_uri": "data:application/json,{}"},
    "an endpoint with a user": {"authorization_endpoint": "https://login.example:443@evil.example/"},
    "an endpoint that is a script": {"authorization_endpoint": "javascript:alert(1)"},
    "an endpoint with a line end": {"authorization_endpoint": "https://login.example/\r\na: b"},
    "an endpoint with a fragment": {"token_endpoint": "https://login.example/token#a"},
    "a number for an endpoint": {"userinfo_endpoint": 5},
    "no endpoint": {"token_endpoint": None},
    "a long endpoint": {"token_endpoint": "https://login.example/" + "a" * 3000},
}


@pytest.mark.parametrize("name", sorted(SAID))
async def test_a_document_that_is_not_of_the_issuer_or_not_over_https_begins_no_login(name: str) -> None:
    service = LoginService()
    service.said = SAID[name]
    answer = await Visitor(site(service)).get("/login")
    assert (answer.status, answer.header("location"), service.paths()) == (503, None, [DISCOVERY])


@pytest.mark.parametrize("name", ["html", "nothing", "a list", "a number", "deep", "huge", "an encoding"])
async def test_a_document_that_is_none_begins_no_login(name: str) -> None:
    service = LoginService()
    service.instead[DISCOVERY] = ANSWERS[name]
    assert (await Visitor(site(service)).get("/login")).status == 503


class Never(httpx2.AsyncBaseTransport):
    """Answers never, or with a body that never ends."""

    def __init__(self, body: bool) -> None:
        self._body = body

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if not self._body:
            await asyncio.Event().wait()
        return httpx2.Response(200, stream=Endless())


class Endless(httpx2.AsyncByteStream):
    async def __aiter__(self) -> Any:
        while True:
            yield b" " * 65_536
            await asyncio.sleep(0)


@pytest.mark.parametrize("body", [False, True], ids=["never answers", "never ends"])
async def test_a_service_that_never_answers_or_never_ends_is_away(body: bool) -> None:
    service = LoginService()
    visitor = Visitor(site(service, transport=Never(body), timeout=60.0 if body else 0.01))
    assert (await visitor.get("/login")).status == 503


# What is secret


async def test_no_secret_is_in_a_log_an_error_or_a_text_form(caplog: Any) -> None:
    caplog.set_level(logging.DEBUG)
    service = LoginService()
    client = openid(service, credentials=SECRET)
    visitor = Visitor(make_site(client))
    codes = []
    bodies = []
    faults: list[tuple[str | None, Any]] = [
        (None, None),
        ("/token", ANSWERS["html"]),
        ("/token", text(json.dumps({"error": "invalid_grant", "error_description": "\x00" + SECRET}))),
        ("/token", lambda response: response.json({"error": SECRET}, 400)),
        ("/keys", ANSWERS["deep"]),
    ]
    for path, instead in faults:
        service.instead = {} if path is None else {path: instead}
        service.kid = "k1" if path is None else "k9"
        query = service.authorize(await sent_off(visitor))
        codes.append(parse_qs(query.decode())["code"][0])
        bodies.append((await visitor.get("/callback", query=query)).body.decode())
    secrets = [SECRET, service.access_token, service.refresh_token, *codes]
    secrets += [fields["code_verifier"] for _, _, fields in service.asked if "code_verifier" in fields]
    secrets += [base64.b64encode(SECRET.encode()).decode(), "Basic "]
    told = caplog.text + "".join(bodies) + repr(client) + repr(vars(client)) + repr(vars(client._flow))

    assert "a login failed" in caplog.text
    assert len([one for one in secrets if one]) >= 10
    assert [one for one in secrets if one in told] == []


def test_no_secret_is_in_a_text_form() -> None:
    tokens = tokens_from(
        {**GOOD, "access_token": "s3cret", "refresh_token": "s3cret", "id_token": "s3cret"}, asked=(), now=0
    )
    pending = Pending("c", "s3cret", "s3cret", "/", 0.0)
    key = PrivateKey(KEY.as_dict(private=True), algorithm="RS256")
    told = f"{tokens!r} {tokens} {tokens.__rich_repr__()} {pending!r} {SecretInBody('s3cret')!r} {key!r}"
    assert "s3cret" not in told + str(pending.__rich_repr__())
    assert "PRIVATE" not in told


async def test_a_login_over_plain_http_is_for_debug_mode_and_this_machine() -> None:
    service = LoginService("http://127.0.0.1:9000")
    options: dict[str, Any] = {"client_id": CLIENT, "transport": httpx2.ASGITransport(app=service.app)}
    client = OpenIDClient("http://127.0.0.1:9000", redirect_uri="http://localhost:8000/callback", **options)

    assert (await Visitor(make_site(client)).get("/login")).status == 500
    assert (await Visitor(make_site(client, debug=True)).get("/login")).status == 303
