"""Promises about bodies, forms and JSON: R1 to R3."""

import logging
import tempfile
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from nexios.application import NexiosApp
from nexios.errors import ContentTooLarge
from nexios.messages.request import Request
from nexios.messages.response import Response
from nexios.routing.router import Router
from nexios.settings import Limits
from tests.security.kit import KIB, MIB, in_chunks, post
from tests.security.reading_app import END, MULTIPART, URLENCODED, ReadingApp, field, part, text_body, upload

ENCODINGS = pytest.mark.parametrize("encoding", [MULTIPART, URLENCODED], ids=["multipart", "urlencoded"])
AROUND = pytest.mark.parametrize("by", [-1, 0, 1])


def errors_in(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


# R1: the size of a body


@AROUND
@pytest.mark.parametrize("reader", ["body", "text", "stream"])
async def test_r1_a_body_may_be_as_large_as_the_limit(reader: str, by: int) -> None:
    """One byte more is a 413, announced or not."""
    for headers in ([], [(b"content-length", str(1000 + by).encode())]):
        app = ReadingApp(Limits(max_body_size=1000))

        answer = await post(app, in_chunks(b"x" * (1000 + by), 100), path=f"/{reader}", headers=headers)

        assert (answer.status, len(app.read)) == ((413, 0) if by > 0 else (200, 1))


async def test_r1_the_default_is_ten_mebibytes() -> None:
    """As in section 2.2."""
    app = ReadingApp()

    assert (await post(app, in_chunks(b"x" * 10 * MIB), path="/body")).status == 200
    assert (await post(app, in_chunks(b"x" * (10 * MIB + 1)), path="/body")).status == 413


@pytest.mark.parametrize(("path", "limit"), [("/app", 100), ("/router", 200), ("/route", 300)])
@AROUND
async def test_r1_the_nearest_limit_counts(path: str, limit: int, by: int) -> None:
    """Route, then router, then app."""
    app = NexiosApp(limits=Limits(max_body_size=100))
    router = Router(max_body_size=200)

    async def read(request: Request, response: Response) -> str:
        return str(len(await request.body()))

    app.post("/app")(read)
    router.post("/router")(read)
    router.post("/route", max_body_size=300)(read)
    app.mount_router(router)

    assert (await post(app, b"x" * (limit + by), path=path)).status == (413 if by > 0 else 200)


async def test_r1_a_limit_that_is_passed_while_answering_breaks_the_answer(caplog: pytest.LogCaptureFixture) -> None:
    """The server must close the connection, and the log has it once."""
    app = NexiosApp(limits=Limits(max_body_size=1000))

    async def echo(request: Request, response: Response) -> Response:
        async def chunks() -> AsyncIterator[bytes]:
            yield b"begun"
            async for chunk in request.stream():
                yield chunk

        return response.stream(chunks())

    app.post("/")(echo)

    answer = await post(app, [b"x" * 600] * 4)

    assert (answer.status, answer.complete, type(answer.error)) == (200, False, ContentTooLarge)
    assert answer.body == b"begun" + b"x" * 600
    assert len(errors_in(caplog)) == 1


# R2: each limit of a form, one below, at it and one over


@ENCODINGS
@AROUND
@pytest.mark.parametrize(
    ("limits", "values", "code"),
    [
        (Limits(max_form_fields=20), lambda by: [b"1"] * (20 + by), "too_many_form_fields"),
        (Limits(max_form_part_size=500), lambda by: [b"x" * (500 + by)], "form_field_too_large"),
        (Limits(max_form_text_size=500), lambda by: [b"x" * 100] * 4 + [b"x" * (100 + by)], "form_too_large"),
        (Limits(max_form_part_size=500), lambda by: ["é".encode() * 249 + b"xx" + b"x" * by], "form_field_too_large"),
    ],
    ids=["fields", "part", "text", "part in UTF-8"],
)
async def test_r2_a_limit_holds_in_both_encodings(
    encoding: str, by: int, limits: Limits, values: Callable[[int], list[bytes]], code: str
) -> None:
    """And however the body is cut on its way."""
    for size in (1, 100, 64 * KIB):
        app = ReadingApp(limits)

        answer = await post(app, in_chunks(text_body(encoding, *values(by)), size), encoding)

        if by > 0:
            assert (answer.status, answer.json()["code"], app.read) == (413, code, [])
        else:
            assert answer.status == 200
            assert [value.encode() for _, value in app.fields] == values(by)


@AROUND
async def test_r2_percent_escapes_are_counted_decoded(by: int) -> None:
    """So that both encodings hold the same text."""
    app = ReadingApp(Limits(max_form_part_size=500))

    answer = await post(app, b"a=" + b"%78" * (500 + by), URLENCODED)

    assert answer.status == (413 if by > 0 else 200)


@AROUND
@pytest.mark.parametrize("size", [256, 128])
@ENCODINGS
async def test_r2_a_name_has_256_bytes(encoding: str, size: int, by: int) -> None:
    """Of UTF-8: 128 letters of two bytes are as long."""
    name = "n" * (size + by) if size == 256 else "é" * (size + by)
    body = field(name) + END if encoding == MULTIPART else name.encode() + b"=1"

    assert (await post(ReadingApp(), body, encoding)).status == (413 if by > 0 else 200)


@AROUND
@pytest.mark.parametrize(
    ("limits", "body"),
    [
        (Limits(max_form_files=7), lambda by: upload(body=b"") * (7 + by) + END),
        (Limits(max_part_headers=7), lambda by: part(DISPOSITION, *[f"X-{n}: 1" for n in range(6 + by)]) + END),
        (
            Limits(max_part_header_size=500),
            lambda by: part(DISPOSITION, "X: " + "x" * (497 + by - len(DISPOSITION))) + END,
        ),
    ],
    ids=["files", "headers", "header size"],
)
async def test_r2_a_limit_of_parts_holds(by: int, limits: Limits, body: Callable[[int], bytes]) -> None:
    """These are for multipart alone."""
    app = ReadingApp(limits)

    answer = await post(app, body(by), MULTIPART)

    assert (answer.status, len(app.read)) == ((413, 0) if by > 0 else (200, 1))


DISPOSITION = 'Content-Disposition: form-data; name="a"'


@AROUND
async def test_r2_a_boundary_has_seventy_characters(by: int) -> None:
    """RFC 2046 section 5.1.1."""
    boundary = "b" * (70 + by)
    body = (field() + END).replace(b"--b", b"--" + boundary.encode())

    answer = await post(ReadingApp(), body, f"multipart/form-data; boundary={boundary}")

    assert answer.status == (400 if by > 0 else 200)


@AROUND
async def test_r2_a_file_goes_to_disk_beyond_the_spool_size(by: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """And only then."""
    made, make = [], tempfile.TemporaryFile
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda: made.append(1) or make())  # type: ignore[func-returns-value]

    answer = await post(ReadingApp(Limits(spool_size=500)), upload(body=b"x" * (500 + by)) + END, MULTIPART)

    assert (answer.status, len(made)) == (200, max(by, 0))


@pytest.mark.parametrize("content_type", ["multipart/mixed; boundary=c", "multipart/form-data", "Multipart/X"])
async def test_r2_a_form_in_a_form_is_refused(content_type: str) -> None:
    """RFC 7578 section 4.3 ended nested parts."""
    body = part(DISPOSITION, f"Content-Type: {content_type}") + END

    assert (await post(ReadingApp(), body, MULTIPART)).status == 400


@ENCODINGS
@pytest.mark.parametrize("text", [b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xc0\xaf"])
async def test_r2_text_is_utf_8_strictly(encoding: str, text: bytes) -> None:
    """Raw in one encoding; the other has it escaped too."""
    assert (await post(ReadingApp(), text_body(encoding, text), encoding)).status == 400
    escaped = b"".join(b"%%%02x" % byte for byte in text)
    assert (await post(ReadingApp(), b"a=" + escaped, URLENCODED)).status == 400


# R3: JSON


@AROUND
async def test_r3_a_number_has_as_many_digits_as_python_reads(by: int) -> None:
    """4300, since CVE-2020-10735; beyond, the body is refused."""
    app = ReadingApp()

    answer = await post(app, b"1" * (4300 + by), "application/json", path="/json")

    assert answer.status == (400 if by > 0 else 200)


@AROUND
async def test_r3_arrays_and_objects_nest_a_hundred_deep(by: int) -> None:
    """One more is refused, in brackets or braces."""
    depth = 100 + by
    for body in (b"[" * depth + b"]" * depth, b'{"a":' * depth + b"1" + b"}" * depth):
        assert (await post(ReadingApp(), body, "application/json", path="/json")).status == (400 if by > 0 else 200)


async def test_r3_a_value_is_new_each_time() -> None:
    """Of two names that are the same the last counts, and no reader changes what another one reads."""
    app = NexiosApp()

    async def read(request: Request, response: Response) -> list[Any]:
        first = await request.json()
        first["a"].append(3)
        return [first, await request.json()]

    app.post("/")(read)

    assert (await post(app, b'{"a":[1],"a":[2]}')).json() == [{"a": [2, 3]}, {"a": [2]}]
