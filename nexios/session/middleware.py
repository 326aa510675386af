"""How does a session get into a request, and what is new in it out to the browser?

What nobody touches costs nothing: no cookie is read, nothing is written, and the answer says nothing of cookies. An
answer that depends on a session says `Vary: Cookie`, and one whose session has changed is for no cache.
"""

import copy
import math
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, ClassVar, Final, Self

from nexios._pipeline.middleware import BaseMiddleware, CallNext
from nexios._pipeline.recheck import Rechecks
from nexios._pipeline.websocket_chain import WebSocketCallNext
from nexios.errors import ConfigurationError
from nexios.http.cookies import SameSite
from nexios.http.headers import MutableHeaders
from nexios.messages.connection import Connection
from nexios.messages.content import LiveContent
from nexios.messages.request import Request
from nexios.messages.response import Response
from nexios.messages.session import Session, SessionOpener
from nexios.messages.websocket import WebSocket
from nexios.session.cookie import SessionCookie
from nexios.session.kept import KeptSession
from nexios.session.signed import SignedSessions
from nexios.session.socket import SocketSession
from nexios.session.stored import Loaded, StoredSessions
from nexios.session.times import checked_seconds, checked_times
from nexios.settings import Settings
from nexios.signing.keyring import Keyring, Secrets
from nexios.stores.base import Store, checked_store

__all__ = ["SessionMiddleware"]

_SENT: Final = "The session is saved already, because the response is on its way: change it in the handler."
_WEBSOCKET: Final = (
    "The session of a WebSocket is read-only: its cookie went out with a page. Change it in a handler of a request."
)
_VARY: Final = ("vary", "Cookie")
_MINUTE: Final = 60.0
_HALF_HOUR: Final = 30 * 60.0
_TWELVE_HOURS: Final = 12 * 60 * 60.0


class SessionMiddleware(BaseMiddleware):
    """Gives each request its `request.session`: in a signed cookie, or with `store` on the server.

    Units:  seconds for both timeouts: how long a session lasts when it is not used, and at most.

    In a cookie it is signed with `secret_key`, by default that of the settings; of several keys the first signs, and
    all are accepted. In a store it can be ended: at a logout, and for a user by `invalidate_all`.
    """

    requires: ClassVar[Sequence[type]] = ()
    opens_sessions: ClassVar[bool] = True

    def __init__(
        self,
        secret_key: Secrets | None = None,
        *,
        store: Store | None = None,
        session_cookie: str = "session",
        idle_timeout: float = _HALF_HOUR,
        absolute_timeout: float = _TWELVE_HOURS,
        path: str = "/",
        domain: str | None = None,
        same_site: SameSite = "lax",
        prefix: str | None = None,
        session_recheck: float | None = _MINUTE,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Take how sessions are kept. `prefix` begins all keys in the store; by default it is the name of the cookie.

        After each `session_recheck` seconds a WebSocket whose session has ended is closed with 4401, and an event
        stream ends; None lets them stay.

        Raises:
            ConfigurationError: An option is wrong, or there are both a store and a key. That a key is missing or can
                be guessed is said when the app compiles.
        """
        if store is not None and secret_key is not None:
            raise ConfigurationError(
                "Sessions are in a store or in signed cookies; got both store= and secret_key=. With a store, no "
                "key is needed:\n\n    app.add_middleware(SessionMiddleware, store=...)\n"
            )
        if store is not None:
            store = checked_store(store, 'app.add_middleware(SessionMiddleware, store=SQLiteStore("sessions.sqlite3"))')
        self._secret_key = secret_key
        self._times = checked_times(idle_timeout, absolute_timeout)
        self._clock = clock
        self._cookie = SessionCookie(session_cookie, path=path, domain=domain, same_site=same_site)
        start = f"{session_cookie}:" if prefix is None else prefix  # who has one cookie of an app is nobody in another
        self._stored = None if store is None else StoredSessions(store, self._times, clock, start)
        self._signed: SignedSessions | None = None
        seconds = None if session_recheck is None else checked_seconds("session_recheck", session_recheck)
        self._rechecks = None if seconds is None else Rechecks(seconds, "the session has ended")
        self._opener: SessionOpener = self._open

    def for_settings(self, settings: Settings) -> Self:
        """Return this middleware for an app: with its debug mode, and its key."""
        own = copy.copy(self)
        own._cookie = self._cookie.for_debug(settings.debug)
        if self._stored is None:
            secrets = settings.secret_key if self._secret_key is None else self._secret_key
            keyring = Keyring(secrets, debug=settings.debug, clock=self._clock)
            has_old_keys = secrets is not None and not isinstance(secrets, str | bytes) and len(secrets) > 1
            own._signed = SignedSessions(keyring, own._cookie.name, self._times, self._clock, has_old_keys=has_old_keys)
        own._opener = own._open
        return own

    @asynccontextmanager
    async def lifespan(self, app: object) -> AsyncIterator[None]:
        """Keep the store open while the app runs."""
        if self._stored is None:
            yield
            return
        await self._stored.store.start()
        try:
            yield
        finally:
            await self._stored.store.stop()

    async def invalidate_all(self, user_id: str) -> None:
        """End all sessions of a user, from a script or a task; in handlers, `request.session` has the same.

        Raises:
            ConfigurationError: Sessions are in cookies.
            StoreUnavailable: The store did not answer.
        """
        session = KeptSession(None, None, None, clock=self._clock, epochs=self._stored)
        await session.invalidate_all(user_id)

    async def __call__(self, request: Request, response: Response, call_next: CallNext) -> Response:
        """Open the session when it is touched, and save it when it has changed."""
        opener = self._opener
        if self._stored is not None and request._transport.header_values("cookie"):
            opener = _of(self._stored, await self._load(request))
        if request._session_opener is not None:
            return await self._inside(request, call_next, opener)
        request._session_opener = opener
        answer = await call_next()
        if request._session is None:
            request._session_opener = _too_late
        else:
            await self._finish(request, answer)
        return answer

    async def _inside(self, request: Request, call_next: CallNext, opener: SessionOpener) -> Response:
        """Of two sessions around a handler it has the inner one; the outer one is back afterwards."""
        outer = request._session, request._session_opener
        request._session, request._session_opener = None, opener
        answer = await call_next()
        if request._session is not None:
            await self._finish(request, answer)
        request._session, request._session_opener = outer
        return answer

    async def handle_websocket(self, websocket: WebSocket, call_next: WebSocketCallNext) -> None:
        """Let the handler read the session that the handshake came with; one further out is back afterwards."""
        given = await self._given(websocket)
        outer = websocket._session, websocket._session_opener
        websocket._session, websocket._session_opener = None, given.open
        recheck = None
        if self._rechecks is not None and self._cookie.read(websocket) is not None:
            recheck = self._rechecks.of_websocket(websocket, partial(given.holds, websocket))
        try:
            await call_next()
        finally:
            if recheck is not None:
                recheck.stop()
            if outer[1] is not None:
                websocket._session, websocket._session_opener = outer

    async def _given(self, websocket: WebSocket) -> SocketSession:
        if self._stored is not None:
            stored, loaded = self._stored, await self._load(websocket)
            return SocketSession(lambda _: stored.open(loaded, read_only=_WEBSOCKET), stored.is_alive)
        signed, cookie = self._ready(), self._cookie
        return SocketSession(lambda one: signed.open(cookie.read(one), read_only=_WEBSOCKET), signed.is_alive)

    def _open(self, connection: Connection[Any]) -> Session:
        if self._stored is not None:
            return self._stored.open(None)
        return self._ready().open(self._cookie.read(connection))

    def _ready(self) -> SignedSessions:
        if self._signed is None:
            raise ConfigurationError(
                "SessionMiddleware is used outside of an app: app.add_middleware(SessionMiddleware)"
            )
        return self._signed

    async def _load(self, connection: Connection[Any]) -> Loaded | None:
        value = self._cookie.read(connection)
        return None if value is None or self._stored is None else await self._stored.load(value)

    async def _finish(self, request: Request, answer: Response) -> None:
        """What failed leaves the session as it was, but for an end that was put to it."""
        session: Any = request._session  # one of ours opened it
        if answer._pairs is None and answer._media is not None:  # most answers; in place, to save a list of fields
            answer._pairs, answer._media = (answer._media, _VARY), None
        else:
            answer.headers.add_vary("Cookie")
        failed = answer.error is not None and answer.status_code >= 500
        value = self._cookie.read(request)
        if failed and session.ended:
            session.clear()  # what was put in after the end goes
        if not failed or session.ended:
            has_changed = session.has_changed
            kept = await (self._stored or self._ready()).save(session, value)
            if kept is not None:
                self._tell(request, answer, session, kept)
            if has_changed or kept is not None:
                _make_private(answer.headers)
        session.read_only = _SENT
        if type(answer.content) is LiveContent and self._rechecks is not None and not session.is_empty:
            is_alive = (self._stored or self._ready()).is_alive
            self._rechecks.of_answer(answer, partial(is_alive, session, False))

    def _tell(self, request: Request, answer: Response, session: KeptSession, kept: str) -> None:
        if kept == "":
            self._cookie.delete(request, answer)
        else:
            end = self._times.end(session.record, self._clock())
            self._cookie.set(request, answer, kept, max(1, math.ceil(end)))

    def __repr__(self) -> str:
        return f"<SessionMiddleware {self._cookie.name}>"


def _of(stored: StoredSessions, loaded: Loaded | None) -> SessionOpener:
    def open_it(connection: object) -> Session:
        return stored.open(loaded)

    return open_it


def _too_late(connection: object) -> Session:
    """An answer that is on its way can no longer say that it varies by the cookie."""
    raise RuntimeError("The session is touched first when the response is on its way: read it in the handler.")


def _make_private(headers: MutableHeaders) -> None:
    """What shows a change is for one client; no cache keeps it unless the handler says so (RFC 9111 section 7.3)."""
    directives = [part.strip(" \t") for value in headers.get_all("cache-control") for part in value.split(",")]
    if not {"private", "no-store"}.isdisjoint(part.lower() for part in directives):
        return
    kept = [part for part in directives if part and part.lower().partition("=")[0] not in ("public", "s-maxage")]
    headers["cache-control"] = ", ".join([*kept, "private"]) if any(directives) else "no-store"
