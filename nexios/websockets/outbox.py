"""How does one slow client hurt nobody but itself? Each member has an outbox with a limit.

A member that takes what it is sent has an empty one, and costs nothing. When a send has to wait, the task that waits
becomes the member's writer, and what comes meanwhile is queued. When the queue is full, a policy says what happens:

disconnect   the member is closed with 1013, "try again later" (the default)
drop_oldest  the oldest queued messages make room
drop_new     the message is left out
block        who publishes in this process waits, `send_timeout` seconds at most
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Final, Literal, Protocol

import msgspec

from nexios.messages.clock import Clock, Timer
from nexios.websockets.message import Frame

__all__ = ["Counters", "Direct", "Outbox", "OutboxLimits", "Policy", "TooSlow", "Wrap", "check_outbox"]

Policy = Literal["disconnect", "drop_oldest", "drop_new", "block"]

_POLICIES: Final = ("disconnect", "drop_oldest", "drop_new", "block")


_EMPTY: Final[deque[Frame]] = deque(maxlen=0)
"""The queue of all members who have nothing waiting: a deque of their own would be 760 bytes."""


class OutboxLimits(msgspec.Struct, frozen=True):
    """How much may wait for one member, and what happens then.

    Units: `count` messages, `size` bytes, `send_timeout` seconds in which one message at least must be taken. A
    single message may be larger than `size`.

    Raises:
        ValueError: A limit is below 1, or there is no such policy.
    """

    count: int = 100
    size: int = 1024 * 1024
    policy: Policy = "disconnect"
    send_timeout: float = 10.0

    def __post_init__(self) -> None:
        if self.policy not in _POLICIES:
            raise ValueError(f"there is no policy {self.policy!r} for slow clients; use one of {', '.join(_POLICIES)}")
        if self.count < 1 or self.size < 1 or self.send_timeout <= 0:
            raise ValueError("an outbox holds 1 message and 1 byte at least, and waits more than 0 seconds")


def check_outbox(limits: OutboxLimits | None, usual: OutboxLimits) -> OutboxLimits:
    """Return the limits that were given, the usual ones for None. Raises TypeError when they are none."""
    if limits is None:
        return usual
    if not isinstance(limits, OutboxLimits):
        raise TypeError(f"outbox takes OutboxLimits, as outbox=OutboxLimits(count=100), not {limits!r}")
    return limits


class Counters:
    """What became of the messages of a hub, counted once for each member that they were meant for.

    Every one that was `queued` is `delivered` to its socket, `dropped`, or still `waiting`.
    """

    __slots__ = ("delivered", "dropped", "queued")

    def __init__(self) -> None:
        self.queued: int = 0
        self.delivered: int = 0
        self.dropped: int = 0

    @property
    def waiting(self) -> int:
        """How many wait in outboxes or are being written."""
        return self.queued - self.delivered - self.dropped

    def __repr__(self) -> str:
        return f"<Counters queued={self.queued} delivered={self.delivered} dropped={self.dropped}>"


class TooSlow(Exception):
    """A member did not take its messages fast enough."""


class Direct(Protocol):
    """A server's own way to send, with nothing between: `send` takes what `wrap` makes of a text or bytes.

    For who sends one message to many: it is wrapped once for all whose `wrap` is the same.
    """

    @property
    def wrap(self) -> "Wrap":
        """Make of a message what `send` takes; one function for all connections of a server."""

    @property
    def send(self) -> Callable[[Any], Awaitable[Any]]:
        """Send it on this connection. Raises OSError when the client has gone."""


Wrap = Callable[[str | bytes], object]


class Writable(Protocol):
    """What an outbox writes to: a WebSocket."""

    async def send_text(self, text: str, /) -> None:
        """Send a text message."""

    async def send_bytes(self, data: bytes, /) -> None:
        """Send a binary message."""


class Outbox:
    """What waits for one member, and the task that writes it, if there is one.

    `busy` says that a message cannot be written at once: there is a writer, the member is held, or it has left.
    """

    __slots__ = (
        "_at_last_look",
        "_clock",
        "_counters",
        "_fail",
        "_progress",
        "_queue",
        "_size",
        "_space",
        "_timer",
        "_writer",
        "busy",
        "is_closed",
        "limits",
        "send_direct",
        "socket",
        "wrap",
    )

    def __init__(
        self,
        socket: Writable,
        *,
        direct: Direct | None = None,
        limits: OutboxLimits,
        counters: Counters,
        clock: Clock,
        fail: Callable[[Any, Exception], None],
    ) -> None:
        """`fail` is called once with the socket, when a send raises or it is too slow; the outbox is closed then."""
        self.socket: Writable = socket
        self.wrap: Wrap | None = None if direct is None else direct.wrap
        self.send_direct: Callable[[Any], Awaitable[Any]] = socket.send_text if direct is None else direct.send
        self.limits: OutboxLimits = limits
        self.busy: bool = False
        self.is_closed: bool = False
        self._counters = counters
        self._clock = clock
        self._fail = fail
        self._queue: deque[Frame] = _EMPTY
        self._size = 0
        self._writer: asyncio.Task[None] | None = None
        self._timer: Timer | None = None
        self._progress = 0
        self._at_last_look = 0
        self._space: asyncio.Event | None = None

    def __len__(self) -> int:
        """How many messages wait."""
        return len(self._queue)

    @property
    def is_full(self) -> bool:
        """Whether one more message is too much."""
        return len(self._queue) >= self.limits.count or self._size >= self.limits.size

    def put(self, frame: Frame) -> None:
        """Queue a message for a member that is busy, or do what the policy says."""
        if self.is_closed:
            self._counters.dropped += 1
            return
        limits, queue = self.limits, self._queue
        if queue and (len(queue) >= limits.count or self._size + frame.size > limits.size):
            if not self._make_room(frame):
                return
        if queue is _EMPTY:
            queue = self._queue = deque()
        queue.append(frame)
        self._size += frame.size

    def hold(self) -> None:
        """Queue everything until `release`."""
        self.busy = True

    def release(self) -> None:
        """Write what is queued, in a task, and let what comes then be written at once."""
        if self.is_closed:
            return
        self.busy = False
        if self._queue:
            self.taken_over(asyncio.Task(self.drain(), name="nexios-outbox"))

    def taken_over(self, writer: "asyncio.Task[None]") -> None:
        """A send waits: this task writes from now on, and ends in `drain`."""
        self.busy = True
        self._writer = writer
        self._at_last_look = self._progress
        self._timer = self._clock.call_later(self.limits.send_timeout, self._look)

    def sent(self) -> None:
        """The writer's own message was taken."""
        self._progress += 1
        self._counters.delivered += 1

    async def drain(self) -> None:
        """Write all that is queued; the task that does it is the writer."""
        try:
            while self._queue and not self.is_closed:
                frame = self._queue.popleft()
                self._size -= frame.size
                await self._write(frame)
                self._tell_space()
        finally:
            self._queue = self._queue or _EMPTY
            self._writer = None
            self.busy = self.is_closed
            self._stop_timer()

    def failed(self, exc: Exception) -> None:
        """A send raised, or the member is too slow: nothing more goes there."""
        if not self.is_closed:
            self.close()
            self._fail(self.socket, exc)

    def close(self) -> None:
        """Forget what is queued, and end the writer. Closing again does nothing."""
        if self.is_closed:
            return
        self.is_closed = self.busy = True
        self._counters.dropped += len(self._queue)
        self._queue = _EMPTY
        self._size = 0
        self._stop_timer()
        self._tell_space()
        writer, self._writer = self._writer, None
        if writer is not None and writer is not asyncio.current_task():
            writer.cancel()

    async def wait_for_space(self) -> None:
        """Wait until one more message fits. A member that takes too long is closed meanwhile."""
        while self.is_full and not self.is_closed:
            self._space = self._space or asyncio.Event()
            await self._space.wait()

    async def _write(self, frame: Frame) -> None:
        """Send one message, and count what became of it."""
        is_taken = False
        try:
            data = frame.data
            await (self.socket.send_text(data) if isinstance(data, str) else self.socket.send_bytes(data))
            is_taken = True
        except Exception as exc:
            self.failed(exc)
        finally:
            if is_taken:
                self.sent()
            else:
                self._counters.dropped += 1

    def _make_room(self, frame: Frame) -> bool:
        """Do what the policy says; tell whether the message may be queued."""
        policy, limits, queue = self.limits.policy, self.limits, self._queue
        if policy == "block" and len(queue) < 2 * limits.count and self._size + frame.size <= 2 * limits.size:
            return True  # several publish at once, or another process does
        if policy == "drop_oldest":
            while queue and (len(queue) >= limits.count or self._size + frame.size > limits.size):
                self._size -= queue.popleft().size
                self._counters.dropped += 1
            return True
        self._counters.dropped += 1
        if policy != "drop_new":
            self.failed(TooSlow(f"over {len(queue)} messages or {self._size} bytes wait for it"))
        return False

    def _look(self) -> None:
        """Was anything taken since the last look?"""
        if self._progress == self._at_last_look:
            self.failed(TooSlow(f"nothing was taken for {self.limits.send_timeout:g} s"))
        else:
            self._at_last_look = self._progress
            self._timer = self._clock.call_later(self.limits.send_timeout, self._look)

    def _stop_timer(self) -> None:
        """Look no more whether the member takes anything."""
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _tell_space(self) -> None:
        """Wake those that wait for space."""
        space, self._space = self._space, None
        if space is not None:
            space.set()
