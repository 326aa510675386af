"""CSRF protection around an app: forms, sessions, cookies, mounted applications, and what it tells developers."""

import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest

from nexios import Limits, NexiosApp, Request, Response, Router
from nexios.errors import ConfigurationError
from nexios.middleware import CSRFMiddleware, ProxyHeaders, csrf_exempt, csrf_input, csrf_token
from nexios.session import SessionMiddleware
from nexios.stores import MemoryStore
from nexios.testing import TestClient
from nexios.testing.raw import call
from nexios.websockets import WebSocket

KEY = "xWlZ9nTfS4v1cQ0kR7b2mJ6uYhE3oAqD"
OTHER_KEY = "qV8pLr2sKd0wZ5yB1nG7tFjXc4MiHeUa"
HERE = {"sec-fetch-site": "same-origin"}


def make_app(session: str = "", limits: Limits | None = None, **options: Any) -> NexiosApp:
    app = NexiosApp(openapi=None, secret_key=KEY, limits=limits or Limits())
    if session == "cookie":
        app.add_middleware(SessionMiddleware, secret_key=KEY)
    elif session == "store":
        app.add_middleware(SessionMiddleware, store=MemoryStore())
    app.add_middleware(CSRFMiddleware, **options)

    @app.get("/token")
    async def token(request: Request, response: Response) -> str:
        return csrf_token(request)

    @app.post("/form")
    async def form(request: Request, response: Response) -> dict[str, Any]:
        fields = await request.form()
        files = {name: (await upload.read()).decode() for name, upload in fields.files.items()}
        return {"name": fields.get("name"), "files": files}

    @app.post("/bytes")
    async def whole(request: Request, response: Response) -> bytes:
        return await request.body()

    @app.post("/login")
    async def login(request: Request, response: Response) -> str:
        request.session.user_id = "ada"
        return "welcome"

    return app


KINDS = ["", "cookie", "store"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_token_passes_in_the_header_and_in_both_kinds_of_forms(kind: str) -> None:
    with TestClient(make_app(kind)) as client:
        token = client.get("/token").text
        field = {"csrf_token": token, "name": "Ada"}

        by_header = client.post("/form", data={"name": "Ada"}, headers={"x-csrf-token": token})
        urlencoded = client.post("/form", data=field)
        multipart = client.post("/form", data=field, files={"photo": ("a.txt", b"pixels")})
        without = client.post("/form", data={"name": "Ada"})

    assert by_header.json() == urlencoded.json() == {"name": "Ada", "files": {}}
    assert multipart.json() == {"name": "Ada", "files": {"photo": "pixels"}}
    assert (without.status_code, without.json()["code"]) == (403, "csrf_failed")


@pytest.mark.parametrize("kind", KINDS)
def test_tokens_of_one_session_are_worth_nothing_in_another(kind: str) -> None:
    app = make_app(kind)
    with TestClient(app) as ada, TestClient(app) as eve:
        mine, theirs = ada.get("/token").text, eve.get("/token").text

        assert ada.post("/bytes", headers={"x-csrf-token": mine}).status_code == 200
        assert ada.post("/bytes", headers={"x-csrf-token": theirs}).status_code == 403


@pytest.mark.parametrize("kind", ["cookie", "store"])
def test_after_login_the_tokens_from_before_are_worth_nothing(kind: str) -> None:
    """Row G3: a page that an attacker got for a session that he gave to somebody is of no use after its login."""
    with TestClient(make_app(kind)) as client:
        before = client.get("/token").text
        assert client.post("/login", headers={"x-csrf-token": before}).text == "welcome"

        stale = client.post("/bytes", headers={"x-csrf-token": before})
        fresh = client.post("/bytes", headers={"x-csrf-token": client.get("/token").text})

    assert (stale.status_code, fresh.status_code) == (403, 200)


@pytest.mark.parametrize("kind", ["cookie", "store"])
def test_the_login_form_is_protected_as_well(kind: str) -> None:
    with TestClient(make_app(kind)) as client:
        foreign = client.post("/login", headers={"sec-fetch-site": "cross-site"})
        silent = client.post("/login")

    assert (foreign.status_code, silent.status_code) == (403, 403)


@pytest.mark.parametrize("kind", ["cookie", "store"])
def test_what_is_refused_makes_no_session(kind: str) -> None:
    with TestClient(make_app(kind)) as client:
        answer = client.post("/bytes", headers={"x-csrf-token": "A" * 86})

    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("tokens", [2, 3])
async def test_a_token_is_there_once(tokens: int) -> None:
    app = make_app()
    page = await call(app, path="/token", headers=[(b"host", b"shop.example")])
    cookie, token = (page.header("set-cookie") or "").partition(";")[0].encode(), page.body

    headers = [(b"host", b"shop.example"), (b"cookie", cookie)]
    once = await call(app, method="POST", path="/bytes", headers=[*headers, (b"x-csrf-token", token)])
    twice = await call(app, method="POST", path="/bytes", headers=[*headers, *[(b"x-csrf-token", token)] * tokens])
    form = [(b"content-type", b"application/x-www-form-urlencoded")]
    body = b"&".join([b"csrf_token=" + token] * tokens)
    fields = await call(app, method="POST", path="/bytes", headers=[*headers, *form], chunks=[body])

    assert (once.status, twice.status, fields.status) == (200, 403, 403)


@pytest.mark.parametrize("kind", KINDS)
def test_pages_in_several_tabs_work_side_by_side(kind: str) -> None:
    """Fault 20 of the framework of this name: the token changed with every response, so the older tab failed."""
    with TestClient(make_app(kind)) as client:
        tabs = [client.get("/token").text for _ in range(3)]

        answers = [client.post("/bytes", headers={"x-csrf-token": token}) for token in (*tabs, *tabs)]

    assert {answer.status_code for answer in answers} == {200}


def test_a_wrong_header_is_not_made_good_by_a_form() -> None:
    with TestClient(make_app()) as client:
        token = client.get("/token").text

        answer = client.post("/form", data={"csrf_token": token}, headers={"x-csrf-token": "x"})

    assert answer.status_code == 403


@pytest.mark.parametrize("place", ["query", "json", "file"])
def test_a_token_is_read_from_no_other_place(place: str) -> None:
    with TestClient(make_app()) as client:
        token = client.get("/token").text
        match place:
            case "query":
                answer = client.post("/form", params={"csrf_token": token}, data={"name": "Ada"})
            case "json":
                answer = client.post("/bytes", json={"csrf_token": token})
            case _:
                answer = client.post("/form", files={"csrf_token": ("a.txt", token.encode())})

    assert answer.status_code == 403


def test_the_bytes_of_an_urlencoded_form_are_still_there_for_the_handler() -> None:
    with TestClient(make_app()) as client:
        token = client.get("/token").text

        answer = client.post("/bytes", data={"csrf_token": token, "a": "1"})

    assert answer.text == f"csrf_token={token}&a=1"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"data": {f"f{i}": "x" for i in range(5)}}, "too_many_form_fields"),
        ({"files": [("f", ("a.txt", b"x")), ("f", ("b.txt", b"x"))]}, "too_many_form_files"),
        ({"data": {"name": "x" * 600}}, "form_field_too_large"),
        ({"data": {"name": "x" * 5000}}, "content_too_large"),
        ({"content": b"--", "headers": {"content-type": "multipart/form-data; boundary=x"}}, "malformed_form"),
    ],
)
def test_the_limits_of_forms_hold_when_a_token_is_looked_for(body: dict[str, Any], code: str) -> None:
    limits = Limits(max_form_fields=3, max_form_files=1, max_form_part_size=500, max_body_size=4096)
    with TestClient(make_app(limits=limits)) as client:
        client.get("/token")

        answer = client.post("/form", **body)

    assert answer.json()["code"] == code


async def test_nothing_is_read_of_a_body_when_the_client_has_no_secret() -> None:
    form = [(b"host", b"shop.example"), (b"content-type", b"application/x-www-form-urlencoded")]

    answer = await call(make_app(), method="POST", path="/form", headers=form, chunks=[b"a=b", b"&c=d"])

    assert (answer.status, answer.received) == (403, 0)


@pytest.mark.parametrize("kind", ["asgi", "nexios"])
def test_a_mounted_application_reads_the_form_too(kind: str) -> None:
    async def foreign(scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message["body"], message["more_body"]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})

    inner = NexiosApp(openapi=None)

    @inner.post("/")
    async def echo(request: Request, response: Response) -> bytes:
        return await request.body()

    app = make_app()
    app.mount("/inner", foreign if kind == "asgi" else inner)
    with TestClient(app) as client:
        token = client.get("/token").text

        sent = client.post("/inner/", data={"a": "1"}, files={"f": ("a.txt", b"x")}, headers={"x-csrf-token": token})
        field = client.post("/inner/", data={"csrf_token": token}, files={"f": ("a.txt", b"pixels")})
        foreign_page = client.post("/inner/", headers={"sec-fetch-site": "cross-site"})

    assert sent.status_code == field.status_code == 200
    assert b"pixels" in field.content
    assert token.encode() in field.content
    assert foreign_page.status_code == 403


def test_a_page_of_the_same_origin_needs_no_token() -> None:
    app = NexiosApp(openapi=None)
    app.add_middleware(CSRFMiddleware)
    app.add_route("/", lambda request, response: "done", methods=["POST"])

    with TestClient(app) as client:
        by_site = client.post("/", headers=HERE)
        by_origin = client.post("/", headers={"origin": "https://testserver"})
        foreign = client.post("/", headers={"origin": "https://evil.example"})
        silent = client.post("/")

    assert [answer.status_code for answer in (by_site, by_origin, foreign, silent)] == [200, 200, 403, 403]


@pytest.mark.parametrize("media_type", ["garbage", "a/b, c/d", "text/plain", ""])
def test_a_body_that_is_no_form_has_no_token(media_type: str) -> None:
    with TestClient(make_app()) as client:
        content = f"csrf_token={client.get('/token').text}"

        answer = client.post("/bytes", content=content, headers={"content-type": media_type})

    assert (answer.status_code, answer.json()["code"]) == (403, "csrf_failed")


def test_two_tokens_on_one_page_are_of_one_secret() -> None:
    app = make_app()

    @app.get("/page")
    async def page(request: Request, response: Response) -> list[str]:
        return [csrf_token(request), csrf_token(request)]

    with TestClient(app) as client:
        tokens = client.get("/page").json()

        answers = [client.post("/bytes", headers={"x-csrf-token": token}) for token in tokens]

    assert [answer.status_code for answer in answers] == [200, 200]


def test_pages_of_trusted_origins_may_send() -> None:
    with TestClient(make_app(trusted_origins=["https://Admin.example:443"])) as client:
        cross = {"sec-fetch-site": "cross-site"}
        trusted = client.post("/bytes", headers={**cross, "origin": "https://admin.example"})
        other = client.post("/bytes", headers={**cross, "origin": "https://admin.example:8443"})

    assert (trusted.status_code, other.status_code) == (200, 403)


async def test_what_a_trusted_proxy_says_is_the_origin_that_was_asked() -> None:
    headers = [
        (b"host", b"internal:8000"),
        (b"x-forwarded-proto", b"https"),
        (b"x-forwarded-host", b"shop.example"),
        (b"origin", b"https://shop.example"),
    ]

    def behind(*trusted: str) -> NexiosApp:
        app = NexiosApp(openapi=None)
        app.add_middleware(ProxyHeaders, trusted=trusted, believe=("for", "proto", "host"))
        app.add_middleware(CSRFMiddleware)
        app.add_route("/", lambda request, response: "done", methods=["POST"])
        return app

    believed = await call(behind("203.0.113.0/24"), method="POST", headers=headers)
    not_believed = await call(behind("198.51.100.0/24"), method="POST", headers=headers)

    assert (believed.status, not_believed.status) == (200, 403)


def test_the_cookie_is_secure_and_set_once() -> None:
    with TestClient(make_app(cookie_name="shop")) as client:
        first, second = client.get("/token"), client.get("/token")

    cookie = first.headers["set-cookie"]
    assert cookie.startswith("__Host-shop=")
    assert cookie.endswith("; Path=/; Secure; HttpOnly; SameSite=Lax")
    assert "set-cookie" not in second.headers


def test_in_debug_mode_on_plain_http_the_cookie_comes_back_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    app = make_app()
    with TestClient(app, base_url="http://testserver", settings={"debug": True}) as client:
        page = client.get("/token")
        answer = client.post("/bytes", headers={"x-csrf-token": page.text})

    assert page.headers["set-cookie"].startswith("csrf=")
    assert "Secure" not in page.headers["set-cookie"]
    assert answer.status_code == 200
    assert [record.message for record in caplog.records if "plain http" in record.message] == [
        "the CSRF cookie is set without Secure and __Host-: plain http, in debug mode alone"
    ]


async def test_a_new_secret_key_leaves_old_pages_working() -> None:
    old, both, new = (make_app(secret_key=key) for key in (OTHER_KEY, [KEY, OTHER_KEY], KEY))
    page = await call(old, path="/token")
    cookie = (page.header("set-cookie") or "").partition(";")[0].encode()
    headers = [(b"cookie", cookie), (b"x-csrf-token", page.body)]

    statuses = [(await call(app, method="POST", path="/bytes", headers=headers)).status for app in (old, both, new)]

    assert statuses == [200, 200, 403]


@pytest.mark.parametrize("name", ["", "a b", "a;b", "a\nb", None])
@pytest.mark.parametrize("option", ["header_name", "field_name", "cookie_name"])
def test_a_name_that_is_none_is_an_error(option: str, name: Any) -> None:
    with pytest.raises(ConfigurationError, match=option):
        CSRFMiddleware(**{option: name})


@pytest.mark.parametrize("origins", ["https://app.example", ["*"], ["null"], ["https://app.example/"]])
def test_an_origin_that_is_none_cannot_be_trusted(origins: Any) -> None:
    with pytest.raises(ConfigurationError, match="trusted_origins"):
        CSRFMiddleware(trusted_origins=origins)


def test_a_secret_that_can_be_guessed_is_an_error_when_the_app_compiles() -> None:
    with pytest.raises(ConfigurationError, match="can be guessed"), TestClient(make_app(secret_key="changeme")):
        pass


def test_without_a_secret_and_a_session_a_token_says_what_is_missing() -> None:
    app = NexiosApp(openapi=None)
    app.add_middleware(CSRFMiddleware)
    app.add_route("/", lambda request, response: csrf_token(request))

    with TestClient(app) as client, pytest.raises(ConfigurationError, match="NEXIOS_SECRET_KEY"):
        client.get("/")


def test_without_the_middleware_a_token_says_how_it_is_added() -> None:
    app = NexiosApp(openapi=None)
    app.add_route("/", lambda request, response: csrf_input(request))

    with TestClient(app) as client, pytest.raises(ConfigurationError, match="no CSRFMiddleware is around"):
        client.get("/")


def test_sessions_of_the_app_that_come_after_it_are_an_error_at_the_start() -> None:
    app = NexiosApp(openapi=None, secret_key=KEY)
    app.add_middleware(CSRFMiddleware)
    app.add_middleware(SessionMiddleware, secret_key=KEY)

    with pytest.raises(ConfigurationError, match="Swap the lines"):
        app.compile()


def test_a_token_of_a_session_that_comes_after_it_is_an_error() -> None:
    app, router = NexiosApp(openapi=None, secret_key=KEY), Router()
    app.add_middleware(CSRFMiddleware)
    router.add_middleware(SessionMiddleware, secret_key=KEY)
    router.add_route("/", lambda request, response: csrf_token(request))
    app.include_router(router)

    with TestClient(app) as client, pytest.raises(ConfigurationError, match="Swap the lines"):
        client.get("/")


@pytest.mark.parametrize("early", [True, False])
def test_a_stream_takes_its_first_token_before_it_begins(early: bool) -> None:
    app = make_app()

    @app.get("/stream")
    async def stream(request: Request, response: Response) -> Response:
        if early:
            csrf_token(request)

        async def parts() -> AsyncIterator[str]:
            yield csrf_token(request)

        return response.stream(parts(), "text/html")

    with TestClient(app) as client:
        if not early:
            with pytest.raises(ConfigurationError, match="The response has begun"):
                client.get("/stream")
            return
        token = client.get("/stream").text

        assert client.post("/bytes", headers={"x-csrf-token": token}).status_code == 200


def test_a_class_is_exempt_and_what_is_derived_from_it_is_not() -> None:
    app = NexiosApp(openapi=None)
    app.add_middleware(CSRFMiddleware)

    @csrf_exempt
    class Hook:
        async def post(self, request: Request, response: Response) -> str:
            return "heard"

    class Derived(Hook):
        pass

    app.add_route("/hook", Hook)
    app.add_route("/derived", Derived)

    with TestClient(app) as client:
        assert [client.post(path).status_code for path in ("/hook", "/derived")] == [200, 403]


def test_the_mark_may_be_above_the_route_as_well() -> None:
    app = NexiosApp(openapi=None)
    app.add_middleware(CSRFMiddleware)

    @csrf_exempt
    @app.post("/hook")
    async def hook(request: Request, response: Response) -> str:
        return "heard"

    with TestClient(app) as client:
        assert client.post("/hook").text == "heard"


def test_what_cannot_be_marked_says_where_to_say_it() -> None:
    with pytest.raises(ConfigurationError, match="metadata="):
        csrf_exempt("text".upper)


def test_a_router_can_be_protected_alone_or_twice() -> None:
    app = make_app()
    router = Router("/admin", middleware=[CSRFMiddleware(secret_key=KEY)])

    @router.get("/token")
    async def token(request: Request, response: Response) -> str:
        return csrf_token(request)

    @router.post("/save")
    async def save(request: Request, response: Response) -> str:
        return "saved"

    app.include_router(router)
    with TestClient(app) as client:
        token_text = client.get("/admin/token").text

        assert client.post("/admin/save", headers={"x-csrf-token": token_text}).text == "saved"
        assert client.post("/admin/save").status_code == 403
        assert client.post("/bytes", headers={"x-csrf-token": token_text}).status_code == 200


def test_the_reason_is_in_the_log_alone(caplog: pytest.LogCaptureFixture) -> None:
    with TestClient(make_app()) as client:
        client.post("/bytes", headers={"origin": "https://evil.example"})

    assert "CSRF: 'POST' to '/bytes' was refused: Origin is another one" in caplog.messages
    assert "evil" not in caplog.text


async def test_a_websocket_is_left_to_the_check_of_its_origin() -> None:
    app = make_app()

    @app.websocket("/ws")
    async def socket(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text("hello")

    async with TestClient(app) as client:
        async with client.websocket_connect("/ws") as websocket:
            assert await websocket.receive_text() == "hello"


def test_the_secret_is_in_no_text() -> None:
    assert repr(CSRFMiddleware(secret_key=KEY)) == "<CSRFMiddleware>"
    assert KEY not in repr(vars(CSRFMiddleware(secret_key=KEY))["_cookie"])


def test_a_request_that_is_safe_costs_no_session_and_no_cookie(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    app = make_app("store")
    app.add_route("/plain", lambda request, response: "plain")

    with TestClient(app) as client:
        answer = client.get("/plain")

    assert {"set-cookie", "vary", "cache-control"} & set(answer.headers) == set()
