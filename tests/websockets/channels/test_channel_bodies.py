"""What do processes send each other, and what of a body that is nothing of ours?"""

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexios.websockets.message import CONTROL, Kind, Message, read_body, write_body
from tests.websockets.channels.room_kit import Site

TEXTS = st.text(st.characters(codec="utf-8"))
EVENTS = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0")).filter(
    lambda name: name not in ("gap", "presence")
)


@given(TEXTS | st.binary(), EVENTS, st.lists(TEXTS).map(tuple), TEXTS)
def test_a_body_is_read_as_it_was_written(message: str | bytes, event: str, exclude: tuple[str, ...], to: str) -> None:
    read = Message("room:1", 7, read_body(write_body(message, event=event, exclude=exclude, to=to)))

    assert (read.data, read.event, read.exclude, read.to) == (message, event, exclude, to)
    assert read.frame.data == message


@given(st.binary())
def test_any_bytes_are_a_body_or_a_value_error(body: bytes) -> None:
    try:
        read_body(body)
    except ValueError as exc:
        assert str(exc) == "the body of a channel message is nothing that nexios wrote"
    else:
        assert body


def test_a_newer_process_may_say_more() -> None:
    wire = read_body(write_body("hello"))

    assert (wire.kind, wire.payload, wire.group) == (Kind.TEXT, b"hello", "")
    assert repr(Message("room:1", 7, wire)) == "<Message 7 of 'room:1', 5 bytes>"


@pytest.mark.parametrize("body", [b"", b"\xc1", b"nonsense", b"\x93\x09\xc4\x00\xa0", b"\x94\x01\xc4\x01\xff\xa0\x00"])
async def test_a_body_that_is_nothing_of_ours_is_left_out(body: bytes, caplog: pytest.LogCaptureFixture) -> None:
    site = Site()
    _, client, _ = await site.join()
    with caplog.at_level(logging.WARNING, "nexios"):
        await site.hub.backend.publish("room:1", body, keep=None)
        await site.hub.backend.publish(CONTROL, body, keep=None)
    await site.channel().publish("hello")

    assert client.got == ["hello"]
    assert caplog.records


async def test_a_kind_that_is_not_known_is_left_out() -> None:
    site = Site()
    _, client, _ = await site.join()
    await site.hub.backend.publish("room:1", b"\x97\x63\xc4\x01x\xa0\x00\x90\xa0\xa0", keep=None)

    assert client.got == []
