"""Files we answer with: rows D6 and D10 to D17, as far as they are about one file and not about a folder of them."""

import asyncio
import logging
import os
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexios.application import NexiosApp
from nexios.errors import InvalidHeader
from nexios.http.conditional import parse_etags
from nexios.http.disposition import format_content_disposition
from nexios.http.ranges import parse_ranges
from nexios.messages.file import FileChanged
from nexios.messages.request import Request
from nexios.messages.response import Response
from nexios.settings import Limits
from nexios.testing.legal import Message
from nexios.testing.raw import RawAnswer, call
from tests.security.kit import KIB, MIB, Peer, http_scope, linear, peak

CONTENT = b"0123456789"
NO_RANGE = (
    b'{"type":"about:blank","title":"Range Not Satisfiable","status":416,"detail":"Range Not Satisfiable",'
    b'"code":"range_not_satisfiable"}'
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "file.txt").write_bytes(CONTENT)
    (tmp_path / "folder").mkdir()
    return tmp_path


@pytest.fixture
def app(folder: Path) -> NexiosApp:
    """Answers with the file that the query names: a handler that trusts it, for the worst that `file` can be given."""
    app = NexiosApp()

    async def serve(request: Request, response: Response) -> Response:
        return response.file(folder / request.query_params.get("name", "file.txt"))

    app.get("/")(serve)
    app.post("/")(serve)
    app.get("/missing")(lambda request, response: response.file(folder / "missing"))
    app.get("/not-200")(lambda request, response: response.status(404).file(folder / "file.txt"))
    return app


async def get(app: NexiosApp, path: str = "/", *, method: str = "GET", **headers: str) -> RawAnswer:
    fields = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    return await call(app, method=method, path=path, headers=fields)


@pytest.mark.parametrize("query", [b"a.html%00.png", b"x" * 5000, b"%ff", b"%ed%a0%80", b"%ED%B0%80/x", b"file.txt/x"])
async def test_d6_a_name_that_no_file_can_have_is_not_found(app: NexiosApp, query: bytes) -> None:
    """CVE-2017-1000052 GHSA-2q6v-32mr-8p8x, Starlette #3139: NUL, too long, no UTF-8; never a 500."""
    assert (await call(app, query=b"name=" + query)).status == 404


@pytest.mark.parametrize("name", ["a\x00b", "x" * 5000, "\udcff"])
async def test_d6_a_path_that_no_file_can_have_is_not_found(name: str) -> None:
    """CVE-2017-1000052 GHSA-2q6v-32mr-8p8x: whatever the handler makes of its input."""
    app = NexiosApp()
    app.get("/")(lambda request, response: response.file(name))

    assert (await call(app)).status == 404


async def test_d10_what_cannot_be_sent_is_not_told_apart(app: NexiosApp, folder: Path) -> None:
    """CVE-2025-69226, CVE-2015-8859 GHSA-jgqf-hwc5-hh37: missing, a folder, a device, a pipe, outside, not ours."""
    os.mkfifo(folder / "pipe")
    (folder / "secret").write_bytes(b"x")
    (folder / "secret").chmod(0)
    names = [b"missing", b"folder", b"pipe", b"/dev/null", b"../missing", b"/etc", b"missing/x", b"a%00b"]
    if os.geteuid() != 0:
        names.append(b"secret")

    answers = [await call(app, query=b"name=" + name) for name in names]

    assert {(answer.status, answer.body, tuple(answer.headers)) for answer in answers} == {
        (404, answers[0].body, tuple(answers[0].headers))
    }


OPEN_REDIRECTS = [
    "//evil.com/..%2f", "//evil.com", "//evil.com/", "/\\evil.com/", "/%2fevil.com/", "//evil.com/%2e%2e", "///x/",
    "/\t/evil.com/", "/\\/evil.com/", "\\\\evil.com/", "/evil.com//", "//evil.com@x/", "/x\r\nX-Y: z/", "/x/",
]  # fmt: skip


@pytest.mark.parametrize("slashes", ["redirect", "strict", "ignore"])
@pytest.mark.parametrize("path", OPEN_REDIRECTS)
async def test_d11_a_slash_redirect_stays_on_the_site(slashes: str, path: str) -> None:
    """CVE-2017-7234, CVE-2021-21330 GHSA-v6wp-4m6f-gcjg, CVE-2023-28370 GHSA-hj3f-6gcp-jg8j,
    CVE-2020-28724 GHSA-3p3h-qghp-hvh2, CVE-2018-14574.
    """
    app = NexiosApp(slashes=slashes)
    app.get("/{rest:path}")(lambda request, response: response.text("ok"))
    app.get("/{one}")(lambda request, response: response.text("ok"))
    app.get("/{one}/{two}/")(lambda request, response: response.text("ok"))

    answer = await call(app, path=path, raw_path=path.encode())

    # As a browser reads it: tabs and line ends are dropped, a backslash is a slash (WHATWG URL section 4.4).
    location = (answer.header("location") or "/").replace("\t", "").replace("\\", "/")
    assert answer.status < 500
    assert not location.startswith("//")
    assert urlsplit(location).netloc == ""


@pytest.mark.parametrize("spec", ["0-0,", "0-,", "-1,", "1" * 10, ",", "0-0 ,"])
def test_d12_a_range_of_many_takes_linear_time(spec: str) -> None:
    """CVE-2025-62727 GHSA-7f5h-v6xp-fcq8, CVE-2024-26141 GHSA-xj5v-6v4g-jfw6, CVE-2026-34826 GHSA-x8cg-fq8g-mxfx."""
    assert linear(lambda n: parse_ranges("bytes=" + spec * n, size=10, max_ranges=10**9), 20_000)


@pytest.mark.parametrize("count", [2, 3, 10, 11, 100, 1000, 100_000])
async def test_d12_many_ranges_cost_no_more_than_the_file(app: NexiosApp, count: int) -> None:
    """CVE-2025-62727 GHSA-7f5h-v6xp-fcq8: over ten, or more bytes than the file has, give the whole of it."""
    answer = await get(app, range="bytes=" + "0-0," * (count - 1) + "9-9")

    if count * len("bytes=0-0") > 64 * KIB:
        assert answer.status == 431
    else:
        assert answer.status == (206 if count <= 10 else 200)
        assert answer.body.count(b"content-range") == (count if count <= 10 else 0)


@pytest.mark.parametrize(
    "ranges",
    ["bytes=0-,0-,0-", "bytes=0-8,1-9", "bytes=-10,-10", "bytes=" + "1" * 60_000 + "-", "bytes=0-" + "1" * 60_000],
)
async def test_d12_overlapping_ranges_do_not_multiply_the_file(app: NexiosApp, ranges: str) -> None:
    """CVE-2024-26141 GHSA-xj5v-6v4g-jfw6."""
    answer = await get(app, range=ranges)

    assert answer.status in (200, 206, 416)
    assert len(answer.body) <= (len(CONTENT) if answer.status in (200, 206) else 200)


@pytest.mark.parametrize(
    ("ranges", "status", "body"),
    [
        ("bytes=0-0", 206, b"0"),
        ("bytes=1-1", 206, b"1"),
        ("bytes=9-9", 206, b"9"),
        ("bytes=9-", 206, b"9"),
        ("bytes=5-999999", 206, b"56789"),
        ("bytes=-1", 206, b"9"),
        ("bytes=-999999", 206, CONTENT),
        ("BYTES=0-1", 206, b"01"),
        ("bytes=5-4", 200, CONTENT),
        ("bytes=-0", 416, NO_RANGE),
        ("bytes=10-", 416, NO_RANGE),
        ("bytes=10-5", 200, CONTENT),
        ("bytes=", 200, CONTENT),
        ("bytes=-", 200, CONTENT),
        ("bytes=a-b", 200, CONTENT),
        ("bytes=0-1x", 200, CONTENT),
        ("bytes=+0-1", 200, CONTENT),
        ("bytes=0_0-1", 200, CONTENT),
        ("bytes=\xb2-", 200, CONTENT),
        ("bytes 0-1", 200, CONTENT),
        ("items=0-1", 200, CONTENT),
        ("0-1", 200, CONTENT),
    ],
)
async def test_d13_one_range_is_read_as_rfc_9110_says(app: NexiosApp, ranges: str, status: int, body: bytes) -> None:
    """Starlette #3583, #3523, #3307, #3389, #3567, #3568 and #3679; RFC 9110 section 14."""
    answer = await get(app, range=ranges)

    assert (answer.status, answer.body) == (status, body)
    if status == 416:
        assert answer.header("content-range") == "bytes */10"


async def test_d13_space_around_a_range_changes_nothing(app: NexiosApp) -> None:
    """Starlette #3307; RFC 9110 section 5.6.1 allows it around the items of a list."""
    assert (await get(app, range="bytes= 0-1")).body == b"01"
    assert (await get(app, range="bytes=1-1,3-3")).body.count(b"content-range: bytes") == 2
    assert (await get(app, range="bytes=1-1 , 3-3")).body.count(b"content-range: bytes") == 2


async def test_d13_ranges_are_for_a_get_that_succeeds(app: NexiosApp) -> None:
    """Starlette #3389; RFC 9110 section 14.2."""
    assert (await get(app, method="POST", range="bytes=0-1")).body == CONTENT
    assert (await get(app, "/not-200", range="bytes=0-1")).status == 404
    assert (await get(app, "/missing", range="bytes=0-1")).status == 404
    assert (await get(app, method="HEAD", range="bytes=0-1")).header("content-length") == "10"


async def test_d13_if_range_compares_strongly(app: NexiosApp) -> None:
    """Starlette #3567; RFC 9110 section 13.1.5."""
    whole = await get(app)
    etag = whole.header("etag") or ""

    assert (await get(app, range="bytes=0-1", if_range=etag)).status == 206
    assert (await get(app, range="bytes=0-1", if_range=f"W/{etag}")).status == 200
    assert (await get(app, range="bytes=0-1", if_range='"other"')).status == 200
    assert (await get(app, range="bytes=0-1", if_range="Mon, 01 Jan 2001 00:00:00 GMT")).status == 200
    assert (await get(app, range="bytes=0-1", if_range="nonsense")).status == 200


@pytest.mark.parametrize(
    ("date", "status"),
    [
        ("Sat, 01 Jan 2022 00:00:00 GMT", 206),
        ("Saturday, 01-Jan-22 00:00:00 GMT", 206),
        ("Sat Jan  1 00:00:00 2022", 206),
        ("Fri, 31 Dec 2021 23:59:59 GMT", 200),
        ("Sat, 01 Jan 2022 00:00:01 GMT", 200),
        ("Sun, 02 Jan 2022 00:00:00 GMT, Sun, 02 Jan 2022 00:00:00 GMT", 200),
    ],
)
async def test_d13_a_date_of_if_range_is_that_of_the_file_or_none(
    app: NexiosApp, folder: Path, date: str, status: int
) -> None:
    """Starlette #3567; RFC 9110 section 13.1.5: the very date, not one before or after it."""
    os.utime(folder / "file.txt", (1_640_995_200, 1_640_995_200))

    answer = await get(app, range="bytes=0-1", if_range=date)

    assert (answer.status, answer.body) == (status, b"01" if status == 206 else CONTENT)


async def test_d13_a_second_if_range_allows_nothing(app: NexiosApp) -> None:
    """Starlette #3568."""
    etag = ((await get(app)).header("etag") or "").encode()
    fields = [(b"range", b"bytes=0-1"), (b"if-range", etag), (b"if-range", etag)]

    assert (await call(app, headers=fields)).status == 200


@pytest.mark.parametrize("headers", [[], [(b"range", b"bytes=0-200000,300000-900000")]], ids=["whole", "ranges"])
async def test_d13_a_file_that_shrinks_ends_the_answer_and_is_not_ended_well(
    folder: Path, headers: list[tuple[bytes, bytes]], caplog: pytest.LogCaptureFixture
) -> None:
    """Starlette #3583: it looped for ever. The connection cannot be used again, so the server must see an error."""
    file = folder / "large"
    file.write_bytes(b"x" * MIB)
    app, sent = NexiosApp(), 0
    app.get("/")(lambda request, response: response.file(file))
    client = Peer()

    async def send(message: Message) -> None:
        nonlocal sent
        await client.send(message)
        sent += 1
        if sent == 2:
            os.truncate(file, 100 * KIB)

    with pytest.raises(FileChanged):
        await app(http_scope(headers=headers), client.receive, send)

    assert not client.complete
    assert client.size <= 200 * KIB
    assert len([record for record in caplog.records if record.levelno >= logging.WARNING]) == 1


@pytest.mark.parametrize("piece", ['a"', "W/", ",", '"a",', 'W/"', '"', '""', " "])
def test_d14_a_list_of_entity_tags_takes_linear_time(piece: str) -> None:
    """CVE-2025-61921 GHSA-mr3q-g2mv-mr4q."""
    assert linear(lambda n: parse_etags('"' + piece * n), 20_000)


@pytest.mark.parametrize("piece", ['a"', "W/", ",", '"'])
async def test_d14_a_malformed_list_of_entity_tags_gets_the_file(app: NexiosApp, piece: str) -> None:
    """CVE-2025-61921 GHSA-mr3q-g2mv-mr4q."""
    assert (await get(app, if_none_match='"' + piece * 10_000)).status == 200


FILLINGS: list[Callable[[Response], Response]] = [
    lambda response: response.text("é 🎉 \u2028"),
    lambda response: response.html("<p>é 🎉"),
    lambda response: response.json({"é": "🎉"}),
    lambda response: response.binary(memoryview(b"\0\0\0\1" * 3).cast("i")),  # type: ignore[arg-type]
    lambda response: response.binary(bytearray(b"abc")),  # type: ignore[arg-type]
    lambda response: response.empty(200),
    lambda response: response.file(__file__),
    lambda response: response.redirect("/\u00e9"),
]


@pytest.mark.parametrize("number", range(len(FILLINGS)))
async def test_d15_content_length_counts_bytes(number: int) -> None:
    """CVE-2026-34831 GHSA-q2ww-5357-x388: it was counted in characters."""
    app = NexiosApp()
    app.get("/")(lambda request, response: FILLINGS[number](response))

    got, head = await call(app), await call(app, method="HEAD")

    assert got.header("content-length") == str(len(got.body))
    assert head.header("content-length") == got.header("content-length")
    assert head.body == b""


@given(st.text() | st.binary() | st.lists(st.text()) | st.dictionaries(st.text(), st.floats()) | st.none())
async def test_d15_content_length_counts_the_bytes_of_whatever_a_handler_returns(value: object) -> None:
    """CVE-2026-34831 GHSA-q2ww-5357-x388: a GET, and a HEAD that keeps the length without the bytes."""
    app = NexiosApp()
    app.get("/")(lambda request, response: value)

    got, head = await call(app), await call(app, method="HEAD")

    length = got.header("content-length")
    assert length == (None if got.status == 204 else str(len(got.body)))
    assert (head.status, head.header("content-length"), head.body) == (got.status, length, b"")


@pytest.mark.parametrize("status", [204, 304])
async def test_d15_an_answer_without_content_has_no_length(status: int) -> None:
    """CVE-2026-34831 GHSA-q2ww-5357-x388; RFC 9110 section 8.6."""
    app = NexiosApp()
    app.get("/")(lambda request, response: response.text("é").status(status))

    answer = await call(app)

    assert (answer.body, answer.header("content-length")) == (b"", None)


@pytest.mark.parametrize("path", ["/é", "/🎉", "/\ud800", "/" + "é" * 100])
async def test_d15_an_error_for_an_odd_path_has_the_right_length(path: str) -> None:
    """CVE-2026-34831 GHSA-q2ww-5357-x388."""
    answer = await call(NexiosApp(), path=path)

    assert (answer.status, answer.header("content-length")) == (404, str(len(answer.body)))


async def test_d15_text_that_has_no_bytes_is_an_error_of_the_handler() -> None:
    """CVE-2026-34831 GHSA-q2ww-5357-x388: a lone surrogate."""
    app = NexiosApp()
    app.get("/")(lambda request, response: response.text("\ud800"))

    answer = await call(app)

    assert (answer.status, answer.complete) == (500, True)


@pytest.mark.parametrize(
    ("filename", "expected"),
    [
        ('x".bat;a=', "attachment; filename=\"x_.bat;a=\"; filename*=UTF-8''x%22.bat%3Ba%3D"),
        ("é.txt", "attachment; filename=\"_.txt\"; filename*=UTF-8''%C3%A9.txt"),
        ("../../a", 'attachment; filename="a"'),
        (r"..\..\a", 'attachment; filename="a"'),
        (";", 'attachment; filename=";"'),
        ("%22", "attachment; filename=\"_22\"; filename*=UTF-8''%2522"),
        ("a\\", "attachment"),
        ("..", "attachment"),
    ],
)
async def test_d16_a_download_has_one_name_that_cannot_be_read_otherwise(
    folder: Path, filename: str, expected: str
) -> None:
    """CVE-2022-36359, CVE-2022-45442 GHSA-2x8x-jmrp-phxw: a reflected file download."""
    app = NexiosApp()
    app.get("/")(lambda request, response: response.file(folder / "file.txt", filename=filename))

    assert (await call(app)).header("content-disposition") == expected


@pytest.mark.parametrize("filename", ["a\r\nX-Y: z", "a\nb", "a\rb", "a\0b", "a\x7fb", "a\x85b"])
def test_d16_a_name_with_control_characters_is_an_error(filename: str) -> None:
    """CVE-2022-36359."""
    with pytest.raises(InvalidHeader):
        format_content_disposition(filename)


@pytest.mark.slow
async def test_d17_a_file_is_never_in_memory(folder: Path) -> None:
    """CVE-2015-0221: 256 MiB without a line end, in chunks of 64 KiB."""
    file = folder / "sparse"
    with file.open("wb") as opened:
        opened.truncate(256 * MIB)
    app, client = NexiosApp(), Peer()
    app.get("/")(lambda request, response: response.file(file))

    with peak() as spent:
        await app(http_scope(), client.receive, client.send)

    assert (client.status, client.size, client.complete) == (200, 256 * MIB, True)
    assert client.sends >= 256 * MIB // (64 * KIB)
    assert spent.bytes < 2 * MIB


async def test_d17_slow_readers_hold_no_thread(folder: Path) -> None:
    """CVE-2015-0221: 200 clients that stopped reading, and one more that is served beside them."""
    (folder / "large").write_bytes(b"x" * MIB)
    app = NexiosApp(limits=Limits(send_timeout=None))
    app.get("/")(lambda request, response: response.file(folder / "large"))
    slow = [Peer(stalls_at=2) for _ in range(200)]
    tasks = [asyncio.ensure_future(app(http_scope(), one.receive, one.send)) for one in slow]
    for one in slow:
        await one.stalled.wait()

    client = Peer()
    await app(http_scope(), client.receive, client.send)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

    assert (client.size, client.complete) == (MIB, True)
    assert {one.size for one in slow} == {64 * KIB}
