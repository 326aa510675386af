"""How does JetStream know who is present, and forget those whose process died?

One stream holds the last message of each subject: an entry for each member, a lease for each process, and a mark
for each process that has entries. A lease says for how many seconds it holds, counted from the time at which
the server stored it; it is read by the clock of the server, and stays stored some seconds longer.

Entries of a process whose lease has run out are not told. When nothing is left of the lease, whoever sees them
takes them out, or the next process that starts: only what is old, as the process may be about to come back.
"""

import math
from collections.abc import Iterable
from typing import Any, Final

from nexios.websockets.backends.nats_streams import Found, Stream, name_of, token_of
from nexios.websockets.backends.nats_wire import Wire

__all__ = ["NatsPresence"]

_LINGER: Final = 10
"""Seconds for which a lease that ran out is stored: for all that time nobody takes out what is of its process."""
_SETTLED: Final = 60.0
"""Seconds after which an entry without a lease is taken out."""


class NatsPresence:
    """The presence of one process, by way of one connection."""

    def __init__(self, wire: Wire, prefix: str, node: str) -> None:
        self._stream = Stream(wire, f"{prefix}-presence")
        self._all = f"{prefix}.p"
        self._own = f"{self._all}.{token_of(node)}"
        self._is_marked = False

    async def prepare(self, *, storage: str, replicas: int) -> None:
        """Have the stream there."""
        config: dict[str, Any] = {
            "subjects": [f"{self._all}.>"],
            "max_msgs_per_subject": 1,
            "storage": storage,
            "num_replicas": replicas,
            "retention": "limits",
            "allow_direct": True,
            "allow_msg_ttl": True,
        }
        await self._stream.ensure(config)

    async def renew(self, lease: float) -> bool:
        """Store the lease of this process; tell whether it had one that held."""
        await self._stream.sync()
        found = await self._stream.last(f"{self._own}.l")
        is_held = found is not None and self._holds(found)
        if not is_held:
            self._is_marked = False
        await self._stream.put(f"{self._own}.l", repr(lease).encode(), ttl=math.ceil(lease) + _LINGER)
        return is_held

    async def join(self, channel: str, member: str, body: bytes) -> None:
        """Store an entry."""
        if not self._is_marked:
            await self._stream.put(f"{self._own}.n", b"")
            self._is_marked = True
        await self._stream.put(self._entry(channel, member), body)

    async def leave(self, channel: str, member: str) -> None:
        """Put something in place of an entry that says so, and is gone soon itself."""
        await self._stream.put(self._entry(channel, member), b"", ttl=1, is_gone=True)

    async def present(self, channel: str) -> dict[str, bytes]:
        """Return the entries of processes whose leases hold."""
        entries = await self._stream.read(f"{self._all}.*.m.{token_of(channel)}.*")
        if not entries:
            return {}
        leases = await self._leases()
        await self._take_out(entries, leases)
        alive = {node for node, lease in leases.items() if self._holds(lease)}
        members = [found for found in entries if not found.is_gone and _node(found) in alive]
        return {name_of(found.subject.rpartition(".")[2]): found.data for found in members}

    async def sweep(self) -> None:
        """Take out what processes left that died."""
        await self._stream.sync()
        last = self._stream.last_number
        marks = await self._stream.read(f"{self._all}.*.n")
        leases = await self._leases()
        for node in self._dead(marks, leases):
            await self._stream.purge(f"{self._all}.{node}.>", before=last + 1)

    async def clear(self) -> None:
        """Take out everything of this process."""
        await self._stream.purge(f"{self._own}.>")

    def _entry(self, channel: str, member: str) -> str:
        return f"{self._own}.m.{token_of(channel)}.{token_of(member)}"

    async def _leases(self) -> dict[str, Found]:
        """Read the lease of each process."""
        return {_node(found): found for found in await self._stream.read(f"{self._all}.*.l")}

    def _holds(self, lease: Found) -> bool:
        return lease.at + float(lease.data) > self._stream.now

    def _dead(self, found: Iterable[Found], leases: dict[str, Found]) -> dict[str, int]:
        """Return the processes that have no lease for long, and the highest of their numbers."""
        settled = self._stream.now - _SETTLED
        return {_node(one): one.number for one in found if one.at < settled and _node(one) not in leases}

    async def _take_out(self, entries: Iterable[Found], leases: dict[str, Found]) -> None:
        for node, last in self._dead(entries, leases).items():
            await self._stream.purge(f"{self._all}.{node}.m.>", before=last + 1)


def _node(found: Found) -> str:
    """Return the token of the process, whose prefix is one token too."""
    return found.subject.split(".", 3)[2]
