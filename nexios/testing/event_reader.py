"""What did an EventSource hear? The stream, read line by line as a browser reads it.

Source: WHATWG HTML, section 9.2.6 (Interpreting an event stream).
"""

import codecs
from typing import Any

import msgspec

from nexios.models.adapter import adapt
from nexios.serialization import decode_json

__all__ = ["EventReader", "ReceivedEvent"]

_DEEP = 1000
"""JSON of the app under test may nest this deep; that of clients is what the app limits."""


class ReceivedEvent(msgspec.Struct, frozen=True):
    """One event as a page gets it: its type, its text, and the last id that was named before or in it."""

    data: str
    event: str = "message"
    id: str = ""

    def json(self) -> Any:
        """The value of the data."""
        return decode_json(self.data.encode(), max_depth=_DEEP)

    def read_as(self, kind: Any) -> Any:
        """The data as a value of the type `kind`. Raises `Invalid` or `Malformed` (see nexios/models)."""
        return adapt(kind).decode_json(self.data.encode())


class EventReader:
    r"""Reads one stream, given in chunks that may end anywhere.

    >>> reader = EventReader()
    >>> reader.feed(b"id: 7\nevent: said\ndata: hel")
    []
    >>> reader.feed(b"lo\n\n")
    [ReceivedEvent(data='hello', event='said', id='7')]
    """

    def __init__(self) -> None:
        self._decode = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""
        self._begun = False
        self._data: list[str] = []
        self._event = ""
        self._id = ""
        self.last_event_id: str = ""
        """What a client sends as Last-Event-ID when it comes back."""
        self.retry: int | None = None
        """Milliseconds that the client was told to wait before it does."""
        self.comments: list[str] = []
        """Comments, such as the signs of life, which are empty."""

    def feed(self, chunk: bytes) -> list[ReceivedEvent]:
        """Return the events that are whole now."""
        text = self._rest + self._decode.decode(chunk)
        if not self._begun and text:
            self._begun = True
            text = text.removeprefix("\ufeff")
        held = "\r" if text.endswith("\r") else ""  # the second half of the line break may come
        lines = text.removesuffix("\r").replace("\r\n", "\n").replace("\r", "\n").split("\n")
        self._rest = lines.pop() + held
        found = [self._line(line) for line in lines]
        return [event for event in found if event is not None]

    def _line(self, line: str) -> ReceivedEvent | None:
        if not line:
            return self._dispatch()
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not field:
            self.comments.append(value)
        elif field == "data":
            self._data.append(value)
        elif field == "event":
            self._event = value
        elif field == "id" and "\0" not in value:
            self._id = value
        elif field == "retry" and value.isascii() and value.isdecimal():
            self.retry = int(value[:15])
        return None

    def _dispatch(self) -> ReceivedEvent | None:
        """A blank line ends an event; one without data only sets the id."""
        data, event = self._data, self._event or "message"
        self.last_event_id = self._id
        self._data, self._event = [], ""
        return ReceivedEvent("\n".join(data), event, self._id) if data else None
