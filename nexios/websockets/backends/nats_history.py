"""How does JetStream number, keep and tell the messages of the channels?

One stream holds the history of all channels. Its numbers are theirs: they grow strictly over all channels and
processes, with holes within one. A stream that has to be made again, as its server forgot everything, begins at the
time in microseconds (`first_seq`), and so above all that were given before.

A message is its parts (nats_parts.py), stored for as long as the history is to be, and then its record, stored for a
day longer: so whoever comes back with the number of a message is told whether anything is missing, also when all of it
is old. The stream publishes each record again when it has stored and numbered it. Those who have subscribed to a
channel got the parts before: what they receive is in the order of the stream, and is in the history.

The count is kept by the stream (it holds one message more, as the one that somebody saw last), the age by the server's
timer in whole seconds. What is read obeys all limits exactly, by the clock of the server. On its disk a
channel may have more bytes than the limit says, and all of them together `max_size`, of which the oldest go first.
"""

import math
import time
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from nexios.websockets.backends.nats_parts import Joiner, Record, cut
from nexios.websockets.backends.nats_streams import MAX_AGE, TTL, Found, Stream, token_of
from nexios.websockets.backends.nats_wire import Wire
from nexios.websockets.history import HistoryLimits, Replay, Stored

__all__ = ["History", "Kept"]

_DEPTH: Final = 101
"""Of a new stream: the default of HistoryLimits, and one more."""
_UNBOUNDED: Final = 2**62

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Record).decode


class Kept(msgspec.Struct, frozen=True):
    """A record with what the stream added: the number, and the time in seconds since 1970."""

    number: int
    at: float
    record: Record


class History:
    """The history of all channels, by way of one connection."""

    def __init__(self, wire: Wire, prefix: str) -> None:
        self._wire = wire
        self._prefix = prefix
        self._stream = Stream(wire, prefix)
        self._floor = 0

    async def prepare(self, *, storage: str, replicas: int, max_size: int) -> None:
        """Have the stream there."""
        config: dict[str, Any] = {
            "subjects": [f"{self._prefix}.k.*", f"{self._prefix}.c.*.b.*"],
            "republish": {"src": f"{self._prefix}.k.*", "dest": self._prefix + ".c.{{wildcard(1)}}.r"},
            "first_seq": time.time_ns() // 1000,
            "max_msgs_per_subject": _DEPTH,
            "max_bytes": max_size,
            "storage": storage,
            "num_replicas": replicas,
            "retention": "limits",
            "discard": "old",
            "allow_direct": True,
            "allow_msg_ttl": True,
        }
        await self._stream.ensure(config)
        self.saw(self._stream.last_number)

    def saw(self, number: int) -> None:
        """Remember the highest number: whatever is published from now on comes after it."""
        self._floor = max(self._floor, number)

    async def keep(self, channel: str, id: str, body: bytes, limits: HistoryLimits) -> int:
        """Store a message and return its number. The parts need no answer: the record comes after them."""
        await self._stream.deepen(limits.count + 1)
        age = max(1, math.ceil(limits.age))
        parts = cut(id, body, self.part_size)
        record = Record(id, len(parts), len(body), self._floor)
        subject = f"{self._prefix}.c.{token_of(channel)}.b."
        for number, part in enumerate(parts):
            await self._wire.publish(f"{subject}{number}", part, headers={TTL: f"{age}s"})
        sequence = await self._stream.put(self._records(channel), _encode(record), ttl=age + MAX_AGE)
        self.saw(sequence)
        return sequence

    @property
    def part_size(self) -> int:
        """The bytes of a body in one message; the rest is for heads and headers."""
        return max(1, self._wire.max_payload * 3 // 4)

    async def last(self, channel: str) -> int:
        """Return the number of the last message of a channel; 0 when there is none."""
        found = await self._stream.last(self._records(channel))
        return 0 if found is None else found.number

    async def replay(self, channel: str, after: int, limits: HistoryLimits, *, seen: int) -> Replay:
        """Return what came after a number. `seen` is the highest that is known: a replica may not have it yet."""
        kept = await self._kept(channel, max(1, after))
        is_known = bool(after and kept and kept[0].number == after)
        if after and not is_known:
            kept = await self._kept(channel, 1)
        newer = kept[1:] if is_known else kept
        last = kept[-1].number if kept else 0
        messages = await self._with_bodies(channel, self._within(newer, limits))
        is_complete = last >= seen and (not after or (is_known and len(messages) == len(newer)))
        return Replay(messages, max(last, seen), complete=is_complete)

    async def body(self, channel: str, kept: Kept) -> bytes | None:
        """Return the body of one message; None when it is gone."""
        messages = await self._with_bodies(channel, [kept])
        return messages[0].body if messages else None

    def read_record(self, number: int, data: bytes) -> Kept:
        """Read a record as the stream publishes it. Raises `msgspec.DecodeError` when it is none."""
        return Kept(number, self._stream.now, _decode(data))

    def _records(self, channel: str) -> str:
        return f"{self._prefix}.k.{token_of(channel)}"

    async def _kept(self, channel: str, start: int) -> list[Kept]:
        """Read the records of a channel from a number on."""
        return [_kept(found) for found in await self._stream.read(self._records(channel), start)]

    def _within(self, kept: Sequence[Kept], limits: HistoryLimits) -> list[Kept]:
        """Return the newest, as many as the limits allow."""
        oldest, size, first = self._stream.now - limits.age, 0, len(kept)
        while first > 0 and len(kept) - first < limits.count:
            one = kept[first - 1]
            size += one.record.size
            if size > limits.size or one.at <= oldest:
                break
            first -= 1
        return list(kept[first:])

    async def _with_bodies(self, channel: str, kept: Sequence[Kept]) -> tuple[Stored, ...]:
        """Add the bodies. Those before one that is gone are left out."""
        joiner, stored = Joiner(_UNBOUNDED), list[Stored]()
        missing = {one.record.id for one in kept}
        following = min((one.record.floor for one in kept), default=-1) + 1
        last = "0" if all(one.record.parts == 1 for one in kept) else "*"
        subject = f"{self._prefix}.c.{token_of(channel)}.b.{last}"
        while missing and following:
            page, following = await self._stream.page(subject, following)
            for found in page:
                missing.discard(joiner.add(channel, found.data))
        for one in kept:
            body = joiner.take(channel, one.record.id, one.record.parts)
            if body is None:
                stored.clear()
            else:
                stored.append(Stored(one.number, body))
        return tuple(stored)


def _kept(found: Found) -> Kept:
    return Kept(found.number, found.at, _decode(found.data))
