"""When was a key used last? Noted once a minute, for whoever looks for keys that nobody needs."""

import asyncio
from typing import Any

import pytest

from nexios.auth import APIKeys
from nexios.stores.memory import MemoryStore


class Clock:
    """Seconds that go on when a test says so."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


class CountingStore(MemoryStore):
    """Counts what is written over, and can let somebody else be faster."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock=clock)
        self.written = 0
        self.before: Any = None

    async def replace(self, key: str, value: bytes, *, expected: bytes, expires_in: float | None = None) -> bool:
        self.written += 1
        if self.before is not None:
            await self.before()
        return await super().replace(key, value, expected=expected, expires_in=expires_in)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(clock: Clock) -> CountingStore:
    return CountingStore(clock)


async def test_the_last_use_of_a_key_is_known(clock: Clock, store: CountingStore) -> None:
    keys = APIKeys(store, clock=clock)
    new = await keys.issue("build-server")
    assert await keys.get(new.key.id) == new.key
    assert new.key.last_used_at is None

    clock.now += 100
    assert await keys.find(new.text) == new.key

    used = await keys.get(new.key.id)
    assert used is not None
    assert used.last_used_at == 1_700_000_100.0
    assert await keys.find(new.text) == used


async def test_a_use_is_noted_once_a_minute(clock: Clock, store: CountingStore) -> None:
    keys = APIKeys(store, clock=clock)
    new = await keys.issue("build-server")
    for _ in range(120):
        assert await keys.find(new.text) is not None
        clock.now += 1

    assert store.written == 2


async def test_what_does_not_fit_is_no_use(clock: Clock, store: CountingStore) -> None:
    keys = APIKeys(store, clock=clock)
    new = await keys.issue("build-server")
    assert await keys.find(new.text + "x") is None

    assert store.written == 0
    assert await keys.get(new.key.id) == new.key
    assert await keys.get("unknown0") is None


async def test_a_use_does_not_put_off_the_end_of_a_key(clock: Clock, store: CountingStore) -> None:
    keys = APIKeys(store, clock=clock)
    new = await keys.issue("build-server", expires_in=100)
    clock.now += 99
    assert await keys.find(new.text) is not None
    clock.now += 1

    assert await keys.find(new.text) is None
    assert await keys.get(new.key.id) is None


async def test_a_use_does_not_revive_a_key_that_is_revoked_at_the_same_moment(
    clock: Clock, store: CountingStore
) -> None:
    keys = APIKeys(store, clock=clock)
    new = await keys.issue("build-server")

    async def revoke() -> None:
        await keys.revoke(new.key.id)

    store.before = revoke
    await keys.find(new.text)

    assert await keys.get(new.key.id) is None
    assert await keys.find(new.text) is None


async def test_two_uses_at_once_are_both_good(clock: Clock, store: CountingStore) -> None:
    keys = APIKeys(store, clock=clock)
    new = await keys.issue("build-server")

    assert None not in await asyncio.gather(keys.find(new.text), keys.find(new.text))
