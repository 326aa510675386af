"""What the store in memory does beside the contract: its exact times, its limit, and what an old entry costs."""

import pytest

from nexios.stores.base import StoreUnavailable
from nexios.stores.memory import MemoryStore


class Clock:
    """Counts how often the time is asked for, and passes when told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def test_an_entry_is_there_before_its_time_and_gone_at_it(clock: Clock) -> None:
    store = MemoryStore(clock=clock)
    await store.set("key", b"one", expires_in=10)

    clock.now = 9.999_999
    assert await store.get("key") == b"one"
    clock.now = 10.0
    assert await store.get("key") is None


async def test_a_touched_entry_is_gone_at_its_new_time(clock: Clock) -> None:
    store = MemoryStore(clock=clock)
    await store.set("later", b"", expires_in=10)
    await store.set("sooner", b"", expires_in=100)
    clock.now = 5.0
    await store.touch("later", expires_in=20)
    await store.touch("sooner", expires_in=1)

    clock.now = 6.0
    assert await store.get("sooner") is None
    clock.now = 24.9
    assert await store.get("later") == b""
    clock.now = 25.0
    assert await store.get("later") is None


async def test_what_has_expired_is_removed_by_calls_for_other_keys(clock: Clock) -> None:
    store = MemoryStore(clock=clock)
    for number in range(1000):
        await store.set(f"old {number}", b"x" * 100, expires_in=10)
    clock.now = 10.0

    for _ in range(100):
        await store.get("other")

    assert len(store) == 0
    assert store.size == 0


async def test_each_call_removes_a_few_and_more_than_it_adds(clock: Clock) -> None:
    """So no call waits for a great sweep, and what has expired never piles up."""
    store = MemoryStore(clock=clock)
    for number in range(1000):
        await store.set(f"old {number}", b"", expires_in=10)
    clock.now = 10.0

    await store.set("new", b"")
    assert len(store) == 1000 - 16 + 1
    for number in range(1000):
        await store.set(f"new {number}", b"")
    assert len(store) == 1001


async def test_touching_again_and_again_takes_no_memory(clock: Clock) -> None:
    store = MemoryStore(clock=clock)
    for number in range(10):
        await store.set(f"key {number}", b"", expires_in=1000)
    for turn in range(2000):
        clock.now += 0.01
        await store.touch(f"key {turn % 10}", expires_in=1000 if turn % 3 else 1000 - turn / 3)
        await store.set("other", b"", expires_in=5000 - turn)

    assert len(store._heap) <= 2 * 11 + 64
    clock.now = 10_000.0
    await store.get("other")
    await store.get("other")
    assert len(store) == 0


async def test_what_is_replaced_and_deleted_leaves_nothing(clock: Clock) -> None:
    store = MemoryStore(clock=clock)
    for number in range(5000):
        await store.set(f"key {number}", b"x", expires_in=1000)
        await store.set(f"key {number}", b"xx")
        await store.delete(f"key {number}")

    assert (len(store), store.size) == (0, 0)
    assert len(store._heap) <= 64


async def test_the_size_is_that_of_keys_and_values_and_something_for_each(clock: Clock) -> None:
    store = MemoryStore(clock=clock)
    await store.set("ä", b"12345")
    await store.set("b", b"")
    assert store.size == (2 + 5 + 256) + (1 + 256)

    await store.set("ä", b"1")
    assert store.size == (2 + 1 + 256) + (1 + 256)
    assert await store.clear("") == 2
    assert store.size == 0


async def test_beyond_the_limit_those_go_that_were_used_least_lately() -> None:
    store = MemoryStore(max_size=3 * (1 + 256))
    for key in "abc":
        await store.set(key, b"")
    await store.get("a")
    await store.touch("b", expires_in=60)

    await store.set("d", b"")

    assert [await store.get(key) for key in "abcd"] == [b"", b"", None, b""]
    assert store.size <= 3 * 257


async def test_an_entry_that_grows_makes_room_for_itself() -> None:
    store = MemoryStore(max_size=3 * (1 + 256))
    for key in "abc":
        await store.set(key, b"")

    assert await store.update("a", b"x" * 300)

    assert [await store.get(key) is not None for key in "abc"] == [True, False, False]


async def test_an_entry_that_is_larger_than_the_limit_is_refused_and_nothing_changes() -> None:
    store = MemoryStore(max_size=1000)
    await store.set("key", b"one")

    for refused in (store.set("key", b"x" * 1000), store.update("key", b"x" * 1000)):
        with pytest.raises(StoreUnavailable):
            await refused

    assert await store.get("key") == b"one"


async def test_a_million_bytes_of_strangers_stay_within_the_limit() -> None:
    """K8: a client that makes up keys must not fill the memory."""
    store = MemoryStore(max_size=100_000)
    for number in range(10_000):
        await store.add(f"stranger {number}", b"x" * 100, expires_in=3600)

    assert store.size <= 100_000
    assert len(store._heap) <= 2 * len(store) + 64


@pytest.mark.parametrize("size", [0, -1])
def test_a_limit_of_nothing_is_a_mistake(size: int) -> None:
    with pytest.raises(ValueError, match="max_size"):
        MemoryStore(max_size=size)


async def test_there_is_a_limit_unless_told_otherwise() -> None:
    store, free = MemoryStore(), MemoryStore(max_size=None)
    for one in (store, free):
        for number in range(70):
            await one.set(f"key {number}", bytes(1024 * 1024))

    assert store.size <= 64 * 1024 * 1024
    assert len(free) == 70


async def test_what_has_expired_is_gone_before_it_is_swept(clock: Clock) -> None:
    """Of many that expire together, the last one too."""
    store = MemoryStore(clock=clock)
    for number in range(100):
        await store.set(f"old {number}", b"", expires_in=10 + number / 1000)
    clock.now = 20.0

    assert await store.get("old 99") is None
    assert await store.clear("old") == 0
    assert store.size == 0
