"""How do channels reach over processes by way of NATS?

A message that is not kept goes over core NATS. One that is kept goes into a stream of JetStream, which numbers it
and publishes that to all (nats_history.py); presence is another stream (nats_presence.py). Names of channels are
escaped in subjects, which stay readable: `nexios.c.room:1.>` is all that a channel's subscribers get.

| subject | what |
|---|---|
| `nexios.c.CHANNEL.f` | parts of messages that are not kept |
| `nexios.c.CHANNEL.b.PART` | parts of messages that are kept; stored |
| `nexios.k.CHANNEL` | their records; stored |
| `nexios.c.CHANNEL.r` | the records again, as the stream numbered them |
| `nexios.p.NODE.>` | lease, mark and members of a process; stored |

The extra `nats` brings the client. NATS 2.11 or newer with JetStream, one server or a cluster.
"""

import asyncio
import contextlib
import itertools
from collections import deque
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import msgspec

from nexios.concurrency import end
from nexios.errors import ConfigurationError
from nexios.messages.clock import Clock, sleep
from nexios.websockets.backends.backoff import Backoff
from nexios.websockets.backends.base import BackendUnavailable, Receiver, shown
from nexios.websockets.backends.given import check_options, check_url
from nexios.websockets.backends.nats_history import History, Kept
from nexios.websockets.backends.nats_parts import Joiner, cut
from nexios.websockets.backends.nats_presence import NatsPresence
from nexios.websockets.backends.nats_streams import token_of
from nexios.websockets.backends.nats_wire import BROKEN, OPTIONS, Msg, Subscription, Wire
from nexios.websockets.backends.ready import until_connected
from nexios.websockets.clock import SystemClock
from nexios.websockets.history import HistoryLimits, Replay

__all__ = ["NatsBackend"]

_MIB: Final = 1024 * 1024
_SCHEMES: Final = ("nats", "tls", "ws", "wss")
_OLDEST: Final = (2, 11)
"""The first version whose messages can expire one by one, and are read in batches."""


class _Topic:
    """A channel that is subscribed. `held` are messages that wait for the body of the first of them."""

    __slots__ = ("channel", "held", "last", "subscription")

    def __init__(self, channel: str) -> None:
        self.channel = channel
        self.subscription: Subscription | None = None
        self.last = 0
        self.held: deque[tuple[Kept | None, bytes | None]] | None = None


class _Link:
    """What there is for as long as one connection lasts."""

    __slots__ = ("history", "presence", "wire")

    def __init__(self, wire: Wire, prefix: str, node: str) -> None:
        self.wire = wire
        self.history = History(wire, prefix)
        self.presence = NatsPresence(wire, prefix, node)


class NatsBackend:
    """One process' way to a NATS server: `Hub(NatsBackend("nats://localhost:4222"))`.

    `servers` may be several of one cluster. All subjects and streams begin with `prefix` (ASCII letters, digits, `-`
    and `_`): apps that share a server take different ones. `storage` ("file" or "memory"), `replicas` and `max_size`
    (bytes of all histories) are for streams that are not there yet.

    `patience` is how many seconds a call waits for a connection or an answer; `ping_interval` is how often
    the server is asked whether it is there.
    """

    name = "nats"

    def __init__(
        self,
        servers: str | list[str] = "nats://localhost:4222",
        *,
        prefix: str = "nexios",
        patience: float = 5.0,
        ping_interval: float = 15.0,
        storage: str = "file",
        replicas: int = 1,
        max_size: int = 512 * _MIB,
        clock: Clock | None = None,
        **options: Any,
    ) -> None:
        """`options` go to `nats.aio.client.Client.connect`, as `user_credentials` or `tls`.

        Raises:
            ConfigurationError: A server is none of NATS, or the client takes no such option.
        """
        for server in servers if isinstance(servers, list) and servers else (servers,):
            check_url(server, _SCHEMES, "nats", bare=True)  # type: ignore[arg-type]
        check_options("nats", options, OPTIONS)
        if not prefix.isascii() or not prefix.replace("-", "").replace("_", "").isalnum():
            raise ConfigurationError(
                f"{prefix!r} is no prefix of NATS subjects; "
                'use ASCII letters, digits, "-" and "_": NatsBackend(prefix="my-app")'
            )
        self._servers = servers
        self._prefix = prefix
        self._patience = patience
        self._ping_interval = ping_interval
        self._streams: dict[str, Any] = {"storage": storage, "replicas": replicas}
        self._max_size = max_size
        self._clock: Clock = SystemClock() if clock is None else clock
        self._options = options
        self._receiver: Receiver | None = None
        self._node = ""
        self._ids = itertools.count()
        self._link: _Link | None = None
        self._connected = asyncio.Event()
        self._topics: dict[str, _Topic] = {}
        self._joiner = Joiner()
        self._keeper: asyncio.Task[None] | None = None
        self._fetching: set[asyncio.Task[None]] = set()

    def __repr__(self) -> str:
        servers = [self._servers] if isinstance(self._servers, str) else self._servers
        return f"<NatsBackend {', '.join(map(shown, servers))}>"

    # Life

    async def start(self, receiver: Receiver, *, node: str) -> None:
        """Connect, and fail at once when nobody answers.

        Raises:
            BackendUnavailable: Nobody answers, or JetStream refuses.
            ConfigurationError: The server is too old, or the streams of this name are not ours.
        """
        self._receiver, self._node = receiver, node
        self._connected = asyncio.Event()
        try:
            link = await self._connect()
            await link.presence.sweep()
        except BaseException as exc:
            await self._close()
            if isinstance(exc, BROKEN) and not isinstance(exc, BackendUnavailable):
                raise BackendUnavailable from exc
            raise
        self._keeper = asyncio.Task(self._keep_for_ever(link.wire), name="nexios-nats")

    async def stop(self) -> None:
        """Take this process out of presence, and close the connection."""
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            await end(keeper, self._patience)
        if self._link is not None and self._connected.is_set():
            with contextlib.suppress(BackendUnavailable):
                await self._link.presence.clear()
        await self._close()

    # Channels

    async def subscribe(self, channel: str) -> int:
        """Receive a channel, and return the number of its last message."""
        link = await self._ready()
        topic = self._topics.get(channel)
        if topic is None:
            topic = self._topics[channel] = _Topic(channel)
            await self._subscribe(link.wire, topic)
        last = await link.history.last(channel)
        topic.last = max(topic.last, last)
        return last

    async def unsubscribe(self, channel: str) -> None:
        """Stop receiving a channel."""
        topic = self._topics.pop(channel, None)
        if topic is not None:
            topic.held = None
            self._joiner.forget(channel)
            if topic.subscription is not None:
                with contextlib.suppress(*BROKEN):
                    await topic.subscription.unsubscribe()

    async def publish(self, channel: str, body: bytes, *, keep: HistoryLimits | None) -> int:
        """Publish a message, by way of the stream when it is to be kept."""
        link = await self._ready()
        id = f"{token_of(self._node)}-{next(self._ids)}"
        if keep is not None:
            return await link.history.keep(channel, id, body, keep)
        for part in cut(id, body, link.history.part_size):
            await link.wire.publish(f"{self._prefix}.c.{token_of(channel)}.f", part)
        await link.wire.drain()
        return 0

    async def history(self, channel: str, *, after: int, keep: HistoryLimits) -> Replay:
        """Read the stream."""
        link = await self._ready()
        topic = self._topics.get(channel)
        return await link.history.replay(channel, after, keep, seen=0 if topic is None else topic.last)

    # Presence

    async def renew(self, lease: float) -> bool:
        """Store the lease of this process."""
        return await (await self._ready()).presence.renew(lease)

    async def join(self, channel: str, member: str, body: bytes) -> None:
        """Store a member."""
        await (await self._ready()).presence.join(channel, member, body)

    async def leave(self, channel: str, member: str) -> None:
        """Take a member out."""
        await (await self._ready()).presence.leave(channel, member)

    async def present(self, channel: str) -> Mapping[str, bytes]:
        """Read the members of all processes that live."""
        return await (await self._ready()).presence.present(channel)

    # The connection

    async def _connect(self) -> _Link:
        """A new connection, for all channels that there are. Raises one of `BROKEN`, or `ConfigurationError`."""
        wire = Wire(self._servers, patience=self._patience, options=self._options)
        link = _Link(wire, self._prefix, self._node)
        try:
            await wire.open()
            if wire.version < _OLDEST:
                major, minor = wire.version
                raise ConfigurationError(f"NatsBackend needs NATS 2.11 or newer; this server has {major}.{minor}")
            await link.history.prepare(**self._streams, max_size=self._max_size)
            await link.presence.prepare(**self._streams)
            for topic in tuple(self._topics.values()):
                await self._subscribe(wire, topic)
            await wire.echo()
        except BaseException:
            await wire.close()
            raise
        self._link = link
        self._connected.set()
        return link

    async def _keep_for_ever(self, wire: Wire) -> None:
        """Connect again after each break."""
        backoff = Backoff()
        while True:
            await self._lost(await self._until_broken(wire))
            wire = await self._connect_again(backoff)
            backoff.reset()
            if self._receiver is not None:
                self._receiver.restored()

    async def _connect_again(self, backoff: Backoff) -> Wire:
        """Try until it works."""
        while True:
            await sleep(self._clock, backoff.next())
            try:
                return (await self._connect()).wire
            except (*BROKEN, ConfigurationError):
                continue

    async def _until_broken(self, wire: Wire) -> BaseException:
        """Wait for a break; a server that says nothing is asked whether it is there."""
        while True:
            await asyncio.wait((wire.broken,), timeout=self._ping_interval)
            if wire.broken.done():
                return wire.broken.result()
            try:
                await wire.echo()
            except BackendUnavailable as exc:
                wire.snap(exc)

    async def _lost(self, error: BaseException) -> None:
        """Tell the receiver of a break, and give the connection up."""
        self._connected.clear()
        if self._receiver is not None:
            self._receiver.lost(error)
        await self._disconnect()

    async def _disconnect(self) -> None:
        """Close the connection, if there is one, and forget what was on its way."""
        link, self._link = self._link, None
        fetching, self._fetching = self._fetching, set()
        for task in fetching:
            task.cancel()
        for topic in self._topics.values():
            topic.held = None
        self._joiner.clear()
        try:
            if fetching:
                await asyncio.wait(fetching)
        finally:
            if link is not None:
                await link.wire.close()

    async def _close(self) -> None:
        """Disconnect, and forget everything."""
        self._connected.clear()
        self._receiver = None
        await self._disconnect()
        self._topics.clear()

    async def _ready(self) -> _Link:
        """Return the connection, once there is one. Raises `BackendUnavailable` when it is not in time, or stopped."""
        await until_connected(self._connected, self._patience)
        if self._link is None:
            raise BackendUnavailable
        return self._link

    # What comes

    async def _subscribe(self, wire: Wire, topic: _Topic) -> None:
        """Have a channel's messages given to `_take`."""
        subject = f"{self._prefix}.c.{token_of(topic.channel)}.>"
        topic.subscription = await wire.subscribe(subject, partial(self._take, topic))

    def _take(self, topic: _Topic, message: Msg) -> None:
        """Put parts together; pass on what is whole. What is not ours is left alone."""
        link = self._link
        if link is None or self._topics.get(topic.channel) is not topic:
            return
        try:
            if message.subject.endswith(".r"):
                number = int((message.headers or {})["Nats-Sequence"])
                self._take_record(link, topic, link.history.read_record(number, message.data))
            elif message.subject.endswith(".f"):
                self._pass_on(topic, None, self._joiner.whole(topic.channel, message.data))
            else:
                self._joiner.add(topic.channel, message.data)
        except (ValueError, KeyError, msgspec.DecodeError):
            return

    def _take_record(self, link: _Link, topic: _Topic, kept: Kept) -> None:
        """A message is there, or its parts came before we had subscribed: then the stream has them."""
        link.history.saw(kept.number)
        topic.last = max(topic.last, kept.number)
        body = self._joiner.take(topic.channel, kept.record.id, kept.record.parts)
        if body is None and topic.held is None:
            topic.held = deque()
            task = asyncio.get_running_loop().create_task(self._fetch(link, topic, topic.held))
            self._fetching.add(task)
            task.add_done_callback(self._fetching.discard)
        self._pass_on(topic, kept, body)

    def _pass_on(self, topic: _Topic, kept: Kept | None, body: bytes | None) -> None:
        """Give a message to the receiver, after those that wait."""
        if topic.held is not None:
            topic.held.append((kept, body))
        elif self._receiver is not None and body is not None:
            self._receiver.receive(topic.channel, 0 if kept is None else kept.number, body)

    async def _fetch(self, link: _Link, topic: _Topic, held: deque[tuple[Kept | None, bytes | None]]) -> None:
        """Get what is missing from the stream, and pass on all that waits. Without it, the connection is lost."""
        try:
            while held:
                kept, body = held[0]
                if body is None and kept is not None:
                    body = await link.history.body(topic.channel, kept)
                held.popleft()
                if topic.held is held and self._receiver is not None and body is not None:
                    self._receiver.receive(topic.channel, 0 if kept is None else kept.number, body)
        except BackendUnavailable as exc:
            link.wire.snap(exc)
        if topic.held is held:
            topic.held = None
