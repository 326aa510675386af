"""Who is the client? Its backends are asked before the guards of a route, and the first that answers wins.

    async def authenticate(self, request): ...

An answer is a user, or a user and scopes as a pair; None says that this backend knows nothing of the client.
`InvalidCredentials` says that the client showed something that does not hold: no further backend is asked, so that
nobody goes on as somebody else, and whatever asks for a user refuses with 401. Any other exception ends the
request: when nobody knows who the client is, it is not anonymous.
"""

import copy
import inspect
import logging
import math
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from types import MethodType
from typing import Any, ClassVar, Final, Protocol

from nexios._injection.graph import Node
from nexios._injection.manner import is_async
from nexios._pipeline.injector import Injected, Injector
from nexios._pipeline.middleware import BaseMiddleware, CallNext, Middleware
from nexios._pipeline.reading import scopes_of
from nexios._pipeline.recheck import Rechecks
from nexios._pipeline.websocket_injector import WebSocketInjector
from nexios.errors import ConfigurationError, HTTPException, ServiceUnavailable
from nexios.messages.connection import Connection
from nexios.messages.content import LiveContent
from nexios.messages.identity import Identity
from nexios.messages.request import Request
from nexios.messages.response import Response
from nexios.messages.websocket import WebSocket
from nexios.places import name_of, place_of
from nexios.routing.route import NOT_GIVEN

__all__ = [
    "Authentication",
    "AuthenticationMiddleware",
    "Authentications",
    "InvalidCredentials",
    "backends_of",
    "placed",
]

logger = logging.getLogger("nexios")

Ask = Callable[[Any], Awaitable[Any]]

_DEFAULT_CHALLENGE: Final = "Bearer"
_EMPTY: Final = frozenset({str, bytes, dict, list, set, frozenset})
"""Types of which an empty one is no user: it is what a query gives that found none."""


class InvalidCredentials(HTTPException):
    """401: the client showed credentials, and they do not hold. Raised by a backend; clients learn no more than this.

    `challenge` takes the place of what the backend tells clients to show.
    """

    challenge: str | None

    def __init__(
        self, detail: str = "The credentials are not valid.", *, code: str = "invalid_credentials", challenge: str = ""
    ) -> None:
        headers = {"www-authenticate": challenge} if challenge else {}
        super().__init__(401, detail, code=code, headers=headers)
        self.challenge = challenge or None


class _Backend(Protocol):
    """What is asked."""

    def authenticate(self, request: Any, /) -> Awaitable[Any]:
        """Say who the client is."""


class Authentication:
    """Asks the backends of one app, router or route; a middleware of requests and of WebSockets."""

    def __init__(
        self, asked: Sequence[tuple[Ask, Ask]], challenges: tuple[str, ...], rechecks: tuple[Rechecks | None, ...]
    ) -> None:
        self._of_requests = tuple(of_requests for of_requests, _ in asked)
        self._of_websockets = tuple(of_websockets for _, of_websockets in asked)
        self._challenges = challenges
        self._rechecks = rechecks

    async def __call__(self, request: Request, response: Response, call_next: CallNext) -> Any:
        """Find out, then go on. While it sends an event stream, its backend is asked again."""
        identity = request._identity = await self._identify(self._of_requests, request)
        answer = await call_next()
        if type(answer.content) is LiveContent and (rechecks := self._rechecks_of(identity)) is not None:
            ask = self._of_requests[identity.position]
            rechecks.of_answer(answer, partial(_is_known_still, ask, identity, copy.copy(request)))
        return answer

    async def handle_websocket(self, websocket: WebSocket, call_next: Callable[[], Awaitable[None]]) -> None:
        """Find out, then go on; the handshake is not answered yet. While it is open, its backend is asked again."""
        identity = websocket._identity = await self._identify(self._of_websockets, websocket)
        rechecks = self._rechecks_of(identity)
        if rechecks is None:
            return await call_next()
        ask = self._of_websockets[identity.position]
        recheck = rechecks.of_websocket(websocket, partial(_is_known_still, ask, identity, copy.copy(websocket)))
        try:
            await call_next()
        finally:
            recheck.stop()

    def _rechecks_of(self, identity: Identity) -> Rechecks | None:
        return None if identity.user is None else self._rechecks[identity.position]

    async def _identify(self, asked: Sequence[Ask], connection: Connection[Any]) -> Identity:
        for position, ask in enumerate(asked):
            try:
                found = _answer(await ask(connection))
            except InvalidCredentials as exc:
                own = () if exc.challenge is None else (exc.challenge,)
                others = (*self._challenges[:position], *self._challenges[position + bool(own) :])
                return Identity(challenges=(*own, *others), failure=exc)
            except (HTTPException, ConfigurationError):
                raise
            except Exception as exc:
                logger.exception("an auth backend failed, so nobody knows who the client is: %s", type(exc).__name__)
                raise ServiceUnavailable from exc
            if found is not None:
                return Identity(*found, challenges=self._challenges[position : position + 1], position=position)
        return Identity(challenges=self._challenges)


class AuthenticationMiddleware(BaseMiddleware):
    """Stands where `app.auth_backend` is asked, for middleware of the app that needs to know the user after it.

    >>> from nexios import NexiosApp
    >>> app = NexiosApp()
    >>> app.add_middleware(AuthenticationMiddleware)
    """

    handle_websocket: ClassVar[None] = None

    async def __call__(self, request: Request, response: Response, call_next: CallNext) -> Any:
        """Compile puts the backends in its place."""
        raise ConfigurationError("AuthenticationMiddleware is for an app: app.add_middleware(AuthenticationMiddleware)")


class Authentications:
    """Makes what authenticates the clients of one engine; one for each backend, or list of them, that was given."""

    def __init__(
        self, kept: dict[int, tuple[object, tuple[_Backend, ...]]], injector: Injector, sockets: WebSocketInjector
    ) -> None:
        """Take the backends that are made already, to be added to: engines of one app share them."""
        self._kept = kept
        self._injector = injector
        self._sockets = sockets
        self._made: dict[int, Authentication] = {}

    def of(self, given: object) -> Authentication | None:
        """Return what asks the backends that were given; None where nobody is asked. Raises `ConfigurationError`."""
        backends = self.backends(given)
        if not backends:
            return None
        made = self._made.get(id(given))
        if made is None:
            made = self._made[id(given)] = self._make(backends)
        return made

    def backends(self, given: object) -> tuple[_Backend, ...]:
        """Return the backends, in order, each made once."""
        if given is None or given is NOT_GIVEN:
            return ()
        kept = self._kept.get(id(given))
        if kept is None:
            kept = self._kept[id(given)] = (given, backends_of(given))
        return kept[1]

    def nodes(self, given: object) -> list[Node]:
        """Return the providers that the backends ask for."""
        return [node for one in self.backends(given) for node in self._injector.call_of(one.authenticate).nodes]

    def _make(self, backends: Sequence[_Backend]) -> Authentication:
        asked = []
        for backend in backends:
            fn = backend.authenticate
            asked.append((_ask(fn, self._injector.of(fn)), _ask(fn, self._sockets.of(fn))))
        challenges = tuple(getattr(one, "challenge", _DEFAULT_CHALLENGE) for one in backends)
        return Authentication(asked, challenges, tuple(_rechecks_for(one) for one in backends))


def placed(middleware: Sequence[Middleware], authentication: Authentication | None) -> tuple[Middleware, ...]:
    """Return the middleware of an app with its authentication where it was given a place.

    Raises:
        ConfigurationError: There is a place, and no backend.
    """
    if authentication is None and any(isinstance(one, AuthenticationMiddleware) for one in middleware):
        raise ConfigurationError(
            "AuthenticationMiddleware asks the auth backend of the app, and it has none:\n\n"
            "    app.auth_backend = SessionAuth(find_user)\n"
        )
    return tuple(authentication or one if isinstance(one, AuthenticationMiddleware) else one for one in middleware)


def backends_of(given: object) -> tuple[_Backend, ...]:
    """Return the backends that were given: one, a class of them, or several in a list.

    Raises:
        ConfigurationError: One of them is no backend; the text says what is.
    """
    entries: Iterable[object] = given if isinstance(given, list | tuple) else (given,)
    return tuple(_backend_of(entry) for entry in entries)


def _backend_of(given: object) -> _Backend:
    backend = given
    if inspect.isclass(given):
        try:
            backend = given()
        except TypeError as exc:
            raise ConfigurationError(
                f"{given.__qualname__} cannot be made without arguments ({exc}). Give an instance:\n\n"
                f"    app.auth_backend = {given.__qualname__}(...)\n"
            ) from exc
    fn = getattr(backend, "authenticate", None)
    if callable(fn) and not is_async(fn):
        raise ConfigurationError(
            f"authenticate() of the auth backend {type(backend).__qualname__} is not async. Write:\n\n"
            f"    async def authenticate(self, request): ...\n\n  {place_of(fn)}"
        )
    if not callable(fn):
        raise ConfigurationError(
            f"{given!r} is no auth backend. Write it as:\n\n"
            "    class TokenAuth(AuthBackend):\n"
            "        async def authenticate(self, request):\n"
            "            return await find_user(request.headers.get('authorization'))\n"
        )
    return backend  # type: ignore[return-value]


def _ask(fn: Callable[..., Awaitable[Any]], injected: Injected | None) -> Ask:
    try:
        inspect.signature(fn).bind_partial(None)
    except TypeError:
        raise ConfigurationError(
            f"{name_of(fn)}() of an auth backend takes the request:\n\n  {place_of(fn)}\n\n"
            "    async def authenticate(self, request): ...\n"
        ) from None
    if injected is None:
        return fn

    async def ask(connection: Any) -> Any:
        response = getattr(connection, "_builder", None)
        return await injected.call(connection, scopes=scopes_of(connection), request=connection, response=response)

    return ask


def _rechecks_for(backend: _Backend) -> Rechecks | None:
    """Raises `ConfigurationError` where `recheck` is neither seconds nor None."""
    seconds = getattr(backend, "recheck", None)
    if seconds is None:
        return None
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds < math.inf:
        raise ConfigurationError(
            f"{type(backend).__name__}.recheck = {seconds!r}: it is a number of seconds over 0, or None."
        )
    return Rechecks(float(seconds), "the credentials hold no more")


async def _is_known_still(ask: Ask, identity: Identity, asked: Any) -> bool:
    """Whether a backend says again who the client is, with all the scopes that it had.

    `asked` is a copy of the connection, as it was where the backend stands: with the session of that place, and with
    dependencies of its own, which are made anew each time.
    """
    asked._scopes = None
    try:
        found = _answer(await ask(asked))
    except HTTPException as exc:
        if exc.status_code >= 500 or exc.status_code == 429:  # it cannot say
            raise
        return False
    finally:
        if asked._scopes is not None:
            await asked._scopes.finish(None)
    return found is not None and found[1] >= identity.scopes


def _answer(result: Any) -> tuple[Any, frozenset[str]] | None:
    """What a backend said: a user with scopes, or None for nobody.

    Raises:
        TypeError: It is neither.
    """
    user, scopes = result if type(result) is tuple and len(result) == 2 else (result, ())
    if user is None or user is False or not _is_authenticated(user):
        return None
    if user is True or type(user) is tuple or (type(user) in _EMPTY and not user):
        what = f"a {type(user).__name__}" if user else f"an empty {type(user).__name__}"
        raise TypeError(f"an auth backend returns a user, (user, scopes) or None, not {what}")
    granted = frozenset(scopes.split() if isinstance(scopes, str) else scopes)
    if not all(isinstance(scope, str) for scope in granted):
        raise TypeError("the scopes that an auth backend returns are texts")
    return user, granted


def _is_authenticated(user: Any) -> object:
    """What a user says of itself, as an attribute or as a method."""
    said = getattr(user, "is_authenticated", True)
    return said() if isinstance(said, MethodType) else said
