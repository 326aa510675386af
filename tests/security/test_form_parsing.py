"""What a form says, and how long it takes to find out: rows A6 to A8, A11 to A13, A16 to A19, A24, A30 to A32."""

import ast
import asyncio
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import nexios.errors
from nexios.errors import BadRequest
from nexios.http.accept import best_match
from nexios.http.disposition import parse_content_disposition
from nexios.http.forms import parse_urlencoded
from nexios.http.media_type import parse_media_type, parse_parameters
from nexios.http.query import parse_query
from nexios.settings import Limits
from nexios.testing.raw import call
from tests.security.kit import KIB, MIB, cpu_time, in_chunks, linear, post
from tests.security.reading_app import END, MULTIPART, URLENCODED, ReadingApp, field, part, upload

PACKAGE = Path(nexios.errors.__file__).parent


def tried(parse: object, text: str) -> None:
    """Parse, or be refused cleanly."""
    try:
        parse(text)  # type: ignore[operator]
    except BadRequest:
        pass


def asked(app: ReadingApp, body: list[bytes], content_type: str) -> int:
    return asyncio.run(post(app, body, content_type)).status


def test_a6_backslashes_in_a_content_type_take_linear_time() -> None:
    """CVE-2024-24762 GHSA-qf9m-vfgh-m389, GHSA-93gm-qmq6-w238."""
    value = URLENCODED + '; !="'

    assert linear(lambda n: tried(parse_media_type, value + "\\" * n), 50_000)


@pytest.mark.parametrize("end", ["", '"'])
async def test_a6_such_a_content_type_is_a_clean_refusal(end: str) -> None:
    """CVE-2024-24762 GHSA-qf9m-vfgh-m389: without the quote it is malformed, with it the parameter is unknown."""
    answer = await post(ReadingApp(), b"a=1", URLENCODED + '; !="' + "\\" * 200_000 + end)

    assert answer.status == (200 if end else 415)


@pytest.mark.parametrize(
    ("parse", "piece"),
    [
        (parse_content_disposition, 'form-data; name="{}'),
        (parse_content_disposition, 'form-data; name="{}"'),
        (parse_parameters, '; a="{}'),
        (parse_media_type, 'a/b; a="{}'),
    ],
    ids=["unclosed", "closed", "parameters", "media type"],
)
@pytest.mark.parametrize("filling", ['\\\\"', "\\a", '\\"'])
def test_a7_escapes_in_a_parameter_take_linear_time(parse: object, piece: str, filling: str) -> None:
    """CVE-2026-28356 GHSA-p2m9-wcp5-6qw3."""
    assert linear(lambda n: tried(parse, piece.format(filling * n)), 20_000)


async def test_a7_a_name_that_is_not_closed_is_a_bad_request() -> None:
    """CVE-2026-28356 GHSA-p2m9-wcp5-6qw3."""
    disposition = 'Content-Disposition: form-data; name="' + '\\\\"' * 2000

    answer = await post(ReadingApp(), part(disposition) + END, MULTIPART)

    assert (answer.status, answer.json()["code"]) == (400, "malformed_disposition")


def test_a8_semicolons_in_a_quoted_parameter_take_linear_time() -> None:
    """CVE-2026-84429, CVE-2025-67726 GHSA-jhmp-mqwm-3gq8."""
    assert linear(lambda n: tried(parse_content_disposition, 'form-data; name="' + ";" * n + '"'), 20_000)
    assert linear(lambda n: tried(parse_parameters, "; " * n + 'a="' + ";" * n + '"'), 20_000)
    assert linear(lambda n: best_match('text/html; a="' + ";" * n + '"', ["text/html"]), 20_000)


async def test_a8_a_header_of_semicolons_is_too_large_before_it_is_parsed() -> None:
    """CVE-2026-84429: a part has 8 KiB of headers, a request 64 KiB."""
    app = ReadingApp()
    app.get("/accept")(lambda request, response: response.json(request.headers.get("accept")))
    disposition = 'Content-Disposition: form-data; name="' + ";" * 8 * KIB + '"'
    accept = b'text/html; a="' + b";" * 64 * KIB + b'"'

    assert (await post(app, part(disposition) + END, MULTIPART)).status == 413
    assert (await call(app, path="/accept", headers=[(b"accept", accept)])).status == 431


async def test_a11_extended_parameters_do_not_override_plain_ones() -> None:
    """CVE-2026-53537; RFC 7578 section 4.2."""
    app = ReadingApp()
    names = "name=\"a\"; name*=utf-8''role; filename=\"x.txt\"; filename*=utf-8''..%2f..%2fp.py"

    await post(app, part(f"Content-Disposition: form-data; {names}") + END, MULTIPART)

    assert [(name, file.filename) for name, file in app.read[0].files.multi_items()] == [("a", "x.txt")]


async def test_a12_a_semicolon_separates_nothing() -> None:
    """CVE-2026-53538, CVE-2021-23336, CVE-2020-28473 GHSA-qhx9-7hx7-cp4r, CVE-2025-59830 GHSA-625h-95r8-8xpm."""
    app = ReadingApp()
    app.get("/query")(lambda request, response: response.json(request.query_params.multi_items()))

    query = await call(app, path="/query", query=b"a=1;b=2&c=3")
    await post(app, b"a=1;b=2&c=3", URLENCODED)

    assert query.json() == [["a", "1;b=2"], ["c", "3"]]
    assert app.fields == [("a", "1;b=2"), ("c", "3")]


@pytest.mark.parametrize(("separator", "status"), [(b";", 200), (b"&", 400)])
async def test_a12_only_ampersands_are_counted_in_a_query(separator: bytes, status: int) -> None:
    """CVE-2025-59830 GHSA-625h-95r8-8xpm: a limit that counts one separator and splits at another."""
    app = ReadingApp()
    app.get("/query")(lambda request, response: response.json(len(request.query_params)))

    answer = await call(app, path="/query", query=separator.join([b"a=1"] * 2000))

    assert answer.status == status


@pytest.mark.parametrize(("separator", "status"), [(b";", 200), (b"&", 413)])
async def test_a12_only_ampersands_are_counted_in_a_form(separator: bytes, status: int) -> None:
    """CVE-2025-59830 GHSA-625h-95r8-8xpm."""
    assert (await post(ReadingApp(), separator.join([b"a=1"] * 2000), URLENCODED)).status == status


def test_a13_semicolons_without_ampersands_take_linear_time() -> None:
    """CVE-2026-53539 GHSA-5rvq-cxj2-64vf."""
    assert linear(lambda n: parse_query(b";a=1" * n, max_size=100 * MIB), 20_000)
    assert linear(lambda n: parse_urlencoded(b";a=1" * n), 20_000)


async def test_a13_a_body_of_semicolons_is_one_field() -> None:
    """CVE-2026-53539 GHSA-5rvq-cxj2-64vf."""
    app = ReadingApp()

    await post(app, in_chunks(b";a=1" * 80_000), URLENCODED)

    assert [name for name, _ in app.fields] == [";a"]


@pytest.mark.parametrize("beginning", [b"\r", b"\n", b"\r\n--"])
def test_a16_a_part_that_looks_like_a_boundary_takes_linear_time(beginning: bytes) -> None:
    """CVE-2023-46136 GHSA-hrfv-mqp8-q5rw."""
    app = ReadingApp(Limits(max_body_size=None, spool_size=32 * MIB))

    @cache  # making such a body takes as long as reading it
    def body_of(n: int) -> list[bytes]:
        return in_chunks(upload(body=beginning + b"a" * n) + END)

    def send(n: int) -> None:
        app.read.clear()
        assert asked(app, body_of(n), MULTIPART) == 200
        assert app.read[0].files["f"].size == len(beginning) + n

    assert linear(send, 4 * MIB)


@pytest.mark.parametrize("piece", [b"\r\n-", b"\r\n--a", b"\r"])
def test_a16_a_part_of_nothing_but_such_starts_takes_linear_time(piece: bytes) -> None:
    """CVE-2023-46136 GHSA-hrfv-mqp8-q5rw."""
    app = ReadingApp(Limits(spool_size=8 * MIB))

    assert linear(lambda n: asked(app, in_chunks(upload(body=piece * n) + END), MULTIPART), 100_000)


@pytest.mark.parametrize(
    "parameters",
    [
        "boundary=b; boundary=evil",
        "boundary=evil; boundary=b",
        "boundary=b; boundary=b",
        "boundary=b; BOUNDARY=evil",
        'boundary=b; boundary="b"',
        "boundary=b, multipart/form-data; boundary=evil",
    ],
)
async def test_a17_two_boundaries_are_refused(parameters: str) -> None:
    """CVE-2026-26961 GHSA-vgpv-f759-9wx3: which one a proxy in front takes is anyone's guess.

    415, as every Content-Type that is malformed.
    """
    app = ReadingApp()

    answer = await post(app, field() + END, f"multipart/form-data; {parameters}")

    assert (answer.status, answer.received, app.read) == (415, 0, [])


async def test_a17_two_headers_are_no_way_to_two_boundaries() -> None:
    """CVE-2026-26961 GHSA-vgpv-f759-9wx3."""
    app = ReadingApp()
    second = (b"content-type", b"multipart/form-data; boundary=evil")

    answer = await post(app, field() + END, MULTIPART, headers=[second])

    assert (answer.status, answer.received, app.read) == (415, 0, [])


@pytest.mark.parametrize(
    "lines",
    [
        (b"Content-Disposition: form-data;", b' name="a"'),
        (b"Content-Disposition: form-data;", b' name="a', b'X: y"'),
        (b'Content-Disposition: form-data; name="a"', b" folded"),
        (b'Content-Disposition: form-data; name="a\x7f"',),
        (b'Content-Disposition\x00: form-data; name="a"',),
        (b'Content-Disposition: form-data; name="a"', b"X: 1", b"\tfolded"),
        (b'Content-Disposition: form-data; name="a\r X: y"',),
        (b'Content-Disposition: form-data; name="a\rX: y"',),
        (b'Content-Disposition: form-data; name="a\nX: y"',),
        (b'Content-Disposition: form-data; name="a\x00"',),
        (b'Content-Disposition: form-data; name="a"', b"X: \x00"),
        (b'Content-Disposition: form-data; name="a"', b"X: a\rb"),
    ],
    ids=repr,
)
async def test_a18_folded_and_control_characters_do_not_reach_the_app(lines: tuple[bytes, ...]) -> None:
    """CVE-2026-26962 GHSA-rx22-g9mx-qrhv, and the bare CR of Tornado 6.5.5."""
    app = ReadingApp()

    answer = await post(app, part(*lines) + END, MULTIPART)

    assert (answer.status, app.read) == (400, [])


@pytest.mark.parametrize("key", ["filename", "title"])
def test_a19_many_parts_with_escaped_names_take_linear_time(key: str) -> None:
    """CVE-2026-34827 GHSA-v6x5-cg8r-vv6x, CVE-2022-44571, CVE-2025-49007 GHSA-47m2-26rw-j2jw."""
    app = ReadingApp()
    disposition = f'Content-Disposition: form-data; name="a"; {key}="' + '\\"' * 3900 + '"'

    def send(n: int) -> None:
        assert asked(app, in_chunks(part(disposition) * n + END), MULTIPART) == 200

    assert linear(send, 8)


async def test_a19_a_name_of_escapes_is_too_long() -> None:
    """CVE-2026-34827 GHSA-v6x5-cg8r-vv6x: 4000 quotes are over the 256 bytes of a name."""
    disposition = 'Content-Disposition: form-data; name="' + '\\"' * 4000 + '"'

    with cpu_time() as spent:
        answer = await post(ReadingApp(), part(disposition) * 100 + END, MULTIPART)

    assert answer.status == 413
    assert spent.seconds < 0.1


PIECES = [b"--b\r\n", b"--b--", b"\r\n", b"\n", b"\r", b"--", b"x", b"\x00", b"\xff", b";", b'"', b"\r\n\r\n", field()]
PIECES += [b"Content-Disposition: form-data", b'; name="a"', b'; filename="f"', upload(), END, b"Content-Length: -1"]


@given(st.lists(st.sampled_from(PIECES), max_size=12), st.sampled_from([MULTIPART, URLENCODED]))
def test_a24_every_body_has_an_end_and_a_clean_answer(pieces: list[bytes], content_type: str) -> None:
    """CVE-2024-30251 GHSA-5m98-qgg9-wh84, CVE-2025-69227 GHSA-jj3x-wxrx-4x23, CVE-2022-23833.

    The suite runs this folder under `python -O` too.
    """
    with cpu_time() as spent:
        status = asked(ReadingApp(), pieces or [b""], content_type)

    assert status in (200, 400, 413)
    assert spent.seconds < 1


def test_a24_no_assert_guards_the_package() -> None:
    """CVE-2025-69227 GHSA-jj3x-wxrx-4x23: `python -O` removes it."""
    found = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Assert)
    ]

    assert found == []


@pytest.mark.parametrize(
    "lines",
    [
        ('Content-Disposition: form-data; filename="x"',),
        ("Content-Disposition: form-data",),
        ("Content-Disposition: form-data; name=",),
        ("Content-Disposition:",),
        ("Content-Type: text/plain",),
        ("",),
    ],
    ids=repr,
)
async def test_a30_a_part_without_a_name_is_a_bad_request(lines: tuple[str, ...]) -> None:
    """CVE-2025-48997, CVE-2025-47944, CVE-2026-3520: it stopped the process."""
    assert (await post(ReadingApp(), part(*lines) + END, MULTIPART)).status == 400


async def test_a30_an_empty_name_is_a_name() -> None:
    """CVE-2025-48997: it stopped the process; browsers send it."""
    app = ReadingApp()

    await post(app, field("") + END, MULTIPART)

    assert app.fields == [("", "1")]


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        'multipart/form-data; boundary=""',
        "multipart/form-data; boundary=" + "b" * 71,
        'multipart/form-data; boundary="é"',
        'multipart/form-data; boundary="b\\\n"',
        "multipart/form-data; boundary",
        "multipart/mixed; boundary=b",
        "multipart/",
        ";",
        "",
    ],
)
async def test_a30_a_boundary_that_is_none_is_a_clean_refusal(content_type: str) -> None:
    """CVE-2025-47944."""
    app = ReadingApp()

    answer = await post(app, field() + END, content_type)

    assert answer.status in (400, 415)
    assert (app.read, answer.received) == ([], 0)


async def test_a30_a_body_that_is_cut_anywhere_is_a_bad_request() -> None:
    """CVE-2025-47944."""
    body = field("a", b"one") + upload("x.txt", b"\r\n--two") + b"--b--"

    statuses = {(await post(ReadingApp(), body[:stop], MULTIPART)).status for stop in range(len(body))}

    assert statuses == {400}


@pytest.mark.parametrize("body", [b"a=%", b"a=%4", b"%=%zz", b"=", b"&&&", b"=1&a", b"a", b"%00=%", b"&=&="])
async def test_a30_an_urlencoded_form_that_is_cut_is_text_as_it_came(body: bytes) -> None:
    """CVE-2025-47944: what is no escape stands for itself (WHATWG URL section 5.1)."""
    app = ReadingApp()

    answer = await post(app, body, URLENCODED)

    assert (answer.status, len(app.read)) == (200, 1)
    assert (await post(app, body + b"&a=%ff", URLENCODED)).status == 400


@pytest.mark.parametrize(
    "name",
    ["a[" * 100, "a[99999999]", "a[-1]", "a[b][c][d]", "__class__", "__proto__[x]", "constructor.prototype.x", "a.b"],
)
@pytest.mark.parametrize("encoding", [MULTIPART, URLENCODED], ids=["multipart", "urlencoded"])
async def test_a31_names_are_flat_strings(name: str, encoding: str) -> None:
    """CVE-2014-10064, CVE-2014-7191, CVE-2017-1000048, CVE-2022-24999, CVE-2025-15284, CVE-2026-82562,
    CVE-2026-5079, CVE-2025-48075, CVE-2025-54801.
    """
    app = ReadingApp()
    body = field(name) + END if encoding == MULTIPART else name.encode() + b"=1"

    await post(app, body, encoding)

    assert app.fields == [(name, "1")]
    assert type(app.read[0]).__name__ == "FormData"
    assert parse_query(f"{name}=1").multi_items() == [(name, "1")]


@pytest.mark.parametrize(
    ("body", "encoding"),
    [(field("a[]") * 2000 + END, MULTIPART), (b"a[]=1&" * 2000, URLENCODED)],
    ids=["multipart", "urlencoded"],
)
async def test_a31_an_array_in_brackets_has_the_limit_of_fields(body: bytes, encoding: str) -> None:
    """CVE-2025-15284: a[]=1 was not counted."""
    answer = await post(ReadingApp(), body, encoding)

    assert (answer.status, answer.json()["code"]) == (413, "too_many_form_fields")


@pytest.mark.parametrize(
    ("body", "encoding"),
    [(field("a[" * 500) + END, MULTIPART), (b"a[" * 500 + b"=1", URLENCODED)],
    ids=["multipart", "urlencoded"],
)
async def test_a31_five_hundred_brackets_are_a_name_that_is_too_long(body: bytes, encoding: str) -> None:
    """CVE-2025-48997, CVE-2022-24999: depth is no recursion here, and a name has 256 bytes."""
    app = ReadingApp()

    answer = await post(app, body, encoding)

    assert (answer.status, answer.json()["code"], app.read) == (413, "form_name_too_long", [])
    assert parse_query("a[" * 500 + "=1").multi_items() == [("a[" * 500, "1")]


async def test_a32_too_many_query_parameters_are_refused() -> None:
    """CVE-2024-45590 GHSA-qwcr-r2fm-qrc7, CVE-2025-13466 GHSA-wqch-xfxh-vrr4, CVE-2025-46727 GHSA-gjh7-p2fx-99vx,
    CVE-2025-61726.
    """
    app = ReadingApp()
    app.get("/query")(lambda request, response: response.json(len(request.query_params)))

    assert (await call(app, path="/query", query=b"a=1&" * 10_000)).status == 400
    assert (await call(app, path="/query", query=b"&".join([b"a=1"] * 1001))).status == 400
    assert (await call(app, path="/query", query=b"&".join([b"a=1"] * 1000))).status == 200
    assert (await call(app, path="/query", query=b"a=" + b"x" * 64 * KIB)).status == 414


async def test_a32_a_query_that_nobody_reads_is_not_parsed() -> None:
    """CVE-2024-45590 GHSA-qwcr-r2fm-qrc7."""
    app = ReadingApp()
    app.get("/ignored")(lambda request, response: response.text("ok"))

    assert (await call(app, path="/ignored", query=b"a=1&" * 10_000)).status == 200


def test_a32_query_parameters_take_linear_time() -> None:
    """CVE-2025-61726."""
    assert linear(lambda n: parse_query(b"a%20=%20&" * n, max_params=10**9, max_size=10**9), 20_000)
