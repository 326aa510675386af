"""Bodies within limits, counted and whole: rows A14, A20 to A23 and A34 to A36."""

import asyncio
import gzip
import json

import pytest

from nexios import Body, File, Form, NexiosApp, UploadFile
from nexios.errors import ClientDisconnect
from nexios.messages.request import Request
from nexios.messages.response import Response
from nexios.settings import Limits
from tests.security.kit import KIB, MIB, Peer, heartbeat, http_scope, in_chunks, linear, peak, post
from tests.security.reading_app import (
    END,
    MULTIPART,
    READERS,
    URLENCODED,
    ReadingApp,
    field,
    text_body,
    upload,
)

CONTENT_TYPES = {"form": URLENCODED, "files": MULTIPART, "json": "application/json"}
LENGTHS = [b"-1", b"+5", b"1_0", b"5, 5", "٥".encode(), b"", b" ", b"0x5", b"5.0", b"9" * 20, b"5 5", b"five", b"\xb2"]


@pytest.mark.parametrize("length", LENGTHS)
async def test_a14_a_content_length_that_is_no_number_is_a_bad_request(length: bytes) -> None:
    """CVE-2026-53540: a negative one was used as the size to read."""
    app = ReadingApp()

    answer = await post(app, b"12345", path="/body", headers=[(b"content-length", length)])

    assert (answer.status, answer.json()["code"]) == (400, "malformed_content_length")
    assert (app.read, answer.received) == ([], 0)


@pytest.mark.parametrize("second", [b"5", b"6"])
async def test_a14_two_content_lengths_are_a_bad_request(second: bytes) -> None:
    """CVE-2026-53540; RFC 9110 section 8.6."""
    app = ReadingApp()
    headers = [(b"content-length", b"5"), (b"content-length", second)]

    answer = await post(app, b"12345", path="/body", headers=headers)

    assert (answer.status, answer.json()["code"]) == (400, "malformed_content_length")
    assert (app.read, answer.received) == ([], 0)


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"content-length", b"10")],
        [(b"content-length", b"0")],
        [(b"transfer-encoding", b"chunked")],
        [(b"transfer-encoding", b"chunked"), (b"content-length", b"10")],
    ],
    ids=repr,
)
async def test_a20_received_bytes_count_and_not_announced_ones(headers: list[tuple[bytes, bytes]]) -> None:
    """CVE-2026-34829 GHSA-8vqr-qjwx-82mw, CVE-2026-33034, CVE-2026-5766, CVE-2025-59139 GHSA-92vj-g62v-jqhh,
    CVE-2026-54288 GHSA-rv63-4mwf-qqc2.
    """
    app = ReadingApp()

    answer = await post(app, [b"x" * 64 * KIB] * 800, path="/body", headers=headers)

    assert (answer.status, app.read) == (413, [])
    assert answer.received == 10 * MIB // (64 * KIB) + 1


async def test_a20_a_length_over_the_limit_is_refused_before_anything_is_read() -> None:
    """CVE-2026-34829 GHSA-8vqr-qjwx-82mw."""
    length = str(10 * MIB + 1).encode()

    answer = await post(ReadingApp(), b"x", path="/body", headers=[(b"content-length", length)])

    assert (answer.status, answer.received) == (413, 0)


async def test_a20_a_length_that_is_no_number_is_refused_before_anything_is_read() -> None:
    """CVE-2026-5766."""
    answer = await post(ReadingApp(), [b"x" * 64 * KIB] * 800, path="/body", headers=[(b"content-length", b"abc")])

    assert (answer.status, answer.received) == (400, 0)


@pytest.mark.parametrize("reader", READERS)
async def test_a21_every_way_to_read_a_body_has_the_default_limit(reader: str) -> None:
    """CVE-2024-52581 GHSA-gjcc-jvgw-wvwj, CVE-2022-3212 GHSA-m77f-652q-wwp4, CVE-2025-61919 GHSA-6xw4-3v39-52mm."""
    app = ReadingApp()
    start = upload().removesuffix(b"\r\n") if reader == "files" else b"a=1&"

    answer = await post(app, [start, *[b"x" * 64 * KIB] * 512], CONTENT_TYPES.get(reader), path=f"/{reader}")

    assert (answer.status, app.read) == (413, [])
    assert answer.received <= 10 * MIB // (64 * KIB) + 2


TYPED = [
    ("/items", "application/json", b'["'),
    ("/items", "application/msgpack", b"\x91\xdb\x02\x00\x00\x00"),
    ("/bytes", "image/png", b""),
    ("/form", URLENCODED, b"a=1&"),
    ("/form", MULTIPART, upload().removesuffix(b"\r\n")),
]


@pytest.mark.parametrize(("path", "content_type", "start"), TYPED, ids=["json", "msgpack", "bytes", "form", "file"])
async def test_a21_so_has_every_typed_input(path: str, content_type: str, start: bytes) -> None:
    """CVE-2024-52581 GHSA-gjcc-jvgw-wvwj: 32 MiB for what is declared and not read by hand."""
    app, reached = NexiosApp(), []

    @app.post("/items")
    async def items(items: list[str]) -> None:
        reached.append("items")

    @app.post("/bytes")
    async def whole(body: bytes = Body()) -> None:
        reached.append("bytes")

    @app.post("/form")
    async def form(a: str = Form(""), f: UploadFile | None = File(None)) -> None:
        reached.append("form")

    answer = await post(app, [start, *[b"x" * 64 * KIB] * 512], content_type, path=path)

    assert (answer.status, reached) == (413, [])
    assert answer.received <= 10 * MIB // (64 * KIB) + 2


@pytest.mark.parametrize("reader", ["body", "stream", "files"])
async def test_a21_no_limit_has_to_be_asked_for(reader: str) -> None:
    """CVE-2024-52581 GHSA-gjcc-jvgw-wvwj: `max_body_size=None` on a route is the only way."""
    app = ReadingApp()
    app.add_reader("/unlimited", reader, max_body_size=None)
    chunks = [b"x" * 64 * KIB] * 200
    if reader == "files":
        chunks = [upload().removesuffix(b"\r\n"), *chunks, b"\r\n" + END]

    answer = await post(app, chunks, CONTENT_TYPES.get(reader), path="/unlimited")

    assert answer.status == 200


@pytest.mark.parametrize("reader", READERS)
async def test_a22_a_body_is_refused_while_it_is_read(reader: str) -> None:
    """CVE-2025-69228 GHSA-6jhg-hg63-jvvf, CVE-2026-34517 GHSA-3wq7-rqq7-wx6j: it was buffered, then measured."""
    app = ReadingApp(Limits(max_body_size=MIB))
    opening = upload().removesuffix(b"\r\n") if reader == "files" else b"a="
    client = Peer(chunks=iter(lambda: opening + bytes(64 * KIB - len(opening)), b""))
    content_type = CONTENT_TYPES.get(reader, "text/plain").encode()
    await post(app, [b""], CONTENT_TYPES.get(reader), path="/nowhere")  # compiled before anything is measured

    with peak() as spent:
        await app(http_scope("POST", f"/{reader}", [(b"content-type", content_type)]), client.receive, client.send)

    # two chunks and small change; a parser has blocks of its own, and memory for a file grows by an eighth
    blocks = {"form": 4, "files": 8}.get(reader, 3)
    assert (client.status, app.read) == (413, [])
    assert client.received <= 17
    assert spent.bytes < MIB + blocks * 64 * KIB


@pytest.mark.parametrize("reader", ["body", "stream", "form", "files"])
async def test_a23_tiny_chunks_do_not_hold_the_loop(reader: str) -> None:
    """CVE-2025-69229 GHSA-g84x-mcqj-x9qq: 64 KiB in single bytes."""
    app = ReadingApp()
    body = text_body(CONTENT_TYPES.get(reader, URLENCODED), b"x" * 64 * KIB)

    with heartbeat(0.001) as heart:
        answer = await post(app, in_chunks(body, 1), CONTENT_TYPES.get(reader), path=f"/{reader}")

    assert answer.status == 200
    assert heart.stall < 0.1
    assert heart.beats > 2


@pytest.mark.parametrize("reader", ["body", "form", "files"])
def test_a23_tiny_chunks_take_linear_time(reader: str) -> None:
    """CVE-2025-69229 GHSA-g84x-mcqj-x9qq: bytes are joined once."""
    app = ReadingApp()

    def send(n: int) -> None:
        body = text_body(CONTENT_TYPES.get(reader, URLENCODED), b"x" * n)
        answer = asyncio.run(post(app, in_chunks(body, 1), CONTENT_TYPES.get(reader), path=f"/{reader}"))
        assert answer.status == 200

    assert linear(send, 8 * KIB)


@pytest.mark.parametrize("reader", ["body", "json", "text", "form", "files"])
@pytest.mark.parametrize("encoding", [b"gzip", b"deflate", b"br", b"zstd", b"x-gzip", b"GZIP", b"identity, gzip"])
async def test_a34_a_compressed_body_is_not_read(reader: str, encoding: bytes) -> None:
    """CVE-2025-69223 GHSA-6mq8-rvhq-8wgg, CVE-2026-54278 GHSA-g3cq-j2xw-wf74: 10 KB that become 10 GB."""
    app = ReadingApp()

    answer = await post(
        app, b"a=1", CONTENT_TYPES.get(reader), path=f"/{reader}", headers=[(b"content-encoding", encoding)]
    )

    assert (answer.status, answer.received, app.read) == (415, 0, [])


async def test_a34_a_compressed_body_is_streamed_as_it_came() -> None:
    """CVE-2026-54278 GHSA-g3cq-j2xw-wf74: nothing is inflated, so the limit counts what was sent."""
    app, bomb = ReadingApp(), gzip.compress(bytes(MIB))

    await post(app, bomb, path="/stream", headers=[(b"content-encoding", b"gzip")])

    assert app.read == [len(bomb)]


async def test_a34_identity_is_no_compression() -> None:
    """RFC 9110 section 8.4.1: a reserved word for none."""
    app = ReadingApp()

    await post(app, b"a=1", URLENCODED, headers=[(b"content-encoding", b"identity")])

    assert app.fields == [("a", "1")]


TEXT = '{"a": "é"}'
NOT_UTF_8 = [TEXT.encode(charset) for charset in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "latin-1")]
NOT_UTF_8 += [TEXT.encode("utf-8-sig"), b'"\xff"', b'"\xed\xa0\x80"', b'"\xc0\xaf"', b'"\xf4\x90\x80\x80"', b'"\xc3"']


@pytest.mark.parametrize("body", [*NOT_UTF_8, b'"\\ud800"', b'"\\udc00\\ud800"'])
async def test_a35_json_is_utf_8_and_nothing_else(body: bytes) -> None:
    """CVE-2018-1000656 GHSA-562c-5r94-xh97, CVE-2019-1010083; RFC 8259 section 8.1."""
    app = ReadingApp()

    answer = await post(app, body, "application/json", path="/json")

    assert (answer.status, answer.json()["code"], app.read) == (400, "malformed_json", [])


@pytest.mark.parametrize("charset", ["utf-16", "utf-32", "latin-1", "none", "base64"])
async def test_a35_the_charset_of_the_header_is_not_believed(charset: str) -> None:
    """CVE-2018-1000656 GHSA-562c-5r94-xh97: RFC 8259 has no charset parameter."""
    app = ReadingApp()

    await post(app, TEXT.encode(), f"application/json; charset={charset}", path="/json")

    assert app.read == [{"a": "é"}]


async def test_a35_malformed_json_takes_no_more_memory_than_the_body() -> None:
    """CVE-2018-1000656 GHSA-562c-5r94-xh97."""
    chunks = in_chunks(TEXT.encode("utf-32") * 25_000)

    with peak() as spent:
        answer = await post(ReadingApp(), chunks, "application/json", path="/json")

    assert answer.status == 400
    assert spent.bytes < 3 * sum(map(len, chunks))


@pytest.mark.parametrize("reader", READERS)
async def test_a36_a_body_that_breaks_off_is_never_taken_for_whole(reader: str) -> None:
    """gunicorn #3382: complete forms and JSON included, when more was announced."""
    app = ReadingApp()
    raised: list[BaseException] = []

    async def watch(request: Request, response: Response, exc: Exception) -> Response:
        raised.append(exc)
        return response.empty(400)

    app.exception_handlers[ClientDisconnect] = watch
    body = {"files": field() + b"--b", "json": b"[1]"}.get(reader, b"a=1&")
    client = Peer(chunks=iter([body]), ends=False, then_leaves=True)
    content_type = CONTENT_TYPES.get(reader, "text/plain").encode()

    await app(http_scope("POST", f"/{reader}", [(b"content-type", content_type)]), client.receive, client.send)

    assert [type(exc) for exc in raised] == [ClientDisconnect]
    assert app.read == []


@pytest.mark.parametrize("chunks", [[b"a=1&b=2"], [b"a=1&b=2", b""], [b"a=1&", b"b=2", b""], [b"", b"a=1&b=", b"2"]])
async def test_a36_how_the_last_message_looks_changes_no_form(chunks: list[bytes]) -> None:
    """Starlette #3599: the last field was lost without an empty last message."""
    app = ReadingApp()

    await post(app, chunks, URLENCODED)

    assert app.fields == [("a", "1"), ("b", "2")]


async def test_a36_json_in_pieces_is_the_same_json() -> None:
    """Starlette #3599."""
    app = ReadingApp()
    document = json.dumps({"a": ["é"] * 10}).encode()

    for size in (1, 7, 1000):
        await post(app, [*in_chunks(document, size), b""], "application/json", path="/json")

    assert app.read == [{"a": ["é"] * 10}] * 3
