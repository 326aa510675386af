"""Content-Length: one number, or an error, and never two readings of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexios.http.framing import parse_content_length, promises_more


@pytest.mark.parametrize(("values", "length"), [([], None), (["0"], 0), (["007"], 7), (["9" * 19], 10**19 - 1)])
def test_a_length_is_a_number_of_ascii_digits(values: list[str], length: int | None) -> None:
    assert parse_content_length(values) == length


@pytest.mark.parametrize(
    "values",
    [[""], [" 1"], ["1 "], ["+1"], ["-1"], ["1_0"], ["0x1"], ["1.0"], ["\u0661"], ["\xb2"], ["1, 1"], ["1" * 20]],
)
def test_what_is_no_such_number_is_an_error(values: list[str]) -> None:
    with pytest.raises(ValueError, match="a Content-Length is one number"):
        parse_content_length(values)


def test_two_values_are_an_error_even_when_they_agree() -> None:
    """RFC 9112 section 6.3 allows to refuse them, and a proxy before us may read the other one."""
    with pytest.raises(ValueError, match="a Content-Length is one number"):
        parse_content_length(["5", "5"])


@given(st.lists(st.text() | st.integers(0).map(str), max_size=2))
def test_whatever_comes_gives_a_length_or_a_value_error(values: list[str]) -> None:
    try:
        length = parse_content_length(values)
    except ValueError:
        return

    assert (length is None) == (values == [])
    assert length is None or int(values[0]) == length >= 0


@pytest.mark.parametrize(
    ("length", "limit", "promises"),
    [
        ("0", 0, False),
        ("1", 0, True),
        ("99", 100, False),
        ("100", 100, False),
        ("101", 100, True),
        ("0000000000000000100", 100, False),
        ("0000000000000000101", 100, True),
        ("9" * 19, 2**63, True),
        ("9" * 19, 10**19, False),
        ("9" * 19, None, False),
    ],
)
def test_a_length_promises_more_only_when_its_number_is_over_the_limit(
    length: str, limit: int | None, promises: bool
) -> None:
    assert promises_more([length], limit) is promises
    assert promises_more([length.encode()], limit) is promises


def test_no_length_promises_nothing() -> None:
    assert not promises_more([], 0)


@pytest.mark.parametrize("limit", [None, 0, 10**30])
@pytest.mark.parametrize(
    "values", [[b""], [b"5 "], [b"-1"], [b"\xb2"], [b"1_0"], [b"1" * 20], [b"5", b"5"], ["\u0661"]]
)
def test_a_malformed_length_is_an_error_whatever_the_limit(values: list[str | bytes], limit: int | None) -> None:
    with pytest.raises(ValueError, match="a Content-Length is one number"):
        promises_more(values, limit)


@given(st.integers(0, 10**19 - 1), st.integers(0, 10**20) | st.none())
def test_a_promise_is_the_comparison_of_two_numbers(length: int, limit: int | None) -> None:
    assert promises_more([str(length)], limit) is (limit is not None and length > limit)
