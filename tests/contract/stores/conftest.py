"""One started engine for all tests, and a world of its own for each."""

from collections.abc import AsyncIterator, Iterator

import pytest

from nexios.stores.base import Store
from tests.contract.stores.store_engines import MemoryEngine, PostgresEngine, RedisEngine, SQLiteEngine, StoreEngine

ENGINES: tuple[type[StoreEngine], ...] = (MemoryEngine, SQLiteEngine, RedisEngine, PostgresEngine)


@pytest.fixture(scope="session", params=ENGINES, ids=lambda kind: kind.name)
def started_engine(request: pytest.FixtureRequest) -> Iterator[StoreEngine]:
    """An engine that runs."""
    engine: StoreEngine = request.param()
    engine.start()
    yield engine
    engine.stop()


@pytest.fixture
async def engine(started_engine: StoreEngine, request: pytest.FixtureRequest) -> AsyncIterator[StoreEngine]:
    """An engine for one test; skips what the engine cannot do."""
    name = request.node.originalname
    if name in started_engine.skips:
        pytest.skip(started_engine.skips[name])
    await started_engine.prepare()
    yield started_engine
    await started_engine.finish()


@pytest.fixture
async def store(engine: StoreEngine) -> AsyncIterator[Store]:
    """A store that is started."""
    store = engine.store()
    await store.start()
    yield store
    await store.stop()
