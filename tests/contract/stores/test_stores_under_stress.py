"""What every store does when many use it at once, when callers go away, and when its engine does."""

import asyncio
import os
import sys
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from nexios.stores.base import Store, StoreUnavailable
from tests.cancelling import cancelled_at_each_await
from tests.contract.channels.engines import PATIENCE
from tests.contract.stores.store_engines import StoreEngine

ROOT = Path(__file__).parents[3]

CALLS: dict[str, Callable[[Store], Awaitable[object]]] = {
    "get": lambda store: store.get("key"),
    "set": lambda store: store.set("key", b"new"),
    "add": lambda store: store.add("other", b"new"),
    "replace": lambda store: store.replace("key", b"new", expected=b"old"),
    "update": lambda store: store.update("key", b"new"),
    "touch": lambda store: store.touch("key", expires_in=60),
    "delete": lambda store: store.delete("key"),
    "clear": lambda store: store.clear("key"),
}

COUNTING = """
import asyncio
{imports}

async def main():
    store = {source}
    await store.start()
    for _ in range({times}):
        while True:
            value = await store.get("count")
            if value is None:
                if await store.add("count", b"1", expires_in=3600):
                    break
            elif await store.replace("count", b"%d" % (int(value) + 1), expected=value, expires_in=3600):
                break
    await store.stop()

asyncio.run(main())
"""


async def count(store: Store, times: int) -> None:
    """Count by compare-and-set."""
    for _ in range(times):
        while True:
            value = await store.get("count")
            assert value is not None
            if await store.replace("count", b"%d" % (int(value) + 1), expected=value, expires_in=3600):
                break


def open_files() -> int:
    """How many files and connections this process has."""
    return len(os.listdir("/proc/self/fd")) if sys.platform == "linux" else 0


def until_left(files: int, threads: set[threading.Thread]) -> None:
    """Wait for threads that end; then no more than so many files are open."""
    for thread in set(threading.enumerate()) - threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()
    assert open_files() <= files


async def once_back(store: Store, key: str) -> bytes | None:
    """What a store answers when it has noticed that its connections have broken."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                return await store.get(key)
            except StoreUnavailable:
                await asyncio.sleep(0.01)


async def test_one_of_many_adds_keeps_its_value(engine: StoreEngine, store: Store) -> None:
    second = engine.store()
    await second.start()

    kept = await asyncio.gather(*((store, second)[n % 2].add("key", b"%d" % n, expires_in=60) for n in range(40)))

    assert sum(kept) == 1
    assert await store.get("key") == b"%d" % kept.index(True)
    await second.stop()


async def test_one_of_many_adds_takes_the_place_of_what_expired(engine: StoreEngine, store: Store) -> None:
    await store.set("key", b"old", expires_in=engine.moment)
    await engine.let_time_pass(engine.moment)

    kept = await asyncio.gather(*(store.add("key", b"%d" % n, expires_in=3600) for n in range(40)))

    assert sum(kept) == 1
    assert await store.get("key") == b"%d" % kept.index(True)


async def test_tasks_that_count_together_lose_nothing(engine: StoreEngine, store: Store) -> None:
    second = engine.store()
    await second.start()
    await store.set("count", b"0")

    await asyncio.gather(*(count(one, 10) for one in (store, second) * 4))

    assert await store.get("count") == b"80"
    await second.stop()


async def test_processes_that_count_together_lose_nothing(engine: StoreEngine, store: Store) -> None:
    source = engine.source()
    module = str(source).partition("(")[0].rpartition(".")[0]
    program = COUNTING.format(imports=f"import {module}", source=source, times=50)
    one, other = [await asyncio.create_subprocess_exec(sys.executable, "-c", program, cwd=ROOT) for _ in range(2)]

    assert list(await asyncio.gather(one.wait(), other.wait())) == [0, 0]
    assert await store.get("count") == b"100"


async def test_one_of_many_deletes_says_that_it_was_there(store: Store) -> None:
    await store.set("key", b"")

    assert sum(await asyncio.gather(*(store.delete("key") for _ in range(20)))) == 1


@pytest.mark.parametrize("call", CALLS)
async def test_a_call_that_is_cancelled_has_happened_or_not(store: Store, call: str) -> None:
    """At each of the first turns of the event loop; what others ask meanwhile gets its own answers."""
    for turns in range(12):
        await store.set("key", b"old")
        await store.set("mine", b"%d" % turns)
        await store.delete("other")
        task = asyncio.ensure_future(CALLS[call](store))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        mine = await store.get("mine")
        await asyncio.gather(task, return_exceptions=True)

        assert mine == b"%d" % turns
        assert await store.get("key") in (b"old", b"new", None)
        assert await store.get("other") in (b"new", None)


async def test_many_cancelled_calls_leave_the_store_usable(store: Store) -> None:
    tasks = [asyncio.ensure_future(store.set(f"key{n}", b"x" * 10_000)) for n in range(60)]
    for turn, task in enumerate(tasks):
        if turn % 7 == 0:
            await asyncio.sleep(0)
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*(store.set(f"key{n}", b"new") for n in range(60)))
    assert await asyncio.gather(*(store.get(f"key{n}") for n in range(60))) == [b"new"] * 60


@pytest.mark.parametrize("call", CALLS)
async def test_a_failing_engine_is_unavailable_and_never_absent(engine: StoreEngine, store: Store, call: str) -> None:
    await store.set("key", b"old")
    await engine.away()
    try:
        with pytest.raises(StoreUnavailable) as caught:
            await CALLS[call](store)
    finally:
        await engine.back()

    assert caught.value.status_code == 503
    assert caught.value.__cause__ is not None
    assert await store.get("key") == b"old"


async def test_starting_without_an_engine_fails_and_leaves_nothing(engine: StoreEngine) -> None:
    await engine.away()
    tasks, files, threads = asyncio.all_tasks(), open_files(), set(threading.enumerate())
    store = engine.store()
    with pytest.raises(Exception, match=r"503|cannot make its file"):
        await store.start()
    await store.stop()
    until_left(files, threads)
    assert asyncio.all_tasks() == tasks
    await engine.back()

    await store.start()
    assert await store.get("key") is None
    await store.stop()


async def test_a_store_that_is_not_started_is_unavailable(engine: StoreEngine) -> None:
    store = engine.store()
    for call in CALLS.values():
        with pytest.raises(StoreUnavailable):
            await call(store)
    await store.stop()

    await store.start()
    await store.stop()
    with pytest.raises(StoreUnavailable):
        await store.get("key")


async def test_a_store_with_two_users_works_until_the_last_one_stops_it(store: Store) -> None:
    await store.start()
    await store.stop()

    await store.set("key", b"one")
    assert await store.get("key") == b"one"


async def test_what_is_kept_outlives_the_engine_and_the_process(engine: StoreEngine) -> None:
    before = engine.store()
    await before.start()
    await before.set("key", b"one", expires_in=3600)
    await before.set("for ever", b"two")

    await engine.restart()

    assert await once_back(before, "key") == b"one"
    await before.stop()
    after = engine.store()
    await after.start()
    assert await after.get("key") == b"one"
    assert await after.get("for ever") == b"two"
    assert await after.replace("key", b"three", expected=b"one")
    await after.stop()


async def test_a_stop_that_is_cancelled_at_any_point_leaves_nothing(engine: StoreEngine) -> None:
    tasks, files, threads = asyncio.all_tasks(), open_files(), set(threading.enumerate())
    stores = [engine.store() for _ in range(12)]
    for store in stores:
        await store.start()
        await store.set("key", b"")
    waiting = iter(stores)
    async for _ in cancelled_at_each_await(lambda: next(waiting).stop()):
        pass
    for store in waiting:
        await store.stop()

    assert asyncio.all_tasks() == tasks
    until_left(files, threads)


async def test_a_stop_while_calls_are_under_way_leaves_nothing(engine: StoreEngine) -> None:
    """They happen, or are told that the store is not there."""
    tasks, files, threads = asyncio.all_tasks(), open_files(), set(threading.enumerate())
    for turns in range(16):
        store = engine.store()
        await store.start()
        calls = [asyncio.ensure_future(store.set(f"key{number}", b"")) for number in range(4)]
        for _ in range(turns):
            await asyncio.sleep(0)
        await store.stop()
        results = await asyncio.gather(*calls, return_exceptions=True)
        assert {type(result) for result in results} <= {type(None), StoreUnavailable}, results

    assert asyncio.all_tasks() == tasks
    until_left(files, threads)


async def test_nothing_is_left_after_the_stop(engine: StoreEngine) -> None:
    tasks, files, threads = asyncio.all_tasks(), open_files(), set(threading.enumerate())
    for _ in range(3):
        store = engine.store()
        await store.start()
        await asyncio.gather(*(store.set(f"key{n}", b"") for n in range(10)))
        await asyncio.gather(*(call(store) for call in CALLS.values()))
        await store.stop()
        assert asyncio.all_tasks() == tasks
        until_left(files, threads)
