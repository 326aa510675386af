"""What the store in a file does beside the contract: its exact times, its file, its sweep, and its neighbours."""

import asyncio
import contextlib
import logging
import os
import sqlite3
import stat
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from nexios.errors import ConfigurationError
from nexios.stores.base import StoreUnavailable
from nexios.stores.sqlite import SQLiteStore

ROOT = Path(__file__).parents[2]


class Clock:
    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "store.db"


@pytest.fixture
async def store(path: Path, clock: Clock) -> AsyncIterator[SQLiteStore]:
    store = SQLiteStore(path, clock=clock, patience=0.2)
    await store.start()
    yield store
    await store.stop()


def rows(path: Path) -> int:
    """How many entries the file has."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        (count,) = connection.execute("SELECT count(*) FROM nexios_store").fetchone()
        assert isinstance(count, int)
        return count


async def process(path: Path, call: str) -> asyncio.subprocess.Process:
    """Start one more process that opens the file, makes a call, and ends."""
    program = (
        "import asyncio\nfrom nexios.stores.sqlite import SQLiteStore\n"
        f"async def main():\n    store = SQLiteStore({str(path)!r}, patience=30)\n    await store.start()\n"
        f"    {call}\n    await store.stop()\nasyncio.run(main())\n"
    )
    return await asyncio.create_subprocess_exec(sys.executable, "-c", program, cwd=ROOT)


async def test_a_row_is_there_before_its_time_and_gone_at_it(store: SQLiteStore, clock: Clock) -> None:
    await store.set("key", b"one", expires_in=10)

    clock.now += 9.999
    assert await store.get("key") == b"one"
    clock.now = 1_700_000_010.0
    assert await store.get("key") is None


async def test_what_has_expired_is_removed_after_a_write(store: SQLiteStore, clock: Clock, path: Path) -> None:
    for number in range(20):
        await store.set(f"old {number}", b"", expires_in=10)
    await store.set("for ever", b"")
    clock.now += 61

    await store.get("key")
    assert rows(path) == 21
    await store.touch("for ever", expires_in=60)
    assert store._sweeper is not None
    await store._sweeper.idle()
    assert rows(path) == 1


async def test_the_sweep_takes_what_has_expired_in_batches_until_nothing_is_left(
    store: SQLiteStore, clock: Clock, path: Path
) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        many = ((b"old %d" % number, clock.now + number / 10_000) for number in range(2500))
        connection.executemany("INSERT INTO nexios_store VALUES (?, '', ?)", many)
        connection.commit()
    clock.now += 100

    await store.set("key", b"", expires_in=100)
    assert store._sweeper is not None
    await store._sweeper.idle()

    assert rows(path) == 1


async def test_there_is_one_sweep_at_a_time_and_a_pause_between(store: SQLiteStore, clock: Clock, path: Path) -> None:
    assert store._sweeper is not None
    clock.now += 61
    await store.set("key", b"")
    await store._sweeper.idle()
    await store.set("old", b"", expires_in=1)
    clock.now += 59

    await store.set("key", b"")
    await store._sweeper.idle()
    assert rows(path) == 2

    clock.now += 1
    await asyncio.gather(*(store.set(f"key {n}", b"") for n in range(5)))
    await store._sweeper.idle()
    assert rows(path) == 6


async def test_a_sweep_that_fails_is_a_warning_and_no_failure_of_the_write(
    store: SQLiteStore, clock: Clock, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        refuse = "BEGIN SELECT RAISE(ABORT, 'no deletions today'); END"
        await store.set("old", b"", expires_in=1)
        connection.execute(f"CREATE TRIGGER stubborn BEFORE DELETE ON nexios_store {refuse}")
    clock.now += 61

    with caplog.at_level(logging.WARNING, "nexios"):
        await store.set("key", b"one")
        assert store._sweeper is not None
        await store._sweeper.idle()

    assert await store.get("key") == b"one"
    assert "no deletions today" in caplog.text


async def test_a_read_does_not_wait_for_a_writer(store: SQLiteStore, path: Path) -> None:
    await store.set("key", b"one")
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("UPDATE nexios_store SET value = x'00'")

        assert await store.get("key") == b"one"
        with pytest.raises(StoreUnavailable) as caught:
            await store.set("key", b"two")
        connection.execute("ROLLBACK")

    assert "locked" in str(caught.value.__cause__)
    assert await store.get("key") == b"one"


async def test_the_event_loop_goes_on_while_a_write_waits(store: SQLiteStore, path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        write = asyncio.ensure_future(store.set("key", b"two"))
        for _ in range(50):
            await asyncio.sleep(0)
        assert not write.done()
        connection.execute("ROLLBACK")
        await write

    assert await store.get("key") == b"two"


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such rights")
async def test_the_files_are_for_their_owner_alone(path: Path) -> None:
    """Q2, by the rights that they are made with and not by the umask."""
    before = os.umask(0)
    try:
        stores = [SQLiteStore(path), SQLiteStore(path)]
        await asyncio.gather(*(store.start() for store in stores))
        await asyncio.gather(*(store.set("key", b"") for store in stores))
        rights = {entry.name: stat.S_IMODE(entry.stat().st_mode) for entry in path.parent.iterdir()}
    finally:
        os.umask(before)
    await asyncio.gather(*(store.stop() for store in stores))

    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert rights == {"store.db": 0o600, "store.db-wal": 0o600, "store.db-shm": 0o600}


async def test_processes_that_start_together_all_start(path: Path) -> None:
    path.parent.mkdir()
    some = [await process(path, "await store.set('key', b'')") for _ in range(3)]

    assert [await one.wait() for one in some] == [0, 0, 0]


async def test_processes_that_come_and_go_take_nothing_from_one_that_stays(store: SQLiteStore, path: Path) -> None:
    """The last one to close a file clears up after all: it must know of those that still have it open."""
    second = SQLiteStore(path)
    await second.start()
    for number in range(3):
        await store.set("key", b"%d" % number)
        visitor = await process(path, "await store.set('seen', await store.get('key'))")
        assert await visitor.wait() == 0

        assert await second.get("seen") == b"%d" % number
        assert {entry.name for entry in path.parent.iterdir()} == {"store.db", "store.db-wal", "store.db-shm"}
    await second.stop()


def test_a_store_has_one_life_after_another_each_in_an_event_loop_of_its_own(path: Path) -> None:
    store = SQLiteStore(path)

    async def live() -> None:
        await asyncio.gather(store.start(), store.start())
        await store.set("key", b"one")
        await asyncio.gather(store.stop(), store.stop())

    for _ in range(2):
        asyncio.run(live())
    assert rows(path) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such rights")
async def test_a_umask_that_takes_rights_from_the_owner_changes_nothing(path: Path) -> None:
    before = os.umask(0o377)
    try:
        store = SQLiteStore(path)
        await store.start()
        await store.stop()
    finally:
        os.umask(before)

    assert [stat.S_IMODE(one.stat().st_mode) for one in (path.parent, path)] == [0o700, 0o600]


async def test_a_link_to_a_file_that_is_not_there_yet_leads_to_it(tmp_path: Path) -> None:
    (tmp_path / "volume").mkdir()
    (tmp_path / "store.db").symlink_to(tmp_path / "volume" / "real.db")

    store = SQLiteStore(tmp_path / "store.db")
    await store.start()
    await store.set("key", b"one")
    await store.stop()

    assert stat.S_IMODE((tmp_path / "volume" / "real.db").stat().st_mode) == 0o600


async def test_a_place_where_no_file_can_be_is_an_error_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "missing").symlink_to(tmp_path / "neither" / "here.db")
    others = (tmp_path / "pipe", tmp_path / "missing", tmp_path / "a\0b.db")
    for wrong in (tmp_path / "file" / "store.db", tmp_path, tmp_path / "no" / "such" / "store.db", *others):
        with pytest.raises(ConfigurationError, match="SQLiteStore cannot make its file"):
            await SQLiteStore(wrong).start()


async def test_a_file_of_another_kind_is_unavailable_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(b"Dear diary, " * 100)

    store = SQLiteStore(path)
    with pytest.raises(StoreUnavailable) as caught:
        await store.start()
    await store.stop()

    assert "not a database" in str(caught.value.__cause__)
    assert path.read_bytes() == b"Dear diary, " * 100


@pytest.mark.parametrize("path", ["", ":memory:"])
def test_memory_is_no_file(path: str) -> None:
    with pytest.raises(ConfigurationError, match="MemoryStore"):
        SQLiteStore(path)


async def test_a_value_that_sqlite_cannot_hold_is_unavailable(store: SQLiteStore) -> None:
    assert store._writer is not None
    await store._writer.run(lambda connection: connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 1000))

    with pytest.raises(StoreUnavailable):
        await store.set("key", bytes(2000))
    assert await store.get("key") is None


async def test_a_file_that_others_set_up_for_too_long_is_unavailable(path: Path) -> None:
    path.parent.mkdir()
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("CREATE TABLE theirs (x)")
        connection.execute("BEGIN EXCLUSIVE")
        store = SQLiteStore(path, patience=0.05)
        with pytest.raises(StoreUnavailable):
            await store.start()
        connection.execute("ROLLBACK")

    await store.start()
    await store.set("key", b"one")
    assert await store.get("key") == b"one"
    await store.stop()
