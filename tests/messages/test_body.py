"""Reading the body: once, whole, counted, and within the limits of app, router and route."""

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nexios import Limits, NexiosApp, Request, Response, Router
from nexios._pipeline.middleware import CallNext
from nexios.errors import BodyConsumed
from nexios.testing.raw import call

FORM = [(b"content-type", b"application/x-www-form-urlencoded")]
READERS = ["body", "text", "json", "form", "stream"]


async def read(request: Request, reader: str) -> object:
    if reader == "stream":
        return b"".join([chunk async for chunk in request.stream()])
    return await getattr(request, reader)()


def app_reading(*readers: str, **options: Any) -> NexiosApp:
    app = NexiosApp(**options)

    @app.post("/")
    async def handler(request: Request, response: Response) -> list[str]:
        return [str(await read(request, reader)) for reader in readers]

    return app


async def echo(request: Request, response: Response) -> bytes:
    return await request.body()


@settings(max_examples=40)
@given(st.lists(st.binary(max_size=20), max_size=8))
async def test_the_body_is_the_same_in_whatever_pieces_it_comes(chunks: list[bytes]) -> None:
    app = NexiosApp()
    app.add_route("/", echo, ["POST"])

    answer = await call(app, method="POST", chunks=chunks or [b""])

    assert answer.body == b"".join(chunks)


async def test_the_body_is_read_once_and_kept() -> None:
    app = app_reading("body", "body", "text", "stream", "json", "stream")

    answer = await call(app, method="POST", chunks=[b"[1", b",2]"])

    assert answer.json() == ["b'[1,2]'", "b'[1,2]'", "[1,2]", "b'[1,2]'", "[1, 2]", "b'[1,2]'"]


async def test_json_is_a_new_value_each_time() -> None:
    app = NexiosApp()

    @app.post("/")
    async def handler(request: Request, response: Response) -> list[Any]:
        first = await request.json()
        first.append("changed")
        return [first, await request.json()]

    assert (await call(app, method="POST", chunks=[b"[1]"])).json() == [[1, "changed"], [1]]


async def test_a_form_is_read_once_and_kept() -> None:
    app = NexiosApp()

    @app.post("/")
    async def handler(request: Request, response: Response) -> list[Any]:
        form = await request.form()
        return [form is await request.form(), form["a"]]

    assert (await call(app, method="POST", headers=FORM, chunks=[b"a=1"])).json() == [True, "1"]


async def test_files_are_the_uploads_of_the_form_alone() -> None:
    app = NexiosApp()
    body = (
        b'--b\r\nContent-Disposition: form-data; name="title"\r\n\r\nNotes\r\n'
        b'--b\r\nContent-Disposition: form-data; name="f"; filename="a.txt"\r\n\r\nHello\r\n--b--\r\n'
    )

    @app.post("/")
    async def handler(request: Request, response: Response) -> list[Any]:
        files, form = await request.files, await request.form()
        return [list(files), list(form), files["f"] is form["f"], (await files["f"].read()).decode()]

    headers = [(b"content-type", b"multipart/form-data; boundary=b")]
    answer = await call(app, method="POST", headers=headers, chunks=[body])

    assert answer.json() == [["f"], ["title", "f"], True, "Hello"]


@pytest.mark.parametrize(
    ("content_type", "arrived"),
    [
        (None, "The body has no Content-Type"),
        (b"application/json", "The body is application/json"),
        (b"Text/Plain; charset=<script>", None),
        (b"Text/Plain; charset=utf-8; note=secret", "The body is text/plain"),
        (b"a/" + b"b" * 98, "The body is a/" + "b" * 98),
        (b"a/" + b"b" * 99, "The body is of another media type"),
    ],
)
@pytest.mark.parametrize("reader", ["form", "files"])
async def test_a_body_that_is_no_form_is_told_what_is_read_instead(
    reader: str, content_type: bytes | None, arrived: str | None
) -> None:
    app = NexiosApp()

    @app.post("/")
    async def handler(request: Request, response: Response) -> None:
        await (request.form() if reader == "form" else request.files)

    headers = [] if content_type is None else [(b"content-type", content_type)]
    answer = await call(app, method="POST", headers=headers, chunks=[b"{}"])

    read_here = "; a form is read from multipart/form-data or application/x-www-form-urlencoded."
    expected = "The Content-Type header is malformed." if arrived is None else arrived + read_here
    assert (answer.status, answer.json()["detail"]) == (415, expected)


async def test_an_urlencoded_form_in_another_charset_is_told_that_utf_8_is_read() -> None:
    app = NexiosApp()

    @app.post("/")
    async def handler(request: Request, response: Response) -> None:
        await request.form()

    headers = [(b"content-type", b"application/x-www-form-urlencoded; charset=latin-1")]
    answer = await call(app, method="POST", headers=headers, chunks=[b"a=1"])

    assert (answer.status, answer.json()["detail"]) == (415, "An urlencoded form is read in UTF-8 alone.")


@pytest.mark.parametrize("second", READERS)
async def test_a_stream_is_read_once_and_the_error_says_what_to_do(
    second: str, caplog: pytest.LogCaptureFixture
) -> None:
    raised: list[str] = []
    app = NexiosApp()

    @app.post("/")
    async def handler(request: Request, response: Response) -> None:
        await read(request, "stream")
        try:
            await read(request, second)
        except BodyConsumed as exc:
            raised.append(str(exc))

    await call(app, method="POST", headers=FORM, chunks=[b"1"])

    assert raised == [
        "The request body was read already, or is being read, by request.stream(), which keeps nothing.\n"
        "Call 'await request.body()' first (it is cached, and stream() replays it), or read the stream once."
    ]


async def test_a_body_that_middleware_read_is_there_for_the_handler() -> None:
    async def log_body(request: Request, response: Response, call_next: CallNext) -> Any:
        request.state.seen = await request.body()
        return await call_next()

    app = NexiosApp(middleware=[log_body])

    @app.post("/")
    async def handler(request: Request, response: Response) -> list[object]:
        form = await request.form()
        return [request.state.seen.decode(), form["a"], (await request.body()).decode()]

    answer = await call(app, method="POST", headers=FORM, chunks=[b"a=", b"1"])

    assert answer.json() == ["a=1", "1", "a=1"]


async def test_a_body_that_nobody_reads_is_not_received() -> None:
    app = NexiosApp()
    app.add_route("/", lambda: "done", ["POST"])

    answer = await call(app, method="POST", chunks=[b"x" * 1000] * 10)

    assert (answer.body, answer.received) == (b"done", 0)


@pytest.mark.parametrize("reader", READERS)
async def test_a_body_over_the_limit_is_413_and_no_more_of_it_is_received(reader: str) -> None:
    app = app_reading(reader, limits={"max_body_size": 1000})

    answer = await call(app, method="POST", headers=FORM, chunks=[b"1" * 100] * 100)

    assert (answer.status, answer.json()["code"]) == (413, "content_too_large")
    assert answer.received <= 11


@pytest.mark.parametrize("reader", READERS)
async def test_a_body_at_the_limit_is_read(reader: str) -> None:
    app = app_reading(reader, limits={"max_body_size": 1000})
    first = b"1" * 100 if reader == "json" else b"a=".ljust(100, b"1")

    answer = await call(app, method="POST", headers=FORM, chunks=[first, *[b"1" * 100] * 9])

    assert answer.status == 200


@pytest.mark.parametrize("reader", READERS)
async def test_an_announced_length_over_the_limit_is_413_before_anything_is_received(reader: str) -> None:
    app = app_reading(reader, limits={"max_body_size": 1000})

    answer = await call(app, method="POST", headers=[*FORM, (b"content-length", b"1001")], chunks=[b"1" * 1001])

    assert (answer.status, answer.received) == (413, 0)


@pytest.mark.parametrize("headers", [[], [(b"content-length", b"10")], [(b"transfer-encoding", b"chunked")]])
async def test_received_bytes_count_and_not_announced_ones(headers: list[tuple[bytes, bytes]]) -> None:
    app = app_reading("body", limits={"max_body_size": 1000})

    answer = await call(app, method="POST", headers=headers, chunks=[b"1" * 600] * 100)

    assert (answer.status, answer.received) == (413, 2)


async def test_every_reader_has_a_limit_unless_it_is_lifted() -> None:
    """10 MiB, as `Limits` has it."""
    app = app_reading("body")
    app.add_route("/free", lambda request: "x", ["POST"], max_body_size=None)

    assert (await call(app, method="POST", chunks=[b"x" * 2**20] * 11)).status == 413
    assert (await call(app, method="POST", chunks=[b"x" * 2**20] * 10)).status == 200


async def test_limits_are_those_of_the_route_else_of_its_router_else_of_the_app() -> None:
    app = NexiosApp(limits={"max_body_size": 10})
    router = Router("/r", max_body_size=20)
    router.add_route("/router", echo, ["POST"])
    router.add_route("/route", echo, ["POST"], max_body_size=30)
    router.add_route("/limits", echo, ["POST"], limits=Limits(max_body_size=40))
    router.add_route("/none", echo, ["POST"], max_body_size=None)
    router.group("/group", limits=Limits(max_body_size=50)).add_route("/x", echo, ["POST"])
    app.include_router(router)
    app.add_route("/app", echo, ["POST"])

    async def limit_of(path: str) -> int:
        for size in (10, 20, 30, 40, 50):
            assert (await call(app, method="POST", path=path, chunks=[b"x" * size])).status == 200
            if (await call(app, method="POST", path=path, chunks=[b"x" * (size + 1)])).status == 413:
                return size
        return 0

    paths = ["/app", "/r/router", "/r/route", "/r/limits", "/r/none", "/r/group/x"]
    assert [await limit_of(path) for path in paths] == [10, 20, 30, 40, 0, 50]


async def test_middleware_that_reads_the_body_is_held_to_the_limit_of_the_route() -> None:
    async def reads(request: Request, response: Response, call_next: CallNext) -> Any:
        await request.body()
        return await call_next()

    app = NexiosApp(middleware=[reads], limits={"max_body_size": 1})
    app.add_route("/big", echo, ["POST"], max_body_size=100)

    assert (await call(app, method="POST", path="/big", chunks=[b"x" * 100])).status == 200
    assert (await call(app, method="POST", path="/none", chunks=[b"xx"])).status == 413


@pytest.mark.parametrize(
    "lengths",
    [[b"-1"], [b"+5"], [b"1_0"], [b"5, 5"], [b"5,5"], ["٥".encode()], ["²".encode("latin-1")], [b""], [b" "], [b"5 "],
     [b"0x5"], [b"5.0"], [b"five"], [b"5", b"5"], [b"5", b"6"], [b"1" * 20], [b"1e1"], [b"NaN"]],
)  # fmt: skip
@pytest.mark.parametrize("reader", READERS)
async def test_a_content_length_that_is_no_number_is_a_bad_request(reader: str, lengths: list[bytes]) -> None:
    """RFC 9110 section 8.6: digits, once."""
    headers = [*FORM, *((b"content-length", length) for length in lengths)]

    answer = await call(app_reading(reader), method="POST", headers=headers, chunks=[b"12345"])

    assert (answer.status, answer.json()["code"], answer.received) == (400, "malformed_content_length", 0)


@pytest.mark.parametrize("length", [b"0", b"5", b"0000000000000000005", b"9999999"])
async def test_a_content_length_that_is_not_the_size_of_the_body_changes_nothing(length: bytes) -> None:
    """Framing is the server's business; the header serves to refuse early."""
    answer = await call(app_reading("body"), method="POST", headers=[(b"content-length", length)], chunks=[b"12345"])

    assert answer.json() == ["b'12345'"]


@pytest.mark.parametrize("reader", ["body", "text", "json", "form"])
@pytest.mark.parametrize("coding", [b"gzip", b"GZIP", b"br", b"deflate", b"identity, gzip", b"unknown"])
async def test_a_compressed_body_is_415(reader: str, coding: bytes) -> None:
    """A few bytes can stand for gigabytes."""
    headers = [*FORM, (b"content-encoding", coding)]

    answer = await call(app_reading(reader), method="POST", headers=headers, chunks=[b"1"])

    assert (answer.status, answer.received) == (415, 0)


async def test_a_second_content_encoding_is_seen_too() -> None:
    headers = [(b"content-encoding", b"identity"), (b"content-encoding", b"gzip")]

    assert (await call(app_reading("body"), method="POST", headers=headers)).status == 415


@pytest.mark.parametrize("coding", [b"identity", b"Identity", b""])
async def test_identity_is_no_compression(coding: bytes) -> None:
    answer = await call(app_reading("body"), method="POST", headers=[(b"content-encoding", coding)], chunks=[b"1"])

    assert answer.json() == ["b'1'"]


async def test_a_client_that_says_nothing_for_too_long_is_408() -> None:
    app = app_reading("body", limits={"body_read_timeout": 0.0})

    async def receive() -> Any:
        await asyncio.Event().wait()

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/", "headers": [], "query_string": b""}
    await app(scope, receive, send)

    assert sent[0]["status"] == 408
    assert (b"connection", b"close") in sent[0]["headers"]


async def test_reading_in_a_handler_that_stops_halfway_is_fine() -> None:
    app = NexiosApp()

    @app.post("/")
    async def handler(request: Request, response: Response) -> str:
        async for chunk in request.stream():
            return chunk.decode()
        return "nothing"

    answer = await call(app, method="POST", chunks=[b"a", b"b", b"c"])

    assert (answer.body, answer.received) == (b"a", 1)


@pytest.mark.parametrize(("chunks", "expected"), [([b""], []), ([b"", b"", b""], []), ([b"a", b"", b"b"], ["a", "b"])])
async def test_a_stream_has_no_empty_chunks(chunks: list[bytes], expected: list[str]) -> None:
    app = NexiosApp()

    @app.post("/")
    async def handler(request: Request, response: Response) -> list[str]:
        return [chunk.decode() async for chunk in request.stream()]

    assert (await call(app, method="POST", chunks=chunks)).json() == expected


async def test_a_body_may_be_sent_back_while_it_is_read() -> None:
    app = NexiosApp()

    @app.post("/")
    async def handler(request: Request, response: Response) -> Response:
        return response.stream(request.stream())

    assert (await call(app, method="POST", chunks=[b"a", b"b", b"c"])).body == b"abc"


async def test_many_small_chunks_let_others_run() -> None:
    """A body of single bytes must not hold the event loop."""
    app = NexiosApp()
    app.add_route("/", echo, ["POST"])
    turns = 0

    async def beat() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    heart = asyncio.create_task(beat())
    answer = await call(app, method="POST", chunks=[b"x"] * 3000)
    heart.cancel()

    assert len(answer.body) == 3000
    assert turns > 10


@pytest.mark.parametrize(
    ("body", "media_type", "text"),
    [
        ("é".encode(), b"text/plain", "é"),
        ("é".encode(), b"text/plain; charset=utf-8", "é"),
        ("é".encode("latin-1"), b"text/plain; charset=iso-8859-1", "é"),
        ("é".encode(), None, "é"),
    ],
)
async def test_text_is_in_the_charset_of_the_media_type(body: bytes, media_type: bytes | None, text: str) -> None:
    headers = [] if media_type is None else [(b"content-type", media_type)]

    assert (await call(app_reading("text"), method="POST", headers=headers, chunks=[body])).json() == [text]


@pytest.mark.parametrize(
    ("body", "charset"),
    [(b"\xff", b"utf-8"), (b"x", b"no-such"), (b"x", b"hex"), (b"x", b"zlib"), (b"x", b"a\\x00b"), (b"\xff", b"ascii")],
)
async def test_text_that_is_not_in_its_charset_is_a_bad_request(body: bytes, charset: bytes) -> None:
    headers = [(b"content-type", b'text/plain; charset="' + charset + b'"')]

    answer = await call(app_reading("text"), method="POST", headers=headers, chunks=[body])

    assert answer.status in (400, 415)


@pytest.mark.parametrize(
    ("body", "code"),
    [(b"", "malformed_json"), (b"{", "malformed_json"), (b"NaN", "malformed_json"),
     (b"[" * 101 + b"]" * 101, "json_too_deep"), (b"1" * 5000, "malformed_json"), (b'"\\ud800"', "malformed_json"),
     (b"\xef\xbb\xbf1", "malformed_json")],
)  # fmt: skip
async def test_a_body_that_is_no_json_is_a_bad_request(body: bytes, code: str) -> None:
    answer = await call(app_reading("json"), method="POST", chunks=[body])

    assert (answer.status, answer.json()["code"]) == (400, code)


async def test_the_depth_of_json_is_a_limit_of_the_route() -> None:
    app = NexiosApp()

    async def depth(request: Request, response: Response) -> None:
        await request.json()

    app.add_route("/flat", depth, ["POST"], limits=Limits(max_json_depth=1))
    app.add_route("/deep", depth, ["POST"], limits=Limits(max_json_depth=200))

    assert (await call(app, method="POST", path="/flat", chunks=[b"[1]"])).status == 204
    assert (await call(app, method="POST", path="/flat", chunks=[b"[[1]]"])).status == 400
    assert (await call(app, method="POST", path="/deep", chunks=[b"[" * 200 + b"]" * 200])).status == 204


@pytest.mark.parametrize("headers", [[], [(b"content-type", b"application/json")], [(b"content-type", b"nonsense")],
                                     [(b"content-type", b"a/b"), (b"content-type", b"a/b")]])  # fmt: skip
async def test_what_is_no_form_is_415(headers: list[tuple[bytes, bytes]]) -> None:
    answer = await call(app_reading("form"), method="POST", headers=headers, chunks=[b"a=1"])

    assert answer.status == 415


@pytest.mark.parametrize("fails", [False, True])
async def test_uploads_are_closed_when_the_exchange_is_over(fails: bool) -> None:
    kept: list[Any] = []
    app = NexiosApp()

    @app.post("/")
    async def handler(request: Request, response: Response) -> None:
        upload = (await request.form())["file"]
        kept.append(upload)
        assert await upload.read() == b"content"  # type: ignore[union-attr]
        if fails:
            raise ValueError

    body = b'--b\r\ncontent-disposition: form-data; name="file"; filename="a.txt"\r\n\r\ncontent\r\n--b--\r\n'
    headers = [(b"content-type", b"multipart/form-data; boundary=b")]
    await call(app, method="POST", headers=headers, chunks=[body])

    with pytest.raises(ValueError):
        await kept[0].read()
