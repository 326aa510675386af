"""The response as a value: what filling it does, and what it refuses."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexios import Response
from nexios.errors import InvalidCookie, InvalidHeader, UnsafeRedirect
from nexios.messages.content import FileContent, StreamContent
from nexios.messages.response import Builder

Fill = Callable[[Response], object]


def pairs(response: Response) -> list[tuple[str, str]]:
    return list(response.headers.pairs)


@pytest.mark.parametrize("make", [Response, Builder])
@pytest.mark.parametrize(
    ("fill", "content", "media_type"),
    [
        (lambda r: r.text("é"), "é".encode(), "text/plain; charset=utf-8"),
        (lambda r: r.html("<p>"), b"<p>", "text/html; charset=utf-8"),
        (lambda r: r.json({"a": 1}), b'{"a":1}', "application/json"),
        (lambda r: r.binary(b"x"), b"x", "application/octet-stream"),
        (lambda r: r.binary(b"x", "image/png"), b"x", "image/png"),
        (lambda r: r.binary(bytearray(b"x")), b"x", "application/octet-stream"),
    ],
)
def test_filling_sets_content_and_media_type_and_returns_the_response(
    make: Callable[[], Response], fill: Fill, content: bytes, media_type: str
) -> None:
    response = make()

    assert fill(response) is response
    assert (response.content, pairs(response), response.status_code) == (content, [("content-type", media_type)], 200)


@pytest.mark.parametrize(
    "fill",
    [
        lambda r: r.text("x", 201),
        lambda r: r.html("x", 201),
        lambda r: r.json({}, 201),
        lambda r: r.binary(b"x", status_code=201),
        lambda r: r.stream(["x"], status_code=201),
        lambda r: r.empty(201),
        lambda r: r.status(201),
        lambda r: r.status(201).text("x"),
        lambda r: r.text("x").status(201),
    ],
)
def test_the_status_is_set_with_the_content_before_or_after_it(fill: Fill) -> None:
    response = Response()
    fill(response)

    assert response.status_code == 201


@pytest.mark.parametrize("status", [-1, 0, 99, 100, 101, 199, 600, 1000])
@pytest.mark.parametrize(
    "fill",
    [
        lambda r, s: r.status(s),
        lambda r, s: r.text("x", s),
        lambda r, s: r.json({}, s),
        lambda r, s: r.html("x", s),
        lambda r, s: r.binary(b"x", status_code=s),
        lambda r, s: r.stream(["x"], status_code=s),
        lambda r, s: r.empty(s),
        lambda r, s: Response("x", s),
        lambda r, s: Response(status_code=s),
        lambda r, s: r.redirect("/", s),
    ],
)
def test_a_status_that_is_not_final_is_refused_everywhere(fill: Callable[[Response, int], object], status: int) -> None:
    """RFC 9110 section 15: 1xx is the server's business, and above 599 nothing is defined."""
    with pytest.raises(ValueError, match=str(status)):
        fill(Response(), status)


def test_a_response_may_be_made_whole() -> None:
    response = Response("x", 201, headers={"x-a": "1"}, media_type="text/csv")

    assert (response.content, response.status_code) == (b"x", 201)
    assert pairs(response) == [("content-type", "text/csv"), ("x-a", "1")]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("x", [("content-type", "text/plain; charset=utf-8")]),
        (b"x", [("content-type", "application/octet-stream")]),
        (None, []),
    ],
)
def test_the_media_type_follows_from_the_content(content: str | bytes | None, expected: list[tuple[str, str]]) -> None:
    assert pairs(Response(content)) == expected


def test_a_content_type_among_the_headers_wins() -> None:
    assert pairs(Response("x", headers={"Content-Type": "text/csv"})) == [("content-type", "text/csv")]


@pytest.mark.parametrize("content", [5, 5.0, [1, 2], {"a": 1}, object(), ["x"]])
def test_what_is_neither_text_nor_bytes_is_refused(content: object) -> None:
    """`bytes(5)` would be five zeros."""
    with pytest.raises(TypeError):
        Response(content)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        Response().binary(content)  # type: ignore[arg-type]


@pytest.mark.parametrize("chunks", ["text", b"bytes", 7, None, object(), lambda: ["x"]])
def test_a_stream_is_made_of_chunks(chunks: object) -> None:
    """Also a generator that was not called, which would be found out only when the response has begun."""
    with pytest.raises(TypeError, match="takes an iterable of chunks"):
        Response().stream(chunks)  # type: ignore[arg-type]


def test_the_last_content_counts() -> None:
    response = Response().json({"a": 1}).set_header("x-a", "1").text("final")

    assert response.content == b"final"
    assert pairs(response) == [("content-type", "text/plain; charset=utf-8"), ("x-a", "1")]


def test_empty_takes_content_and_its_type_away_and_leaves_other_headers() -> None:
    response = Response().text("x").set_header("x-a", "1").empty()

    assert (response.status_code, response.content, pairs(response)) == (204, b"", [("x-a", "1")])


def test_a_header_replaces_those_of_its_name_unless_it_is_appended() -> None:
    response = Response().set_header("X-A", "1").set_header("x-a", "2").set_header("x-a", "3", append=True)

    assert pairs(response) == [("x-a", "2"), ("x-a", "3")]


def test_several_headers_may_have_one_name() -> None:
    response = Response().set_header("link", "old").set_headers([("link", "a"), ("Link", "b"), ("x-a", "1")])

    assert pairs(response) == [("link", "a"), ("link", "b"), ("x-a", "1")]


def test_headers_are_changed_in_place() -> None:
    response = Response("x")
    response.headers["x-a"] = "1"
    response.headers.add_vary("origin", "cookie")
    del response.headers["content-type"]

    assert pairs(response) == [("x-a", "1"), ("vary", "origin, cookie")]


@pytest.mark.parametrize("value", ["a\r\nb", "a\nb", "a\rb", "a\x00b", "a\x1fb", "a\x7fb", "\u0100", "snow\u2603"])
@pytest.mark.parametrize(
    "write",
    [
        lambda r, v: r.set_header("x-a", v),
        lambda r, v: r.set_header("x-a", v, append=True),
        lambda r, v: r.set_headers({"x-a": v}),
        lambda r, v: r.headers.__setitem__("x-a", v),
        lambda r, v: r.headers.add("x-a", v),
        lambda r, v: Response("x", headers={"x-a": v}),
        lambda r, v: Response("x", media_type=v),
        lambda r, v: r.binary(b"x", v),
        lambda r, v: r.stream(["x"], v),
        lambda r, v: r.file("x", media_type=v),
    ],
)
def test_no_value_breaks_out_of_its_line(write: Callable[[Response, str], object], value: str) -> None:
    with pytest.raises(InvalidHeader):
        write(Response(), value)


@pytest.mark.parametrize("name", ["", "a b", "a:b", "a\r\nb", "é", "a\x00", "(a)", "a,b"])
def test_no_name_is_anything_but_a_token(name: str) -> None:
    """RFC 9110 section 5.1."""
    with pytest.raises(InvalidHeader):
        Response().set_header(name, "x")


@given(st.text(max_size=30), st.text(max_size=30))
def test_a_header_is_refused_or_legal(name: str, value: str) -> None:
    response = Response()
    try:
        response.set_header(name, value)
    except InvalidHeader:
        return
    ((written, text),) = pairs(response)
    assert written == name.lower()
    assert written.isascii()
    assert all(character == "\t" or (" " <= character <= "\xff" and character != "\x7f") for character in text)


def test_cookies_are_safe_unless_told_otherwise() -> None:
    response = Response().set_cookie("a", "1").set_cookie("b", "2", secure=False, http_only=False, same_site=None)

    assert response.headers.get_all("set-cookie") == ["a=1; Path=/; Secure; HttpOnly; SameSite=Lax", "b=2; Path=/"]


def test_a_deleted_cookie_is_one_that_is_over() -> None:
    (cookie,) = Response().delete_cookie("a", path="/x", domain="shop.example").headers.get_all("set-cookie")

    assert cookie.startswith("a=")
    assert "Max-Age=0" in cookie
    assert "Path=/x" in cookie
    assert "Domain=shop.example" in cookie


@pytest.mark.parametrize(("name", "value"), [("a b", "1"), ("a", "1;2"), ("a", "1\r\nset-cookie: b=2"), ("", "1")])
def test_a_cookie_that_browsers_would_misread_is_refused(name: str, value: str) -> None:
    with pytest.raises(InvalidCookie):
        Response().set_cookie(name, value)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_has_a_location_and_no_content(status: int) -> None:
    response = Response().text("x").redirect("/login?next=/a", status)

    assert (response.status_code, response.content, pairs(response)) == (status, b"", [("location", "/login?next=/a")])


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "/a\r\nb"]
)
def test_a_redirect_stays_on_this_site(target: str) -> None:
    with pytest.raises((UnsafeRedirect, InvalidHeader)):
        Response().redirect(target)


def test_a_redirect_to_another_site_must_be_asked_for() -> None:
    response = Response().redirect("https://other.example/x", external=True)

    assert (response.status_code, pairs(response)) == (307, [("location", "https://other.example/x")])


@pytest.mark.parametrize("status", [200, 300, 304, 305, 306, 400])
def test_a_status_that_is_no_redirect_is_refused(status: int) -> None:
    with pytest.raises(ValueError, match="is not a redirect"):
        Response().redirect("/", status)


def test_a_file_is_not_touched_until_it_is_sent(tmp_path: Path) -> None:
    response = Response().file(tmp_path / "none.txt", filename="report.txt")

    assert response.content == FileContent(str(tmp_path / "none.txt"), "report.txt", False)


def test_a_stream_is_not_touched_until_it_is_sent() -> None:
    chunks = iter(["x"])

    response = Response().stream(chunks, "text/plain")

    assert response.content == StreamContent(chunks)
    assert next(chunks) == "x"


def test_two_responses_share_nothing() -> None:
    first, second = Response("x"), Response("x")
    first.set_header("x-a", "1").set_cookie("a", "1").add_background(print)
    first.headers["content-type"] = "text/csv"

    assert pairs(second) == [("content-type", "text/plain; charset=utf-8")]
    assert second.background is None


def test_the_repr_is_the_status() -> None:
    assert repr(Response("s3cret", 201, headers={"x-token": "s3cret"})) == "<Response 201>"
