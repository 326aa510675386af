"""Threads and background tasks: nothing blocks the loop, nothing is lost, nothing is global."""

import asyncio
import gc
import logging
import threading
from collections.abc import Iterator
from contextvars import ContextVar

import pytest

from nexios.concurrency import BackgroundTasks, Threads, end

USER: ContextVar[str] = ContextVar("user", default="nobody")


@pytest.fixture
def threads() -> Iterator[Threads]:
    one = Threads(2)
    yield one
    one.close()


async def test_a_function_runs_in_another_thread_and_its_result_comes_back(threads: Threads) -> None:
    def describe(first: int, *, second: int) -> tuple[int, bool]:
        return first + second, threading.current_thread() is threading.main_thread()

    assert await threads.run_in_thread(describe, 1, second=2) == (3, False)


async def test_an_exception_arrives_as_it_was_raised(threads: Threads) -> None:
    error = KeyError("missing")

    def fail() -> None:
        raise error

    with pytest.raises(KeyError) as caught:
        await threads.run_in_thread(fail)
    assert caught.value is error


async def test_stop_iteration_is_an_error_and_not_a_task_that_never_wakes(threads: Threads) -> None:
    with pytest.raises(RuntimeError, match="raised StopIteration") as caught:
        await threads.run_in_thread(next, iter([]))

    assert isinstance(caught.value.__cause__, StopIteration)


async def test_context_is_visible_in_the_thread(threads: Threads) -> None:
    USER.set("ada")

    assert await threads.run_in_thread(USER.get) == "ada"


async def test_what_the_thread_sets_is_set_in_the_caller(threads: Threads) -> None:
    USER.set("ada")

    await threads.run_in_thread(USER.set, "grace")

    assert USER.get() == "grace"


async def test_what_the_thread_sets_before_it_fails_is_set_in_the_caller(threads: Threads) -> None:
    def set_and_fail() -> None:
        USER.set("grace")
        raise ValueError

    with pytest.raises(ValueError):
        await threads.run_in_thread(set_and_fail)

    assert USER.get() == "grace"


async def test_what_a_thread_sets_is_not_seen_by_other_tasks(threads: Threads) -> None:
    async def set_and_get(name: str) -> str:
        await threads.run_in_thread(USER.set, name)
        await asyncio.sleep(0)
        return USER.get()

    assert await asyncio.gather(*map(set_and_get, ["ada", "grace", "mary"])) == ["ada", "grace", "mary"]
    assert USER.get() == "nobody"


async def test_at_most_limit_calls_run_at_once_and_the_loop_goes_on(threads: Threads) -> None:
    gate, lock = threading.Event(), threading.Lock()
    running, most = 0, 0

    def wait() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        gate.wait()
        with lock:
            running -= 1

    calls = [asyncio.ensure_future(threads.run_in_thread(wait)) for _ in range(20)]
    for _ in range(100):
        await asyncio.sleep(0)
    gate.set()
    await asyncio.gather(*calls)

    assert most <= threads.limit == 2


async def test_a_cancelled_caller_does_not_lose_the_thread() -> None:
    threads, started, gate = Threads(1), threading.Event(), threading.Event()

    def block() -> str:
        started.set()
        gate.wait()
        USER.set("from a call that nobody waits for")
        return "late"

    first = asyncio.ensure_future(threads.run_in_thread(block))
    await asyncio.to_thread(started.wait)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    second = asyncio.ensure_future(threads.run_in_thread(str, "second"))
    gate.set()

    assert await second == "second"
    assert USER.get() == "nobody"
    threads.close()


async def test_a_call_that_is_cancelled_while_it_waits_in_line_never_runs() -> None:
    threads, started, gate = Threads(1), threading.Event(), threading.Event()
    ran: list[str] = []

    def block() -> None:
        started.set()
        gate.wait()

    first = asyncio.ensure_future(threads.run_in_thread(block))
    await asyncio.to_thread(started.wait)
    waiting = asyncio.ensure_future(threads.run_in_thread(ran.append, "waiting"))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    gate.set()
    await first
    await threads.run_in_thread(ran.append, "after")

    assert ran == ["after"]
    threads.close()


async def test_threads_start_when_they_are_needed_and_end_when_closed() -> None:
    def started() -> set[threading.Thread]:
        return {thread for thread in threading.enumerate() if thread.name.startswith("nexios")} - before

    before: set[threading.Thread] = set(threading.enumerate())
    threads = Threads(3)
    assert started() == set()

    await threads.run_in_thread(int)
    mine = started()
    assert len(mine) == 1
    threads.close()
    for thread in mine:
        await asyncio.to_thread(thread.join)

    assert started() == set()


async def test_closing_twice_or_unused_is_fine_and_a_closed_one_starts_again() -> None:
    threads = Threads(1)
    threads.close()
    threads.close()

    assert await threads.run_in_thread(int) == 0
    threads.close()


def test_no_threads_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="use 1 or more"):
        Threads(0)


async def test_two_apps_have_threads_of_their_own(threads: Threads) -> None:
    other, gate = Threads(1), threading.Event()

    blocked = asyncio.ensure_future(other.run_in_thread(gate.wait))

    assert await threads.run_in_thread(int) == 0
    gate.set()
    await blocked
    other.close()


async def test_a_background_task_is_kept_alive_until_it_ends() -> None:
    tasks, gate, done = BackgroundTasks(), asyncio.Event(), asyncio.Event()

    async def work() -> None:
        await gate.wait()
        done.set()

    tasks.spawn(work(), name="work")
    await asyncio.sleep(0)
    gc.collect()
    assert len(tasks) == 1
    gate.set()
    await done.wait()
    await tasks.drain(1)

    assert len(tasks) == 0


async def test_a_background_task_sees_the_context_it_was_spawned_in() -> None:
    tasks, seen = BackgroundTasks(), list[str]()
    USER.set("ada")

    async def work() -> None:
        seen.append(USER.get())

    tasks.spawn(work(), name="work")
    await tasks.drain(1)

    assert seen == ["ada"]


async def test_a_failing_background_task_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    tasks = BackgroundTasks()

    async def fail() -> None:
        raise ValueError("on purpose")

    tasks.spawn(fail(), name="send receipt")
    await tasks.drain(1)
    gc.collect()

    [record] = caplog.records
    assert (record.name, record.levelno) == ("nexios", logging.ERROR)
    assert record.getMessage() == "background task 'send receipt' failed"
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], ValueError)


async def test_a_cancelled_background_task_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    tasks = BackgroundTasks()

    task = tasks.spawn(asyncio.Event().wait(), name="work")
    task.cancel()
    await tasks.drain(1)

    assert caplog.records == []
    assert len(tasks) == 0


async def test_draining_waits_for_tasks_that_are_spawned_meanwhile(caplog: pytest.LogCaptureFixture) -> None:
    tasks, done = BackgroundTasks(), list[str]()

    async def child() -> None:
        await asyncio.sleep(0)
        done.append("child")

    async def parent() -> None:
        await asyncio.sleep(0)
        tasks.spawn(child(), name="child")
        done.append("parent")

    tasks.spawn(parent(), name="parent")
    await tasks.drain(30)

    assert done == ["parent", "child"]
    assert caplog.records == []


async def test_what_does_not_end_in_its_grace_is_cancelled_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    tasks, cleaned = BackgroundTasks(), list[str]()

    async def forever(name: str) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned.append(name)

    for name in ("one", "two"):
        tasks.spawn(forever(name), name=name)
    await asyncio.sleep(0)
    await tasks.drain(0)

    assert sorted(cleaned) == ["one", "two"]
    assert len(tasks) == 0
    assert caplog.messages == ["2 background task(s) did not end in 0 s and were cancelled"]


async def test_draining_nothing_is_quiet(caplog: pytest.LogCaptureFixture) -> None:
    await BackgroundTasks().drain(10)

    assert caplog.records == []


async def test_a_task_may_drain_the_others() -> None:
    tasks, gate = BackgroundTasks(), asyncio.Event()

    async def stop() -> str:
        gate.set()
        await tasks.drain(30)
        return "stopped"

    tasks.spawn(gate.wait(), name="other")

    assert await tasks.spawn(stop(), name="stop") == "stopped"


async def test_a_task_that_keeps_cancellations_to_itself_is_cancelled_until_it_ends() -> None:
    kept = 0

    async def stubborn() -> None:
        nonlocal kept
        while kept < 3:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                kept += 1

    task = asyncio.ensure_future(stubborn())
    await asyncio.sleep(0)
    await end(task, 0.01)

    assert (task.done(), kept) == (True, 3)


async def test_a_task_that_is_over_is_not_waited_for() -> None:
    task = asyncio.ensure_future(asyncio.sleep(0, "result"))
    await task
    await end(task, 60)

    assert task.result() == "result"
