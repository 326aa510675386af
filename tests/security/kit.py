"""How is a promise about time, memory or leftovers measured, so that a slow machine changes no result?

Time is CPU time, and growth is a ratio of two runs on the same machine; both are tried
again before they count as a fault. Memory is what Python allocated, counted exactly.
"""

import asyncio
import gc
import itertools
import os
import threading
import time
import tracemalloc
import types
from collections.abc import Awaitable, Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from nexios.testing.legal import Message
from nexios.testing.raw import ASGIApp, RawAnswer, call

__all__ = [
    "KIB",
    "MIB",
    "Cancelling",
    "Growth",
    "Heart",
    "Peer",
    "SlowDisk",
    "Spent",
    "cpu_time",
    "heartbeat",
    "http_scope",
    "in_chunks",
    "linear",
    "open_files",
    "peak",
    "post",
    "raw_websocket",
    "until",
]

KIB: Final = 1024
MIB: Final = 1024 * 1024

_Fields = Iterable[tuple[bytes, bytes]]


# Time


@dataclass(frozen=True, slots=True)
class Growth:
    """How much longer `times` the input takes: about `times` when linear, about `times` squared when quadratic."""

    ratio: float
    times: int = 4

    def __bool__(self) -> bool:
        return self.ratio < (6 if self.times == 4 else 64)


_LEAST: Final = 0.02
"""Seconds of CPU for the shorter run: far above the resolution of the clock."""


def linear(fn: Callable[[int], object], n: int) -> Growth:
    """Return how `fn(4 * n)` grows over `fn(n)`; true when it is linear or better.

    A fast `fn` is called as often as it takes to be measured. On a busy machine there are up to three tries, and then
    one with four times the size: at some size memory begins to cost more, and what is linear has passed it there. At
    last `fn(16 * n)` decides: 16 times as much is linear, 256 quadratic.
    Take an `n` at which `fn` is past the sizes that fit a cache, where four times as much costs more than that.
    """
    for size in (n, n, n, 4 * n):
        if growth := _growth(fn, size):
            return growth
    times = _times_needed(fn, n)
    short = min(_cpu_of(fn, n, times) for _ in range(3))
    return Growth(min(_cpu_of(fn, 16 * n, times) for _ in range(3)) / short, 16)


def _growth(fn: Callable[[int], object], n: int) -> Growth:
    """From the best of two rounds when they leave no doubt, else of five."""
    times = _times_needed(fn, n)
    short = long = ratio = float("inf")
    for number in range(5):
        short = min(short, _cpu_of(fn, n, times))
        long = min(long, _cpu_of(fn, 4 * n, times))
        ratio = long / short
        if number and ratio < 5:
            break
    return Growth(ratio)


def _times_needed(fn: Callable[[int], object], n: int) -> int:
    times = 1
    while (spent := _cpu_of(fn, n, times)) < _LEAST:
        times = max(times + 1, min(times * 100, int(times * _LEAST * 1.2 / max(spent, 1e-6))))
    return times


def _cpu_of(fn: Callable[[int], object], n: int, times: int) -> float:
    """Without the garbage collector, as `timeit` does it: what that costs depends on all else in the process."""
    collects = gc.isenabled()
    gc.disable()
    try:
        start = time.process_time()
        for _ in range(times):
            fn(n)
        return time.process_time() - start
    finally:
        if collects:
            gc.enable()


@dataclass(slots=True)
class Spent:
    """What a block used: seconds of CPU, or bytes at its peak. Known when the block is over."""

    seconds: float = 0.0
    bytes: int = 0


@contextmanager
def cpu_time() -> Iterator[Spent]:
    """Measure the seconds of CPU that the block takes, all threads together, without the garbage collector."""
    spent = Spent()
    collects = gc.isenabled()
    gc.disable()
    start = time.process_time()
    try:
        yield spent
    finally:
        spent.seconds = time.process_time() - start
        if collects:
            gc.enable()


@dataclass(slots=True)
class Heart:
    """The beats of an event loop; `stall` is the longest that it was kept busy by one thing, in seconds of CPU."""

    stall: float = 0.0
    beats: int = 0


@contextmanager
def heartbeat(every: float = 0.005) -> Iterator[Heart]:
    """Let the running loop beat, and see what holds it up.

    Seconds of CPU of the loop's thread, because the clock on the wall counts the other
    programs of a busy machine too. A call that blocks without CPU is seen by `beats`.
    """
    loop, heart = asyncio.get_running_loop(), Heart()
    last = time.thread_time()

    def beat() -> None:
        nonlocal last
        now = time.thread_time()
        heart.stall, heart.beats, last = max(heart.stall, now - last), heart.beats + 1, now
        timers.append(loop.call_later(every, beat))

    timers = [loop.call_later(every, beat)]
    try:
        yield heart
    finally:
        timers[-1].cancel()
        heart.stall = max(heart.stall, time.thread_time() - last)


# Memory and leftovers


@contextmanager
def peak() -> Iterator[Spent]:
    """Measure the bytes that the block held at its peak, beyond what was there before."""
    spent = Spent()
    tracemalloc.start()
    try:
        yield spent
        spent.bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def open_files() -> int:
    """Return how many file descriptors this process has; 0 where a system does not tell."""
    for folder in ("/proc/self/fd", "/dev/fd"):
        if Path(folder).is_dir():
            return len(os.listdir(folder))
    return 0


# Exchanges


def in_chunks(body: bytes, size: int = 64 * KIB) -> list[bytes]:
    """Cut a body as a server delivers it."""
    return [body[start : start + size] for start in range(0, len(body), size)] or [b""]


async def post(
    app: ASGIApp, body: bytes | list[bytes], content_type: str | None = None, *, path: str = "/", headers: _Fields = ()
) -> RawAnswer:
    """Send a body in one message, or in those given. No Content-Length is sent unless it is in `headers`."""
    fields = [*headers]
    if content_type is not None:
        fields.append((b"content-type", content_type.encode()))
    chunks = [body] if isinstance(body, bytes) else body
    return await call(app, method="POST", path=path, headers=fields, chunks=chunks)


def http_scope(method: str = "GET", path: str = "/", headers: _Fields = (), **extra: Any) -> dict[str, Any]:
    """Return the scope of a request, for an exchange that `call` cannot play."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [*headers],
        "client": ("203.0.113.9", 4711),
        "server": ("testserver", 80),
        "extensions": {},
        **extra,
    }


@dataclass(slots=True)
class Peer:
    """A client that misbehaves: it offers a body without end, or breaks off, or stops reading.

    `chunks` makes the body as it is asked for; after it the client waits, or is gone with
    `then_leaves`, or once it has taken `leaves_at` messages. Those after the first `breaks_at` raise
    OSError, and those after the first `stalls_at` are never taken. Bodies are counted and not kept.
    """

    chunks: Iterator[bytes] = field(default_factory=lambda: iter(()))
    ends: bool = True
    then_leaves: bool = False
    leaves_at: int | None = None
    breaks_at: int | None = None
    stalls_at: int | None = None
    received: int = 0
    sends: int = 0
    status: int = 0
    headers: list[tuple[bytes, bytes]] = field(default_factory=list[tuple[bytes, bytes]])
    size: int = 0
    complete: bool = False
    stalled: asyncio.Event = field(default_factory=asyncio.Event)
    _left: asyncio.Event = field(default_factory=asyncio.Event)
    _ended: bool = False

    async def receive(self) -> Message:
        """Return the next message."""
        self.received += 1
        chunk = next(self.chunks, None)
        if chunk is not None:
            return {"type": "http.request", "body": chunk, "more_body": True}
        if self.ends and not self._ended:
            self._ended = True
            return {"type": "http.request", "body": b"", "more_body": False}
        if self.leaves_at == 0:
            self._left.set()
        if not self.then_leaves:
            await self._left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Take a message, or not."""
        self.sends += 1
        if self.leaves_at is not None and self.sends >= self.leaves_at:
            self._left.set()
        if self.breaks_at is not None and self.sends > self.breaks_at:
            raise OSError("the connection is broken")
        if self.stalls_at is not None and self.sends > self.stalls_at:
            self.stalled.set()
            await asyncio.Event().wait()
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message["headers"])
        else:
            self.size += len(message.get("body", b""))
            self.complete = not message.get("more_body", False)


class Cancelling:
    """An app that is cancelled where it waits for the time number `step`, from 0 on; `cancelled`: whether it was."""

    def __init__(self, app: ASGIApp, step: int) -> None:
        self._app = app
        self._step = step
        self.cancelled = False

    async def __call__(
        self, scope: Any, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        await self._drive(self._app(scope, receive, send).__await__())

    @types.coroutine
    def _drive(self, steps: Generator[Any, Any, None]) -> Generator[Any, Any, None]:
        task = asyncio.current_task()
        value: Any = None
        failure: BaseException | None = None
        for number in itertools.count():
            try:
                waiting = steps.send(value) if failure is None else steps.throw(failure)
            except StopIteration:
                return
            if number == self._step and task is not None:
                self.cancelled = task.cancel()
            value, failure = None, None
            try:
                value = yield waiting
            except BaseException as exc:
                failure = exc


async def until(condition: Callable[[], object]) -> None:
    """Let the loop turn until something is so. Raises AssertionError when it does not come to be."""
    for _ in range(1_000_000):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("what was waited for did not happen")


class SlowDisk:
    """Makes calls of worker threads slow, without a clock: each waits until the event loop has taken a turn.

    Made on the loop's thread. A call that holds the loop waits in vain, and is counted in `held`.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.calls = 0
        self.held = 0

    def wait(self) -> None:
        """Wait for a turn of the loop, 2 seconds at most."""
        self.calls += 1
        turn = threading.Event()
        self._loop.call_soon_threadsafe(turn.set)
        if not turn.wait(2):
            self.held += 1


async def raw_websocket(app: ASGIApp, *incoming: Message, **head: Any) -> list[Message]:
    """What the app sends to an ASGI server that says this; after it the client is gone."""
    waiting, sent = [{"type": "websocket.connect"}, *incoming], []
    scope = {"type": "websocket", "path": "/ws", "headers": [(b"host", b"good.com")], "subprotocols": [], **head}
    scope.setdefault("extensions", {"websocket.http.response": {}})

    async def receive() -> Message:
        return waiting.pop(0) if waiting else {"type": "websocket.disconnect", "code": 1001}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent
