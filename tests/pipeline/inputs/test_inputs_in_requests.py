"""Typed inputs of a whole app, by the bytes of a request: what is refused, and what the answer says."""

import gzip
from typing import Annotated, Any

import msgspec
import pytest

from nexios import Body, Cookie, Form, Header, NexiosApp, Path, Query, Request, Response
from nexios.messages.upload import UploadFile
from nexios.settings import Limits, Settings
from nexios.testing.raw import RawAnswer, call

JSON = (b"content-type", b"application/json")


class Item(msgspec.Struct):
    name: str
    price: float = 1.0


class Filters(msgspec.Struct):
    limit: int = 10
    tags: list[str] = []


def make_app() -> NexiosApp:
    """An app with one route for each kind of input, whose answers show what the handler got."""
    app = NexiosApp(settings=Settings(limits=Limits(max_body_size=200_000)))

    @app.post("/items")
    async def create(request: Request, response: Response, item: Item) -> Any:
        return response.json({"name": item.name, "admin": hasattr(item, "is_admin")})

    @app.get("/items/{id}")
    async def show(
        request: Request,
        response: Response,
        id: Annotated[int, Path(ge=1)],
        fields: list[str] = Query([]),
        x_version: int = Header(1),
        theme: str = Cookie("light"),
    ) -> Any:
        return response.json([id, fields, x_version, theme])

    @app.get("/search")
    async def search(request: Request, response: Response, filters: Annotated[Filters, Query()]) -> Any:
        return response.json([filters.limit, filters.tags])

    @app.post("/both")
    async def both(request: Request, response: Response, item: Item, note: Annotated[str, Body()]) -> Any:
        return response.json([item.name, note])

    @app.post("/form")
    async def form(request: Request, response: Response, photo: UploadFile, name: str = Form()) -> Any:
        return response.json([name, photo.size])

    @app.post("/raw")
    async def raw(request: Request, response: Response, data: Annotated[bytes, Body()]) -> Any:
        return response.json(len(data))

    @app.post("/list")
    async def many(request: Request, response: Response, numbers: list[int]) -> Any:
        return response.json(sum(numbers))

    return app


async def post(path: str, body: bytes, *headers: tuple[bytes, bytes], chunks: int = 1) -> RawAnswer:
    """Send a body in so many pieces."""
    size = max(1, -(-len(body) // chunks))
    pieces = [body[start : start + size] for start in range(0, len(body), size)] or [b""]
    return await call(make_app(), method="POST", path=path, headers=headers, chunks=pieces)


async def test_every_part_of_the_head_is_read() -> None:
    answer = await call(
        make_app(),
        path="/items/7",
        query=b"fields=a&fields=b",
        headers=[(b"x-version", b"2"), (b"cookie", b"theme=dark")],
    )

    assert answer.json() == [7, ["a", "b"], 2, "dark"]


async def test_all_errors_are_one_problem_document() -> None:
    answer = await call(make_app(), path="/items/0", headers=[(b"x-version", b"<script>")])

    assert answer.status == 422
    assert answer.header("content-type") == "application/problem+json"
    assert answer.json()["code"] == "invalid_input"
    assert answer.json()["errors"] == [
        {"in": "path", "pointer": "/id", "code": "too_small", "detail": "must be at least 1"},
        {"in": "header", "pointer": "/x-version", "code": "type", "detail": "must be an integer"},
    ]
    assert b"script" not in answer.body


async def test_a_model_of_the_query_keeps_repeated_values() -> None:
    answer = await call(make_app(), path="/search", query=b"tags=a&limit=5&tags=b")

    assert answer.json() == [5, ["a", "b"]]


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        b"text/plain",
        b"application/x-www-form-urlencoded",
        b"text/plain; application/json",
        b"multipart/form-data",
    ],
)
@pytest.mark.parametrize("path", ["/items", "/both", "/list"])
async def test_json_that_a_browser_sends_across_sites_unasked_is_refused(path: str, content_type: bytes | None) -> None:
    """CVE-2021-32677, CVE-2022-41919."""
    headers = [] if content_type is None else [(b"content-type", content_type)]

    answer = await post(path, b'{"name": "a"}', *headers)

    assert (answer.status, answer.json()["code"]) == (415, "unsupported_media_type")
    assert "Content-Type" in answer.json()["detail"]


async def test_json_with_a_suffix_is_read() -> None:
    answer = await post("/items", b'{"name": "a"}', (b"content-type", b"application/vnd.api+json"))

    assert answer.json() == {"name": "a", "admin": False}


async def test_fields_that_no_model_declares_set_nothing() -> None:
    """ASVS 15.3.3, mass assignment."""
    body = b'{"name": "a", "is_admin": true, "__class__": "x", "__proto__": {"is_admin": true}}'

    assert (await post("/items", body, JSON)).json() == {"name": "a", "admin": False}


@pytest.mark.parametrize("path", ["/items", "/both", "/list"])
@pytest.mark.parametrize(
    "body",
    [b"[" * 100_000, b'{"a":' * 30_000, b'{"item": ' + b"[" * 50_000 + b"]" * 50_000 + b"}", b"\x91" * 100_000],
)
async def test_a_nesting_bomb_is_a_bad_request(path: str, body: bytes) -> None:
    """CVE-2024-27454."""
    assert (await post(path, body, JSON)).status == 400


@pytest.mark.parametrize(
    "body",
    [b"{", b"NaN", b'{"name": "a", "price": NaN}', b'{"name": "a"}{}', b"\xef\xbb\xbf{}", b'{"name": "\xff"}',
     b'{"name": "\x00"}', '{"name": "a"}'.encode("utf-16"), b'{"name": "\\ud800"}'],
)  # fmt: skip
async def test_json_that_is_none_is_a_bad_request(body: bytes) -> None:
    answer = await post("/items", body, JSON)

    assert (answer.status, answer.json()["code"]) == (400, "malformed_json")


@pytest.mark.parametrize("number", [b"1e999", b"-1e999", b"9" * 5000, b"1e99999999999"])
async def test_a_huge_number_is_refused_in_time(number: bytes) -> None:
    for path, body in (("/items", b'{"name": "a", "price": ' + number + b"}"), ("/list", b"[" + number + b"]")):
        assert (await post(path, body, JSON)).status in (400, 422)


async def test_a_hundred_thousand_faults_make_a_small_answer() -> None:
    """CVE-2020-8192."""
    answer = await post("/list", b'["' + b'","'.join([b""] * 60_000) + b'"]', JSON)

    assert answer.status == 422
    assert len(answer.json()["errors"]) == 100
    assert len(answer.body) < 64 * 1024


@pytest.mark.parametrize("path", ["/items", "/both", "/raw", "/form"])
async def test_every_reader_stops_at_the_limit_of_the_body(path: str) -> None:
    """CVE-2024-52581, CVE-2026-34829: received bytes count, announced ones do not."""
    for headers in ([], [(b"content-length", b"10")]):
        kind = b"application/x-www-form-urlencoded" if path == "/form" else b"application/json"
        answer = await post(path, b"a" * 1_000_000, (b"content-type", kind), *headers, chunks=20)
        assert answer.status == 413
        assert answer.received < 20


@pytest.mark.parametrize("path", ["/items", "/both", "/raw", "/form"])
async def test_a_compressed_body_is_not_inflated(path: str) -> None:
    kind = b"multipart/form-data; boundary=b" if path == "/form" else b"application/json"

    answer = await post(path, gzip.compress(b"0" * 1_000_000), (b"content-type", kind), (b"content-encoding", b"gzip"))

    assert answer.status == 415


async def test_a_parameter_that_is_given_twice_is_refused() -> None:
    answer = await call(make_app(), path="/search", query=b"limit=1&limit=1000")

    assert answer.json()["errors"] == [
        {"in": "query", "pointer": "/limit", "code": "type", "detail": "must be given once"}
    ]


async def test_semicolons_separate_nothing() -> None:
    """CVE-2021-23336."""
    answer = await call(make_app(), path="/search", query=b"tags=1;limit=5")

    assert answer.json() == [10, ["1;limit=5"]]


async def test_too_many_query_parameters_are_refused() -> None:
    assert (await call(make_app(), path="/search", query=b"a=1&" * 10_000)).status in (400, 414)


async def test_two_files_for_one_parameter_are_refused_in_a_request() -> None:
    """CVE-2023-31047."""
    part = b'--b\r\nContent-Disposition: form-data; name="photo"; filename="a"\r\n\r\nx\r\n'

    answer = await post("/form", part * 2 + b"--b--\r\n", (b"content-type", b"multipart/form-data; boundary=b"))

    assert answer.status == 422
    assert [(error["in"], error["pointer"], error["code"]) for error in answer.json()["errors"]] == [
        ("form", "/photo", "type"),
        ("form", "/name", "missing"),
    ]


@pytest.mark.parametrize("text", [b"1%0A", b"%D9%A5", b"1_0", b"0x1", b"+1", b"1.0", b" 1", b"", b"1e3", b"9" * 5000])
async def test_a_number_is_ascii_digits_and_nothing_else(text: bytes) -> None:
    answer = await call(make_app(), path="/search", query=b"limit=" + text)

    assert answer.status == 422
    assert answer.json()["errors"][0]["pointer"] == "/limit"


async def test_bytes_are_read_whatever_they_are_called() -> None:
    assert (await post("/raw", b"\x00{", (b"content-type", b"image/png"))).json() == 2
    assert (await post("/raw", b"\x00{")).json() == 2
