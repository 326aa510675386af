"""Rows B7, K7, K8 and R10 where limits count: by whom, with how much memory, and what a request may take."""

import asyncio
from typing import Any

import pytest

from nexios import NexiosApp, Request, Response
from nexios.auth import LoginThrottle
from nexios.errors import TooManyRequests
from nexios.middleware import ProxyHeaders, RateLimitMiddleware, TimeoutMiddleware
from nexios.middleware.rate_limit_counters import MemoryCounters, parse_limit
from nexios.stores import MemoryStore
from nexios.testing.raw import RawAnswer, call
from tests.middleware.loop_clock import LoopClock
from tests.security.kit import MIB, peak
from tests.security.test_hosts_and_headers import handshake

PEER, PROXY = "203.0.113.9", "10.0.0.1"


class Clock:
    """Seconds since 1970, which pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


def app_with(*middleware: object) -> NexiosApp:
    app = NexiosApp(openapi=None, middleware=middleware)

    @app.get("/")
    async def index(request: Request, response: Response) -> str:
        return "index"

    @app.websocket("/ws")
    async def socket(websocket: Any) -> None:
        await websocket.accept()

    return app


async def ask(app: NexiosApp, peer: str, *forwarded: str, name: bytes = b"x-forwarded-for") -> RawAnswer:
    headers = [(name, value.encode()) for value in forwarded]
    return await call(app, headers=headers, scope_extra={"client": (peer, 4711)})


CLAIMS = [b"x-forwarded-for", b"forwarded", b"x-real-ip", b"true-client-ip", b"cf-connecting-ip", b"client-ip"]


@pytest.mark.parametrize("name", CLAIMS)
async def test_b7_no_header_of_a_client_gives_it_a_new_limit(name: bytes) -> None:
    """CVE-2025-59152, GHSA-hm36-ffrh-c77c; CVE-2023-41338, GHSA-3q5p-3558-364f."""
    app = app_with(RateLimitMiddleware("5/minute", clock=Clock()))

    found = [(await ask(app, PEER, f"192.0.2.{n}", name=name)).status for n in range(100)]

    assert found == [200] * 5 + [429] * 95


async def test_b7_behind_a_proxy_the_last_hop_counts_and_not_the_first() -> None:
    """CVE-2026-27700, GHSA-xh87-mx6m-69f3."""
    app = app_with(ProxyHeaders(trusted=["10.0.0.0/8"]), RateLimitMiddleware("5/minute", clock=Clock()))

    same = [(await ask(app, PROXY, f"192.0.2.{n}, {PEER}")).status for n in range(20)]
    lines = [(await ask(app, PROXY, f"192.0.2.{n}", PEER)).status for n in range(20)]
    local = [(await ask(app, PROXY, f"127.0.0.1, {PEER}")).status]

    assert same == [200] * 5 + [429] * 15
    assert lines + local == [429] * 21
    assert (await ask(app, PROXY, f"{PEER}, 192.0.2.1")).status == 200
    assert (await ask(app, PEER, "192.0.2.99")).status == 429  # the same client, past the proxy


async def test_b7_the_order_of_the_middleware_does_not_matter() -> None:
    app = app_with(RateLimitMiddleware("1/minute", clock=Clock()), ProxyHeaders(trusted=["10.0.0.0/8"]))

    assert [(await ask(app, PROXY, f"192.0.2.{n}")).status for n in (1, 1, 2)] == [200, 429, 200]


async def test_b7_handshakes_count_with_the_requests_of_their_client() -> None:
    app = app_with(RateLimitMiddleware("3/minute", clock=Clock()))
    for _ in range(3):
        await ask(app, PEER)

    first = (await handshake(app, [(b"x-forwarded-for", b"192.0.2.1")], client=(PEER, 1)))[0]

    assert first.get("status") == 429


async def test_b7_k7_one_network_of_ipv6_is_one_client() -> None:
    """A client has 2**64 addresses there, and may use a new one for each request."""
    app = app_with(RateLimitMiddleware("5/minute", clock=Clock()))

    found = [(await ask(app, f"2001:db8:0:7:{n:x}::{n:x}")).status for n in range(1, 21)]

    assert found == [200] * 5 + [429] * 15


class _Peer:
    def __init__(self, host: str) -> None:
        self.client = self
        self.host = host


async def refused(throttle: LoginThrottle, name: str, host: str) -> bool:
    try:
        await throttle.attempt(_Peer(host), name)  # type: ignore[arg-type]
    except TooManyRequests:
        return True
    return False


async def test_k7_guesses_are_counted_by_account_and_by_address() -> None:
    """CVE-2022-31142, CVE-2026-23996: neither many addresses nor many names are a way around."""
    throttle = LoginThrottle(clock=Clock())
    many_addresses = [await refused(throttle, "ada", f"198.51.{n}.1") for n in range(20)]
    many_names = [await refused(throttle, f"user {n}", PEER) for n in range(60)]

    assert many_addresses == [False] * 5 + [True] * 15
    assert many_names == [False] * 50 + [True] * 10


async def test_k7_a_forged_address_gives_no_further_guesses() -> None:
    throttle = LoginThrottle(clock=Clock())
    app = NexiosApp(openapi=None)

    @app.post("/")
    async def sign_in(request: Request, response: Response) -> tuple[str, int]:
        await throttle.attempt(request, request.query_params["name"])
        return "wrong", 401

    found = []
    for n in range(52):
        fields = [(b"x-forwarded-for", f"192.0.2.{n}".encode())]
        answer = await call(app, method="POST", query=f"name=user{n}".encode(), headers=fields)
        found.append(answer.status)

    assert found == [401] * 50 + [429] * 2


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_k8_a_million_keys_take_bounded_memory() -> None:
    counters = MemoryCounters(max_keys=10_000, clock=Clock())
    limit = parse_limit("5/minute")
    for number in range(1_000_000):
        await counters.hit(limit, f"198.51.100.{number}")

    assert len(counters) == 10_000


async def test_k8_the_memory_of_counters_does_not_grow_with_their_keys() -> None:
    counters = MemoryCounters(max_keys=1_000, clock=Clock())
    limit = parse_limit("5/minute")

    with peak() as spent:
        for number in range(30_000):
            await counters.hit(limit, f"198.51.100.{number}")

    assert spent.bytes < MIB


async def test_k8_a_client_cannot_make_a_key_long() -> None:
    app = app_with(RateLimitMiddleware("5/minute", key=lambda connection: connection.headers.get("x-key")))

    with peak() as spent:
        for number in range(200):
            await call(app, headers=[(b"x-key", b"%d" % number * 10_000)])

    assert spent.bytes < 2 * MIB


async def test_k8_the_counts_of_a_login_throttle_are_bounded() -> None:
    store = MemoryStore(max_size=MIB // 4)
    throttle = LoginThrottle(store, in_total=10**9, clock=Clock())
    for number in range(5_000):
        await refused(throttle, f"user {number}", f"10.{number // 250}.{number % 250}.1")

    assert store.size <= MIB // 4


async def test_k8_limits_hold_at_the_edges_of_their_windows() -> None:
    clock = Clock()
    app = app_with(RateLimitMiddleware("5/minute", clock=clock))
    found: list[int] = []
    told: list[str | None] = []
    for second in (0, 0, 0, 0, 59.5, 59.75, 59.999, 60, 60, 71.999, 72, 72, 119.999, 120):
        clock.now = 1_700_000_000.0 + second
        answer = await ask(app, PEER)
        found.append(answer.status)
        told.append(answer.header("retry-after"))

    assert found == [200] * 5 + [429, 429, 200, 429, 429, 200, 429, 200, 200]
    assert told == [None] * 5 + ["1", "1", None, "12", "1", None, "12", None, None]


async def test_k8_whoever_comes_back_when_it_is_told_is_served() -> None:
    clock = Clock()
    app = app_with(RateLimitMiddleware("2/second", "5/minute", "8/hour", clock=clock))
    waits: list[int] = []
    served = 0
    while served < 20:
        answer = await ask(app, PEER)
        if answer.status == 429:
            waits.append(int(answer.header("retry-after") or 0))
            clock.now += waits[-1]
            answer = await ask(app, PEER)
            assert answer.status == 200 or int(answer.header("retry-after") or 0) > 1  # of a longer limit
        served += answer.status == 200

    assert min(waits) >= 1


async def test_r10_a_request_that_takes_too_long_ends_with_503() -> None:
    clock, seen = LoopClock(), list[str]()
    app = NexiosApp(openapi=None, middleware=[TimeoutMiddleware(30)])

    @app.get("/")
    async def slow(request: Request, response: Response) -> str:
        try:
            clock.advance(31)
            await asyncio.Event().wait()
        finally:
            seen.append("cleaned up")
        return "never"

    answer = await call(app, timeout=1e9)

    assert (answer.status, answer.complete, seen) == (503, True, ["cleaned up"])
