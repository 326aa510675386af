"""Authentication that was attacked: a mistake that would let everybody in is an error, at the start if it can be."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import pytest

from nexios import Depend, NexiosApp, Request, Response, Router
from nexios.auth import AuthBackend, AuthenticationMiddleware, SessionAuth, auth, login, requires
from nexios.errors import ConfigurationError
from nexios.session import SessionMiddleware
from nexios.static import StaticFiles
from nexios.testing.raw import call
from nexios.websockets import WebSocket, WebSocketConsumer
from tests.security.kit import raw_websocket
from tests.session.visitor import Visitor, make_app

Handler = Callable[..., Awaitable[Any]]


class Header(AuthBackend):
    """Whoever names himself is believed."""

    async def authenticate(self, request: Any) -> Any:
        return request.headers.get("x-user")


def _app() -> NexiosApp:
    app = NexiosApp(openapi=None)
    app.auth_backend = Header()
    return app


# Guards that a decorator hides


class Timed:
    """A decorator that is a class, whose method is the handler."""

    def __init__(self, fn: Handler) -> None:
        self.fn = fn

    async def run(self, request: Request, response: Response) -> Any:
        return await self.fn(request, response)


class Slotted:
    """A decorator without a `__dict__`."""

    __slots__ = ("__fn", "unset")

    def __init__(self, fn: Handler) -> None:
        self.__fn = fn

    async def __call__(self, request: Request, response: Response) -> Any:
        return await self.__fn(request, response)


def _in_a_list(fn: Handler) -> Handler:
    steps = [fn]

    async def run(request: Request, response: Response) -> Any:
        return await steps[0](request, response)

    return run


def _in_a_table(fn: Handler) -> Handler:
    table = {"GET": fn}

    async def run(request: Request, response: Response) -> Any:
        return await table["GET"](request, response)

    return run


async def _logged(fn: Handler, request: Request, response: Response) -> Any:
    return await fn(request, response)


async def _logged_by_name(request: Request, response: Response, *, fn: Handler) -> Any:
    return await fn(request, response)


HIDING: dict[str, Callable[[Handler], Any]] = {
    "the method of an object": lambda fn: Timed(fn).run,
    "an object with slots": Slotted,
    "an object in an object": lambda fn: Slotted(Timed(fn).run),
    "a list": _in_a_list,
    "a table": _in_a_table,
    "an argument of a partial": lambda fn: partial(_logged, fn),
    "a named argument of a partial": lambda fn: partial(_logged_by_name, fn=fn),
}


@pytest.mark.parametrize("way", HIDING)
async def test_a_guard_holds_however_a_decorator_around_it_keeps_its_handler(way: str) -> None:
    """C3 of decorators: the guard was a note on a function that nobody found any more."""
    app, reached = _app(), []

    @requires()
    async def secret(request: Request, response: Response) -> str:
        reached.append(way)
        return "secret"

    app.add_route("/secret", HIDING[way](secret), name="secret")

    assert (await call(app, path="/secret")).status == 401
    assert reached == []
    assert (await call(app, path="/secret", headers=[(b"x-user", b"ada")])).body == b"secret"


def test_a_handler_that_holds_too_much_to_look_for_guards_is_an_error() -> None:
    app = _app()
    steps = [partial(_logged, _logged) for _ in range(100_001)]

    async def run(request: Request, response: Response) -> Any:
        return len(steps)

    app.add_route("/run", run)

    with pytest.raises(ConfigurationError, match="guards among them could be overlooked"):
        app.compile()


class Layered:
    """As a neural network: called, and made of thousands that can be called."""

    def __init__(self, depth: int) -> None:
        self.layers = {str(number): Layered(depth - 1) for number in range(12)} if depth else {}

    def __call__(self, value: int) -> int:
        return value


async def test_a_service_that_holds_thousands_of_functions_is_looked_through() -> None:
    @requires()
    async def guarded(request: Request, response: Response) -> None: ...

    class Service:
        def __init__(self) -> None:
            self.model = Layered(3)
            self.steps = [guarded]

        async def predict(self, request: Request, response: Response) -> int:
            return self.model(7)

    app = _app()
    app.add_route("/predict", Service().predict)

    assert (await call(app, path="/predict")).status == 401
    assert (await call(app, path="/predict", headers=[(b"x-user", b"ada")])).json() == 7


@pytest.mark.parametrize("where", ["class", "method", "base"])
async def test_a_guard_of_a_class_of_websockets_denies_the_handshake(where: str) -> None:
    app = _app()

    class Base(WebSocketConsumer):
        async def on_connect(self, websocket: WebSocket) -> None:
            await websocket.accept()

    if where == "base":
        requires()(Base)

    class Derived(Base):
        if where == "method":

            @requires()
            async def on_connect(self, websocket: WebSocket) -> None:
                await websocket.accept()

    if where == "class":
        requires()(Derived)
    app.add_websocket("/ws", Derived)

    sent = await raw_websocket(app)

    assert [message["type"] for message in sent][:1] == ["websocket.http.response.start"]
    assert sent[0]["status"] == 401


# Parentheses that are missing


async def handler(request: Request, response: Response) -> str:
    """A handler that must not be taken for a policy."""
    return "secret"


async def unannotated(request, res):  # type: ignore[no-untyped-def]
    """Another one."""


async def alone(request: Request) -> str:
    """And another one."""
    return "secret"


@pytest.mark.parametrize("guard", [requires, auth], ids=["requires", "auth"])
@pytest.mark.parametrize("fn", [handler, unannotated])
def test_requires_without_parentheses_is_an_error_where_it_stands(guard: Any, fn: Any) -> None:
    """Above `@app.get` it made a policy of the handler, and left its route without a guard."""
    with pytest.raises(ConfigurationError, match=r"is a handler. Write the parentheses:\n\n    @requires\(\)"):
        guard(fn)


def test_a_policy_takes_the_request_and_the_user() -> None:
    with pytest.raises(ConfigurationError, match=r"alone\(\) is no policy, which takes the request and the user"):
        requires(alone)  # type: ignore[arg-type]  # that is the mistake


def _refused(*, guards: Any = (), user: Any = None) -> str:
    """The error of an app with these guards around a handler that asks for a user in this way."""
    app = _app()

    async def show(request: Request, response: Response, user: Any = None) -> str:
        return "secret"

    if user is not None:
        show.__annotations__["user"] = user
    app.add_route("/show", show, dependencies=guards)
    with pytest.raises(ConfigurationError) as caught:
        app.compile()
    return str(caught.value)


def test_a_guard_that_is_not_called_is_none() -> None:
    """It was called for each request, and what it returned, a guard, was thrown away."""
    assert "requires makes a dependency when it is called, and is none itself" in _refused(guards=[requires])
    assert "dependencies=[requires()]" in _refused(guards=[Depend(requires)])


def test_a_provider_without_depend_in_an_annotation_is_an_error() -> None:
    """The user was read from the query: `?user=admin`."""
    told = _refused(user=Annotated[str, requires])

    assert "The annotation of 'user' of show() holds the function requires, which nothing would call" in told
    assert "user: Annotated[..., Depend(requires)]" in told


# What a backend says


class Flagged:
    """A user that knows whether it signed in."""

    def __init__(self, said: Any) -> None:
        self.said = said

    def is_authenticated(self) -> Any:
        return self.said


class Attribute:
    """The same, as an attribute of another type than bool."""

    is_authenticated = 0


async def _status_for(result: Any) -> int:
    app = NexiosApp(openapi=None)

    class Says(AuthBackend):
        async def authenticate(self, request: Any) -> Any:
            return result

    app.auth_backend = Says()
    app.add_route("/", handler, dependencies=[requires()])
    return (await call(app)).status


@pytest.mark.parametrize("nothing", ["", b"", [], {}, set(), ("", ["admin"]), ([], "admin")], ids=repr)
async def test_what_a_query_gives_that_found_none_is_no_user(nothing: Any) -> None:
    """Nobody knows then who the client is: 503, and the log says what to return."""
    assert await _status_for(nothing) == 503


@pytest.mark.parametrize(
    ("user", "status"),
    [(Flagged(False), 401), (Flagged(True), 200), (Flagged(None), 401), (Attribute(), 401), (7, 200), ({"a": 1}, 200)],
    ids=["says no", "says yes", "says nothing", "attribute", "number", "dict"],
)
async def test_a_user_that_says_it_is_not_authenticated_is_none(user: Any, status: int) -> None:
    assert await _status_for(user) == status


@pytest.mark.parametrize("broken", [KeyError("x"), ExceptionGroup("x", [ValueError("y")]), TimeoutError()], ids=repr)
async def test_c14_a_backend_that_fails_makes_nobody_anonymous(broken: Exception) -> None:
    """C14: for a route without a guard too, and no further backend is asked."""
    app, asked = NexiosApp(openapi=None), []

    class Fails(AuthBackend):
        async def authenticate(self, request: Any) -> Any:
            raise broken

    class Next(AuthBackend):
        async def authenticate(self, request: Any) -> Any:
            asked.append(request)

    app.auth_backend = [Fails(), Next()]
    app.add_route("/", handler)

    assert (await call(app)).status == 503
    assert asked == []


@pytest.mark.parametrize("kind", [asyncio.CancelledError, SystemExit], ids=lambda kind: kind.__name__)
async def test_r13_what_ends_a_backend_ends_the_request(kind: type[BaseException]) -> None:
    """R13: the handler is not entered, and nothing is answered."""
    app, reached = NexiosApp(openapi=None), []

    class Ends(AuthBackend):
        async def authenticate(self, request: Any) -> Any:
            raise kind

    app.auth_backend = Ends()

    @app.get("/")
    async def index(request: Request, response: Response) -> str:
        reached.append(request)
        return "reached"

    if kind is SystemExit:
        with pytest.raises(SystemExit):
            await app({"type": "http", "method": "GET", "path": "/", "headers": []}, _never, _nothing)
    else:
        answer = await call(app)
        assert isinstance(answer.error, asyncio.CancelledError)
    assert reached == []


async def _never() -> Any:
    await asyncio.Event().wait()


async def _nothing(message: Any) -> None:
    raise AssertionError(message)


async def test_two_hundred_clients_at_once_are_each_himself() -> None:
    """M1 of identities: what one request left on a backend was found by another."""
    app, turn = _app(), asyncio.Barrier(200)

    @app.get("/me")
    async def me(request: Request, response: Response, user: Annotated[Any, requires()]) -> Any:
        await turn.wait()
        return [user, request.user]

    answers = await asyncio.gather(*(call(app, path="/me", headers=[(b"x-user", b"%d" % n)]) for n in range(200)))

    assert [answer.json() for answer in answers] == [[str(n), str(n)] for n in range(200)]


# Two sessions, one in the other

SHOP_KEY = "xWlZ9nTfS4v1cQ0kR7b2mJ6uYhE3oAqD"
ADMIN_KEY = "qV8pLr2sKd0wZ5yB1nG7tFjXc4MiHeUa"


async def _administrator(user_id: str) -> Any:
    return f"administrator {user_id}"


async def _customer(user_id: str) -> Any:
    return f"customer {user_id}"


def _shop(where: str) -> tuple[Visitor, list[Any]]:
    """A shop with an administration that has sessions and users of its own; the users that were seen in it."""
    app = make_app(session_cookie="shop", secret_key=SHOP_KEY)
    app.auth_backend = SessionAuth(_customer)
    inside: dict[str, Any] = {"auth_backend": SessionAuth(_administrator)} if where != "app" else {}
    outer = Router(prefix="/admin", **(inside if where == "router" else {}))
    outer.add_middleware(SessionMiddleware, secret_key=ADMIN_KEY, session_cookie="admin")
    seen: list[Any] = []

    @outer.get("/login", auth_backend=None)
    async def come(request: Request, response: Response) -> str:
        await login(request, "9")
        return "in"

    @outer.get("/", **(inside if where == "route" else {}))
    async def index(request: Request, response: Response) -> str:
        seen.append(request.user)
        return "seen"

    @outer.websocket("/ws", **(inside if where == "route" else {}))
    async def talk(websocket: WebSocket) -> None:
        seen.append(websocket.user)
        await websocket.accept()

    app.include_router(outer)
    return Visitor(app), seen


async def _look(visitor: Visitor) -> None:
    await visitor.get("/admin/")
    cookies = "; ".join(f"{name}={value}" for name, value in visitor.cookies.items()).encode()
    headers = [(b"host", b"good.com"), (b"cookie", cookies)]
    await raw_websocket(visitor.app, path="/admin/ws", scheme="wss", headers=headers)


@pytest.mark.parametrize("where", ["router", "route"])
async def test_f19_a_user_of_a_session_further_out_is_none_of_the_session_inside(where: str) -> None:
    """F19: the backend was asked before its own session was open: customer 7 was administrator 7."""
    visitor, seen = _shop(where)
    await visitor.get("/login/7")

    await _look(visitor)
    assert seen == [None, None]

    await visitor.get("/admin/login")
    await _look(visitor)
    assert seen[2:] == ["administrator 9", "administrator 9"]


async def test_a_backend_of_the_app_sees_the_sessions_of_the_app() -> None:
    """In a router with sessions of its own too."""
    visitor, seen = _shop("app")
    await visitor.get("/login/7")
    await visitor.get("/admin/login")

    await _look(visitor)

    assert seen == ["customer 7", "customer 7"]


@pytest.mark.parametrize("kind", ["scopes", "roles", "permissions"])
@pytest.mark.parametrize("nothing", [None, [], (), set()], ids=repr)
def test_a_need_that_the_settings_do_not_name_is_an_error(kind: str, nothing: Any) -> None:
    """`requires(roles=settings.admin_role)` let in whoever had signed in, where the setting was missing."""
    needs: dict[str, Any] = {kind: nothing}

    with pytest.raises(ConfigurationError, match=f"{kind} is empty, which would let everybody in who has signed in"):
        requires(**needs)


async def test_c14_a_guard_asks_anew_where_another_backend_was_asked() -> None:
    """C14: what a middleware was let in with, by the backend of the app, was good for a route with one of its own."""
    app = _app()
    app.add_middleware(AuthenticationMiddleware)

    class Nobody(AuthBackend):
        async def authenticate(self, request: Any) -> Any:
            return None

    async def around(request: Request, response: Response, call_next: Any, user: Annotated[Any, requires()]) -> Any:
        return await call_next()

    app.add_middleware(around)
    app.add_route("/plain", handler, dependencies=[requires()])
    app.add_route("/own", handler, dependencies=[requires()], auth_backend=Nobody(), name="own")

    async def status(path: str) -> int:
        return (await call(app, path=path, headers=[(b"x-user", b"ada")])).status

    assert [await status("/plain"), await status("/own")] == [200, 401]


# Guards on what is no handler


async def _foreign(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"foreign"})


@pytest.mark.parametrize("kind", ["ASGI", "files", "app"])
async def test_a_guard_of_what_is_mounted_holds(kind: str, tmp_path: Path) -> None:
    """It was a note on an application, and nobody looked for it there."""
    (tmp_path / "x").write_text("files")
    inner = NexiosApp(openapi=None)
    inner.add_route("/x", handler)
    mounted: Any = {"ASGI": _foreign, "files": StaticFiles(tmp_path), "app": inner}[kind]
    guarded = partial(mounted) if kind == "ASGI" else mounted  # of its own, as a function is shared by all tests
    app = _app()
    app.mount("/in", requires()(guarded))

    assert (await call(app, path="/in/x")).status == 401
    assert (await call(app, path="/in/x", headers=[(b"x-user", b"ada")])).status == 200


def test_a_guard_that_decorates_a_provider_is_an_error() -> None:
    @requires("reports")
    async def report() -> str:
        return "report"

    assert "report() is a provider, and the guards that decorate it are for handlers" in _refused(guards=[report])


def test_a_guard_that_decorates_a_middleware_is_an_error() -> None:
    @requires("reports")
    async def around(request: Request, response: Response, call_next: Any) -> Any:
        return await call_next()

    app = _app()
    app.add_middleware(around)

    with pytest.raises(ConfigurationError, match="is a middleware, and the guards that decorate it are for handlers"):
        app.compile()
