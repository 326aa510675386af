"""What the middleware of the published package of this name did, and does not do here (faults 20 to 24 and 27)."""

import json
from typing import Any

import pytest

from nexios import NexiosApp, Request, Response, Router
from nexios.errors import ConfigurationError
from nexios.middleware import (
    CORSMiddleware,
    CSRFMiddleware,
    HTTPSRedirect,
    ProxyHeaders,
    SecurityHeaders,
    csrf_exempt,
    csrf_token,
)
from nexios.session import SessionMiddleware
from nexios.testing.raw import RawAnswer, call

KEY = "xWlZ9nTfS4v1cQ0kR7b2mJ6uYhE3oAqD"
FORM = "application/x-www-form-urlencoded"
GOOD = "https://good.example"


async def ask(app: NexiosApp, method: str = "GET", path: str = "/", body: bytes = b"", **headers: Any) -> RawAnswer:
    fields = [(b"host", b"shop.example")]
    fields += [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return await call(app, method=method, path=path, headers=fields, chunks=[body], scope_extra={"scheme": "https"})


# 20: CSRF


def protected() -> NexiosApp:
    app = NexiosApp(openapi=None, secret_key=KEY)
    app.add_middleware(CSRFMiddleware)

    @app.get("/token")
    async def token(request: Request, response: Response) -> str:
        return csrf_token(request)

    @app.post("/pay")
    async def pay(request: Request, response: Response) -> str:
        return "paid"

    @app.post("/api/pay")
    async def api(request: Request, response: Response) -> str:
        return "paid"

    @app.post("/hook")
    @csrf_exempt
    async def hook(request: Request, response: Response) -> str:
        return "hooked"

    return app


async def test_what_is_added_protects_every_route_but_those_that_are_marked() -> None:
    """Fault 20: it was off unless configured, wildcards were regular expressions, and exemptions inverted."""
    app = protected()

    for path, status in (("/pay", 403), ("/api/pay", 403), ("/hook", 200), ("/hook/", 403), ("/missing", 403)):
        assert (await ask(app, "POST", path, origin="https://evil.example")).status == status, path


async def test_a_token_lives_as_long_as_its_session_and_belongs_to_it() -> None:
    """Fault 20: it changed with each response, so that other tabs broke, and an attacker's own pair was taken."""
    app = protected()
    first = await ask(app, path="/token")
    cookie, token = str(first.header("set-cookie")).partition(";")[0], first.body.decode()
    again = await ask(app, path="/token", cookie=cookie)
    foreign = (await ask(app, path="/token")).body.decode()

    assert again.header("set-cookie") is None
    for one in (token, again.body.decode()):
        assert (await ask(app, "POST", "/pay", cookie=cookie, x_csrf_token=one)).status == 200
    assert (await ask(app, "POST", "/pay", cookie=cookie, x_csrf_token=foreign)).status == 403
    assert (await ask(app, "POST", "/pay", cookie="__Host-csrf=x", x_csrf_token="x")).status == 403


async def test_a_form_of_several_parts_is_read_and_one_without_a_type_is_refused() -> None:
    """Fault 20: the first was not, and the second was a 500."""
    app = protected()
    first = await ask(app, path="/token")
    cookie, token = str(first.header("set-cookie")).partition(";")[0], first.body.decode()
    part = f'--b\r\ncontent-disposition: form-data; name="csrf_token"\r\n\r\n{token}\r\n--b--\r\n'.encode()

    whole = await ask(app, "POST", "/pay", part, cookie=cookie, content_type="multipart/form-data; boundary=b")
    bare = await ask(app, "POST", "/pay", f"csrf_token={token}".encode(), cookie=cookie)

    assert (whole.status, bare.status) == (200, 403)


async def test_the_cookie_of_a_token_is_out_of_reach_of_scripts_and_options_are_what_they_say() -> None:
    """Fault 20: `cookie_httponly or True` could not be switched off; the documentation read it with a script."""
    answer = await ask(protected(), path="/token")

    assert "HttpOnly" in str(answer.header("set-cookie"))
    app = NexiosApp(secret_key=KEY)
    app.add_middleware(CSRFMiddleware, cookie_httponly=False)
    with pytest.raises(ConfigurationError, match="cookie_httponly"):
        app.compile()


# 21: CORS


def shared(**options: Any) -> NexiosApp:
    app = NexiosApp(openapi=None)
    app.add_middleware(CORSMiddleware, **options)
    app.add_route("/", lambda request, response: "x")
    app.add_route("/fails", failing)
    return app


async def failing(request: Request, response: Response) -> None:
    raise RuntimeError


def allowed(answer: RawAnswer) -> set[str]:
    return {name.decode() for name, _ in answer.headers if name.startswith(b"access-control-")}


async def test_no_origin_is_let_in_with_credentials_by_a_star() -> None:
    """Fault 21: the defaults gave every origin the answers to requests with cookies."""
    app = shared(allow_origins=["*"])

    answer = await ask(app, origin="https://evil.example")

    assert answer.header("access-control-allow-origin") == "*"
    assert answer.header("access-control-allow-credentials") is None
    with pytest.raises(ConfigurationError):
        shared(allow_origins=["*"], allow_credentials=True).compile()


@pytest.mark.parametrize("path", ["/", "/fails", "/missing"])
async def test_an_origin_that_is_not_allowed_reads_no_answer_errors_included(path: str) -> None:
    """Fault 21: a 500 was for every origin; no answer said that it varies; one without an Origin had the headers."""
    app = shared(allow_origins=[GOOD], allow_credentials=True)

    evil, good = [await ask(app, path=path, origin=origin) for origin in ("https://evil.example", GOOD)]
    none = await ask(app, path=path)

    assert (allowed(evil), allowed(none)) == (set(), set())
    assert good.header("access-control-allow-origin") == GOOD
    assert [answer.header("vary") for answer in (evil, none, good)] == ["Origin"] * 3


async def test_the_time_that_a_preflight_is_kept_is_that_of_the_option() -> None:
    """Fault 21: 0 was taken for 600."""
    for seconds in (0, 60):
        app = shared(allow_origins=[GOOD], max_age=seconds)
        answer = await ask(app, "OPTIONS", origin=GOOD, access_control_request_method="GET")
        assert answer.header("access-control-max-age") == str(seconds)


@pytest.mark.parametrize("origins", [["*"], [GOOD]])
async def test_a_preflight_without_an_origin_is_an_options_like_any_other(origins: list[str]) -> None:
    """Fault 21: it was a 500, or a 400."""
    answer = await ask(shared(allow_origins=origins), "OPTIONS", access_control_request_method="GET")

    assert (answer.status, answer.header("allow")) == (204, "GET, HEAD, OPTIONS")
    assert allowed(answer) <= {"access-control-allow-origin"}


# 22 and 24: proxies, redirects and headers


async def test_an_address_in_a_header_is_nobodys_unless_a_proxy_is_trusted() -> None:
    """Fault 22: whoever sent X-Forwarded-For chose the address that he was known by."""
    app, behind = NexiosApp(openapi=None), NexiosApp(openapi=None)
    behind.add_middleware(ProxyHeaders, trusted=["203.0.113.9"])
    for one in (app, behind):
        one.add_route("/", lambda request, response: request.client.host)

    for header in ("x_forwarded_for", "x_real_ip", "forwarded", "cf_connecting_ip", "true_client_ip"):
        sent: dict[str, Any] = {header: "198.51.100.7"}
        assert (await ask(app, **sent)).body == b"203.0.113.9"
    assert (await ask(behind, x_forwarded_for="198.51.100.7")).body == b"198.51.100.7"
    assert (await ask(behind, x_forwarded_for="127.0.0.1, 198.51.100.7")).body == b"198.51.100.7"


async def test_the_security_headers_are_sent_once_each_and_well_formed() -> None:
    """Fault 24: they never were; later versions sent type and length twice, and Python's text for a dict as JSON."""
    app = NexiosApp(openapi=None)
    app.add_middleware(SecurityHeaders)
    app.add_route("/", lambda request, response: response.html("<p>x"))

    answer = await ask(app, user_agent="canary/1.0")

    names = [name for name, _ in answer.headers]
    assert {b"x-content-type-options", b"strict-transport-security", b"content-security-policy"} <= set(names)
    assert len(names) == len(set(names))
    assert b"server" not in names
    assert b"canary" not in b"".join(value for _, value in answer.headers)


async def test_a_redirect_to_https_keeps_the_query_and_leads_to_no_host_that_is_none() -> None:
    """Fault 24: the query was dropped, and whatever the Host said was the target."""
    app = NexiosApp(openapi=None)
    app.add_middleware(HTTPSRedirect)
    app.add_route("/a", lambda request, response: "x")

    plain = await call(app, path="/a", query=b"b=1&c=2", headers=[(b"host", b"shop.example")])
    forged = await call(app, path="/a", headers=[(b"host", b"shop.example@evil.example")])

    assert plain.header("location") == "https://shop.example/a?b=1&c=2"
    assert forged.header("location") is None or "evil" not in str(forged.header("location"))


# 23: the debug page


async def test_no_secret_of_a_request_is_on_the_debug_page_which_is_off() -> None:
    """Fault 23: it was always on, with cookies, Authorization, environment and sys.path."""
    headers: dict[str, Any] = {"authorization": "Bearer canary", "cookie": "session=canary", "accept": "text/html"}
    for debug in (False, True):
        app = NexiosApp(openapi=None, debug=debug, secret_key=KEY)
        app.add_middleware(SessionMiddleware)
        app.add_route("/", failing)

        answer = await ask(app, **headers)

        assert answer.status == 500
        assert (b"Traceback" in answer.body) is debug
        assert b"canary" not in answer.body
        assert KEY.encode() not in answer.body
        assert len(answer.body) < 30_000


# 27: prefixes


async def test_a_prefix_is_counted_once_and_tags_of_every_level_are_kept() -> None:
    """Fault 27: the document said "api/u/{id}", requests below a mount lost their prefix, and tags vanished."""
    app = NexiosApp()
    outer, inner = Router(prefix="/api/", tags=["outer"]), Router(prefix="/u", tags=["inner"])

    @inner.get("/{id:int}", tags=["route"])
    async def user(request: Request, response: Response, id: int) -> list[str]:
        return [request.path, request.url.path, request.root_path]

    outer.include_router(inner)
    app.include_router(outer)
    around = NexiosApp(openapi=None)
    around.mount("/shop", app)

    assert (await ask(app, path="/api/u/7")).json() == ["/api/u/7", "/api/u/7", ""]
    assert (await ask(around, path="/shop/api/u/7")).json() == ["/shop/api/u/7", "/shop/api/u/7", "/shop"]
    document = json.loads((await ask(app, path="/openapi.json")).body)
    assert list(document["paths"]) == ["/api/u/{id}"]
    assert document["paths"]["/api/u/{id}"]["get"]["tags"] == ["outer", "inner", "route"]
