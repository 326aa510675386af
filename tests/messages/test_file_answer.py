"""File answers: what they hold for every condition and range, to the byte."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexios.errors import InvalidHeader
from nexios.http.headers import Headers, check_name, check_value
from nexios.http.ranges import ByteRange
from nexios.messages.file import (
    FileAnswer,
    FileSource,
    answer_file,
    guess_media_type,
)

CONTENT = b"0123456789"
SOURCE = FileSource(path="digits.txt", size=10, modified=784111777.5, etag='"v1"')
DATE = "Sun, 06 Nov 1994 08:49:37 GMT"
LATER, EARLIER = "Sun, 06 Nov 1994 08:49:38 GMT", "Sun, 06 Nov 1994 08:49:36 GMT"


def ask(method: str = "GET", source: FileSource = SOURCE, /, **headers: str) -> FileAnswer:
    pairs = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return answer_file(source, method=method, headers=Headers(pairs), media_type="text/plain; charset=utf-8")


def body_of(answer: FileAnswer, content: bytes = CONTENT) -> bytes:
    return b"".join(content[part.start : part.stop] if isinstance(part, ByteRange) else part for part in answer.parts)


# The whole file


def test_a_get_is_answered_with_the_whole_file() -> None:
    answer = ask()

    assert (answer.status, answer.parts) == (200, [ByteRange(0, 10)])
    assert dict(answer.headers) == {
        "etag": '"v1"',
        "last-modified": DATE,
        "accept-ranges": "bytes",
        "x-content-type-options": "nosniff",
        "content-type": "text/plain; charset=utf-8",
        "content-length": "10",
    }


def test_a_head_has_the_headers_of_a_get_and_no_body() -> None:
    assert ask("HEAD").headers == ask("GET").headers
    assert ask("HEAD").parts == []


def test_an_empty_file_has_an_empty_body() -> None:
    answer = ask("GET", FileSource("empty", 0, 0.0, '"v1"'), range="bytes=0-")

    assert (answer.status, answer.parts, dict(answer.headers)["content-length"]) == (200, [], "0")


def test_a_download_has_a_name() -> None:
    answer = answer_file(SOURCE, method="GET", headers=Headers(), media_type="text/plain", filename='x".bat;a=é')

    assert dict(answer.headers)["content-disposition"] == (
        "attachment; filename=\"x_.bat;a=_\"; filename*=UTF-8''x%22.bat%3Ba%3D%C3%A9"
    )


@pytest.mark.parametrize(("filename", "value"), [("a.txt", 'inline; filename="a.txt"'), (None, "inline")])
def test_a_file_may_be_shown_inline(filename: str | None, value: str) -> None:
    answer = answer_file(
        SOURCE, method="GET", headers=Headers(), media_type="text/plain", filename=filename, inline=True
    )

    assert dict(answer.headers)["content-disposition"] == value


def test_a_name_that_would_break_the_header_is_an_error() -> None:
    with pytest.raises(InvalidHeader):
        answer_file(SOURCE, method="GET", headers=Headers(), media_type="text/plain", filename="a\r\nx: y")


# Conditions


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"if_none_match": '"v1"'}, 304),
        ({"if_none_match": 'W/"v1", "v0"'}, 304),
        ({"if_none_match": "*"}, 304),
        ({"if_none_match": '"v0"'}, 200),
        ({"if_none_match": '"v0"', "if_modified_since": DATE}, 200),
        ({"if_modified_since": DATE}, 304),
        ({"if_modified_since": LATER}, 304),
        ({"if_modified_since": EARLIER}, 200),
        ({"if_modified_since": "yesterday"}, 200),
        ({"if_match": '"v1"'}, 200),
        ({"if_match": '"v0"'}, 412),
        ({"if_match": 'W/"v1"'}, 412),
        ({"if_unmodified_since": EARLIER}, 412),
        ({"if_unmodified_since": DATE}, 200),
        ({"if_none_match": '"v1"', "range": "bytes=0-1"}, 304),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_conditions_are_those_of_rfc_9110(method: str, headers: dict[str, str], status: int) -> None:
    answer = ask(method, **headers)

    assert answer.status == status
    assert dict(answer.headers)["etag"] == '"v1"'
    if status != 200:
        assert answer.parts == []


def test_a_304_has_no_length_and_no_type() -> None:
    assert {name for name, _ in ask(if_none_match="*").headers} == {"etag", "last-modified", "accept-ranges"}


@pytest.mark.parametrize("headers", [{"if_match": '"v0"'}, {"if_none_match": "*"}, {"range": "bytes=0-1"}])
def test_the_answer_to_a_post_has_no_conditions_and_no_ranges(headers: dict[str, str]) -> None:
    """What was asked for has already happened when the file is sent."""
    assert ask("POST", **headers) == ask("POST")
    assert ask("POST").status == 200


# Ranges


@pytest.mark.parametrize(
    ("header", "expected", "content_range"),
    [
        ("bytes=0-4", b"01234", "bytes 0-4/10"),
        ("bytes=5-", b"56789", "bytes 5-9/10"),
        ("bytes=-3", b"789", "bytes 7-9/10"),
        ("bytes=0-0", b"0", "bytes 0-0/10"),
        ("BYTES=0-1", b"01", "bytes 0-1/10"),
        ("bytes=8-99", b"89", "bytes 8-9/10"),
        ("bytes=-999999", CONTENT, "bytes 0-9/10"),
        ("bytes=1-1,99-", b"1", "bytes 1-1/10"),
    ],
)
def test_one_range_is_a_206_of_its_bytes(header: str, expected: bytes, content_range: str) -> None:
    answer = ask(range=header)
    headers = dict(answer.headers)

    assert (answer.status, body_of(answer)) == (206, expected)
    assert headers["content-range"] == content_range
    assert headers["content-length"] == str(len(expected))
    assert headers["content-type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize("header", ["bytes=5-4", "0-1", "lines=0-1", "bytes=", "bytes=a-b", "bytes=0-,0-,0-"])
def test_a_range_that_means_nothing_is_ignored(header: str) -> None:
    assert ask(range=header) == ask()


def test_more_ranges_than_allowed_are_ignored() -> None:
    assert ask(range="bytes=" + ",".join(["0-0"] * 10)).status == 206
    assert ask(range="bytes=" + ",".join(["0-0"] * 11)) == ask()
    assert ask(range="bytes=" + "0-0," * 100_000) == ask()


def test_two_range_headers_are_ignored() -> None:
    headers = Headers([("range", "bytes=0-1"), ("range", "bytes=2-3")])

    assert answer_file(SOURCE, method="GET", headers=headers, media_type="text/plain").status == 200


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=99-100", "bytes=-0", f"bytes={'1' * 100_000}-"])
def test_a_range_past_the_end_is_a_416_with_the_size(header: str) -> None:
    answer = ask(range=header)

    assert (answer.status, answer.parts) == (416, [])
    assert dict(answer.headers)["content-range"] == "bytes */10"
    assert "content-length" not in dict(answer.headers)


def test_a_head_ignores_ranges() -> None:
    assert ask("HEAD", range="bytes=0-1") == ask("HEAD")
    assert ask("HEAD", range="bytes=99-") == ask("HEAD")


@pytest.mark.parametrize(
    ("if_range", "status"), [('"v1"', 206), ('W/"v1"', 200), ('"v0"', 200), (DATE, 206), (LATER, 200), ("x", 200)]
)
def test_a_range_of_another_version_gets_the_whole_file(if_range: str, status: int) -> None:
    assert ask(range="bytes=0-1", if_range=if_range).status == status


def test_several_ranges_come_in_parts() -> None:
    """RFC 9110 section 14.6."""
    answer = ask(range="bytes=0-1,-2")
    headers = dict(answer.headers)
    kind, _, boundary = headers["content-type"].partition("; boundary=")
    delimiter = f"--{boundary}".encode()
    first, second, last = body_of(answer).split(delimiter)[1:]

    assert (answer.status, kind) == (206, "multipart/byteranges")
    assert "content-range" not in headers
    about = b"\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-range: bytes "
    assert first == about + b"0-1/10\r\n\r\n01\r\n"
    assert second == about + b"8-9/10\r\n\r\n89\r\n"
    assert last == b"--\r\n"
    assert headers["content-length"] == str(len(body_of(answer)))


def test_every_answer_in_parts_has_a_boundary_of_its_own() -> None:
    assert ask(range="bytes=0-1,-2").headers != ask(range="bytes=0-1,-2").headers


RANGES = st.lists(st.sampled_from(["0-0", "0-", "-3", "2-5", "9-", "10-", "-0", "5-4", "x", ""]), max_size=12)


@given(RANGES, st.sampled_from(["GET", "HEAD", "POST"]), st.integers(0, 12))
def test_the_length_is_always_that_of_the_body(ranges: list[str], method: str, size: int) -> None:
    source = FileSource("x", size, 0.0, '"v1"')

    answer = ask(method, source, range="bytes=" + ",".join(ranges))

    body = body_of(answer, b"x" * size)
    assert all((check_name(name), check_value(value)) == (name, value) for name, value in answer.headers)
    assert sum(part.length for part in answer.parts if isinstance(part, ByteRange)) <= size
    if method == "HEAD" or answer.status == 416:
        assert body == b""
    else:
        assert dict(answer.headers)["content-length"] == str(len(body))


@given(st.text(), st.sampled_from(["range", "if-range", "if-match", "if-none-match", "if-modified-since"]))
def test_no_header_of_a_client_raises(value: str, name: str) -> None:
    headers = Headers([("range", "bytes=0-1"), (name, value)])

    assert answer_file(SOURCE, method="GET", headers=headers, media_type="text/plain").status in (
        200,
        206,
        304,
        412,
        416,
    )


# Media types


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("index.html", "text/html; charset=utf-8"),
        ("A.HTM", "text/html; charset=utf-8"),
        ("app.js", "text/javascript; charset=utf-8"),
        ("app.mjs", "text/javascript; charset=utf-8"),
        ("style.css", "text/css; charset=utf-8"),
        ("data.json", "application/json"),
        ("logo.svg", "image/svg+xml"),
        ("photo.jpeg", "image/jpeg"),
        ("font.woff2", "font/woff2"),
        ("module.wasm", "application/wasm"),
        ("dir.html/archive.tar.gz", "application/gzip"),
        ("dir.html/unknown", "application/octet-stream"),
        (".html", "application/octet-stream"),
        ("x.xyz", "application/octet-stream"),
        ("", "application/octet-stream"),
    ],
)
def test_the_extension_tells_the_media_type(path: str, media_type: str) -> None:
    assert guess_media_type(path) == media_type


def test_a_path_object_has_a_media_type() -> None:
    assert guess_media_type(Path("a.png")) == "image/png"
