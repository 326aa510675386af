"""How does one talk to a NATS server, so that a break is seen once, and nothing is left of a connection that ended?

One `Wire` is one connection, and is never mended: after a break its owner opens another one. The client library does
the handshake, the framing and the writing. What it does beyond that is not used, for these reasons (nats-py 2.16):

- Its reconnecting is off, and so are its pings: a break could pass unseen, or be told twice.
- A subscription with a callback runs a task of its own, a request is cancelled when the connection closes, a `flush`
  that timed out ends the reading. So a subscription is given a future that is never done, whose `set_result` is
  called for every message, in the order of the connection; and replies come to one inbox.
- Its limit of what waits to be written swallows cancellations: it is off, and `publish` waits for the server instead.
"""

import asyncio
import contextlib
import itertools
import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from nexios.errors import ConfigurationError
from nexios.websockets.backends.base import BackendUnavailable
from nexios.websockets.backends.given import names_of

try:
    from nats.aio.client import Client
    from nats.aio.msg import Msg
    from nats.aio.subscription import Subscription
    from nats.errors import Error as NatsError
except ModuleNotFoundError as _missing:
    raise ConfigurationError(
        f'NatsBackend needs the package {_missing.name}:\n\n    pip install "nexios[nats]"\n'
    ) from _missing

__all__ = ["BROKEN", "OPTIONS", "Msg", "Subscription", "Wire"]

BROKEN: Final = (NatsError, OSError, EOFError, TimeoutError, BackendUnavailable)
"""What is raised when there is no connection, or none any more."""

OPTIONS: Final = names_of(Client.connect)
"""What the client takes when it connects."""

_NEVER: Final = 10**9
"""Seconds between pings of the library."""

_MUCH: Final = 1024 * 1024
"""Bytes that wait to be written, from which on one who publishes waits for the server."""

_STATUS: Final = "Status"


class Wire:
    """One connection. `broken` is done when it broke or was closed; it holds the reason and raises nothing.

    Every wait for an answer takes `patience` seconds at most.
    """

    def __init__(self, servers: str | list[str], *, patience: float, options: Mapping[str, Any]) -> None:
        self._servers = servers
        self._patience = patience
        self._options = options
        self._client = Client()
        self._inbox = ""
        self._numbers = itertools.count()
        self._waiting: dict[str, _Answer] = {}
        self.broken: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()

    @property
    def max_payload(self) -> int:
        """The bytes that the server takes in one message, headers included."""
        return self._client.max_payload

    @property
    def version(self) -> tuple[int, int]:
        """The version of the server, as far as it matters."""
        version = self._client.connected_server_version
        return version.major, version.minor

    @property
    def is_open(self) -> bool:
        """Whether nothing broke so far."""
        return not self.broken.done()

    async def open(self) -> None:
        """Connect. Raises one of `BROKEN`."""
        fixed: dict[str, Any] = {
            "allow_reconnect": False,
            "max_reconnect_attempts": 1,
            "reconnect_time_wait": 0,
            "connect_timeout": self._patience,
            "ping_interval": _NEVER,
            "flusher_queue_size": 0,
            "pending_size": 0,
            "error_cb": self._on_error,
            "closed_cb": self._on_closed,
        }
        async with asyncio.timeout(self._patience):
            await self._client.connect(self._servers, **{"name": "nexios", **self._options, **fixed})
        if not self.is_open:
            raise BackendUnavailable from self.broken.result()
        for task in _tasks(self._client):
            task.add_done_callback(self._on_end)
        inbox = self._client.new_inbox()
        await self.subscribe(f"{inbox}.*", self._take_answer)
        self._inbox = inbox

    async def close(self) -> None:
        """End the connection, and all who wait for an answer. What was published before is written."""
        written = self.is_open
        self.snap(BackendUnavailable())
        try:
            with contextlib.suppress(Exception):
                async with asyncio.timeout(self._patience if written else 0):
                    await self._client.close()
        finally:
            _cut_off(self._client)
        if tasks := _tasks(self._client):
            await asyncio.wait(tasks, timeout=self._patience)

    def snap(self, error: BaseException) -> None:
        """Take the connection for broken."""
        if self.is_open:
            self.broken.set_result(error)
        waiting, self._waiting = self._waiting, {}
        for answer in waiting.values():
            answer.fail(error)

    # Messages

    async def subscribe(self, subject: str, take: Callable[[Msg], None]) -> Subscription:
        """Have all that comes to a subject given to a function."""
        try:
            return await self._client.subscribe(subject, future=_Arrivals(self, take))
        except NatsError as exc:
            raise BackendUnavailable from exc

    async def publish(
        self, subject: str, data: bytes, *, reply: str = "", headers: dict[str, Any] | None = None
    ) -> None:
        """Send a message. It is on its way when this returns, and no more than that."""
        if not self.is_open:
            raise BackendUnavailable from self.broken.result()
        try:
            await self._client.publish(subject, data, reply=reply, headers=headers)
        except BROKEN as exc:
            raise BackendUnavailable from exc

    async def drain(self) -> None:
        """Let others run, and wait for the server when much is still to be written."""
        if self._client.pending_data_size > _MUCH:
            await self.echo()
        else:
            await asyncio.sleep(0)

    async def echo(self) -> None:
        """Wait until the server has read all that was sent. Raises `BackendUnavailable` when it does not answer."""
        await self._ask(None, b"", None, _Answer())

    async def ask(self, subject: str, data: bytes, *, headers: dict[str, Any] | None = None) -> Msg:
        """Send a request, and return its answer. Raises `BackendUnavailable`, also when nobody is there to answer."""
        answer = await self._ask(subject, data, headers, _Answer())
        if answer.headers is not None and answer.headers.get(_STATUS) == "503":
            raise BackendUnavailable from NatsError(f"nobody answers at {subject}: is JetStream on?")
        return answer

    async def ask_json(self, subject: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """Send a request in JSON, and return its answer, which may hold an `error`."""
        answer = await self.ask(subject, json.dumps(request).encode())
        found: dict[str, Any] = json.loads(answer.data)
        return found

    async def ask_many(self, subject: str, request: Mapping[str, Any]) -> tuple[list[Msg], Mapping[str, str]]:
        """Send a request in JSON. Return its answers, and the headers of the one that ends them."""
        answer = _Answer([])
        end = await self._ask(subject, json.dumps(request).encode(), None, answer)
        headers: Mapping[str, str] = end.headers or {}
        if headers.get(_STATUS) not in ("204", "404"):
            raise BackendUnavailable from NatsError(f"{subject}: {dict(headers)}")
        return answer.many or [], headers

    async def _ask(self, subject: str | None, data: bytes, headers: dict[str, Any] | None, answer: "_Answer") -> Msg:
        """Wait for an answer; without a subject, for the request itself."""
        token = str(next(self._numbers))
        reply = f"{self._inbox}.{token}"
        self._waiting[token] = answer
        try:
            async with asyncio.timeout(self._patience):
                await self.publish(subject or reply, data, reply=reply if subject else "", headers=headers)
                return await answer.done
        except TimeoutError as exc:
            raise BackendUnavailable from exc
        finally:
            self._waiting.pop(token, None)
            answer.give_up()

    def _take_answer(self, message: Msg) -> None:
        """Give an answer to the one who waits for it."""
        answer = self._waiting.get(message.subject.rpartition(".")[2])
        if answer is not None:
            answer.take(message)

    # What the library tells

    async def _on_error(self, exc: Exception) -> None:
        """A subject that is not permitted breaks nothing: nobody will answer. All else does, once connected."""
        if self._inbox and "permissions violation" not in str(exc).lower():
            self.snap(exc)

    async def _on_closed(self) -> None:
        """Whatever the reason is."""
        self.snap(self._client.last_error or ConnectionResetError("the server closed the connection"))

    def _on_end(self, task: "asyncio.Task[object]") -> None:
        """A task of the library ended, by an error perhaps that it did not tell."""
        error = None if task.cancelled() else task.exception()
        self.snap(error or ConnectionResetError("the connection was closed"))


class _Answer:
    """What one waits for: one message, or many until one with a status."""

    __slots__ = ("done", "many")

    def __init__(self, many: list[Msg] | None = None) -> None:
        self.many = many
        self.done: asyncio.Future[Msg] = asyncio.get_running_loop().create_future()

    def take(self, message: Msg) -> None:
        """Add a message."""
        if self.many is not None and _STATUS not in (message.headers or ()):
            self.many.append(message)
        elif not self.done.done():
            self.done.set_result(message)

    def fail(self, error: BaseException) -> None:
        """There will be none."""
        if not self.done.done():
            unavailable = BackendUnavailable()
            unavailable.__cause__ = error
            self.done.set_exception(unavailable)

    def give_up(self) -> None:
        """Nobody waits any more."""
        if not self.done.cancel() and not self.done.cancelled():
            self.done.exception()


class _Arrivals(asyncio.Future[Msg]):
    """A future that is never done: the library sets its result for each message, in the order of the connection."""

    def __init__(self, wire: Wire, take: Callable[[Msg], None]) -> None:
        super().__init__()
        self._wire = wire
        self._take = take

    def set_result(self, result: Msg) -> None:
        """Take a message. Nothing is raised into the library, which would stop reading."""
        if not self._wire.is_open:
            return
        try:
            self._take(result)
        except Exception as exc:
            self._wire.snap(exc)


def _tasks(client: Client) -> "list[asyncio.Task[object]]":
    """Return the tasks of the library: it ends them, waits for none, and lets their errors be printed."""
    names = ("_reading_task", "_flusher_task", "_ping_interval_task")
    return [task for task in (getattr(client, name, None) for name in names) if isinstance(task, asyncio.Task)]


def _cut_off(client: Client) -> None:
    """Closing waits for what is not written yet, and on a dead connection for ever. It may be cancelled besides."""
    for task in _tasks(client):
        task.cancel()
    writer = getattr(getattr(client, "_transport", None), "_io_writer", None)
    if isinstance(writer, asyncio.StreamWriter):
        writer.transport.abort()
