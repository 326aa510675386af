"""How fast does a message get to everybody in a room, and how many of them get through?

A crowd is so many clients of one server. One of them speaks; each message has a number, and whoever gets it says
when. The crowd is in one process, so there is one clock.
"""

import asyncio
import time
from array import array
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.processes import cpu_seconds
from benchmarks.realtime.socket_client import Client

__all__ = ["Crowd", "Turn", "in_turn", "percentile"]

_TOGETHER = 100
"""Handshakes at a time."""
_PATIENCE = 5.0
"""Seconds after which a message that did not come is lost."""
_TEXT_SIZE = 80


@dataclass(frozen=True, slots=True)
class Turn:
    """What became of the messages of one turn: `deliveries` of `messages` within `seconds`, and how late they were.

    `lost` deliveries never came. `cpu_s` is processor time of the server, for the `deliveries_in_all`. `late_ms` is
    for each message how late the deliveries were, in their order.
    """

    deliveries: int
    deliveries_in_all: int
    lost: int
    seconds: float
    cpu_s: float
    late_ms: Sequence[Sequence[float]]


class Crowd:
    """The clients of one server in one room."""

    def __init__(self, port: int, pid: int) -> None:
        self._port = port
        self._pid = pid
        self._clients: list[Client] = []
        self._speaker: Client | None = None
        self._sent: list[float] = []
        self._left: list[int] = []
        self._late: list[array[float]] = []
        self._deliveries = 0
        self._missing = 0
        self._is_busy = False
        self._cpu = 0.0
        self._text_size = _TEXT_SIZE
        self._all_came = asyncio.Event()

    @property
    def speaker(self) -> Client:
        """The one who speaks."""
        return self._clients[0] if self._speaker is None else self._speaker

    async def enter(self, size: int, *, speaker: Client | None = None) -> None:
        """Connect so many clients; `speaker` may be somebody of another crowd."""
        self._speaker = speaker
        loop = asyncio.get_running_loop()
        while len(self._clients) < size:
            some = range(min(_TOGETHER, size - len(self._clients)))
            made = await asyncio.gather(
                *(loop.create_connection(lambda: Client(self._got), "127.0.0.1", self._port) for _ in some)
            )
            await asyncio.gather(*(client.opened for _, client in made))
            self._clients += (client for _, client in made)

    async def meet(self) -> None:
        """Wait until a message gets to everybody; the first may come before the last one is in. Raises TimeoutError."""
        for patience in (0.5, 1.0, 2.0, 4.0, 8.0):
            self.say()
            try:
                async with asyncio.timeout(patience):
                    await self._everything()
            except TimeoutError:
                self._forget()
                continue
            return
        raise TimeoutError(f"{len(self._clients)} clients never got one message all together")

    async def leave(self) -> None:
        """Close all connections."""
        for client in self._clients:
            client.close()
        self._clients.clear()
        await asyncio.sleep(0.1)

    async def busy(self, seconds: float, window: int) -> Turn:
        """Have `window` messages on the way all the time: the next one is sent when everybody has one."""
        self.begin()
        began = time.perf_counter()
        self._is_busy = True
        for _ in range(window):
            self.say()
        await asyncio.sleep(seconds)
        self._is_busy = False
        return await self.turn(time.perf_counter() - began)

    def begin(self, text_size: int = _TEXT_SIZE) -> None:
        """Begin a turn, whatever is still on the way from the last one."""
        self._forget()
        self._text_size = text_size
        self._cpu = cpu_seconds(self._pid)

    def say(self) -> None:
        """Send a message."""
        self._left.append(len(self._clients))
        self._late.append(array("d"))
        self._missing += len(self._clients)
        self._sent.append(time.perf_counter())
        self.speaker.send(b'{"n":"%08d","text":"%s"}' % (len(self._sent) - 1, b"x" * self._text_size))

    async def turn(self, seconds: float) -> Turn:
        """End a turn that took so many seconds: wait for what is on the way, and say what became of all."""
        deliveries = self._deliveries
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._everything()
        except TimeoutError:
            pass
        return Turn(
            deliveries=deliveries,
            deliveries_in_all=self._deliveries,
            lost=self._missing,
            seconds=seconds,
            cpu_s=cpu_seconds(self._pid) - self._cpu,
            late_ms=[late for late in self._late if late],
        )

    def _forget(self) -> None:
        self._left = [0] * len(self._left)
        self._late = [array("d")] * len(self._late)
        self._missing = self._deliveries = 0

    async def _everything(self) -> None:
        while self._missing:
            self._all_came.clear()
            await self._all_came.wait()

    def _got(self, payload: bytes) -> None:
        """`{"n":"00000012", ...`; nothing is known of what other crowds say, or of an earlier turn."""
        number = int(payload[6:14])
        if number >= len(self._left) or not self._left[number]:
            return
        self._late[number].append((time.perf_counter() - self._sent[number]) * 1e3)
        self._deliveries += 1
        self._missing -= 1
        self._left[number] -= 1
        if not self._left[number]:
            if self._is_busy:
                self.say()
            elif not self._missing:
                self._all_came.set()


async def in_turn(crowds: Sequence[Crowd], seconds: float, rate: float, text_size: int = _TEXT_SIZE) -> list[Turn]:
    """Send `rate` messages a second to each crowd, whatever becomes of them, at equal distances from each other."""
    for crowd in crowds:
        crowd.begin(text_size)
    began, distance = time.perf_counter(), 1 / rate / len(crowds)
    for number in range(int(seconds * rate) * len(crowds)):
        await asyncio.sleep(max(0.0, began + number * distance - time.perf_counter()))
        crowds[number % len(crowds)].say()
    took = time.perf_counter() - began
    return [await crowd.turn(took) for crowd in crowds]


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the value under which `share` of the ordered ones are.

    >>> percentile([1.0, 2.0, 3.0, 4.0], 0.5)
    3.0
    """
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
