"""What the published package of this name let in, and is not let in here (faults 9 to 15)."""

from types import SimpleNamespace
from typing import Any

import pytest

from nexios import NexiosApp, Request, Response, Router
from nexios.auth import APIKeyAuth, APIKeys, AuthBackend, BearerAuth, auth, requires
from nexios.auth.jwt import JWT, JWTAuth
from nexios.stores import MemoryStore
from nexios.stores.base import StoreUnavailable
from nexios.testing.raw import RawAnswer, call
from nexios.websockets import WebSocket
from tests.security.kit import raw_websocket

KEY = "xWlZ9nTfS4v1cQ0kR7b2mJ6uYhE3oAqD"
PROFILE: dict[str, Any] = {"algorithms": ["HS256"], "issuer": "https://login.example", "audience": "shop"}


class ByName(AuthBackend):
    """The user is who the header `x-user` says, with the scopes of `x-scopes`; "broken" is a database that is away."""

    async def authenticate(self, request: Any) -> Any:
        name = request.headers.get("x-user")
        if name == "broken":
            raise ConnectionError("postgresql://app@database is away")
        if name is None:
            return None
        return SimpleNamespace(name=name, identity=name, id=name), request.headers.get("x-scopes", "").split()


def make_app(backend: Any = None) -> NexiosApp:
    app = NexiosApp(openapi=None)
    app.auth_backend = ByName() if backend is None else backend
    return app


async def ask(app: NexiosApp, path: str = "/", **headers: str) -> RawAnswer:
    fields = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return await call(app, path=path, headers=fields)


@pytest.mark.parametrize("guard", [auth(), auth("read"), requires(), requires(permissions="read"), requires(roles="x")])
async def test_whoever_shows_nothing_is_let_in_by_no_guard(guard: Any) -> None:
    """Fault 9: the object for an anonymous user was true, and an empty list of scopes skipped the check."""
    app = make_app()
    ran: list[str] = []

    async def decorated(request: Request, response: Response) -> None:
        ran.append("decorated")

    @app.get("/listed", dependencies=[guard])
    async def listed(request: Request, response: Response) -> None:
        ran.append("listed")

    @app.websocket("/live", dependencies=[guard])
    async def live(websocket: WebSocket) -> None:
        ran.append("live")

    app.add_route("/decorated", guard(decorated))

    assert [(await ask(app, path)).status for path in ("/decorated", "/listed")] == [401, 401]
    assert (await raw_websocket(app, path="/live"))[0]["status"] == 401
    assert ran == []


async def test_each_of_several_guards_holds_in_any_order() -> None:
    """Fault 10: the second decorator was dropped without a word, and bob was let in where only admins are."""
    app = make_app()

    async def handler(request: Request, response: Response) -> str:
        return "in"

    for number, guards in enumerate([(auth(), auth("admin")), (auth("admin"), auth()), (auth("admin"), requires())]):
        guarded = handler_of(handler)
        for guard in guards:
            guarded = guard(guarded)
        app.add_route(f"/{number}", guarded)

    for number in range(3):
        path = f"/{number}"
        assert (await ask(app, path)).status == 401
        assert (await ask(app, path, x_user="bob", x_scopes="read")).status == 403
        assert (await ask(app, path, x_user="ada", x_scopes="admin")).status == 200


def handler_of(handler: Any) -> Any:
    """Return a function of its own, which decorators may mark."""

    async def own(request: Request, response: Response) -> Any:
        return await handler(request, response)

    return own


@pytest.mark.parametrize(
    ("guard", "scopes", "status"),
    [
        (requires("orders:write"), "orders:read", 403),
        (requires("orders:write"), "orders:write", 200),
        (requires("orders:write"), "", 403),
        (requires("a", "b"), "a", 403),
        (requires("a", "b"), "a b", 200),
        (requires("a", "b", match="any"), "b", 200),
        (requires("a", "b", match="any"), "c", 403),
    ],
    ids=["other", "same", "none", "one of all", "all", "any", "none of any"],
)
async def test_what_is_asked_for_is_compared_with_what_the_user_has(guard: Any, scopes: str, status: int) -> None:
    """Fault 11: the scope that was asked for was compared with itself, and `any` meant `all`."""
    app = make_app()
    app.add_route("/", lambda request, response: "in", dependencies=[guard])

    assert (await ask(app, x_user="bob", x_scopes=scopes)).status == status


async def test_text_in_the_header_of_a_key_is_no_key_and_the_key_is_not_the_user() -> None:
    """Fault 12: any header that was not empty was let in, the prefix meant nothing, and the key was the identity."""
    keys = APIKeys(MemoryStore(), prefix="shop")
    new = await keys.issue("ada", scopes=["read"])
    app = make_app(APIKeyAuth(keys))
    app.add_route("/", lambda request, response: [request.user.owner, repr(request.user)], dependencies=[requires()])

    answer = await ask(app, x_api_key=new.text)

    secret = new.text.split("_", 2)[2]
    assert new.text.startswith("shop_")
    assert (answer.json()[0], secret in answer.body.decode()) == ("ada", False)
    other = new.text.replace("shop_", "nxs_", 1)
    for text in ("x", "ada", other, new.text[:-1], secret, f"shop_{new.key.id}_", new.text + "A"):
        assert (await ask(app, x_api_key=text)).status == 401, text


@pytest.mark.parametrize("guard", [requires(permissions="admin"), requires(roles="admin"), requires("admin")])
async def test_a_name_is_no_permission(guard: Any) -> None:
    """Fault 13: a user whose name is "admin" had the permission "admin"."""
    app = make_app()
    app.add_route("/", lambda request, response: "in", dependencies=[guard])

    assert (await ask(app, x_user="admin")).status == 403


async def test_a_token_names_its_user_its_end_and_whom_it_is_for() -> None:
    """Fault 14: without an identifier the user was "", and nobody asked for an expiry, an issuer or an audience."""
    tokens = JWT(KEY, **PROFILE)
    app = make_app(JWTAuth(tokens))
    app.add_route("/", lambda request, response: request.user["sub"], dependencies=[requires()])

    assert (await ask(app, authorization=f"Bearer {tokens.issue('ada')}")).body == b"ada"
    assert (await ask(app, authorization=f"bEaReR {tokens.issue('ada')}")).body == b"ada"
    assert (await ask(app, authorization=f"Bearer {tokens.issue('')}")).status == 401
    for other in ({"audience": "other"}, {"issuer": "https://evil.example"}):
        foreign = JWT(KEY, **PROFILE | other).issue("ada")
        assert (await ask(app, authorization=f"Bearer {foreign}")).status == 401
    past = JWT(KEY, clock=lambda: 1_700_000_000.0, **PROFILE).issue("ada", expires_in=60)
    assert (await ask(app, authorization=f"Bearer {past}")).status == 401


def test_issuing_a_token_leaves_the_claims_of_the_caller_alone() -> None:
    """Fault 14: what was given as the payload was changed."""
    claims = {"name": "Ada"}

    JWT(KEY, **PROFILE).issue("ada", claims=claims, scopes=["read"])

    assert claims == {"name": "Ada"}


@pytest.mark.parametrize("path", ["/open", "/guarded"])
async def test_a_database_that_is_away_makes_nobody_anonymous(path: str) -> None:
    """Fault 15: whatever a backend raised was swallowed, and the client was an anonymous one."""
    app = make_app()
    ran: list[object] = []
    app.add_route("/open", lambda request, response: ran.append(request.user))
    app.add_route("/guarded", lambda request, response: ran.append(request.user), dependencies=[requires()])

    answer = await ask(app, path, x_user="broken")

    assert (answer.status, ran) == (503, [])
    assert b"database" not in answer.body


async def test_a_user_that_cannot_be_looked_up_is_not_anonymous_either() -> None:
    """Fault 15: nor what `load_user` raised."""

    async def find(token: str) -> Any:
        raise StoreUnavailable("the store of users is away")

    app = make_app(BearerAuth(find))
    router = Router(dependencies=[requires()])
    router.add_route("/", lambda request, response: "in")
    app.include_router(router)

    assert (await ask(app, authorization="Bearer x")).status == 503
