"""What an EventSource gets is what was meant: nothing in it can become another field or another event."""

from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexios.messages.json_lines import format_line
from nexios.messages.sse import Event, format_event, plain_name
from nexios.testing.event_reader import EventReader, ReceivedEvent


class Said(msgspec.Struct, tag="said"):
    text: str


class Moved(msgspec.Struct, tag=7):
    x: int


class Hostile(msgspec.Struct, tag="a\nid: 1"):
    x: int


@dataclass
class Point:
    x: int


class Model:
    def model_dump(self, **options: Any) -> Any:
        return {"x": 1}


def read(stream: bytes) -> list[ReceivedEvent]:
    return EventReader().feed(stream)


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ("hello", b"data: hello\n\n"),
        ("", b"data: \n\n"),
        (" one space stays", b"data:  one space stays\n\n"),
        (b"bytes \xc3\xa9", "data: bytes é\n\n".encode()),
        (bytearray(b"x"), b"data: x\n\n"),
        ({"a": [1, None]}, b'data: {"a":[1,null]}\n\n'),
        (None, b"data: null\n\n"),
        (17, b"data: 17\n\n"),
        (Point(1), b'data: {"x":1}\n\n'),
        (Model(), b'data: {"x":1}\n\n'),
        (Said("hi"), b'event: said\ndata: {"type":"said","text":"hi"}\n\n'),
        (Moved(1), b'data: {"type":7,"x":1}\n\n'),
        (Hostile(1), b'data: {"type":"a\\nid: 1","x":1}\n\n'),
        (Event(Said("hi"), event="mine"), b'event: mine\ndata: {"type":"said","text":"hi"}\n\n'),
        (Event("x", "said", 17, 2000, "a note"), b": a note\nid: 17\nretry: 2000\nevent: said\ndata: x\n\n"),
        (Event(id=""), b"id: \n\n"),
        (Event(id=0), b"id: 0\n\n"),
        (Event(retry=0), b"retry: 0\n\n"),
        (Event(comment="one\ntwo"), b": one\n: two\n\n"),
    ],
)
def test_an_item_is_written_as_an_event(item: object, expected: bytes) -> None:
    assert format_event(item) == expected


def test_each_line_of_the_data_is_a_line_of_its_own() -> None:
    """E9: CR, LF and both end a line; U+2028, form feeds and their like do not."""
    text = "a\nb\rc\r\nd\n\re\u2028f\x0bg\x0ch\x85i\n"

    assert format_event(text) == (
        "data: a\ndata: b\ndata: c\ndata: d\ndata: \ndata: e\u2028f\x0bg\x0ch\x85i\ndata: \n\n".encode()
    )


@pytest.mark.parametrize("text", ["\n", "\r", "\r\n", "a\nid: 1", "a\r\rdata: evil", "\0"])
@pytest.mark.parametrize("field", ["event", "id"])
def test_a_name_or_an_id_with_a_line_break_is_refused(field: str, text: str) -> None:
    """E9, CVE-2026-29085: whoever wrote it could send events of their own."""
    with pytest.raises(ValueError, match=f"the {field} of an event has no line breaks and no NUL"):
        Event("x", event=text) if field == "event" else Event("x", id=text)


@pytest.mark.parametrize("retry", [-1, 1.5, "10", True, 2**31, "1\ndata: x"])
def test_retry_is_a_number_of_milliseconds(retry: Any) -> None:
    with pytest.raises(ValueError, match="retry is a whole number of milliseconds"):
        Event("x", retry=retry)


@pytest.mark.parametrize("fields", [{}, {"event": "said"}, {"event": "said", "id": "1"}])
def test_an_event_that_no_browser_would_notice_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="browsers ignore an event without data"):
        Event(**fields)


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(ValueError, match="utf-8"):
        format_event(b"\xff")
    with pytest.raises(ValueError, match="surrogates"):
        format_event("\ud800")
    with pytest.raises(ValueError, match="text that UTF-8 can write"):
        Event("x", id="\ud800")
    with pytest.raises(TypeError, match="no JSON form"):
        format_event(object())


def test_a_name_from_elsewhere_is_taken_when_it_can_be_written() -> None:
    assert [plain_name(name) for name in ("said", "", "a\nb", "a\0", "\ud800")] == ["said", "", "", "", ""]


def test_a_line_of_json_has_no_line_break_in_it() -> None:
    assert format_line({"text": "a\nb\r\u2028"}) == '{"text":"a\\nb\\r\u2028"}\n'.encode()


texts = st.text(st.characters(exclude_categories=["Cs"]))
names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"))


@given(texts, names, names, st.none() | st.integers(0, 2**31 - 1), st.none() | texts)
def test_what_is_written_is_read_again(data: str, event: str, id: str, retry: int | None, comment: str | None) -> None:
    reader = EventReader()

    found = reader.feed(format_event(Event(data, event, id, retry, comment)))

    plain = data.replace("\r\n", "\n").replace("\r", "\n")
    assert found == [ReceivedEvent(plain, event or "message", id)]
    assert (reader.retry, reader.last_event_id) == (retry, id)


@given(texts)
def test_no_data_ends_its_event_or_begins_another(data: str) -> None:
    assert len(read(format_event(data) + format_event("next"))) == 2


@given(
    st.binary()
    | texts.map(str.encode)
    | st.lists(st.sampled_from([b"data", b":", b" ", b"\r", b"\n", b"id"])).map(b"".join),
    st.lists(st.integers(0, 50)),
)
def test_a_stream_may_be_cut_anywhere(stream: bytes, cuts: list[int]) -> None:
    whole, pieces = EventReader(), EventReader()
    expected = whole.feed(stream + b"\n\n")
    found: list[ReceivedEvent] = []
    rest = stream + b"\n\n"
    for cut in cuts:
        found += pieces.feed(rest[:cut])
        rest = rest[cut:]
    found += pieces.feed(rest)

    assert found == expected
    assert (pieces.comments, pieces.retry, pieces.last_event_id) == (whole.comments, whole.retry, whole.last_event_id)


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        (b"\xef\xbb\xbfdata: x\n\n", [ReceivedEvent("x")]),
        (b"data\n\n", [ReceivedEvent("")]),
        (b"data:x\ndata\ndata: y\n\n", [ReceivedEvent("x\n\ny")]),
        (b"id: 1\n\ndata: x\n\n", [ReceivedEvent("x", id="1")]),
        (b"id: 1\ndata: x\n\nid\ndata: y\n\n", [ReceivedEvent("x", id="1"), ReceivedEvent("y")]),
        (b"id: a\0b\ndata: x\n\n", [ReceivedEvent("x")]),
        (b"event: a\n\ndata: x\n\n", [ReceivedEvent("x")]),
        (b"data: not ended\n", []),
        (b"other: x\nretry: soon\n: data: x\n\n", []),
    ],
)
def test_a_stream_is_read_as_the_standard_has_it(stream: bytes, expected: list[ReceivedEvent]) -> None:
    assert read(stream) == expected
