"""How does a message reach a NATS subscriber, when the server takes a limited size, and gives the number later?

A body travels in parts, each with a head that names the message. A message that is not kept is there when all of its
parts are. One that is kept is there when its record comes, which the stream sends once it has given the number.
"""

from collections import OrderedDict
from typing import Final

import msgspec

__all__ = ["Joiner", "Record", "cut", "part_of"]

_MIB: Final = 1024 * 1024


class Record(msgspec.Struct, frozen=True, array_like=True):
    """What a stream keeps of a message, apart from its parts: they come before it, and after the number `floor`."""

    id: str
    parts: int
    size: int
    floor: int


def cut(id: str, body: bytes, size: int) -> list[bytes]:
    """Return the parts of a body, each with its head and about `size` bytes.

    >>> cut("a-1", b"hello", 3)
    [b'a-1 0 2\\nhel', b'a-1 1 2\\nlo']
    """
    count = max(1, -(-len(body) // size))
    if count == 1:
        return [b"%b 0 1\n%b" % (id.encode(), body)]
    return [b"%b %d %d\n%b" % (id.encode(), n, count, body[n * size : (n + 1) * size]) for n in range(count)]


def part_of(data: bytes) -> tuple[str, int, int, bytes]:
    """Return the id of the message, the number of the part, how many there are, and the bytes.

    Raises:
        ValueError: This is no part.
    """
    head, _, chunk = data.partition(b"\n")
    id, number, count = head.decode().split(" ")
    if not 0 <= int(number) < int(count):
        raise ValueError(f"part {number} of {count}")
    return id, int(number), int(count), chunk


class Joiner:
    """Puts bodies together. Holds `limit` bytes at most, or one message: the oldest are given up."""

    def __init__(self, limit: int = 16 * _MIB) -> None:
        self._limit = limit
        self._size = 0
        self._open: OrderedDict[tuple[str, str], dict[int, bytes]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._open)

    def add(self, channel: str, data: bytes) -> str:
        """Take a part, and return the id of its message when it is the last one; an empty text before.

        Raises:
            ValueError: This is no part.
        """
        id, number, count, chunk = part_of(data)
        parts = self._open.setdefault((channel, id), {})
        self._size += len(chunk) - len(parts.get(number, b""))
        parts[number] = chunk
        while self._size > self._limit and len(self._open) > 1:
            self._drop(next(iter(self._open)))
        return id if len(parts) == count else ""

    def whole(self, channel: str, data: bytes) -> bytes | None:
        """Take a part, and return the body when it is the last one; None before.

        Raises:
            ValueError: This is no part.
        """
        _, _, count, chunk = part_of(data)
        if count == 1:
            return chunk
        id = self.add(channel, data)
        return self.take(channel, id, count) if id else None

    def take(self, channel: str, id: str, count: int) -> bytes | None:
        """Return a body, and forget it. None when parts of it are missing."""
        parts = self._open.get((channel, id), {})
        if any(number not in parts for number in range(count)):
            return None
        self._drop((channel, id))
        return parts[0] if count == 1 else b"".join(parts[number] for number in range(count))

    def forget(self, channel: str) -> None:
        """Give up what came for a channel."""
        for key in [key for key in self._open if key[0] == channel]:
            self._drop(key)

    def clear(self) -> None:
        """Give up everything."""
        self._open.clear()
        self._size = 0

    def _drop(self, key: tuple[str, str]) -> None:
        self._size -= sum(map(len, self._open.pop(key).values()))
