"""How often does a provider run? Once for all who ask in one request, and for the routes that ask alone."""

import functools
from collections.abc import AsyncIterator
from typing import Annotated, Any

from nexios import Depend, NexiosApp, Request, Response, Router
from tests.injection.injection_kit import Trace, ask, one_route, result_of


def counting(trace: Trace, name: str = "run") -> Any:
    def provider() -> int:
        trace.append(name)
        return len(trace)

    return provider


async def test_a_provider_that_is_asked_for_directly_and_through_another_runs_once() -> None:
    trace: Trace = []
    get_number = counting(trace)

    def twice(number: int = Depend(get_number)) -> int:
        return number * 2

    async def handler(number: int = Depend(get_number), doubled: int = Depend(twice)) -> list[int]:
        return [number, doubled]

    assert await result_of(handler) == [1, 2]
    assert trace == ["run"]


async def test_the_next_request_has_a_value_of_its_own() -> None:
    trace: Trace = []

    async def handler(number: int = Depend(counting(trace))) -> int:
        return number

    app = one_route(handler)

    assert [(await ask(app)).json() for _ in range(3)] == [1, 2, 3]


async def test_what_is_asked_for_in_annotations_and_in_defaults_is_one() -> None:
    trace: Trace = []
    get_number = counting(trace)

    async def handler(one: Annotated[int, Depend(get_number)], two: int = Depend(get_number)) -> list[int]:
        return [one, two]

    assert await result_of(handler) == [1, 1]


async def test_without_the_cache_each_asker_has_a_value_of_its_own() -> None:
    trace: Trace = []
    get_number = counting(trace)

    def inner(number: int = Depend(get_number, cache=False)) -> int:
        return number

    async def handler(
        one: int = Depend(get_number, cache=False),
        two: int = Depend(get_number, cache=False),
        deep: int = Depend(inner),
    ) -> list[int]:
        return [one, two, deep]

    assert await result_of(handler) == [1, 2, 3]


async def test_a_provider_that_leans_on_an_uncached_one_is_itself_one_for_all() -> None:
    trace: Trace = []

    def shared(number: int = Depend(counting(trace), cache=False)) -> int:
        trace.append("shared")
        return number

    def other(number: int = Depend(shared)) -> int:
        return number

    async def handler(one: int = Depend(shared), two: int = Depend(other)) -> list[int]:
        return [one, two]

    app = one_route(handler, dependencies=[Depend(shared)])

    assert (await ask(app)).json() == [1, 1]
    assert trace == ["run", "shared"]


async def test_methods_of_one_object_are_one_provider_and_of_two_objects_two() -> None:
    class Counter:
        def __init__(self) -> None:
            self.count = 0

        def next(self) -> int:
            self.count += 1
            return self.count

    one, other = Counter(), Counter()

    async def handler(a: int = Depend(one.next), b: int = Depend(one.next), c: int = Depend(other.next)) -> list[int]:
        return [a, b, c]

    assert await result_of(handler) == [1, 1, 1]
    assert (one.count, other.count) == (1, 1)


async def test_two_partials_are_two_providers() -> None:
    def give(number: int) -> int:
        return number

    async def handler(
        one: int = Depend(functools.partial(give, 1)), two: int = Depend(functools.partial(give, 2))
    ) -> list[int]:
        return [one, two]

    assert await result_of(handler) == [1, 2]


async def test_a_context_that_several_ask_for_is_opened_and_closed_once() -> None:
    trace: Trace = []

    async def get_session() -> AsyncIterator[str]:
        trace.append("open")
        yield "session"
        trace.append("close")

    def repository(session: str = Depend(get_session)) -> str:
        return session

    async def handler(session: str = Depend(get_session), same: str = Depend(repository)) -> bool:
        return session is same

    assert await result_of(handler) is True
    assert trace == ["open", "close"]


# App, router and route


def guarded_app(trace: Trace) -> NexiosApp:
    """Guards at every level; the inner router has one of its own."""
    inner = Router(prefix="/inner", dependencies=[Depend(counting(trace, "inner router"))])
    outer = Router(prefix="/outer", dependencies=[Depend(counting(trace, "outer router"))])
    app = NexiosApp(dependencies=[Depend(counting(trace, "app"))])

    async def handler(request: Request, response: Response) -> str:
        trace.append("handler")
        return "whole"

    inner.get("/x", dependencies=[Depend(counting(trace, "route"))])(handler)
    outer.get("/y")(handler)
    outer.include_router(inner)
    app.include_router(outer)
    app.get("/z")(handler)
    return app


async def test_dependencies_of_app_routers_and_route_run_outermost_first() -> None:
    trace: Trace = []

    await ask(guarded_app(trace), "/outer/inner/x")

    assert trace == ["app", "outer router", "inner router", "route", "handler"]


async def test_dependencies_of_a_router_run_for_its_routes_alone() -> None:
    """Published nexios ran those of every router on every request (public-nexios.md, 38)."""
    trace: Trace = []
    app = guarded_app(trace)

    await ask(app, "/outer/y")
    assert trace == ["app", "outer router", "handler"]
    trace.clear()
    await ask(app, "/z")
    assert trace == ["app", "handler"]


async def test_no_dependency_runs_where_no_route_answers() -> None:
    trace: Trace = []
    app = guarded_app(trace)

    assert (await ask(app, "/nowhere")).status == 404
    assert (await ask(app, "/z", method="DELETE")).status == 405
    assert trace == []


async def test_the_documents_of_nexios_itself_are_outside_of_the_guards_of_the_app() -> None:
    trace: Trace = []

    assert (await ask(guarded_app(trace), "/openapi.json")).status == 200
    assert trace == []


async def test_what_a_guard_has_made_is_what_the_handler_is_given() -> None:
    """Published nexios threw the results of app and router dependencies away (public-nexios.md, 38)."""
    trace: Trace = []
    get_user = counting(trace)
    app = NexiosApp(dependencies=[Depend(get_user)])
    router = Router(prefix="/a", dependencies=[get_user])

    @router.get("/b", dependencies=[Depend(get_user)])
    async def handler(user: int = Depend(get_user)) -> int:
        return user

    app.include_router(router)

    assert (await ask(app, "/a/b")).json() == 1
    assert trace == ["run"]


async def test_a_bare_function_among_the_dependencies_is_its_own_provider() -> None:
    trace: Trace = []

    async def handler(request: Request, response: Response) -> str:
        return "whole"

    await ask(one_route(handler, dependencies=[counting(trace, "guard")]))

    assert trace == ["guard"]


# By type


class Session:
    """What is provided by its type."""

    def __init__(self, name: str = "session") -> None:
        self.name = name


async def test_a_provided_type_fills_parameters_of_handlers_and_providers_and_is_one() -> None:
    trace: Trace = []
    app = NexiosApp()

    def get_session() -> Session:
        trace.append("open")
        return Session()

    def repository(session: Session) -> Session:
        return session

    app.provide(Session, get_session)

    @app.get("/")
    async def handler(session: Session, same: Session = Depend(repository)) -> list[Any]:
        return [session.name, session is same]

    assert (await ask(app)).json() == ["session", True]
    assert trace == ["open"]


async def test_provide_decorates_a_function_and_leaves_it_as_it_was() -> None:
    app = NexiosApp()

    @app.provide(Session)
    async def get_session() -> AsyncIterator[Session]:
        yield Session("decorated")

    @app.get("/")
    async def handler(session: Annotated[Session, "whatever else is said of it"]) -> str:
        return session.name

    assert (await ask(app)).body == b"decorated"
    assert [session.name async for session in get_session()] == ["decorated"]


async def test_a_provided_model_is_not_read_from_the_body() -> None:
    app = NexiosApp()
    app.provide(dict, lambda: {"from": "provider"})

    @app.post("/")
    async def handler(request: Request, response: Response, item: dict) -> Any:  # type: ignore[type-arg]
        return item

    answer = await ask(
        app, method="POST", headers=[(b"content-type", b"application/json")], chunks=[b'{"from":"body"}']
    )

    assert answer.json() == {"from": "provider"}


async def test_depend_says_more_than_a_provided_type() -> None:
    app = NexiosApp()
    app.provide(Session, lambda: Session("provided"))

    @app.get("/")
    async def handler(session: Session = Depend(lambda: Session("asked for"))) -> str:
        return session.name

    assert (await ask(app)).body == b"asked for"


async def test_variadic_parameters_of_a_provided_type_stay_empty() -> None:
    app = NexiosApp()
    app.provide(Session, Session)

    def provider(*sessions: Session, **others: Session) -> int:
        return len(sessions) + len(others)

    @app.get("/")
    async def handler(count: int = Depend(provider)) -> int:
        return count

    assert (await ask(app)).json() == 0
