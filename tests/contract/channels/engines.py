"""What the contract of channel backends asks of an engine, and how a server is started for tests.

An engine is started once; `prepare` gives each test a world of its own, and `backend` one more process in it. A new
backend adds one file beside this one, puts its class into `ENGINES` of conftest.py, and passes everything.
"""

import asyncio
import ctypes
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import pytest

from nexios.websockets.backends.base import ChannelBackend

PATIENCE = 10.0
"""Seconds after which something that should happen is taken not to happen."""


class Engine:
    """What the contract asks of an engine."""

    name: str
    skips: ClassVar[dict[str, str]] = {}
    """Tests that this one cannot pass: name to reason."""

    def start(self) -> None:
        """Start the engine, or skip with a reason."""

    def stop(self) -> None:
        """End it."""

    async def prepare(self) -> None:
        """Begin a test: nothing of another one is seen."""

    def backend(self) -> ChannelBackend:
        """One more process."""
        raise NotImplementedError

    def imports(self) -> str:
        """The lines of Python that `source` needs."""
        return ""

    def source(self) -> str | None:
        """An expression of Python that makes one more process; None when no other process of the machine can be one."""
        return None

    async def let_time_pass(self, seconds: float) -> None:
        """Wait, or have the engine believe it."""
        await asyncio.sleep(seconds)

    async def cut(self) -> None:
        """Break every connection; the engine stays and knows everything."""
        raise NotImplementedError

    async def away(self) -> None:
        """Make the engine unreachable until `back`; it forgets nothing."""
        raise NotImplementedError

    async def back(self) -> None:
        """Make it reachable again."""
        raise NotImplementedError

    async def restart(self) -> None:
        """Kill the engine, and start it again where it was and with what it had written."""
        pytest.skip(f"the engine {self.name!r} is not restarted in tests")

    async def finish(self) -> None:
        """End a test."""


def started(command: list[str], folder: Path) -> subprocess.Popen[bytes]:
    """Start a server that ends with us, and whose words go to a file: an inherited pipe would outlive the test run."""
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=_die_with_parent, cwd=folder
        )


def ended(process: subprocess.Popen[bytes]) -> None:
    """End a server."""
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wait_until(condition: Callable[[], object]) -> None:
    """Wait for a server to be there."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the server did not start")
        time.sleep(0.005)


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
