"""`limit=` and `thread=`: a cap that holds, a queue that ends, and threads that never wait for each other."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from nexios import Depend, HTTPException, NexiosApp, Request, Response
from nexios.errors import ServiceUnavailable
from nexios.testing import TestClient
from tests.injection.injection_kit import Trace, ask, one_route
from tests.security.kit import Cancelling, until


class Connections:
    """Counts what is open at once."""

    def __init__(self) -> None:
        self.open = 0
        self.most = 0

    def _enter(self) -> None:
        self.open += 1
        self.most = max(self.most, self.open)

    async def get(self) -> AsyncIterator[None]:
        self._enter()
        await asyncio.sleep(0)
        yield
        await asyncio.sleep(0)
        self.open -= 1

    def get_value(self) -> int:
        self._enter()
        return self.open


@pytest.mark.parametrize("scope", ["handler", "request"])
async def test_a_limit_holds_however_many_ask(scope: Any) -> None:
    connections = Connections()

    async def handler(one: None = Depend(connections.get, limit=3, wait=30, scope=scope)) -> str:
        await asyncio.sleep(0)
        return "whole"

    app = one_route(handler)
    answers = await asyncio.gather(*(ask(app) for _ in range(50)))

    assert {answer.status for answer in answers} == {200}
    assert (connections.most, connections.open) == (3, 0)


@pytest.mark.parametrize("cache", [True, False])
async def test_a_limit_is_one_for_all_routes_that_ask_for_the_provider(cache: bool) -> None:
    connections = Connections()

    async def handler(one: None = Depend(connections.get, limit=2, wait=30, cache=cache)) -> str:
        await asyncio.sleep(0)
        return "whole"

    async def other(id: int, again: None = Depend(connections.get, limit=2, wait=30, cache=cache)) -> str:
        await asyncio.sleep(0)
        return "whole"

    app = NexiosApp()
    app.get("/a")(handler)
    app.post("/b")(handler)
    app.get("/c/{id:int}")(other)
    answers = await asyncio.gather(
        *(ask(app, path, method=method) for path, method in [("/a", "GET"), ("/b", "POST"), ("/c/1", "GET")] * 10)
    )

    assert {answer.status for answer in answers} == {200}
    assert connections.most == 2


async def test_a_place_is_held_until_the_scope_ends() -> None:
    """A value of the request is in use until the last byte, by a stream for one."""
    connections = Connections()

    async def chunks() -> AsyncIterator[str]:
        assert connections.open == 1
        yield "chunk"
        connections.open -= 1

    async def handler(
        request: Request, response: Response, one: int = Depend(connections.get_value, limit=1, wait=30)
    ) -> Response:
        return response.stream(chunks())

    app = one_route(handler)
    answers = await asyncio.gather(*(ask(app) for _ in range(5)))

    assert [answer.body for answer in answers] == [b"chunk"] * 5
    assert connections.most == 1


@pytest.mark.parametrize(("wait", "retry_after"), [(0, "1"), (0.01, "1"), (1.2, "2"), (59.5, "60")])
async def test_who_waits_too_long_is_sent_away_with_503_and_told_when_to_come_back(
    wait: float, retry_after: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    timeout, waited = asyncio.timeout, []

    def at_once(seconds: float) -> Any:
        waited.append(seconds)
        return timeout(0)

    connections, may_end = Connections(), asyncio.Event()

    async def handler(one: None = Depend(connections.get, limit=1, wait=wait)) -> str:
        await may_end.wait()
        return "whole"

    app = one_route(handler)
    first = asyncio.ensure_future(ask(app))
    await until(lambda: connections.open)
    monkeypatch.setattr(asyncio, "timeout", at_once)
    refused = await ask(app)
    monkeypatch.undo()
    may_end.set()

    assert (refused.status, refused.header("retry-after"), waited) == (503, retry_after, [wait])
    assert (await first).status == 200
    assert (await ask(app)).status == 200


async def test_without_waiting_a_free_place_is_taken() -> None:
    connections = Connections()

    async def handler(one: None = Depend(connections.get, limit=1, wait=0)) -> str:
        return "whole"

    app = one_route(handler)

    assert [(await ask(app)).status for _ in range(3)] == [200, 200, 200]


@pytest.mark.parametrize("where", ["before the yield", "after the yield", "handler", "input", "guard", "value"])
async def test_the_place_is_free_again_whatever_fails(where: str) -> None:
    async def connection() -> AsyncIterator[None]:
        if where == "before the yield":
            raise LookupError
        yield
        if where == "after the yield":
            raise LookupError

    def value() -> None:
        if where == "value":
            raise LookupError

    def guard() -> None:
        if where == "guard":
            raise HTTPException(403)

    def needs_input(number: int) -> None: ...

    async def handler(
        one: None = Depend(connection, limit=1, wait=0),
        two: None = Depend(value, limit=1, wait=0),
        three: None = Depend(guard),
        four: None = Depend(needs_input if where == "input" else guard),
    ) -> str:
        if where == "handler":
            raise LookupError
        return "whole"

    app = one_route(handler)

    statuses = {(await ask(app)).status for _ in range(3)}
    assert statuses == {{"input": 422, "guard": 403, "after the yield": 200}.get(where, 500)}


async def test_the_place_is_free_again_wherever_a_request_is_cancelled() -> None:
    connections = Connections()

    async def handler(one: None = Depend(connections.get, limit=1, wait=0)) -> str:
        await asyncio.sleep(0)
        return "whole"

    app = one_route(handler)
    for step in range(50):
        cancelling = Cancelling(app, step)
        await ask(cancelling)  # type: ignore[arg-type]
        assert (await ask(app)).status == 200, step
        if not cancelling.cancelled:
            break
    assert 2 < step < 50


async def test_who_waits_and_is_cancelled_takes_no_place() -> None:
    connections, may_end = Connections(), asyncio.Event()

    async def handler(one: None = Depend(connections.get, limit=1, wait=30)) -> str:
        await may_end.wait()
        return "whole"

    app = one_route(handler)

    async def job(one: None = Depend(connections.get, limit=1, wait=30)) -> None: ...

    first = asyncio.ensure_future(ask(app))
    await until(lambda: connections.open)
    waiting = asyncio.ensure_future(app.inject(job))
    for _ in range(5):
        await asyncio.sleep(0)
    waiting.cancel()
    may_end.set()

    assert (await first).status == 200
    assert waiting.cancelled()
    await app.inject(job)
    assert connections.most == 1


async def test_a_refusal_for_want_of_a_place_is_an_error_of_its_own_class() -> None:
    connections, may_end = Connections(), asyncio.Event()
    app = NexiosApp()

    async def hold(one: None = Depend(connections.get, limit=1, wait=0)) -> None:
        await may_end.wait()

    first = asyncio.ensure_future(app.inject(hold))
    await until(lambda: connections.open)
    with pytest.raises(ServiceUnavailable):
        await app.inject(hold)
    may_end.set()
    await first


# Threads


def in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


class Managed:
    """A class made elsewhere."""

    def __init__(self) -> None:
        self.made_in_main = in_main_thread()


@pytest.mark.parametrize("thread", [True, False])
async def test_a_provider_runs_on_the_loop_unless_it_asked_for_a_thread(thread: bool) -> None:
    def provider() -> bool:
        return in_main_thread()

    def generator() -> Iterator[bool]:
        yield in_main_thread()

    async def handler(
        value: bool = Depend(provider, thread=thread),
        opened: bool = Depend(generator, thread=thread),
        managed: Managed = Depend(Managed, thread=thread),
    ) -> list[bool]:
        return [value, opened, managed.made_in_main, in_main_thread()]

    assert (await ask(one_route(handler))).json() == [not thread] * 3 + [True]


async def test_a_provider_in_a_thread_does_not_hold_the_loop() -> None:
    may_go_on = threading.Event()

    def blocking() -> str:
        return "value" if may_go_on.wait(20) else "nobody came"

    async def handler(value: str = Depend(blocking, thread=True)) -> str:
        return value

    async def free(request: Request, response: Response) -> str:
        may_go_on.set()
        return "free"

    app = NexiosApp()
    app.get("/blocking")(handler)
    app.get("/free")(free)
    first = asyncio.ensure_future(ask(app, "/blocking"))

    assert (await ask(app, "/free")).body == b"free"
    assert (await first).body == b"value"


@pytest.mark.parametrize("kind", ["handler in a thread", "handler on the loop"])
@pytest.mark.parametrize("scope", ["handler", "request"])
async def test_many_generators_in_few_threads_do_not_wait_for_each_other(kind: str, scope: Any) -> None:
    """With one pool for opening and closing, all threads open and nobody can close (peers.md, pain 17)."""
    connections = Connections()
    lock = threading.Lock()

    def connection() -> Iterator[None]:
        with lock:
            connections._enter()
        yield
        with lock:
            connections.open -= 1

    def in_thread(
        one: None = Depend(connection, thread=True, scope=scope),
        two: None = Depend(connection, thread=True, scope=scope, cache=False),
    ) -> str:
        return "whole"

    async def on_loop(
        one: None = Depend(connection, thread=True, scope=scope),
        two: None = Depend(connection, thread=True, scope=scope, cache=False),
    ) -> str:
        await asyncio.sleep(0)
        return "whole"

    app = NexiosApp(thread_limit=2)
    handler: Callable[..., Any] = in_thread if kind == "handler in a thread" else on_loop
    app.add_route("/", handler)
    async with asyncio.timeout(30):
        answers = await asyncio.gather(*(ask(app) for _ in range(60)))

    assert {answer.status for answer in answers} == {200}
    assert connections.open == 0


async def test_a_generator_is_closed_while_all_threads_are_busy() -> None:
    trace: Trace = []
    reached, may_go_on = threading.Semaphore(0), threading.Event()
    in_handler, may_return = asyncio.Event(), asyncio.Event()

    def connection() -> Iterator[None]:
        yield
        trace.append("close")

    def busy() -> None:
        reached.release()
        may_go_on.wait(20)

    async def handler(one: None = Depend(connection, thread=True)) -> str:
        in_handler.set()
        await may_return.wait()
        return "whole"

    async def blocking(value: None = Depend(busy, thread=True)) -> str:
        return "was busy"

    app = NexiosApp(thread_limit=2)
    app.get("/")(handler)
    app.get("/busy")(blocking)
    async with TestClient(app) as client:
        first = asyncio.ensure_future(client.get("/"))
        await in_handler.wait()
        blocked = [asyncio.ensure_future(client.get("/busy")) for _ in range(4)]
        for _ in range(2):
            await asyncio.to_thread(reached.acquire, timeout=20)
        may_return.set()
        assert (await first).text == "whole"
        await until(lambda: trace)
        assert not any(one.done() for one in blocked)
        may_go_on.set()
        assert [(await one).text for one in blocked] == ["was busy"] * 4


async def test_the_threads_for_closing_end_with_the_app() -> None:
    def connection() -> Iterator[None]:
        yield

    async def handler(one: None = Depend(connection, thread=True)) -> str:
        return "whole"

    before = threading.enumerate()
    async with TestClient(one_route(handler)) as client:
        assert (await client.get("/")).text == "whole"
        started = set(threading.enumerate()).difference(before)
        assert started
    await until(lambda: started.isdisjoint(threading.enumerate()))
