"""What the contract of stores asks of an engine. The servers are those of the channels' contract.

An engine is started once; `prepare` gives each test a world of its own, and `store` one more process in it. A new store
adds a class here, puts it into `ENGINES` of conftest.py, and passes everything.
"""

import asyncio
import contextlib
import secrets
import shutil
import sqlite3
import tempfile
from pathlib import Path
from typing import ClassVar

from nexios.stores.base import Store
from nexios.stores.memory import MemoryStore
from nexios.stores.sqlite import SQLiteStore
from tests.contract.channels.engines import Engine
from tests.contract.channels.postgres_engine import Postgres
from tests.contract.channels.redis_engine import Redis


class Clock:
    """Seconds since 1970, which pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


class StoreEngine(Engine):
    """What the contract asks of an engine, beside what that of the channels does."""

    moment: float = 0.05
    """Seconds that something is kept of which a test waits for the end."""

    def store(self) -> Store:
        """One more process, not started."""
        raise NotImplementedError

    def other(self) -> Store:
        """A store of another app on the same engine."""
        raise NotImplementedError

    async def restart(self) -> None:
        """Kill the engine, if there is one, and start it again where it was and with what it had written."""

    async def let_time_pass(self, seconds: float) -> None:
        """Wait until so much has passed, and a little more: the engine has a clock of its own."""
        await asyncio.sleep(seconds + 0.02)


class MemoryEngine(StoreEngine):
    """In one process, with a clock that the test moves."""

    name = "memory"
    moment = 60.0
    skips: ClassVar[dict[str, str]] = {
        "test_a_store_that_is_not_started_is_unavailable": "there is nothing to connect to",
        "test_a_failing_engine_is_unavailable_and_never_absent": "there is no engine that could fail",
        "test_starting_without_an_engine_fails_and_leaves_nothing": "there is no engine that could fail",
        "test_processes_that_count_together_lose_nothing": "no other process has this memory",
        "test_stores_of_two_apps_know_nothing_of_each_other": "each has a memory of its own",
    }

    async def prepare(self) -> None:
        self.clock = Clock()
        self.one = MemoryStore(clock=self.clock)

    def store(self) -> Store:
        return self.one

    async def let_time_pass(self, seconds: float) -> None:
        self.clock.now += seconds


class SQLiteEngine(StoreEngine):
    """A file in a temporary folder, with a clock that the test moves."""

    name = "sqlite"
    moment = 60.0

    async def prepare(self) -> None:
        self.clock = Clock()
        self.folder = Path(tempfile.mkdtemp(prefix="nexios-"))
        self.path = self.folder / "data" / "store.db"

    async def finish(self) -> None:
        shutil.rmtree(self.folder)

    def store(self) -> Store:
        return SQLiteStore(self.path, clock=self.clock, patience=0.5)

    def other(self) -> Store:
        return SQLiteStore(self.folder / "other.db", clock=self.clock)

    def source(self) -> str:
        return f"nexios.stores.sqlite.SQLiteStore({str(self.path)!r}, patience=60)"

    async def let_time_pass(self, seconds: float) -> None:
        self.clock.now += seconds

    async def away(self) -> None:
        """The table cannot be found, or the folder when there was no table yet."""
        if not self.path.exists():
            self.path.parent.write_bytes(b"no folder")
            return
        self._run("ALTER TABLE nexios_store RENAME TO hidden")

    async def back(self) -> None:
        if self.path.parent.is_file():
            self.path.parent.unlink()
        else:
            self._run("ALTER TABLE hidden RENAME TO nexios_store")

    def _run(self, statement: str) -> None:
        with contextlib.closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
            connection.execute(statement)


class RedisEngine(Redis, StoreEngine):
    """Valkey."""

    def store(self) -> Store:
        from nexios.stores.redis import RedisStore

        return RedisStore(self.url, prefix=self.prefix, patience=2.0)

    def other(self) -> Store:
        from nexios.stores.redis import RedisStore

        return RedisStore(self.url, prefix=f"other-{self.prefix}")

    def source(self) -> str:
        return f"nexios.stores.redis.RedisStore({self.url!r}, prefix={self.prefix!r})"

    async def prepare(self) -> None:
        """With what is special in a pattern."""
        await super().prepare()
        self.prefix = f"test[{secrets.token_hex(4)}]*:"

    async def finish(self) -> None:
        for name in (self.prefix, f"other-{self.prefix}"):
            pattern = name.replace("[", "\\[").replace("*", "\\*") + "*"
            keys = [key async for key in self.client.scan_iter(pattern)]
            if keys:
                await self.client.delete(*keys)
        await self.client.aclose()


class PostgresEngine(Postgres, StoreEngine):
    """PostgreSQL."""

    def store(self) -> Store:
        from nexios.stores.postgres import PostgresStore

        return PostgresStore(self.url, schema=self.schema, patience=3.0)

    def other(self) -> Store:
        from nexios.stores.postgres import PostgresStore

        return PostgresStore(self.url, schema=self.schema, prefix="other_")

    def source(self) -> str:
        return f"nexios.stores.postgres.PostgresStore({self.url!r}, schema={self.schema!r})"
