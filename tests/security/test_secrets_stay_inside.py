"""Does anything that holds a secret show it? In its repr, in a log, in an error, on the debug page, in OpenAPI."""

import asyncio
import logging
import pprint
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest

from nexios import NexiosApp, Request, Response, Settings
from nexios.auth import APIKeyAuth, APIKeys, BasicAuth, BearerAuth, SessionAuth, requires
from nexios.auth.jose import JWTKey
from nexios.auth.jwks import JWKS
from nexios.auth.jwt import JWT, JWTAuth
from nexios.auth.oauth import OAuthClient
from nexios.auth.oauth_credentials import SecretInBody
from nexios.auth.oauth_pending import Pending
from nexios.auth.oauth_tokens import OAuthTokens
from nexios.errors import ConfigurationError
from nexios.http.forms import FormData
from nexios.http.headers import Headers, MutableHeaders
from nexios.http.query import parse_query
from nexios.messages.identity import Identity
from nexios.messages.state import State
from nexios.middleware import CSRFMiddleware
from nexios.session import SessionMiddleware
from nexios.signing import Keyring
from nexios.stores import MemoryStore
from nexios.stores.postgres import PostgresStore
from nexios.stores.redis import RedisStore
from nexios.testing import TestClient
from nexios.testing.raw import call
from nexios.websockets.backends.nats import NatsBackend
from nexios.websockets.backends.postgres import PostgresBackend
from nexios.websockets.backends.redis import RedisBackend

CANARY = "c4nary7Wq2ZpX9vB4mK6tR1yH8sD3gJ5"
"""Good enough to be a secret: it is not refused for being weak."""

PROFILE: dict[str, Any] = {"algorithms": ["HS256"], "issuer": "https://a", "audience": "b"}
LOGIN: dict[str, Any] = {
    "client_id": "app",
    "redirect_uri": "https://app.example/back",
    "authorization_endpoint": "https://login.example/authorize",
    "token_endpoint": "https://login.example/token",
}
Maker = Callable[[], Any]


def protected() -> NexiosApp:
    """An app with a secret everywhere it takes one."""
    app = NexiosApp(secret_key=CANARY, channels=RedisBackend(f"redis://ada:{CANARY}@engine:6379/0"))
    app.auth_backend = [
        JWTAuth(JWT(CANARY, **PROFILE)),
        APIKeyAuth(APIKeys(RedisStore(f"redis://ada:{CANARY}@engine/0", password=CANARY))),
        BasicAuth(lambda name, password, expected=CANARY: None),  # type: ignore[arg-type,misc]
        BearerAuth(lambda token, expected=CANARY: None),  # type: ignore[arg-type,misc]
        SessionAuth(lambda id, key=CANARY: None),  # type: ignore[arg-type,misc]
    ]
    app.state.password = CANARY
    app.add_middleware(SessionMiddleware, secret_key=[CANARY, CANARY[::-1]])
    app.add_middleware(CSRFMiddleware, secret_key=CANARY)

    @app.get("/private", dependencies=[requires("admin")])
    async def private(request: Request, response: Response) -> str:
        return "private"

    @app.websocket("/live")
    async def live(websocket: Any) -> None: ...

    return app


def session() -> Any:
    """Return the session of a request, with something in it."""
    seen: list[Any] = []
    app = NexiosApp(openapi=None)
    app.add_middleware(SessionMiddleware, secret_key=CANARY)

    @app.get("/")
    async def handler(request: Request, response: Response) -> str:
        request.session["token"] = CANARY
        request.session.user_id = CANARY
        seen.append(request.session)
        return "seen"

    asyncio.run(call(app))
    return seen[0]


def request() -> Any:
    """Return a request that shows credentials, and the response that sets a cookie."""
    seen: list[Any] = []
    app = NexiosApp(openapi=None)

    @app.get("/")
    async def handler(request: Request, response: Response) -> Response:
        request.state.token = CANARY
        seen.append((request, response, request.headers, request.state))
        return response.set_cookie("session", CANARY).set_header("authorization", CANARY)

    headers = [(name, CANARY.encode()) for name in (b"authorization", b"cookie", b"proxy-authorization")]
    asyncio.run(call(app, headers=headers, query=b"token=" + CANARY.encode()))
    return seen[0]


FIELDS = [(name, f"Bearer {CANARY}") for name in ("authorization", "cookie", "set-cookie", "proxy-authorization")]
HOLDERS: dict[str, Maker] = {
    "keyring": lambda: Keyring(CANARY),
    "keyring of several": lambda: Keyring([CANARY, CANARY[::-1]]),
    "signer": lambda: Keyring(CANARY).signer("x"),
    "signatures": lambda: Keyring(CANARY).signatures("x"),
    "settings": lambda: Settings(secret_key=CANARY),
    "settings of the environment": lambda: Settings.from_environment({"NEXIOS_SECRET_KEY": CANARY}),
    "app": protected,
    "engine": lambda: protected().compile(),
    "middleware of an app": lambda: protected().middleware,
    "session middleware": lambda: SessionMiddleware(CANARY),
    "settled session middleware": lambda: SessionMiddleware(CANARY).for_settings(Settings(secret_key=CANARY)),
    "session middleware with a store": lambda: SessionMiddleware(store=RedisStore(f"redis://:{CANARY}@engine")),
    "session": session,
    "request and response": request,
    "headers": lambda: Headers(FIELDS),
    "headers that are written": lambda: MutableHeaders(FIELDS),
    "state": lambda: State(token=CANARY),
    "query": lambda: parse_query(f"page=2&access_token={CANARY}&api%5Fkey={CANARY}"),
    "form": lambda: FormData([("name", "ada"), ("new_password", CANARY)]),
    "identity": lambda: Identity(CANARY),
    "csrf middleware": lambda: CSRFMiddleware(secret_key=CANARY),
    "settled csrf middleware": lambda: CSRFMiddleware().for_settings(Settings(secret_key=CANARY)),
    "tokens": lambda: JWT(CANARY, **PROFILE),
    "tokens of several keys": lambda: JWT({"a": CANARY, "b": CANARY[::-1]}, **PROFILE),
    "key of tokens": lambda: JWTKey.of(CANARY, ["HS256"]),
    "backend of tokens": lambda: JWTAuth(JWT(CANARY, **PROFILE)),
    "source of keys": lambda: JWKS(f"https://login.example/keys?api_key={CANARY}"),
    "login elsewhere": lambda: OAuthClient(credentials=CANARY, **LOGIN),
    "login elsewhere with the secret in the body": lambda: OAuthClient(credentials=SecretInBody(CANARY), **LOGIN),
    "client secret": lambda: SecretInBody(CANARY),
    "tokens of a login": lambda: OAuthTokens(CANARY, CANARY, CANARY),
    "login under way": lambda: Pending("app", CANARY, CANARY, "/", 0.0),
    "api keys": lambda: APIKeys(RedisStore(f"redis://:{CANARY}@engine")),
    "backend of api keys": lambda: APIKeyAuth(APIKeys(RedisStore(f"redis://:{CANARY}@engine"))),
    "redis store": lambda: RedisStore(f"rediss://ada:{CANARY}@engine:6379/0", password=CANARY),
    "redis store with the password as an option": lambda: RedisStore(f"redis://engine/0?password={CANARY}"),
    "postgres store": lambda: PostgresStore(f"postgresql://ada:{CANARY}@engine/app", password=CANARY),
    "redis channels": lambda: RedisBackend(f"redis://ada:{CANARY}@engine:6379/0"),
    "redis channels with the password as an option": lambda: RedisBackend(f"redis://engine/0?password={CANARY}"),
    "postgres channels": lambda: PostgresBackend(f"postgresql://ada:{CANARY}@engine/app?password={CANARY}"),
    "nats channels": lambda: NatsBackend([f"nats://{CANARY}@one:4222", f"nats://ada:{CANARY}@two:4222"]),
    "test client": lambda: TestClient(protected(), cookies={"session": CANARY}, headers={"authorization": CANARY}),
}


def told(value: Any) -> str:
    """All that a program says of a value without asking it for something by name."""
    rich = getattr(value, "__rich_repr__", None)
    parts = list(rich()) if rich is not None else []
    return "\n".join((repr(value), str(value), f"{value}", pprint.pformat(value), f"{[value]}", repr(parts)))


def holds_canary(text: str) -> bool:
    """A part of it is enough."""
    return CANARY[:12] in text or CANARY[12:] in text or CANARY[::-1][:12] in text


@pytest.mark.parametrize("name", HOLDERS)
def test_nothing_that_holds_a_secret_says_it(name: str) -> None:
    assert not holds_canary(told(HOLDERS[name]()))


def test_a_new_api_key_is_read_and_never_shown() -> None:
    new = asyncio.run(APIKeys(MemoryStore()).issue("ada"))
    secret = new.text.split("_", 2)[2]

    assert len(secret) > 20
    assert secret not in told(new)


NOTHING_TO_HIDE = {"Dependency", "Marker", "Requires"}
"""Structs that are only shown in another way."""


def structs(kind: type[Any]) -> Iterator[type[Any]]:
    for one in kind.__subclasses__():
        yield one
        yield from structs(one)


def test_what_hides_something_in_its_repr_hides_it_from_rich_too() -> None:
    """A Struct has a `__rich_repr__` with all its fields, which rich prefers, also for the variables of a traceback."""
    ours = [kind for kind in structs(msgspec.Struct) if kind.__module__.startswith("nexios.")]

    hiding = {kind.__name__: kind for kind in ours if "__repr__" in vars(kind)}
    showing = [name for name, kind in hiding.items() if "__rich_repr__" not in vars(kind)]
    assert {"NewAPIKey", "Identity", "Request"} <= hiding.keys()
    assert set(showing) <= NOTHING_TO_HIDE


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("accept", ["text/html", "application/json", "*/*"])
@pytest.mark.parametrize("name", HOLDERS)
def test_an_error_that_has_one_in_its_words_tells_no_secret(
    name: str, accept: str, debug: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """In the answer, on the debug page, and in the log with its traceback."""
    caplog.set_level(0)
    holder = HOLDERS[name]()
    app = NexiosApp(debug=debug, openapi=None)

    @app.get("/")
    async def handler(request: Request, response: Response) -> None:
        try:
            raise KeyError(holder)
        except KeyError as exc:
            exc.add_note(f"with {holder!r}")
            raise RuntimeError(f"it was {holder}", [holder]) from exc

    answer = asyncio.run(call(app, headers=[(b"accept", accept.encode())]))

    assert answer.status == 500
    assert "it was" in caplog.text
    assert not holds_canary(answer.body.decode() + repr(answer.headers) + caplog.text)


async def test_the_documents_of_an_app_hold_no_secret() -> None:
    app = protected()

    for path in ("/openapi.json", "/asyncapi.json", "/docs"):
        answer = await call(app, path=path)
        assert (answer.status, holds_canary(answer.body.decode())) == (200, False), path
    assert b"securitySchemes" in (await call(app, path="/openapi.json")).body


def test_compiling_an_app_logs_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    """In debug mode too, where a secret that can be guessed is told of."""
    caplog.set_level(0)
    protected().compile()
    weak = NexiosApp(secret_key=CANARY[:16], debug=True)
    weak.add_middleware(SessionMiddleware)
    weak.add_middleware(CSRFMiddleware)
    weak.compile()

    assert "can be guessed" in caplog.text
    assert not holds_canary(caplog.text)


@contextmanager
def closed_port() -> Iterator[int]:
    """A port of this machine where nobody listens."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


class Nobody:
    """What a backend of channels tells of messages."""

    def __getattr__(self, name: str) -> Any:
        return lambda *args: None


UNREACHABLE: dict[str, Callable[[int], Any]] = {
    "redis store": lambda port: RedisStore(f"redis://ada:{CANARY}@127.0.0.1:{port}/0", patience=0.2).start(),
    "postgres store": lambda port: PostgresStore(f"postgresql://ada:{CANARY}@127.0.0.1:{port}/a", patience=0.2).start(),
    "redis channels": lambda port: RedisBackend(f"redis://ada:{CANARY}@127.0.0.1:{port}/0", patience=0.2).start(
        Nobody(), node="n"
    ),
    "postgres channels": lambda port: PostgresBackend(
        f"postgresql://ada:{CANARY}@127.0.0.1:{port}/a", patience=0.2
    ).start(Nobody(), node="n"),
    "nats channels": lambda port: NatsBackend(f"nats://ada:{CANARY}@127.0.0.1:{port}", patience=0.2).start(
        Nobody(), node="n"
    ),
}


def words_of(exc: BaseException | None) -> str:
    """The words of an exception, of its causes, and of what came before them."""
    found = ""
    while exc is not None:
        found += f"{exc} {exc!r} {exc.args!r} {getattr(exc, '__notes__', '')}"
        exc = exc.__cause__ or exc.__context__
    return found


@pytest.mark.parametrize("name", UNREACHABLE)
async def test_an_engine_that_cannot_be_reached_is_named_without_its_password(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with closed_port() as port:
        with pytest.raises(Exception) as caught:
            await UNREACHABLE[name](port)

    assert not holds_canary(words_of(caught.value) + caplog.text)


MISTAKES: dict[str, Callable[[], Any]] = {
    "redis channels": lambda: RedisBackend(f"http://ada:{CANARY}@engine"),
    "redis channels at no port": lambda: RedisBackend(f"redis://ada:{CANARY}@engine:x"),
    "redis channels with another option": lambda: RedisBackend("redis://engine", passwort=CANARY),
    "postgres channels": lambda: PostgresBackend(f"http://ada:{CANARY}@engine"),
    "nats channels": lambda: NatsBackend(f"http://ada:{CANARY}@engine"),
    "channels of an app": lambda: NexiosApp(channels=f"redis://ada:{CANARY}@engine"),  # type: ignore[arg-type]
    "source of keys": lambda: JWKS(f"https://ada:{CANARY}@login.example/keys"),
    "source of keys over http": lambda: JWKS(f"http://ada:{CANARY}@login.example/keys"),
    "login elsewhere": lambda: OAuthClient(**LOGIN | {"token_endpoint": f"https://ada:{CANARY}@login.example/token"}),
    "settings": lambda: Settings(secret_key=CANARY.encode()),  # type: ignore[arg-type]
    "settings of the environment": lambda: Settings.from_environment(
        {"NEXIOS_SECRET_KEY": CANARY, "NEXIOS_SECRET_KEY_FILE": f"/run/{CANARY[:4]}"}
    ),
    "sessions with a store and a key": lambda: SessionMiddleware(CANARY, store=MemoryStore()),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_explained_without_the_secret_in_it(name: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        MISTAKES[name]()

    assert not holds_canary(words_of(caught.value))
