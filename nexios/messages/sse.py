"""How is an event written for an EventSource? As lines of field and value, and a blank line.

Data may be any text: each of its lines becomes a line of its own. What names the event cannot: a line break
in it would let whoever wrote it send events of their own.
Source: WHATWG HTML, section 9.2 (Server-sent events).
"""

import math
from functools import cached_property, partial
from secrets import randbelow
from typing import Any, Final

import msgspec

from nexios.messages.content import LiveContent
from nexios.serialization import encode_json

__all__ = ["KEEP_ALIVE", "Event", "check_retry", "event_content", "format_event", "plain_name"]

KEEP_ALIVE: Final = b":\n\n"
"""A comment: no client sees it, and nothing in between takes the connection for dead."""

_BREAKS: Final = frozenset("\r\n\0")
_MAX_RETRY: Final = 2**31 - 1
"""Milliseconds that browsers' timers take."""
_SOON: Final = 1000
"""Milliseconds until clients come back when the app stops, where it said no other time."""


class Event(msgspec.Struct, frozen=True, dict=True):
    r"""One event for an EventSource.

    Shape:  `data` is a text or UTF-8 bytes, sent as they are, or any value with a JSON form; left out, the event
            only sets the `id` or the time to `retry`, or is a comment, and no listener hears of it. `event` is the type
            that a page listens for, "message" where there is none. `id` comes back as Last-Event-ID.
    Units:  milliseconds for `retry`, as the standard has it: how long a client waits before it comes back.

    >>> format_event(Event({"text": "hello"}, event="said", id=17))
    b'id: 17\nevent: said\ndata: {"text":"hello"}\n\n'

    Raises:
        ValueError: There is a line break or a NUL in `event` or `id`, or `retry` is no whole number of 0 or more, or
            there is nothing in it that a client would notice.
    """

    data: Any = msgspec.UNSET
    event: str = ""
    id: str | int | None = None
    retry: int | None = None
    comment: str | None = None

    def __post_init__(self) -> None:
        _check_name("event", self.event)
        if self.id is not None:
            _check_name("id", str(self.id))
        check_retry(self.retry)
        if self.data is msgspec.UNSET and (
            self.event or (self.id is None and self.retry is None and self.comment is None)
        ):
            raise ValueError('browsers ignore an event without data; write data="" if there is nothing to say')

    @cached_property
    def wire(self) -> bytes:
        """The event as it is written; made once, for all who get it. Raises as `format_event`."""
        lines: list[bytes] = []
        if self.comment is not None:
            lines += [b": " + line for line in _lines(self.comment.encode())]
        if self.id is not None:
            lines.append(b"id: " + str(self.id).encode())
        if self.retry is not None:
            lines.append(b"retry: %d" % self.retry)
        if name := self.event or _tag_of(self.data):
            lines.append(b"event: " + name.encode())
        if self.data is not msgspec.UNSET:
            lines += [b"data: " + line for line in _lines(_encoded(self.data))]
        return b"\n".join([*lines, b"", b""])


def format_event(item: object) -> bytes:
    r"""Return an item of an event stream as it is written: an `Event`, or the data of one.

    A Struct with a tag is an event of that type; a message of a channel says itself what event it is.

    >>> format_event("one\r\ntwo")
    b'data: one\ndata: two\n\n'

    Raises:
        TypeError: The data has no JSON form.
        ValueError: It cannot be written as UTF-8.
    """
    if isinstance(item, Event):
        return item.wire
    event = getattr(item, "as_event", None)
    return event.wire if isinstance(event, Event) else Event(item).wire


def event_content(source: Any, *, keep_alive: float | None, retry: int | None) -> LiveContent:
    """Return the content of a response that is an event stream.

    Raises:
        ValueError: `keep_alive` is not more than 0 seconds, or `retry` is no whole number of 0 or more.
    """
    if keep_alive is not None and not 0 < keep_alive < math.inf:
        raise ValueError(f"keep_alive is in seconds, more than 0, or None; not {keep_alive!r}")
    check_retry(retry)
    opening = KEEP_ALIVE if retry is None else format_event(Event(retry=retry))
    farewell = partial(_farewell, retry or _SOON)
    return LiveContent(source, format_event, opening, keep_alive, KEEP_ALIVE, farewell)


def check_retry(retry: int | None) -> None:
    """Raise ValueError unless it is a number of milliseconds, or None."""
    if retry is not None and (type(retry) is not int or not 0 <= retry <= _MAX_RETRY):
        raise ValueError(f"retry is a whole number of milliseconds, 0 to {_MAX_RETRY}; not {retry!r}")


def plain_name(name: str) -> str:
    """Return the name of an event that came from elsewhere, "" when it cannot be written.

    >>> plain_name("said"), plain_name("said\\ndata: what nobody said")
    ('said', '')
    """
    try:
        _check_name("event", name)
    except ValueError:
        return ""
    return name


def _farewell(retry: int) -> bytes:
    """Let each client come back after another time, one to two times as long, or they would all come at once."""
    return b"retry: %d\n\n" % min(retry + randbelow(retry), _MAX_RETRY)


def _check_name(field: str, value: str) -> None:
    if not _BREAKS.isdisjoint(value):
        raise ValueError(f"the {field} of an event has no line breaks and no NUL, as {value[:100]!r} has")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError(f"the {field} of an event is text that UTF-8 can write, not {value[:100]!r}") from None


def _tag_of(data: object) -> str:
    """The tag of a Struct that has one, as the type of its event."""
    config = getattr(type(data), "__struct_config__", None)
    tag = None if config is None else config.tag
    return plain_name(tag) if isinstance(tag, str) else ""


def _encoded(data: object) -> bytes:
    if isinstance(data, str):
        return data.encode()
    if isinstance(data, bytes | bytearray | memoryview):
        return bytes(data).decode().encode()
    return encode_json(data)


def _lines(text: bytes) -> list[bytes]:
    """CR, LF and both are what ends a line of an event stream, and nothing else is."""
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return text.split(b"\n")
