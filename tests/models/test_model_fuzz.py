"""Any bytes at all: a value, Malformed or Invalid, and what is valid comes back the same."""

import datetime
import decimal
import enum
import uuid
from typing import Annotated, Any, Literal, NamedTuple, TypedDict

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta

from nexios.models.adapter import adapt
from nexios.models.backend import Malformed
from nexios.models.problems import CODES, Invalid


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Cat(msgspec.Struct, tag="cat"):
    lives: Annotated[int, Meta(ge=0)]


class Dog(msgspec.Struct, tag="dog"):
    tricks: list[str]


class Pair(NamedTuple):
    first: int
    second: str


class Movie(TypedDict, total=False):
    title: str


class Thing(msgspec.Struct):
    a: Annotated[str, Meta(max_length=5)] | None = None
    b: list[Cat | Dog] = []
    c: dict[int, Color] = {}
    d: datetime.datetime | None = None
    e: decimal.Decimal | float | None = None
    f: tuple[int, Pair] | None = None
    g: Movie | list[int] | None = None
    h: "Thing | None" = None
    i: set[Literal["x", 1]] = set()
    j: uuid.UUID | int = 0
    k: bytes = b""
    m: Any = None

    def __post_init__(self) -> None:
        if self.k == b"no":
            raise ValueError("may not be no")


DECODE_JSON = adapt(Thing).decode_json
DECODE_MSGPACK = adapt(Thing).decode_msgpack

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(["red", "x", "cat", "dog", "bm8=", "2026-01-31T00:00:00Z", "NaN", "1.5"])
)
names = st.sampled_from([*"abcdefghijkm", "type", "lives", "tricks", "title", "1"]) | st.text(max_size=4)
documents = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=6), max_leaves=12
)


def check_refusals(decode: Any, body: bytes) -> None:
    """Decode, and look at what was refused."""
    try:
        decode(body)
    except Malformed as error:
        assert error.code in ("malformed_json", "malformed_msgpack")
    except Invalid as error:
        assert 1 <= len(error.problems) <= 100
        assert {problem.code for problem in error.problems} <= set(CODES)


@given(st.binary(max_size=64))
def test_any_bytes_are_a_value_or_refused(body: bytes) -> None:
    check_refusals(DECODE_JSON, body)
    check_refusals(DECODE_MSGPACK, body)


@given(documents)
def test_any_document_is_a_value_or_refused(document: object) -> None:
    check_refusals(DECODE_JSON, msgspec.json.encode(document))
    check_refusals(DECODE_MSGPACK, msgspec.msgpack.encode(document))


@given(st.dictionaries(st.sampled_from("abcdefghijkm"), documents, min_size=1, max_size=4))
def test_a_problem_points_at_a_part_of_the_document(document: dict[str, Any]) -> None:
    """The last step may be a name that is missing."""
    try:
        DECODE_JSON(msgspec.json.encode(document))
    except Invalid as error:
        for problem in error.problems:
            assert reaches(document, problem.pointer) or problem.code == "missing"


def reaches(document: Any, pointer: str) -> bool:
    """Return whether a JSON Pointer leads somewhere (RFC 6901 section 4)."""
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(document, list):
            if not int(name) < len(document):
                return False
            document = document[int(name)]
        elif isinstance(document, dict) and name in document:
            document = document[name]
        else:
            return False
    return True


@given(st.builds(Cat, st.integers(0, 2**62)) | st.builds(Dog, st.lists(st.text())))
def test_valid_data_is_the_same_after_a_round_trip(value: Cat | Dog) -> None:
    adapter = adapt(Cat | Dog)

    assert adapter.decode_json(adapter.to_json(value)) == value
    assert adapter.decode_msgpack(adapter.to_msgpack(value)) == value


@pytest.mark.parametrize("kind", [int, list[Cat], dict[str, Movie], Cat | Dog | None], ids=str)
@given(document=documents)
def test_any_document_is_a_result_or_invalid(kind: Any, document: object) -> None:
    try:
        adapt(kind).to_json(document)
    except Invalid as error:
        assert error.problems
