"""Who counts for whom: nobody uses up what is another's, and no clock locks anybody out."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from nexios import NexiosApp, Request, Response
from nexios.auth import LoginThrottle
from nexios.errors import TooManyRequests
from nexios.http.networks import network_of
from nexios.middleware import RateLimitMiddleware, TimeoutMiddleware
from nexios.middleware.rate_limit import _digest
from nexios.stores import MemoryStore
from nexios.testing.raw import call
from tests.middleware.loop_clock import LoopClock

HOME, ELSEWHERE = "203.0.113.9", "198.51.100.7"


class Clock:
    """Seconds since 1970, which pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


class Address:
    def __init__(self, host: str) -> None:
        self.host = host


class Peer:
    """What a throttle looks at of a request."""

    def __init__(self, host: str) -> None:
        self.client = Address(host)


async def waits(throttle: LoginThrottle, name: str, host: str = HOME) -> int:
    """An attempt that fails: 0 when it was allowed, else for how many seconds it has to wait."""
    try:
        await throttle.attempt(Peer(host), name)  # type: ignore[arg-type]
    except TooManyRequests as exc:
        return int(dict(exc.headers)["retry-after"])
    return 0


async def signs_in(throttle: LoginThrottle, name: str, host: str = HOME) -> None:
    await throttle.succeeded(await throttle.attempt(Peer(host), name))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", [f"ada\0{HOME}", f"ada{HOME}", f"3:ada11:{HOME}", f"ada11:{HOME}"])
async def test_k7_no_name_is_the_place_of_an_owner(name: str) -> None:
    """F12: with a NUL and the owner's address behind it, a name from anywhere used up the owner's own attempts."""
    throttle = LoginThrottle(clock=Clock())
    await signs_in(throttle, "ada", HOME)
    for _ in range(6):
        await waits(throttle, name, ELSEWHERE)

    assert await waits(throttle, "ada", HOME) == 0


@pytest.mark.parametrize("left", range(4))
async def test_space_around_a_name_does_not_push_it_out_of_what_is_counted(left: int) -> None:
    """An app that strips names took "ada" behind 1023 spaces for "ada", and here it was "a"."""
    throttle = LoginThrottle(clock=Clock())
    for _ in range(5):
        await waits(throttle, " " * (1021 + left) + "ada" + "\u3000" * 2000)

    assert await waits(throttle, "ada", ELSEWHERE) == 30


async def test_a_clock_that_is_set_back_locks_nobody_out() -> None:
    clock = Clock()
    throttle = LoginThrottle(per_name=1, per_address=1, clock=clock)
    await waits(throttle, "ada")
    assert await waits(throttle, "ada") == 900

    clock.now -= 86_400

    assert await waits(throttle, "ada") == 0
    assert await waits(throttle, "ada") == 900


async def test_clocks_that_differ_a_little_give_no_further_attempts() -> None:
    ahead, behind, store = Clock(), Clock(), MemoryStore()
    behind.now -= 59
    await waits(LoginThrottle(store, per_address=1, clock=ahead), "ada")

    assert await waits(LoginThrottle(store, per_address=1, clock=behind), "bob") == 959


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("64:ff9b::203.0.113.9", "203.0.113.9"),
        ("64:ff9b::cb00:710a", "203.0.113.10"),
        ("64:ff9b:1::203.0.113.9", "64:ff9b:1::/64"),
        ("64:ff9b:0:0:1::1", "64:ff9b::/64"),
    ],
)
def test_clients_that_are_translated_into_ipv6_are_not_one(address: str, network: str) -> None:
    """RFC 6052: behind a translator all of IPv4 is in one network of 64 bits, and so all had one limit together."""
    assert network_of(address) == network


async def test_no_key_is_that_of_a_long_one() -> None:
    app = NexiosApp(openapi=None)
    app.add_middleware(RateLimitMiddleware("1/minute", key=lambda connection: connection.headers["x-who"]))

    @app.get("/")
    async def index(request: Request, response: Response) -> str:
        return "index"

    async def status(who: str) -> Any:
        return (await call(app, headers=[(b"x-who", who.encode())])).status

    long = "a" * 100
    assert [await status(_digest(long)), await status(long), await status(long)] == [200, 200, 429]


async def test_a_timeout_of_a_stream_itself_is_told_as_its_own(caplog: pytest.LogCaptureFixture) -> None:
    """The log said that the time of the request was over, while an engine behind the stream did not answer."""
    app = NexiosApp(openapi=None)
    app.add_middleware(TimeoutMiddleware(3600))

    async def rows() -> AsyncIterator[bytes]:
        yield b"one"
        raise TimeoutError("the engine did not answer")

    @app.get("/")
    async def export(request: Request, response: Response) -> Response:
        return response.stream(rows())

    await call(app)

    assert "the engine did not answer" in caplog.text
    assert "TimeoutMiddleware" not in caplog.text


@pytest.mark.parametrize("nearest", [5, None])
async def test_what_hangs_between_two_timeouts_is_in_the_time_of_the_outer(nearest: int | None) -> None:
    """A shorter time for a route took the time of the app away, also from middleware around that route."""
    clock = LoopClock()
    app = NexiosApp(openapi=None)
    app.add_middleware(TimeoutMiddleware(3600))

    async def saves(request: Request, response: Response, call_next: Any) -> Any:
        answer = await call_next()
        clock.advance(7200)
        await asyncio.Event().wait()
        return answer

    @app.get("/", middleware=[saves, TimeoutMiddleware(nearest)])
    async def index(request: Request, response: Response) -> str:
        return "index"

    answer = await call(app, timeout=1e9)

    assert (answer.status, answer.json()["code"]) == (503, "request_took_too_long")


@pytest.mark.parametrize("nearest", [36_000, None])
async def test_the_time_of_the_outer_stands_still_while_a_nearer_one_runs(nearest: int | None) -> None:
    clock = LoopClock()
    app = NexiosApp(openapi=None)
    app.add_middleware(TimeoutMiddleware(3600))

    @app.get("/", middleware=[TimeoutMiddleware(nearest)])
    async def export(request: Request, response: Response) -> Response:
        clock.advance(7200)
        await asyncio.sleep(0)

        async def rows() -> AsyncIterator[bytes]:
            clock.advance(7200)
            await asyncio.sleep(0)
            yield b"whole"

        return response.stream(rows())

    assert (await call(app, timeout=1e9)).body == b"whole"
