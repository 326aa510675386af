"""MessagePack in and out: the rules of JSON, in another format."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexios.errors import BadRequest
from nexios.serialization import check_depth, check_msgpack, decode_msgpack, encode_msgpack

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.binary(max_size=9)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=9),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text("abé", max_size=5), inner, max_size=5),
    max_leaves=20,
)  # fmt: skip


@given(VALUES)
def test_what_is_written_is_read_back(value: Any) -> None:
    body = encode_msgpack(value)

    assert decode_msgpack(body, max_depth=100) == value
    check_msgpack(body, 100)


@given(st.binary(max_size=60), st.integers(0, 5))
def test_no_bytes_raise_anything_else(body: bytes, max_depth: int) -> None:
    for read in (lambda: decode_msgpack(body, max_depth=max_depth), lambda: check_msgpack(body, max_depth)):
        try:
            read()
        except BadRequest as exc:
            assert exc.code == "malformed_msgpack"


@pytest.mark.parametrize(
    "body",
    [
        b"", b"\xc1", b"\x92\x01", b"\x01\x02", b"\xa2a", b"\xa1\xff", b"\xdd\xff\xff\xff\xff", b"\x91" * 100_000,
        b"\x81\x80\x01", b"\xd4\x05x", b"\xc7\x01\x00x", b"\xc7\xff\x01",
        b"\xd7\xff\xff\xff\xff\xff\xff\xff\xff\xff",
    ],
)  # fmt: skip
def test_what_is_malformed_or_an_extension_is_a_bad_request(body: bytes) -> None:
    with pytest.raises(BadRequest) as caught:
        decode_msgpack(body, max_depth=100)

    assert caught.value.code == "malformed_msgpack"


@pytest.mark.parametrize(
    ("value", "depth"),
    [(1, 0), ([], 1), ([[1]], 2), ({"a": {"b": []}}, 3), ({(1, (2,)): 1}, 3), ([[], [[]], []], 3), ("é" * 500, 0)],
)
def test_nesting_is_counted_as_in_json(value: Any, depth: int) -> None:
    """The keys of a map may be arrays too. Bytes that only look like arrays are no nesting."""
    body = encode_msgpack(value)

    decode_msgpack(body, max_depth=depth)
    check_msgpack(body, depth)
    if depth:
        for read in (lambda: decode_msgpack(body, max_depth=depth - 1), lambda: check_msgpack(body, depth - 1)):
            with pytest.raises(BadRequest):
                read()


def test_an_extension_is_found_where_no_type_looks() -> None:
    body = encode_msgpack({"a": msgspec.msgpack.Ext(5, b"x")})

    with pytest.raises(BadRequest):
        check_msgpack(body, 100)


def test_a_timestamp_is_a_value() -> None:
    """The one extension that the format itself defines."""
    check_msgpack(b"\xd6\xff\x00\x00\x00\x00", 100)


def test_what_has_no_form_in_json_has_none_here() -> None:
    with pytest.raises(TypeError):
        encode_msgpack(object())


def test_the_depth_of_a_json_text_can_be_checked_alone() -> None:
    check_depth(b'[["[[["]]', 2)
    with pytest.raises(BadRequest) as caught:
        check_depth(b"[[[]]]", 2)
    assert caught.value.code == "json_too_deep"
