"""One started engine for all tests, and a world of its own for each."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.contract.channels.engines import Engine
from tests.contract.channels.memory_engine import Memory
from tests.contract.channels.nats_engine import Nats
from tests.contract.channels.postgres_engine import Postgres
from tests.contract.channels.redis_engine import Redis

ENGINES: tuple[type[Engine], ...] = (Memory, Redis, Nats, Postgres)


@pytest.fixture(scope="session", params=ENGINES, ids=lambda kind: kind.name)
def started_engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """An engine that runs."""
    engine: Engine = request.param()
    engine.start()
    yield engine
    engine.stop()


@pytest.fixture
async def engine(started_engine: Engine, request: pytest.FixtureRequest) -> AsyncIterator[Engine]:
    """An engine for one test; skips what the engine cannot do."""
    name = request.node.originalname
    if name in started_engine.skips:
        pytest.skip(started_engine.skips[name])
    await started_engine.prepare()
    yield started_engine
    await started_engine.finish()
