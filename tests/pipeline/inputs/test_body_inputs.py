"""JSON and MessagePack bodies: which are read, what a handler gets, and what the client hears."""

# ruff: noqa: B008  (a marker is meant to be a default)

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nexios._pipeline.inputs.compile import CompiledInputs, Located, compile_inputs
from nexios._pipeline.inputs.markers import Body
from nexios.errors import BadRequest, HTTPException, UnsupportedMediaType
from nexios.serialization import encode_msgpack
from nexios.settings import Limits

Read = Callable[..., Awaitable[Any]]
Refused = Callable[..., Awaitable[list[tuple[str, str, str]]]]

JSON = "application/json"


class Line(msgspec.Struct):
    name: str
    price: Annotated[int, msgspec.Meta(ge=1)] = 1


class Order(msgspec.Struct):
    lines: list[Line]
    note: str | None = None


class Node(msgspec.Struct):
    children: list["Node"] = []


@dataclass
class Book:
    title: str


@pytest.mark.parametrize(
    ("kind", "body", "value"),
    [
        (Order, b'{"lines": [{"name": "a", "price": 2}], "other": 1}', Order([Line("a", 2)])),
        (Book, b'{"title": "x"}', Book("x")),
        (list[Line], b'[{"name": "a"}]', [Line("a")]),
        (dict[str, int], b'{"a": 1}', {"a": 1}),
        (dict, b'{"a": [1]}', {"a": [1]}),
        (list, b"[1, {}]", [1, {}]),
        (Line | None, b"null", None),
        (list[int], b"[1, 2]", [1, 2]),
    ],
)
async def test_an_annotation_is_enough_for_a_json_body(read: Read, kind: Any, body: bytes, value: object) -> None:
    async def handler(a): ...  # type: ignore[no-untyped-def]

    handler.__annotations__ = {"a": kind}

    assert await read(handler, body=body, content_type=JSON) == value


@pytest.mark.parametrize(("kind", "value"), [(Any, [1, {"a": None}]), (int, 5), (str, "text"), (object, True)])
async def test_any_type_is_a_body_with_a_marker(read: Read, kind: Any, value: object) -> None:
    async def handler(a): ...  # type: ignore[no-untyped-def]

    handler.__annotations__ = {"a": Annotated[kind, Body()]}

    assert await read(handler, body=msgspec.json.encode(value), content_type=JSON) == value


@pytest.mark.parametrize(
    "content_type",
    [JSON, "Application/JSON; charset=utf-8", "application/merge-patch+json", "application/vnd.api+json"],
)
async def test_json_is_read_under_each_of_its_names(read: Read, content_type: str) -> None:
    async def handler(line: Line) -> None: ...

    assert await read(handler, body=b'{"name": "a"}', content_type=content_type) == Line("a")


@pytest.mark.parametrize("name", ["msgpack", "vnd.msgpack", "x-msgpack"])
async def test_messagepack_is_read_under_each_of_its_names(read: Read, refused: Refused, name: str) -> None:
    async def handler(line: Line) -> None: ...

    sent = {"content_type": f"application/{name}"}

    assert await read(handler, body=encode_msgpack({"name": "a", "price": 3}), **sent) == Line("a", 3)
    assert await refused(handler, body=encode_msgpack({"name": "a", "price": 0}), **sent) == [
        ("body", "/price", "too_small")
    ]


@pytest.mark.parametrize(
    "content_type",
    [
        None, "text/plain", "text/plain; application/json", "application/x-www-form-urlencoded", "multipart/form-data",
        "application/jsonp", "text/json", "application/json+x", "json", "", "application/json, text/plain", "a/b;;=",
    ],
)  # fmt: skip
async def test_json_under_another_name_is_not_read(read: Read, content_type: str | None) -> None:
    """A browser sends text/plain across sites without asking first: CVE-2021-32677."""

    async def handler(line: Line) -> None: ...

    with pytest.raises(UnsupportedMediaType):
        await read(handler, body=b'{"name": "a"}', content_type=content_type)


async def test_two_content_types_are_none(read: Read) -> None:
    async def handler(line: Line) -> None: ...

    with pytest.raises(UnsupportedMediaType):
        await read(handler, body=b'{"name": "a"}', headers=[("content-type", "text/plain"), ("content-type", JSON)])


async def test_the_answer_to_another_media_type_says_what_is_read(read: Read) -> None:
    async def both(line: Line) -> None: ...
    async def one(line: Line = Body(media_type="application/vnd.shop+json")) -> None: ...

    with pytest.raises(UnsupportedMediaType) as caught:
        await read(both, body=b"{}", content_type="text/plain")
    assert caught.value.detail == "The Content-Type of the body must be application/json or application/msgpack."

    with pytest.raises(UnsupportedMediaType) as caught:
        await read(one, body=b"{}", content_type=JSON)
    assert caught.value.detail == "The Content-Type of the body must be application/vnd.shop+json."


async def test_one_media_type_may_be_asked_for(read: Read) -> None:
    async def handler(line: Line = Body(media_type="application/vnd.shop+json")) -> None: ...

    sent = {"body": b'{"name": "a"}', "content_type": "application/vnd.shop+json; charset=utf-8"}
    assert await read(handler, **sent) == Line("a")


async def test_an_empty_body_is_missing_or_the_default(read: Read, refused: Refused) -> None:
    async def required(line: Line) -> None: ...
    async def optional(line: Line | None = None) -> None: ...

    assert await refused(required) == [("body", "", "missing")]
    assert await refused(required, content_type=JSON) == [("body", "", "missing")]
    assert await read(optional) is None
    assert await read(optional, content_type=JSON) is None


@pytest.mark.parametrize(
    "body", [b"{", b"nul", b"{'a': 1}", b'{"name": "a"} x', b"\xef\xbb\xbf{}", b'{"name": "\xff"}']
)
async def test_what_is_not_json_is_malformed(read: Read, body: bytes) -> None:
    async def handler(line: Line) -> None: ...

    with pytest.raises(BadRequest) as caught:
        await read(handler, body=body, content_type=JSON)

    assert caught.value.code == "malformed_json"


async def test_all_errors_of_a_body_are_told_with_their_places(refused: Refused) -> None:
    async def handler(order: Order) -> None: ...

    body = b'{"lines": [{"price": 0}, {"name": 1}], "note": 5}'

    assert sorted(await refused(handler, body=body, content_type=JSON)) == [
        ("body", "/lines/0/name", "missing"),
        ("body", "/lines/0/price", "too_small"),
        ("body", "/lines/1/name", "type"),
        ("body", "/note", "type"),
    ]


async def test_a_hundred_errors_are_told_of_a_hundred_thousand(refused: Refused) -> None:
    """CVE-2020-8192: an answer much larger than its question."""

    async def handler(numbers: list[int]) -> None: ...

    assert len(await refused(handler, body=b'["x"' + b',"x"' * 100_000 + b"]", content_type=JSON)) == 100


@pytest.mark.parametrize(
    "body",
    [b'{"children": [' * 101 + b"]}" * 101, b'{"x": ' + b"[" * 100 + b"]" * 100 + b"}", b'{"x": ' + b"[" * 100_000],
)
async def test_a_body_that_nests_too_deeply_is_refused_typed_or_not(read: Read, body: bytes) -> None:
    """Where no model looks too: CVE-2024-27454."""

    async def handler(node: Node) -> None: ...
    async def untyped(node: dict[str, Any]) -> None: ...

    for one in (handler, untyped):
        with pytest.raises(BadRequest) as caught:
            await read(one, body=body, content_type=JSON)
        assert caught.value.code in ("json_too_deep", "malformed_json")


async def test_the_depth_is_a_limit_of_the_route(read: Read) -> None:
    async def handler(node: Node) -> None: ...

    body = b'{"children": [{}]}'

    assert await read(handler, body=body, content_type=JSON, limits=Limits(max_json_depth=3)) == Node([Node()])
    with pytest.raises(BadRequest):
        await read(handler, body=body, content_type=JSON, limits=Limits(max_json_depth=2))


@pytest.mark.parametrize(
    "body",
    [
        b"\x91" * 101 + b"\xc0", b"\x91" * 100_000, b"\x81\xa1a" * 101 + b"\xc0", b"\xc1", b"",
        b"\x81\xa1a\xc7\x01\x05x",
        b"\x81\xa1a\xd4\x05x", b"\xdd\xff\xff\xff\xff", b"\x80\x80", b"\x81\xa1a\xc7\xff\xff",
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", [dict[str, Any], Node, Any])
async def test_malformed_deep_and_extended_messagepack_is_refused(read: Read, kind: Any, body: bytes) -> None:
    async def handler(a): ...  # type: ignore[no-untyped-def]

    handler.__annotations__ = {"a": Annotated[kind, Body()]}

    with pytest.raises((BadRequest, Located)) as caught:
        await read(handler, body=body, content_type="application/msgpack")

    if body:
        assert isinstance(caught.value, BadRequest)
        assert caught.value.code == "malformed_msgpack"


async def test_of_several_bodies_each_is_a_key(read: Read, refused: Refused) -> None:
    async def handler(line: Line, book: Book, count: int = Body(1)) -> None: ...

    body = b'{"book": {"title": "x"}, "line": {"name": "a"}, "other": [1]}'

    assert await read(handler, body=body, content_type=JSON) == {"line": Line("a"), "book": Book("x"), "count": 1}
    assert await refused(handler, body=b'{"line": {"price": 0}, "count": "x"}', content_type=JSON) == [
        ("body", "/line/name", "missing"),
        ("body", "/line/price", "too_small"),
        ("body", "/book", "missing"),
        ("body", "/count", "type"),
    ]
    assert await refused(handler) == [("body", "/line", "missing"), ("body", "/book", "missing")]
    assert await refused(handler, body=b"[1]", content_type=JSON) == [("body", "", "type")]


async def test_several_bodies_are_read_from_messagepack_too(read: Read) -> None:
    async def handler(line: Line, book: Book) -> None: ...

    body = encode_msgpack({"book": {"title": "x"}, "line": {"name": "a"}})

    assert await read(handler, body=body, content_type="application/msgpack") == {"line": Line("a"), "book": Book("x")}


async def test_one_body_can_be_a_key(read: Read, refused: Refused) -> None:
    async def handler(name: str = Body(embed=True, min_length=2, alias="title")) -> None: ...

    assert await read(handler, body=b'{"title": "ab"}', content_type=JSON) == "ab"
    assert await refused(handler, body=b'{"title": "a"}', content_type=JSON) == [("body", "/title", "too_short")]
    with pytest.raises(BadRequest):
        await read(handler, body=b'[{"title": "a"', content_type=JSON)


async def test_bytes_are_the_body_as_it_came(read: Read) -> None:
    async def handler(data: bytes = Body()) -> None: ...
    async def image(data: bytes = Body(media_type="image/*")) -> None: ...

    assert await read(handler, body=b"\x00{") == b"\x00{"
    assert await read(handler) == b""
    assert await read(image, body=b"x", content_type="image/png") == b"x"
    with pytest.raises(UnsupportedMediaType):
        await read(image, body=b"x", content_type="text/plain")
    with pytest.raises(UnsupportedMediaType):
        await read(image, body=b"x")


async def test_text_is_read_in_its_charset(read: Read, refused: Refused) -> None:
    async def handler(text: str = Body(media_type="text/plain", max_length=3)) -> None: ...

    assert await read(handler, body="é".encode("latin-1"), content_type="text/plain; charset=iso-8859-1") == "é"
    assert await refused(handler, body=b"abcd", content_type="text/plain") == [("body", "", "too_long")]


async def test_a_mutable_default_of_a_body_is_copied(read: Read) -> None:
    default: dict[str, Any] = {"a": []}

    async def handler(data: dict[str, Any] = Body(default)) -> None: ...

    (await read(handler))["a"].append(1)

    assert default == {"a": []}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from([Order, Node, Book, dict[str, int], list[Line], Any, int, Line | None]),
    content_type=st.sampled_from([JSON, "application/msgpack", None, "text/plain"]) | st.text(max_size=20),
    body=st.binary(max_size=60)
    | st.builds(msgspec.json.encode, st.recursive(st.none() | st.integers() | st.text(max_size=3), st.lists))
    | st.builds(encode_msgpack, st.dictionaries(st.sampled_from(["lines", "name"]), st.integers(0, 9))),
    embed=st.booleans(),
)
async def test_no_body_raises_anything_else(
    read: Read, kind: Any, content_type: str | None, body: bytes, embed: bool
) -> None:
    async def handler(a): ...  # type: ignore[no-untyped-def]

    handler.__annotations__ = {"a": Annotated[kind, Body(embed=embed)]}
    try:
        await read(handler, body=body, content_type=content_type)
    except Located as exc:
        assert all(set(error) == {"in", "pointer", "code", "detail"} for error in exc.errors)
    except HTTPException as exc:
        assert exc.status_code in (400, 413, 415)


async def test_a_body_that_two_functions_ask_for_is_read_for_each(
    compiled_inputs: Callable[..., CompiledInputs], read_compiled: Read
) -> None:
    async def handler(item: Line) -> None: ...
    async def guard(item: dict[str, Any]) -> None: ...

    inputs = [*compiled_inputs(handler, (), ("POST",)).inputs, *compiled_inputs(guard, (), ("POST",)).inputs]
    compiled = compile_inputs(inputs)
    assert compiled.body is not None

    assert [item.whole for item in compiled.inputs] == [True, True]
    assert await read_compiled(compiled, body=b'{"name": "a"}', content_type=JSON) == {"item": {"name": "a"}}


async def test_bytes_have_a_length(read: Read, refused: Refused) -> None:
    async def handler(data: bytes = Body(max_length=2)) -> None: ...
    async def optional(data: bytes | None = Body(None)) -> None: ...

    assert await read(handler, body=b"ab") == b"ab"
    assert await refused(handler, body=b"abc") == [("body", "", "too_long")]
    assert await read(optional) is None


async def test_a_decimal_body_has_bounds(read: Read, refused: Refused) -> None:
    async def handler(price: Decimal = Body(ge=1)) -> None: ...

    assert await read(handler, body=b'"1.50"', content_type=JSON) == Decimal("1.50")
    for body in (b'"0.9"', b'"NaN"'):
        assert len(await refused(handler, body=body, content_type=JSON)) == 1
