"""What the store in PostgreSQL does beside the contract: it waits for nobody longer than it says."""

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from nexios.stores.base import StoreUnavailable
from tests.contract.channels.postgres_engine import Postgres


@pytest.fixture
def engine() -> Iterator[Postgres]:
    engine = Postgres()
    engine.start()
    yield engine
    engine.stop()


def children_of(process: int) -> list[int]:
    """One for each connection, and those that the server has for itself."""
    return [int(line) for line in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


@pytest.mark.skipif(sys.platform != "linux", reason="looks for the processes of the server")
async def test_a_server_that_hangs_is_unavailable_when_the_patience_ends(engine: Postgres) -> None:
    from nexios.stores.postgres import PostgresStore

    if engine._process is None:
        pytest.skip("the server is not ours to stop")
    store = PostgresStore(engine.url, patience=0.5)
    await store.start()
    await store.set("key", b"")
    processes = children_of(engine._process.pid)
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    try:
        async with asyncio.timeout(10):
            calls = await asyncio.gather(*(store.set(f"key{n}", b"") for n in range(3)), return_exceptions=True)
            await store.stop()
    finally:
        for process in processes:
            os.kill(process, signal.SIGCONT)

    assert StoreUnavailable in map(type, calls)
    assert {type(call) for call in calls} <= {type(None), StoreUnavailable}
