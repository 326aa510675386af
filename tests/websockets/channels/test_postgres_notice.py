"""What notifications say."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexios.websockets.backends.postgres_notice import (
    LANES,
    Notice,
    lane_of,
    lanes_for,
    parse_notice,
    topic_of,
    way_of,
)
from nexios.websockets.history import MAX_SEQUENCE

ROOM_1 = "l5heby2CBN6t5bydy3WmQQ"


def read(payload: str) -> Notice | None:
    try:
        return parse_notice(payload)
    except ValueError:
        return None


@given(st.text())
def test_whatever_somebody_notifies_is_read_or_refused(payload: str) -> None:
    notice = read(payload)

    assert notice is None or notice.sequence >= 0


@given(st.text(max_size=3), st.text(max_size=3), st.text(max_size=20), st.text())
def test_whatever_looks_like_a_notice_is_read_or_refused(how: str, number: str, serial: str, said: str) -> None:
    notice = read(f"topic:{how}:{number}:{serial}:{said}")

    assert notice is None or notice.topic == "topic"


@given(st.binary(max_size=200), st.integers(0, MAX_SEQUENCE))
def test_a_body_comes_back_in_the_way_it_is_carried(body: bytes, number: int) -> None:
    how = way_of(body)
    said = body.decode("ascii") if how == "t" else base64.b64encode(body).decode()

    assert parse_notice(f"{ROOM_1}:{how}:{number}:99:{said}") == Notice(ROOM_1, number, body)


def test_a_notice_names_the_parcel_that_has_the_body() -> None:
    assert parse_notice(f"{ROOM_1}:p:17:0:5") == Notice(ROOM_1, 17, 5)


@pytest.mark.parametrize(
    "payload",
    [
        "",
        "topic:t:1:0",
        "topic:x:1:0:",
        "topic:t:-1:0:",
        "topic:t:²:0:",
        "topic:t::0:",
        "topic:b:1:0:?",
        "topic:p:1:0:",
    ],
)
def test_what_is_no_notice_is_refused(payload: str) -> None:
    with pytest.raises(ValueError):
        parse_notice(payload)


@pytest.mark.parametrize("filler", [b"x", b"\xff"], ids=["text", "base64"])
def test_the_longest_notification_is_one_that_the_server_takes(filler: bytes) -> None:
    """It takes 7999 bytes."""
    size = next(size for size in range(8000, 0, -1) if way_of(filler * size) != "p")
    content = size if filler == b"x" else len(base64.b64encode(filler * size))

    assert 7900 <= len(f"{ROOM_1}:t:{MAX_SEQUENCE}:99:") + content <= 7999


@pytest.mark.parametrize("body", [b"a\0b", "☃".encode()])
def test_what_is_no_plain_text_goes_in_base64(body: bytes) -> None:
    assert way_of(body) == "b"


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200))
def test_every_channel_has_a_short_topic_in_a_lane(channel: str) -> None:
    topic = topic_of(channel)

    assert len(topic) == 22
    assert topic.isascii()
    assert 0 <= lane_of(topic) < LANES


def test_lanes_of_two_apps_in_one_database_are_different() -> None:
    assert len({*lanes_for("public", "a_"), *lanes_for("public", "b_"), *lanes_for("x", "a_")}) == 3 * LANES
