"""How is one request put to an ASGI application without a server?

`Feed` is a connection reduced to what an application may ask of it: the body once,
then silence, as from a client that waits for its answer. `Lifespan` runs the
startup and shutdown that a server would.

Source: the ASGI specification, HTTP and lifespan message formats.
"""

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import Any

from benchmarks.asgi import AsgiApplication, Message, Scope
from benchmarks.workloads import Workload

__all__ = ["Answer", "Feed", "Lifespan", "ask", "discard", "scope_of"]


def scope_of(workload: Workload) -> dict[str, Any]:
    """Return the scope that a server would make; every request gets a copy of its own."""
    headers = [(b"host", b"localhost:8000"), (b"user-agent", b"benchmark/1"), (b"accept", b"*/*")]
    if workload.content_type is not None:
        headers.append((b"content-type", workload.content_type.encode("latin-1")))
        headers.append((b"content-length", str(len(workload.body)).encode("latin-1")))
    headers.extend(workload.headers)
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": workload.method,
        "scheme": "http",
        "path": workload.path,
        "raw_path": workload.path.encode("ascii"),
        "query_string": workload.query.encode("ascii"),
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 50_000),
        "server": ("127.0.0.1", 8_000),
    }


class Feed:
    """The receiving side of one request at a time; set `pending` before each.

    Not for concurrent requests. After the last message it waits for ever, as the
    client does; whoever listens for a disconnect is expected to cancel.
    """

    __slots__ = ("pending",)

    def __init__(self) -> None:
        self.pending: Message | None = None

    async def receive(self) -> Message:
        message, self.pending = self.pending, None
        if message is None:
            await asyncio.get_running_loop().create_future()
            raise RuntimeError("nothing ever ends this wait but cancellation")
        return message


async def discard(message: Message) -> None:
    """Send nothing anywhere."""


@dataclass(slots=True)
class Answer:
    """What an application sent: its status, its headers and its body."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {bytes(k).decode("latin-1"): bytes(v).decode("latin-1") for k, v in message["headers"]}
        elif message["type"] == "http.response.body":
            self.body += bytes(message.get("body", b""))


async def ask(app: AsgiApplication, scope: Scope, body: bytes = b"") -> Answer:
    """Put one request to `app` and return the whole answer."""
    feed, answer = Feed(), Answer()
    feed.pending = {"type": "http.request", "body": body, "more_body": False}
    await app(scope, feed.receive, answer.send)
    return answer


class Lifespan:
    """The startup and shutdown of one application, each awaited by its caller.

    An application that knows no lifespan is left alone, as servers do.
    """

    def __init__(self, app: AsgiApplication) -> None:
        self._app = app
        self._inbox: asyncio.Queue[Message] = asyncio.Queue()
        self._outbox: asyncio.Queue[Message] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    async def startup(self) -> None:
        self._task = asyncio.create_task(self._run())
        await self._inbox.put({"type": "lifespan.startup"})
        message = await self._outbox.get()
        if message["type"] == "lifespan.startup.failed":
            raise RuntimeError(message.get("message", "startup failed"))

    async def shutdown(self) -> None:
        if self._task is not None and not self._task.done():
            await self._inbox.put({"type": "lifespan.shutdown"})
            await self._outbox.get()
            await self._task

    async def _run(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}}
        with contextlib.suppress(Exception):  # "unsupported", says the ASGI specification of any exception here
            await self._app(scope, self._inbox.get, self._outbox.put)
        await self._outbox.put({"type": "lifespan.ended"})
