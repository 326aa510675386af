"""RateLimitMiddleware: its options, headers, keys and places, and what it does while its engine is away."""

import logging
from typing import Any

import pytest

from nexios import NexiosApp, Request, Response, Router
from nexios.auth import AuthBackend, AuthenticationMiddleware
from nexios.errors import ConfigurationError
from nexios.middleware import CORSMiddleware, RateLimitMiddleware, by_user
from nexios.middleware.rate_limit_counters import Hit, Limit, MemoryCounters
from nexios.stores.base import StoreUnavailable
from nexios.testing import TestClient
from nexios.testing.raw import RawAnswer, call
from nexios.websockets import WebSocket
from tests.security.test_hosts_and_headers import handshake


class Clock:
    """Seconds, which pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Flaky(MemoryCounters):
    """Counters whose engine can be taken away."""

    def __init__(self) -> None:
        super().__init__()
        self.away = False
        self.asked = 0
        self.users = 0

    async def start(self) -> None:
        self.users += 1

    async def stop(self) -> None:
        self.users -= 1

    async def hit(self, limit: Limit, key: str) -> Hit:
        self.asked += 1
        if self.away:
            raise StoreUnavailable
        return await super().hit(limit, key)


def app_with(*middleware: object, **options: Any) -> NexiosApp:
    app = NexiosApp(openapi=None, middleware=middleware, **options)

    @app.get("/")
    async def index(request: Request, response: Response) -> str:
        return "index"

    @app.websocket("/ws")
    async def socket(websocket: WebSocket) -> None:
        await websocket.accept()

    return app


async def ask(app: NexiosApp, path: str = "/", peer: Any = ("203.0.113.9", 4711), **fields: str) -> RawAnswer:
    headers = [(name.encode(), value.encode()) for name, value in fields.items()]
    return await call(app, path=path, headers=headers, scope_extra={"client": peer})


async def statuses(app: NexiosApp, times: int, **options: Any) -> list[int]:
    return [(await ask(app, **options)).status for _ in range(times)]


async def test_answers_say_what_is_left_and_what_the_limits_are() -> None:
    """draft-ietf-httpapi-ratelimit-headers-11, sections 3 and 4."""
    clock = Clock()
    app = app_with(RateLimitMiddleware("100/hour", "3/minute", clock=clock))

    await ask(app)
    clock.now += 20
    answer = await ask(app)

    assert answer.header("ratelimit-policy") == '"3/minute";q=3;w=60, "100/hour";q=100;w=3600'
    assert answer.header("ratelimit") == '"3/minute";r=1;t=40, "100/hour";r=98;t=3580'
    assert answer.header("retry-after") is None


async def test_what_is_over_a_limit_gets_a_problem_and_a_time_to_come_back() -> None:
    clock = Clock()
    app = app_with(RateLimitMiddleware("1/minute", name="page", clock=clock))
    await ask(app)
    clock.now += 20.5

    answer = await ask(app)

    assert answer.status == 429
    assert answer.header("content-type") == "application/problem+json"
    assert answer.json() == {
        "type": "about:blank",
        "title": "Too Many Requests",
        "status": 429,
        "detail": "Too many requests. Try again later.",
        "code": "too_many_requests",
    }
    assert answer.header("retry-after") == "40"
    assert answer.header("ratelimit-policy") == '"page:1/minute";q=1;w=60'
    assert answer.header("ratelimit") == '"page:1/minute";r=0;t=40'


async def test_what_is_refused_is_not_counted_in_longer_limits() -> None:
    clock = Clock()
    app = app_with(RateLimitMiddleware("1/second", "3/hour", clock=clock))

    found = []
    for _ in range(4):
        found.append(await statuses(app, 3))
        clock.now += 2

    assert found == [[200, 429, 429], [200, 429, 429], [200, 429, 429], [429, 429, 429]]


async def test_errors_count_and_say_what_is_left_too() -> None:
    app = app_with(RateLimitMiddleware("2/minute", clock=Clock()))

    answers = [await ask(app, "/nowhere") for _ in range(3)]

    assert [answer.status for answer in answers] == [404, 404, 429]
    assert answers[0].header("ratelimit") == '"2/minute";r=1;t=60'


async def test_limits_of_app_router_and_route_all_hold() -> None:
    app = app_with(RateLimitMiddleware("9/minute"))
    router = Router(prefix="/r", middleware=[RateLimitMiddleware("4/minute", name="router")])

    @router.get("/a")
    async def a(request: Request, response: Response) -> str:
        return "a"

    @router.get("/b", middleware=[RateLimitMiddleware("2/minute", name="b")])
    async def b(request: Request, response: Response) -> str:
        return "b"

    app.include_router(router)

    assert await statuses(app, 3, path="/r/b") == [200, 200, 429]
    assert await statuses(app, 2, path="/r/a") == [200, 429]
    assert await statuses(app, 5) == [200, 200, 200, 200, 429]


async def test_headers_of_limits_around_each_other_are_one_list() -> None:
    app = app_with(RateLimitMiddleware("9/minute", clock=Clock()))

    @app.get("/x", middleware=[RateLimitMiddleware("2/minute", name="x", clock=Clock())])
    async def x(request: Request, response: Response) -> str:
        return "x"

    answer = await ask(app, "/x")

    assert answer.header("ratelimit-policy") == '"9/minute";q=9;w=60, "x:2/minute";q=2;w=60'
    assert answer.header("ratelimit") == '"9/minute";r=8;t=60, "x:2/minute";r=1;t=60'


async def test_a_route_without_a_limit_has_nothing_of_it_in_its_way() -> None:
    asked: list[str] = []
    app = app_with()

    @app.get("/x", middleware=[RateLimitMiddleware("2/minute", key=lambda connection: asked.append(connection.path))])
    async def x(request: Request, response: Response) -> str:
        return "x"

    answers = [await ask(app, path) for path in ("/", "/x", "/nowhere")]

    assert asked == ["/x"]
    assert answers[0].headers == [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"5")]


async def test_addresses_count_alone_and_networks_of_ipv6_together() -> None:
    app = app_with(RateLimitMiddleware("1/minute"))
    peers = [
        *("203.0.113.9", "203.0.113.10", "::ffff:203.0.113.9", "2001:db8::1", "2001:db8::2", "2001:DB8:0:0:9::1"),
        *("2001:db8:0:1::1", "fe80::1%eth0", "fe80::1%eth1", "/run/app.sock"),
    ]

    found = [(await ask(app, peer=(peer, 1))).status for peer in peers]

    assert found == [200, 200, 429, 200, 429, 429, 200, 200, 429, 200]


async def test_clients_without_an_address_are_one() -> None:
    app = app_with(RateLimitMiddleware("1/minute"))

    assert await statuses(app, 2, peer=None) == [200, 429]


class Names(AuthBackend):
    """Takes a name at its word."""

    async def authenticate(self, request: Any) -> Any:
        name = request.headers.get("name")
        return None if name is None else {"name": name}


async def test_users_count_wherever_they_are_and_strangers_by_address() -> None:
    limit = RateLimitMiddleware("1/minute", key=by_user(lambda user: user["name"]))
    app = app_with(AuthenticationMiddleware, limit)
    app.auth_backend = Names()

    assert (await ask(app, name="ada")).status == 200
    assert (await ask(app, peer=("203.0.113.77", 1), name="ada")).status == 429
    assert (await ask(app, name="bob")).status == 200
    assert await statuses(app, 2) == [200, 429]


async def test_no_name_of_a_user_is_the_address_of_another() -> None:
    app = app_with(AuthenticationMiddleware, RateLimitMiddleware("1/minute", key=by_user(lambda user: user["name"])))
    app.auth_backend = Names()

    assert (await ask(app, name="203.0.113.9")).status == 200
    assert (await ask(app)).status == 200


async def test_a_key_may_be_anything_and_none_is_without_a_limit() -> None:
    app = app_with(RateLimitMiddleware("1/minute", key=lambda connection: connection.headers.get("x")))

    assert await statuses(app, 3) == [200, 200, 200]
    assert await statuses(app, 2, x="a" * 5000) == [200, 429]
    assert await statuses(app, 2, x="a" * 5001) == [200, 429]
    assert (await ask(app)).header("ratelimit") is None
    assert [(await handshake(app, []))[0]["type"] for _ in range(3)] == ["websocket.accept"] * 3


async def test_handshakes_of_websockets_count_too() -> None:
    app = app_with(RateLimitMiddleware("2/minute", clock=Clock()))

    first = [(await handshake(app, [])) for _ in range(3)]

    assert [messages[0]["type"] for messages in first] == [
        *("websocket.accept", "websocket.accept", "websocket.http.response.start")
    ]
    refusal = first[2][0]
    assert (refusal["status"], (b"retry-after", b"60") in refusal["headers"]) == (429, True)


async def test_a_refusal_passes_middleware_around_it() -> None:
    cors = CORSMiddleware(allow_origins=["https://app.example"])
    app = app_with(cors, RateLimitMiddleware("1/minute"))

    answers = [await ask(app, origin="https://app.example") for _ in range(2)]

    assert [answer.status for answer in answers] == [200, 429]
    assert answers[1].header("access-control-allow-origin") == "https://app.example"


async def test_two_limits_of_one_name_in_the_same_counters_count_together() -> None:
    counters = MemoryCounters()
    app = app_with()
    for path in ("/a", "/b"):
        limit = RateLimitMiddleware("2/minute", name="both", counters=counters)
        app.get(path, middleware=[limit])(lambda request, response: "text")
    other = RateLimitMiddleware("2/minute", name="other", counters=counters)
    app.get("/c", middleware=[other])(lambda request, response: "text")

    found = [(await ask(app, path)).status for path in ("/a", "/b", "/a", "/b", "/c")]

    assert found == [200, 200, 429, 429, 200]


def test_the_counters_are_open_while_the_app_runs() -> None:
    counters = Flaky()
    app = app_with(RateLimitMiddleware("2/minute", name="all", counters=counters))

    with TestClient(app) as client:
        assert (client.get("/").status_code, counters.users) == (200, 1)
    assert counters.users == 0


def test_an_app_that_is_started_anew_has_counted_nothing() -> None:
    app = app_with(RateLimitMiddleware("1/hour"))

    for _ in range(2):
        with TestClient(app) as client:
            assert [client.get("/").status_code for _ in range(2)] == [200, 429]


def test_the_counters_of_a_route_are_open_too() -> None:
    counters = Flaky()
    app = app_with()
    limit = RateLimitMiddleware("2/minute", name="x", counters=counters)
    app.get("/x", middleware=[limit])(lambda request, response: "x")

    with TestClient(app) as client:
        assert ([client.get("/x").status_code for _ in range(3)], counters.users) == ([200, 200, 429], 1)
    assert counters.users == 0


async def test_while_the_engine_is_away_each_process_counts_for_itself(caplog: pytest.LogCaptureFixture) -> None:
    clock, counters = Clock(), Flaky()
    app = app_with(RateLimitMiddleware("2/minute", name="all", counters=counters, clock=clock))
    assert await statuses(app, 1) == [200]

    counters.away = True
    with caplog.at_level(logging.WARNING, "nexios"):
        assert await statuses(app, 3) == [200, 200, 429]

    assert [record.message for record in caplog.records] == [
        "the engine of the rate limits is away; until it is back, each process counts for itself"
    ]
    assert counters.asked == 2  # it is not asked again at once

    clock.now += 1
    assert (await statuses(app, 2), counters.asked, len(caplog.records)) == ([429, 429], 3, 1)

    counters.away = False
    clock.now += 1
    assert (await statuses(app, 2), counters.asked) == ([200, 429], 5)


async def test_an_app_may_refuse_all_while_the_engine_is_away() -> None:
    counters = Flaky()
    app = app_with(RateLimitMiddleware("2/minute", name="all", counters=counters, when_unavailable="refuse"))
    counters.away = True

    answer = await ask(app)

    assert (answer.status, answer.json()["code"]) == (503, "service_unavailable")
    counters.away = False
    assert await statuses(app, 3) == [200, 200, 429]


async def async_key(connection: Any) -> str:
    return "key"


@pytest.mark.parametrize(
    ("limits", "options", "words"),
    [
        ([], {}, "needs a limit"),
        (["5 per minute"], {}, "is no limit"),
        (["5/minute", "6/60 seconds"], {}, "each for another time"),
        (["5/minute"], {"name": 'a"b'}, "'name'"),
        (["5/minute"], {"name": "a b"}, "'name'"),
        (["5/minute"], {"key": "user"}, "'key'"),
        (["5/minute"], {"key": async_key}, "not async"),
        (["5/minute"], {"when_unavailable": "open"}, "when_unavailable"),
        (["5/minute"], {"counters": MemoryCounters()}, 'name="sign-in"'),
    ],
    ids=["none", "words", "twice", "quote", "space", "no-key", "async-key", "unknown-choice", "nameless"],
)
def test_a_wrong_option_is_refused(limits: list[str], options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        RateLimitMiddleware(*limits, **options)


def test_a_limit_that_is_none_is_an_error_of_the_start() -> None:
    app = app_with()
    app.add_middleware(RateLimitMiddleware, "often")

    with pytest.raises(ConfigurationError, match="'often' is no limit"):
        _ = app.engine


def test_the_limits_are_shown() -> None:
    assert repr(RateLimitMiddleware("5/minute", name="a")) == '<RateLimitMiddleware "a:5/minute";q=5;w=60>'
