"""JSON in and out: what is read, what is refused, and what is never written."""

import dataclasses
import datetime
import decimal
import enum
import json
import types
import uuid
from collections import OrderedDict
from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nexios.errors import BadRequest
from nexios.serialization import decode_json, encode_json

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=5)
    | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
    max_leaves=20,
)  # fmt: skip


class Colour(enum.Enum):
    RED = "red"


class Point(NamedTuple):
    x: int
    y: int


class Item(msgspec.Struct):
    id: int


@dataclasses.dataclass
class Book:
    title: str


class Model:
    """Shaped as a pydantic model, which is not needed for this."""

    def model_dump(self, *, mode: str, by_alias: bool) -> dict[str, str]:
        return {"mode": mode}


@pytest.mark.parametrize(
    "text",
    [
        b"", b" ", b"NaN", b"Infinity", b"-Infinity", b"01", b"1.", b".5", b"+1", b"0x10", b"1_0", b"'a'", b"[1,]",
        b'{"a":1,}', b"{a:1}", b"1 2", b"[1] x", b'"\n"', b'"\t"', b'"\\x41"', b'"', b"[", b"{", b"tru",
        b"\xef\xbb\xbf1", b'"\xff"',
        b'"\\ud800"', b'"\\udc00\\ud800"', b"1e400", b"-1e400", b"// 1", b"/**/1", "[1]".encode("utf-16"),
        "[1]".encode("utf-32"), b"\x00", b"[1\x00]", b"1" * 5000,
    ],
)  # fmt: skip
def test_what_is_not_json_is_a_bad_request(text: bytes) -> None:
    """RFC 8259, with UTF-8 as the one encoding (section 8.1)."""
    with pytest.raises(BadRequest) as caught:
        decode_json(text, max_depth=100)

    assert (caught.value.status_code, caught.value.code) == (400, "malformed_json")
    assert caught.value.detail == "The body is not valid JSON."


def test_numbers_of_any_reasonable_length_are_whole_numbers() -> None:
    assert decode_json(b"123456789012345678901234567890", max_depth=1) == 123456789012345678901234567890


def test_of_two_equal_keys_the_last_counts() -> None:
    assert decode_json(b'{"a": 1, "a": 2}', max_depth=1) == {"a": 2}


def test_white_space_around_a_value_is_no_error() -> None:
    assert decode_json(b" \r\n\t[1] \n", max_depth=1) == [1]


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_nesting_is_read_up_to_the_limit_and_not_beyond(opening: bytes) -> None:
    closing = b"]" if opening == b"[" else b"}"

    decode_json(opening * 100 + b"1" + closing * 100, max_depth=100)
    with pytest.raises(BadRequest) as caught:
        decode_json(opening * 101 + b"1" + closing * 101, max_depth=100)

    assert caught.value.code == "json_too_deep"


@pytest.mark.parametrize("text", [b"[" * 100_000, b'{"a":' * 100_000, b"[" * 100_000 + b"]" * 100_000])
def test_nesting_without_end_is_a_bad_request(text: bytes) -> None:
    with pytest.raises(BadRequest):
        decode_json(text, max_depth=100)


def test_brackets_side_by_side_and_in_texts_are_no_nesting() -> None:
    text = json.dumps([[{}]] * 500 + ["[" * 500, '\\"[{' * 500]).encode()

    assert len(decode_json(text, max_depth=3)) == 502


@settings(max_examples=30)
@given(JSON_VALUES)
def test_what_is_written_reads_back(value: Any) -> None:
    assert decode_json(encode_json(value), max_depth=100) == value


@settings(max_examples=30)
@given(JSON_VALUES)
def test_what_is_written_is_json_to_others(value: Any) -> None:
    assert json.loads(encode_json(value)) == value


@settings(max_examples=30)
@given(st.binary() | st.text().map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_json_or_a_bad_request(body: bytes) -> None:
    try:
        value = decode_json(body, max_depth=5)
    except BadRequest as exc:
        assert exc.status_code == 400
    else:
        assert decode_json(encode_json(value), max_depth=5) == value


@pytest.mark.parametrize("depth", [1, 2, 7])
@settings(max_examples=30)
@given(value=JSON_VALUES)
def test_depth_is_counted_as_it_is(depth: int, value: Any) -> None:
    def depth_of(value: Any) -> int:
        if not isinstance(value, dict | list):
            return 0
        return 1 + max(map(depth_of, value.values() if isinstance(value, dict) else value), default=0)

    try:
        decode_json(json.dumps(value).encode(), max_depth=depth)
    except BadRequest as exc:
        assert exc.code == "json_too_deep"
        assert depth_of(value) > depth
    else:
        assert depth_of(value) <= depth


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Item(7), b'{"id":7}'),
        (Book("Dune"), b'{"title":"Dune"}'),
        (Model(), b'{"mode":"json"}'),
        ([Model()], b'[{"mode":"json"}]'),
        (OrderedDict(b=1, a=2), b'{"b":1,"a":2}'),
        (types.MappingProxyType({"a": 1}), b'{"a":1}'),
        ({1: "int"}, b'{"1":"int"}'),
        ((1, 2), b"[1,2]"),
        (Point(1, 2), b"[1,2]"),
        (frozenset({1}), b"[1]"),
        (Colour.RED, b'"red"'),
        (uuid.UUID(int=1), b'"00000000-0000-0000-0000-000000000001"'),
        (decimal.Decimal("1.50"), b'"1.50"'),
        (datetime.date(2024, 1, 31), b'"2024-01-31"'),
        (datetime.datetime(2024, 1, 31, 10, tzinfo=datetime.UTC), b'"2024-01-31T10:00:00Z"'),
        ("é<script>", '"é<script>"'.encode()),
        (2**70, b"1180591620717411303424"),
    ],
)
def test_values_with_a_json_form_are_written_in_it(value: object, expected: bytes) -> None:
    assert encode_json(value) == expected


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_numbers_that_json_does_not_have_are_null(number: float) -> None:
    assert encode_json([number]) == b"[null]"


@pytest.mark.parametrize("value", [object(), {"a": object()}, range(3), lambda: 0, int, Model, (one for one in "ab")])
def test_a_value_without_a_json_form_is_an_error_and_never_its_repr(value: object) -> None:
    with pytest.raises(TypeError, match="has no JSON form; return a dict, a dataclass or a Struct"):
        encode_json(value)


def test_a_value_that_holds_itself_is_an_error() -> None:
    endless: list[object] = []
    endless.append(endless)

    with pytest.raises(RecursionError):
        encode_json(endless)


def test_text_that_is_no_unicode_is_an_error() -> None:
    with pytest.raises(ValueError):
        encode_json("\ud800")
