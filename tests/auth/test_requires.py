"""Who is let in? Guards on routes, routers and apps, and decorators in every order."""

from types import SimpleNamespace
from typing import Any

import pytest

from nexios import Depend, NexiosApp, Router
from nexios.auth import AuthBackend, BearerAuth, auth, requires
from nexios.errors import ConfigurationError
from nexios.testing import TestClient
from nexios.websockets import WebSocket, WebSocketConsumer


class Header(AuthBackend):
    """The user of the header x-user, with the scopes and roles of the headers of these names."""

    async def authenticate(self, request: Any) -> Any:
        headers = request.headers
        if "x-user" not in headers:
            return None
        roles, permissions = headers.get("x-roles", "").split(), headers.get("x-permissions", "").split()
        user = SimpleNamespace(name=headers["x-user"], roles=roles, permissions=permissions)
        return user, headers.get("x-scopes", "").split()


def status(guard: Any, **headers: str) -> int:
    app = NexiosApp()
    app.auth_backend = Header()

    @app.get("/", dependencies=[guard])
    async def home(request: Any, response: Any) -> Any:
        return "in"

    with TestClient(app) as client:
        return client.get("/", headers={f"x-{name}": value for name, value in headers.items()}).status_code


@pytest.mark.parametrize(
    ("guard", "headers", "expected"),
    [
        (requires(), {}, 401),
        (requires(), {"user": "ada"}, 200),
        (requires("read"), {}, 401),
        (requires("read"), {"user": "ada"}, 403),
        (requires("read"), {"user": "ada", "scopes": "read write"}, 200),
        (requires("read"), {"user": "ada", "scopes": "read:all"}, 403),
        (requires("read"), {"user": "read", "roles": "read", "permissions": "read"}, 403),
        (requires("read", "write"), {"user": "ada", "scopes": "read"}, 403),
        (requires("read", "write"), {"user": "ada", "scopes": "read write"}, 200),
        (requires("read", "write", match="any"), {"user": "ada", "scopes": "write"}, 200),
        (requires("read", "write", match="any"), {"user": "ada", "scopes": "other"}, 403),
        (requires(roles="admin"), {"user": "ada", "roles": "admin"}, 200),
        (requires(roles="admin"), {"user": "admin", "scopes": "admin"}, 403),
        (requires(roles=["a", "b"], match="any"), {"user": "ada", "roles": "b"}, 200),
        (requires(permissions=["x.edit"]), {"user": "ada", "permissions": "x.edit"}, 200),
        (requires("s", roles="r"), {"user": "ada", "scopes": "s"}, 403),
        (requires("s", roles="r", match="any"), {"user": "ada", "scopes": "s"}, 200),
        (requires(lambda request, user: user.name == "ada"), {"user": "ada"}, 200),
        (requires(lambda request, user: user.name == "ada"), {"user": "bob"}, 403),
        (requires(lambda request, user: "truthy"), {"user": "ada"}, 403),
        (requires(lambda request, user: None), {"user": "ada"}, 403),
    ],
    ids=repr,
)
def test_the_table_of_what_is_asked_and_had(guard: Any, headers: Any, expected: Any) -> None:
    assert status(guard, **headers) == expected


def test_a_policy_may_be_async() -> None:
    async def owns(request: Any, user: Any) -> Any:
        return request.query_params.get("owner") == user.name

    assert status(requires(owns), user="ada") == 403


def test_a_role_is_not_its_letters() -> None:
    class Text(AuthBackend):
        async def authenticate(self, request: Any) -> Any:
            return {"roles": "admin"}

    app = NexiosApp(dependencies=[requires(roles="a")])
    app.auth_backend = Text()

    @app.get("/")
    async def home(request: Any, response: Any) -> None: ...

    with TestClient(app) as client:
        assert client.get("/").status_code == 403


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: requires(scopes=[]),
        lambda: requires(roles=()),
        lambda: requires(roles=set()),
        lambda: requires(permissions=[]),
        lambda: requires(""),
        lambda: requires("a b"),
        lambda: requires('a"b'),
        lambda: requires(roles=[5]),  # type: ignore[list-item]
        lambda: requires(5),  # type: ignore[arg-type]
        lambda: requires(dict),  # type: ignore[arg-type]
        lambda: requires("a", match="some"),  # type: ignore[arg-type]
        lambda: requires()("/path"),  # type: ignore[type-var]
    ],
)
def test_what_asks_for_nothing_or_for_nonsense_is_refused(wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match="requires"):
        wrong()


def admin_app(decorate: Any) -> NexiosApp:
    app = NexiosApp()
    app.auth_backend = Header()
    decorate(app)
    return app


def hidden(fn: Any) -> Any:
    async def wrapper(request: Any, response: Any) -> Any:
        return await fn(request, response)

    return wrapper


class Hiding:
    def __init__(self, fn: Any) -> None:
        self.fn = fn

    async def __call__(self, request: Any, response: Any) -> Any:
        return await self.fn(request, response)


def inner_first(app: NexiosApp) -> None:
    @app.get("/")
    @requires(roles="admin")
    @auth()
    async def home(request: Any, response: Any) -> Any:
        return "in"


def outer_last(app: NexiosApp) -> None:
    @requires(roles="admin")
    @auth()
    @app.get("/")
    async def home(request: Any, response: Any) -> Any:
        return "in"


def weak_around_strong(app: NexiosApp) -> None:
    @auth()
    @app.get("/")
    @requires(roles="admin")
    async def home(request: Any, response: Any) -> Any:
        return "in"


def below_a_decorator(app: NexiosApp) -> None:
    @app.get("/")
    @hidden
    @requires(roles="admin")
    async def home(request: Any, response: Any) -> Any:
        return "in"


def below_an_object(app: NexiosApp) -> None:
    @app.get("/")
    @Hiding
    @requires(roles="admin")
    async def home(request: Any, response: Any) -> Any:
        return "in"


def on_a_class(app: NexiosApp) -> None:
    @app.route("/")
    @requires(roles="admin")
    class Home:
        async def get(self, request: Any, response: Any) -> Any:
            return "in"


def on_a_method(app: NexiosApp) -> None:
    @app.route("/")
    class Home:
        @requires(roles="admin")
        async def get(self, request: Any, response: Any) -> Any:
            return "in"


def on_a_router(app: NexiosApp) -> None:
    router = Router(dependencies=[requires(roles="admin")])
    router.add_route("/", lambda request, response: "in")
    app.include_router(router)


def as_a_default(app: NexiosApp) -> None:
    @app.get("/")
    async def home(request: Any, response: Any, user: Any = requires(roles="admin")) -> Any:  # noqa: B008
        return "in"


def by_depend(app: NexiosApp) -> None:
    @app.get("/", dependencies=[Depend(requires(roles="admin"))])
    async def home(request: Any, response: Any) -> Any:
        return "in"


FORMS = [
    inner_first,
    outer_last,
    weak_around_strong,
    below_a_decorator,
    below_an_object,
    on_a_class,
    on_a_method,
    on_a_router,
    as_a_default,
    by_depend,
]


@pytest.mark.parametrize("form", FORMS)
def test_no_form_and_no_order_weakens_a_guard(form: Any) -> None:
    """Faults 9 and 10 of the published project: stacked decorators that drop each other, and let anybody in."""
    with TestClient(admin_app(form)) as client:
        assert client.get("/").status_code == 401
        assert client.get("/", headers={"x-user": "bob"}).status_code == 403
        assert client.get("/", headers={"x-user": "ada", "x-roles": "admin"}).status_code == 200


def test_a_guard_of_one_method_of_a_class_is_not_for_the_others() -> None:
    app = NexiosApp()
    app.auth_backend = Header()

    @app.route("/")
    class Home:
        async def get(self, request: Any, response: Any) -> Any:
            return "open"

        @requires()
        async def post(self, request: Any, response: Any) -> Any:
            return "in"

    with TestClient(app) as client:
        assert (client.get("/").status_code, client.post("/").status_code) == (200, 401)


def test_a_guard_on_a_class_of_websockets_or_one_of_its_methods_holds_for_all_of_it() -> None:
    app = NexiosApp()
    app.auth_backend = Header()

    @app.websocket("/whole")
    @requires()
    class Whole(WebSocketConsumer): ...

    @app.websocket("/part")
    class Part(WebSocketConsumer):
        @requires()
        async def on_connect(self, websocket: WebSocket) -> None:
            await websocket.accept()

    with TestClient(app) as client:
        for path in ("/whole", "/part"):
            with pytest.raises(Exception, match="401"):
                client.websocket_connect(path).__enter__()


def test_a_guard_refuses_before_the_body_is_read() -> None:
    app = NexiosApp()
    app.auth_backend = Header()

    @app.post("/", dependencies=[requires()])
    async def create(request: Any, response: Any, body: dict[str, int]) -> None: ...

    with TestClient(app) as client:
        assert client.post("/", content=b"{not json").status_code == 401


def test_a_guard_without_a_backend_fails_and_says_so() -> None:
    app = NexiosApp()

    @app.get("/", dependencies=[requires()])
    async def home(request: Any, response: Any) -> None: ...

    with pytest.raises(ConfigurationError, match="auth_backend"), TestClient(app) as client:
        client.get("/")


async def find(token: str) -> Any:
    return ("ada", ["read"]) if token == "good" else None


def bearer_app() -> NexiosApp:
    app = NexiosApp()
    app.auth_backend = BearerAuth(find, realm="books")

    @app.get("/", dependencies=[requires("read")])
    async def home(request: Any, response: Any) -> None: ...

    @app.get("/write", dependencies=[requires("write", "read")])
    async def write(request: Any, response: Any) -> None: ...

    return app


@pytest.mark.parametrize(
    ("path", "header", "code", "challenge"),
    [
        ("/", "", 401, 'Bearer realm="books"'),
        ("/", "Bearer bad", 401, 'Bearer realm="books", error="invalid_token"'),
        ("/write", "Bearer good", 403, 'Bearer realm="books", error="insufficient_scope", scope="read write"'),
        ("/", "Bearer good", 204, None),
    ],
)
def test_a_client_is_told_what_to_show(path: Any, header: Any, code: Any, challenge: Any) -> None:
    """RFC 6750, section 3."""
    with TestClient(bearer_app()) as client:
        answer = client.get(path, headers={"authorization": header} if header else {})

    assert (answer.status_code, answer.headers.get("www-authenticate")) == (code, challenge)


def test_the_openapi_document_says_what_to_show() -> None:
    app = bearer_app()
    document = app.openapi()

    assert document["paths"]["/write"]["get"]["security"] == [{"bearer": ["read", "write"]}]
    assert document["components"]["securitySchemes"] == {"bearer": {"type": "http", "scheme": "bearer"}}


def test_several_backends_are_alternatives_in_the_openapi_document() -> None:
    class Cookie(Header):
        def openapi_scheme(self) -> Any:
            return "session", {"type": "apiKey", "in": "cookie", "name": "session"}

    app = NexiosApp(dependencies=[requires()])
    app.auth_backend = [BearerAuth(find), Cookie()]

    @app.get("/")
    async def home(request: Any, response: Any) -> None: ...

    assert app.openapi()["paths"]["/"]["get"]["security"] == [{"bearer": []}, {"session": []}]


def test_a_guard_is_written_as_it_was() -> None:
    assert repr(requires("b", "a", roles="r", match="any")) == "requires('a', 'b', roles=['r'], match='any')"
