"""`shielded`: a cleanup ends before the cancellation that would cut it short, and cannot hold it for ever."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from contextvars import ContextVar
from typing import Any

import pytest

from nexios import Depend, NexiosApp
from nexios.concurrency import shielded
from nexios.testing import call
from tests.injection.injection_kit import Trace

USER: ContextVar[str] = ContextVar("user", default="nobody")
LONG = 60.0


class Cleanup:
    """A coroutine that goes on when it is let, and says so."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.go_on = asyncio.Event()
        self.trace: Trace = []

    async def run(self) -> str:
        try:
            self.reached.set()
            await self.go_on.wait()
            self.trace.append("went on")
        except asyncio.CancelledError:
            self.trace.append("cut short")
            raise
        return "result"


async def cancelled(awaitable: Awaitable[object]) -> bool:
    try:
        await awaitable
    except asyncio.CancelledError:
        return True
    return False


async def test_the_result_is_that_of_the_coroutine() -> None:
    async def seven() -> int:
        await asyncio.sleep(0)
        return 7

    assert await shielded(seven(), LONG) == 7


async def test_an_exception_arrives_as_it_was_raised() -> None:
    error = ValueError("inside")

    async def fail() -> None:
        await asyncio.sleep(0)
        raise error

    with pytest.raises(ValueError) as caught:
        await shielded(fail(), LONG)
    assert caught.value is error


async def test_a_coroutine_that_never_waits_is_run_at_once() -> None:
    async def at_once() -> int:
        return 7

    with pytest.raises(StopIteration) as caught:
        shielded(at_once(), LONG).__await__().send(None)
    assert caught.value.value == 7


async def test_a_cancellation_waits_for_the_end_and_is_raised_then() -> None:
    cleanup = Cleanup()
    task = asyncio.ensure_future(shielded(cleanup.run(), LONG))
    await cleanup.reached.wait()

    task.cancel()
    await asyncio.sleep(0)
    assert not task.done()
    cleanup.go_on.set()

    assert await cancelled(task)
    assert cleanup.trace == ["went on"]
    assert task.cancelled()


async def test_a_second_and_a_third_cancellation_wait_too() -> None:
    cleanup = Cleanup()
    task = asyncio.ensure_future(shielded(cleanup.run(), LONG))
    await cleanup.reached.wait()

    for _ in range(3):
        task.cancel()
        await asyncio.sleep(0)
    cleanup.go_on.set()

    assert await cancelled(task)
    assert cleanup.trace == ["went on"]


async def test_a_cancellation_between_two_turns_of_the_loop_waits() -> None:
    trace: Trace = []

    async def turns() -> None:
        for _ in range(5):
            await asyncio.sleep(0)
        trace.append("whole")

    task = asyncio.ensure_future(shielded(turns(), LONG))
    await asyncio.sleep(0)
    task.cancel()

    assert await cancelled(task)
    assert trace == ["whole"]


async def test_when_its_patience_is_over_the_cancellation_is_passed_on() -> None:
    cleanup = Cleanup()
    task = asyncio.ensure_future(shielded(cleanup.run(), 0))
    await cleanup.reached.wait()

    task.cancel()

    assert await cancelled(task)
    assert cleanup.trace == ["cut short"]


async def test_a_cancellation_is_not_lost_when_the_coroutine_fails_after_it() -> None:
    cleanup = Cleanup()

    async def failing() -> None:
        await cleanup.run()
        raise ValueError("inside")

    task = asyncio.ensure_future(shielded(failing(), LONG))
    await cleanup.reached.wait()
    task.cancel()
    await asyncio.sleep(0)
    cleanup.go_on.set()

    assert await cancelled(task)
    assert task.cancelled()


async def test_a_timeout_around_it_fires_when_it_is_over() -> None:
    cleanup = Cleanup()

    async def guarded() -> None:
        async with asyncio.timeout(0):
            await shielded(cleanup.run(), LONG)

    task = asyncio.ensure_future(guarded())
    await cleanup.reached.wait()
    for _ in range(3):
        await asyncio.sleep(0)
    cleanup.go_on.set()

    with pytest.raises(TimeoutError):
        await task
    assert cleanup.trace == ["went on"]


async def test_a_timeout_inside_stays_inside() -> None:
    """The request around a cleanup that gave up waiting for something was not cancelled."""
    trace: Trace = []

    async def closing() -> str:
        try:
            async with asyncio.timeout(0):
                await asyncio.Event().wait()
        except TimeoutError:
            trace.append("gave up")
        return "closed"

    task = asyncio.ensure_future(shielded(closing(), 0.01))

    assert await task == "closed"
    assert (trace, task.cancelling()) == (["gave up"], 0)


async def test_a_task_group_inside_that_fails_stays_inside() -> None:
    async def fail() -> None:
        raise ValueError("inside")

    async def closing() -> str:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(fail())
                await asyncio.Event().wait()
        except* ValueError:
            pass
        return "closed"

    assert await shielded(closing(), 0.01) == "closed"


async def test_a_cancellation_of_another_task_that_is_awaited_goes_through() -> None:
    never = asyncio.ensure_future(asyncio.Event().wait())
    never.cancel()

    async def closing() -> None:
        await never

    assert await cancelled(shielded(closing(), LONG))


async def test_it_runs_in_the_same_task_and_the_same_context() -> None:
    token = USER.set("ada")

    async def closing() -> "asyncio.Task[Any] | None":
        USER.reset(token)
        await asyncio.sleep(0)
        return asyncio.current_task()

    assert await shielded(closing(), LONG) is asyncio.current_task()
    assert USER.get() == "nobody"


async def test_a_task_group_that_was_entered_before_is_left_in_it() -> None:
    trace: Trace = []
    group = asyncio.TaskGroup()
    await group.__aenter__()

    async def child() -> None:
        await asyncio.sleep(0)
        trace.append("child")

    group.create_task(child())
    await shielded(group.__aexit__(None, None, None), LONG)

    assert trace == ["child"]


@pytest.mark.parametrize("waits_for", ["thread", "future", "gather", "sleep", "lock"])
async def test_whatever_the_coroutine_waits_for_it_gets(waits_for: str) -> None:
    lock = asyncio.Lock()
    future = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(future.set_result, "done")

    async def locked() -> str:
        async with lock:
            return "done"

    async def gathered() -> str:
        return "".join(await asyncio.gather(asyncio.sleep(0, "do"), asyncio.sleep(0.001, "ne")))

    ways: dict[str, Callable[[], Awaitable[str]]] = {
        "thread": lambda: asyncio.to_thread(lambda: "done"),
        "future": lambda: future,
        "gather": gathered,
        "sleep": lambda: asyncio.sleep(0.001, "done"),
        "lock": locked,
    }

    async def waiting() -> str:
        return await ways[waits_for]()

    assert await shielded(waiting(), LONG) == "done"


async def test_a_program_that_ends_itself_goes_through() -> None:
    class Stop(BaseException):
        pass

    class Awaited:
        def __await__(self) -> Generator[None, None, None]:
            yield
            raise Stop

    async def ending() -> None:
        await Awaited()

    with pytest.raises(Stop):
        await shielded(ending(), LONG)


@pytest.mark.parametrize("scope", ["handler", "request"])
async def test_a_timeout_inside_a_cleanup_ends_what_it_is_around_in_time(scope: Any) -> None:
    """It cancels the task too, and must not be taken for somebody outside."""
    ends: list[str] = []

    async def provider() -> AsyncIterator[int]:
        yield 1
        try:
            async with asyncio.timeout(0):
                await asyncio.Event().wait()
        except TimeoutError:
            ends.append("in time")

    async def handler(value: int = Depend(provider, scope=scope)) -> int:
        return value

    app = NexiosApp()
    app.get("/")(handler)
    async with asyncio.timeout(5):
        assert (await call(app)).body == b"1"
    assert ends == ["in time"]
