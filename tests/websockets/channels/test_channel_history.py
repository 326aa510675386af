"""Which messages does a log keep, and what does it answer?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexios.websockets.history import (
    MAX_SEQUENCE,
    HistoryLimits,
    HistoryLog,
    Replay,
    Stored,
    parse_last_seen,
    replay_of,
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (0, 0),
        (17, 17),
        ("17", 17),
        ("", 0),
        ("x", 0),
        ("1.5", 0),
        (-1, 0),
        (MAX_SEQUENCE + 1, 0),
        ("²", 0),
    ],
)
def test_last_seen_is_read_as_a_number(value: int | str | None, expected: int | None) -> None:
    assert parse_last_seen(value) == expected


@given(st.text() | st.integers())
def test_whatever_a_client_says_is_a_number_of_ours(value: int | str) -> None:
    seen = parse_last_seen(value)

    assert seen is not None
    assert 0 <= seen <= MAX_SEQUENCE


@given(
    st.lists(st.tuples(st.binary(max_size=20), st.floats(0, 10))),
    st.integers(0, 8),
    st.floats(0.5, 30),
    st.integers(0, 60),
    st.integers(-2, 40),
)
def test_a_log_keeps_the_newest_within_all_limits(
    messages: list[tuple[bytes, float]], count: int, age: float, size: int, back: int
) -> None:
    limits = HistoryLimits(count=count, age=age, size=size)
    log, now, all_of_them = HistoryLog(first=1000), 0.0, []
    for body, pause in messages:
        now += pause
        all_of_them.append((log.append(body, limits, now=now), body, now))
    after = log.last - back
    replay = log.after(after, limits, now=now)
    kept = list(log.after(0, limits, now=now).messages)

    assert [one.sequence for one in kept] == [number for number, _, _ in all_of_them][len(all_of_them) - len(kept) :]
    assert len(kept) <= count
    assert log.size == sum(len(one.body) for one in kept) <= size
    assert all(at > now - age for number, _, at in all_of_them if kept and number >= kept[0].sequence)
    if replay.complete and after:
        expected = [Stored(number, body) for number, body, _ in all_of_them if number > after]
        assert list(replay.messages) == expected


def test_numbers_go_on_when_all_is_forgotten() -> None:
    limits = HistoryLimits(age=1)
    log = HistoryLog(first=5)
    log.append(b"old", limits, now=0)

    assert log.after(5, limits, now=10) == Replay((), 5, True)
    assert log.append(b"new", limits, now=20) == 6
    assert len(log) == 1


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (0, Replay((Stored(5, b""), Stored(6, b"")), 6, True)),
        (3, Replay((Stored(5, b""), Stored(6, b"")), 6, False)),
        (4, Replay((Stored(5, b""), Stored(6, b"")), 6, True)),
        (5, Replay((Stored(6, b""),), 6, True)),
        (6, Replay((), 6, True)),
        (7, Replay((Stored(5, b""), Stored(6, b"")), 6, False)),
    ],
)
def test_the_answer_says_whether_it_is_complete(after: int, expected: Replay) -> None:
    assert replay_of((Stored(5, b""), Stored(6, b"")), after=after, last=6) == expected


@pytest.mark.parametrize("options", [{"count": -1}, {"size": -1}, {"age": 0}, {"age": -1}, {"age": float("inf")}])
def test_limits_that_make_no_sense_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="HistoryLimits"):
        HistoryLimits(**options)  # type: ignore[arg-type]
