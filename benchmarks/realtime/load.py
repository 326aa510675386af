"""The process of the clients: it reads commands and writes what it saw, as lines of JSON.

`python -m benchmarks.realtime.load`; the parent chooses the processor.
"""

import asyncio
import contextlib
import gc
import importlib
import json
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import chain
from pathlib import Path
from typing import Any

from benchmarks.realtime.crowd import Crowd, Turn, in_turn, percentile
from benchmarks.realtime.limits import raise_open_files
from benchmarks.realtime.socket_client import HANDSHAKE

__all__ = ["main", "resident_kib"]


def resident_kib(pid: int) -> int:
    """Return VmRSS of a process. Source: proc(5), /proc/PID/status."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise RuntimeError(f"no VmRSS of {pid}")


class Load:
    """The crowds by name, and what is asked of them."""

    def __init__(self) -> None:
        self._crowds: dict[str, Crowd] = {}

    async def open(self, *, name: str, port: int, pid: int, clients: int, via: str = "", meet: bool = True) -> Any:
        """Connect a crowd; `via` names the crowd of which somebody speaks to this one."""
        crowd = self._crowds[name] = Crowd(port, pid)
        await crowd.enter(clients, speaker=self._crowds[via].speaker if via else None)
        if meet:
            await crowd.meet()
        gc.collect()
        gc.freeze()
        return {}

    async def close(self, *, name: str) -> Any:
        """Disconnect a crowd."""
        await self._crowds.pop(name).leave()
        return {}

    async def wait(self, *, seconds: float) -> Any:
        """Let the connections be, but answer pings."""
        await asyncio.sleep(seconds)
        return {}

    async def busy(self, *, name: str, seconds: float, window: int) -> Any:
        """See `Crowd.busy`."""
        return _told(await self._crowds[name].busy(seconds, window))

    async def paced(self, *, names: list[str], seconds: float, rate: float) -> Any:
        """See `in_turn`."""
        turns = await in_turn([self._crowds[name] for name in names], seconds, rate)
        return {name: _told(turn) for name, turn in zip(names, turns, strict=True)}

    async def soak(
        self, *, name: str, port: int, pid: int, seconds: float, rate: float, text_size: int, stall_every: float
    ) -> Any:
        """A paced turn, with a client that never reads every `stall_every` seconds, and the memory each second."""
        async with _sampled(pid) as samples, _stalling(port, stall_every):
            [turn] = await in_turn([self._crowds[name]], seconds, rate, text_size)
        return {**_told(turn), "resident_kib": samples}


def _told(turn: Turn) -> dict[str, Any]:
    """`each_p99_ms` is for each message when 99 of 100 had it; the others are over all deliveries."""
    ordered = sorted(chain.from_iterable(turn.late_ms)) or [float("nan")]
    return {
        "messages": len(turn.late_ms),
        "deliveries": turn.deliveries,
        "deliveries_in_all": turn.deliveries_in_all,
        "lost": turn.lost,
        "seconds": turn.seconds,
        "cpu_s": turn.cpu_s,
        "each_p99_ms": [percentile(sorted(late), 0.99) for late in turn.late_ms],
        **{f"p{share:g}_ms": percentile(ordered, share / 100) for share in (50, 99, 99.9)},
        "max_ms": ordered[-1],
    }


@asynccontextmanager
async def _sampled(pid: int) -> AsyncIterator[list[int]]:
    samples: list[int] = []

    async def sample() -> None:
        while True:
            samples.append(resident_kib(pid))
            await asyncio.sleep(1.0)

    async with _meanwhile(sample):
        yield samples


@asynccontextmanager
async def _stalling(port: int, every: float) -> AsyncIterator[None]:
    async def stall() -> None:
        while True:
            with _deaf() as deaf:
                loop = asyncio.get_running_loop()
                await loop.sock_connect(deaf, ("127.0.0.1", port))
                await loop.sock_sendall(deaf, HANDSHAKE)
                await asyncio.sleep(every)

    if every:
        async with _meanwhile(stall):
            yield
    else:
        yield


def _deaf() -> socket.socket:
    """A socket that takes little more than it reads, and nobody reads it."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    made.setblocking(False)
    return made


@asynccontextmanager
async def _meanwhile(work: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    task = asyncio.ensure_future(work())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _obey() -> None:
    loop, load = asyncio.get_running_loop(), Load()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        command = json.loads(line)
        try:
            result = await getattr(load, command.pop("do"))(**command)
        except Exception as exc:  # the parent decides what a failure is worth
            result = {"failed": f"{type(exc).__name__}: {exc}"}
        print(json.dumps(result), flush=True)


def main() -> None:
    """Obey until the commands end."""
    raise_open_files()
    gc.disable()
    try:
        factory = importlib.import_module("uvloop").new_event_loop
    except ImportError:
        factory = None
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(_obey())


if __name__ == "__main__":
    main()
