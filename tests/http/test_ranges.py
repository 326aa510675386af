"""Byte ranges: the table of RFC 9110 section 14."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexios.errors import RangeNotSatisfiable
from nexios.http.ranges import ByteRange, parse_ranges


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-0", [(0, 1)]),
        ("bytes=0-4", [(0, 5)]),
        ("bytes=5-", [(5, 10)]),
        ("bytes=9-9", [(9, 10)]),
        ("bytes=0-9", [(0, 10)]),
        ("bytes=0-10", [(0, 10)]),
        ("bytes=3-99999999999999999999999999999999", [(3, 10)]),
        ("bytes=000000000000000000000000000000003-4", [(3, 5)]),
        ("bytes=-5", [(5, 10)]),
        ("bytes=-1", [(9, 10)]),
        ("bytes=-10", [(0, 10)]),
        ("bytes=-999999", [(0, 10)]),
        ("BYTES=0-1", [(0, 2)]),
        ("Bytes=0-1", [(0, 2)]),
        ("bytes= 0-1", [(0, 2)]),
        ("bytes=0-1\t", [(0, 2)]),
        ("bytes=1-1,3-3", [(1, 2), (3, 4)]),
        ("bytes=3-3 , 1-1", [(3, 4), (1, 2)]),
        ("bytes=,1-1,,", [(1, 2)]),
        ("bytes=0-1,-2", [(0, 2), (8, 10)]),
        ("bytes=0-4,0-4", [(0, 5), (0, 5)]),
        ("bytes=0-0,10-", [(0, 1)]),
        ("bytes=0-0,-0", [(0, 1)]),
    ],
)
def test_a_satisfiable_range(header: str, expected: list[tuple[int, int]]) -> None:
    assert parse_ranges(header, size=10) == [ByteRange(start, stop) for start, stop in expected]


@pytest.mark.parametrize(
    "header",
    ["", "bytes", "bytes=", "bytes=,", "bytes=-", "bytes=5-4", "bytes=a-b", "bytes=1", "bytes=1-2-3", "bytes=--1",
     "bytes=0-1;", "bytes=0 - 1", "bytes=+0-1", "bytes=0x0-1", "bytes=0_0-1", "bytes=\u0660-\u0669", "bytes=-\u0665",
     "bytes=0-\u00b2", "items=0-1", "bytes =0-1", " bytes=0-1", "bytes:0-1", "bytes=0-1,x", "bytes=5-4,0-1",
     "bytes=0-1, 10-9", "bytes=1.0-2"],
)  # fmt: skip
def test_a_header_that_is_malformed_or_of_another_unit_is_ignored(header: str) -> None:
    assert parse_ranges(header, size=10) is None


@pytest.mark.parametrize(
    "header", ["bytes=10-", "bytes=10-20", "bytes=-0", "bytes=10-,-0", "bytes=" + "1" * 100_000 + "-"]
)
def test_a_range_after_the_end_is_not_satisfiable(header: str) -> None:
    """RFC 9110, 14.4 and 15.5.17: the answer carries the size."""
    with pytest.raises(RangeNotSatisfiable) as caught:
        parse_ranges(header, size=10)

    assert caught.value.size == 10
    assert caught.value.headers == (("content-range", "bytes */10"),)


@pytest.mark.parametrize("header", ["bytes=0-", "bytes=-5", "bytes=0-0", "bytes=-0"])
def test_an_empty_body_is_sent_whole(header: str) -> None:
    assert parse_ranges(header, size=0) is None


@pytest.mark.parametrize("count", [11, 100, 1_000, 100_000])
def test_too_many_ranges_are_answered_with_the_whole(count: int) -> None:
    assert parse_ranges("bytes=" + "0-0," * count, size=1_000_000) is None


def test_the_cap_on_ranges_is_exact() -> None:
    ten = ",".join(["0-0"] * 10)

    assert parse_ranges(f"bytes={ten}", size=100) == [ByteRange(0, 1)] * 10
    assert parse_ranges(f"bytes={ten},0-0", size=100) is None
    assert parse_ranges("bytes=0-0", size=100, max_ranges=0) is None
    assert parse_ranges("bytes=0-0", size=100, max_ranges=1) == [ByteRange(0, 1)]


@pytest.mark.parametrize("header", ["bytes=0-,0-,0-", "bytes=0-9,0-0", "bytes=0-5,-5"])
def test_overlapping_ranges_that_exceed_the_whole_are_answered_with_the_whole(header: str) -> None:
    assert parse_ranges(header, size=10) is None


def test_a_range_writes_its_content_range() -> None:
    assert ByteRange(5, 10).length == 5
    assert ByteRange(5, 10).content_range(10) == "bytes 5-9/10"


NUMBER = st.integers(0, 30).map(str) | st.just("")
SPEC = st.tuples(NUMBER, NUMBER).map("-".join)


@given(st.lists(SPEC, min_size=1, max_size=12).map(lambda specs: "bytes=" + ",".join(specs)), st.integers(0, 20))
def test_a_header_means_what_the_rfc_says(header: str, size: int) -> None:
    """Compared with the rule written down slowly, byte by byte."""
    specs = header.removeprefix("bytes=").split(",")
    asked = [_bytes_of(spec, size) for spec in specs]
    if size == 0 or len(specs) > 10 or None in asked:
        assert parse_ranges(header, size=size) is None
        return
    wanted = [bytes_ for bytes_ in asked if bytes_]
    if not wanted:
        with pytest.raises(RangeNotSatisfiable):
            parse_ranges(header, size=size)
        return

    ranges = parse_ranges(header, size=size)

    if sum(map(len, wanted)) > size:
        assert ranges is None
    else:
        assert ranges is not None
        assert [list(range(one.start, one.stop)) for one in ranges] == wanted


def _bytes_of(spec: str, size: int) -> list[int] | None:
    match = re.fullmatch(r"([0-9]*)-([0-9]*)", spec)
    first, last = match.groups() if match else ("", "")
    if not first:
        return list(range(size))[-int(last) :] if last not in ("", "0") else (None if last == "" else [])
    if last and int(last) < int(first):
        return None
    return [byte for byte in range(size) if int(first) <= byte <= (int(last) if last else size)]


@given(
    st.text() | st.text("bytes=0123456789-, \u0660", max_size=40).map(lambda text: "bytes=" + text), st.integers(0, 50)
)
def test_any_header_is_safe(header: str, size: int) -> None:
    try:
        ranges = parse_ranges(header, size=size)
    except RangeNotSatisfiable as exc:
        ranges = None
        size = exc.size

    assert all(0 <= one.start < one.stop <= size for one in ranges or [])
    assert sum(one.length for one in ranges or []) <= size
