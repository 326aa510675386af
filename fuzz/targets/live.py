"""What must hold of channels, messages and event streams? A client's text is data, and never more."""

from typing import Annotated, Any, Final, Literal

import msgspec

from fuzz.target import Broken, Target, claim, only, pieces, text_of
from nexios.errors import BadRequest, ConfigurationError
from nexios.messages.sse import Event, format_event, plain_name
from nexios.messages.websocket_messages import answer_to, read_as, read_json, read_text, size_of, written_as
from nexios.messages.websocket_state import BadMessage
from nexios.testing.event_reader import EventReader
from nexios.websockets.channel import Channel
from nexios.websockets.history import parse_last_seen
from nexios.websockets.message import BadChannelName, check_event, read_body, write_body
from nexios.websockets.rules import matches, prefix_of

__all__ = ["TARGETS"]

_DEPTH: Final = 20


class Said(msgspec.Struct, tag="said"):
    """Something said in a room."""

    text: Annotated[str, msgspec.Meta(max_length=20)]
    to: list[int] = []


class Moved(msgspec.Struct, tag="moved"):
    """Somebody moved."""

    x: float
    y: float
    how: Literal["walk", "run"] = "walk"
    more: dict[str, Any] = {}


_Messages = Said | Moved


def channel_names(data: bytes) -> None:
    """A name is one channel and never a group; an event is none of ours."""
    name, event = map(text_of, pieces(data, 2))
    with only(BadChannelName):
        channel = Channel(name)
        claim(channel.name == name and name.isprintable() and 0 < len(name) <= 200 and name.encode(), "a plain name")
        claim(prefix_of(name) is None and matches(name, name), "a name is no group")
    with only(BadRequest):
        claim(
            check_event(event) not in ("gap", "presence") and plain_name(event) == event, "an event is not one of ours"
        )
    with only(ConfigurationError):
        prefix = prefix_of(name)
        claim(prefix is None or (prefix + "*" == name and matches(name, f"{prefix}x")), "a group is a prefix")


def last_event_ids(data: bytes) -> None:
    """What a client says that it has seen is the number that it is written as, else 0: it has seen nothing."""
    for text in (text_of(data), data.decode("latin-1")):
        seen = parse_last_seen(text)
        claim(seen == 0 or (text.isascii() and text.isdigit() and int(text) == seen), "a number of a message")


def channel_bodies(data: bytes) -> None:
    """What comes from an engine is a message of ours or `ValueError`; what is written is read back."""
    with only(ValueError):
        read_body(data)
    wire = read_body(write_body(data, event=""))
    claim(wire.payload == data, "what is written is read back")


def websocket_messages(data: bytes) -> None:
    """Typed or not, a message is read or a `BadMessage`, which can be told to the client."""
    text = data.decode("utf-8", "surrogateescape")
    for message in (data, text):
        claim(size_of(message) >= len(message), "a message has a size")
        for read in (_as_typed, _as_json, _as_text):
            try:
                read(message)
            except BadMessage as exc:
                claim(exc.code in (1003, 1007, 1008), "a bad message has a code")
                claim(len(answer_to(exc)) < 40_000, "what the client is told is bounded")


def _as_typed(message: str | bytes) -> None:
    value = read_as(message, _DEPTH, _Messages)
    claim(isinstance(value, Said | Moved), "a message is of its type")
    claim(read_as(written_as(value, _Messages), _DEPTH, _Messages) == value, "what is written is read back")


def _as_json(message: str | bytes) -> None:
    read_json(message, _DEPTH)


def _as_text(message: str | bytes) -> None:
    claim(read_text(message) == message, "text is text")


def event_streams(data: bytes) -> None:
    """What a client reads of an event is what was sent, whatever is in it; an id comes back as it was."""
    event, number, text, comment = map(text_of, pieces(data, 4))
    with only(ValueError, TypeError):
        sent = format_event(Event(text, event=event, id=number, comment=comment))
        found = EventReader().feed(sent)
        if len(found) != 1:
            raise Broken("an event is one event")
        claim(found[0].event == (event or "message") and found[0].id == number, "with its type and its id")
        claim(found[0].data == text.replace("\r\n", "\n").replace("\r", "\n"), "and its data")
    reader = EventReader()
    whole = reader.feed(data)
    cut = EventReader()
    claim([event for byte in data for event in cut.feed(bytes([byte]))] == whole, "how a stream is cut changes nothing")


TARGETS: Final = (
    Target(
        "channel-names",
        channel_names,
        (b"room:1\nsaid", b"room:*\ngap", b"\xe2\x80\xae\npresence", b"a" * 201, b"room:\xff\nx\ny"),
        (b"*", b":", b"gap", b"presence", b"\r", b"\xc2\x85", b"\xed\xa0\x80"),
    ),
    Target(
        "last-event-ids",
        last_event_ids,
        (b"0", b"1764000000000017", b"-1", b"+1", b" 1", b"1_0", b"9" * 19, "٥".encode(), b"\xb2", b"1\n"),
        (b"-", b"_", b"\n", b"9" * 40, b"\x00"),
    ),
    Target(
        "channel-bodies",
        channel_bodies,
        (b"\x95\x00\xc4\x01x\xa0\xcb\x00\x00\x00\x00\x00\x00\x00\x00\x90", write_body({"a": 1}, event="said"), b"\x80"),
        (b"\x97", b"\xc4\x00", b"\xcb", b"\xa4said"),
    ),
    Target(
        "websocket-messages",
        websocket_messages,
        (
            b'{"type":"said","text":"hello","to":[1,2]}',
            b'{"type":"moved","x":1,"y":-2.5,"how":"run","more":{"a":[[]]}}',
            b'{"type":"other"}',
            b"[" * 25 + b"]" * 25,
            b'{"text":"\\ud800","type":"said"}',
        ),
        (b'"type":', b'"said"', b'"moved"', b"\\u0000", b"\\ud83d", b"1e400", b"{", b"["),
    ),
    Target(
        "event-streams",
        event_streams,
        (
            b"said\n17\nhello\nworld",
            b"\nid\none\r\ntwo\rthree\n: c",
            b"gap\n\n\n",
            b"data: x\nid: 7\n\nretry: 5\n\n",
            b"\xef\xbb\xbf",
        ),
        (b"data: ", b"\r\n", b"\r", b"\n\n", b"id:", b"retry:", b"\x00", b"\xe2\x80\xa8"),
    ),
)
