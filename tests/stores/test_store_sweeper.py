"""When what has expired is removed."""

import asyncio
import logging

import pytest

from nexios.stores.base import StoreUnavailable
from nexios.stores.sweeper import BATCH, Sweeper


class Engine:
    """Has so many entries that have expired, and a time that does not pass."""

    def __init__(self, *removed: int | Exception) -> None:
        self.removed = list(removed)
        self.now = 0.0
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.sweeper = Sweeper(self.sweep, interval=60, clock=lambda: self.now)

    async def sweep(self) -> int:
        await self.go_on.wait()
        removed = self.removed.pop(0)
        if isinstance(removed, Exception):
            raise removed
        return removed

    async def written_at(self, now: float) -> None:
        self.now = now
        self.sweeper.written()
        await self.sweeper.idle()


async def test_it_goes_on_while_there_are_full_batches() -> None:
    engine = Engine(BATCH, BATCH, 3, 7)

    await engine.written_at(59)
    assert len(engine.removed) == 4
    await engine.written_at(60)
    assert engine.removed == [7]


async def test_a_clock_that_was_set_back_does_not_stop_it() -> None:
    engine = Engine(0, 0)

    await engine.written_at(1000)
    await engine.written_at(500)
    assert engine.removed == []


async def test_it_is_broken_off_at_the_stop() -> None:
    engine = Engine(0)
    engine.go_on.clear()
    engine.now = 60
    engine.sweeper.written()
    await asyncio.sleep(0)

    await engine.sweeper.stop()

    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert engine.removed == [0]


@pytest.mark.parametrize(
    ("error", "level"), [(StoreUnavailable("away"), "WARNING"), (RuntimeError("a mistake of ours"), "ERROR")]
)
async def test_a_failure_is_in_the_log_and_the_next_one_is_tried(
    error: Exception, level: str, caplog: pytest.LogCaptureFixture
) -> None:
    engine = Engine(error, 0)
    with caplog.at_level(logging.WARNING, "nexios"):
        await engine.written_at(60)
        await engine.written_at(120)

    assert [record.levelname for record in caplog.records] == [level]
    assert engine.removed == []
