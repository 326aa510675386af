"""Bodies that are small to send and dear to read, where a type is declared."""

import decimal
import itertools
import tracemalloc
import uuid
from datetime import UTC
from typing import Annotated, Any, NamedTuple

import msgspec
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexios._pipeline.inputs.absent import absent_of
from nexios._pipeline.inputs.formats import Decoders, Format
from nexios._pipeline.inputs.input import Input
from nexios.errors import BadRequest
from nexios.models.adapter import adapt
from nexios.models.backend import Malformed
from nexios.models.crowds import MAX_CROWD, MAX_PACKED
from nexios.models.problems import Invalid, Problem
from nexios.serialization import (
    MAX_ARRAY_KEYS,
    MAX_CONTAINERS,
    _finds_crowded_map,
    decode_json,
    decode_msgpack,
    encode_msgpack,
    has_crowded_map,
)
from tests.security.kit import linear

MIB = 1024 * 1024


class Item(msgspec.Struct):
    name: str


class Tree(msgspec.Struct):
    children: "list[Tree]" = []


def empty_maps(count: int) -> bytes:
    """Return a MessagePack array of empty maps."""
    return b"\xdd" + count.to_bytes(4, "big") + b"\x80" * count


def empty_lists(count: int) -> bytes:
    """Return a JSON array of empty arrays."""
    return b"[" + b"[]," * (count - 1) + b"[]]"


def decoders_of(kind: Any) -> Decoders:
    """Return the decoders of a type as an endpoint has them."""
    adapter = adapt(kind)
    return Decoders(adapter.decode_json, adapter.decode_msgpack, adapter.has_known_depth)


def memory_of(kind: Any, body: bytes, format_: Format) -> tuple[type[Exception], int]:
    """Return what a body is refused with, and how many bytes it took at most."""
    decoders = decoders_of(kind)
    tracemalloc.start()
    try:
        with pytest.raises((BadRequest, Invalid)) as caught:
            decoders.decode(body, format_, 100)
        return caught.type, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", [Item, list[int], dict[str, int], int], ids=str)
def test_empty_containers_are_not_built_where_the_type_has_no_place_for_them(kind: Any) -> None:
    for body, format_ in ((empty_maps(3 * MIB), "msgpack"), (empty_lists(1 * MIB), "json")):
        error, peak = memory_of(kind, body, format_)  # type: ignore[arg-type]

        assert error is Invalid
        assert peak < 2 * len(body) + MIB


@pytest.mark.parametrize("kind", [Any, dict[str, Any], Tree, list[Any]], ids=str)
def test_too_many_containers_are_refused_before_anything_is_built(kind: Any) -> None:
    for body, format_ in ((empty_maps(3 * MIB), "msgpack"), (empty_lists(1 * MIB), "json")):
        error, peak = memory_of(kind, body, format_)  # type: ignore[arg-type]

        assert error is BadRequest
        assert peak < 3 * len(body) + MIB


def test_a_body_without_a_type_has_the_same_limit() -> None:
    with pytest.raises(BadRequest) as packed:
        decode_msgpack(empty_maps(MAX_CONTAINERS), max_depth=100)
    with pytest.raises(BadRequest) as text:
        decode_json(empty_lists(MAX_CONTAINERS), max_depth=100)

    assert (packed.value.code, text.value.code) == ("malformed_msgpack", "json_too_deep")
    assert len(decode_msgpack(empty_maps(MAX_CONTAINERS - 1), max_depth=100)) == MAX_CONTAINERS - 1


@pytest.mark.parametrize(
    "value",
    [
        "\u0100" * 2_000_000,
        b"\x90" * 2_000_000,
        [0x90] * 2_000_000,
        ["\u0100" * 10] * 200_000,
        ["\u0100" * 40] * 50_000,
    ],
    ids=["text", "bytes", "numbers", "short strings", "strings"],
)
def test_bytes_that_only_look_like_containers_are_none(value: object) -> None:
    assert decode_msgpack(encode_msgpack(value), max_depth=100) == value


def test_brackets_in_a_string_are_no_containers() -> None:
    text = "[{" * MAX_CONTAINERS

    assert decode_json(b'["' + text.encode() + b'"]', max_depth=100) == [text]


def test_a_large_body_that_does_not_fit_is_not_explained() -> None:
    with pytest.raises(Invalid) as caught:
        adapt(list[int]).decode_json(empty_lists(300_000))

    assert caught.value.problems == (Problem("", "invalid", "is invalid"),)


def test_a_large_body_that_is_malformed_is_malformed() -> None:
    for decode, body, code in (
        (adapt(list[int]).decode_json, empty_lists(300_000) + b"]", "malformed_json"),
        (adapt(list[int]).decode_msgpack, empty_maps(300_000) + b"\x80", "malformed_msgpack"),
    ):
        with pytest.raises(Malformed) as caught:
            decode(body)

        assert caught.value.code == code


class Pair(NamedTuple):
    left: int
    right: int


class Point(msgspec.Struct, frozen=True):
    x: int


class Numbers(msgspec.Struct):
    numbers: set[int] = set()


class Model(pydantic.BaseModel):
    numbers: set[int] = set()
    ids: frozenset[uuid.UUID] = frozenset()


EQUAL = [number * (2**61 - 1) for number in range(10, MAX_CROWD + 12)]
"""Integers of one hash."""


def codes_of(kind: Any, body: bytes, format_: Format = "json") -> set[str]:
    """Return the codes of what is wrong with a body."""
    decoders = decoders_of(kind)
    try:
        (decoders.json if format_ == "json" else decoders.msgpack)(body)
    except Invalid as error:
        return {problem.code for problem in error.problems}
    return set()


@pytest.mark.parametrize("kind", [set[int], frozenset[int], list[set[int]], set[int | str], Numbers, Model], ids=str)
def test_many_integers_of_one_hash_are_refused_before_they_meet(kind: Any) -> None:
    numbers = msgspec.json.encode([number << 61 * 2 for number in EQUAL])
    body = numbers if kind not in (Numbers, Model) else b'{"numbers":' + numbers + b"}"

    assert codes_of(kind, body) == {"too_long"}


def test_keys_that_are_integers_are_looked_at_too_even_when_they_are_written_as_escapes() -> None:
    keys = [str(number << 61 * 2) for number in EQUAL]
    escaped = ["".join(f"\\u003{digit}" for digit in key) for key in keys]

    for names in (keys, escaped):
        assert codes_of(dict[int, int], b"{" + b",".join(f'"{key}":1'.encode() for key in names) + b"}") == {"too_long"}


def test_many_small_integers_and_a_few_large_ones_are_a_set() -> None:
    numbers = [*range(100_000), 10**30]

    assert adapt(set[int]).decode_json(msgspec.json.encode(numbers)) == set(numbers)
    assert adapt(dict[int, int]).decode_json(msgspec.json.encode(dict.fromkeys(range(9999), 1)))[9998] == 1


@pytest.mark.parametrize(
    "kind",
    [set[uuid.UUID], frozenset[decimal.Decimal], dict[uuid.UUID, int], dict[decimal.Decimal, int], set[tuple[int, int]],
     set[Pair], set[Point], set[Any], set[int | decimal.Decimal], list[set[tuple[int, ...]]]],
    ids=str,
)  # fmt: skip
def test_other_values_kept_by_a_hash_that_is_no_secret_are_few(kind: Any) -> None:
    assert codes_of(kind, b"[" + b"1," * (MAX_CROWD + 1) + b"1]") == {"too_long"}
    assert codes_of(kind, b"\xc4" * (MAX_PACKED + 1), "msgpack") == {"too_long"}
    assert "too_long" not in codes_of(kind, b"[1,1]")


def test_a_set_of_a_pydantic_model_is_looked_at_too() -> None:
    body = msgspec.json.encode({"ids": [uuid.UUID(int=number) for number in range(MAX_CROWD + 2)]})

    assert codes_of(Model, body) == {"too_long"}
    assert codes_of(Model, b'{"ids":["12345678-1234-5678-1234-567812345678"],"numbers":[1]}') == set()


@pytest.mark.parametrize(
    "kind", [set[str], dict[str, int], dict[Any, Any], list[uuid.UUID], set[Annotated[int, msgspec.Meta(ge=0, le=9)]]]
)
def test_types_that_no_one_can_crowd_are_not_looked_at(kind: Any) -> None:
    assert "too_long" not in codes_of(kind, b"[" + b"123456789012345678901," * 3000 + b"1]")


class WithModel(msgspec.Struct):
    inner: Model
    others: list[Model] = []


def test_a_set_of_a_pydantic_model_inside_a_struct_is_looked_at_too() -> None:
    ids = [uuid.UUID(int=number) for number in range(MAX_CROWD + 2)]

    assert codes_of(WithModel, msgspec.json.encode({"inner": {"ids": ids}})) == {"too_long"}
    assert codes_of(WithModel, b"\xc4" * (MAX_PACKED + 1), "msgpack") == {"too_long"}
    assert codes_of(list[WithModel], msgspec.json.encode([{"inner": {}, "others": [{"ids": ids}]}])) == {"too_long"}
    assert codes_of(WithModel, b'{"inner":{"numbers":[1]}}') == set()


def crowded_map(count: int, *, around: bytes = b"") -> bytes:
    """Return a MessagePack map whose keys are arrays of -1 and -2, which all have one hash."""
    keys = itertools.islice(itertools.product((b"\xff", b"\xfe"), repeat=12), count)
    return around + b"\xde" + count.to_bytes(2, "big") + b"".join(b"\x9c" + b"".join(key) + b"\x01" for key in keys)


class Anything(msgspec.Struct):
    data: Any = None


class AnyModel(pydantic.BaseModel):
    data: Any = None


@pytest.mark.parametrize(
    "kind", [Any, dict[Any, int], Anything, AnyModel, list[Any], Item, list[Item], WithModel], ids=str
)
@pytest.mark.parametrize("around", [b"", b"\x81\xa4data", b"\x93\x01\xd9\x01x"])
def test_arrays_for_keys_are_few_in_a_map_of_messagepack(kind: Any, around: bytes) -> None:
    """They become tuples; to tell what is wrong with a refused body does not build them either."""
    decoders = decoders_of(kind)

    with pytest.raises((BadRequest, Invalid)) as caught:
        decoders.decode(crowded_map(MAX_ARRAY_KEYS + 1, around=around), "msgpack", 100)

    if isinstance(caught.value, Invalid):
        assert [problem.code for problem in caught.value.problems] == ["invalid"]


def test_what_was_not_declared_has_few_arrays_for_keys_too() -> None:
    with pytest.raises(BadRequest, match="too many arrays for keys"):
        decode_msgpack(crowded_map(MAX_ARRAY_KEYS + 1), max_depth=100)

    assert len(decode_msgpack(crowded_map(MAX_ARRAY_KEYS), max_depth=100)) == MAX_ARRAY_KEYS


VALUES = st.recursive(
    st.none()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text()
    | st.binary()
    | st.datetimes(timezones=st.just(UTC)),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.tuples(st.integers(0, 9)), inner),
)


@given(VALUES, st.booleans())
def test_a_crowd_is_found_behind_whatever_else_and_nowhere_else(value: object, is_crowded: bool) -> None:
    body = b"\x92" + msgspec.msgpack.encode(value) + crowded_map(MAX_ARRAY_KEYS + is_crowded)

    assert _finds_crowded_map(body) is is_crowded
    assert has_crowded_map(body) is is_crowded


@given(st.binary())
def test_whatever_is_no_messagepack_is_looked_through(body: bytes) -> None:
    assert _finds_crowded_map(body) is False


def test_large_maps_with_texts_for_keys_and_many_arrays_are_no_crowd() -> None:
    value = {str(number): [number, {"at": [number]}] for number in range(5000)}

    assert decode_msgpack(encode_msgpack(value), max_depth=100) == value


def test_maps_are_looked_through_in_a_time_that_grows_with_them() -> None:
    value = encode_msgpack([{str(number): [number] for number in range(2000)}])

    assert linear(lambda n: has_crowded_map(b"\xdd" + n.to_bytes(4, "big") + value[1:] * n), 40)


def test_a_default_with_a_list_inside_a_tuple_is_a_copy_for_each_request() -> None:
    default: tuple[int, list[int]] = (1, [])
    absent = absent_of(Input("query", "pair", "pair", tuple[int, list[int]], default))

    absent()[1].append(2)

    assert (absent(), default) == ((1, []), (1, []))


class Quoting(msgspec.Struct):
    text: str

    def __post_init__(self) -> None:
        if self.text.startswith("\u00e9"):
            self.text.encode("ascii")
        if self.text == "short":
            raise ValueError("it isn't long enough")
        int(self.text)


class QuotingModel(pydantic.BaseModel):
    text: str

    @pydantic.field_validator("text")
    @classmethod
    def check(cls, text: str) -> str:
        if text == "short":
            raise ValueError("it isn't long enough")
        text.encode("ascii")
        int(text)
        return text


@pytest.mark.parametrize("kind", [Quoting, QuotingModel, list[Quoting]], ids=str)
def test_words_of_python_that_repeat_the_value_are_left_out(kind: Any) -> None:
    def detail_of(text: str) -> str:
        value: object = {"text": text}
        with pytest.raises(Invalid) as caught:
            adapt(kind).decode_json(msgspec.json.encode(value if kind != list[Quoting] else [value]))
        return caught.value.problems[0].detail

    for text in ("<script>", "\u00e9<script>", "<script>" * 100, "it's"):
        assert detail_of(text) == "is invalid"
    assert detail_of("short") == "it isn't long enough"


def test_the_look_at_a_body_takes_linear_time() -> None:
    def integers(count: int) -> None:
        adapt(set[int]).decode_json(b"[" + b"1234567890123456789," * count + b"123456789012345678901]")

    assert linear(integers, 50_000)
