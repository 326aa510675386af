"""How do channels reach over processes by way of PostgreSQL?

A message is numbered, kept in a table and told by NOTIFY in one transaction; what is too large for a notification is
fetched by those who receive it. Presence is a table, and so are the leases of processes. The SQL is in
postgres_tables.py.

PostgreSQL lets one transaction that notifies commit at a time, on the whole server. So what a process publishes
while it waits for the server goes into one transaction, and tables are UNLOGGED unless you say otherwise: then no
commit waits for the disk. They are intact when the server was restarted. They are empty after it crashed, and on a
standby that takes over: channels then begin anew, with higher numbers, and clients are told of the gap.

The extra `postgres` brings the client. PostgreSQL 14 or newer; its databases may have any encoding.
"""

import asyncio
from collections.abc import Awaitable, Mapping
from typing import Any, Final

from nexios.concurrency import end
from nexios.errors import ConfigurationError
from nexios.messages.clock import Clock, sleep
from nexios.websockets.backends.backoff import Backoff
from nexios.websockets.backends.base import BackendUnavailable, Receiver, shown
from nexios.websockets.backends.given import check_options, check_url
from nexios.websockets.backends.postgres_line import BROKEN, FORBIDDEN, OPTIONS, Line
from nexios.websockets.backends.postgres_listener import Listener
from nexios.websockets.backends.postgres_notice import lanes_for
from nexios.websockets.backends.postgres_publisher import Publisher
from nexios.websockets.backends.postgres_tables import Tables, limits_of
from nexios.websockets.backends.ready import until_connected
from nexios.websockets.clock import SystemClock
from nexios.websockets.history import HistoryLimits, Replay, Stored, replay_of

__all__ = ["PostgresBackend"]

_REMEMBER: Final = 86_400.0
"""Seconds for which the number of a channel's last message outlives it, so that a pause is no gap."""
_SWEEP: Final = 60.0
"""Seconds between two removals of what is too old, of all processes together."""


class PostgresBackend:
    """One process' way to a PostgreSQL server: `Hub(PostgresBackend("postgresql://localhost/app"))`.

    It has two connections, which stay open: one listens, one does the rest. Listening belongs to a session: connect to
    the server, or to a pooler in its session mode. PgBouncer in transaction mode would pass no notification on.

    Tables and functions are made at the start if they are missing: their names begin with `prefix`, in `schema`. Where
    the app's role may not make them, another one runs what `create_sql` says. `logged` tables survive a crash and are
    on standbys, and each message waits for the disk; it counts when they are made.

    `patience` is how many seconds a call waits for a connection or an answer; `ping_interval` is how often the
    server is asked whether it is there.
    """

    name = "postgres"

    def __init__(
        self,
        url: str = "postgresql://localhost/postgres",
        *,
        schema: str = "public",
        prefix: str = "nexios_",
        logged: bool = False,
        patience: float = 5.0,
        ping_interval: float = 15.0,
        clock: Clock | None = None,
        **options: Any,
    ) -> None:
        """`options` go to `asyncpg.connect`, as `password` or `ssl`.

        Raises:
            ConfigurationError: The URL is none of PostgreSQL, or the client takes no such option.
        """
        self._url = check_url(url, ("postgresql", "postgres"), "postgres")
        check_options("postgres", options, OPTIONS, decided=("dsn",))
        self._tables = Tables(schema, prefix, logged)
        self._lanes = lanes_for(schema, prefix)
        self._patience = patience
        self._ping_interval = ping_interval
        self._clock: Clock = SystemClock() if clock is None else clock
        self._options = options
        self._node = ""
        self._listener: Listener | None = None
        self._publisher = Publisher(self._tables, self._lanes, self._worker)
        self._lines: tuple[Line, ...] = ()
        self._connected = asyncio.Event()
        self._woken = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None

    @property
    def create_sql(self) -> str:
        """What makes the tables and functions that are missing. The app's role needs the rights to use the schema, and
        to select, insert, update and delete in its tables."""
        return self._tables.create

    # Life

    def __repr__(self) -> str:
        return f"<PostgresBackend {shown(self._url)}>"

    async def start(self, receiver: Receiver, *, node: str) -> None:
        """Connect, and fail at once when nobody answers.

        Raises:
            ConfigurationError: The tables are missing, and may not be made.
        """
        self._node = node
        self._listener = Listener(self._tables, self._lanes, receiver)
        self._connected, self._woken = asyncio.Event(), asyncio.Event()
        try:
            await self._connect(self._listener)
        except BaseException as exc:
            await self._close()
            if isinstance(exc.__cause__, FORBIDDEN):
                raise ConfigurationError(self._tables.explain(exc.__cause__)) from exc
            if isinstance(exc, BROKEN):
                raise BackendUnavailable from exc
            raise
        self._keeper = asyncio.create_task(self._keep(receiver, self._listener), name="nexios-postgres")

    async def stop(self) -> None:
        """Let go of the lease, and close both connections."""
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            await end(keeper, self._patience)
        if self._connected.is_set():
            await _quietly(self._lines[1].fetch(self._tables.forget, self._node))
        await self._close()

    # Channels

    async def subscribe(self, channel: str) -> int:
        """Receive a channel, and return the number of its last message."""
        worker = await self._worker()
        if self._listener is not None:
            await self._listener.add(channel)
        rows = await worker.fetch(self._tables.last, channel.encode())
        return int(rows[0][0]) if rows else 0

    async def unsubscribe(self, channel: str) -> None:
        """Stop receiving a channel."""
        if self._listener is not None:
            await self._listener.remove(channel)

    async def publish(self, channel: str, body: bytes, *, keep: HistoryLimits | None) -> int:
        """Number, keep and publish a message in one step, together with others that wait."""
        await self._worker()
        try:
            async with asyncio.timeout(self._patience):
                return await self._publisher.publish(channel, body, limits_of(keep))
        except TimeoutError:
            raise BackendUnavailable from None

    async def history(self, channel: str, *, after: int, keep: HistoryLimits) -> Replay:
        """Read the messages of a channel."""
        worker = await self._worker()
        rows = await worker.fetch(self._tables.history, channel.encode(), after, *limits_of(keep))
        messages = tuple(Stored(sequence, body) for _, sequence, body in rows if sequence is not None)
        return replay_of(messages, after=after, last=int(rows[0][0]) if rows else 0)

    # Presence

    async def renew(self, lease: float) -> bool:
        """Hold the lease of this process, by the server's clock."""
        worker = await self._worker()
        rows = await worker.fetch(self._tables.renew, self._node, lease)
        return bool(rows[0][0])

    async def join(self, channel: str, member: str, body: bytes) -> None:
        """Put a member into the presence of a channel."""
        worker = await self._worker()
        await worker.fetch(self._tables.join, channel.encode(), self._node, member.encode(), body)

    async def leave(self, channel: str, member: str) -> None:
        """Take a member out of the presence of a channel."""
        worker = await self._worker()
        await worker.fetch(self._tables.leave, channel.encode(), self._node, member.encode())

    async def present(self, channel: str) -> Mapping[str, bytes]:
        """Read who is in a channel, of processes that live."""
        worker = await self._worker()
        rows = await worker.fetch(self._tables.present, channel.encode())
        return {member.decode(): body for member, body in rows}

    # The connections

    async def _worker(self) -> Line:
        """Return the connection that does not listen, once it is there.

        Raises:
            BackendUnavailable: It is not there in time, or the backend was stopped.
        """
        await until_connected(self._connected, self._patience)
        if len(self._lines) < 2:  # it broke again, or the backend was stopped
            raise BackendUnavailable
        return self._lines[1]

    async def _connect(self, listener: Listener) -> None:
        """Two new connections; one listens to all channels that there are."""
        for _ in range(2):
            line = await Line.open(self._url, self._options, patience=self._patience, on_end=self._woken.set)
            self._lines = (*self._lines, line)
        if not (await self._lines[1].fetch(self._tables.exist))[0][0]:
            await self._lines[1].execute(self._tables.create)
        await listener.attach(self._lines[0])
        self._connected.set()

    async def _disconnect(self, listener: Listener) -> None:
        """Close both connections."""
        self._connected.clear()
        await listener.detach()
        while self._lines:
            await self._lines[0].close()
            self._lines = self._lines[1:]

    async def _close(self) -> None:
        """Close everything, and forget it."""
        self._connected.clear()
        await self._publisher.stop()
        listener, self._listener = self._listener, None
        if listener is not None:
            await self._disconnect(listener)

    async def _keep(self, receiver: Receiver, listener: Listener) -> None:
        """Connect again after each break. A break of either connection is one of both."""
        backoff = Backoff()
        while True:
            await self._until_broken()
            self._connected.clear()
            receiver.lost(ConnectionError("PostgreSQL closed the connection, or did not answer"))
            await self._disconnect(listener)
            while not self._connected.is_set():
                await sleep(self._clock, backoff.next())
                try:
                    await self._connect(listener)
                except (*BROKEN, BackendUnavailable):
                    await self._disconnect(listener)
            backoff.reset()
            receiver.restored()

    async def _until_broken(self) -> None:
        """Wait for the end of a connection; now and then ask the server whether it is there, and have it clean up."""
        listening, working = self._lines
        while listening.is_open and working.is_open:
            self._woken.clear()
            timer = self._clock.call_later(self._ping_interval, self._woken.set)
            try:
                await self._woken.wait()
            finally:
                timer.cancel()
            if listening.is_open and working.is_open:
                await _quietly(listening.fetch("SELECT 1"))
                await _quietly(self._sweep(working))

    async def _sweep(self, line: Line) -> None:
        """Remove what is too old, in steps: what else is asked has its turn between two of them."""
        while (await line.fetch(self._tables.sweep, _SWEEP, _REMEMBER))[0][0]:
            pass


async def _quietly(call: Awaitable[object]) -> None:
    """Whatever goes wrong: when the connection is broken, it shows."""
    try:
        await call
    except BackendUnavailable:
        pass
