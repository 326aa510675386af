"""How many requests a second does a server answer, asked over a few busy connections?

`wrk` when it is installed, else a loader of our own in a process of its own: each
connection sends its next request when the last answer is complete (no
pipelining). Loopback only, bounded in time.

Source: RFC 9112 section 6, as far as a body counted by Content-Length.
"""

import asyncio
import contextlib
import importlib
import importlib.util
import json
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass

from benchmarks.processes import environment, pinned

__all__ = ["Load", "LoadFailed", "loader_name", "run_load"]

_CONNECTIONS = 32


class LoadFailed(Exception):
    """The server did not answer as it should under load."""


@dataclass(frozen=True, slots=True)
class Load:
    """How many requests were answered with 200 in how many seconds."""

    requests: int
    seconds: float


def loader_name() -> str:
    """Return "wrk" or "built-in"."""
    return "wrk" if shutil.which("wrk") else "built-in"


def run_load(port: int, path: str, seconds: float, core: int | None) -> Load:
    """Ask 127.0.0.1:`port` for `path` over and over for `seconds`.

    Raises:
        LoadFailed: Some answers were not 2xx, or none came.
    """
    command = _wrk(port, path, seconds) if shutil.which("wrk") else _own(port, path, seconds)
    with pinned(core):
        done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=seconds + 20)
    if done.returncode != 0:
        raise LoadFailed(done.stderr.strip() or done.stdout.strip())
    return _wrk_load(done.stdout) if shutil.which("wrk") else Load(**json.loads(done.stdout))


def _wrk(port: int, path: str, seconds: float) -> list[str]:
    length = f"{max(1, round(seconds))}s"
    return ["wrk", "-t1", f"-c{_CONNECTIONS}", f"-d{length}", f"http://127.0.0.1:{port}{path}"]


def _own(port: int, path: str, seconds: float) -> list[str]:
    return [sys.executable, "-P", "-m", "benchmarks.load", str(port), path, str(seconds)]


def _wrk_load(report: str) -> Load:
    """Read wrk's report.

    >>> _wrk_load("  2000 requests in 2.00s, 1.00MB read\\nRequests/sec:   1000.00\\n")
    Load(requests=2000, seconds=2.0)
    """
    lines = [line.strip() for line in report.splitlines()]
    if any(line.startswith(("Non-2xx", "Socket errors")) for line in lines):
        raise LoadFailed(report)
    counts = [line.split()[0] for line in lines if " requests in " in line]
    rates = [line.partition(":")[2] for line in lines if line.startswith("Requests/sec:")]
    if not counts or not rates or not float(rates[0]):
        raise LoadFailed(report)
    return Load(int(counts[0]), round(int(counts[0]) / float(rates[0]), 3))


class _Connection(asyncio.Protocol):
    """One keep-alive connection that asks again as soon as it is answered."""

    def __init__(self, request: bytes) -> None:
        self.answered = 0
        self.fault: str | None = None
        self._request = request
        self._buffer = b""
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.WriteTransport) or hasattr(transport, "write"):
            self._transport = transport  # type: ignore[assignment]  # uvloop's transports are not registered
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head_end = self._buffer.find(b"\r\n\r\n")
        if head_end < 0:
            return
        total = head_end + 4 + _content_length(self._buffer[:head_end])
        if len(self._buffer) >= total:
            if not self._buffer.startswith(b"HTTP/1.1 200"):
                self.fault = self._buffer[:80].decode("latin-1")
            self._buffer = self._buffer[total:]
            self.answered += 1
            self._ask()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    def _ask(self) -> None:
        if self._transport is not None:
            self._transport.write(self._request)


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise LoadFailed("the built-in loader needs a Content-Length in every answer")


async def _load(port: int, path: str, seconds: float) -> dict[str, float | int]:
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: */*\r\n\r\n".encode("ascii")
    loop = asyncio.get_running_loop()
    connections = [
        (await loop.create_connection(lambda: _Connection(request), "127.0.0.1", port))[1] for _ in range(_CONNECTIONS)
    ]
    began, before = time.perf_counter(), sum(connection.answered for connection in connections)
    await asyncio.sleep(seconds)
    answered, spent = sum(connection.answered for connection in connections) - before, time.perf_counter() - began
    for connection in connections:
        connection.close()
    faults = [connection.fault for connection in connections if connection.fault]
    if faults or not answered:
        raise LoadFailed(faults[0] if faults else "no answer came")
    return {"requests": answered, "seconds": spent}


def _main(port: int, path: str, seconds: float) -> None:
    factory = importlib.import_module("uvloop").new_event_loop if importlib.util.find_spec("uvloop") else None
    with asyncio.Runner(loop_factory=factory) as runner, contextlib.suppress(BrokenPipeError):
        print(json.dumps(runner.run(_load(port, path, seconds))))


if __name__ == "__main__":
    _main(int(sys.argv[1]), sys.argv[2], float(sys.argv[3]))
