"""Multipart forms: what a valid body says, and that every other one is refused early and cleanly."""

import asyncio
import logging
import tracemalloc
from collections.abc import AsyncIterator, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexios.errors import BadRequest, ClientDisconnect, ContentTooLarge, HTTPException
from nexios.http.forms import FormData
from nexios.http.media_type import parse_media_type
from nexios.messages.form import close_form, read_form
from nexios.messages.upload import UploadFile
from nexios.settings import Limits

KIB = 1024
MIB = 1024 * 1024
END = b"--b--\r\n"


def part(*lines: str, body: bytes = b"1") -> bytes:
    return b"--b\r\n" + "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n" + body + b"\r\n"


def field(name: str = "a", body: bytes = b"1") -> bytes:
    return part(f'Content-Disposition: form-data; name="{name}"', body=body)


def upload(name: str = "f", filename: str = "x.txt", body: bytes = b"1") -> bytes:
    return part(f'Content-Disposition: form-data; name="{name}"; filename="{filename}"', body=body)


class Wire:
    """Chunks, and how many of them were taken."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self.taken = 0
        self.closed = False

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        for chunk in self._chunks:
            self.taken += 1
            return chunk
        raise StopAsyncIteration

    async def aclose(self) -> None:
        self.closed = True


async def read(*chunks: bytes, limits: Limits | None = None, boundary: str = "b") -> FormData:
    media_type = parse_media_type(f'multipart/form-data; boundary="{boundary}"')
    return await read_form(Wire(chunks), media_type, limits or Limits())


async def malformed(*chunks: bytes, boundary: str = "b") -> str:
    """The code of the 400 that the body is answered with."""
    with pytest.raises(BadRequest) as caught:
        await read(*chunks, boundary=boundary)
    return caught.value.code


async def too_large(*chunks: bytes, limits: Limits | None = None) -> str:
    """The code of the 413 that the body is answered with."""
    with pytest.raises(ContentTooLarge) as caught:
        await read(*chunks, limits=limits)
    return caught.value.code


async def contents(form: FormData) -> list[tuple[str, str | tuple[str | None, bytes]]]:
    pairs: list[tuple[str, str | tuple[str | None, bytes]]] = []
    for name, value in form.multi_items():
        pairs.append((name, value if isinstance(value, str) else (value.filename, await value.read())))
    await close_form(form)
    return pairs


async def outcome(chunks: Iterable[bytes], limits: Limits | None = None) -> object:
    """What the form holds, or the status and code it is refused with."""
    try:
        return await contents(await read(*chunks, limits=limits))
    except HTTPException as exc:
        return exc.status_code, exc.code


VALID = field("a", b"one") + upload("f", "x.txt", b"\r\n--\r\n-b two") + field("a", "Løve".encode()) + END
VALID_CONTENTS = [("a", "one"), ("f", ("x.txt", b"\r\n--\r\n-b two")), ("a", "Løve")]


async def test_fields_and_files_come_in_order() -> None:
    assert await contents(await read(VALID)) == VALID_CONTENTS


async def test_a_part_with_a_filename_is_a_file_whatever_its_type() -> None:
    form = await read(
        part(
            'Content-Disposition: form-data; name="f"; filename="x.txt"',
            "Content-Type: text/html; charset=utf-16",
            "X-Extra: yes",
        )
        + END
    )
    file = form["f"]

    assert isinstance(file, UploadFile)
    assert (file.filename, file.content_type, file.size) == ("x.txt", "text/html; charset=utf-16", 1)
    assert file.headers["x-extra"] == "yes"


async def test_a_file_without_type_is_a_stream_of_bytes() -> None:
    assert (await read(upload() + END)).files["f"].content_type == "application/octet-stream"


async def test_an_empty_filename_is_still_a_file() -> None:
    """What browsers send for a file input that nobody touched."""
    form = await read(upload(filename="", body=b"") + END)

    assert (form.files["f"].filename, form.files["f"].size) == ("", 0)


async def test_a_form_may_have_no_parts() -> None:
    assert len(await read(END)) == 0


async def test_text_may_be_empty_and_a_name_too() -> None:
    assert await contents(await read(field("", b"") + END)) == [("", "")]


@given(st.lists(st.integers(1, 40), max_size=20))
def test_how_the_body_is_cut_changes_nothing(sizes: list[int]) -> None:
    chunks, rest = [], VALID
    for size in sizes:
        chunks.append(rest[:size])
        rest = rest[size:]

    assert asyncio.run(outcome([*chunks, rest])) == VALID_CONTENTS


ODD_PIECES = [b"--b\r\n", b"--b--", b"\r\n", b"\n", b"\r", b"--", b"x", b" ", b"\x00", b"\xff", b";", b'"', b"--b"]
ODD_PIECES += [b"Content-Disposition: form-data", b'; name="a"', b'; filename="f"', b"Content-Type: ", b"text/plain"]


@given(st.lists(st.sampled_from([*ODD_PIECES, b"\r\n\r\n", field(), upload(), b"Content-Length: 1"]), max_size=20))
def test_any_body_is_a_form_or_a_clean_refusal_however_it_is_cut(pieces: list[bytes]) -> None:
    whole = asyncio.run(outcome([b"".join(pieces)]))
    apart = asyncio.run(outcome(pieces))

    assert apart == whole
    assert isinstance(whole, list) or whole[0] == 400  # type: ignore[index]


@given(st.binary(max_size=100), st.binary(max_size=100))
def test_any_bytes_in_place_of_a_part_are_a_form_or_a_clean_refusal(head: bytes, body: bytes) -> None:
    found = asyncio.run(outcome([b"--b\r\n" + head + b"\r\n\r\n" + body + b"\r\n--b--"]))

    assert isinstance(found, list) or found[0] == 400  # type: ignore[index]


async def test_a_body_that_is_cut_anywhere_is_a_bad_request() -> None:
    ends = VALID.rindex(b"--b--") + len(b"--b--")
    for stop in range(ends):
        assert await malformed(VALID[:stop]) == "malformed_form", stop


async def test_a_body_is_whole_when_its_last_boundary_is() -> None:
    assert await outcome([VALID.removesuffix(b"\r\n")]) == VALID_CONTENTS


async def test_a_body_that_breaks_off_is_not_taken_for_whole() -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield VALID[:100]
        raise ClientDisconnect

    with pytest.raises(ClientDisconnect):
        await read_form(broken(), parse_media_type("multipart/form-data; boundary=b"), Limits())


# The boundary


@pytest.mark.parametrize("boundary", ["b", "x" * 70, "----WebKitFormBoundary7MA4YWxkTrZu0gW", "a b", "'()+_,-./:=?"])
async def test_a_boundary_of_rfc_2046_is_read(boundary: str) -> None:
    body = field().replace(b"--b", b"--" + boundary.encode()) + b"--" + boundary.encode() + b"--"

    assert (await read(body, boundary=boundary))["a"] == "1"


@pytest.mark.parametrize("boundary", ["", "x" * 71, "é", "a ", "a;b", "a\tb", "\\n"])
async def test_another_boundary_is_a_bad_request(boundary: str) -> None:
    assert await malformed(VALID, boundary=boundary) == "malformed_form"


async def test_a_missing_boundary_is_a_bad_request() -> None:
    with pytest.raises(BadRequest):
        await read_form(Wire([VALID]), parse_media_type("multipart/form-data"), Limits())


def test_two_boundaries_are_a_bad_request() -> None:
    with pytest.raises(BadRequest):
        parse_media_type("multipart/form-data; boundary=safe; boundary=evil")


@pytest.mark.parametrize("size", [0, 1, 8 * KIB - 2])
async def test_a_short_preamble_is_skipped(size: int) -> None:
    preamble = b"x" * size + b"\r\n"

    assert await outcome([preamble + VALID]) == VALID_CONTENTS


@pytest.mark.parametrize("preamble", [b"x" * 8 * KIB + b"\r\n", b"x", b"\n", b"\r\n" * 2 * MIB, b"x" * 4 * MIB])
async def test_another_preamble_is_a_bad_request(preamble: bytes) -> None:
    assert await malformed(preamble + VALID) == "malformed_form"


async def test_a_body_that_never_begins_is_not_read_to_its_end() -> None:
    wire = Wire([b"\r\n" * 32 * KIB] * 64)

    with pytest.raises(BadRequest):
        await read_form(wire, parse_media_type("multipart/form-data; boundary=b"), Limits())

    assert (wire.taken, wire.closed) == (1, True)


@pytest.mark.parametrize("epilogue", [b"junk", b"\r\n--b\r\n", field("late")])
async def test_what_follows_the_last_boundary_is_ignored(epilogue: bytes) -> None:
    assert await outcome([VALID + epilogue]) == VALID_CONTENTS
    assert await outcome([VALID, epilogue]) == VALID_CONTENTS


async def test_what_follows_the_last_boundary_is_not_read() -> None:
    wire = Wire([VALID] + [b"x" * 64 * KIB] * 64)

    form = await read_form(wire, parse_media_type("multipart/form-data; boundary=b"), Limits())

    assert await contents(form) == VALID_CONTENTS
    assert (wire.taken, wire.closed) == (2, True)


# Counts and sizes


@pytest.mark.parametrize(("count", "fits"), [(999, True), (1000, True), (1001, False)])
async def test_a_form_has_a_thousand_fields_at_most(count: int, fits: bool) -> None:
    body = field() * count + END

    if fits:
        assert len((await read(body)).get_all("a")) == count
    else:
        assert await too_large(body) == "too_many_form_fields"


@pytest.mark.parametrize(("count", "fits"), [(99, True), (100, True), (101, False)])
async def test_a_form_has_a_hundred_files_at_most(count: int, fits: bool) -> None:
    body = upload(body=b"") * count + END

    if fits:
        assert len((await read(body)).files.get_all("f")) == count
    else:
        assert await too_large(body) == "too_many_form_files"


async def test_files_do_not_count_as_fields() -> None:
    form = await read(field() * 1000 + upload() * 100 + END)

    assert len(form.multi_items()) == 1100


@pytest.mark.parametrize(("size", "fits"), [(MIB - 1, True), (MIB, True), (MIB + 1, False)])
async def test_a_field_has_a_mebibyte_at_most(size: int, fits: bool) -> None:
    body = field(body=b"x" * size) + END

    if fits:
        assert len(str((await read(body))["a"])) == size
    else:
        assert await too_large(body) == "form_field_too_large"


@pytest.mark.parametrize(("size", "fits"), [(9, True), (10, True), (11, False)])
async def test_all_fields_together_have_a_limit(size: int, fits: bool) -> None:
    limits = Limits(max_form_text_size=20)
    body = field(body=b"x" * 10) + upload(body=b"x" * 100) + field(body=b"x" * size) + END

    if fits:
        assert len((await read(body, limits=limits)).fields.get_all("a")) == 2
    else:
        assert await too_large(body, limits=limits) == "form_too_large"


async def test_one_byte_at_a_time_passes_no_limit() -> None:
    body = field(body=b"x" * 1001) + END

    assert await too_large(*(bytes([byte]) for byte in body), limits=Limits(max_form_part_size=1000)) == (
        "form_field_too_large"
    )


async def test_a_field_that_never_ends_is_not_read_to_its_end() -> None:
    wire = Wire([field().removesuffix(b"\r\n")] + [b"x" * 64 * KIB] * 1024)
    tracemalloc.start()
    try:
        with pytest.raises(ContentTooLarge):
            await read_form(wire, parse_media_type("multipart/form-data; boundary=b"), Limits())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert wire.taken <= MIB // (64 * KIB) + 2
    assert peak < 4 * MIB


@pytest.mark.parametrize(("size", "fits"), [(255, True), (256, True), (257, False)])
async def test_a_name_has_256_bytes_at_most(size: int, fits: bool) -> None:
    body = field("n" * size) + END

    if fits:
        assert (await read(body))["n" * size] == "1"
    else:
        assert await too_large(body) == "form_name_too_long"


DISPOSITION = 'Content-Disposition: form-data; name="a"'


@pytest.mark.parametrize(("count", "fits"), [(15, True), (16, True), (17, False)])
async def test_a_part_has_sixteen_headers_at_most(count: int, fits: bool) -> None:
    body = part(DISPOSITION, *(f"X-{number}: 1" for number in range(count - 1))) + END

    if fits:
        assert (await read(body))["a"] == "1"
    else:
        assert await too_large(body) == "form_headers_too_large"


@pytest.mark.parametrize(("size", "fits"), [(8191, True), (8192, True), (8193, False)])
@pytest.mark.parametrize("lines", [1, 4])
async def test_the_headers_of_a_part_have_8_kib_at_most(size: int, lines: int, fits: bool) -> None:
    room = size - len(DISPOSITION) - lines * len("X-0: ")
    fillings = [room // lines] * (lines - 1)
    fillings.append(room - sum(fillings))
    body = part(DISPOSITION, *(f"X-{number}: {'x' * filling}" for number, filling in enumerate(fillings))) + END

    if fits:
        assert (await read(body))["a"] == "1"
    else:
        assert await too_large(body) == "form_headers_too_large"


@pytest.mark.parametrize("filling", [b"x" * 64 * KIB, b"X: 1\r\n" * 11 * KIB], ids=["one line", "many lines"])
async def test_headers_that_never_end_are_not_read_to_their_end(filling: bytes) -> None:
    wire = Wire([b"--b\r\n" + f"{DISPOSITION}\r\nX: ".encode()] + [filling] * 64)

    with pytest.raises(ContentTooLarge):
        await read_form(wire, parse_media_type("multipart/form-data; boundary=b"), Limits())

    assert wire.taken <= 2


async def test_the_headers_of_many_parts_are_not_kept() -> None:
    lines = [f"X-{number}: {'x' * 480}" for number in range(15)]
    chunks = [part(DISPOSITION, *lines) for _ in range(200)]
    tracemalloc.start()
    try:
        await read(*chunks, END)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < MIB


# What a part may say


@pytest.mark.parametrize(
    "lines",
    [
        ("Content-Disposition: form-data",),
        ("Content-Disposition: form-data; filename=x",),
        ('Content-Disposition: attachment; name="a"',),
        ('Content-Disposition: form-data; name="a', "X: 1"),
        ("Content-Type: text/plain",),
        (),
        (DISPOSITION, DISPOSITION),
        (DISPOSITION, "Content-Type: text/plain", "Content-Type: text/plain"),
        (DISPOSITION, "Content-Length: 5"),
        (DISPOSITION, "Content-Length: -1"),
        (DISPOSITION, "Content-Length: ٥"),
        (DISPOSITION, "no colon"),
        (DISPOSITION, "Bäd: 1"),
        (DISPOSITION, "X: 1", " folded"),
        ("Content-Disposition: form-data;", ' name="a"'),
        ('Content-Disposition: form-data; name="a\nX: y"',),
        ('Content-Disposition: form-data; name="a\rX: y"',),
        ('Content-Disposition: form-data; name="a\x00"',),
        ('Content-Disposition: form-data; name="a"; filename="x\x00.png"',),
        ('Content-Disposition: form-data; name="a"; filename="x\x7f.png"',),
        (DISPOSITION, "Content-Type: multipart/mixed; boundary=c"),
        (DISPOSITION, "Content-Type:  Multipart/Form-Data; boundary=c"),
        ('Content-Disposition: form-data; name="a"; filename="x"', "Content-Type: multipart/mixed"),
    ],
    ids=repr,
)
async def test_a_part_that_is_malformed_is_a_bad_request(lines: tuple[str, ...]) -> None:
    assert await malformed(part(*lines) + END) == "malformed_form"


@pytest.mark.parametrize(
    "parameters", ['name="a"; name="b"', 'name="a"; filename="x"; filename="y"', 'name="a"; x', 'name="a" "b"']
)
async def test_a_disposition_that_reads_two_ways_is_a_bad_request(parameters: str) -> None:
    body = part(f"Content-Disposition: form-data; {parameters}") + END

    assert await malformed(body) == "malformed_disposition"


async def test_headers_that_are_not_utf_8_are_a_bad_request() -> None:
    assert await malformed(field().replace(b'"a"', b'"\xff"') + END) == "malformed_form"


async def test_extended_parameters_are_ignored() -> None:
    """RFC 7578 section 4.2: a reader in front of us does not know them either."""
    disposition = "form-data; name=\"a\"; name*=utf-8''role; filename=\"x.txt\"; filename*=utf-8''..%2f..%2fp.py"

    form = await read(part(f"Content-Disposition: {disposition}") + END)

    assert await contents(form) == [("a", ("x.txt", b"1"))]


@pytest.mark.parametrize("name", ["a[b][c]", "a[-1]", "__class__", "a.b", "ключ", "a[" * 100])
async def test_names_are_flat_and_unicode(name: str) -> None:
    assert await contents(await read(field(name) + END)) == [(name, "1")]


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", "us-ascii"])
async def test_text_may_say_that_it_is_utf_8(charset: str) -> None:
    body = part(DISPOSITION, f"Content-Type: text/plain; charset={charset}", body="é".encode()) + END

    assert (await read(body))["a"] == "é"


@pytest.mark.parametrize("charset", ["utf-16", "utf-7", "latin-1", "none"])
async def test_text_in_another_charset_is_a_bad_request(charset: str) -> None:
    body = part(DISPOSITION, f"Content-Type: text/plain; charset={charset}") + END

    assert await malformed(body) == "unsupported_charset"


@pytest.mark.parametrize("text", [b"\xff", b"\xc3", b"\xed\xa0\x80"])
async def test_text_that_is_not_utf_8_is_a_bad_request(text: bytes) -> None:
    assert await malformed(field(body=text) + END) == "malformed_form"


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable", "gzip"])
async def test_transfer_encodings_are_not_decoded(encoding: str) -> None:
    body = part(DISPOSITION, f"Content-Transfer-Encoding: {encoding}", body=b"PQ==") + END

    assert (await read(body))["a"] == "PQ=="


@pytest.mark.parametrize("beginning", [b"\r", b"\n", b"\r\n", b"\r\n--", b"\r\n-" * 1000])
async def test_a_file_may_look_like_a_boundary_for_a_while(beginning: bytes) -> None:
    content = beginning + b"a" * MIB

    body = upload(body=content) + END

    form = await read(*(body[start : start + 64 * KIB] for start in range(0, len(body), 64 * KIB)))

    assert await contents(form) == [("f", ("x.txt", content))]


async def test_a_malformed_form_writes_nothing_to_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        await malformed(b"--b\r\n" * 10_000)

    assert [record for record in caplog.records if record.name != "asyncio"] == []
