"""Section E of the published faults: redirects, response headers and cookies that we write.

Server-sent events are in test_event_streams.py; for what is not there see docs/security/not-applicable.md.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexios import HTTPException, NexiosApp, Request, Response
from nexios.auth import BasicAuth, BearerAuth
from nexios.errors import InvalidCookie, InvalidHeader, UnsafeRedirect
from nexios.http.cookies import format_delete_cookie, format_set_cookie
from nexios.http.disposition import format_content_disposition
from nexios.http.headers import MutableHeaders
from nexios.http.redirects import is_safe_redirect
from nexios.messages.websocket import WebSocket
from nexios.testing.client import TestClient
from nexios.testing.raw import RawAnswer, call
from tests.security.kit import MIB, cpu_time
from tests.websockets.fake_transport import FakeTransport, make_websocket

Fill = Callable[[Response], Any]


async def answer_of(fill: Fill, **request: Any) -> RawAnswer:
    """The answer of a handler that does `fill` to its response."""
    app = NexiosApp(debug=request.pop("debug", False))

    @app.route("/", ["GET", "POST"])
    async def handler(request: Request, response: Response) -> Any:
        return fill(response)

    return await call(app, **request)


# E1 to E4: redirects

ELSEWHERE = [
    *("//evil", "///evil", "/\\evil", "\\\\evil", "\x01//evil", " //evil", "\t//evil", "/\t/evil", "http:evil"),
    *("https:///evil", "http://good@evil", "/%0a/evil", "/%0D/evil", "javascript:x", "data:", "//evil%E3%80%82com"),
    *("//evil\u3002com", "\\/evil", "/\n/evil", "\u00a0//evil", "//evil ", "http://", "https:evil", "HTTP:/evil", ""),
    *("/\u2028", "mailto:a@b", "vbscript:x", "://evil", "http://[::1", "a:b", "java\nscript:x", "/\x85/evil", "\\evil"),
    *("http:999999999", "http://user:pw@host", "http:\\\\\\evil", "http:///example.com", "ftp://", "\x08//evil"),
    *(
        "javascript:alert",
        "//[::1/",
        "http:/\\evil",
        "ftp://evil",
        "//\x00evil",
        "file:///etc",
        "http://é.evil",
        "\x7f/",
    ),
]


@pytest.mark.parametrize("external", [False, True])
@pytest.mark.parametrize("target", ELSEWHERE)
def test_e1_a_target_that_a_browser_may_take_elsewhere_is_refused(target: str, external: bool) -> None:
    """Refused, not mended: a mended target is one that the next browser reads in a third way.

    CVE-2024-42353, GHSA-mg3v-6m49-jhp3; CVE-2026-44889, GHSA-fh3h-vg37-cc95; CVE-2026-54770, GHSA-6hx8-3wjj-gr8g;
    CVE-2024-29041, GHSA-rv95-896h-c2vc.
    """
    response = Response()
    with pytest.raises(UnsafeRedirect):
        response.redirect(target, external=external)

    assert (response.status_code, list(response.headers)) == (200, [])


@pytest.mark.parametrize("target", ["https://pay.example/42", "http://pay.example", "https://pay.example:444/?a#b"])
def test_e1_another_site_needs_the_word_external(target: str) -> None:
    """CVE-2024-42353."""
    with pytest.raises(UnsafeRedirect, match="external=True"):
        Response().redirect(target)

    assert Response().redirect(target, external=True).headers["location"] == target


@pytest.mark.parametrize(
    "target", ["/", "/a/b?c=%2F#d", "next", "../x", "?page=2", "#top", "/a//b", "./a:b", "/a?x=http://b"]
)
async def test_e1_a_target_on_the_site_is_sent_as_it_is(target: str) -> None:
    answer = await answer_of(lambda response: response.redirect(target))

    assert (answer.status, answer.header("location")) == (307, target)


@pytest.mark.parametrize("target", ELSEWHERE)
def test_e2_it_is_not_safe_as_a_next_parameter(target: str) -> None:
    """Not even for a host of that name.

    CVE-2017-7233; CVE-2016-2512; CVE-2015-2317; CVE-2015-0220; CVE-2014-3730; CVE-2013-6044;
    CVE-2017-1000163, GHSA-cmfh-8f8r-fj96.
    """
    assert not is_safe_redirect(target, allowed_hosts=["good.example", "evil", "host", "999999999"])


@pytest.mark.parametrize(
    ("target", "safe"),
    [
        ("https://good.example/a", True),
        ("https://GOOD.example./a", True),
        ("http://good.example", True),
        ("https://good.example:443/", True),
        ("https://good.example:444/", False),
        ("https://good.example.evil/", False),
        ("https://evilgood.example/", False),
        ("https://evil/good.example", False),
        ("https://evil?https://good.example/", False),
        ("https://evil#@good.example/", False),
        ("https://good.example@evil/", False),
        ("https://good.example\\@evil/", False),
        ("/good", True),
    ],
)
def test_e2_an_allowed_host_is_compared_whole(target: str, safe: bool) -> None:
    """CVE-2016-2512; CVE-2017-7233."""
    assert is_safe_redirect(target, allowed_hosts=["good.example"]) is safe


@pytest.mark.parametrize("target", ['/?q="><script>', "/<script>", "/'onload='x", "/?a=</title>"])
async def test_e3_a_redirect_has_no_body(target: str) -> None:
    """The target would be in it.

    CVE-2024-41810, GHSA-cf56-g6w6-pqq2; CVE-2024-43796; CVE-2024-43799; CVE-2024-43800;
    CVE-2025-32379, GHSA-x2rg-q646-7m2v.
    """
    answer = await answer_of(lambda response: response.html("<p>").redirect(target))

    assert (answer.body, answer.header("content-length"), answer.header("content-type")) == (b"", "0", None)
    assert not {"<", '"', ">", " "} & set(answer.header("location") or "<")


async def test_e3_nor_has_the_one_to_the_other_slash() -> None:
    """CVE-2024-43800."""
    app = NexiosApp()
    app.add_route("/a/{name}", lambda request, response, name: "reached")

    answer = await call(app, path="/a/<script>/")

    assert (answer.status, answer.body, answer.header("location")) == (308, b"", "../%3Cscript%3E")


@pytest.mark.parametrize("text", ["\ufdfa", "/\ufdfa", "http://\ufdfa", "//", "/a\\", "%0a", " ", "a:"])
def test_e4_a_long_target_is_refused_by_its_length(text: str) -> None:
    """CVE-2025-64458; CVE-2025-27556; CVE-2023-46695."""
    target = text * (MIB // len(text))
    with cpu_time() as spent:
        assert not is_safe_redirect(target, allowed_hosts=["good.example"])
        with pytest.raises(UnsafeRedirect):
            Response().redirect(target)

    assert spent.seconds < 0.05


# E5 to E7, E10: nothing breaks out of its line

CONTROLS = [chr(code) for code in (*range(0x20), 0x7F) if code != 9]
VALUE_WRITERS: dict[str, Fill] = {
    "set_header": lambda response: response.set_header("x", TEXT),
    "append": lambda response: response.set_header("x", TEXT, append=True),
    "set_headers": lambda response: response.set_headers([("x", TEXT)]),
    "item": lambda response: response.headers.__setitem__("x", TEXT),
    "setdefault": lambda response: response.headers.setdefault("x", TEXT),
    "update": lambda response: response.headers.update({"x": TEXT}),
    "add": lambda response: response.headers.add("x", TEXT),
    "add_vary": lambda response: response.headers.add_vary(TEXT),
    "link": lambda response: response.set_header("link", f"<{TEXT}>; rel=next"),
    "www-authenticate": lambda response: response.set_header("www-authenticate", f'Basic realm="{TEXT}"'),
    "constructor": lambda response: Response("a", headers={"x": TEXT}),
    "media_type": lambda response: Response("a", media_type=TEXT),
    "binary": lambda response: response.binary(b"a", TEXT),
    "stream": lambda response: response.stream([b"a"], TEXT),
    "file": lambda response: response.file(__file__, media_type=TEXT),
    "tuple": lambda response: ("a", 200, {"x": TEXT}),
    "redirect": lambda response: response.redirect(f"/{TEXT}"),
    "external": lambda response: response.redirect(f"https://a.example/{TEXT}", external=True),
    "cookie value": lambda response: response.set_cookie("a", TEXT),
    "cookie name": lambda response: response.set_cookie(TEXT),
    "cookie path": lambda response: response.set_cookie("a", path=f"/{TEXT}"),
    "cookie domain": lambda response: response.set_cookie("a", domain=TEXT),
    "deleted cookie": lambda response: response.delete_cookie(TEXT),
}
"""Every way to write a text into the head of a response; TEXT stands for the text."""
TEXT = ""


@pytest.mark.parametrize("character", CONTROLS, ids=ascii)
def test_e5_a_control_character_is_refused_where_it_is_written(character: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever helper it is.

    CVE-2020-7695, GHSA-f97h-2pfx-f59f; CVE-2012-2374; CVE-2016-9964, GHSA-j6f7-hghw-g437; CVE-2018-1000164;
    CVE-2018-1000883, GHSA-9h73-w7ch-rh73.
    """
    monkeypatch.setitem(globals(), "TEXT", f"a{character}b: c")

    for name in VALUE_WRITERS.keys() - {"tuple"}:
        response = Response()
        with pytest.raises(ValueError):
            VALUE_WRITERS[name](response)
        assert all(character not in value for _, value in response.headers.items()), name


@pytest.mark.parametrize("name", VALUE_WRITERS)
@pytest.mark.parametrize("text", ["a\r\nset-cookie: a=b", "a\nb", "\u0100", "\ud800"])
async def test_e5_an_app_that_writes_one_answers_500_and_nothing_of_it_is_sent(
    name: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CVE-2020-5247; CVE-2020-35678, GHSA-gwp7-vqr5-h33h."""
    monkeypatch.setitem(globals(), "TEXT", text)

    answer = await answer_of(VALUE_WRITERS[name])

    if name in ("redirect", "external") and text == "\u0100":
        assert (answer.status, (answer.header("location") or "")[-7:]) == (307, "/%C4%80")
    else:
        assert (answer.status, answer.header_all("x"), answer.header_all("set-cookie")) == (500, [], [])


NO_NAMES = [
    *(
        "",
        "a b",
        "a:",
        ":a",
        "a\r\n",
        "a\x00",
        "é",
        "a\x7f",
        "(a)",
        "a\tb",
        '"a"',
        "a;",
        "\u212aey",
        "a\u0100",
        "\ud800",
    ),
    *(f"a{chr(code)}b" for code in range(0x20)),
    *(f"a{character}b" for character in "(),/:;<=>?@[\\]{}\x7f\x80\xff"),
]


@pytest.mark.parametrize("name", NO_NAMES, ids=ascii)
def test_e5_so_is_a_name_that_is_none(name: str) -> None:
    """CVE-2020-7695: whatever is no token (RFC 9110 section 5.6.2)."""
    headers = MutableHeaders()
    writers: list[Callable[[], Any]] = [
        lambda: headers.add(name, "a"),
        lambda: headers.__setitem__(name, "a"),
        lambda: headers.setdefault(name, "a"),
        lambda: headers.add_vary(name),
        lambda: Response(headers={name: "a"}),
        lambda: Response().set_header(name, "a"),
    ]

    for write in writers:
        with pytest.raises(InvalidHeader):
            write()
    assert list(headers.items()) == []


@pytest.mark.parametrize("character", [*CONTROLS, "\x80", "\x9f"], ids=ascii)
def test_e5_a_file_name_has_no_control_character(character: str) -> None:
    """CVE-2018-1000883, GHSA-9h73-w7ch-rh73."""
    with pytest.raises(InvalidHeader):
        format_content_disposition(f"a{character}b.txt")


async def test_e5_such_a_download_is_a_500() -> None:
    answer = await answer_of(lambda response: response.file(__file__, filename='a"\r\nset-cookie: b'))

    assert (answer.status, answer.header_all("set-cookie")) == (500, [])


def test_e5_the_list_of_fields_is_no_way_around_the_check() -> None:
    """What `pairs` gives is a copy."""
    response = Response(headers={"a": "1"})
    fields: Any = response.headers.pairs
    fields.append(("x", "a\r\nb"))

    assert list(response.headers.items()) == [("a", "1")]


@pytest.mark.parametrize(
    "headers",
    [
        *([("x", "a\r\nb")], [("x", "\u0100")], [("set-cookie", "a=b\r\nx: y")]),
        *([("x", f"a{character}b")] for character in CONTROLS),
        *([(name, "a")] for name in NO_NAMES),
    ],
    ids=ascii,
)
async def test_e5_a_handshake_is_not_accepted_with_a_broken_header(headers: list[tuple[str, str]]) -> None:
    """CVE-2020-35678, GHSA-gwp7-vqr5-h33h: neither accepted nor denied."""
    transport = FakeTransport(subprotocols=["chat", "a\r\nb"])
    websocket: WebSocket = make_websocket(transport)

    with pytest.raises(InvalidHeader):
        await websocket.accept(headers=headers)
    with pytest.raises(InvalidHeader):
        await websocket.deny(headers=headers)

    assert transport.sent == []


@pytest.mark.parametrize(
    "subprotocol", ["a\r\nb", "\u0100", "\ud800", "evil", *(f"a{character}b" for character in CONTROLS)], ids=ascii
)
async def test_e5_nor_with_a_broken_subprotocol(subprotocol: str) -> None:
    """CVE-2020-35678: not even one that the client offered itself."""
    transport = FakeTransport(subprotocols=["chat", *({subprotocol} - {"evil"})])

    with pytest.raises(ValueError):
        await make_websocket(transport).accept(subprotocol)

    assert transport.sent == []


@pytest.mark.parametrize("character", [*CONTROLS, "\t", "é", "\u0100", "\u2028", "\ud800"], ids=ascii)
def test_e5_no_realm_breaks_out_of_its_challenge(character: str) -> None:
    """CVE-2012-2374; CVE-2016-9964, GHSA-j6f7-hghw-g437: an error where it is written."""
    realm = f"a{character}b"

    async def nobody(*credentials: str) -> None: ...

    for make in (BasicAuth, BearerAuth):
        with pytest.raises(ValueError):
            make(nobody, realm=realm)


def test_e5_a_quote_in_a_realm_does_not_end_it() -> None:
    async def nobody(*credentials: str) -> None: ...

    assert BearerAuth(nobody, realm='a", error="b\\').challenge == 'Bearer realm="a\\", error=\\"b\\\\"'


async def test_e5_a_mounted_application_cannot_send_one_either() -> None:
    """CVE-2020-7695."""

    async def foreign(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x", b"a\r\nset-cookie: a=b")]})
        await send({"type": "http.response.body", "body": b"a"})

    app = NexiosApp()
    app.mount("/", foreign)

    answer = await call(app)

    assert (answer.status, answer.header_all("x"), answer.body[:1]) == (500, [], b"{")


@pytest.mark.parametrize("status", [400, 404, 422, 500, 503])
@pytest.mark.parametrize("debug", [False, True])
async def test_e6_the_detail_of_an_error_is_data(status: int, debug: bool) -> None:
    """CVE-2025-67724, GHSA-pr2v-jx2c-wg9f; CVE-2026-34519, GHSA-mwh4-6h8g-pg8w."""
    detail = "x\r\nSet-Cookie: a=b<script>\u2028é"

    def fail(response: Response) -> None:
        raise HTTPException(status, detail, headers={"retry-after": "1"}, extra={"why": detail})

    answer = await answer_of(fail, headers=[(b"accept", b"text/html")], debug=debug)

    assert (answer.status, answer.header_all("set-cookie"), answer.header("retry-after")) == (status, [], "1")
    assert (answer.header("content-type"), answer.header("x-content-type-options")) == (
        "application/problem+json",
        "nosniff",
    )
    assert (answer.json()["detail"], answer.json()["why"]) == (detail, detail)


@pytest.mark.parametrize("headers", [{"x": "a\r\nb"}, {"a b": "c"}, {"x": "\u0100"}])
async def test_e6_its_headers_are_checked(headers: dict[str, str]) -> None:
    """CVE-2025-67724."""

    def fail(response: Response) -> None:
        raise HTTPException(400, headers=headers)

    answer = await answer_of(fail)

    assert (answer.status, answer.header_all("x")) == (500, [])


ANYTHING = st.text() | st.binary() | st.integers() | st.none() | st.sampled_from(["a\r\nb", "\x00", "é", "Ā", " a "])


@given(name=ANYTHING | st.sampled_from(["x", "set-cookie", "content-length", "content-type"]), value=ANYTHING)
async def test_e10_whatever_is_written_is_legal_on_the_wire_or_an_error_before_it(name: Any, value: Any) -> None:
    """CVE-2026-42545, GHSA-f5p7-9fr5-8jmj: `call` checks every byte of the head."""
    answer = await answer_of(lambda response: response.text("a").set_header(name, value))

    assert answer.status in (200, 500)
    assert answer.complete


@given(name=ANYTHING, value=ANYTHING, path=ANYTHING, domain=ANYTHING, to=ANYTHING, media_type=ANYTHING)
async def test_e10_so_is_every_other_text_in_the_head(
    name: Any, value: Any, path: Any, domain: Any, to: Any, media_type: Any
) -> None:
    """CVE-2026-42545."""
    writers: list[Fill] = [
        lambda response: response.text("a").set_cookie(name, value, path=path, domain=domain),
        lambda response: response.redirect(to, external=True),
        lambda response: response.binary(b"a", media_type),
        lambda response: response.file(__file__, filename=name),
        lambda response: ("a", 200, {name: value}),
    ]

    for fill in writers:
        answer = await answer_of(fill)
        assert answer.status in (200, 307, 500)
        assert answer.complete


# E8: cookies


@pytest.mark.parametrize("character", [*CONTROLS, "\t", ";", ",", " ", "é", "\u0100", '"', "\\"], ids=ascii)
def test_e8_no_field_of_a_cookie_holds_a_delimiter(character: str) -> None:
    """Name, value, domain, path and SameSite.

    CVE-2026-35536, GHSA-78cv-mqj4-43f7; CVE-2026-29086, GHSA-5pq2-9x2x-5p6w; GHSA-26pp-8wgv-hjvm; CVE-2024-47764;
    CVE-2026-0672; CVE-2026-3644.
    """
    text = f"a{character}b"
    fields: list[dict[str, Any]] = [{"name": text}, {"value": text}, {"domain": text}, {"same_site": text}]
    if character not in '"\\':
        fields.append({"path": f"/{text}"})

    for field in fields:
        with pytest.raises(InvalidCookie):
            format_set_cookie(**{"name": "id", **field})


@pytest.mark.parametrize(
    "field",
    [
        {"name": ""},
        {"name": "a=b"},
        {"name": "a", "value": "x" * 4096},
        {"same_site": "Lax; Domain=evil"},
        {"same_site": "never"},
        {"same_site": "none", "secure": False},
        {"expires": "tomorrow"},
        {"expires": datetime(2030, 1, 1)},
        {"max_age": "1; a"},
        {"max_age": 1.5},
        {"max_age": True},
        {"path": "a"},
        {"path": ""},
        {"domain": ""},
        {"domain": "a..b"},
        {"partitioned": True, "secure": False},
        {"name": "__Host-a", "domain": "a.example"},
        {"name": "__Host-a", "path": "/a"},
        {"name": "__Host-a", "path": None},
        {"name": "__Host-a", "secure": False},
        {"name": "__Secure-a", "secure": False},
        {"name": "__hOsT-a", "path": "/a"},
        {"name": "__SECURE-a", "secure": False},
    ],
    ids=str,
)
def test_e8_what_a_browser_would_refuse_or_misread_is_an_error(field: dict[str, Any]) -> None:
    """CVE-2026-35536: with the prefixes in any case, as browsers compare them."""
    with pytest.raises(InvalidCookie):
        format_set_cookie(**{"name": "id", **field})


def test_e8_what_is_legal_is_written_in_one_way() -> None:
    assert format_set_cookie("__Host-id", "42") == "__Host-id=42; Path=/; Secure; HttpOnly; SameSite=Lax"
    expires = datetime(2030, 1, 1, tzinfo=UTC)
    assert "; Expires=Tue, 01 Jan 2030 00:00:00 GMT; " in format_set_cookie("a", "b", expires=expires)
    assert "; Secure" in format_delete_cookie("__Host-id")


# E11, E12: what kind of text is it?

TEXTS: dict[str, Fill] = {
    "str": lambda response: "text",
    "text": lambda response: response.text("text"),
    "html": lambda response: response.html("<p>"),
    "Response": lambda response: Response("text"),
    "tuple": lambda response: ("text", 201),
    "file": lambda response: response.file(Path(__file__).with_name("conftest.py"), filename="a.txt"),
    "html file": lambda response: response.file(__file__, filename="a.html"),
}


@pytest.mark.parametrize("name", TEXTS)
async def test_e11_every_text_has_its_charset(name: str) -> None:
    """CVE-2014-6393, GHSA-gpvr-g6gh-9mc2."""
    content_type = (await answer_of(TEXTS[name])).header("content-type") or ""

    assert content_type.startswith("text/")
    assert content_type.endswith("; charset=utf-8")


@pytest.mark.parametrize("accept", [b"text/html", b"text/plain", b"application/json", b"*/*", b"\xff"])
@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/missing"), ("PUT", "/"), ("BREW", "/"), ("GET", "/\n"), ("GET", "/"), ("POST", "/")]
)
async def test_e11_so_has_every_error(method: str, path: str, debug: bool, accept: bytes) -> None:
    """CVE-2014-6393: JSON has none, because it is UTF-8 (RFC 8259 section 8.1)."""

    def fail(response: Response) -> None:
        raise ZeroDivisionError("<script>")

    answer = await answer_of(fail, method=method, path=path, headers=[(b"accept", accept)], debug=debug)

    assert answer.status >= 400
    assert answer.header("content-type") in (
        "application/problem+json",
        *(("text/html; charset=utf-8", "text/plain; charset=utf-8") if debug else ()),
    )
    assert answer.header("x-content-type-options") == "nosniff"
    assert b"<script>" not in answer.body or answer.header("content-type") != "text/html; charset=utf-8"


@pytest.mark.parametrize("accept", [b"text/html", b"text/html, */*;q=0.1", b"application/xhtml+xml", b"image/svg+xml"])
@pytest.mark.parametrize(
    ("value", "content_type"),
    [
        ("<script>alert(1)</script>", "text/plain; charset=utf-8"),
        ({"a": "<script>"}, "application/json"),
        (["<script>"], "application/json"),
        (b"<script>", "application/octet-stream"),
        (("<script>", 201), "text/plain; charset=utf-8"),
    ],
)
async def test_e12_a_client_cannot_ask_for_html(value: Any, content_type: str, accept: bytes) -> None:
    """CVE-2026-42554, GHSA-qjv7-627w-8qjv."""
    answer = await answer_of(lambda response: value, headers=[(b"accept", accept)], query=b"format=html")

    assert answer.header("content-type") == content_type


# E13, E14: our own client


@pytest.mark.parametrize("character", ["\r", "\n", "\x00", "\r\n"], ids=ascii)
@pytest.mark.parametrize(
    "request_of",
    [
        lambda bad: ("GET" + bad, "/", {}),
        lambda bad: ("GET", "/" + bad, {}),
        lambda bad: ("GET", "/", {"headers": {"x": bad}}),
        lambda bad: ("GET", "/", {"headers": {"x" + bad: "a"}}),
        lambda bad: ("GET", "/", {"cookies": {"a": bad}}),
        lambda bad: ("GET", "/", {"cookies": {"a" + bad: "a"}}),
        lambda bad: ("POST", "/", {"files": {"f": (f"a{bad}.txt", b"")}}),
        lambda bad: ("POST", "/", {"files": {f"f{bad}": b""}}),
        lambda bad: ("POST", "/", {"files": {"f": ("a.txt", b"", f"text/plain{bad}")}}),
    ],
    ids=["method", "path", "value", "name", "cookie", "cookie name", "filename", "field name", "part type"],
)
async def test_e13_the_client_sends_no_line_break_in_a_head(request_of: Callable[[str], Any], character: str) -> None:
    """Neither in a request line, nor in a header, nor in the head of a part.

    CVE-2026-22779, GHSA-6pw3-h7xf-x4gp; CVE-2026-34514; CVE-2026-50269; CVE-2023-49081; CVE-2023-49082;
    CVE-2019-12387.
    """
    seen: list[Request] = []
    app = NexiosApp()

    @app.route("/{rest:path}", ["GET", "POST"])
    async def handler(request: Request, response: Response, rest: str) -> None:
        seen.append(request)

    method, url, options = request_of(f"{character}x: y")
    async with TestClient(app) as client:
        with pytest.raises(ValueError):
            await client.request(method, url, **options)

    assert seen == []


@pytest.mark.parametrize("character", ["\r", "\n", "\x00", "\r\n"], ids=ascii)
@pytest.mark.parametrize(
    "options_of",
    [
        lambda bad: {"path": f"/ws{bad}"},
        lambda bad: {"headers": {"x": bad}},
        lambda bad: {"headers": {f"x{bad}": "a"}},
        lambda bad: {"cookies": {"a": bad}},
        lambda bad: {"subprotocols": [f"a{bad}"]},
    ],
    ids=["path", "value", "name", "cookie", "subprotocol"],
)
async def test_e13_nor_does_it_in_a_handshake(options_of: Callable[[str], Any], character: str) -> None:
    """CVE-2023-49081; CVE-2023-49082."""
    seen: list[str] = []
    app = NexiosApp()

    @app.websocket("/{rest:path}")
    async def handler(websocket: WebSocket, rest: str) -> None:
        seen.append(rest)

    options = {"path": "/ws", **options_of(f"{character}x: y")}
    async with TestClient(app) as client:
        with pytest.raises(ValueError):
            await client.websocket_connect(options.pop("path"), **options).__aenter__()

    assert seen == []


async def test_e14_a_redirect_to_another_host_takes_no_secret_along() -> None:
    """GHSA-7vwr-g6pm-9hc8; CVE-2026-49853; CVE-2026-47265; CVE-2014-1829."""
    app = NexiosApp()

    @app.get("/away")
    async def away(request: Request, response: Response) -> Response:
        return response.redirect("https://evil.example/steal", external=True)

    async with TestClient(app, follow_redirects=True, cookies={"session": "ada"}) as client:
        with pytest.raises(httpx2.ConnectError) as caught:
            await client.get("/away", headers={"authorization": "Bearer secret"})

    assert caught.value.request.url.host == "evil.example"
    assert not {"authorization", "cookie"} & set(caught.value.request.headers)


async def test_e14_m6_two_clients_share_no_cookies() -> None:
    """GHSA-7vwr-g6pm-9hc8."""
    app = NexiosApp()

    @app.get("/")
    async def visit(request: Request, response: Response) -> Response:
        return response.text(request.cookies.get("seen", "never")).set_cookie("seen", "before")

    async with TestClient(app) as ada, TestClient(app) as bob:
        texts = [(await client.get("/")).text for client in (ada, ada, bob)]

    assert texts == ["never", "before", "never"]
