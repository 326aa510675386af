"""Section H of the published faults, and what other sections say of CORS. Each test is the translation of one row."""

import asyncio
import logging
from typing import Any

import pytest

from nexios import HTTPException, NexiosApp, Request, Response, Router
from nexios.errors import ConfigurationError
from nexios.middleware import CORSMiddleware
from nexios.testing.raw import RawAnswer, call
from tests.security.kit import linear
from tests.security.test_hosts_and_headers import handshake

GOOD = "https://good.example"
OTHER = "https://other.example"
STRANGERS = [
    *("https://goodXexample", "https://good.example.evil", "https://evil/https://good.example", "http://good.example"),
    *("https://good.example:444", "HTTPS://GOOD.EXAMPLE", "https://good.example:443", "https://good.example/", "null"),
    *("", "*", "https://sub.good.example", "https://good.example, https://good.example", "https://good.example\x85"),
]


def make_app(**options: Any) -> NexiosApp:
    app = NexiosApp(openapi=None)
    app.add_middleware(CORSMiddleware, **{"allow_origins": [GOOD], **options})

    @app.get("/")
    async def index(request: Request, response: Response) -> str:
        return "index"

    @app.put("/")
    async def change(request: Request, response: Response) -> str:
        return "changed"

    return app


def from_origin(*origins: str, **more: str) -> list[tuple[bytes, bytes]]:
    named = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in more.items()]
    return [*((b"origin", origin.encode("latin-1")) for origin in origins), *named]


async def get(app: NexiosApp, *origins: str, path: str = "/", **more: str) -> RawAnswer:
    return await call(app, path=path, headers=from_origin(*origins, **more))


async def preflight(
    app: NexiosApp, origin: str, method: str = "GET", *, path: str = "/", names: str | None = None, **more: str
) -> RawAnswer:
    asked = {"access_control_request_method": method, **more}
    if names is not None:
        asked["access_control_request_headers"] = names
    return await call(app, method="OPTIONS", path=path, headers=from_origin(origin, **asked))


def of_cors(answer: RawAnswer) -> set[str]:
    return {name.decode() for name, _ in answer.headers if name.startswith(b"access-control-")}


def varies(answer: RawAnswer) -> list[str]:
    return [part.strip() for value in answer.header_all("vary") for part in value.split(",")]


@pytest.mark.parametrize("origin", STRANGERS)
@pytest.mark.parametrize("credentials", [True, False])
async def test_h1_an_origin_is_compared_whole(origin: str, credentials: bool) -> None:
    """CVE-2026-25478, GHSA-2p2x-hpg8-cqp2; CVE-2017-11173, GHSA-2j9c-9vmv-7m39: browsers write it in one way."""
    app = make_app(allow_credentials=credentials)

    assert of_cors(await get(app, origin)) == set()
    asked = await preflight(app, origin)
    assert (asked.status, of_cors(asked)) == (403, set())
    assert (await get(app, GOOD)).header("access-control-allow-origin") == GOOD


@pytest.mark.parametrize("origin", [o for o in STRANGERS if o != "https://sub.good.example"])
async def test_h1_a_pattern_is_matched_with_the_whole_origin(origin: str) -> None:
    """CVE-2017-11173: whatever the pattern matches must be an origin as well."""
    app = make_app(allow_origins=[], allow_origin_regex=r"https://(.*\.)?good\.example|.*good.*/|null.*|")

    assert of_cors(await get(app, origin)) == set()
    assert (await get(app, "https://sub.good.example")).header("access-control-allow-origin") == (
        "https://sub.good.example"
    )


def test_h1_a_dot_that_is_no_dot_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """CVE-2026-25478."""
    CORSMiddleware(allow_origin_regex=r"https://[a-z.]+\.good\.example|https://.*\.x\.example")
    assert caplog.records == []

    CORSMiddleware(allow_origin_regex="https://good.example")
    assert "matches any character" in caplog.text


@pytest.mark.parametrize("origins", [["*"], [GOOD, "*"]])
def test_h2_every_origin_with_credentials_is_an_error_at_the_start(origins: list[str]) -> None:
    """CVE-2018-20744, GHSA-927h-x4qj-r242."""
    with pytest.raises(ConfigurationError, match="allow_credentials"):
        CORSMiddleware(allow_origins=origins, allow_credentials=True)

    app = NexiosApp()
    app.add_middleware(CORSMiddleware, allow_origins=origins, allow_credentials=True)
    with pytest.raises(ConfigurationError, match="Name the origins"):
        app.compile()


async def test_h2_every_origin_is_a_star_and_no_reflection() -> None:
    """CVE-2018-20744."""
    app = make_app(allow_origins=["*"])

    for origin in (GOOD, "https://evil.example", "null"):
        answer = await get(app, origin, cookie="session=1")
        asked = await preflight(app, origin)
        assert [a.header("access-control-allow-origin") for a in (answer, asked)] == ["*", "*"]
        assert [a.header("access-control-allow-credentials") for a in (answer, asked)] == [None, None]


async def test_h3_null_is_an_origin_like_any_other_and_a_cookie_changes_nothing() -> None:
    """CVE-2024-47084, GHSA-3c67-5hwx-f6wx; CVE-2024-47165, GHSA-89v2-pqfv-c5r9."""
    app = make_app(allow_credentials=True)

    for origin in ("null", "http://localhost:7860", GOOD):
        plain, with_cookie = await get(app, origin), await get(app, origin, cookie="a=b", host="localhost:7860")
        asked = await preflight(app, origin)
        asked_with_cookie = await preflight(app, origin, cookie="a=b", host="localhost:7860")
        assert plain.headers == with_cookie.headers
        assert (asked.status, asked.headers) == (asked_with_cookie.status, asked_with_cookie.headers)
        assert asked.status == (204 if origin == GOOD else 403)
        assert plain.header("access-control-allow-origin") == (GOOD if origin == GOOD else None)


async def test_h3_null_is_allowed_when_it_is_listed_and_that_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """CVE-2024-47165."""
    app = make_app(allow_origins=["null"])

    assert (await get(app, "null")).header("access-control-allow-origin") == "null"
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "sandboxed" in caplog.text


@pytest.mark.parametrize("enabled", [True, False])
async def test_h4_the_private_network_is_opened_only_on_request(enabled: bool) -> None:
    """CVE-2024-6221."""
    app = make_app(allow_private_network=enabled)

    asked = await preflight(app, GOOD, access_control_request_private_network="true")
    unasked = await preflight(app, GOOD)

    name = "access-control-allow-private-network"
    assert (asked.header(name), unasked.header(name)) == ("true" if enabled else None, None)


def with_policies() -> NexiosApp:
    """An app for one origin, with a router for another, in which a route is for a third."""
    app = NexiosApp(openapi=None)
    app.add_middleware(CORSMiddleware, allow_origins=[GOOD], allow_methods=["GET", "PUT"])
    private = Router(prefix="/private")
    private.add_middleware(CORSMiddleware, allow_origins=[OTHER], allow_credentials=True)
    own = CORSMiddleware(allow_origins=["https://third.example"], allow_methods=["GET"])

    async def tell(request: Request, response: Response) -> str:
        return "told"

    app.get("/public/{rest:path}")(tell)
    private.get("")(tell)
    private.get("/own", middleware=[own])(tell)
    private.put("/own")(tell)
    app.include_router(private)
    return app


async def allowed(app: NexiosApp, path: str, method: str = "GET") -> list[str]:
    """The origins that may read the answer, for which preflight and answer agree."""
    found: list[str] = []
    for origin in (GOOD, OTHER, "https://third.example"):
        asked = await preflight(app, origin, method, path=path)
        answer = await call(app, method=method, path=path, headers=from_origin(origin))
        told = [a.header("access-control-allow-origin") for a in (asked, answer)]
        assert told in ([origin, origin], [None, None]), path
        found += [origin] if told[0] else []
    return found


@pytest.mark.parametrize(
    ("path", "method", "origins"),
    [
        ("/public/x", "GET", [GOOD]),
        ("/private", "GET", [OTHER]),
        ("/private/own", "GET", ["https://third.example"]),
        ("/public/../private", "GET", [GOOD]),
        ("/public/%2e%2e/private", "GET", [GOOD]),
        ("/public//private", "GET", [GOOD]),
        ("/privat", "GET", [GOOD]),
        ("/private%2f", "GET", [GOOD]),
        ("/private/", "GET", [GOOD]),
        ("/private%2fown", "GET", [GOOD]),
        ("/%70rivate", "GET", [GOOD]),
        ("//private", "GET", [GOOD]),
        ("/priv+ate", "GET", [GOOD]),
        ("/priv ate", "GET", [GOOD]),
        ("/PRIVATE", "GET", [GOOD]),
        ("/private/nowhere", "GET", [GOOD]),
        ("/private/own/", "GET", [GOOD]),
    ],
)
async def test_h5_the_policy_is_that_of_the_matched_route(path: str, method: str, origins: list[str]) -> None:
    """CVE-2020-25032, GHSA-xc3p-ff3m-f46v; CVE-2024-6839, GHSA-7rxf-gvfg-47g4; CVE-2024-6844; CVE-2019-18978."""
    assert await allowed(with_policies(), path, method) == origins


async def test_h5_a_preflight_is_answered_by_the_route_of_the_method_that_it_asks_for() -> None:
    """CVE-2024-6839: PUT is of the router's policy, which does not let it through; GET has its own."""
    app = with_policies()

    assert (await preflight(app, OTHER, "PUT", path="/private/own")).status == 403
    assert (await preflight(app, GOOD, "PUT", path="/private/own")).status == 403
    assert (await preflight(app, GOOD, "PUT", path="/public/x")).status == 204


async def test_h5_without_a_policy_of_the_app_a_route_answers_its_preflights_itself() -> None:
    app = NexiosApp(openapi=None)

    @app.get("/open", middleware=[CORSMiddleware(allow_origins=[GOOD])])
    @app.get("/closed")
    async def tell(request: Request, response: Response) -> str:
        return "told"

    assert await allowed(app, "/open") == [GOOD]
    assert await allowed(app, "/closed") == []
    assert (await preflight(app, GOOD, path="/nowhere")).status == 404


@pytest.mark.parametrize("inside", [True, False])
async def test_h5_a_mounted_app_with_a_policy_has_its_own(inside: bool) -> None:
    inner = NexiosApp(openapi=None)
    if inside:
        inner.add_middleware(CORSMiddleware, allow_origins=[OTHER])

    @inner.get("/x")
    async def tell(request: Request, response: Response) -> str:
        return "told"

    app = make_app()
    app.mount("/inner", inner)

    assert await allowed(app, "/inner/x") == [OTHER if inside else GOOD]


@pytest.mark.parametrize("origin", [None, GOOD, "https://evil.example"])
@pytest.mark.parametrize("path", ["/", "/nowhere"])
async def test_h6_every_answer_varies_by_origin(origin: str | None, path: str) -> None:
    """Starlette #3516 and #3517."""
    answer = await get(make_app(), *([] if origin is None else [origin]), path=path)

    assert varies(answer) == ["Origin"]


async def test_h6_an_answer_for_all_origins_is_one_and_the_same() -> None:
    """Then no cache can give a wrong one: it has the header without an Origin too, and does not vary."""
    app = make_app(allow_origins=["*"], expose_headers=["x-total"])
    answers = [await get(app), await get(app, GOOD), await get(app, OTHER)]

    assert answers[0].headers == answers[1].headers == answers[2].headers
    assert (answers[0].header("access-control-allow-origin"), varies(answers[0])) == ("*", [])


async def test_h6_what_the_handler_says_of_vary_stays() -> None:
    app = make_app()

    @app.get("/own")
    async def own(request: Request, response: Response) -> Response:
        return response.text("x").set_header("vary", "Cookie, origin")

    assert varies(await get(app, GOOD, path="/own")) == ["Cookie", "origin"]


async def test_h6_requests_of_two_origins_at_once_are_not_mixed() -> None:
    """The test of Starlette: `test_cors_allowed_origin_does_not_leak_between_requests`."""
    shared = Response("kept for all", headers={"x-kept": "yes"})
    app = make_app(allow_origins=[GOOD, OTHER])
    together = asyncio.Barrier(2)

    @app.get("/shared")
    async def give(request: Request, response: Response) -> Response:
        await together.wait()
        return shared

    answers = await asyncio.gather(get(app, GOOD, path="/shared"), get(app, OTHER, path="/shared"))

    assert [answer.header("access-control-allow-origin") for answer in answers] == [GOOD, OTHER]
    assert shared.headers.pairs == [("content-type", "text/plain; charset=utf-8"), ("x-kept", "yes")]


def failing_app() -> NexiosApp:
    app = make_app(allow_credentials=True)

    @app.get("/items/{item:int}")
    async def item(request: Request, response: Response, item: int, limit: int) -> str:
        return "item"

    @app.get("/broken")
    async def broken(request: Request, response: Response) -> str:
        raise ZeroDivisionError

    @app.get("/secret")
    async def secret(request: Request, response: Response) -> str:
        raise HTTPException(401, headers={"www-authenticate": "Bearer"})

    @app.get("/stream")
    async def stream(request: Request, response: Response) -> Response:
        response.stream(iter([b"never"]))
        raise ZeroDivisionError

    @app.post("/form")
    async def form(request: Request, response: Response) -> str:
        found = [request.headers.get("accept"), str(request.host), await request.form()]
        return f"read {found}"

    return app


@pytest.mark.parametrize(
    ("path", "status"),
    [("/nowhere", 404), ("/items/1", 422), ("/broken", 500), ("/secret", 401), ("/stream", 500), ("/items/x", 404)],
)
async def test_h7_a_page_can_read_errors(path: str, status: int) -> None:
    """CORS stands outside of what turns exceptions into answers."""
    answer = await get(failing_app(), GOOD, path=path)
    refused = await get(failing_app(), "https://evil.example", path=path)

    assert (answer.status, answer.header("access-control-allow-origin")) == (status, GOOD)
    assert answer.header("access-control-allow-credentials") == "true"
    assert of_cors(refused) == set()


@pytest.mark.parametrize(
    ("fields", "chunk", "status"),
    [
        ([(b"content-type", b"text/plain")], b"x", 415),
        ([(b"content-type", b"application/x-www-form-urlencoded")], b"a=%ff", 400),
        ([(b"content-type", b"application/x-www-form-urlencoded"), (b"content-length", b"99999999")], b"a=1", 413),
        ([(b"content-type", b"application/x-www-form-urlencoded"), (b"content-length", b"-1")], b"a=1", 400),
        ([(b"x", b"x" * 70_000)], b"", 431),
        ([(b"host", b"a"), (b"host", b"b")], b"", 400),
    ],
    ids=["415", "400", "413", "length", "431", "hosts"],
)
async def test_h7_a_page_can_read_why_its_body_was_refused(
    fields: list[tuple[bytes, bytes]], chunk: bytes, status: int
) -> None:
    """What is found wrong with a request long before its handler."""
    sent: dict[str, Any] = {"method": "POST", "path": "/form", "chunks": [chunk]}
    answer = await call(failing_app(), headers=[*from_origin(GOOD), *fields], **sent)
    refused = await call(failing_app(), headers=[*from_origin("https://evil.example"), *fields], **sent)

    assert (answer.status, answer.header("access-control-allow-origin")) == (status, GOOD)
    assert of_cors(refused) == set()


async def test_h7_what_middleware_answers_is_readable_too() -> None:
    app = make_app()

    async def closed(request: Request, response: Response, call_next: Any) -> Response:
        raise HTTPException(503)

    app.add_middleware(closed)

    assert (await get(app, GOOD)).header("access-control-allow-origin") == GOOD
    assert (await call(app, method="PATCH", headers=from_origin(GOOD))).status == 503
    assert (await preflight(app, GOOD)).status == 204


@pytest.mark.parametrize(
    ("origin", "method", "names"),
    [(OTHER, "GET", None), (GOOD, "DELETE", None), (GOOD, "get", None), (GOOD, "GET", "x-other"), (GOOD, "GET", "*")],
)
async def test_h7_a_preflight_that_is_denied_is_an_error_and_says_nothing(
    origin: str, method: str, names: str | None
) -> None:
    answer = await preflight(make_app(allow_headers=["x-one"]), origin, method, names=names)

    assert (answer.status, of_cors(answer)) == (403, set())
    assert "Origin" in varies(answer)


@pytest.mark.parametrize(
    "names",
    [
        *(
            "x" * 64 * 1024,
            ",".join(f"x-{n}" for n in range(10_000)),
            "x-one\x85x",
            "x one",
            "x\r\nset-cookie: a=b",
            "x\ny",
            "x\0",
            "x-one:y",
            "x@y",
            "é",
        ),
        ",".join("a" for _ in range(101)),
    ],
)
async def test_h8_a_preflight_for_what_is_no_list_of_names_is_malformed(names: str) -> None:
    answer = await preflight(make_app(allow_headers=["*"]), GOOD, names=names)

    assert (answer.status, of_cors(answer)) == (400, set())


@pytest.mark.parametrize("piece", ["x-one,", ",", " ,", "x", "x-one, "])
def test_h8_a_preflight_costs_what_it_is_long(piece: str) -> None:
    app = make_app(allow_headers=["*"])

    def ask(n: int) -> None:
        asyncio.run(preflight(app, GOOD, names=piece * n))

    assert linear(ask, 20_000)


async def test_h8_only_names_that_are_allowed_are_given_back() -> None:
    """In lower case, each once, and those alone that were asked for."""
    app = make_app(allow_headers=["X-One", "x-two"], allow_methods=["GET"])
    answer = await preflight(app, GOOD, names="x-ONE, content-type,x-one,")

    assert answer.header("access-control-allow-headers") == "x-one, content-type"
    assert (await preflight(app, GOOD, names="x-one, x-three")).status == 403


async def test_h9_websockets_are_not_covered_by_cors() -> None:
    """Their own check of the Origin is section I; a policy for requests neither opens nor closes it."""
    app = make_app()

    @app.websocket("/ws")
    async def socket(websocket: Any) -> None:
        await websocket.accept()

    own = await handshake(app, [(b"host", b"app.example"), (b"origin", b"http://app.example")])
    foreign = await handshake(app, [(b"host", b"app.example"), (b"origin", GOOD.encode())])

    assert (own[0]["type"], foreign[0]["status"]) == ("websocket.accept", 403)


@pytest.mark.parametrize(
    "name", ["origin", "access-control-request-headers", "x-other", "access-control-request-method"]
)
def test_b10_repeated_headers_cost_what_they_are_many(name: str) -> None:
    """CVE-2025-14550; CVE-2025-67725, GHSA-c98p-7wgm-6p64."""
    app = make_app(allow_headers=["*"])
    asked = from_origin(GOOD, access_control_request_method="GET")

    def ask(n: int) -> None:
        headers = [*asked, *[(name.encode(), b"x-a")] * n]
        asyncio.run(call(app, method="OPTIONS", headers=headers))

    assert linear(ask, 20_000)


async def test_b10_two_origins_are_none() -> None:
    """CVE-2025-14550."""
    app = make_app()

    assert of_cors(await get(app, GOOD, GOOD)) == set()
    twice = [*from_origin(GOOD, OTHER), (b"access-control-request-method", b"GET")]
    assert (await call(app, method="OPTIONS", headers=twice)).status == 400


def _of(kind: Any, **options: Any) -> Any:
    return kind(**options)


BAD_TEXTS = ["x\r\nset-cookie: a=b", "x\ny", "x\x00", "x y", "x:y", "", "é", "x\x7f", "x,y"]


@pytest.mark.parametrize("text", BAD_TEXTS)
@pytest.mark.parametrize("option", ["expose_headers", "allow_headers", "allow_methods", "allow_origins"])
def test_e5_no_option_breaks_out_of_its_header(option: str, text: str) -> None:
    """CVE-2020-7695, GHSA-f97h-2pfx-f59f and those beside it."""
    with pytest.raises(ConfigurationError):
        _of(CORSMiddleware, **{option: [text]})


async def test_c6_a_preflight_reaches_no_handler_and_no_guard() -> None:
    """CVE-2024-40627, GHSA-5f5c-8rvc-j8wf: it has no credentials, so nobody can be asked who he is."""
    reached: list[str] = []

    async def guard(request: Request, response: Response, call_next: Any) -> Any:
        reached.append("guard")
        return await call_next()

    app = make_app()
    app.add_middleware(guard)

    @app.get("/guarded", middleware=[guard, CORSMiddleware(allow_origins=[OTHER])])
    async def secret(request: Request, response: Response) -> str:
        reached.append("handler")
        return "secret"

    assert [(await preflight(app, GOOD)).status, (await preflight(app, OTHER, path="/guarded")).status] == [204, 204]
    assert reached == []

    plain = await call(app, method="OPTIONS", path="/guarded")
    assert (plain.status, reached) == (204, ["guard"])


async def test_h7_a_class_derived_from_it_sees_every_request() -> None:
    """The short way for what is no preflight is not taken past what somebody else wrote."""
    seen: list[str] = []

    class Telling(CORSMiddleware):
        async def __call__(self, request: Request, response: Response, call_next: Any) -> Response:
            seen.append(request.method)
            return await super().__call__(request, response, call_next)

    app = NexiosApp(openapi=None, middleware=[Telling(allow_origins=[GOOD])])
    app.add_route("/", lambda request, response: "index")

    assert varies(await get(app)) == ["Origin"]
    assert (await get(app, GOOD)).header("access-control-allow-origin") == GOOD
    assert (await preflight(app, GOOD)).status == 204
    assert seen == ["GET", "GET", "OPTIONS"]
