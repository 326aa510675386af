"""What is wrong with a body: the words for each code, where it is, and that all of it is told."""

import dataclasses
import datetime
import decimal
import enum
import uuid
from typing import Annotated, Any, Literal, NamedTuple, TypedDict

import attrs
import msgspec
import pytest
from msgspec import Meta

from nexios.models.adapter import adapt
from nexios.models.problems import CODES, Invalid, Problem, cut, pointer_of


def problems_of(kind: Any, body: bytes) -> list[tuple[str, str, str]]:
    """Return pointer, code and detail of everything that is wrong with a body."""
    with pytest.raises(Invalid) as caught:
        adapt(kind).decode_json(body)
    return [(problem.pointer, problem.code, problem.detail) for problem in caught.value.problems]


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Cat(msgspec.Struct, tag="cat"):
    lives: int


class Dog(msgspec.Struct, tag="dog"):
    name: str


class Strict(msgspec.Struct, forbid_unknown_fields=True):
    id: int


class Span(msgspec.Struct):
    start: int
    end: int

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise ValueError("ends before it starts")


class Row(msgspec.Struct, array_like=True, tag="row"):
    id: int
    name: str = ""


class Pair(NamedTuple):
    first: int
    second: str


WORDS: list[tuple[Any, bytes, str, str, str]] = [
    (Strict, b"{}", "/id", "missing", "is required"),
    (int, b'"1"', "", "type", "must be an integer"),
    (int, b"1.0", "", "type", "must be an integer"),
    (int, b"true", "", "type", "must be an integer"),
    (float, b'"1"', "", "type", "must be a number"),
    (str, b"1", "", "type", "must be a string"),
    (bool, b"1", "", "type", "must be true or false"),
    (None, b"0", "", "type", "must be null"),
    (list[int], b"{}", "", "type", "must be a list"),
    (tuple[int, str], b"{}", "", "type", "must be a list"),
    (Pair, b"{}", "", "type", "must be a list"),
    (dict[str, int], b"[]", "", "type", "must be an object"),
    (Strict, b"[]", "", "type", "must be an object"),
    (int | None, b'"a"', "", "type", "must be an integer or null"),
    (int | str | None, b"[]", "", "type", "must be an integer or a string or null"),
    (dict[int, int], b'{"a":1}', "/a", "type", "has a key that must be an integer"),
    (Strict, b'{"id":1,"x":2}', "/x", "unknown_field", "is not a known field"),
    (Annotated[int, Meta(ge=1)], b"0", "", "too_small", "must be at least 1"),
    (Annotated[int, Meta(gt=1)], b"1", "", "too_small", "must be greater than 1"),
    (Annotated[float, Meta(ge=1.5)], b"1", "", "too_small", "must be at least 1.5"),
    (Annotated[int, Meta(le=1)], b"2", "", "too_large", "must be at most 1"),
    (Annotated[int, Meta(lt=1)], b"1", "", "too_large", "must be less than 1"),
    (float, b"9" * 400, "", "too_large", "is too large"),
    (decimal.Decimal, b'"1e500"', "", "too_large", "has too many digits"),
    (Annotated[str, Meta(min_length=1)], b'""', "", "too_short", "must have at least 1 character"),
    (Annotated[list[int], Meta(min_length=2)], b"[1]", "", "too_short", "must have at least 2 items"),
    (tuple[int, str], b"[1]", "", "too_short", "must have 2 items"),
    (Pair, b"[1]", "", "too_short", "must have at least 2 items"),
    (Annotated[str, Meta(max_length=10)], b'"elevenchars"', "", "too_long", "must have at most 10 characters"),
    (Annotated[dict[str, int], Meta(max_length=1)], b'{"a":1,"b":2}', "", "too_long", "must have at most 1 entry"),
    (Annotated[bytes, Meta(max_length=2)], b'"YWFh"', "", "too_long", "must have at most 2 bytes"),
    (tuple[int], b"[1,2]", "", "too_long", "must have 1 item"),
    (Annotated[str, Meta(pattern="^a+$")], b'"b"', "", "pattern", "must match the pattern ^a+$"),
    (Annotated[int, Meta(multiple_of=5)], b"4", "", "multiple_of", "must be a multiple of 5"),
    (Annotated[float, Meta(multiple_of=0.5)], b"0.7", "", "multiple_of", "must be a multiple of 0.5"),
    (Color, b'"green"', "", "enum", "must be one of 'red', 'blue'"),
    (Literal["a"], b'"b"', "", "enum", "must be 'a'"),
    (Literal[1, 2], b"true", "", "enum", "must be one of 1, 2"),
    (datetime.date, b'"31.1.2026"', "", "format", "must be a date, as in 2026-01-31"),
    (datetime.datetime, b'"now"', "", "format", "must be a date and time, as in 2026-01-31T23:59:59Z"),
    (Annotated[datetime.datetime, Meta(tz=True)], b'"2026-01-31T23:59:59"', "", "format", "must have a time zone"),
    (Annotated[datetime.time, Meta(tz=False)], b'"23:59:59Z"', "", "format", "must not have a time zone"),
    (datetime.time, b'"noon"', "", "format", "must be a time, as in 23:59:59"),
    (datetime.timedelta, b'"5"', "", "format", "must be a duration, as in PT1H30M"),
    (uuid.UUID, b'"5"', "", "format", "must be a UUID"),
    (decimal.Decimal, b'"x"', "", "format", "must be a decimal number"),
    (bytes, b'"%"', "", "format", "must be base64"),
    (uuid.UUID, b"5", "", "type", "must be a UUID"),
    (Cat | Dog, b"{}", "/type", "missing", "is required"),
    (Cat | Dog, b'{"type":"cow"}', "/type", "unknown_tag", "must be one of 'cat', 'dog'"),
    (Cat, b'{"type":"dog","lives":1}', "/type", "unknown_tag", "must be 'cat'"),
    (Row, b'["col",1]', "/0", "unknown_tag", "must be 'row'"),
    (Span, b'{"start":2,"end":1}', "", "invalid", "ends before it starts"),
    (set[Any], b"[[]]", "", "invalid", "is invalid"),
]


@pytest.mark.parametrize(("kind", "body", "pointer", "code", "detail"), WORDS, ids=lambda each: str(each)[:30])
def test_each_problem_has_its_words(kind: Any, body: bytes, pointer: str, code: str, detail: str) -> None:
    assert problems_of(kind, body) == [(pointer, code, detail)]


def test_the_table_has_a_row_for_every_code() -> None:
    assert {row[3] for row in WORDS} == set(CODES)


class Item(msgspec.Struct):
    name: Annotated[str, Meta(max_length=3)]
    price: Annotated[float, Meta(ge=1)]


class Note(TypedDict, total=False):
    text: str


@dataclasses.dataclass
class Address:
    street: str


class Order(msgspec.Struct, rename="camel"):
    order_id: int
    line_items: list[Item]
    pet: Cat | Dog
    notes: dict[str, Note]
    place: Address
    spans: tuple[Span, ...] = ()
    row: Row | None = None


def test_all_problems_are_told_at_once_by_their_names_on_the_wire() -> None:
    body = {
        "orderId": "1",
        "lineItems": [{"name": "long", "price": 0}, {}, 5],
        "pet": {"type": "cat", "lives": "9"},
        "notes": {"a/b": {"text": 1}},
        "place": {},
        "spans": [{"start": 1, "end": 2}, {"start": 2, "end": 1}],
        "row": ["row", "x"],
    }

    found = problems_of(Order, msgspec.json.encode(body))

    assert [(pointer, code) for pointer, code, _ in found] == [
        ("/orderId", "type"),
        ("/lineItems/0/name", "too_long"),
        ("/lineItems/0/price", "too_small"),
        ("/lineItems/1/name", "missing"),
        ("/lineItems/1/price", "missing"),
        ("/lineItems/2", "type"),
        ("/pet/lives", "type"),
        ("/notes/a~1b/text", "type"),
        ("/place/street", "missing"),
        ("/spans/1", "invalid"),
        ("/row/1", "type"),
    ]


def test_the_words_of_a_library_are_not_shown_for_they_hold_the_value() -> None:
    @attrs.define
    class Car:
        doors: int = attrs.field(validator=attrs.validators.lt(6))

    assert problems_of(Car, b'{"doors":31337}') == [("", "invalid", "is invalid")]


def test_a_model_of_its_own_checks_is_asked_once_its_fields_are_right() -> None:
    assert problems_of(Span, b'{"start":"x","end":1}') == [("/start", "type", "must be an integer")]


def test_a_long_list_is_searched_to_its_end() -> None:
    values: list[object] = [1] * 500
    values[0] = values[70] = values[499] = "x"

    assert [pointer for pointer, _, _ in problems_of(list[int], msgspec.json.encode(values))] == ["/0", "/70", "/499"]


def test_a_long_object_is_searched_to_its_end() -> None:
    values: dict[str, object] = {f"k{number}": number for number in range(500)}
    values["k77"] = None

    assert [pointer for pointer, _, _ in problems_of(dict[str, int], msgspec.json.encode(values))] == ["/k77"]


def test_many_choices_are_cut() -> None:
    many = enum.Enum("many", {f"V{number}": f"value-{number}" for number in range(500)})  # type: ignore[misc]

    detail = problems_of(many, b'"x"')[0][2]

    assert detail.startswith("must be one of 'value-0', 'value-1', ")
    assert detail.endswith(" more")
    assert len(detail) < 220


def test_a_long_name_of_the_client_is_not_repeated() -> None:
    """The pointer ends at the object that has the name."""
    body = msgspec.json.encode({"a": {"k" * 500: "x"}})

    assert problems_of(dict[str, dict[str, int]], body) == [("/a", "type", "must be an integer")]


def test_an_enum_may_take_more_than_its_values() -> None:
    """What `_missing_` takes is right, so it is not told beside what is wrong."""

    class Size(enum.Enum):
        SMALL = "small"

        @classmethod
        def _missing_(cls, value: object) -> "Size | None":
            return cls.SMALL if value == "s" else None

    class Shirt(msgspec.Struct):
        size: Size
        other: Size
        count: int

    body = b'{"size":"s","other":"x","count":"x"}'

    assert [pointer for pointer, _, _ in problems_of(Shirt, body)] == ["/other", "/count"]


def test_no_more_than_100_unknown_fields_are_told() -> None:
    body = msgspec.json.encode({"id": 1} | {f"x{number}": 1 for number in range(500)})

    assert len(problems_of(Strict, body)) == 100


def test_a_long_text_of_a_developer_is_cut() -> None:
    assert len(cut("x" * 1000)) == 200


def test_a_pointer_names_steps_as_rfc_6901_does() -> None:
    assert pointer_of([]) == ""
    assert pointer_of(["", 0, "a/b", "m~n"]) == "//0/a~1b/m~0n"


def test_invalid_reads_as_what_is_wrong() -> None:
    assert str(Invalid([Problem("/a", "missing", "is required"), Problem("", "invalid", "is invalid")])) == (
        "/a is required; value is invalid"
    )
