"""Overrides: for the whole app, for a block and for one client, each of which holds for nobody else."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Annotated, Any

import pytest

from nexios import Depend, NexiosApp, Query, Request, Response
from nexios.errors import ConfigurationError
from nexios.testing import TestClient
from tests.injection.injection_kit import Trace, ask, one_route


def get_name() -> str:
    return "real"


def get_greeting(name: str = Depend(get_name)) -> str:
    return f"hello {name}"


def named(name: str) -> Callable[[], str]:
    return lambda: name


async def greet(greeting: str = Depend(get_greeting)) -> str:
    return greeting


def greeter() -> NexiosApp:
    return one_route(greet)


async def greeting_of(app: NexiosApp) -> str:
    return (await ask(app)).body.decode()


# Three ways


@pytest.mark.parametrize("compiled", ["before", "after"])
async def test_an_item_of_the_app_holds_for_all_until_it_is_deleted(compiled: str) -> None:
    app = greeter()
    if compiled == "before":
        assert await greeting_of(app) == "hello real"

    app.dependency_overrides[get_name] = named("fake")
    assert await greeting_of(app) == "hello fake"
    assert (await TestClient(app).get("/")).text == "hello fake"
    app.dependency_overrides[get_name] = named("another")
    assert await greeting_of(app) == "hello another"
    del app.dependency_overrides[get_name]

    assert await greeting_of(app) == "hello real"


async def test_a_block_holds_for_the_code_in_it_and_is_over_after_it() -> None:
    app = greeter()

    with app.override({get_name: named("fake")}):
        assert await greeting_of(app) == "hello fake"
        with app.override({get_name: named("inner")}):
            assert await greeting_of(app) == "hello inner"
        with app.override({get_greeting: named("other")}):
            assert await greeting_of(app) == "other"
        assert await greeting_of(app) == "hello fake"

    assert await greeting_of(app) == "hello real"


async def test_a_block_is_over_after_an_exception_too() -> None:
    app = greeter()

    with pytest.raises(ValueError), app.override({get_name: named("fake")}):
        raise ValueError

    assert await greeting_of(app) == "hello real"
    assert app.dependency_overrides == {}


async def test_a_client_has_overrides_of_its_own() -> None:
    app = greeter()

    async with (
        TestClient(app, overrides={get_name: named("one")}) as one,
        TestClient(app, overrides={get_name: named("two")}) as two,
        TestClient(app) as plain,
    ):
        texts = [(await client.get("/")).text for client in (one, two, plain, one)]

    assert texts == ["hello one", "hello two", "hello real", "hello one"]
    assert await greeting_of(app) == "hello real"


async def test_what_holds_for_less_has_the_last_word() -> None:
    app = greeter()
    app.dependency_overrides[get_name] = named("app")

    async with TestClient(app, overrides={get_name: named("client")}) as client:
        assert (await client.get("/")).text == "hello client"
        with app.override({get_name: named("block")}):
            assert (await client.get("/")).text == "hello block"
    assert await greeting_of(app) == "hello app"


def test_all_three_work_with_a_synchronous_client() -> None:
    app = greeter()

    with TestClient(app, overrides={get_name: named("client")}) as client:
        assert client.get("/").text == "hello client"
        with app.override({get_name: named("block")}):
            assert client.get("/").text == "hello block"
        assert client.get("/").text == "hello client"
    with app.override({get_name: named("outside")}):
        with TestClient(app) as client:
            assert client.get("/").text == "hello outside"
    app.dependency_overrides[get_name] = named("app")
    with TestClient(app) as client:
        assert client.get("/").text == "hello app"


# Nobody sees another's


async def test_blocks_in_tasks_side_by_side_do_not_see_each_other() -> None:
    app = greeter()
    entered, total = 0, 20
    all_entered = asyncio.Event()

    async def visit(name: str) -> str:
        nonlocal entered
        with app.override({get_name: named(name)}):
            entered += 1
            if entered == total:
                all_entered.set()
            await all_entered.wait()
            first = await greeting_of(app)
            await asyncio.sleep(0)
            assert await greeting_of(app) == first
            return first

    async def plain() -> str:
        await all_entered.wait()
        return await greeting_of(app)

    *texts, real = await asyncio.gather(*(visit(str(number)) for number in range(total)), plain())

    assert texts == [f"hello {number}" for number in range(total)]
    assert real == "hello real"


async def test_clients_side_by_side_do_not_see_each_other() -> None:
    app = greeter()
    entered, total = 0, 10
    all_entered = asyncio.Event()

    async def visit(number: int) -> list[str]:
        nonlocal entered
        async with TestClient(app, overrides={get_name: named(str(number))}) as client:
            entered += 1
            if entered == total:
                all_entered.set()
            await all_entered.wait()
            return [(await client.get("/")).text for _ in range(5)]

    texts = await asyncio.gather(*(visit(number) for number in range(total)))

    assert texts == [[f"hello {number}"] * 5 for number in range(total)]


async def test_a_task_that_is_started_in_a_block_keeps_what_holds_in_it() -> None:
    app = greeter()
    may_ask = asyncio.Event()

    async def later() -> str:
        await may_ask.wait()
        return await greeting_of(app)

    with app.override({get_name: named("fake")}):
        task = asyncio.ensure_future(later())
    may_ask.set()

    assert await task == "hello fake"
    assert await greeting_of(app) == "hello real"


async def test_nothing_leaks_from_one_app_to_another() -> None:
    one, other = greeter(), greeter()

    with one.override({get_name: named("one")}):
        assert [await greeting_of(one), await greeting_of(other)] == ["hello one", "hello real"]
        with other.override({get_name: named("other")}):
            assert [await greeting_of(one), await greeting_of(other)] == ["hello one", "hello other"]
    one.dependency_overrides[get_name] = named("one")
    assert [await greeting_of(one), await greeting_of(other)] == ["hello one", "hello real"]


# What is overridden


class Pool:
    """Made once for the app."""

    def __init__(self, trace: Trace) -> None:
        trace.append("real pool")


@pytest.mark.parametrize("way", ["item", "block", "client"])
async def test_a_real_provider_of_the_app_never_runs_when_it_is_replaced_before_the_start(way: str) -> None:
    trace: Trace = []

    async def get_pool() -> AsyncIterator[str]:
        trace.append("open real")
        yield "real"
        trace.append("close real")

    async def fake_pool() -> AsyncIterator[str]:
        trace.append("open fake")
        yield "fake"
        trace.append("close fake")

    async def handler(pool: str = Depend(get_pool, scope="app")) -> str:
        return pool

    app = one_route(handler)
    if way == "item":
        app.dependency_overrides[get_pool] = fake_pool
    with app.override({get_pool: fake_pool} if way == "block" else {}):
        async with TestClient(app, overrides={get_pool: fake_pool} if way == "client" else {}) as client:
            assert trace == ["open fake"]
            assert [(await client.get("/")).text for _ in range(2)] == ["fake", "fake"]
    assert trace == ["open fake", "close fake"]


async def test_a_value_of_the_app_that_is_not_replaced_is_shared_with_those_who_replace_others() -> None:
    made: list[int] = []

    def get_pool() -> int:
        made.append(1)
        return len(made)

    async def handler(pool: int = Depend(get_pool, scope="app"), name: str = Depend(get_name)) -> list[Any]:
        return [pool, name]

    app = one_route(handler)
    await app.engine.start()
    assert (await ask(app)).json() == [1, "real"]
    with app.override({get_name: named("fake")}):
        assert (await ask(app)).json() == [1, "fake"]
    await app.engine.stop()

    assert made == [1]


async def test_a_value_of_the_app_that_is_replaced_after_the_start_is_made_beside_the_real_one() -> None:
    trace: Trace = []

    def pool(name: str) -> Callable[..., Any]:
        async def provider() -> AsyncIterator[str]:
            trace.append(f"open {name}")
            yield name
            trace.append(f"close {name}")

        return provider

    get_pool, fake_pool = pool("real"), pool("fake")

    async def handler(value: str = Depend(get_pool, scope="app")) -> str:
        return value

    app = one_route(handler)
    await app.engine.start()
    with app.override({get_pool: fake_pool}):
        assert [await greeting_of(app) for _ in range(2)] == ["fake", "fake"]
    assert await greeting_of(app) == "real"
    await app.engine.stop()

    assert trace == ["open real", "open fake", "close fake", "close real"]


class Session:
    """Provided by its type."""

    def __init__(self, name: str) -> None:
        self.name = name


@pytest.mark.parametrize("key", ["type", "provider"])
async def test_a_provided_type_is_replaced_by_its_type_or_by_its_provider(key: str) -> None:
    def get_session() -> Session:
        return Session("real")

    app = NexiosApp()
    app.provide(Session, get_session)

    @app.get("/")
    async def handler(session: Session) -> str:
        return session.name

    replaced: Any = Session if key == "type" else get_session
    with app.override({replaced: lambda: Session("fake")}):
        assert await greeting_of(app) == "fake"
    assert await greeting_of(app) == "real"


async def test_a_class_that_is_its_own_provider_is_replaced() -> None:
    class Clock:
        def now(self) -> int:
            return 1

    class FixedClock(Clock):
        def now(self) -> int:
            return 7

    async def handler(clock: Annotated[Clock, Depend()]) -> int:
        return clock.now()

    app = one_route(handler)
    with app.override({Clock: FixedClock}):
        assert (await ask(app)).json() == 7


async def test_a_replacement_has_dependencies_and_inputs_of_its_own() -> None:
    def fake(greeting: str = Depend(named("hi")), q: int = Query(), x: str = "x") -> str:
        return f"{greeting} {q} {x}"

    app = greeter()
    with app.override({get_name: fake}):
        assert (await ask(app, query=b"q=5")).body == b"hello hi 5 x"
        assert (await ask(app)).status == 422
    assert await greeting_of(app) == "hello real"


async def test_a_replacement_may_be_of_another_form_and_is_closed() -> None:
    trace: Trace = []

    async def fake() -> AsyncIterator[str]:
        yield "fake"
        trace.append("close")

    app = greeter()
    with app.override({get_name: fake}):
        assert await greeting_of(app) == "hello fake"
    assert trace == ["close"]


@dataclass
class Fixed:
    """A fake that is equal to others, and so has no hash."""

    name: str

    def __call__(self) -> str:
        return self.name


async def test_a_replacement_may_be_an_object_without_a_hash() -> None:
    app = greeter()

    for name in ("one", "two"):
        with app.override({get_name: Fixed(name)}):
            assert await greeting_of(app) == f"hello {name}"
    app.dependency_overrides[get_name] = Fixed("three")
    assert await greeting_of(app) == "hello three"


async def test_a_guard_a_middleware_an_exception_handler_and_a_listener_get_the_replacement() -> None:
    trace: Trace = []

    async def guard(name: str = Depend(get_name)) -> None:
        trace.append(f"guard {name}")

    async def middleware(request: Request, response: Response, call_next: Any, name: str = Depend(get_name)) -> Any:
        trace.append(f"middleware {name}")
        return await call_next()

    async def on_error(request: Request, response: Response, exc: Exception, name: str = Depend(get_name)) -> str:
        return f"error {name}"

    async def on_request(request: Request, *rest: object, name: str = Depend(get_name)) -> None:
        trace.append(f"listener {name}")

    async def handler(request: Request, response: Response) -> None:
        raise LookupError

    app = NexiosApp(dependencies=[Depend(guard)], exception_handlers={LookupError: on_error})
    app.get("/")(handler)
    app.add_middleware(middleware)
    app.event_emitter.on("request.started", on_request)

    for name in ("fake", "real"):
        with app.override({get_name: named("fake")} if name == "fake" else {}):
            assert await greeting_of(app) == f"error {name}"
        assert trace == [f"listener {name}", f"middleware {name}", f"guard {name}"]
        trace.clear()


async def test_what_is_injected_elsewhere_gets_the_replacement() -> None:
    app = greeter()

    async def job(name: str = Depend(get_name)) -> str:
        return name

    with app.override({get_name: named("fake")}):
        assert await app.inject(job) == "fake"
    async with TestClient(app, overrides={get_name: named("client")}):
        assert await app.inject(job) == "client"
    assert await app.inject(job) == "real"


@pytest.mark.parametrize("way", ["item", "block"])
async def test_the_overrides_of_a_mounted_app_hold_below_its_mount(way: str) -> None:
    app, below = NexiosApp(), greeter()
    app.get("/")(greet)
    app.mount("/below", below)

    async def greetings() -> list[str]:
        return [(await ask(app, path)).body.decode() for path in ("/", "/below/")]

    assert await greetings() == ["hello real", "hello real"]
    if way == "item":
        below.dependency_overrides[get_name] = named("fake")
        assert await greetings() == ["hello real", "hello fake"]
        del below.dependency_overrides[get_name]
    else:
        with below.override({get_name: named("fake")}):
            assert await greetings() == ["hello real", "hello fake"]
    with app.override({get_name: named("above")}):
        assert await greetings() == ["hello above", "hello real"]
    assert await greetings() == ["hello real", "hello real"]


async def test_the_pool_of_a_mounted_app_is_replaced_before_it_starts() -> None:
    trace: Trace = []

    def get_pool() -> str:
        trace.append("real pool")
        return "real"

    async def handler(pool: str = Depend(get_pool, scope="app")) -> str:
        return pool

    app, below = NexiosApp(), one_route(handler)
    app.mount("/below", below)
    below.dependency_overrides[get_pool] = named("fake")

    async with TestClient(app) as client:
        assert (await client.get("/below/")).text == "fake"
    assert trace == []


async def test_a_replacement_that_needs_what_it_replaces_is_a_circle() -> None:
    def fake(name: str = Depend(get_name)) -> str:
        return name

    app = greeter()
    with app.override({get_name: fake}), pytest.raises(ConfigurationError, match="circle: fake -> fake"):
        assert app.engine
