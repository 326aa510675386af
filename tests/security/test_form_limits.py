"""Forms within limits, in either encoding: rows A1 to A4, A9, A10, A25 to A27 and A33."""

import logging

import pytest

from nexios.settings import Limits
from nexios.testing.raw import RawAnswer, call
from tests.security.kit import KIB, MIB, cpu_time, in_chunks, peak, post
from tests.security.reading_app import END, MULTIPART, URLENCODED, ReadingApp, field, part, text_body, upload

ENCODINGS = pytest.mark.parametrize("encoding", [MULTIPART, URLENCODED], ids=["multipart", "urlencoded"])


def refused(app: ReadingApp, answer: RawAnswer, code: str) -> bool:
    """Whether the handler never went on, and the answer is a small 413 with this code."""
    return (answer.status, answer.json()["code"], app.read) == (413, code, []) and len(answer.body) < KIB


@ENCODINGS
@pytest.mark.parametrize(("count", "fits"), [(1000, True), (1001, False)])
async def test_a1_too_many_fields_are_refused(encoding: str, count: int, fits: bool) -> None:
    """CVE-2023-30798 GHSA-74m5-2c7w-9w3x, CVE-2023-25577 GHSA-xg9f-g7g7-2323,
    CVE-2023-25578 GHSA-p24m-863f-fm6q, CVE-2023-25576 GHSA-hpp2-2cr5-pf6g.
    """
    app = ReadingApp()
    body = text_body(encoding, *[b"1"] * count)

    with cpu_time() as spent:
        answer = await post(app, body, encoding)

    assert answer.status == 200 if fits else refused(app, answer, "too_many_form_fields")
    assert len(app.fields if fits else app.read) == (count if fits else 0)
    assert spent.seconds < 0.3


@pytest.mark.parametrize(("count", "fits"), [(100, True), (101, False)])
async def test_a1_too_many_files_are_refused(count: int, fits: bool) -> None:
    """CVE-2023-30798, CVE-2023-25577: empty files count too."""
    app = ReadingApp()

    with cpu_time() as spent:
        answer = await post(app, upload(body=b"") * count + END, MULTIPART)

    assert answer.status == 200 if fits else refused(app, answer, "too_many_form_files")
    assert spent.seconds < 0.3


async def test_a1_parts_that_are_neither_field_nor_file_are_refused_at_the_first() -> None:
    """CVE-2023-25577: parts without a name must not be collected uncounted; here the form is malformed."""
    app = ReadingApp()

    answer = await post(app, in_chunks(part("Content-Disposition: form-data") * 10_001 + END), MULTIPART)

    assert (answer.status, answer.json()["code"], app.read) == (400, "malformed_form", [])
    assert answer.received == 1


@pytest.mark.parametrize(
    ("body", "encoding", "status"),
    [
        (text_body(MULTIPART, *[b"1"] * 1001), MULTIPART, 413),
        (text_body(URLENCODED, *[b"1"] * 1001), URLENCODED, 413),
        (upload(body=b"") * 101 + END, MULTIPART, 413),
        (part("Content-Disposition: form-data") * 1001 + END, MULTIPART, 400),
    ],
    ids=["fields of multipart", "urlencoded fields", "files", "neither"],
)
async def test_a1_too_many_parts_take_little_memory_and_time(body: bytes, encoding: str, status: int) -> None:
    """CVE-2023-30798: the count is checked before the parts exist."""
    app = ReadingApp()

    with cpu_time() as spent:
        answer = await post(app, body, encoding)
    with peak() as held:  # apart, since what traces memory takes time itself
        await post(app, body, encoding)

    assert (answer.status, app.read) == (status, [])
    assert held.bytes < 8 * MIB
    assert spent.seconds < 0.3


@ENCODINGS
async def test_a2_a_field_that_never_ends_is_given_up_at_its_limit(encoding: str) -> None:
    """CVE-2024-47874 GHSA-f96h-pmfr-66vw, CVE-2025-61771 GHSA-w9pc-fmgc-vxvw."""
    app = ReadingApp(Limits(max_body_size=None))
    start = field().removesuffix(b"\r\n") if encoding == MULTIPART else b"a="

    with peak() as spent:
        answer = await post(app, [start, *[b"x" * 64 * KIB] * 1024], encoding)

    assert refused(app, answer, "form_field_too_large")
    assert answer.received <= MIB // (64 * KIB) + 2
    assert spent.bytes < 4 * MIB


@ENCODINGS
async def test_a3_fields_that_each_fit_have_a_limit_together(encoding: str) -> None:
    """CVE-2024-49767 GHSA-q34m-jh98-gwm2: the sum is kept over all fields."""
    app = ReadingApp(Limits(max_body_size=None))
    body = text_body(encoding, *[b"x" * (MIB * 9 // 10)] * 20)

    answer = await post(app, in_chunks(body), encoding)

    assert refused(app, answer, "form_too_large")
    assert answer.received <= 10 * 16


@ENCODINGS
async def test_a3_a_field_in_tiny_pieces_has_the_same_limit(encoding: str) -> None:
    """CVE-2024-49767 GHSA-q34m-jh98-gwm2: the limit is not one of a chunk."""
    app = ReadingApp(Limits(max_form_part_size=2 * KIB))
    body = text_body(encoding, b"x" * (2 * KIB + 1))

    answer = await post(app, in_chunks(body, 1), encoding)

    assert refused(app, answer, "form_field_too_large")


@pytest.mark.parametrize(
    ("body", "code"),
    [(b"a=1&" * 2000, "too_many_form_fields"), (b"a=" + b"x" * 2 * MIB, "form_field_too_large")],
    ids=["fields", "size"],
)
async def test_a4_an_urlencoded_form_has_the_limits_of_any_form(body: bytes, code: str) -> None:
    """CVE-2026-54283 GHSA-82w8-qh3p-5jfq: limits of multipart were ignored for the other encoding."""
    app = ReadingApp()

    answer = await post(app, in_chunks(body), URLENCODED)

    assert refused(app, answer, code)


VALID = field("a", b"one") + END


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"\r\n" * 2 * MIB + VALID, 400), (b"x" * 4 * MIB + b"\r\n" + VALID, 400), (VALID + b"x" * 4 * MIB, 200)],
    ids=["line ends before", "junk before", "junk after"],
)
async def test_a9_what_is_around_the_parts_is_not_searched(
    body: bytes, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    """CVE-2024-53981 GHSA-59g5-xgcq-4qw3, CVE-2026-40347 GHSA-mj87-hwqh-73pj, CVE-2025-61770 GHSA-p543-xpfm-54cp."""
    app, chunks = ReadingApp(), in_chunks(body)

    with peak() as held, cpu_time() as spent, caplog.at_level(logging.DEBUG):
        answer = await post(app, chunks, MULTIPART)

    assert (answer.status, answer.received) == (status, 1)
    assert held.bytes < 2 * MIB
    assert spent.seconds < 0.3
    assert len(caplog.records) <= 1


DISPOSITION = 'Content-Disposition: form-data; name="a"'


@pytest.mark.parametrize(
    "chunks",
    [
        in_chunks(part(DISPOSITION, *[f"X-{number}: 1" for number in range(10_000)]) + END),
        in_chunks(part(DISPOSITION, "X: " + "x" * MIB) + END),
        [f"--b\r\n{DISPOSITION}\r\nX: ".encode(), *[b"x" * 64 * KIB] * 64],
        [f"--b\r\n{DISPOSITION}\r\n".encode(), *[b"X: 1\r\n" * 11 * KIB] * 64],
    ],
    ids=["10,000 headers", "1 MiB", "a line that never ends", "lines that never end"],
)
async def test_a10_the_headers_of_a_part_are_bounded(chunks: list[bytes]) -> None:
    """CVE-2026-42561 GHSA-pp6c-gr5w-3c5g, CVE-2026-34516 GHSA-m5qp-6w8w-w647, CVE-2025-61772 GHSA-wpv5-97wm-hp9c."""
    app = ReadingApp()

    answer = await post(app, chunks, MULTIPART)

    assert refused(app, answer, "form_headers_too_large")
    assert answer.received <= 2


@ENCODINGS
@pytest.mark.parametrize(("size", "fits"), [(256, True), (257, False)])
async def test_a10_a_field_name_is_bounded(encoding: str, size: int, fits: bool) -> None:
    """CVE-2026-42561 GHSA-pp6c-gr5w-3c5g."""
    app = ReadingApp()
    body = field("n" * size) + END if encoding == MULTIPART else b"n" * size + b"=1"

    answer = await post(app, body, encoding)

    assert answer.status == 200 if fits else refused(app, answer, "form_name_too_long")


@pytest.mark.parametrize("encoding", ["base64", "BASE64", "quoted-printable", "x-uuencode", "none"])
@pytest.mark.parametrize("body", [b"aGk=", b"=41=", b"=\r\n" * 100], ids=["base64", "quoted", "line ends"])
async def test_a25_what_calls_itself_encoded_is_bytes_like_any_other(encoding: str, body: bytes) -> None:
    """CVE-2026-108147: in a field and in a file (RFC 7578 section 4.7)."""
    app = ReadingApp()
    line = f"Content-Transfer-Encoding: {encoding}"
    disposition = 'Content-Disposition: form-data; name="f"; filename="x"'

    await post(app, part(DISPOSITION, line, body=body) + part(disposition, line, body=body) + END, MULTIPART)

    assert app.fields == [("a", body.decode())]
    assert app.read[0].files["f"].size == len(body)


async def test_a25_a_transfer_encoding_is_not_decoded() -> None:
    """CVE-2026-33033, CVE-2026-108147: base64 of nothing but spaces was decoded in quadratic time."""
    app, spaces = ReadingApp(), b" " * 2 * MIB
    disposition = 'Content-Disposition: form-data; name="f"; filename="x"'
    body = part(disposition, "Content-Transfer-Encoding: base64", body=spaces) + END

    with cpu_time() as spent:
        answer = await post(app, in_chunks(body), MULTIPART)

    assert (answer.status, app.read[0].files["f"].size) == (200, 2 * MIB)
    assert spent.seconds < 0.2


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"--b\r\n" * 100_000, 400), (b"\r\n--b" * 100_000, 400), (field() * 10_000, 413)],
    ids=["lines", "line ends", "fields"],
)
async def test_a26_boundaries_are_not_split_before_they_are_counted(body: bytes, status: int) -> None:
    """GHSA-8423-8fgw-73vq."""
    app, chunks = ReadingApp(), in_chunks(body)

    with peak() as spent:
        answer = await post(app, chunks, MULTIPART)

    assert (answer.status, app.read) == (status, [])
    assert spent.bytes < 2 * len(body)


async def test_a27_n3_malformed_parts_are_not_logged_one_by_one(caplog: pytest.LogCaptureFixture) -> None:
    """CVE-2025-47287 GHSA-7cx3-6m66-7c5m."""
    with caplog.at_level(logging.DEBUG):
        answer = await post(ReadingApp(), b"--b\r\nnonsense\r\n\r\n1\r\n" * 10_000 + END, MULTIPART)

    assert answer.status == 400
    assert len([record for record in caplog.records if record.levelno >= logging.WARNING]) <= 1
    assert len(caplog.records) <= 1


async def test_a27_n3_malformed_cookies_are_not_logged_one_by_one(caplog: pytest.LogCaptureFixture) -> None:
    """CVE-2025-69230."""
    app = ReadingApp()
    app.get("/cookies")(lambda request, response: response.json(len(request.cookies)))
    cookie = b"\x01=\x02;" * 10_000

    with caplog.at_level(logging.DEBUG, logger="nexios"):
        answer = await call(app, path="/cookies", headers=[(b"cookie", cookie)])

    assert answer.status < 500
    assert caplog.records == []


async def test_a33_the_headers_of_parts_are_not_kept() -> None:
    """CVE-2022-41725, CVE-2023-24536, CVE-2023-24534, CVE-2023-45290: overhead that no limit counted."""
    app = ReadingApp()
    one = part(DISPOSITION, *[f"X-{number:02}: {'x' * 490}" for number in range(15)])
    chunks = [one] * 1000 + [END]

    with peak() as spent:
        answer = await post(app, chunks, MULTIPART)

    assert (answer.status, len(app.fields)) == (200, 1000)
    assert spent.bytes < 4 * 10 * MIB / 10
