"""Who is the client, and who is asked? Backends of apps, routers and routes."""

from typing import Annotated, Any

import pytest

from nexios import Depend, NexiosApp, Router
from nexios.auth import AuthBackend, AuthenticationMiddleware, BasicAuth, BearerAuth, InvalidCredentials, requires
from nexios.errors import ConfigurationError, HTTPException
from nexios.testing import TestClient
from nexios.websockets import WebSocket


class TokenAuth(AuthBackend):
    async def authenticate(self, request: Any) -> Any:
        token = request.headers.get("Authorization")
        return await validate_token(token)


async def validate_token(token: Any) -> Any:
    return {"Bearer ada": {"name": "ada"}, "Bearer bob": ({"name": "bob"}, ["read"])}.get(token)


def app_with(backend: object = TokenAuth) -> NexiosApp:
    app = NexiosApp()

    @app.get("/who")
    async def who(request: Any, response: Any) -> Any:
        return {"user": request.user, "scopes": sorted(request.auth)}

    app.auth_backend = backend
    return app


def ask(app: NexiosApp, path: str = "/who", **headers: str) -> Any:
    with TestClient(app) as client:
        return client.get(path, headers=headers)


@pytest.mark.parametrize("backend", [TokenAuth, TokenAuth(), [TokenAuth], (TokenAuth(),)], ids=type)
def test_a_backend_is_an_instance_a_class_or_several(backend: Any) -> None:
    assert ask(app_with(backend), authorization="Bearer ada").json() == {"user": {"name": "ada"}, "scopes": []}


def test_a_client_that_shows_nothing_is_none() -> None:
    assert ask(app_with()).json() == {"user": None, "scopes": []}


def test_a_backend_gives_scopes_with_the_user() -> None:
    assert ask(app_with(), authorization="Bearer bob").json() == {"user": {"name": "bob"}, "scopes": ["read"]}


class Fixed(AuthBackend):
    def __init__(self, result: Any) -> None:
        self.result = result
        self.asked = 0

    async def authenticate(self, request: Any) -> Any:
        self.asked += 1
        if isinstance(self.result, BaseException):
            raise self.result
        return self.result


def test_the_first_that_answers_wins_and_the_others_are_not_asked() -> None:
    first, second, third = Fixed(None), Fixed("second"), Fixed("third")

    assert ask(app_with([first, second, third])).json()["user"] == "second"
    assert (first.asked, second.asked, third.asked) == (1, 1, 0)


def test_credentials_that_do_not_hold_end_the_search() -> None:
    """Nobody goes on as somebody else."""
    later = Fixed("ada")

    assert ask(app_with([Fixed(InvalidCredentials()), later])).json()["user"] is None
    assert later.asked == 0


class NobodyYet:
    is_authenticated = False


@pytest.mark.parametrize(
    "result", [None, False, (None, ["admin"]), NobodyYet()], ids=lambda result: type(result).__name__
)
def test_what_is_nobody_is_none(result: Any) -> None:
    assert ask(app_with(Fixed(result))).json() == {"user": None, "scopes": []}


@pytest.mark.parametrize("result", [True, ("a", "b", "c"), ("ada", 5), ("ada", [5])], ids=repr)
def test_an_answer_that_is_no_user_is_an_error_and_nobody_is_let_in(result: Any, caplog: Any) -> None:
    assert ask(app_with(Fixed(result))).status_code == 503
    assert "an auth backend failed" in caplog.text


@pytest.mark.parametrize("failure", [OSError("no database"), KeyError("x"), TimeoutError()], ids=repr)
def test_a_backend_that_fails_is_503_and_no_handler_runs(failure: Any, caplog: Any) -> None:
    answer = ask(app_with(Fixed(failure)))

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert type(failure).__name__ in caplog.text
    assert "no database" not in answer.text


def test_a_backend_may_answer_by_itself() -> None:
    assert ask(app_with(Fixed(HTTPException(429)))).status_code == 429


def test_backends_have_dependencies_that_handlers_share() -> None:
    opened: list[str] = []

    async def get_db() -> Any:
        opened.append("db")
        yield {"ada"}

    class FromDatabase(AuthBackend):
        async def authenticate(self, request: Any, db: set[str] = Depend(get_db)) -> Any:
            return next(iter(db))

    app = NexiosApp()
    app.auth_backend = FromDatabase()

    @app.get("/who")
    async def who(request: Any, response: Any, db: Any = Depend(get_db)) -> Any:
        return {"user": request.user}

    assert ask(app).json() == {"user": "ada"}
    assert opened == ["db"]


def test_a_router_and_a_route_have_backends_of_their_own() -> None:
    app = app_with(Fixed("app"))
    inner = Router("/inner", auth_backend=Fixed("router"))

    @inner.get("/a")
    async def a(request: Any, response: Any) -> Any:
        return request.user

    @inner.get("/b", auth_backend=Fixed("route"))
    async def b(request: Any, response: Any) -> Any:
        return request.user

    @inner.get("/c", auth_backend=None)
    async def c(request: Any, response: Any) -> Any:
        return "open"

    app.include_router(inner)
    assert [ask(app, path).text.strip('"') for path in ("/inner/a", "/inner/b", "/inner/c")] == [
        "router",
        "route",
        "open",
    ]


def test_without_a_backend_the_user_is_an_error_that_says_what_to_write() -> None:
    app = NexiosApp()

    @app.get("/who")
    async def who(request: Any, response: Any) -> Any:
        return request.user

    with pytest.raises(ConfigurationError, match=r"app\.auth_backend = SessionAuth\(find_user\)"):
        ask(app)


def test_middleware_sees_nobody_where_no_route_matches() -> None:
    app = app_with(Fixed("ada"))
    seen = []

    async def log(request: Any, response: Any, call_next: Any) -> Any:
        answer = await call_next()
        seen.append(request.user)
        return answer

    app.add_middleware(log)
    ask(app, "/nowhere")
    ask(app)
    assert seen == [None, "ada"]


def test_middleware_of_the_app_can_stand_after_authentication() -> None:
    backend = Fixed("ada")
    app = app_with(backend)
    seen = []

    async def per_user(request: Any, response: Any, call_next: Any) -> Any:
        seen.append(request.user)
        return await call_next()

    app.add_middleware(AuthenticationMiddleware)
    app.add_middleware(per_user)
    ask(app)
    assert (seen, backend.asked) == (["ada"], 1)


def test_a_place_for_authentication_needs_a_backend() -> None:
    app = NexiosApp()
    app.add_middleware(AuthenticationMiddleware)

    with pytest.raises(ConfigurationError, match="it has none"):
        app.compile()


@pytest.mark.parametrize(
    "given", [5, "JWTAuth", object(), lambda request: None], ids=lambda given: type(given).__name__
)
def test_what_is_no_backend_is_refused_at_compile(given: Any) -> None:
    with pytest.raises(ConfigurationError, match="is no auth backend"):
        app_with(given).compile()


def test_a_class_that_needs_arguments_is_refused_with_the_line_to_write() -> None:
    with pytest.raises(ConfigurationError, match=r"BearerAuth\(\.\.\.\)"):
        app_with(BearerAuth).compile()


def test_a_backend_cannot_be_set_after_compile() -> None:
    app = app_with()
    app.compile()

    with pytest.raises(ConfigurationError):
        app.auth_backend = None


def test_a_mounted_app_knows_the_user_of_the_app_around_it() -> None:
    inner = NexiosApp()

    @inner.get("/who")
    async def who(request: Any, response: Any, user: Annotated[Any, requires()]) -> Any:
        return user

    outer = NexiosApp()
    outer.auth_backend = Fixed("ada")
    outer.mount("/inner", inner)
    assert ask(outer, "/inner/who").text == "ada"


def test_a_websocket_has_a_user_before_it_is_accepted() -> None:
    app = app_with()

    @app.websocket("/ws", dependencies=[requires()])
    async def talk(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_json(websocket.user)

    with TestClient(app) as client:
        with client.websocket_connect("/ws", headers={"authorization": "Bearer ada"}) as socket:
            assert socket.receive_json() == {"name": "ada"}
        denied = client.websocket_connect("/ws")
        with pytest.raises(Exception, match="401"):
            denied.__enter__()


def test_the_user_is_injected_by_its_type() -> None:
    class User:
        name = "ada"

    app = NexiosApp()
    app.auth_backend = Fixed(User())

    @app.get("/a")
    async def a(request: Any, response: Any, user: Annotated[User, requires()]) -> Any:
        return user.name

    assert ask(app, "/a").text == "ada"


async def check(name: str, password: str) -> str | None:
    return name if password == "pa:ss" else None


def test_basic_splits_at_the_first_colon() -> None:
    """K10."""
    assert ask(app_with(BasicAuth(check)), authorization="Basic YWRhOnBhOnNz").json()["user"] == "ada"


def test_opaque_tokens_are_looked_up() -> None:
    async def find(token: str) -> Any:
        return ("ada", "read write") if token == "abc" else None

    app = app_with(BearerAuth(find))
    assert ask(app, authorization="bearer abc").json() == {"user": "ada", "scopes": ["read", "write"]}
