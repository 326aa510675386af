"""Does time pass only when a test says so?"""

import asyncio

from nexios.websockets.backends.backoff import Backoff
from nexios.websockets.clock import ManualClock, SystemClock, sleep


async def test_calls_are_made_at_their_time_and_in_order() -> None:
    clock = ManualClock()
    made: list[tuple[str, float]] = []
    for name, delay in (("b", 2), ("a", 1), ("c", 2), ("never", 9)):
        clock.call_later(delay, lambda name: made.append((name, clock.time())), name)
    clock.call_later(1, made.append, ("cancelled", 0)).cancel()
    await clock.advance(5)

    assert made == [("a", 1.0), ("b", 2.0), ("c", 2.0)]
    assert (clock.time(), clock.waiting) == (5.0, 1)


async def test_sleepers_wake_and_may_sleep_again() -> None:
    clock = ManualClock()
    woken: list[float] = []

    async def tick() -> None:
        for _ in range(3):
            await sleep(clock, 10)
            woken.append(clock.time())

    task = asyncio.ensure_future(tick())
    await clock.advance(25)
    assert woken == [10.0, 20.0]
    task.cancel()
    await asyncio.wait((task,))
    assert clock.waiting == 0


async def test_the_system_clock_is_the_event_loop_s() -> None:
    clock = SystemClock()
    called = asyncio.Event()
    before = clock.time()
    clock.call_later(0, called.set)
    await called.wait()

    assert clock.time() >= before


def test_waiting_grows_to_its_limit_and_begins_again() -> None:
    backoff = Backoff(first=1, most=10)
    times = [backoff.next() for _ in range(8)]
    backoff.reset()

    assert all(most / 2 <= time <= most for time, most in zip(times, (1, 2, 4, 8, 10, 10, 10, 10), strict=True))
    assert backoff.next() <= 1
