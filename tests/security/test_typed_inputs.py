"""Rows about what typed inputs believe: files, numbers, media types and path parameters."""

import datetime
import decimal
import uuid
from typing import Annotated, Any
from urllib.parse import unquote

import msgspec
import pytest

from nexios import Body, Cookie, File, Form, Header, Limits, NexiosApp, UploadFile
from nexios.testing import call
from tests.security.kit import KIB, MIB, cpu_time


class Item(msgspec.Struct):
    """Something to send."""

    number: int


def make_app() -> NexiosApp:
    app = NexiosApp(limits=Limits(max_query_size=2_000_000))

    @app.get("/number")
    async def number(n: int) -> int:
        return n

    @app.get("/float")
    async def as_float(n: float) -> float:
        return n

    @app.get("/decimal")
    async def as_decimal(n: decimal.Decimal) -> str:
        return str(n)

    @app.get("/header")
    async def from_header(n: int = Header()) -> int:
        return n

    @app.get("/cookie")
    async def from_cookie(n: int = Cookie()) -> int:
        return n

    @app.post("/form")
    async def from_form(n: int = Form()) -> int:
        return n

    @app.post("/item")
    async def item(item: Item) -> int:
        return item.number

    @app.get("/path/{n}")
    async def path(n: Annotated[int, msgspec.Meta(ge=0)]) -> int:
        return n

    @app.post("/files")
    async def files(pictures: list[UploadFile] = File(content_types=["image/png"]), note: str = Form("")) -> int:
        return len(pictures)

    @app.post("/file")
    async def file(pictures: UploadFile) -> int:
        return 1

    return app


def part(name: str, media_type: str) -> bytes:
    return (
        f'--b\r\ncontent-disposition: form-data; name="pictures"; filename="{name}"\r\n'
        f"content-type: {media_type}\r\n\r\nx\r\n"
    ).encode()


async def test_a29_every_file_of_a_name_is_checked_and_not_the_last_alone() -> None:
    """CVE-2023-31047."""
    body = part("a.svg", "image/svg+xml") + part("b.png", "image/png") + b"--b--\r\n"
    answer = await call(
        make_app(),
        method="POST",
        path="/files",
        headers=[(b"content-type", b"multipart/form-data; boundary=b")],
        chunks=[body],
    )

    single = await call(
        make_app(),
        method="POST",
        path="/file",
        headers=[(b"content-type", b"multipart/form-data; boundary=b")],
        chunks=[body],
    )

    assert (answer.status, single.status) == (422, 422)
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/pictures/0"]


@pytest.mark.parametrize(
    ("media_types", "wrong"),
    [
        (["image/png", "image/svg+xml", "image/png"], ["/pictures/1"]),
        (["image/png", "image/png", "text/html"], ["/pictures/2"]),
        (["text/html", "image/png", "text/html"], ["/pictures/0", "/pictures/2"]),
        (["image/png", "image/png"], []),
    ],
    ids=["second", "last", "first and last", "none"],
)
async def test_a29_each_file_is_checked_wherever_it_stands(media_types: list[str], wrong: list[str]) -> None:
    """CVE-2023-31047."""
    body = b"".join(part("a", media_type) for media_type in media_types) + b"--b--\r\n"
    headers = [(b"content-type", b"multipart/form-data; boundary=b")]

    answer = await call(make_app(), method="POST", path="/files", headers=headers, chunks=[body])

    assert answer.status == (422 if wrong else 200)
    if wrong:
        assert [error["pointer"] for error in answer.json()["errors"]] == wrong


async def test_b23_a_megabyte_in_a_number_of_the_query_is_refused_and_not_read_as_one() -> None:
    """CVE-2024-56374, CVE-2023-36053."""
    app = make_app()

    for text in (b"9" * 1_000_000, b"a" * 1_000_000):
        assert (await call(app, path="/number", query=b"n=" + text)).status == 422


@pytest.mark.parametrize(
    "text", ["%D9%A1", "1_000", "+5", "%205", "5%20", "1e3", "0x10", "5.0", "--5", "%EF%BC%95", ""]
)
async def test_b24_only_ascii_digits_make_a_number_of_the_query(text: str) -> None:
    """CVE-2020-10735 and its like: what Python's int() takes besides is no number of a client."""
    assert (await call(make_app(), path="/number", query=b"n=" + text.encode())).status == 422


@pytest.mark.parametrize(
    "text",
    [
        *("nan", "inf", "-inf", "Infinity", "1e999999", "1_000", "%2B1", "%201", "1%20", "%EF%BC%91%EF%BC%92", "0x10"),
        *("9" * 5000, "%D9%A1", "--1", "1__0", "1,5", "%C2%A01"),
    ],
)
@pytest.mark.parametrize("path", ["/number", "/float", "/decimal", "/header", "/cookie", "/form"])
async def test_b24_no_number_of_a_client_is_one_that_python_alone_would_read(path: str, text: str) -> None:
    """CVE-2020-10735, CVE-2024-24680: in the query, in a header, in a cookie and in a form."""
    sent: dict[str, Any] = {"query": b"n=" + text.encode()}
    plain = unquote(text).encode()
    if path == "/header":
        sent = {"headers": [(b"n", plain)]}
    elif path == "/cookie":
        sent = {"headers": [(b"cookie", b"n=" + plain)]}
    elif path == "/form":
        headers = [(b"content-type", b"application/x-www-form-urlencoded")]
        sent = {"method": "POST", "headers": headers, "chunks": [b"n=" + text.encode()]}

    trimmed = path == "/cookie" and plain != plain.strip()  # RFC 6265 section 5.2: blanks are no part of the value
    assert (await call(make_app(), path=path, **sent)).status == (200 if trimmed else 422)


MEGABYTE_KINDS = [
    *(int, float, bool, decimal.Decimal, datetime.date, datetime.datetime, datetime.time, datetime.timedelta),
    uuid.UUID,
]


@pytest.mark.parametrize("kind", MEGABYTE_KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("text", ["9", "a", "-", "0-", "P1D", "2024-01-31T", "1."])
async def test_b23_a_megabyte_is_no_value_of_any_type(kind: Any, text: str) -> None:
    """CVE-2024-56374, CVE-2023-36053, CVE-2026-25673: in a query, in a string of JSON, and as a number of JSON."""
    app, megabyte = NexiosApp(limits=Limits(max_query_size=2_000_000)), (text * MIB)[:MIB].encode()

    async def from_query(n: object) -> None: ...
    async def from_body(n: object = Body()) -> None: ...

    from_query.__annotations__["n"] = from_body.__annotations__["n"] = kind
    app.get("/")(from_query)
    app.post("/")(from_body)
    headers = [(b"content-type", b"application/json")]

    with cpu_time() as spent:
        query = await call(app, query=b"n=" + megabyte)
        string = await call(app, method="POST", headers=headers, chunks=[b'"', megabyte, b'"'])
        number = await call(app, method="POST", headers=headers, chunks=[megabyte])

    assert (query.status, string.status, number.status) == (422, 422, 400)
    assert all(len(answer.body) < KIB for answer in (query, string, number))
    assert spent.seconds < 0.5


@pytest.mark.parametrize("media_type", [b"text/plain", b"application/x-www-form-urlencoded", b"", b"application/jsonx"])
async def test_c10_a_typed_body_is_read_as_json_only_when_the_client_calls_it_so(media_type: bytes) -> None:
    """CVE-2025-32442, CVE-2026-25223: one parser says what a body is, and a space or a tab changes nothing."""
    sent: dict[str, Any] = {"method": "POST", "path": "/item", "chunks": [b'{"number": 1}']}
    headers = [(b"content-type", media_type)] if media_type else []

    assert (await call(make_app(), headers=headers, **sent)).status == 415
    for spelled in (b"application/json ", b"application/json\t; a=b", b"Application/JSON;charset=utf-8"):
        assert (await call(make_app(), headers=[(b"content-type", spelled)], **sent)).status == 200


async def test_c12_a_typed_path_parameter_is_checked_wherever_it_is_read() -> None:
    """CVE-2026-18504."""
    app = make_app()

    assert (await call(app, path="/path/7")).body == b"7"
    assert (await call(app, path="/path/-7")).status == 422
    assert (await call(app, path="/path/7/../8")).status == 404


@pytest.mark.parametrize(
    "media_type",
    [
        b"text/plain", b"", b"application/x-www-form-urlencoded", b"text/plain; application/json", b"text/json",
        b"multipart/form-data; boundary=application/json", b"text/plain; charset=utf-8; a=application/json", b"*/*",
        b"application/json, text/plain", b"text/plain, application/json", b"application/x-json",
    ],
)  # fmt: skip
async def test_g1_json_that_a_page_may_send_without_asking_is_no_typed_input(media_type: bytes) -> None:
    """CVE-2021-32677, CVE-2022-41919: a form of another site can send such a body, with the user's cookies."""
    headers = [(b"origin", b"https://evil.example"), (b"cookie", b"session=1"), (b"sec-fetch-site", b"cross-site")]
    if media_type:
        headers.append((b"content-type", media_type))

    answer = await call(make_app(), method="POST", path="/item", headers=headers, chunks=[b'{"number": 1}'])

    assert (answer.status, answer.json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize("media_type", [b"application/json", b"application/vnd.api+json", b"application/problem+json"])
async def test_g1_json_that_calls_itself_so_is_read(media_type: bytes) -> None:
    """A browser asks the server before it sends such a body to another site."""
    headers = [(b"content-type", media_type)]

    assert (
        await call(make_app(), method="POST", path="/item", headers=headers, chunks=[b'{"number": 1}'])
    ).body == b"1"
