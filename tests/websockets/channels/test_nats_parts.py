"""Bodies in parts, as NATS carries them; see nexios/websockets/backends/nats_parts.py."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexios.websockets.backends.nats_parts import Joiner, cut, part_of


@given(st.binary(max_size=300), st.integers(1, 100), st.randoms())
def test_a_body_is_put_together_whatever_the_order_of_its_parts(body: bytes, size: int, random: object) -> None:
    parts = cut("node-1", body, size)
    random.shuffle(parts)  # type: ignore[attr-defined]
    joiner = Joiner()
    ends = [joiner.add("room:1", part) for part in parts]

    assert ends == [""] * (len(parts) - 1) + ["node-1"]
    assert joiner.take("room:1", "node-1", len(parts)) == body
    assert len(joiner) == 0


@given(st.binary())
def test_what_is_no_part_is_a_value_error(data: bytes) -> None:
    try:
        id, number, count, _ = part_of(data)
    except ValueError:
        return

    assert data.startswith(f"{id} ".encode())
    assert 0 <= number < count


def test_a_part_that_comes_twice_counts_once() -> None:
    joiner = Joiner()
    first, second = cut("a", b"hello!", 3)
    assert [joiner.add("room:1", part) for part in (first, first, second)] == ["", "", "a"]
    assert joiner.take("room:1", "a", 2) == b"hello!"


def test_the_same_id_in_another_channel_is_another_message() -> None:
    joiner = Joiner()
    joiner.add("room:1", cut("a", b"one", 3)[0])
    joiner.add("room:2", cut("a", b"two", 3)[0])

    assert joiner.take("room:2", "a", 1) == b"two"
    assert joiner.take("room:1", "a", 1) == b"one"


def test_a_body_whose_parts_are_missing_is_not_there() -> None:
    joiner = Joiner()
    joiner.add("room:1", cut("a", b"hello!", 3)[0])

    assert joiner.take("room:1", "a", 2) is None
    assert joiner.take("room:1", "b", 1) is None


def test_the_oldest_are_given_up_when_too_much_waits() -> None:
    joiner = Joiner(limit=10)
    for id in ("a", "b", "c"):
        joiner.add("room:1", cut(id, b"12345", 5)[0])

    assert [joiner.take("room:1", id, 1) for id in ("a", "b", "c")] == [None, b"12345", b"12345"]


def test_one_message_may_be_larger_than_the_limit() -> None:
    joiner = Joiner(limit=3)

    assert [joiner.whole("room:1", part) for part in cut("a", b"1234567890", 4)] == [None, None, b"1234567890"]


def test_what_came_for_a_channel_is_given_up_with_it() -> None:
    joiner = Joiner()
    joiner.add("room:1", cut("a", b"1", 1)[0])
    joiner.add("room:2", cut("a", b"2", 1)[0])
    joiner.forget("room:1")

    assert (joiner.take("room:1", "a", 1), joiner.take("room:2", "a", 1)) == (None, b"2")

    joiner.clear()
    assert len(joiner) == 0


@pytest.mark.parametrize(
    "head", [b"", b"a", b"a 1\n", b"a 1 1\n", b"a -1 1\n", b"a x 1\n", b"\xff 0 1\n", b"a 0 1 2\n"]
)
def test_a_head_that_is_wrong_is_told(head: bytes) -> None:
    with pytest.raises(ValueError, match=r".*"):
        part_of(head)
