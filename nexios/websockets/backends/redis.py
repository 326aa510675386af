"""How do channels reach over processes by way of Redis or Valkey?

Messages are published to all at once (PUBLISH) and kept in a stream for each channel; one script does both, so the
order of a channel is the same for all, and what was received is in the stream. Presence is a hash for each channel;
the lease of a process is a key that expires.

The extra `redis` brings the client. Redis 6.2 or newer, or any Valkey; one server, not a cluster.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Mapping
from typing import Any, Final, TypeVar

from nexios.concurrency import end
from nexios.errors import ConfigurationError
from nexios.messages.clock import Clock, sleep
from nexios.websockets.backends.backoff import Backoff
from nexios.websockets.backends.base import BackendUnavailable, Receiver, shown
from nexios.websockets.backends.given import check_options, check_url, names_of, refuse
from nexios.websockets.backends.ready import until_connected
from nexios.websockets.backends.redis_scripts import HISTORY, PRESENT, PUBLISH
from nexios.websockets.clock import SystemClock
from nexios.websockets.history import HistoryLimits, Replay, Stored, replay_of
from nexios.websockets.message import CONTROL

try:
    from redis.asyncio import Connection, ConnectionPool, Redis
    from redis.asyncio.connection import parse_url
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff
    from redis.exceptions import RedisError
except ModuleNotFoundError as _missing:
    raise ConfigurationError(
        f'RedisBackend needs the package {_missing.name}:\n\n    pip install "nexios[redis]"\n'
    ) from _missing

__all__ = ["RedisBackend"]

_BROKEN: Final = (RedisError, OSError, EOFError, TimeoutError)
_REMEMBER: Final = 86_400
"""Seconds for which the number of a channel's last message outlives its messages, so that a pause is no gap."""

_SCHEMES: Final = ("redis", "rediss", "unix")
_DECIDED: Final = ("host", "port", "path")
"""Options of the client that the URL says, whatever they are."""

_DIGITS: Final = 16
"""Of the largest number that a message may have."""

T = TypeVar("T")


class RedisBackend:
    """One process' way to a Redis or Valkey server: `Hub(RedisBackend("redis://localhost:6379"))`.

    One connection is subscribed, a pool of others does the rest. All keys begin with `prefix`: apps that share a server
    take different ones.

    `patience` is how many seconds a call waits for a connection or an answer; `ping_interval` is how long the
    server may say nothing before it is asked whether it is there, and as long again for its answer.
    """

    name = "redis"

    def __init__(
        self,
        url: str = "redis://localhost:6379/0",
        *,
        prefix: str = "nexios:",
        patience: float = 5.0,
        ping_interval: float = 15.0,
        clock: Clock | None = None,
        **options: Any,
    ) -> None:
        """`options` go to `redis.asyncio.Redis.from_url`, as `password` or `ssl_ca_certs`.

        Raises:
            ConfigurationError: The URL is none of Redis, or the client takes no such option.
        """
        self._url = check_url(url, _SCHEMES, "redis")
        _check(url, options)
        self._prefix = prefix
        self._patience = patience
        self._ping_interval = ping_interval
        self._clock: Clock = SystemClock() if clock is None else clock
        self._options = options
        self._client: Redis | None = None
        self._receiver: Receiver | None = None
        self._node = ""
        self._channels: set[str] = set()
        self._unconfirmed: dict[str, deque[asyncio.Future[None]]] = {}
        self._subscribed: Any = None
        self._listener: asyncio.Task[None] | None = None
        self._connected = asyncio.Event()

    def __repr__(self) -> str:
        return f"<RedisBackend {shown(self._url)}>"

    # Life

    async def start(self, receiver: Receiver, *, node: str) -> None:
        """Connect, and fail at once when nobody answers."""
        self._receiver, self._node = receiver, node
        self._connected = asyncio.Event()
        self._client = self._make_client(self._patience)
        try:
            await self._connect()
        except BaseException as exc:
            await self._close()
            if isinstance(exc, _BROKEN):
                raise BackendUnavailable from exc
            raise
        self._listener = asyncio.Task(self._listen_for_ever(), name="nexios-redis")

    async def stop(self) -> None:
        """Let go of the lease, and close all connections."""
        listener, self._listener = self._listener, None
        if listener is not None:
            await end(listener, self._patience)
        if self._client is not None and self._connected.is_set():
            await _quietly(self._client.delete(self._key("node", self._node)))
        await self._close()

    # Channels

    async def subscribe(self, channel: str) -> int:
        """Receive a channel, and return the number of its last message."""
        client = await self._ready()
        if channel not in self._channels or channel in self._unconfirmed:
            self._channels.add(channel)
            await self._on_engine(self._subscribe(channel))
        last = await self._on_engine(client.hget(self._key("last", channel), "last"))
        return int(last or 0)

    async def unsubscribe(self, channel: str) -> None:
        """Stop receiving a channel."""
        if channel in self._channels:
            self._channels.discard(channel)
            if self._connected.is_set():
                await self._on_engine(self._subscribed.send_command("UNSUBSCRIBE", self._key("to", channel)))

    async def publish(self, channel: str, body: bytes, *, keep: HistoryLimits | None) -> int:
        """Number, keep and publish a message in one step."""
        client = await self._ready()
        if keep is None:
            await self._on_engine(client.publish(self._key("to", channel), b"0:" + body))
            return 0
        keys = [self._key("log", channel), self._key("last", channel), self._key("to", channel)]
        age = max(1, int(keep.age * 1000))
        arguments = [body, keep.count, age, keep.size, age + _REMEMBER * 1000]
        return int(await self._run(client, PUBLISH, keys, arguments))

    async def history(self, channel: str, *, after: int, keep: HistoryLimits) -> Replay:
        """Read the stream of a channel."""
        client = await self._ready()
        keys = [self._key("log", channel), self._key("last", channel)]
        last, oldest, found = await self._run(client, HISTORY, keys, [max(1, int(keep.age * 1000)), after])
        messages = tuple(Stored(int(id), body) for id, body in zip(found[::2], found[1::2], strict=True))
        return replay_of(messages, after=after, last=int(last or 0), oldest=int(oldest) if oldest else None)

    # Presence

    async def renew(self, lease: float) -> bool:
        """Set the key of this process, which expires by the server's clock."""
        client = await self._ready()
        key, milliseconds = self._key("node", self._node), max(1, int(lease * 1000))
        return await self._on_engine(client.set(key, b"1", px=milliseconds, get=True)) is not None

    async def join(self, channel: str, member: str, body: bytes) -> None:
        """Put a member into the hash of a channel."""
        client = await self._ready()
        key = self._key("present", channel)
        await self._on_engine(client.hset(key, f"{self._node}/{member}", body))
        await self._on_engine(client.expire(key, _REMEMBER))

    async def leave(self, channel: str, member: str) -> None:
        """Take a member out of the hash of a channel."""
        client = await self._ready()
        field = f"{self._node}/{member}"
        await self._on_engine(client.hdel(self._key("present", channel), field))

    async def present(self, channel: str) -> Mapping[str, bytes]:
        """Read the hash of a channel, and take those out whose processes are dead."""
        client = await self._ready()
        found = await self._run(client, PRESENT, [self._key("present", channel)], [self._key("node", ""), _REMEMBER])
        return {member.decode(): body for member, body in zip(found[::2], found[1::2], strict=True)}

    # The subscribed connection

    async def _connect(self) -> None:
        """A new subscribed connection, for all channels that there are."""
        pool: Any = self._make_client(None).connection_pool
        connection = self._subscribed = pool.make_connection()
        async with asyncio.timeout(self._patience):
            await connection.connect()
            missing = {self._key("to", channel).encode() for channel in (CONTROL, *self._channels)}
            await connection.send_command("SUBSCRIBE", *missing)
            while missing:
                kind, topic, *_ = await connection.read_response()
                missing.discard(topic if kind == b"subscribe" else b"")
        for waiting in self._unconfirmed.values():
            for future in waiting:
                _wake(future)
        self._unconfirmed.clear()
        self._connected.set()

    async def _listen_for_ever(self) -> None:
        """Listen, and connect again after each break."""
        backoff = Backoff()
        while True:
            try:
                await self._listen()
            except _BROKEN as exc:
                await self._lost(exc)
            while not self._connected.is_set():
                await sleep(self._clock, backoff.next())
                try:
                    await self._connect()
                except _BROKEN:
                    await self._disconnect()
            backoff.reset()
            if self._receiver is not None:
                self._receiver.restored()

    async def _listen(self) -> None:
        """Take what comes until the connection breaks; a server that is silent is asked whether it is there."""
        is_asked = False
        while True:
            try:
                async with asyncio.timeout(self._ping_interval):
                    response = await self._subscribed.read_response(disconnect_on_error=False)
            except TimeoutError:
                if is_asked:
                    raise
                is_asked = True
                await self._subscribed.send_command("PING")
            else:
                is_asked = False
                self._take(response)

    def _take(self, response: list[Any]) -> None:
        """Give a message to the receiver, or confirm a subscription."""
        kind, topic, data = response if len(response) == 3 else (b"", b"", b"")
        channel = topic.decode().removeprefix(self._key("to", ""))
        if kind == b"message" and self._receiver is not None:
            number, colon, body = data.partition(b":")
            if colon and len(number) <= _DIGITS and number.isdigit():  # anybody who may connect may publish
                self._receiver.receive(channel, int(number), body)
        elif kind == b"subscribe" and channel in self._unconfirmed:
            waiting = self._unconfirmed[channel]
            _wake(waiting.popleft())
            if not waiting:
                del self._unconfirmed[channel]

    async def _subscribe(self, channel: str) -> None:
        """Each confirmation answers one command, in order: an earlier one may be of a subscription that was ended."""
        confirmed = asyncio.get_running_loop().create_future()
        self._unconfirmed.setdefault(channel, deque()).append(confirmed)
        await self._subscribed.send_command("SUBSCRIBE", self._key("to", channel))
        async with asyncio.timeout(self._patience):
            await confirmed

    async def _lost(self, exc: BaseException) -> None:
        """Tell the receiver of a break, and give the connection up."""
        self._connected.clear()
        if self._receiver is not None:
            self._receiver.lost(exc)
        await self._disconnect()

    async def _disconnect(self) -> None:
        """Close the connection that listens, if there is one."""
        connection, self._subscribed = self._subscribed, None
        if connection is not None:
            await _quietly(connection.disconnect())

    async def _close(self) -> None:
        """Close both connections, and forget everything."""
        client, self._client = self._client, None
        self._connected.clear()
        await self._disconnect()
        if client is not None:
            await _quietly(client.aclose())
        self._channels.clear()
        self._unconfirmed.clear()
        self._receiver = None

    # The others

    def _make_client(self, timeout: float | None) -> Redis:
        """Nothing is tried twice: a message might be published twice, and a break pass unseen."""
        fixed: dict[str, Any] = {
            "decode_responses": False,
            "protocol": 2,
            "retry": Retry(NoBackoff(), 0),
            "socket_timeout": timeout,
            "socket_connect_timeout": self._patience,
        }
        usual: dict[str, Any] = {} if self._url.startswith("unix:") else {"socket_keepalive": True}
        client: Redis = Redis.from_url(self._url, **{**usual, **self._options, **fixed})
        return client

    async def _ready(self) -> Redis:
        """Return the client, once it is connected. Raises `BackendUnavailable` when it is not in time, or stopped."""
        await until_connected(self._connected, self._patience)
        if self._client is None:
            raise BackendUnavailable
        return self._client

    async def _on_engine(self, call: Awaitable[T]) -> T:
        """Await a call to the server. Raises `BackendUnavailable` when the connection is broken."""
        try:
            return await call
        except _BROKEN as exc:
            raise BackendUnavailable from exc

    async def _run(self, client: Redis, script: str, keys: list[str], arguments: list[Any]) -> Any:
        """The server knows a script by its hash, or is given it."""
        return await self._on_engine(client.register_script(script)(keys=keys, args=arguments))

    def _key(self, kind: str, name: str) -> str:
        """Return the name of a key or a topic on the server."""
        return f"{self._prefix}{kind}:{name}"


def _check(url: str, options: Mapping[str, Any]) -> None:
    """Ask the client whether it takes what the URL says, and the options."""
    try:
        said: Mapping[str, Any] = parse_url(url)
    except ValueError as exc:
        refuse("redis", f"takes a URL that its client reads, not {shown(url)!r}: {exc}")
    kinds = (ConnectionPool, *said.get("connection_class", Connection).__mro__)
    known = names_of(*(vars(kind)["__init__"] for kind in kinds if kind is not object and "__init__" in vars(kind)))
    check_options("redis", options, known, decided=_DECIDED)
    check_options("redis", said, known)


async def _quietly(call: Awaitable[Any]) -> None:
    """Whatever goes wrong with a connection that is given up is of no interest."""
    try:
        await call
    except _BROKEN:
        pass


def _wake(future: "asyncio.Future[None]") -> None:
    """Resolve a future, unless it is done or cancelled."""
    if not future.done():
        future.set_result(None)
