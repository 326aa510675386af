"""Section L of the published faults, where there are pages: what do errors and helpers write into HTML?"""

import html
import logging
import os
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from nexios import HTTPException, Limits, NexiosApp, Request, Response
from nexios.errors import ConfigurationError
from nexios.middleware import CSRFMiddleware, csrf_input, csrf_token
from nexios.session import SessionMiddleware
from nexios.testing.raw import RawAnswer, call
from tests.security.kit import KIB, MIB

EVIL = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'&"
BROWSER = (b"accept", b"text/html,application/xhtml+xml")
KEY = "xWlZ9nTfS4v1cQ0kR7b2mJ6uYhE3oAqD"
CANARY = "c4nary-0f-s3crets"
DRAWN = {
    "html", "head", "meta", "title", "style", "body", "main", "div", "h1", "h2", "small", "p", "details", "summary",
    "code", "b", "pre", "span", "i", "table", "tr", "th", "td",
}  # fmt: skip
"""The tags of the page itself."""


class Tags(HTMLParser):
    """Collects the tags of a page and their attributes, as a browser would find them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


class Hostile(Exception):
    """Its words are the input of an attacker, as those of many exceptions are."""


class Raises(Exception):
    def __str__(self) -> str:
        raise Hostile(EVIL)

    __repr__ = __str__


class Wide(Exception):
    def __str__(self) -> str:
        return EVIL + "x" * MIB

    __repr__ = __str__


def failing(error: BaseException, *, debug: bool = True) -> NexiosApp:
    app = NexiosApp(debug=debug, openapi=None, limits=Limits(max_header_size=4 * MIB, max_path_size=4 * MIB))

    @app.get("/{rest:path}")
    async def handler(request: Request, response: Response, rest: str) -> None:
        local = EVIL
        assert local
        raise error.with_traceback(None)

    return app


def is_inert(answer: RawAnswer) -> bool:
    """Whether the page has no tag and no attribute but its own."""
    page = Tags(answer.body.decode())
    return page.tags <= DRAWN and not {name for name in page.attributes if name.startswith("on")} | (
        page.attributes & {"src", "href", "action", "srcdoc"}
    )


def group() -> BaseException:
    found = ExceptionGroup(EVIL, [Hostile(EVIL), Raises()])
    found.add_note(EVIL)
    found.__cause__ = Hostile(EVIL)
    return found


HOSTILE: dict[str, BaseException] = {
    "words": Hostile(EVIL),
    "words that fail": Raises(),
    "words of a megabyte": Wide(),
    "a group": group(),
    "a name": type(EVIL, (Exception,), {})(),
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_l4_nothing_of_an_error_or_a_request_is_markup_on_the_debug_page(name: str) -> None:
    """CVE-2016-10516, CVE-2017-12794, CVE-2022-22818."""
    evil = EVIL.encode()
    headers = [BROWSER, (b"host", b"a"), (b"x-" + evil, evil), (b"referer", b"http://a/?" + evil)]

    answer = await call(failing(HOSTILE[name]), path=f"/{EVIL}", query=f"{EVIL}={EVIL}".encode(), headers=headers)

    assert (answer.status, answer.header("content-type")) == (500, "text/html; charset=utf-8")
    assert is_inert(answer)
    assert html.escape("<script>") in answer.body.decode()


async def test_l4_a_file_that_is_named_like_markup_is_none_on_the_page(tmp_path: Path) -> None:
    file = tmp_path / "<img src=x onerror=alert(1)>.py"
    file.write_text(f"def f():\n    raise ValueError('{'<b>' * 9}')  # <script>\n")
    space: dict[str, Any] = {}
    exec(compile(file.read_text(), str(file), "exec"), space)
    app = NexiosApp(debug=True, openapi=None)
    app.add_route("/", lambda request, response: space["f"]())

    answer = await call(app, headers=[BROWSER])

    assert b"&lt;img src=x onerror" in answer.body
    assert b"&lt;script&gt;" in answer.body
    assert is_inert(answer)


@pytest.mark.parametrize("part", ["message", "path", "query", "header", "name"])
async def test_l4_what_is_long_is_cut(part: str) -> None:
    long = "<" * MIB
    headers = {"header": [(b"x-long", long.encode())], "name": [(b"x-" + long.encode(), b"1")]}.get(part, [])

    answer = await call(
        failing(Hostile(long) if part == "message" else Hostile()),
        path="/" + (long if part == "path" else ""),
        query=long.encode() if part == "query" else b"",
        headers=[BROWSER, *headers],
    )

    assert (answer.status, len(answer.body) < 64 * KIB) == (500, True)
    assert is_inert(answer)


@pytest.mark.parametrize("accept", [b"text/html", b"application/json", b"*/*"])
async def test_l4_the_page_may_run_and_load_nothing(accept: bytes) -> None:
    answer = await call(failing(Hostile(EVIL)), headers=[(b"accept", accept)])

    assert answer.header("content-security-policy") == "default-src 'none'; style-src 'unsafe-inline'"
    assert answer.header("x-content-type-options") == "nosniff"
    assert answer.header("cache-control") == "no-store"


@pytest.mark.parametrize(
    "query",
    [b"__debugger__=yes&cmd=1%2b1&frm=0&s=1", b"__debugger__=yes&cmd=pinauth", b"__debugger__=yes&cmd=resource&f=a.js"],
)
async def test_l5_there_is_no_console(query: bytes) -> None:
    """CVE-2024-34069, CVE-2019-14806: a page of another site that knew the PIN ran code on the developer's machine."""
    app = failing(Hostile("x"))
    headers = [BROWSER, (b"origin", b"https://evil.example"), (b"cookie", b"__wzd=1|1")]

    asked, plain = await call(app, query=query, headers=headers), await call(app, headers=headers)

    assert (asked.status, plain.status) == (500, 500)
    assert Tags(asked.body.decode()).tags <= DRAWN
    rows = re.compile(rb"<tr><th>query</th>.*?</tr>")
    assert rows.sub(b"", asked.body) == rows.sub(b"", plain.body)


NAMES = [
    "authorization", "proxy-authorization", "cookie", "x-api-key", "x-secret", "x-csrf-token", "x-access-token",
    "password", "x-password", "x-session", "x-signature", "x-credentials", "x-passwd",
]  # fmt: skip


@pytest.mark.parametrize("accept", [b"text/html", b"application/json", b"*/*"])
async def test_l5_secrets_are_hidden_on_the_page(accept: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """In headers, cookies, the query, the query of another page, settings, local variables and the environment."""
    monkeypatch.setenv("DATABASE_PASSWORD", CANARY)
    app = NexiosApp(debug=True, openapi=None, secret_key=KEY)
    app.add_middleware(SessionMiddleware, secret_key=KEY)
    app.add_middleware(CSRFMiddleware)
    app.state.password = CANARY

    @app.get("/")
    async def handler(request: Request, response: Response) -> None:
        password = os.environ["DATABASE_PASSWORD"]
        request.session["token"] = password
        request.state.token = csrf_token(request)
        raise ValueError(len(password))

    headers = [(name.encode(), f"Bearer {CANARY}".encode()) for name in NAMES]
    query = "&".join(f"{name}={CANARY}" for name in ("token", "api_key", "PASSWORD", "client%5Fsecret", "sessionid"))
    answer = await call(
        app,
        query=query.encode(),
        headers=[(b"accept", accept), (b"referer", f"https://a.example/?{query}".encode()), *headers],
    )

    assert answer.status == 500
    assert CANARY not in answer.body.decode()
    assert KEY not in answer.body.decode()


ERRORS: dict[str, BaseException] = {
    "an error": ValueError(CANARY),
    "a key": KeyError(CANARY),
    "one that cannot be shown": Raises(),
    "a group": ExceptionGroup(CANARY, [ValueError(CANARY)]),
    "one with a note": ValueError(CANARY),
    "a 500 with words of its own": HTTPException(500),
    "an OSError": FileNotFoundError(2, CANARY, f"/etc/{CANARY}"),
    "a mistake of the developer": ConfigurationError(CANARY),
}
ERRORS["one with a note"].add_note(CANARY)


@pytest.mark.parametrize("accept", [b"text/html", b"application/json", b"*/*"])
@pytest.mark.parametrize("error", ERRORS)
async def test_l6_without_debug_an_error_says_nothing_of_itself(
    error: str, accept: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    app = failing(ERRORS[error], debug=False)

    answer = await call(app, path="/", headers=[(b"accept", accept)])

    assert answer.status == 500
    assert answer.json() == {
        "type": "about:blank",
        "title": "Internal Server Error",
        "status": 500,
        "detail": "Internal Server Error",
        "code": "internal_server_error",
    }
    assert {name for name, _ in answer.headers} == {b"content-type", b"content-length", b"x-content-type-options"}
    assert len([one for one in caplog.records if one.levelno >= logging.WARNING]) == int(not error.startswith("a 500"))


async def test_l7_what_a_helper_gives_a_page_is_plain_text_or_escaped_html() -> None:
    """CVE-2026-24771, CVE-2026-59895: what is text has no mark that says it is HTML, so templates escape it."""
    app = NexiosApp(openapi=None, secret_key=KEY)
    app.add_middleware(SessionMiddleware, secret_key=KEY)
    app.add_middleware(CSRFMiddleware, field_name="a'b&c")
    seen: dict[str, Any] = {}

    @app.get("/items/{name}", name="item")
    async def item(request: Request, response: Response, name: str) -> str:
        request.session.flash(name, name)
        (flash,) = request.session.flashes()
        seen["texts"] = [
            str(request.url_for("item", name=name)), csrf_token(request), *flash, name, request.path_params.name,
            request.query_params["q"], str(request.url), request.headers["x-note"], request.cookies["a"],
        ]  # fmt: skip
        seen["input"] = csrf_input(request)
        return "seen"

    headers = [(b"x-note", b'"><script>'), (b"cookie", b"a=<script>")]
    answer = await call(app, path='/items/"><script>', query=b'q="><script>', headers=headers)

    assert answer.status == 200
    assert [text for text in seen["texts"] if hasattr(text, "__html__")] == []
    assert "<" not in seen["texts"][0] + seen["texts"][1]
    assert seen["input"].__html__() == seen["input"]
    assert Tags(seen["input"]).tags == {"input"}
    assert 'name="a&#x27;b&amp;c"' in seen["input"]


REWRITERS = re.compile(r"urlize|truncate|strip_?tags|linebreaks|escapejs|mark_?safe|sanitize|linkify|wordwrap|slugify")


def test_l9_no_name_is_there_that_rewrites_html_by_patterns() -> None:
    """CVE-2024-38875 and its like: such helpers were quadratic again and again."""
    names = (Path(__file__).parents[1] / "public_api.txt").read_text("utf-8")

    assert REWRITERS.findall(names.lower()) == []
    assert len(names.splitlines()) > 200
