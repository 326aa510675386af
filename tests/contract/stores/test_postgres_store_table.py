"""What the store in PostgreSQL does beside the contract: its table, its rights, its sweep, and a call that hangs."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from nexios.errors import ConfigurationError
from nexios.stores.base import StoreUnavailable
from tests.contract.stores.store_engines import PostgresEngine


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresEngine]:
    engine = PostgresEngine()
    engine.start()
    yield engine
    engine.stop()


@pytest.fixture
async def postgres(server: PostgresEngine) -> AsyncIterator[PostgresEngine]:
    await server.prepare()
    yield server
    await server.finish()


@pytest.fixture
async def client(postgres: PostgresEngine) -> AsyncIterator[Any]:
    client = await postgres.client()
    yield client
    await client.close()


def store_of(postgres: PostgresEngine, **options: Any) -> Any:
    from nexios.stores.postgres import PostgresStore

    return PostgresStore(postgres.url, schema=postgres.schema, **{"patience": 3.0, **options})


async def rows(postgres: PostgresEngine, client: Any) -> int:
    count: int = await client.fetchval(f'SELECT count(*) FROM "{postgres.schema}".nexios_store')
    return count


async def test_what_has_expired_is_removed_after_a_write_in_batches(postgres: PostgresEngine, client: Any) -> None:
    store = store_of(postgres, sweep_interval=0.0)
    await store.start()
    await client.execute(
        f'INSERT INTO "{postgres.schema}".nexios_store (id, value, expires)'
        " SELECT convert_to('old ' || n, 'UTF8'), '', now() - interval '1 s' FROM generate_series(1, 2500) n"
    )

    await store.set("key", b"one")
    await store._sweeper.idle()

    assert await rows(postgres, client) == 1
    assert await store.get("key") == b"one"
    await store.stop()


async def test_a_role_that_may_not_make_the_table_is_told_what_does(postgres: PostgresEngine, client: Any) -> None:
    role = f"app_{secrets.token_hex(4)}"
    await client.execute(f"CREATE ROLE {role} LOGIN")
    store = store_of(postgres, user=role)
    try:
        with pytest.raises(ConfigurationError, match="create_sql"):
            await store.start()

        await client.execute(store.create_sql)
        await client.execute(f'GRANT USAGE ON SCHEMA "{postgres.schema}" TO {role}')
        await client.execute(f'GRANT ALL ON "{postgres.schema}".nexios_store TO {role}')
        await store.start()
        await store.set("key", b"one")
        assert await store.get("key") == b"one"
        await store.stop()
    finally:
        await client.execute(f"DROP OWNED BY {role}")
        await client.execute(f"DROP ROLE {role}")


async def test_a_call_that_hangs_is_unavailable_and_does_not_hold_up_the_stop(
    postgres: PostgresEngine, client: Any
) -> None:
    store = store_of(postgres, patience=0.3)
    await store.start()
    await store.set("key", b"one")
    async with client.transaction():
        await client.execute(f'LOCK TABLE "{postgres.schema}".nexios_store')
        with pytest.raises(StoreUnavailable):
            await store.set("key", b"two")
        waiting = asyncio.ensure_future(store.get("key"))
        await asyncio.sleep(0)
        await store.stop()
        with pytest.raises(StoreUnavailable):
            await waiting

    await store.start()
    assert await store.get("key") in (b"one", b"two")
    await store.stop()


@pytest.mark.parametrize("name", ["", "x" * 64, "ä" * 32, "a\0b"])
def test_a_name_that_postgres_cannot_have_is_an_error(name: str) -> None:
    from nexios.stores.postgres import PostgresStore

    with pytest.raises(ConfigurationError, match="cannot use"):
        PostgresStore("postgresql://", schema=name)


async def test_two_processes_that_start_together_make_one_table(postgres: PostgresEngine) -> None:
    stores = [store_of(postgres) for _ in range(4)]

    await asyncio.gather(*(store.start() for store in stores))
    await stores[0].set("key", b"one")

    assert [await store.get("key") for store in stores] == [b"one"] * 4
    await asyncio.gather(*(store.stop() for store in stores))
