"""Does the debug page help a developer, and no one else?"""

import json
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexios._pipeline.debug_page import debug_response
from nexios.concurrency import Threads
from nexios.errors import HeadersTooLarge
from nexios.messages.request import Request
from nexios.messages.response import Response
from nexios.messages.transport import Address, Pairs
from nexios.routing.template import compile_template
from nexios.settings import Limits

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
EVIL = "<script>alert(1)</script>"


class Transport:
    """A head without a body; nothing is sent."""

    server_name = "fake"
    root_path = ""
    scheme = "http"
    http_version = "1.1"
    client = Address("127.0.0.1", 5000)
    server = Address("127.0.0.1", 80)

    def __init__(self, pairs: Sequence[tuple[str, str]], query: str) -> None:
        self.pairs = pairs
        self.query_string = query
        self.method = "GET"
        self.path = "/"

    def headers(self) -> Pairs:
        return self.pairs

    def header_values(self, name: str) -> list[str]:
        return [value for key, value in self.pairs if key == name]

    def body_fields(self) -> tuple[list[str], list[str], list[str]]:
        values = self.header_values
        return values("content-type"), values("content-length"), values("content-encoding")

    def arrived(self) -> bytes | None:
        return None

    def json_at_hand(self, limit: int | None) -> bytes | None:
        return None

    async def next_chunk(self) -> bytes | None:
        return None

    async def disconnected(self) -> None: ...
    def stop_reading(self) -> None: ...
    async def send_empty(self, status: int, headers: Pairs) -> None: ...
    async def send_bytes(self, status: int, headers: Pairs, body: bytes) -> None: ...
    async def send_stream(self, status: int, headers: Pairs, chunks: AsyncIterator[bytes]) -> None: ...
    async def send_file(self, status: int, headers: Pairs, path: str, start: int, stop: int, *, whole: bool) -> bool:
        return False


class Matched:
    template = "/items/{id}"
    name = "item"
    metadata: Mapping[str, Any] = {}


class Context:
    """An application with one route."""

    app = None

    threads = Threads(1)

    streams: Any = None

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()

    def route_of(self, request: Request) -> Matched:
        return Matched()

    def preflights_of(self, request: Request) -> None:
        return None

    def limits_of(self, request: Request) -> Limits:
        return self.limits

    def url_path_for(self, name: str, params: Mapping[str, Any]) -> str:
        raise NotImplementedError


def ask(
    accept: str | None = BROWSER,
    headers: Sequence[tuple[str, str]] = (),
    *,
    method: str = "GET",
    path: str = "/items/7",
    query: str = "",
    limits: Limits | None = None,
) -> Request:
    pairs = [*headers, *([("accept", accept)] if accept is not None else [])]
    return Request(Transport(pairs, query), Context(limits), method, path, path)


def raised(exc: Exception) -> Exception:
    """The exception with a traceback that goes through this file."""
    try:
        raise exc
    except Exception as caught:
        return caught


def body_of(response: Response) -> str:
    assert isinstance(response.content, bytes)
    return response.content.decode()


def page(exc: BaseException, **request: Any) -> str:
    assert isinstance(exc, Exception)
    return body_of(debug_response(ask(**request), exc))


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (BROWSER, "text/html; charset=utf-8"),
        ("*/*", "text/plain; charset=utf-8"),
        (None, "text/plain; charset=utf-8"),
        ("", "text/plain; charset=utf-8"),
        ("nonsense//", "text/plain; charset=utf-8"),
        ("image/png", "text/plain; charset=utf-8"),
        ("application/json", "application/problem+json"),
        ("application/problem+json", "application/problem+json"),
        ("application/json, text/plain, */*", "application/problem+json"),
        ("text/html;q=0.5, application/json", "application/problem+json"),
        ("text/html;q=0, */*", "text/plain; charset=utf-8"),
        ("text/*", "text/html; charset=utf-8"),
    ],
)
def test_the_client_gets_the_media_type_that_it_names(accept: str | None, media_type: str) -> None:
    response = debug_response(ask(accept), raised(ValueError("boom")))

    assert response.status_code == 500
    assert response.headers["content-type"] == media_type
    assert "boom" in body_of(response)


@pytest.mark.parametrize("accept", [BROWSER, "*/*", "application/json"])
def test_nothing_may_run_or_be_kept(accept: str) -> None:
    response = debug_response(ask(accept), raised(ValueError("boom")))

    assert response.headers["content-security-policy"] == "default-src 'none'; style-src 'unsafe-inline'"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["cache-control"] == "no-store"
    assert "<script" not in body_of(response)


def test_the_page_names_the_error_the_place_and_the_request() -> None:
    html = page(raised(ZeroDivisionError("no zero")), method="POST", path="/items/7", query="page=2")

    assert "<h1>ZeroDivisionError</h1>" in html
    assert "no zero" in html
    assert "test_debug_page.py:" in html
    assert "<b>raised</b>" in html
    assert "raise exc" in html
    assert "<td>POST</td>" in html
    assert "<td>/items/7</td>" in html
    assert "<td>/items/{id}</td>" in html
    assert "<td>page=2</td>" in html


def test_frames_of_the_application_are_open_and_those_of_libraries_are_closed() -> None:
    try:
        json.loads("{")
    except ValueError as exc:
        html = page(exc)

    assert html.count("<details open class=lib>") == 1, "the innermost call is always open"
    assert "<details class=lib>" in html
    assert html.count("<details open><summary>") == 1


def test_frames_of_nexios_are_of_a_library() -> None:
    try:
        compile_template("/{")
    except Exception as exc:
        html = page(exc)

    assert "<details class=lib><summary><code>nexios/routing/" in html or "open class=lib" in html


def test_seven_lines_of_source_surround_the_line_that_failed() -> None:
    html = page(raised(ValueError("x")))

    frame = html[html.index("<details") : html.index("</details>")]
    assert frame.count("<span") == 7
    assert frame.count("class=now") == 1


def headings(html: str) -> list[str]:
    """The exceptions after the first, each with its relation."""
    return [part.split("</h2>")[0].replace("</small>", ":") for part in html.split("<h2><small>")[1:]]


def chain(exc: Exception, cause: Exception | None = None, context: Exception | None = None) -> Exception:
    exc.__cause__, exc.__context__, exc.__suppress_context__ = cause, context, cause is not None
    return exc


def test_a_cause_is_shown() -> None:
    assert headings(page(chain(ValueError(), cause=LookupError()))) == ["caused by: LookupError"]


def test_the_exception_that_was_being_handled_is_shown() -> None:
    assert headings(page(chain(ValueError(), context=KeyError()))) == ["raised while handling: KeyError"]


def test_a_cause_hides_the_context_as_python_does() -> None:
    assert headings(page(chain(ValueError(), cause=OSError(), context=KeyError()))) == ["caused by: OSError"]


def test_a_suppressed_context_is_not_shown() -> None:
    exc = chain(ValueError(), context=KeyError())
    exc.__suppress_context__ = True

    assert headings(page(exc)) == []


def test_the_leaves_of_a_group_are_shown_in_order() -> None:
    inner = ExceptionGroup("inner", [OSError("two"), chain(KeyError("three"), cause=TypeError())])
    group = chain(ExceptionGroup("outer", [ValueError("one"), inner]), cause=LookupError())

    assert headings(page(group)) == [
        "one of the group: ValueError",
        "one of the group: OSError",
        "one of the group: KeyError",
        "caused by: TypeError",
        "caused by: LookupError",
    ]


def test_a_chain_that_is_a_circle_ends() -> None:
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first

    html = page(raised(first))

    assert html.count("<small>caused by</small>") == 1


def test_a_chain_without_end_is_cut() -> None:
    exc: Exception = ValueError("0")
    for number in range(5000):
        outer = ValueError(str(number))
        outer.__cause__ = exc
        exc = outer

    assert page(exc).count("<h2><small>") == 11


def test_notes_are_shown() -> None:
    exc = ValueError("x")
    exc.add_note("look at the <settings>")

    assert "look at the &lt;settings&gt;" in page(exc)
    assert "look at the <settings>" in page(exc, accept="*/*")


@pytest.mark.parametrize(
    "request_of",
    [
        {"path": f"/{EVIL}"},
        {"query": f"q={EVIL}"},
        {"method": EVIL},
        {"headers": [("x-note", EVIL)]},
        {"headers": [(f"x-{EVIL}", "1")]},
    ],
)
def test_what_the_client_sends_is_escaped(request_of: dict[str, Any]) -> None:
    html = page(raised(ValueError(EVIL)), **request_of)

    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_names_of_types_functions_and_files_are_escaped() -> None:
    """CVE-2016-10516, CVE-2017-12794: debug pages that forgot one place."""
    kind = type(EVIL, (Exception,), {"__module__": EVIL})
    space: dict[str, Any] = {}
    exec(compile("def f(kind):\n    raise kind('x')", f"{EVIL}.py", "exec"), space)
    space["f"].__code__ = space["f"].__code__.replace(co_name=EVIL, co_qualname=EVIL)

    with pytest.raises(kind) as caught:
        space["f"](kind)

    assert "<script" not in page(caught.value)


def test_credentials_are_hidden_everywhere() -> None:
    secret = "hunter2-s3cr3t"
    names = [
        "cookie",
        "authorization",
        "proxy-authorization",
        "x-api-key",
        "x-csrf-token",
        "client-secret",
        "db-password",
    ]
    headers = [(name, f"Bearer {secret}") for name in names]
    referer = ("referer", f"http://a.example/?access_token={secret}&page=2")

    for accept in (BROWSER, "*/*", "application/json"):
        text = page(
            raised(ValueError("x")),
            accept=accept,
            headers=[*headers, referer],
            query=f"api%5Fkey={secret}&PASSWORD={secret}&page=2",
        )
        assert secret not in text

    html = page(raised(ValueError("x")), headers=[*headers, referer], query=f"token={secret}&page=2")
    assert "<tr><th>cookie</th><td>[hidden]</td></tr>" in html
    assert "<td>token=[hidden]&amp;page=2</td>" in html
    assert "<td>http://a.example/?access_token=[hidden]&amp;page=2</td>" in html


def test_no_local_variable_and_no_environment_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_PASSWORD", "_".join(["from", "outside"]))

    def handler(argument: str) -> None:
        local = argument * 2
        raise ValueError(len(local))

    for accept in (BROWSER, "*/*", "application/json"):
        with pytest.raises(ValueError) as caught:
            handler(str(10**6 + 1))
        text = page(caught.value.with_traceback(None), accept=accept) + page(caught.value, accept=accept)
        assert str(10**6 + 1) not in text
        assert os.environ["DATABASE_PASSWORD"] not in text


def test_a_message_is_cut_after_two_kibibytes() -> None:
    html = page(ValueError("é" * 1024 * 1024))

    assert "é" * 1022 + "..." in html
    assert "é" * 1023 not in html


class Unprintable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


class Wrong(Exception):
    def __str__(self) -> str:
        return 7  # type: ignore[return-value]


@pytest.mark.parametrize(("kind", "failure"), [(Unprintable, "RuntimeError"), (Wrong, "TypeError")])
def test_an_exception_that_cannot_be_printed_is_shown_without_words(kind: type[Exception], failure: str) -> None:
    assert f"[str() of it raised {failure}]" in page(raised(kind()))


def test_a_page_stays_under_64_kilobytes() -> None:
    def deeper(n: int) -> None:
        if n == 0:
            raise ExceptionGroup("<" * 5000, [ValueError("&" * 5000) for _ in range(50)])
        deeper(n - 1)

    with pytest.raises(ExceptionGroup) as caught:
        deeper(300)
    html = page(
        caught.value,
        path="/" + "<" * 5000,
        query="<" * 50000,
        accept=None,
        headers=[("accept", BROWSER), *(("<" * 500, "'" * 5000) for _ in range(100))],
        limits=Limits(max_header_size=1_000_000),
    )

    assert len(html.encode()) < 64 * 1024
    assert "does not fit" in html
    assert html.endswith("</html>\n")


def test_the_middle_of_a_recursion_is_left_out() -> None:
    def endless() -> None:
        endless()

    with pytest.raises(RecursionError) as caught:
        endless()

    assert "calls in the middle are left out" in page(caught.value)
    assert page(caught.value, accept="*/*").count("    endless()\n") == 40


def test_text_for_a_terminal_has_no_control_characters() -> None:
    text = page(raised(ValueError("\x1b[31mred\x07 \u202e")), accept="*/*", path="/\x1b[2J")

    assert "\x1b" not in text
    assert "\x07" not in text
    assert "\\x1b[31mred\\x07" in text


def test_text_reads_like_a_traceback_of_python() -> None:
    lines = page(raised(ValueError("boom")), accept="*/*").splitlines()

    assert lines[0] == "500 GET /items/7"
    assert lines[2] == "Traceback (most recent call last):"
    assert lines[3].startswith('  File "')
    assert 'test_debug_page.py", line ' in lines[3]
    assert lines[3].endswith(", in raised")
    assert lines[4:] == ["    raise exc", "ValueError: boom"]


def test_a_problem_document_carries_the_traceback() -> None:
    document = json.loads(page(raised(ValueError("boom")), accept="application/json"))

    assert document["status"] == 500
    assert document["detail"] == "ValueError: boom"
    assert document["code"] == "internal_server_error"
    assert document["traceback"][-1] == "ValueError: boom"


def test_headers_over_the_limit_are_left_out() -> None:
    """The page must not fail on the request that failed."""
    request = ask(headers=[("a", "b")] * 10, limits=Limits(max_headers=2))

    response = debug_response(request, raised(HeadersTooLarge()))

    assert response.headers["content-type"] == "text/plain; charset=utf-8"


def test_files_are_named_from_the_working_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).parent)

    assert "<code>test_debug_page.py:" in page(raised(ValueError()))


def test_installed_files_are_named_from_their_package(tmp_path: Path) -> None:
    file = tmp_path / "site-packages" / "package" / "module.py"
    file.parent.mkdir(parents=True)
    file.write_text("1 / 0")
    try:
        exec(compile(file.read_text(), str(file), "exec"))
    except ZeroDivisionError as exc:
        html = page(exc)

    assert f"<code>{Path('package', 'module.py')}:1 " in html
    assert str(tmp_path) not in html


def test_an_exception_that_was_never_raised_has_a_page() -> None:
    assert "<h1>ValueError</h1>" in page(ValueError())


@given(
    st.text(),
    st.text(),
    st.text(),
    st.lists(st.tuples(st.text(), st.text())),
    st.sampled_from([BROWSER, "*/*", "application/json"]),
)
def test_no_request_and_no_message_break_the_page(
    message: str, path: str, query: str, headers: list[tuple[str, str]], accept: str
) -> None:
    response = debug_response(ask(accept, headers, path=path, query=query), raised(ValueError(message)))

    assert "<script" not in body_of(response)
