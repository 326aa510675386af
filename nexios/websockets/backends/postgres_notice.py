"""What does a notification of PostgreSQL say, and to whom is it said?

`TOPIC:HOW:NUMBER:SERIAL:CONTENT`. TOPIC stands for the channel; HOW says whether the content is the body as text, the
body in base64, or the number of a parcel that has it; SERIAL tells the messages of one transaction apart, of which the
server would otherwise drop those that say the same.

A server compares each notification with every name that a connection listens to, and a connection that listened to one
name for all would read everything. So there are 64 lanes, and each channel has its place in one of them.
"""

import base64
import binascii
from hashlib import blake2b
from typing import Final, NamedTuple

__all__ = ["LANES", "PARCEL", "Notice", "lane_of", "lanes_for", "parse_notice", "topic_of", "way_of"]

LANES: Final = 64

TEXT: Final = "t"
BASE64: Final = "b"
PARCEL: Final = "p"

_MOST: Final = 7999
"""Bytes that a notification may have (NOTIFY_PAYLOAD_MAX_LENGTH in async.c, less the byte at its end)."""
_ENVELOPE: Final = 22 + 1 + 16 + 10 + 4
"""Bytes of topic, how, number, serial and colons at most."""


class Notice(NamedTuple):
    """What a notification says. `content` is the body, or the number of the parcel that has it."""

    topic: str
    sequence: int
    content: bytes | int


def topic_of(channel: str) -> str:
    """Return what stands for a channel in notifications: 128 bits in 22 characters of ASCII, whatever its name.

    >>> topic_of("room:1")
    'l5heby2CBN6t5bydy3WmQQ'
    """
    digest = blake2b(channel.encode(), digest_size=16).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def lane_of(topic: str) -> int:
    """Return the lane of a topic, from 0 to 63.

    >>> lane_of("A...................."), lane_of("_....................")
    (0, 63)
    """
    return base64.urlsafe_b64decode(topic[0] + "AAA")[0] >> 2


def lanes_for(*place: str) -> tuple[str, ...]:
    """Return the names of the lanes of the tables in one place: names of LISTEN are for a whole database.

    >>> lanes_for("public", "nexios_")[:2]
    ('nexios_8c34b5121b8f_0', 'nexios_8c34b5121b8f_1')
    """
    digest = blake2b("\0".join(place).encode(), digest_size=6).hexdigest()
    return tuple(f"nexios_{digest}_{lane}" for lane in range(LANES))


def way_of(body: bytes) -> str:
    """Return how a body is carried: in the notification where there is room for it, else in a parcel.

    >>> way_of(b'{"text": "hello"}'), way_of("☃".encode()), way_of(b"x" * 8000)
    ('t', 'b', 'p')
    """
    room = _MOST - _ENVELOPE
    if len(body) <= room and body.isascii() and b"\0" not in body:
        return TEXT
    return BASE64 if len(body) <= room // 4 * 3 else PARCEL


def parse_notice(payload: str) -> Notice:
    """Read what a notification says.

    Raises:
        ValueError: It is nothing of ours: anybody who may connect may notify.

    >>> parse_notice("l5heby2CBN6t5bydy3WmQQ:t:17:0:hello")
    Notice(topic='l5heby2CBN6t5bydy3WmQQ', sequence=17, content=b'hello')
    """
    topic, how, number, _serial, said = payload.split(":", 4)
    sequence = _number(number)
    if how == TEXT:
        return Notice(topic, sequence, said.encode())
    if how == BASE64:
        return Notice(topic, sequence, _decoded(said))
    if how == PARCEL:
        return Notice(topic, sequence, _number(said))
    raise ValueError("a notification says in no known way what its message is")


def _number(text: str) -> int:
    """Read an integer of 0 or more that fits into 64 bits."""
    if len(text) > 18 or not text.isascii() or not text.isdigit():
        raise ValueError("a notification has something else where a number should be")
    return int(text)


def _decoded(said: str) -> bytes:
    try:
        return base64.b64decode(said, validate=True)
    except binascii.Error as exc:
        raise ValueError("a notification has something else where base64 should be") from exc
