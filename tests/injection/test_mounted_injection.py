"""Dependencies around mounts and in mounted apps: each app has its own, for one exchange."""

from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any

from nexios import Depend, Header, HTTPException, NexiosApp, Request, Response, Router
from tests.injection.injection_kit import Session, Sessions, Trace, ask, one_route

Next = Callable[[], Any]


async def test_guards_around_a_mount_run_and_refuse() -> None:
    trace: Trace = []

    def guard(name: str) -> Any:
        async def check(key: Annotated[str | None, Header()] = None) -> AsyncIterator[None]:
            trace.append(name)
            if key is None:
                raise HTTPException(401)
            yield
            trace.append(f"close {name}")

        return Depend(check)

    async def handler(request: Request, response: Response) -> str:
        trace.append("handler")
        return "whole"

    below = one_route(handler, dependencies=[guard("route")])
    router = Router(prefix="/router", dependencies=[guard("router")])
    router.mount("/below", below)
    app = NexiosApp(dependencies=[guard("app")])
    app.include_router(router)

    assert (await ask(app, "/router/below/")).status == 401
    assert trace == ["app"]
    trace.clear()
    answer = await ask(app, "/router/below/", headers=[(b"key", b"k")])
    assert answer.body == b"whole"
    assert trace == ["app", "router", "route", "handler", "close route", "close router", "close app"]


async def test_a_mounted_app_has_providers_of_its_own() -> None:
    def handler_of(app: NexiosApp) -> None:
        @app.get("/x")
        async def handler(session: Session) -> int:
            return session.number

    app, below = NexiosApp(), NexiosApp()
    app.provide(Session, lambda: Session(1))
    below.provide(Session, lambda: Session(2))
    handler_of(app)
    handler_of(below)
    app.mount("/below", below)

    assert [(await ask(app, path)).json() for path in ("/x", "/below/x")] == [1, 2]


async def test_what_a_mounted_app_opened_is_closed_after_the_last_byte() -> None:
    sessions = Sessions()

    async def chunks() -> AsyncIterator[str]:
        assert sessions.ends == []
        yield "chunk"

    async def handler(request: Request, response: Response, session: Session = Depend(sessions.get)) -> Response:
        return response.stream(chunks())

    app = NexiosApp()
    app.mount("/below", one_route(handler))

    assert (await ask(app, "/below/")).body == b"chunk"
    assert sessions.ends == ["1 committed"]


async def test_each_of_two_apps_is_given_to_its_own_providers() -> None:
    async def which(app: NexiosApp) -> AsyncIterator[NexiosApp]:
        yield app

    seen: list[NexiosApp] = []

    async def middleware(request: Request, response: Response, call_next: Next, app: NexiosApp = Depend(which)) -> Any:
        seen.append(app)
        return await call_next()

    async def handler(request: Request, response: Response) -> str:
        return "whole"

    app, below = NexiosApp(middleware=[middleware]), NexiosApp(middleware=[middleware])
    below.get("/x")(handler)
    app.mount("/below", below)
    await ask(app, "/below/x")

    assert [one is app for one in seen] == [True, False]
    assert seen[1] is below


async def test_a_value_of_a_mounted_app_is_one_for_its_handlers_and_its_listeners() -> None:
    made: list[object] = []

    def get_pool() -> int:
        made.append(1)
        return len(made)

    below = NexiosApp()

    @below.get("/x")
    async def handler(pool: int = Depend(get_pool, scope="app")) -> int:
        return pool

    @below.event_emitter.on("request.finished")
    async def note(request: Request, response: Response, pool: int = Depend(get_pool, scope="app")) -> None: ...

    app = NexiosApp()
    app.mount("/below", below)
    await ask(app, "/below/x")

    assert made == [1]
