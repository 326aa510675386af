"""Section C of the published faults: ways around routing, middleware and dispatch. Each test translates one row.

What waits for authentication or typed inputs is in docs/security/not-applicable.md.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

import nexios
from nexios import NexiosApp, Request, Response, Router
from nexios.errors import BadRequest, ConfigurationError, NoSuchRoute
from nexios.http.media_type import parse_media_type
from nexios.routing.matcher import Matcher
from nexios.routing.template import compile_template
from nexios.testing.raw import call
from tests.security.kit import KIB, MIB, linear, peak, post


async def reached(request: Request, response: Response, **params: object) -> str:
    return "reached"


class Trace:
    """Names in the order they were said; a middleware or a handler that says its own."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def middleware(self, name: str) -> Any:
        async def say(request: Request, response: Response, call_next: Any) -> Any:
            self.names.append(name)
            return await call_next()

        return say

    def handler(self, name: str = "handler") -> Any:
        async def say(request: Request, response: Response, **params: object) -> str:
            self.names.append(name)
            return name

        return say


# C1


class Watched:
    """A class-based handler that keeps the name of every attribute anybody asks it for."""

    asked: list[str]

    def __init__(self) -> None:
        self.asked = []

    def __getattribute__(self, name: str) -> Any:
        if name != "asked":
            object.__getattribute__(self, "asked").append(name)
        return object.__getattribute__(self, name)

    async def get(self, request: Request, response: Response) -> str:
        return "got"

    async def admin_only(self, request: Request, response: Response) -> str:
        return "secret"

    async def _secret(self, request: Request, response: Response) -> str:
        return "secret"

    async def dispatch(self, request: Request, response: Response) -> str:
        return "secret"


@pytest.mark.parametrize(
    "method",
    [
        *("DISPATCH", "__INIT__", "__init__", "__class__", "_SECRET", "_secret", "ADMIN_ONLY", "admin_only"),
        *("METHOD_NOT_ALLOWED", "ASKED", "get", "Get", "", "GET ", "G" * 1024 * KIB, "POST", "TRACE", "GÉT"),
    ],
)
async def test_c1_the_text_of_a_method_names_no_attribute(method: str) -> None:
    """CVE-2026-48817, GHSA-x746-7m8f-x49c."""
    view = Watched()
    app = NexiosApp()
    app.add_route("/", view)
    app.compile()
    view.asked.clear()

    answer = await call(app, method=method)

    assert answer.status in (405, 501)
    assert answer.header("allow") == ("GET, HEAD, OPTIONS" if answer.status == 405 else None)
    assert view.asked == []


# C2 to C6: what reaches a handler has passed its guards

PATHS = st.sampled_from(["/admin", "/admin/users", "/admin/users/7", "/public", "/x/admin", "/outer/admin"])
MUTATIONS: list[Any] = [
    lambda path: path.replace("a", "%61", 1),
    lambda path: path.replace("/", "//", 1),
    lambda path: path.replace("/", "/./", 1),
    lambda path: "/x/.." + path,
    lambda path: path + "/",
    lambda path: path + "//",
    lambda path: path + "/..",
    lambda path: path + "/.",
    lambda path: path + ";x",
    lambda path: path.replace("/", ";x/", 1),
    lambda path: path.upper(),
    lambda path: path + "%2f",
    lambda path: path.replace("n/", "n%2f", 1),
    lambda path: path + "\x00",
    lambda path: path + "%252e",
    lambda path: path + "\\",
    lambda path: path.replace("/", "\\", 1),
    lambda path: path[1:],
    lambda path: path + "?",
    lambda path: path + ".json",
    lambda path: unquote(path + "%E2%80%A6"),
]


def guarded_app(trace: Trace, slashes: str) -> NexiosApp:
    """Guarded handlers below /admin, written in four ways, beside open ones."""
    app = NexiosApp(slashes=slashes)
    admin = Router(prefix="/admin", middleware=[trace.middleware("guard")])
    admin.add_route("", trace.handler("guarded"))
    admin.add_route("/", trace.handler("guarded"), ["POST"])
    with admin.group("/users") as users:
        users.add_route("/", trace.handler("guarded"))
        users.add_route("/{id}", trace.handler("guarded"))
    app.include_router(admin)
    app.include_router(admin, prefix="/outer")
    inner = NexiosApp(middleware=[trace.middleware("guard")], slashes=slashes)
    inner.add_route("/{rest:path}", trace.handler("guarded"))
    app.mount("/x/admin", inner)
    app.add_route("/public", trace.handler("open"))
    app.add_route("/x/{name}", trace.handler("open"), ["POST"])
    return app


@given(
    path=PATHS,
    changes=st.lists(st.sampled_from(MUTATIONS), max_size=3),
    method=st.sampled_from(["GET", "HEAD", "POST", "OPTIONS", "get"]),
    slashes=st.sampled_from(["redirect", "ignore", "strict"]),
    root_path=st.sampled_from(["", "/", "/x", "/admin", "/x/"]),
)
async def test_c2_whatever_reaches_the_handler_has_passed_its_guard(
    path: str, changes: list[Any], method: str, slashes: str, root_path: str
) -> None:
    """Guards hang on the matched route, so that there is no second reading of the path.

    CVE-2026-22031, GHSA-cxrg-g7r8-w69p; CVE-2026-22037, GHSA-g6q3-96cp-5r5m;
    CVE-2026-2880, GHSA-8p85-9qpw-fwgw; CVE-2026-33804, GHSA-v9ww-2j6r-98q6.
    """
    trace = Trace()
    for change in changes:
        path = change(path)

    answer = await call(guarded_app(trace, slashes), method=method, path=path, scope_extra={"root_path": root_path})

    assert trace.names in ([], ["open"], ["guard"], ["guard", "guarded"])
    assert answer.status < 500 or answer.status == 501


@pytest.mark.parametrize("path", ["//admin", "/./admin", "/x/../admin", "/admin;x", "/ADMIN", "/admin%2f", "/%61dmin"])
async def test_c2_a_path_that_is_spelled_otherwise_is_another_path(path: str) -> None:
    """CVE-2026-22031: nothing is normalised, so router and guard cannot do it in two ways."""
    trace = Trace()

    answer = await call(guarded_app(trace, "ignore"), path=path)

    assert (answer.status, trace.names) == (404, [])


async def test_c3_every_level_runs_its_middleware_once_and_in_order() -> None:
    """CVE-2026-6270, GHSA-72c6-fx6q-fr5w: the prefixes overlap on purpose."""
    trace = Trace()
    app = NexiosApp(middleware=[trace.middleware("app")])
    first, second, third = (
        Router(prefix="/a", middleware=[trace.middleware(name)]) for name in ("first", "second", "third")
    )
    for router in (first, second, third):
        router.add_route("/a", trace.handler(), middleware=[trace.middleware("route")])
    app.include_router(first)
    first.include_router(second, prefix="/a")
    second.include_router(third, prefix="/b")

    said: dict[str, list[str]] = {}
    for path in ("/a/a", "/a/a/a/a", "/a/a/a/b/a/a"):
        trace.names.clear()
        await call(app, path=path)
        said[path] = trace.names.copy()

    assert said == {
        "/a/a": ["app", "first", "route", "handler"],
        "/a/a/a/a": ["app", "first", "second", "route", "handler"],
        "/a/a/a/b/a/a": ["app", "first", "second", "third", "route", "handler"],
    }


def app_below(prefix: str) -> NexiosApp:
    """An app that tells what it was given, mounted at `prefix`."""
    inner, app = NexiosApp(), NexiosApp()

    @inner.get("/{rest:path}")
    async def tell(request: Request, response: Response, rest: str) -> list[str]:
        return [request.root_path, rest]

    app.mount(prefix, inner)
    return app


@pytest.mark.parametrize(
    ("prefix", "path", "given"),
    [
        ("/á", "/á/x", ["/á", "x"]),
        ("/á", "/á", ["/á", ""]),
        ("/app", "/app/app/x", ["/app", "app/x"]),
        ("/app", "/app/%61", ["/app", "%61"]),
        ("/app", "/app//x", ["/app", "/x"]),
        ("/app", "/app/..x/y..", ["/app", "..x/y.."]),
        ("/{tenant}", "/a%2Fb/x", ["/a%2Fb", "x"]),
    ],
)
async def test_c4_a_mount_cuts_the_decoded_path_where_a_segment_ends(prefix: str, path: str, given: list[str]) -> None:
    """The raw path is not read at all.

    CVE-2026-29045, GHSA-q5qw-h33p-qvwr; CVE-2026-47676, GHSA-2gcr-mfcq-wcc3; CVE-2025-58362, GHSA-9hp6-4448-45g2.
    """
    answer = await call(app_below(prefix), path=path, raw_path=b"/is/not/read")

    assert answer.json() == given


@pytest.mark.parametrize(
    ("prefix", "path"),
    [
        *(("/app", "/application"), ("/app", "/ap"), ("/á", "/%C3%A1/x")),
        *(("/app", "/app/../x"), ("/app", "/app/.."), ("/{tenant}", "/../x")),
    ],
)
async def test_c4_what_only_begins_like_a_mount_is_not_below_it(prefix: str, path: str) -> None:
    """CVE-2026-47676."""
    assert (await call(app_below(prefix), path=path)).status == 404


@pytest.mark.parametrize("root_path", ["/app", "/app/"])
async def test_c4_a_root_path_ends_where_a_segment_ends(root_path: str) -> None:
    app = NexiosApp()
    app.add_route("/x", reached)
    app.add_route("/lication", reached)
    app.add_route("/application", reached)

    bodies = [
        (await call(app, path=path, scope_extra={"root_path": root_path})).status
        for path in ("/app/x", "/app/lication", "/application", "/applicationx")
    ]

    assert bodies == [200, 200, 200, 404]


@pytest.mark.parametrize(("template", "status"), [("/{p}", 404), ("/{p:slug}", 404), ("/{p:path}", 200)])
async def test_c4_only_a_path_parameter_holds_a_slash(template: str, status: int) -> None:
    """CVE-2026-29045: the server has decoded %2F already, so it is a slash like any other."""
    app = NexiosApp()
    app.add_route(template, reached)

    assert (await call(app, path="/a/b", raw_path=b"/a%2Fb")).status == status


def headers_read_by_the_package() -> set[str]:
    """Every name of a header that some line of the package looks up."""
    return {name for path in Path(nexios.__file__).parent.rglob("*.py") for name in _names_in(path)}


def _names_in(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            on_headers = ast.unparse(node.func.value).endswith("headers") or node.func.attr == "header_values"
            name = node.args[0]
            if on_headers and isinstance(name, ast.Constant) and isinstance(name.value, str):
                yield name.value


def test_c5_the_headers_that_are_read_are_found_by_this_test() -> None:
    assert {"host", "cookie", "content-type", "content-length", "x-request-id"} <= headers_read_by_the_package()


@pytest.mark.parametrize(
    "sentinel", ["1", "true", "skip", "nexios", "middleware:middleware", "*", "internal", "/admin"]
)
async def test_c5_no_header_gets_around_a_middleware(sentinel: str) -> None:
    """CVE-2025-29927, GHSA-f82v-jwr5-mffw: every header that is read, with every word that might mean something."""
    names = headers_read_by_the_package() | {"x-middleware-subrequest", "x-nexios-internal", "x-internal"}

    trace = Trace()
    app = guarded_app(trace, "redirect")
    app.add_middleware(trace.middleware("app"))

    for name in sorted(names):
        trace.names.clear()
        await call(app, path="/admin", headers=[(name.encode(), sentinel.encode())])
        assert trace.names == ["app", "guard", "guarded"], name


@pytest.mark.parametrize(
    "headers", [[], [(b"access-control-request-method", b"GET"), (b"origin", b"https://a.example")]]
)
async def test_c6_options_runs_the_middleware_of_the_app_and_reaches_no_handler(
    headers: list[tuple[bytes, bytes]],
) -> None:
    """CVE-2024-40627, GHSA-5f5c-8rvc-j8wf."""
    trace = Trace()
    app = guarded_app(trace, "redirect")
    app.add_middleware(trace.middleware("app"))

    answer = await call(app, method="OPTIONS", path="/admin", headers=headers)

    assert (answer.status, trace.names) == (204, ["app"])


async def test_c6_an_options_handler_has_the_guards_of_its_router() -> None:
    """CVE-2024-40627."""
    trace = Trace()
    app = NexiosApp()
    with app.group("/private", middleware=[trace.middleware("guard")]) as private:
        private.add_route("/", trace.handler(), ["OPTIONS"])

    await call(app, method="OPTIONS", path="/private/")

    assert trace.names == ["guard", "handler"]


# C7 to C9: templates, both ways


@pytest.mark.parametrize(
    ("template", "piece"),
    [
        ("/{a}-{b}", "a-"),
        ("/{a}.{b}.{c}", "."),
        ("/{a}.{b}.{c}", "1.1-"),
        ("/x/{a:path}/y/{b:path}/z", "/y"),
        ("/{a:path}/y/{b:path}/y/{c:path}", "/y"),
        ("/{a:path}/{b:int}/{c:path}/{d:int}", "/1"),
        ("/" + "-".join(f"{{p{number}}}" for number in range(12)), "a-"),
        ("/" + "-".join(f"{{p{number}:int}}" for number in range(12)), "1-"),
        ("/{a:float}-{b:float}.{c:int}", "1.1-"),
        ("/{a:uuid}-{b}", "a-"),
        ("/{a:slug}-{b:slug}", "a-"),
    ],
)
def test_c7_matching_is_linear(template: str, piece: str) -> None:
    """No template becomes a pattern that can backtrack.

    CVE-2024-45296, GHSA-9wv6-86v2-598j; CVE-2024-52798, GHSA-rhx6-c78j-4q9w; CVE-2026-4923; CVE-2026-4926;
    CVE-2022-41323.
    """
    matcher = Matcher[None]()
    matcher.add(compile_template(template), ["GET"], None)

    assert linear(lambda n: matcher.find("GET", "/x" + piece * n + "!"), 2_000)


@pytest.mark.parametrize("path", ["/v1X0/(x)", "/v1.0/x", "/v1.0/(x)/", "/v1.0/(x)\n", "/V1.0/(x)", "/v1.0/(xx)"])
async def test_c7_literal_text_is_no_pattern(path: str) -> None:
    """CVE-2022-41323."""
    app = NexiosApp(slashes="strict")
    app.add_route("/v1.0/(x)", reached)
    app.add_route("/v1.0/(x)/{y}.*", reached)

    assert (await call(app, path="/v1.0/(x)")).status == 200
    assert (await call(app, path=path)).status in (400, 404)
    assert (await call(app, path="/v1.0/(x)/a.b")).status == 404


@pytest.mark.parametrize("separator", ["/", "-"])
async def test_c8_a_route_may_have_a_hundred_parameters(separator: str) -> None:
    """CVE-2026-25882, GHSA-mrq8-rjmw-wpq3."""
    app = NexiosApp()

    @app.get("/" + separator.join(f"{{p{number}}}" for number in range(100)))
    async def count(request: Request, response: Response, **params: str) -> list[str]:
        return list(params.values())

    texts = [f"v{number}" for number in range(100)]

    assert (await call(app, path="/" + separator.join(texts))).json() == texts


@pytest.mark.parametrize("template", ["/{a}/{a}", "/{a}-{a}", "/{a}/{a:int}", "/{a:path}/x/{a}"])
def test_c8_a_parameter_twice_is_an_error_at_registration(template: str) -> None:
    """CVE-2026-25882."""
    with pytest.raises(ConfigurationError, match="parameter 'a' more than once"):
        NexiosApp().add_route(template, reached)


VALUES = [
    "/evil.com",
    "//evil",
    "\\\\evil",
    "a?b#c",
    "{other}",
    "../x",
    "é",
    "..",
    ".",
    "",
    "a\n",
    "\\1",
    "%2e%2e",
    "a;b",
]


def reverse_app() -> NexiosApp:
    app = NexiosApp()
    for name, template in {"one": "/s/{p}", "all": "/a/{p:path}", "bare": "/{p:path}", "mixed": "/{p}.x"}.items():
        app.add_route(template, reached, name=name)
    return app


@given(value=st.sampled_from(VALUES) | st.text(), name=st.sampled_from(["one", "all", "bare", "mixed"]))
async def test_c9_a_reverse_url_stays_on_the_site_and_comes_back_with_its_value(value: str, name: str) -> None:
    """CVE-2014-0480; CVE-2014-0472."""
    app = reverse_app()
    try:
        path = app.url_for(name, p=value)
    except NoSuchRoute:
        return

    assert path.startswith("/")
    assert not path.startswith(("//", "/\\"))
    assert path.isascii()
    assert not {"?", "#", "\\", " ", '"', "<", "{"} & set(path)
    assert not {".", ".."} & set(path.split("/"))
    found = app.engine._find("GET", unquote(path))
    assert found is not None
    assert found[1] == {"p": value}


def test_c9_a_value_that_cannot_be_one_is_refused() -> None:
    """CVE-2014-0480: a segment of dots would climb, an empty one would make `//`."""
    app = reverse_app()
    for value in ("/evil.com", "//evil", "../x", "..", ".", "", "a\n"):
        with pytest.raises(NoSuchRoute):
            app.url_for("one", p=value)

    assert app.url_for("one", p="\\1{p}") == "/s/%5C1%7Bp%7D"


# C10 to C13: what a body is said to be, and whose value is handed out

MALFORMED = [
    *("application/json\tx", "application/json garbage", "text/plain;application/json", "__proto__", ";", "/"),
    *("", "application", "application/", "/json", "a" * 64 * KIB, "\xff\xfe", "application/json, text/plain", "a/b;c"),
    *("application/json; a=1; a=2", "multipart/form-data; boundary=a; boundary=b", "application/json\x00", "a b/c"),
]


def body_app() -> NexiosApp:
    app = NexiosApp()

    @app.post("/media-type")
    async def media_type(request: Request, response: Response) -> str:
        return "none" if request.media_type is None else request.media_type.essence

    @app.post("/form")
    async def form(request: Request, response: Response) -> dict[str, Any]:
        return dict(await request.form())

    @app.post("/text")
    async def text(request: Request, response: Response) -> str:
        return await request.text()

    return app


@pytest.mark.parametrize(
    "content_type", ["Application/X-WWW-Form-Urlencoded", " application/x-www-form-urlencoded ;", *MALFORMED]
)
async def test_c10_a_body_is_read_as_what_its_media_type_says_or_refused(content_type: str) -> None:
    """One parser says it, and the reader obeys it.

    CVE-2025-32442, GHSA-mg2h-6x62-wpwc; CVE-2026-25223, GHSA-jx2c-rxcm-jvmq; CVE-2026-33806, GHSA-247c-9743-5963;
    CVE-2026-3419, GHSA-573f-x89g-hqp9; CVE-2014-3137.
    """
    headers = [(b"content-type", content_type.encode("latin-1"))]
    said = await post(body_app(), b"a=1", path="/media-type", headers=headers)
    form = await post(body_app(), b"a=1", path="/form", headers=headers)

    try:
        essence = parse_media_type(content_type).essence
    except BadRequest:
        assert (said.status, form.status) == (415, 415)
    else:
        assert (said.body.decode(), form.json()) == (essence, {"a": "1"})


@pytest.mark.parametrize("path", ["/media-type", "/form"])
@pytest.mark.parametrize("second", [b"application/x-www-form-urlencoded", b"application/json"])
async def test_c10_two_content_types_are_none(path: str, second: bytes) -> None:
    """CVE-2026-33806."""
    headers = [(b"content-type", b"application/x-www-form-urlencoded"), (b"content-type", second)]

    assert (await post(body_app(), b"a=1", path=path, headers=headers)).status == 415


@pytest.mark.parametrize("content_type", MALFORMED)
@pytest.mark.parametrize("path", ["/media-type", "/form", "/text"])
async def test_c11_a_malformed_content_type_is_415(
    path: str, content_type: str, caplog: pytest.LogCaptureFixture
) -> None:
    """CVE-2022-39288, GHSA-455w-c45v-86rg."""
    headers = [(b"content-type", content_type.encode("latin-1"))]
    answer = await post(body_app(), b"a=1", path=path, headers=headers)

    assert (answer.status, caplog.records) == (415, [])


@pytest.mark.parametrize(
    "charset",
    ["punycode", "idna", "unicode_escape", "raw_unicode_escape", "utf-7", "zip", "rot13", "undefined", "\u00e9"],
)
async def test_c11_a_charset_names_no_codec_of_python(charset: str) -> None:
    """Punycode takes quadratic time: a body of 10 MiB would hold the loop for hours. Browsers know none of these."""
    headers = [(b"content-type", f'text/plain; charset="{charset}"'.encode("latin-1"))]

    assert (await post(body_app(), b"a-b\\d", path="/text", headers=headers)).status in (400, 415)


async def test_c11_a_charset_that_nobody_knows_is_not_remembered() -> None:
    """Python keeps every name of a codec that it was asked for in vain (row B12 again)."""
    app = body_app()

    async def ask(number: int) -> int:
        charset = f"x{number}".ljust(4 * KIB, "y").encode()
        return (
            await post(app, b"a", path="/text", headers=[(b"content-type", b"text/plain; charset=" + charset)])
        ).status

    await ask(0)
    with peak() as spent:
        statuses = {await ask(number) for number in range(1, 500)}

    assert statuses <= {400, 415}
    assert spent.bytes < MIB


@pytest.mark.parametrize("charset", ["utf-8", "UTF8", "us-ascii", "iso-8859-1", "latin1", "windows-1252", "utf-16le"])
async def test_c11_the_charsets_that_people_send_are_read(charset: str) -> None:
    headers = [(b"content-type", f"text/plain; charset={charset}".encode())]
    answer = await post(body_app(), "ab".encode(charset), path="/text", headers=headers)

    assert answer.body == b"ab"


async def test_c12_handler_and_request_get_the_converted_value() -> None:
    """CVE-2026-18504, GHSA-w2qp-rph6-63g4: for the path; what else can be converted comes later."""
    app = NexiosApp()

    @app.get("/{number:int}/{day:date}")
    async def tell(request: Request, response: Response, number: int, day: object) -> list[str]:
        params = request.path_params
        return [type(value).__name__ for value in (number, params["number"], params.number, day, params.day)]

    assert (await call(app, path="/10/2024-01-31")).json() == ["int", "int", "int", "date", "date"]


async def test_c13_no_header_of_the_request_comes_back_in_the_response() -> None:
    """CVE-2025-57822, GHSA-4342-x723-ch2f."""
    names = headers_read_by_the_package() - {"content-length", "content-encoding", "range"}
    names |= {"location", "set-cookie", "x-accel-redirect", "refresh", "content-encoding2", "www-authenticate", "link"}
    headers = [(name.encode(), b"http://evil.example") for name in sorted(names)]
    app = NexiosApp()
    app.add_route("/", reached)

    for path in ("/", "/missing"):
        plain, asked = await call(app, path=path), await call(app, path=path, headers=headers)
        assert (asked.headers, asked.body) == (plain.headers, plain.body)
