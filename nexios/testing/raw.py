"""What does an app answer to exactly these bytes? One ASGI exchange with a hand-built scope, checked as it runs.

A client library tidies up what it sends, and with it the very input that some tests
are about. Here nothing is added, decoded or escaped on the way (ASGI 3.0, HTTP spec 2.4).
"""

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, MutableMapping, Sequence
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

from nexios.testing.legal import IllegalSequence, Message, body_of, check_ended, check_message

__all__ = ["ASGIApp", "IllegalSequence", "RawAnswer", "TasksLeft", "call"]

Scope = MutableMapping[str, Any]
ASGIApp = Callable[[Scope, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]]
"""Whatever speaks ASGI: a NexiosApp, or any other."""

Fields = Iterable[tuple[bytes, bytes]]

_caller: ContextVar[object] = ContextVar("nexios_testing_caller")
_GRACE: Final = 5.0
"""Seconds that tasks may go on after the app has returned, as background tasks do."""


class TasksLeft(AssertionError):
    """Tasks that were begun while the app answered still run after it."""


@dataclass(slots=True)
class RawAnswer:
    """What an app sent, message by message; `status` is 0 when no response was begun."""

    status: int = 0
    headers: list[tuple[bytes, bytes]] = field(default_factory=list[tuple[bytes, bytes]])
    body: bytes = b""
    messages: list[Message] = field(default_factory=list[Message])
    received: int = 0
    """How often the app awaited `receive()` until it began to answer: proof of how much of a body it took.

    What it throws away afterwards, so that the client hears the answer, does not count.
    """
    complete: bool = False
    """Whether the last message of the body was sent."""
    error: BaseException | None = None
    """What left the app, if anything did; a server closes the connection then."""

    def header(self, name: str) -> str | None:
        """Return the value of a header, None when there is none.

        Raises:
            AssertionError: There are several; use `header_all`.
        """
        values = self.header_all(name)
        if len(values) > 1:
            raise AssertionError(f"{len(values)} headers are called {name}: {values}")
        return values[0] if values else None

    def header_all(self, name: str) -> list[str]:
        """Return all values of a header, in the order sent."""
        wanted = name.lower().encode("latin-1")
        return [value.decode("latin-1") for key, value in self.headers if key == wanted]

    def json(self) -> Any:
        """Return the body as JSON. Raises ValueError."""
        return json.loads(self.body)

    def take(self, message: Message) -> None:
        """Add one legal message of the app."""
        self.messages.append(message)
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = list(message.get("headers", ()))
        else:
            self.complete = not message.get("more_body", False)


class _Client:
    """The other end of the exchange: it sends its chunks, then waits for the response, then leaves."""

    def __init__(self, method: str, chunks: Sequence[bytes], disconnect_after: int | None) -> None:
        self.answer = RawAnswer()
        self.illegal: IllegalSequence | None = None
        self._method = method
        self._chunks = deque(chunks)
        self._disconnect_after = disconnect_after
        self._over = asyncio.Event()
        self._asked = 0

    @property
    def left(self) -> bool:
        return self._disconnect_after is not None and self._asked > self._disconnect_after

    async def receive(self) -> Message:
        self._asked += 1
        self.answer.received += not self.answer.messages
        if self.left:
            return {"type": "http.disconnect"}
        if self._chunks:
            body = self._chunks.popleft()
            return {"type": "http.request", "body": body, "more_body": bool(self._chunks)}
        await self._over.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        try:
            check_message(self._method, self.answer.messages, message)
        except IllegalSequence as exc:
            self.illegal = self.illegal or exc
            raise
        self.answer.take(dict(message))
        if self.answer.complete:
            self._over.set()

    def close(self) -> None:
        """The app has returned: raise what it did wrong, and put the body together."""
        answer = self.answer
        if self.illegal is not None:
            raise self.illegal
        check_ended(self._method, answer.messages, broken=answer.error is not None or self.left)
        answer.body = b"".join(body_of(message) for message in answer.messages[1:])


async def call(
    app: ASGIApp,
    *,
    method: str = "GET",
    path: str = "/",
    raw_path: bytes | None = None,
    query: bytes = b"",
    headers: Fields = (),
    chunks: Sequence[bytes] = (b"",),
    scope_extra: Mapping[str, Any] | None = None,
    disconnect_after: int | None = None,
    timeout: float = 30.0,
) -> RawAnswer:
    """Let `app` answer one HTTP request, and return what it did.

    `path` is the decoded path and `raw_path` what was on the wire (made from `path` when
    not given). `chunks` are the bodies of the `http.request` messages. The client leaves
    after it has been asked `disconnect_after` times for a message; without the number it
    waits for the end of the response, as a browser does. `scope_extra` goes over the scope.

    Raises:
        IllegalSequence: The app sent what no server may take.
        TasksLeft: Tasks that the app began go on after it, for more than 5 seconds.
        TimeoutError: The app did not return within `timeout` seconds.
    """
    scope = _scope(method, path, raw_path, query, headers)
    scope.update(scope_extra or {})
    client = _Client(method, chunks, disconnect_after)
    tasks = _Tasks()
    await _run(app, scope, client, tasks, timeout)
    client.close()
    await tasks.check()
    return client.answer


def _scope(method: str, path: str, raw_path: bytes | None, query: bytes, headers: Fields) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": quote(path, errors="replace").encode() if raw_path is None else raw_path,
        "query_string": query,
        "root_path": "",
        "headers": list(headers),
        "client": ("203.0.113.9", 4711),
        "server": ("testserver", 80),
        "extensions": {},
    }


async def _run(app: ASGIApp, scope: Scope, client: _Client, tasks: "_Tasks", timeout: float) -> None:
    """Run the app in a task of its own, as a server does; what leaves it is kept."""

    async def run() -> None:
        await app(scope, client.receive, client.send)

    task = tasks.spawn(run)
    try:
        done, _ = await asyncio.wait({task}, timeout=timeout)
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=_GRACE)
    if not done:
        raise TimeoutError(f"the app did not return within {timeout} s; it sent {client.answer.messages}")
    client.answer.error = asyncio.CancelledError() if task.cancelled() else task.exception()


class _Tasks:
    """The tasks that begin during one call. They are known by their context, so that calls may run side by side.

    Python 3.11 does not tell the context of a task: there all new tasks count, and none
    when other tasks run beside the call.
    """

    def __init__(self) -> None:
        self._before = asyncio.all_tasks()

    def spawn(self, run: Callable[[], Coroutine[Any, Any, None]]) -> "asyncio.Task[None]":
        context = copy_context()
        context.run(_caller.set, self)
        return asyncio.get_running_loop().create_task(run(), context=context)

    async def check(self) -> None:
        """Wait for the tasks that are left. Raises `TasksLeft` when they do not end."""
        left = self._left()
        if left:
            await asyncio.wait(left, timeout=_GRACE)
        if left := self._left():
            raise TasksLeft(f"{len(left)} tasks go on after the app has returned: {sorted(map(repr, left))}")

    def _left(self) -> "set[asyncio.Task[Any]]":
        new = {task for task in asyncio.all_tasks() - self._before if not task.done()}
        return {task for task in new if self._is_ours(task)}

    def _is_ours(self, task: "asyncio.Task[Any]") -> bool:
        get_context = getattr(task, "get_context", None)
        if get_context is None:
            return len(self._before) == 1
        return get_context().get(_caller) is self
