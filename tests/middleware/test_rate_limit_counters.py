"""What counts requests: limits as texts, windows at their edges, and what counters in memory and in Redis share."""

import asyncio
import gc
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nexios.errors import ConfigurationError
from nexios.middleware.rate_limit_counters import Hit, Limit, MemoryCounters, parse_limit
from nexios.middleware.rate_limit_redis import RedisCounters
from nexios.stores.base import StoreUnavailable
from tests.contract.channels.redis_engine import Redis


class Clock:
    """Seconds, which pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("text", "amount", "window"),
    [
        *(("5/second", 5, 1), ("5/minute", 5, 60), ("100/hour", 100, 3600), ("1/day", 1, 86400)),
        *(("10/30 seconds", 10, 30), ("10/1 minute", 10, 60), ("7/2 hours", 7, 7200), ("1000/7 days", 1000, 604800)),
    ],
)
def test_a_limit_is_a_number_and_a_time(text: str, amount: int, window: int) -> None:
    assert parse_limit(text) == Limit(amount, window, text)


@pytest.mark.parametrize(
    "text",
    [
        *("", "5", "/", "5/", "/minute", "5/min", "5/minutes", "5/Minute", "5 / minute", "5/ minute", "5/minute "),
        *("0/minute", "-1/minute", "+5/minute", "5.5/minute", "5/0 seconds", "5/-1 days", "٥/minute", "5/month"),
        *(
            "5/1  day",
            "x/day",
            "5/minute/day",
            "5/minute;6/day",
            "5/367 days",
            "99999999999/day",
            "5/99999999999 days",
            None,
            5,
        ),
    ],
)
def test_what_is_no_limit_is_refused_with_the_form_it_has(text: Any) -> None:
    with pytest.raises(ConfigurationError, match=r'RateLimitMiddleware\("5/minute"'):
        parse_limit(text)


@given(st.text())
def test_any_text_is_a_limit_or_a_configuration_error(text: str) -> None:
    try:
        limit = parse_limit(text)
    except ConfigurationError:
        return
    assert (limit.amount > 0, limit.window > 0) == (True, True)


async def counted(counters: MemoryCounters, clock: Clock, text: str, *seconds: float) -> list[tuple[bool, int, int]]:
    """One request at each of these seconds: whether it is allowed, how many are left, and when there is one more."""
    hits = []
    for second in seconds:
        clock.now = 1000.0 + second
        hits.append(await counters.hit(parse_limit(text), "key"))
    return [(hit.allowed, hit.remaining, hit.seconds) for hit in hits]


async def test_a_window_begins_with_its_first_request_and_ends_at_its_edge() -> None:
    clock = Clock()
    counters = MemoryCounters(clock=clock)

    found = await counted(counters, clock, "2/minute", 0, 30, 59.999, 60, 60)

    assert found == [(True, 1, 60), (True, 0, 30), (False, 0, 1), (True, 0, 30), (False, 0, 30)]


async def test_the_window_before_counts_as_far_as_it_reaches() -> None:
    """At 90 half of it does: four of eight, and of what is left to 120 an eighth more with each 7.5 seconds."""
    clock = Clock()
    counters = MemoryCounters(clock=clock)
    await counted(counters, clock, "8/minute", *[0] * 8)

    found = await counted(counters, clock, "8/minute", *[90] * 6)

    assert found == [(True, 4, 8), (True, 3, 8), (True, 2, 8), (True, 1, 8), (True, 0, 8), (False, 0, 8)]


async def test_after_two_windows_all_is_forgotten() -> None:
    clock = Clock()
    counters = MemoryCounters(clock=clock)
    await counted(counters, clock, "2/minute", 0, 0, 0)

    assert await counted(counters, clock, "2/minute", 120, 120, 120) == [(True, 1, 60), (True, 0, 60), (False, 0, 60)]


@example(1, 9, [15.143999099597353, 0.0])
@given(st.integers(1, 9), st.integers(1, 90), st.lists(st.floats(0, 100, allow_subnormal=False), max_size=60))
async def test_who_waits_as_long_as_it_is_told_is_served(amount: int, window: int, pauses: list[float]) -> None:
    clock = Clock()
    counters = MemoryCounters(clock=clock)
    limit = Limit(amount, window, "any")
    for pause in pauses:
        clock.now += pause
        hit = await counters.hit(limit, "key")
        if not hit.allowed:
            clock.now += hit.seconds
            assert (await counters.hit(limit, "key")).allowed


@example(1, [0.09139319501182633, 30.0, 30.0])
@given(st.integers(1, 9), st.lists(st.floats(0, 30, allow_subnormal=False), max_size=60))
async def test_what_is_said_to_be_left_is_left_and_no_more(amount: int, pauses: list[float]) -> None:
    clock = Clock()
    counters = MemoryCounters(clock=clock)
    limit = Limit(amount, 20, "any")
    for pause in pauses:
        clock.now += pause
        hit = await counters.hit(limit, "key")

        left = [(await counters.hit(limit, "key")).allowed for _ in range(hit.remaining)]
        assert all(left)
        assert not (await counters.hit(limit, "key")).allowed


async def test_of_too_many_keys_those_are_forgotten_that_were_used_least_lately() -> None:
    counters = MemoryCounters(max_keys=3, clock=Clock())
    limit = parse_limit("1/minute")
    for key in ("a", "b", "c", "a", "d"):
        await counters.hit(limit, key)

    assert len(counters) == 3
    assert [(await counters.hit(limit, key)).allowed for key in ("a", "b")] == [False, True]


async def test_keys_whose_windows_are_over_go_as_new_ones_come() -> None:
    clock = Clock()
    counters = MemoryCounters(clock=clock)
    limit = parse_limit("1/minute")
    for number in range(100):
        await counters.hit(limit, f"old {number}")
    clock.now += 120

    for number in range(100):
        await counters.hit(limit, f"new {number}")

    assert len(counters) == 100


@pytest.mark.parametrize("max_keys", [0, -1, 1.5, None, True])
def test_how_many_keys_there_are_is_a_number(max_keys: Any) -> None:
    with pytest.raises(ConfigurationError, match="max_keys"):
        MemoryCounters(max_keys=max_keys)


# Redis and Valkey


@pytest.fixture(scope="module")
def server() -> Iterator[Redis]:
    engine = Redis()
    engine.start()
    yield engine
    engine.stop()


@pytest.fixture
async def redis(server: Redis) -> AsyncIterator[Redis]:
    await server.prepare()
    yield server
    await server.finish()


@pytest.fixture
async def counters(redis: Redis) -> AsyncIterator[RedisCounters]:
    counters = RedisCounters(redis.url, prefix=redis.prefix, patience=5.0)
    await counters.start()
    yield counters
    await counters.stop()


async def pass_time(redis: Redis, seconds: int) -> None:
    """Let all keys end so much earlier: the server has a clock of its own."""
    for key in [key async for key in redis.client.scan_iter(f"{redis.prefix}*")]:
        left = await redis.client.pttl(key) - seconds * 1000
        await (redis.client.pexpire(key, left) if left > 0 else redis.client.delete(key))


async def test_redis_counts_each_key_and_says_what_is_left(counters: RedisCounters) -> None:
    limit = parse_limit("2/hour")

    hits = [await counters.hit(limit, key) for key in ("a", "a", "a", "b")]

    assert [(hit.allowed, hit.remaining) for hit in hits] == [(True, 1), (True, 0), (False, 0), (True, 1)]
    assert all(3000 < hit.seconds <= 3601 for hit in hits)


async def test_redis_counts_for_several_processes_together(redis: Redis, counters: RedisCounters) -> None:
    other = RedisCounters(redis.url, prefix=redis.prefix, patience=5.0)
    await other.start()
    limit = parse_limit("3/hour")

    allowed = [(await one.hit(limit, "a")).allowed for one in (counters, other, counters, other)]

    assert allowed == [True, True, True, False]
    await other.stop()


async def test_in_redis_the_window_before_counts_as_far_as_it_reaches(redis: Redis, counters: RedisCounters) -> None:
    limit = parse_limit("8/hour")
    for _ in range(9):
        await counters.hit(limit, "a")

    await pass_time(redis, 3600 + 1801)
    hits = [await counters.hit(limit, "a") for _ in range(6)]

    assert [hit.allowed for hit in hits] == [True, True, True, True, True, False]
    assert 350 < hits[-1].seconds <= 450
    await pass_time(redis, hits[-1].seconds)
    assert (await counters.hit(limit, "a")).allowed


async def test_all_keys_in_redis_end_by_themselves_and_name_nobody(redis: Redis, counters: RedisCounters) -> None:
    limit = parse_limit("2/hour")
    await counters.hit(limit, "user:ada")
    await pass_time(redis, 3601)
    await counters.hit(limit, "user:ada")

    keys = [key async for key in redis.client.scan_iter(f"{redis.prefix}*")]
    assert len(keys) == 2
    assert all(b"ada" not in key for key in keys)
    assert [0 < await redis.client.ttl(key) <= 7200 for key in keys] == [True, True]


async def test_an_engine_that_is_away_is_unavailable_and_comes_back(redis: Redis, counters: RedisCounters) -> None:
    limit = parse_limit("2/hour")
    await counters.hit(limit, "a")

    await redis.away()
    with pytest.raises(StoreUnavailable):
        await counters.hit(limit, "a")
    await redis.back()

    assert (await counters.hit(limit, "a")).remaining == 0


async def test_counters_that_are_not_started_are_unavailable_and_start_again(redis: Redis) -> None:
    counters = RedisCounters(redis.url, prefix=redis.prefix, patience=5.0)
    limit = parse_limit("9/hour")

    with pytest.raises(StoreUnavailable):
        await counters.hit(limit, "a")
    for remaining in (8, 7):
        await counters.start()
        assert (await counters.hit(limit, "a")).remaining == remaining
        await counters.stop()
    await counters.stop()


def test_missing_packages_say_what_to_install() -> None:
    program = "import sys; sys.modules['limits'] = None; import nexios.middleware.rate_limit_redis"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert "RedisCounters need the package limits" in done.stderr
    assert 'pip install "nexios[limits,redis]"' in done.stderr


async def test_a_stop_while_requests_are_counted_leaves_no_connection(redis: Redis) -> None:
    gc.collect()
    before = len(os.listdir("/proc/self/fd"))
    for turns in range(16):
        counters = RedisCounters(redis.url, prefix=redis.prefix, patience=5.0)
        await counters.start()
        hits = [asyncio.ensure_future(counters.hit(parse_limit("5/minute"), f"key{number}")) for number in range(4)]
        for _ in range(turns):
            await asyncio.sleep(0)
        await counters.stop()
        results = await asyncio.gather(*hits, return_exceptions=True)
        assert {type(result) for result in results} <= {Hit, StoreUnavailable}, results

    assert len(os.listdir("/proc/self/fd")) <= before
