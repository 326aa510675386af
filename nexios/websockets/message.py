"""What travels on a channel, and what does a member get of it?

A payload is encoded once, by who publishes. A member gets it as it is, or in an envelope that says
where it is from and which number it has, which a client needs who wants to resume:

    {"channel": "room:1", "sequence": 1764000000000017, "event": "said", "data": {"text": "hello"}}

Binary payloads are in an envelope as base64, under "base64" in place of "data".
"""

import base64
import time
from enum import IntEnum
from functools import cached_property
from typing import Any, Final

import msgspec

from nexios.errors import BadRequest
from nexios.messages.sse import Event, plain_name
from nexios.models.adapter import adapt
from nexios.serialization import decode_json, encode_json

__all__ = [
    "CONTROL",
    "GAP",
    "MAX_NAME",
    "PRESENCE",
    "BadChannelName",
    "Frame",
    "Kind",
    "Message",
    "Wire",
    "check_event",
    "check_name",
    "gap_frame",
    "is_encodable",
    "presence_frame",
    "read_body",
    "write_body",
    "write_presence",
    "write_wire",
]

CONTROL: Final = "*"
"""The channel by which all processes hear what is said to a group; no user's channel has this name."""

GAP: Final = "gap"
PRESENCE: Final = "presence"
"""The events that we tell clients of; nobody else may."""

MAX_NAME: Final = 200
"""Characters of the name of a channel."""
_MAX_DEPTH: Final = 1000
"""Of JSON that the application wrote itself."""


class BadChannelName(BadRequest, ValueError):
    """A channel cannot have this name, which often comes from a client: 400 in a handler that does not catch it."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail, code="bad_channel_name")


def check_name(name: str) -> str:
    """Return the name of one channel as it is.

    Names have 1 to 200 characters, none of them a control character, a lone surrogate or `*`, which
    is for groups: a client that may choose a room must not choose all of them.

    Raises:
        BadChannelName: It is none.
        TypeError: It is not a text.

    >>> check_name("room:1")
    'room:1'
    """
    if not isinstance(name, str):
        raise TypeError(f"a channel is named by a text, as in Channel('room:1'), not by {type(name).__name__}")
    if not 0 < len(name) <= MAX_NAME:
        raise BadChannelName(f"The name of a channel has 1 to {MAX_NAME} characters.")
    if "*" in name:
        raise BadChannelName("The name of one channel has no '*'.")
    if not name.isprintable():
        raise BadChannelName("The name of a channel has no control characters.")
    return name


def check_event(event: str) -> str:
    """Return the name of an event as it is; "" is none.

    Raises:
        BadRequest: It is one of ours, `gap` or `presence`, has a line break or a NUL, or UTF-8 cannot write it: the
            application may have it from a client, who must not tell others who is here, or that they missed something.
        TypeError: It is no text.

    >>> check_event("said")
    'said'
    """
    if not isinstance(event, str):
        raise TypeError(f"event is the name of an event, as event='said', not {event!r}")
    if event and (event in (GAP, PRESENCE) or plain_name(event) != event):
        raise BadRequest(
            "The name of an event is text without line breaks and NUL, and neither 'gap' nor 'presence', "
            "which nexios says.",
            code="bad_event_name",
        )
    return event


def is_encodable(text: str) -> bool:
    """Tell whether UTF-8 can write a text: lone surrogates it cannot."""
    return text.isascii() or text.encode("utf-8", "ignore").decode() == text


class Kind(IntEnum):
    """What a payload is."""

    JSON = 0
    TEXT = 1
    BYTES = 2
    PRESENCE = 3
    """Between hubs alone: who joined and who left."""
    EXPULSION = 4
    """Between hubs alone: who is put out."""


class Wire(msgspec.Struct, frozen=True, array_like=True):
    """A message as it travels between processes. Fields may be added at the end, never taken out."""

    kind: Kind
    payload: bytes
    event: str
    sent_at: float
    exclude: tuple[str, ...] = ()
    to: str = ""
    group: str = ""


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(Wire)


def write_body(
    message: object, *, event: str = "", exclude: tuple[str, ...] = (), to: str = "", group: str = ""
) -> bytes:
    """Encode what is published: text and bytes as they are, anything else as JSON.

    Raises:
        BadRequest: The event is one that only we tell of.
        TypeError: The message has no JSON form.
    """
    if isinstance(message, str):
        kind, payload = Kind.TEXT, message.encode()
    elif isinstance(message, bytes | bytearray | memoryview):
        kind, payload = Kind.BYTES, bytes(message)
    else:
        kind, payload = Kind.JSON, encode_json(message)
    return _encoder.encode(Wire(kind, payload, check_event(event), time.time(), exclude, to, group))


def write_wire(
    kind: Kind, payload: bytes, *, event: str = "", exclude: tuple[str, ...] = (), to: str = "", group: str = ""
) -> bytes:
    """Encode what is encoded already, with whom it is for."""
    return _encoder.encode(Wire(kind, payload, event, time.time(), exclude, to, group))


def write_presence(diff: bytes) -> bytes:
    """Encode a change of presence, which is JSON already."""
    return write_wire(Kind.PRESENCE, diff)


def read_body(body: bytes) -> Wire:
    """Decode what was published, by this process or another one.

    Raises:
        ValueError: It is nothing of ours.
    """
    try:
        return _decoder.decode(body)
    except msgspec.DecodeError as exc:
        raise ValueError("the body of a channel message is nothing that nexios wrote") from exc


class Frame:
    """What is written to sockets: text or bytes, and how many bytes that is. Shared by all members."""

    __slots__ = ("data", "is_text", "size")

    def __init__(self, payload: bytes, *, is_text: bool) -> None:
        self.data: str | bytes = payload.decode() if is_text else payload
        self.is_text: bool = is_text
        self.size: int = len(payload)


class Message:
    """One message of a channel, as a member or a listener gets it.

    `sequence` is its number, 0 for one that is not kept; `sent_at` the seconds since 1970 when it was published.
    Immutable, and shared by all who get it.
    """

    def __init__(self, channel: str, sequence: int, wire: Wire) -> None:
        self.channel: str = channel
        self.sequence: int = sequence
        self.kind: Kind = wire.kind
        self.payload: bytes = wire.payload
        self.event: str = wire.event
        self.sent_at: float = wire.sent_at
        self.exclude: tuple[str, ...] = wire.exclude
        self.to: str = wire.to

    @property
    def data(self) -> Any:
        """What was published: a text, bytes, or the value of the JSON."""
        if self.kind is Kind.TEXT:
            return self.payload.decode()
        return self.payload if self.kind is Kind.BYTES else decode_json(self.payload, max_depth=_MAX_DEPTH)

    def read_as(self, kind: Any) -> Any:
        """Return the JSON as a value of the type `kind`: a Struct, a dataclass, a model, a union of tagged ones.

        Raises:
            Invalid, Malformed: It is none (see nexios/models).
        """
        return adapt(kind).decode_json(self.payload)

    @cached_property
    def frame(self) -> Frame:
        """The payload as a member gets it."""
        return Frame(self.payload, is_text=self.kind is not Kind.BYTES)

    @cached_property
    def envelope(self) -> Frame:
        """The payload in its envelope."""
        head: dict[str, object] = {"channel": self.channel}
        if self.sequence:
            head["sequence"] = self.sequence
        if self.event:
            head["event"] = self.event
        if self.kind is Kind.BYTES:
            name, data = b"base64", encode_json(base64.b64encode(self.payload).decode())
        else:
            name, data = b"data", self.payload if self.kind is Kind.JSON else encode_json(self.payload.decode())
        return Frame(b'%s,"%s":%s}' % (encode_json(head)[:-1], name, data), is_text=True)

    @cached_property
    def as_event(self) -> Event:
        """The message as a server-sent event: bytes as base64, and no id where it has no number."""
        data = base64.b64encode(self.payload) if self.kind is Kind.BYTES else self.payload
        return Event(data, plain_name(self.event), self.sequence or None)

    def __repr__(self) -> str:
        return f"<Message {self.sequence} of {self.channel!r}, {len(self.payload)} bytes>"


def gap_frame(channel: str) -> Frame:
    """What a client gets in an envelope when messages are missing that it cannot be given any more."""
    return Frame(encode_json({"channel": channel, "event": GAP}), is_text=True)


def presence_frame(channel: str, diff: object) -> Frame:
    """Who joined and who left, in an envelope."""
    return Frame(encode_json({"channel": channel, "event": PRESENCE, "data": diff}), is_text=True)
