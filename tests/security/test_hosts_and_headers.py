"""Section B of the published faults: Host, URL, proxy and header input. Each test is the translation of one row.

What waits for a middleware of ours that does not exist yet is in docs/security/not-applicable.md.
"""

import ast
import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

import nexios
from nexios import HTTPException, NexiosApp, Request, Response
from nexios.http.accept import best_encoding, best_language, best_match
from nexios.http.cookies import parse_cookies
from nexios.http.forwarded import parse_forwarded, parse_node
from nexios.http.headers import Headers
from nexios.http.media_type import parse_media_type, parse_parameters
from nexios.http.query import parse_query
from nexios.http.ranges import parse_ranges
from nexios.http.url import parse_host, parse_ip
from nexios.messages.websocket import WebSocket
from nexios.routing.converters import BUILT_IN_CONVERTERS
from nexios.testing.raw import RawAnswer, call
from tests.security.kit import KIB, MIB, cpu_time, linear, peak

NO_HOSTS = [
    *("x/public?", "x#", "x?a", "x@y", "x y", "[::1", "x:99999", "x:0x50", "x\t", "", "a" * 300, "x/", "x\\y"),
    *("good.com@evil.com", "evil.com/good.com", "evil.com:fake@good.com", "good.com:80:80", "é", "x%2f", "1", "[::1]x"),
]
STRANGERS_WORDS = {
    "x-forwarded-host": "evil.example",
    "x-forwarded-proto": "https",
    "x-forwarded-for": "127.0.0.1",
    "x-forwarded-port": "444",
    "x-forwarded-prefix": "/evil",
    "x-real-ip": "127.0.0.1",
    "forwarded": 'for="127.0.0.1";host=evil.example;proto=https',
    "x-sendfile-type": "X-Accel-Redirect",
    "x-accel-mapping": "/=/etc/",
    "x-http-method-override": "DELETE",
    "x-method-override": "DELETE",
    "x-original-url": "/public",
    "x-rewrite-url": "/public",
    "x-script-name": "/public",
    "x-middleware-subrequest": "middleware",
    "upgrade-insecure-requests": "1",
    "front-end-https": "on",
    "debug": "1",
}


def make_app() -> NexiosApp:
    """An app that says what it understood, below /admin and /items, and has a DELETE that must not run."""
    app = NexiosApp()

    @app.get("/admin")
    @app.get("/items/{name}")
    async def tell(request: Request, response: Response) -> dict[str, Any]:
        url, client = request.url, request.client
        return {
            "url": str(url),
            "path": url.path,
            "host": url.hostname,
            "scheme": request.scheme,
            "client": None if client is None else list(client),
            "root_path": request.root_path,
        }

    @app.delete("/admin")
    async def remove(request: Request, response: Response) -> str:
        return "removed"

    return app


def with_host(*values: str) -> list[tuple[bytes, bytes]]:
    return [(b"host", value.encode("utf-8")) for value in values]


async def reached(request: Request, response: Response, **params: object) -> str:
    return "reached"


def decorators() -> Iterator[tuple[str, str]]:
    """The decorators of every function of the package, each with the name of its file."""
    for path in Path(nexios.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield from ((path.name, ast.unparse(mark)) for mark in node.decorator_list)


async def handshake(app: NexiosApp, headers: list[tuple[bytes, bytes]], **extra: Any) -> list[dict[str, Any]]:
    """Return what the app sends to a WebSocket client that leaves after its handshake."""
    scope = {"type": "websocket", "path": "/ws", "headers": headers, "extensions": {"websocket.http.response": {}}}
    incoming: list[dict[str, Any]] = [{"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1001}]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return incoming.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    await asyncio.wait_for(app({**scope, **extra}, receive, send), 10)
    return sent


# B1 to B9: where a request says it comes from, and where it goes


@pytest.mark.parametrize("host", NO_HOSTS)
async def test_b1_the_path_of_the_url_is_the_routed_path_whatever_the_host_is(host: str) -> None:
    """CVE-2026-48710, GHSA-86qp-5c8j-p5mr ("BadHost")."""
    answer = await call(make_app(), path="/admin", headers=with_host(host))

    assert (answer.status, answer.json()["path"], answer.json()["host"]) == (200, "/admin", "testserver")


@pytest.mark.parametrize("host", NO_HOSTS)
async def test_b1_nor_does_it_move_the_path_of_a_websocket(host: str) -> None:
    """CVE-2026-48710: the handshake is read in the same way."""
    seen: list[tuple[str, str]] = []
    app = NexiosApp()

    @app.websocket("/ws")
    async def socket(websocket: WebSocket) -> None:
        seen.append((websocket.url.path, websocket.url.hostname))

    await handshake(app, with_host(host), server=("testserver", 80))

    assert seen == [("/ws", "testserver")]


@given(path=st.text(min_size=1), host=st.text(max_size=40))
async def test_b1_no_host_and_no_path_move_a_part_of_the_url_into_another(path: str, host: str) -> None:
    """CVE-2026-48710."""
    seen: list[Any] = []
    app = NexiosApp()

    async def look(request: Request, response: Response, call_next: Any) -> Response:
        seen.append((request.url.path, request.url.hostname))
        return response.empty()

    app.add_middleware(look)
    await call(app, path=f"/{path}", headers=with_host(host))

    read = parse_host(host.encode().decode("latin-1"))
    assert seen == [(f"/{path}", "testserver" if read is None else read.name)]


@pytest.mark.parametrize("server", [("/run/app.sock", None), ("::1%lo", 80), ("", 0), None])
async def test_b1_what_the_server_calls_itself_may_be_no_host_either(server: Any) -> None:
    """CVE-2026-48710: then the host is localhost, for a WebSocket too."""
    seen: list[tuple[str, str]] = []
    app = make_app()

    @app.websocket("/ws")
    async def socket(websocket: WebSocket) -> None:
        seen.append((websocket.url.path, websocket.url.hostname))

    answer = await call(app, path="/admin", headers=with_host("x@y"), scope_extra={"server": server})
    await handshake(app, with_host("x@y"), server=server)

    assert (answer.status, answer.json()["path"], answer.json()["host"]) == (200, "/admin", "localhost")
    assert seen == [("/ws", "localhost")]


@pytest.mark.parametrize("path", ["@evil.com/", "evil.com", "\\\\evil.com", "?x", "*", "", "http://evil.com/admin"])
async def test_b2_a_path_that_is_not_in_origin_form_is_a_bad_request(path: str) -> None:
    """CVE-2026-54282, GHSA-jp82-jpqv-5vv3."""
    answer = await call(make_app(), path=path, raw_path=b"/", headers=with_host("good.com"))

    assert (answer.status, answer.json()["code"]) == (400, "malformed_path")


@pytest.mark.parametrize("path", ["@evil.com/", "evil.com", "//evil.com/x", "\\\\evil.com", "?x", "*", ":80/", ""])
async def test_b2_a_path_does_not_move_the_authority(path: str) -> None:
    """CVE-2026-54282: the middleware that builds an absolute URL runs before any route is found."""
    app = make_app()
    seen: list[tuple[str, str]] = []

    async def look(request: Request, response: Response, call_next: Any) -> Any:
        seen.append((request.url.hostname, str(request.url)))
        return await call_next()

    app.add_middleware(look)
    await call(app, path=path, raw_path=b"/", headers=with_host("good.com"))

    [(host, url)] = seen
    assert host == "good.com"
    assert url.startswith("http://good.com/")


@pytest.mark.parametrize("host", ["good.com@evil.com", "evil.com/good.com", "evil.com:fake@good.com", "good.com:80:80"])
def test_b3_a_host_with_a_delimiter_in_it_is_no_host(host: str) -> None:
    """CVE-2026-34835, GHSA-g2pf-xv49-m2h5; CVE-2026-27959, GHSA-7gcc-r8m5-44qm."""
    assert parse_host(host) is None


@pytest.mark.parametrize("second", ["good.com", "evil.com"])
async def test_b4_two_host_headers_are_a_bad_request(second: str) -> None:
    """CVE-2026-34525, GHSA-c427-h43c-vf67; CVE-2026-71554, GHSA-6hr6-w5qg-qmwg."""
    answer = await call(make_app(), path="/admin", headers=with_host("good.com", second))

    assert (answer.status, answer.json()["code"]) == (400, "duplicate_host")


@pytest.mark.parametrize(
    "host", ["exampleXcom", "evilexample.com", "example.com.evil", "evil-example.com", "example.co"]
)
def test_b5_hosts_are_compared_whole_and_as_parsed(host: str) -> None:
    """CVE-2026-25479, GHSA-93ph-p7v4-hwh4: case, port and final dot are parsed away, and no pattern is made."""
    parsed = parse_host(host)

    assert parsed is not None
    assert parsed.name != "example.com"
    assert [getattr(parse_host(same), "name", None) for same in ("EXAMPLE.com", "example.com.:80")] == 2 * [
        "example.com"
    ]


async def test_b6_a_forwarded_host_does_not_change_the_url() -> None:
    """CVE-2026-48061, GHSA-3qmc-cj7q-62hv; CVE-2024-21510, GHSA-hxx2-7vcw-mqr3."""
    forwarded = [(b"x-forwarded-host", b"good.com"), (b"forwarded", b"host=good.com"), (b"x-host", b"good.com")]

    alone = await call(make_app(), path="/admin", headers=forwarded)
    beside = await call(make_app(), path="/admin", headers=[*forwarded, (b"host", b"real.com")])

    assert (alone.json()["host"], beside.json()["host"]) == ("testserver", "real.com")


@pytest.mark.parametrize("name", ["x-forwarded-for", "x-real-ip", "forwarded", "client-ip", "true-client-ip"])
async def test_b7_the_client_is_the_peer_and_no_header(name: str) -> None:
    """The left-most address of X-Forwarded-For is the client's own invention.

    CVE-2025-59152, GHSA-hm36-ffrh-c77c; CVE-2026-27700, GHSA-xh87-mx6m-69f3; CVE-2023-41338, GHSA-3q5p-3558-364f.
    """
    value = b"for=127.0.0.1" if name == "forwarded" else b"127.0.0.1"
    answer = await call(make_app(), path="/admin", headers=[(name.encode(), value)])

    assert answer.json()["client"] == ["203.0.113.9", 4711]


@pytest.mark.parametrize(("scheme", "claimed"), [("http", b"https"), ("https", b"http")])
async def test_b8_the_scheme_is_the_servers_and_no_header_changes_it(scheme: str, claimed: bytes) -> None:
    """CVE-2026-16732, GHSA-3m5p-2c4r-xxw2; CVE-2026-3635; CVE-2019-12781."""
    headers = [(b"x-forwarded-proto", claimed), (b"forwarded", b"proto=" + claimed), *with_host("real.com")]
    answer = await call(make_app(), path="/admin", headers=headers, scope_extra={"scheme": scheme})

    assert (answer.json()["scheme"], answer.json()["url"]) == (scheme, f"{scheme}://real.com/admin")


def test_b9_underscore_and_hyphen_are_two_names() -> None:
    """CVE-2026-3902; CVE-2015-0219; CVE-2024-45614, GHSA-9hf4-67fc-4vf4."""
    headers = Headers([("x_forwarded_for", "1"), ("remote_user", "admin"), ("x_auth", "yes")])

    assert [headers.get(name) for name in ("x-forwarded-for", "remote-user", "x-auth")] == [None, None, None]
    assert headers["X_Auth"] == "yes"


# B10 to B16: header texts that are long, many or odd


@pytest.mark.parametrize(
    "read",
    [
        lambda headers: headers.get("x"),
        lambda headers: headers.get_all("X"),
        lambda headers: list(headers.items()),
        lambda headers: len(headers),
        lambda headers: parse_cookies(headers.get_all("x")),
    ],
    ids=["get", "get_all", "items", "len", "cookies"],
)
def test_b10_a_header_that_repeats_is_read_in_linear_time(read: Any) -> None:
    """CVE-2025-14550; CVE-2025-67725, GHSA-c98p-7wgm-6p64."""
    assert linear(lambda n: read(Headers([("x", "a=b")] * n)), 20_000)


async def test_b10_and_so_many_of_them_are_refused() -> None:
    answer = await call(make_app(), path="/admin", headers=[(b"x", b"a")] * 20_000)

    assert answer.status == 431


@pytest.mark.parametrize(
    ("parse", "piece"),
    [
        (lambda text: best_match(text, ["text/html", "application/json"]), "a/b;q="),
        (lambda text: best_match(text, ["text/html"]), ","),
        (lambda text: best_match(text, ["text/html"]), '*/*;a="\\",",'),
        (lambda text: best_encoding(text, ["gzip", "br"]), "*,"),
        (lambda text: best_encoding(text, ["gzip", "br"]), "a;q=0;"),
        (lambda text: best_encoding(text, ["gzip", "br"]), ","),
        (lambda text: best_encoding(text, ["gzip", "br"]), "*;q=0."),
        (lambda text: best_language(text, ["de", "en"]), ","),
        (lambda text: best_language(text, ["de", "en"]), "a-"),
        (lambda text: best_language(text, ["de", "en"]), "*-,"),
        (lambda text: parse_ranges(f"bytes={text}", size=10), "0-,"),
        (lambda text: parse_ranges(f"bytes={text}", size=10), "9"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_b11_negotiation_is_linear(parse: Any, piece: str) -> None:
    """CVE-2024-39316; CVE-2026-34230, GHSA-v569-hp3g-36wr; CVE-2024-25126; CVE-2024-26146; CVE-2022-44570."""
    assert linear(lambda n: parse(piece * n), 2_000)


def test_b11_no_more_than_100_items_count() -> None:
    assert best_match("text/x," * 99 + "text/html", ["text/html"]) == "text/html"
    assert best_match("text/x," * 100 + "text/html", ["text/html"]) is None


def test_b12_nothing_keeps_what_clients_write() -> None:
    """CVE-2023-23969; CVE-2024-39614; CVE-2026-15337; CVE-2026-77050."""
    with peak() as spent:
        for number in range(1500):
            text = f"x{number}".ljust(8 * KIB, "y")
            best_match(f"a/b;v={text}", ["text/html"])
            best_language(text, ["de"])
            best_encoding(text, ["gzip"])
            parse_media_type(f"a/b; v={text}")
            parse_cookies([f"a={text}"])
            parse_host(text)
            parse_query(f"a={text}")
            parse_parameters(f"a={text}")

    assert spent.bytes < 2 * MIB


async def test_b12_nor_does_serving_them() -> None:
    app = NexiosApp()

    @app.get("/{name}")
    async def echo(request: Request, response: Response, name: str) -> Response:
        return response.set_header("x-echo", request.headers["x"]).text(name)

    await call(app, path="/a", headers=[(b"x", b"1")])
    with peak() as spent:
        for number in range(300):
            long = f"{number}".ljust(8 * KIB, "y").encode()
            await call(app, path=f"/{number}", headers=[(b"x", long)], query=long)

    assert spent.bytes < MIB


def test_b12_a_cache_by_argument_is_bounded_and_never_keyed_by_request_text() -> None:
    """This list is reviewed: arguments are none, a second of our own clock, classes of settings, types of models."""
    caches = {(name, text) for name, text in decorators() if "cache" in text.partition("(")[0].lower()}

    assert caches == {
        ("adapter.py", "cached_property"),
        ("adapter.py", "lru_cache(maxsize=1024, typed=True)"),
        ("dates.py", "lru_cache(maxsize=64)"),
        ("message.py", "cached_property"),
        ("oauth_wire.py", "functools.cache"),
        ("postgres_table.py", "cached_property"),
        ("postgres_tables.py", "cached_property"),
        ("pydantic_backend.py", "cache"),
        ("settings.py", "cache"),
        ("sse.py", "cached_property"),
    }


@pytest.mark.parametrize("piece", [" ,", ",", ";", "for=1,", 'a="\\"";', "a=b;"])
def test_b13_forwarded_is_read_in_linear_time(piece: str) -> None:
    """CVE-2025-25200, GHSA-593f-38f6-jp5m."""
    assert linear(lambda n: parse_forwarded(piece * n), 2_000)


def test_b14_quotes_of_forwarded_are_respected() -> None:
    """CVE-2026-32762, GHSA-qfgr-crr9-7r49."""
    assert parse_forwarded('for="127.0.0.1;host=evil.com;proto=https"') == [
        {"for": "127.0.0.1;host=evil.com;proto=https"}
    ]
    assert parse_node("127.0.0.1;host=evil.com;proto=https") is None


@pytest.mark.parametrize(
    "text",
    ["999.1.1.1", "010.0.0.1", "fe80::1%eth0", "[::1]x", "1", "0x7f.1", "127.1", "١.1.1.1", "1.1.1.1 ", "", "::1/64"],
)
def test_b15_a_sloppy_address_is_none(text: str) -> None:
    """CVE-2026-24398, GHSA-r354-f388-2fhh; CVE-2021-33571; CVE-2025-47912; CVE-2026-25679."""
    assert parse_ip(text) is None
    assert parse_node(text) is None


def test_b15_an_ipv4_address_inside_ipv6_is_the_ipv4_address() -> None:
    assert (parse_ip("::ffff:10.0.0.1"), parse_ip("::FFFF:0a00:1")) == ("10.0.0.1", "10.0.0.1")


@pytest.mark.parametrize("separator", ["\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85"])
async def test_b16_a_line_break_of_unicode_makes_no_second_header(separator: str) -> None:
    """CVE-2026-44546."""
    value = f"a{separator}sec: b"
    seen: list[Any] = []
    app = NexiosApp()

    @app.get("/")
    async def http(request: Request, response: Response) -> None:
        seen.append(list(request.headers.items()))

    @app.websocket("/ws")
    async def socket(websocket: WebSocket) -> None:
        seen.append(list(websocket.headers.items()))

    await call(app, headers=[(b"x", value.encode("latin-1"))])
    await handshake(app, [(b"x", value.encode("latin-1"))])

    assert seen == [[("x", value)], [("x", value)]]


# B17 to B25: what is said back, and what is taken for a number


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/<script>alert(1)</script>"),
        ("GET", "/\nSite moved to evil.example"),
        ("GET", "/" + "x" * 10_000),
        ("PATCH", "/admin"),
        ("<script>", "/admin"),
        ("GET", "<script>"),
    ],
)
async def test_b17_an_error_repeats_nothing_of_the_request(method: str, path: str) -> None:
    """CVE-2022-39348, GHSA-vg46-2rrj-3647; CVE-2018-11627, GHSA-mq35-wqvf-r23c; CVE-2019-3498."""
    headers = [*with_host("<script>"), (b"referer", b"<script>"), (b"accept", b"text/html")]
    answer = await call(make_app(), method=method, path=path, query=b"<script>", headers=headers)

    assert answer.status in (400, 404, 405, 414, 501)
    assert answer.header("content-type") == "application/problem+json"
    assert answer.header("x-content-type-options") == "nosniff"
    said = answer.body + json.dumps([[name.decode(), value.decode()] for name, value in answer.headers]).encode()
    assert all(word not in said for word in (b"script", b"moved", b"xxxx"))


@pytest.mark.parametrize("ending", ["\n", "\r", "\x00", " ", "\t", "\x0b", "\x85", "\u2028", "%0a", "\n/"])
@pytest.mark.parametrize(
    ("template", "path"),
    [
        ("/admin", "/admin"),
        ("/a/{x:int}", "/a/1"),
        ("/a/{x:float}", "/a/1.5"),
        ("/a/{x:uuid}", "/a/6f9619ff-8b86-d011-b42d-00c04fc964ff"),
        ("/a/{x:date}", "/a/2024-01-31"),
        ("/a/{x:datetime}", "/a/2024-01-31T10:00:00"),
        ("/a/{x:slug}", "/a/first-post"),
        ("/a/{x}.txt", "/a/b.txt"),
    ],
)
async def test_b18_nothing_may_follow_a_path(template: str, path: str, ending: str) -> None:
    """CVE-2021-44420."""
    app = NexiosApp(slashes="ignore")
    app.add_route(template, reached)

    assert (await call(app, path=path)).body == b"reached"
    assert (await call(app, path=path + ending)).status in (400, 404)


@pytest.mark.parametrize("ending", ["\n", "\r", "\x00", "\t", "\x0b", "\x1f", "\x7f", "\x85"])
@pytest.mark.parametrize("template", ["/a/{x}", "/a/{x:path}"])
async def test_b18_nor_does_a_text_parameter_hold_a_control_character(template: str, ending: str) -> None:
    """CVE-2021-44420."""
    app = NexiosApp()
    app.add_route(template, reached)

    assert (await call(app, path=f"/a/b{ending}")).status in (400, 404)


async def test_b19_the_path_is_not_decoded_a_second_time() -> None:
    """CVE-2023-41164; CVE-2019-14235."""
    answer = await call(make_app(), path="/items/%41", raw_path=b"/items/%2541")

    assert (answer.json()["path"], answer.json()["url"]) == ("/items/%41", "http://testserver/items/%2541")
    assert parse_query("%2541=%2541").multi_items() == [("%41", "%41")]


@pytest.mark.parametrize("piece", ["%25", "%c3", "%", "%2", "+", "%25%", "&%25="])
def test_b19_decoding_is_linear(piece: str) -> None:
    """CVE-2023-41164."""
    assert linear(lambda n: parse_query(piece * n + "41", max_params=10**9, max_size=10**9), 20_000)


@pytest.mark.parametrize("piece", [b"%25", b"%c3", b"%", b"%2f", b"a"])
async def test_b19_a_long_path_is_refused_before_it_is_read(piece: bytes) -> None:
    """CVE-2023-41164: whatever a server has made of it."""
    raw_path = b"/items/" + piece * 200_000 + b"41"

    for path in ("/items/" + "%" * 200_000 + "41", unquote(raw_path.decode())):
        answer = await call(make_app(), path=path, raw_path=raw_path)
        assert (answer.status, answer.body.count(b"%")) == (414, 0)


@pytest.mark.parametrize("name", STRANGERS_WORDS)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_b20_no_header_switches_what_the_app_does(method: str, name: str) -> None:
    """CVE-2025-61780, GHSA-r657-rxjc-j557; CVE-2026-34830, GHSA-qv7j-4883-hwh7."""
    plain = await call(make_app(), method=method, path="/admin")
    asked = await call(
        make_app(), method=method, path="/admin", headers=[(name.encode(), STRANGERS_WORDS[name].encode())]
    )

    assert (asked.status, asked.headers, asked.body) == (plain.status, plain.headers, plain.body)


@pytest.mark.parametrize("reads", [True, False])
async def test_b22_two_thousand_headers_are_no_exception(reads: bool, caplog: pytest.LogCaptureFixture) -> None:
    """CVE-2024-37890, GHSA-3h5v-q93c-6h6q."""
    headers = [(b"x-%d" % number, b"a") for number in range(2000)]
    app = NexiosApp()

    @app.get("/ok")
    async def ok(request: Request, response: Response) -> str:
        return request.headers.get("x", "read") if reads else "not read"

    @app.exception_handler(404)
    async def missing(request: Request, response: Response, exc: HTTPException) -> str:
        return request.headers.get("accept", "read") if reads else "not read"

    @app.websocket("/ws")
    async def socket(websocket: WebSocket) -> None:
        await websocket.accept()

    statuses = [(await call(app, path=path, headers=headers)).status for path in ("/ok", "/missing")]
    denied = await handshake(app, headers)

    assert statuses == ([431, 431] if reads else [200, 404])
    assert denied[0] | {"headers": []} == {"type": "websocket.http.response.start", "status": 431, "headers": []}
    assert caplog.records == []


@pytest.mark.parametrize("name", BUILT_IN_CONVERTERS)
@pytest.mark.parametrize("text", ["9", "a", "-", "2024-01-31T10:00:00.", "é", "0-"])
def test_b23_a_megabyte_costs_a_converter_nothing(name: str, text: str) -> None:
    """CVE-2024-56374; CVE-2023-36053; CVE-2026-25673: where there is a length, it is looked at first."""
    converter = BUILT_IN_CONVERTERS[name]
    megabyte = (text * (MIB // len(text) + 1))[:MIB]
    with cpu_time() as spent:
        try:
            converter.convert(megabyte)
        except ValueError:
            pass
        else:
            assert converter.max_length is None

    assert spent.seconds < 0.2


@pytest.mark.parametrize("name", BUILT_IN_CONVERTERS)
async def test_b23_and_such_a_path_is_refused(name: str) -> None:
    app = NexiosApp()
    app.add_route(f"/a/{{x:{name}}}", reached)

    assert (await call(app, path="/a/" + "9" * MIB)).status == 414


@pytest.mark.parametrize(
    "text",
    [
        *("9" * 5000, "9" * 21, "1e999999", "nan", "inf", "-inf", "1_000", "+1", " 1", "1 ", "１２", "-0", "0x10", "١"),
        *("1e5", "--1", "-", "²", "0b1", "1.", ".5", "1,5", "Infinity", "1__0", "\u00a01"),
    ],
)
@pytest.mark.parametrize("kind", ["int", "float"])
async def test_b24_only_plain_numbers_are_numbers(kind: str, text: str) -> None:
    """CVE-2020-10735; CVE-2019-6975; CVE-2024-41989; CVE-2024-24680."""
    app = NexiosApp()

    @app.get(f"/items/{{x:{kind}}}")
    async def show(request: Request, response: Response, x: float) -> str:
        return repr(x)

    answer = await call(app, path=f"/items/{text}")

    if kind == "float" and text == "9" * 21:
        assert answer.body == b"1e+21"
    else:
        assert answer.status == 404


@pytest.mark.parametrize("digits", ["٠-٩", "²-³", "０-９", "-٩", "-²", "+0-+9", "0_0-9", "0x0-9"])
async def test_b25_a_range_has_ascii_digits(digits: str, tmp_path: Path) -> None:
    """CVE-2025-69225."""
    (tmp_path / "a.txt").write_bytes(b"0123456789")
    app = NexiosApp()

    @app.get("/")
    async def download(request: Request, response: Response) -> Response:
        return response.file(tmp_path / "a.txt")

    answer = await call(app, headers=[(b"range", f"bytes={digits}".encode())])

    assert (answer.status, answer.body) == (200, b"0123456789")
    assert parse_ranges(f"bytes={digits}", size=10) is None


@pytest.mark.parametrize("length", ["٥", "²", "５", "+5", "-5", "5 ", "5_0", "0x5", "5, 5", "", "5.0", "9" * 30])
async def test_b25_so_has_a_content_length(length: str) -> None:
    """CVE-2025-69225."""
    app = NexiosApp()

    @app.post("/")
    async def read(request: Request, response: Response) -> bytes:
        return await request.body()

    async def answer_to(value: bytes) -> RawAnswer:
        return await call(app, method="POST", headers=[(b"content-length", value)], chunks=[b"12345"])

    assert (await answer_to(length.encode())).status == 400
    assert (await answer_to(b"5")).body == b"12345"
