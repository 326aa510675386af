"""Section G of the published faults, and the table of section 3.4 cell by cell. Each test is named after its row."""

import asyncio
import hmac
from base64 import urlsafe_b64decode
from types import SimpleNamespace
from typing import Any

import pytest

from nexios import NexiosApp, Request, Response, Router
from nexios.middleware import CSRFMiddleware, csrf_exempt, csrf_input, csrf_token
from nexios.middleware.csrf_tokens import make_token
from nexios.signing import Keyring
from nexios.testing.raw import RawAnswer, call
from tests.middleware.test_csrf_decision import CELLS, ORIGINS, SITES

KEY = "xWlZ9nTfS4v1cQ0kR7b2mJ6uYhE3oAqD"
RETIRED = "qV8pLr2sKd0wZ5yB1nG7tFjXc4MiHeUa"
COOKIE = "__Host-csrf"
FORM = "application/x-www-form-urlencoded"

Pairs = list[tuple[str, str]]


def make_app(secret_key: str = KEY, **options: Any) -> NexiosApp:
    app = NexiosApp(openapi=None, secret_key=secret_key)
    app.add_middleware(CSRFMiddleware, **options)
    app.state.payments = 0

    @app.get("/form")
    async def form(request: Request, response: Response) -> Response:
        return response.html(f"<form>{csrf_input(request)}</form>")

    @app.get("/token")
    async def token(request: Request, response: Response) -> str:
        return csrf_token(request)

    async def pay(request: Request, response: Response) -> str:
        app.state.payments += 1
        return "paid"

    app.add_route("/pay", pay, methods=["GET", "POST", "PUT", "PATCH", "DELETE", "FOO"])
    return app


async def ask(app: NexiosApp, method: str, path: str, headers: Pairs, body: bytes = b"") -> RawAnswer:
    named = [("host", "shop.example"), *headers]
    fields = [(name.encode(), value.encode("latin-1")) for name, value in named]
    return await call(app, method=method, path=path, headers=fields, chunks=[body], scope_extra={"scheme": "https"})


async def visit(app: NexiosApp, cookie: str = "") -> tuple[str, str]:
    """Return the cookie and a token that a new visitor gets."""
    answer = await ask(app, "GET", "/token", [("cookie", cookie)] if cookie else [])
    set_cookie = answer.header("set-cookie")
    return cookie if set_cookie is None else set_cookie.partition(";")[0], answer.body.decode()


async def presented(app: NexiosApp, kind: str) -> Pairs:
    """Return the headers that a request with such a token has."""
    cookie, token = await visit(app)
    match kind:
        case "none":
            return [("cookie", cookie)]
        case "valid":
            return [("cookie", cookie), ("x-csrf-token", token)]
        case "other-session":
            return [("cookie", cookie), ("x-csrf-token", (await visit(app))[1])]
        case "unsigned":
            return [("cookie", f"{COOKIE}=x"), ("x-csrf-token", "x")]
    cookie, token = await visit(make_app(RETIRED))
    return [("cookie", cookie), ("x-csrf-token", token)]


def refused(answer: RawAnswer) -> bool:
    """Whether this is the one answer to whatever is refused."""
    if answer.status != 403:
        return False
    assert answer.json() == {
        "type": "about:blank",
        "title": "Forbidden",
        "status": 403,
        "detail": "The request does not come from a page of this site. Load the page again, and send it from there.",
        "code": "csrf_failed",
    }
    return True


@pytest.mark.parametrize("token", ["none", "valid", "other-session", "unsigned", "expired-key"])
@pytest.mark.parametrize(("site", "origin"), CELLS)
async def test_g13_every_cell_of_the_table_is_answered_as_it_says(site: str, origin: str, token: str) -> None:
    """240 cells: what the browser says decides, and only where it says nothing a valid token does."""
    app = make_app()
    evidence = [("sec-fetch-site", value) for value in SITES[site]] + [("origin", value) for value in ORIGINS[origin]]

    answer = await ask(app, "POST", "/pay", evidence + await presented(app, token))

    passes = CELLS[site, origin] == "pass" or (CELLS[site, origin] == "token" and token == "valid")
    assert (answer.status == 200, refused(answer), app.state.payments) == (passes, not passes, int(passes))


@pytest.mark.parametrize(
    ("host", "origin", "status"),
    [
        ("[2001:db8::1]:8443", "https://[2001:db8::1]:8443", 200),
        ("[2001:db8::1]:8443", "https://[2001:db8::1]", 403),
        ("shop.example", "https://shop.example.", 403),
        ("shop.example:443", "https://shop.example", 200),
        ("SHOP.example", "https://shop.example", 200),
        ("", "https://testserver", 403),
        ("shop.example/evil", "https://testserver", 403),
        ("evil@shop.example", "https://shop.example", 403),
    ],
)
async def test_g13_the_origin_is_that_of_the_host_that_was_asked(host: str, origin: str, status: int) -> None:
    fields = [(b"host", host.encode()), (b"origin", origin.encode())]

    answer = await call(make_app(), method="POST", path="/pay", headers=fields, scope_extra={"scheme": "https"})

    assert answer.status == status


async def test_g13_two_hosts_are_none() -> None:
    origin = ("origin", "https://shop.example")

    assert refused(await ask(make_app(), "POST", "/pay", [("host", "evil.example"), origin]))


@pytest.mark.parametrize("cookies", [True, False])
@pytest.mark.parametrize(
    "media_type",
    [
        *(None, FORM, "Application/X-WWW-Form-Urlencoded", "text/plain", "application/json", "multipart/form-data"),
        *("multipart/form-data; boundary=x", "garbage", "", "a/b, c/d", "application/json\tx"),
    ],
)
async def test_g2_g9_the_content_type_decides_nothing(media_type: str | None, cookies: bool) -> None:
    """CVE-2024-43787; CVE-2024-48913, GHSA-2234-fmw7-43wr; CVE-2024-47082, GHSA-79gp-q4wv-33fr."""
    app = make_app()
    headers = [] if media_type is None else [("content-type", media_type)]
    if cookies:
        headers += await presented(app, "valid")

    for evidence in [("sec-fetch-site", "cross-site")], [("origin", "https://evil.example")], [("origin", "null")]:
        assert refused(await ask(app, "POST", "/pay", headers + evidence, b"a=b"))
    assert app.state.payments == 0


async def test_g3_a_token_is_worth_nothing_in_another_session() -> None:
    """CVE-2023-45128, GHSA-94w9-97p3-p368; CVE-2023-45141, GHSA-mv73-f69x-444p."""
    app = make_app()
    mine, my_token = await visit(app)
    theirs, their_token = await visit(app)
    pairs = [
        (mine, my_token),
        (theirs, my_token),
        (mine, their_token),
        ("", my_token),
        (f"{COOKIE}={my_token}", my_token),
    ]

    answers = [await ask(app, "POST", "/pay", [("cookie", c), ("x-csrf-token", t)]) for c, t in pairs]

    assert [answer.status for answer in answers] == [200, 403, 403, 403, 403]


@pytest.mark.parametrize("cookie", ["x", "", "x.1.x", "x" * 43, "eHg.1700000000." + "A" * 43])
async def test_g3_an_unsigned_pair_is_refused(cookie: str) -> None:
    assert refused(await ask(make_app(), "POST", "/pay", [("cookie", f"{COOKIE}={cookie}"), ("x-csrf-token", cookie)]))


@pytest.mark.parametrize("purpose", ["session", "cookie", "csrf token", "url"])
async def test_g4_g12_what_is_signed_for_another_use_is_no_secret(purpose: str) -> None:
    """CVE-2023-27495, GHSA-qrgf-9gpc-vrxw; CVE-2026-6873."""
    secret = b"s" * 32
    cookie = Keyring(KEY).signer(purpose).sign(secret)
    right = Keyring(KEY).signer("csrf").sign(secret)
    headers = [("x-csrf-token", make_token(secret))]

    assert refused(await ask(make_app(), "POST", "/pay", [*headers, ("cookie", f"{COOKIE}={cookie}")]))
    assert (await ask(make_app(), "POST", "/pay", [*headers, ("cookie", f"{COOKIE}={right}")])).status == 200


async def test_g5_a_token_is_written_anew_for_every_page() -> None:
    """CVE-2014-9720, GHSA-8vpw-mgpf-mpvv: a compressed page shows nothing that stays."""
    app = make_app()
    cookie, first = await visit(app)
    _, second = await visit(app, cookie)
    one, two = urlsafe_b64decode(first + "=="), urlsafe_b64decode(second + "==")

    assert first != second
    assert len(first) == len(second)
    assert not any(one[i : i + 4] in two for i in range(len(one) - 4))
    for token in first, second:
        assert (await ask(app, "POST", "/pay", [("cookie", cookie), ("x-csrf-token", token)])).status == 200


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (None, "private, no-store"),
        ("public, max-age=60", "private, no-store"),
        ("max-age=60", "private, no-store"),
        ("public, private", "private, no-store"),
        ('private="x-token", max-age=60', "private, no-store"),
        ("private, max-age=60", "private, max-age=60"),
        ("No-Store", "No-Store"),
    ],
)
async def test_g7_a_page_with_a_token_is_for_one_client(said: str | None, kept: str) -> None:
    """CVE-2014-0473; CVE-2026-48588."""
    app = make_app()

    @app.get("/page")
    async def page(request: Request, response: Response) -> Response:
        answer = response.html(str(csrf_input(request))).set_header("vary", "Accept")
        return answer if said is None else answer.set_header("cache-control", said)

    new = await ask(app, "GET", "/page", [])
    known = await ask(app, "GET", "/page", [("cookie", (new.header("set-cookie") or "").partition(";")[0])])

    for answer in new, known:
        assert answer.header("cache-control") == kept
        assert (answer.header("vary") or "").lower() == "accept, cookie"
    assert known.header_all("set-cookie") == []


async def test_g7_a_page_without_a_token_stays_as_it_is() -> None:
    answer = await ask(make_app(), "GET", "/pay", [("cookie", f"{COOKIE}=x")])

    assert {name for name, _ in answer.headers} == {b"content-type", b"content-length"}


@pytest.mark.parametrize("cookie", ['"><script>', "<script>alert(1)</script>", "x" * 86, "%22%3E"])
async def test_g8_nothing_of_a_cookie_gets_into_the_page(cookie: str) -> None:
    """CVE-2026-48060, GHSA-542p-wvx7-72m4."""
    answer = await ask(make_app(), "GET", "/form", [("cookie", f"{COOKIE}={cookie}")])

    page = answer.body.decode()
    assert cookie not in page
    assert "script" not in page
    assert (answer.header("set-cookie") or "").startswith(f"{COOKIE}=")


async def test_g8_the_field_is_escaped_and_marked_as_html() -> None:
    app = NexiosApp(openapi=None, secret_key=KEY)
    app.add_middleware(CSRFMiddleware, field_name="a&'b")
    seen: list[Any] = []

    @app.get("/")
    async def page(request: Request, response: Response) -> str:
        seen.append(csrf_input(request))
        return ""

    await ask(app, "GET", "/", [])

    [field] = seen
    assert field.startswith('<input type="hidden" name="a&amp;&#x27;b" value="')
    assert field.__html__() == field
    assert type(field.__html__()) is str


@pytest.mark.parametrize(
    ("method", "headers", "body"),
    [
        ("POST", [("x-http-method-override", "GET")], b""),
        ("POST", [("x-method-override", "GET"), ("x-http-method", "GET")], b""),
        ("POST", [("content-type", FORM)], b"_method=GET"),
        ("PUT", [], b""),
        ("PATCH", [], b""),
        ("DELETE", [], b""),
        ("FOO", [], b""),
        ("get", [], b""),
        ("Head", [], b""),
    ],
)
async def test_g12_every_method_but_the_safe_four_is_checked(method: str, headers: Pairs, body: bytes) -> None:
    app = make_app()

    for evidence in [("sec-fetch-site", "cross-site")], [("origin", "https://evil.example")], []:
        assert refused(await ask(app, method, "/pay", headers + evidence, body))
    assert app.state.payments == 0


@pytest.mark.parametrize(
    "path", ["/hook", "/hook/x", "//hook/", "/hook/../pay", "/hook/%2e%2e/pay", "/HOOK/", "/hook//"]
)
async def test_g10_what_is_exempt_is_a_route_and_no_path(path: str) -> None:
    """CVE-2025-47910."""
    app = make_app()

    @app.post("/hook/")
    @csrf_exempt
    async def hook(request: Request, response: Response) -> str:
        return "heard"

    @app.post("/{rest:path}")
    async def others(request: Request, response: Response) -> str:
        raise AssertionError

    foreign = [("sec-fetch-site", "cross-site")]

    assert (await ask(app, "POST", "/hook/", foreign)).status == 200
    assert (await ask(app, "POST", path, foreign)).status in (403, 307, 308)
    assert refused(await ask(app, "POST", "/pay", foreign))


async def test_g10_an_exemption_is_for_one_method_and_one_route() -> None:
    app = make_app()
    api = Router("/api", metadata={"csrf_exempt": True})

    @api.post("/orders")
    async def order(request: Request, response: Response) -> str:
        return "ordered"

    @api.post("/login", metadata={"csrf_exempt": False})
    async def login(request: Request, response: Response) -> str:
        return "welcome"

    @app.post("/one", metadata={"csrf_exempt": True})
    async def one(request: Request, response: Response) -> str:
        return "one"

    @app.put("/one", metadata={"csrf_exempt": "yes"})
    async def two(request: Request, response: Response) -> str:
        return "two"

    app.include_router(api)
    asked = [("POST", "/api/orders"), ("POST", "/api/login"), ("POST", "/one"), ("PUT", "/one"), ("DELETE", "/one")]

    statuses = [(await ask(app, method, path, [("sec-fetch-site", "cross-site")])).status for method, path in asked]

    assert statuses == [200, 403, 200, 403, 403]


async def test_g10_a_bearer_token_is_no_exemption() -> None:
    """What a header says of itself proves nothing; the route has to say that it takes no cookies."""
    bearer = [("authorization", "Bearer x")]

    assert refused(await ask(make_app(), "POST", "/pay", bearer))
    assert refused(await ask(make_app(), "POST", "/pay", [*bearer, ("sec-fetch-site", "cross-site")]))


async def test_g12_what_has_no_route_is_checked_too() -> None:
    app = make_app()

    answers = [await ask(app, "POST", path, [("sec-fetch-site", "cross-site")]) for path in ("/nowhere", "/token")]

    assert [answer.status for answer in answers] == [403, 403]


async def test_g6_tokens_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """CVE-2018-1000119: the comparison is that of hmac, for whatever has the form of a token."""
    compared: list[int] = []

    def counting(a: bytes, b: bytes) -> bool:
        compared.append(len(a))
        return hmac.compare_digest(a, b)

    counted = SimpleNamespace(digest=hmac.digest, compare_digest=counting)
    monkeypatch.setattr("nexios.middleware.csrf_tokens.hmac", counted)
    app = make_app()
    cookie, _ = await visit(app)

    assert refused(await ask(app, "POST", "/pay", [("cookie", cookie), ("x-csrf-token", "A" * 86)]))
    assert compared == [32]


async def test_g11_a_crafted_cookie_sets_no_secret() -> None:
    """CVE-2016-7401: cookies are split where browsers split them."""
    app = make_app()
    cookie, token = await visit(app)

    for crafted in f"ga=x]{cookie}", f"a=b,{cookie}", f'a="x;{cookie}"', f"__host-csrf={cookie.partition('=')[2]}":
        assert refused(await ask(app, "POST", "/pay", [("cookie", crafted), ("x-csrf-token", token)]))


async def test_g3_two_visitors_at_once_get_secrets_of_their_own() -> None:
    app = make_app()

    visits = await asyncio.gather(*(visit(app) for _ in range(20)))

    assert len({cookie for cookie, _ in visits}) == 20
