"""Does the resident set grow while requests of every outcome are served?

Run as a process of its own (`python -m benchmarks.memory FRAMEWORK REQUESTS
WARM_UP`), it prints one line of JSON. The mix is fixed and every request differs
from every other: 200, 404 on distinct paths, 405, 422, 500, uploads (some beyond
what is kept in memory), and clients that go away in the middle of a body.
"""

import asyncio
import contextlib
import gc
import importlib
import json
import logging
import os
import platform
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.asgi import AsgiApplication, Message
from benchmarks.client import Answer, Lifespan, scope_of
from benchmarks.processes import environment
from benchmarks.results import Memory
from benchmarks.workloads import Workload

__all__ = ["MIXED_ROUTES", "measure"]

MIXED_ROUTES = ("/items/{item_id:int}", "/invalid", "/boom", "/upload", "/read")
"""What `build("mixed")` serves: GET 200, GET 422, GET raises, POST a multipart form, POST reads the body."""

_BOUNDARY = "benchmark-boundary"
_SMALL, _LARGE = 20_000, 1_500_000
_SAMPLES = 10


@dataclass(frozen=True, slots=True)
class _Case:
    """One request of the mix; `status` is what it must be answered with, None when the client is gone."""

    method: str
    path: str
    status: int | None
    body: bytes = b""
    content_type: str | None = None
    leaves: bool = False


def _case(number: int) -> _Case:
    kind = number % 20
    if kind < 8:
        return _Case("GET", f"/items/{number}", 200)
    if kind < 12:
        return _Case("GET", f"/missing/{number}", 404)
    if kind < 14:
        return _Case("POST", f"/items/{number}", 405, b"x")
    if kind < 16:
        return _Case("GET", "/invalid", 422)
    if kind < 18:
        return _Case("GET", "/boom", 500)
    if kind == 18:
        return _Case("POST", "/upload", 200, _upload(number), f"multipart/form-data; boundary={_BOUNDARY}")
    return _Case("POST", "/read", None, b"half", "application/octet-stream", leaves=True)


def _upload(number: int) -> bytes:
    size = _LARGE if number % 400 == 18 else _SMALL
    return (
        (
            f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="title"\r\n\r\nupload {number}\r\n'
            f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="f{number}.bin"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        ).encode()
        + b"\x07" * size
        + f"\r\n--{_BOUNDARY}--\r\n".encode()
    )


class _Source:
    """The receiving side of one request: its body, then silence or, when the client leaves, a disconnect."""

    def __init__(self, case: _Case) -> None:
        self._pending = [{"type": "http.request", "body": case.body, "more_body": case.leaves}]
        self._leaves = case.leaves

    async def receive(self) -> Message:
        if self._pending:
            return self._pending.pop()
        if not self._leaves:
            await asyncio.get_running_loop().create_future()
        return {"type": "http.disconnect"}


async def _serve(app: AsgiApplication, numbers: range) -> None:
    for number in numbers:
        case = _case(number)
        workload = Workload("mixed", "", case.method, case.path, bool, case.body, case.content_type)
        answer = Answer()
        with contextlib.suppress(Exception):  # servers log it and go on; frameworks re-raise a 500 and a disconnect
            await app(scope_of(workload), _Source(case).receive, answer.send)
        if case.status is not None and answer.status != case.status:
            raise SystemExit(f"{case.method} {case.path}: {answer.status} instead of {case.status}")


def _resident_mib() -> float:
    """Return VmRSS of this process. Source: proc(5), /proc/self/status."""
    gc.collect()
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("no VmRSS in /proc/self/status")


async def _grow(app: AsgiApplication, requests: int, warm_up: int) -> tuple[float, ...]:
    lifespan = Lifespan(app)
    await lifespan.startup()
    await _serve(app, range(warm_up))
    samples = [_resident_mib()]
    step = max(1, requests // _SAMPLES)
    for start in range(warm_up, warm_up + requests, step):
        await _serve(app, range(start, min(start + step, warm_up + requests)))
        samples.append(_resident_mib())
    await lifespan.shutdown()
    return tuple(samples)


def measure(framework: str = "nexios_app", *, requests: int = 100_000, warm_up: int = 10_000) -> Memory:
    """Serve the mix in a fresh process and return how much larger it became after the warm-up.

    Raises:
        RuntimeError: The process failed, for one because an outcome was not the expected one.
    """
    command = [sys.executable, "-P", "-m", "benchmarks.memory", framework, str(requests), str(warm_up)]
    done = subprocess.run(command, env=environment(), cwd=tempfile.gettempdir(), capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError((done.stderr.strip().splitlines() or ["the memory process failed"])[-1])
    name, samples = json.loads(done.stdout)
    return Memory(
        date=datetime.now(tz=UTC).date().isoformat(),
        python=platform.python_version(),
        framework=name,
        requests=requests,
        warm_up=warm_up,
        delta_mib=round(samples[-1] - samples[0], 2),
        samples_mib=tuple(round(sample, 2) for sample in samples),
    )


def _main(framework: str, requests: int, warm_up: int) -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the application prints must not break the one line of JSON
    logging.disable(logging.CRITICAL)
    module = importlib.import_module(f"benchmarks.apps.{framework}")
    app = module.build("mixed")
    if app is None:
        raise SystemExit(f"{module.NAME} has no application for the memory benchmark")
    print(json.dumps([module.NAME, asyncio.run(_grow(app, requests, warm_up))]), file=answers, flush=True)


if __name__ == "__main__":
    _main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
