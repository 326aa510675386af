"""Every kind of type, decoded from JSON and MessagePack."""

import dataclasses
import datetime
import decimal
import enum
import uuid
from typing import Annotated, Any, Generic, Literal, NamedTuple, NotRequired, TypedDict, TypeVar

import attrs
import msgspec
import pytest

from nexios.models.adapter import adapt
from nexios.models.backend import Malformed
from nexios.models.problems import Invalid

Item = TypeVar("Item")


class User(msgspec.Struct):
    id: int
    name: str


class Page(msgspec.Struct, Generic[Item]):
    items: list[Item]
    total: int = 0


@dataclasses.dataclass
class Point:
    x: int
    y: int = 0


class Movie(TypedDict):
    title: str
    year: NotRequired[int]


@attrs.define
class Car:
    doors: int


class Pair(NamedTuple):
    first: int
    second: str


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Cat(msgspec.Struct, tag="cat"):
    lives: int


class Dog(msgspec.Struct, tag="dog"):
    tricks: list[str]


class Tree(msgspec.Struct):
    value: int
    children: list["Tree"] = []


DECODED: list[tuple[Any, bytes, object]] = [
    (User, b'{"id":1,"name":"Ann","more":2}', User(1, "Ann")),
    (Page[User], b'{"items":[{"id":1,"name":"Ann"}]}', Page([User(1, "Ann")])),
    (Point, b'{"x":1}', Point(1)),
    (Movie, b'{"title":"M","more":2}', {"title": "M"}),
    (Car, b'{"doors":3}', Car(3)),
    (Pair, b'[1,"a"]', Pair(1, "a")),
    (Color, b'"red"', Color.RED),
    (Level, b"2", Level.HIGH),
    (Literal["a", 1], b"1", 1),
    (Cat | Dog, b'{"type":"dog","tricks":["sit"]}', Dog(["sit"])),
    (Tree, b'{"value":1,"children":[{"value":2}]}', Tree(1, [Tree(2)])),
    (int | None, b"null", None),
    (list[User] | None, b'[{"id":1,"name":"Ann"}]', [User(1, "Ann")]),
    (dict[int, Point], b'{"5":{"x":1}}', {5: Point(1)}),
    (tuple[int, str], b'[1,"a"]', (1, "a")),
    (tuple[int, ...], b"[1,2]", (1, 2)),
    (set[int], b"[1,1]", {1}),
    (frozenset[str], b'["a"]', frozenset({"a"})),
    (float, b"5", 5.0),
    (object, b'{"a":[1]}', {"a": [1]}),
    (Any, b"[null]", [None]),
    (bytes, b'"aGk="', b"hi"),
    (uuid.UUID, b'"12345678-1234-5678-1234-567812345678"', uuid.UUID("12345678-1234-5678-1234-567812345678")),
    (decimal.Decimal, b'"1.10"', decimal.Decimal("1.10")),
    (decimal.Decimal, b"1.10", decimal.Decimal("1.10")),
    (datetime.date, b'"2026-01-31"', datetime.date(2026, 1, 31)),
    (datetime.time, b'"23:59:59"', datetime.time(23, 59, 59)),
    (datetime.datetime, b'"2026-01-31T23:59:59Z"', datetime.datetime(2026, 1, 31, 23, 59, 59, tzinfo=datetime.UTC)),
    (datetime.timedelta, b'"PT1H30M"', datetime.timedelta(hours=1, minutes=30)),
    (Annotated[int, msgspec.Meta(ge=1)], b"1", 1),
]


@pytest.mark.parametrize(("kind", "body", "value"), DECODED, ids=lambda each: str(each)[:40])
def test_a_value_is_made_from_json(kind: Any, body: bytes, value: object) -> None:
    assert adapt(kind).decode_json(body) == value


@pytest.mark.parametrize(("kind", "value"), [(kind, value) for kind, _, value in DECODED], ids=lambda e: str(e)[:40])
def test_a_value_is_the_same_after_a_round_trip(kind: Any, value: object) -> None:
    adapter = adapt(kind)

    assert adapter.decode_json(adapter.to_json(value)) == value
    assert adapter.decode_msgpack(adapter.to_msgpack(value)) == value


def test_the_options_of_a_struct_are_kept() -> None:
    class Strict(msgspec.Struct, forbid_unknown_fields=True, rename="camel", tag="s", tag_field="kind"):
        item_id: int

    adapter = adapt(Strict)

    assert adapter.decode_json(b'{"kind":"s","itemId":1}') == Strict(1)
    assert adapter.to_json(Strict(1)) == b'{"kind":"s","itemId":1}'
    with pytest.raises(Invalid):
        adapter.decode_json(b'{"itemId":1,"other":2}')


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[1",
        b"nul",
        b"'a'",
        b"\xff",
        b'"\xff"',
        b"[1] 2",
        b"\xef\xbb\xbf1",
        b"NaN",
        b"1e400",
        b"-1e400",
        b"9" * 5000,
    ],
    ids=lambda body: str(body[:10]),
)
@pytest.mark.parametrize("kind", [int, str, User, list[float], Cat | Dog], ids=str)
def test_what_is_no_json_is_malformed_whatever_the_type(kind: Any, body: bytes) -> None:
    """Numbers out of range count as no JSON: there is no value to speak of."""
    with pytest.raises(Malformed) as caught:
        adapt(kind).decode_json(body)

    assert caught.value.code == "malformed_json"


def test_nesting_past_the_stack_is_malformed() -> None:
    body = b'{"value":1,"children":[' * 10_000 + b"]}" * 10_000

    with pytest.raises(Malformed) as caught:
        adapt(Tree).decode_json(body)

    assert caught.value.code == "json_too_deep"


@pytest.mark.parametrize(
    "body", [b"", b"\xc1", b"\xa1\xff", b"\x92\x01", b"\x91" * 10_000], ids=lambda body: str(body[:5])
)
def test_what_is_no_messagepack_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed) as caught:
        adapt(list[str]).decode_msgpack(body)

    assert caught.value.code == "malformed_msgpack"


def test_messagepack_problems_are_found_as_those_of_json() -> None:
    with pytest.raises(Invalid) as caught:
        adapt(dict[int, User]).decode_msgpack(msgspec.msgpack.encode({1: {"id": "x"}, "a": {"id": 1, "name": "n"}}))

    assert [(problem.pointer, problem.code) for problem in caught.value.problems] == [
        ("/1/id", "type"),
        ("/1/name", "missing"),
        ("/a", "type"),
    ]


@pytest.mark.parametrize("text", ["NaN", "sNaN", "Infinity", "-Infinity", "1e999999999", "1e-999999999"])
def test_a_decimal_is_a_number_of_a_size_that_can_be_written(text: str) -> None:
    class Price(msgspec.Struct):
        amount: decimal.Decimal | None
        others: list[decimal.Decimal] = []
        named: dict[str, decimal.Decimal] = {}
        pair: tuple[int, decimal.Decimal] | None = None

    for document, pointer in [
        ({"amount": text}, "/amount"),
        ({"amount": None, "others": ["1", text]}, "/others/1"),
        ({"amount": None, "named": {"a": text}}, "/named/a"),
        ({"amount": None, "pair": [1, text]}, "/pair/1"),
    ]:
        with pytest.raises(Invalid) as caught:
            adapt(Price).decode_json(msgspec.json.encode(document))
        assert [problem.pointer for problem in caught.value.problems] == [pointer]
        with pytest.raises(Invalid):
            adapt(Price).convert(document)


def test_builtins_are_converted_without_reading_text() -> None:
    convert = adapt(Point).convert

    assert convert({"x": 1}) == Point(1)
    assert convert(Point(2)) == Point(2)
    with pytest.raises(Invalid):
        convert({"x": "1"})
