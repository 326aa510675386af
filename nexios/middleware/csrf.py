"""Does a page of ours send this, or one of another site, with our cookies? CSRF protection, on without any option.

Unsafe methods pass when the browser says that they come from here (`csrf_decision.py`), or where it says nothing,
when they carry a token that was given to this session. Which routes need neither hangs on the matched route.

Clients learn that they were refused, and never why: that is in the log.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from copy import copy
from typing import ClassVar, Final, TypeVar

from nexios._pipeline.middleware import BaseMiddleware, CallNext
from nexios.errors import ConfigurationError, HTTPException, UnsupportedMediaType
from nexios.http.headers import is_token
from nexios.http.origins import configured_origins
from nexios.http.url import URL, parse_host
from nexios.messages.request import Request
from nexios.messages.response import Response
from nexios.middleware.csrf_decision import SAFE_METHODS, Evidence, Verdict, decide
from nexios.middleware.csrf_page import STATE, SecretCookie, Tokens
from nexios.routing.route import Route
from nexios.settings import Settings
from nexios.signing.keyring import Keyring, Secrets

__all__ = ["CSRFMiddleware", "csrf_exempt"]

HandlerT = TypeVar("HandlerT", bound=Callable[..., object])

_logger = logging.getLogger("nexios")

_EXEMPT: Final = "csrf_exempt"
_MARK: Final = "__nexios_csrf_exempt__"
_REFUSED: Final = "The request does not come from a page of this site. Load the page again, and send it from there."
_NO_SECRET: Final = (
    "it has neither a session nor a cookie with a token's secret. A route for programs, which is known by a token or "
    "key and by no cookie, is marked with @csrf_exempt"
)
_URLENCODED: Final = "application/x-www-form-urlencoded"
_FORMS: Final = frozenset({_URLENCODED, "multipart/form-data"})


class CSRFMiddleware(BaseMiddleware):
    """Refuses with 403 what another site makes a browser send. Add it after `SessionMiddleware`.

    >>> CSRFMiddleware(trusted_origins=["https://Admin.example:443"])
    <CSRFMiddleware https://admin.example>
    """

    handle_websocket = None
    """The Origin of a WebSocket is checked on its own."""
    uses_sessions: ClassVar[bool] = True

    def __init__(
        self,
        *,
        trusted_origins: Iterable[str] = (),
        secret_key: Secrets | None = None,
        header_name: str = "x-csrf-token",
        field_name: str = "csrf_token",
        cookie_name: str = "csrf",
    ) -> None:
        """Take the options.

        Pages of `trusted_origins` may send what ours may. `secret_key` signs the cookie that keeps a secret where
        there is no session, by default it is the app's; of several the first signs. `cookie_name` is without the
        prefix `__Host-`.

        Raises:
            ConfigurationError: An option is wrong.
        """
        for option, name in (("header_name", header_name), ("field_name", field_name), ("cookie_name", cookie_name)):
            if not isinstance(name, str) or not is_token(name):
                raise ConfigurationError(f"'{option}' is a name of letters, digits, '-' and '_', not {name!r}.")
        self._trusted = configured_origins(trusted_origins, "trusted_origins")
        self._header = header_name.lower()
        self._field = field_name
        self._cookie_name = cookie_name
        self._secret_key = secret_key
        self._told: set[str] = set()
        self._cookie = SecretCookie(cookie_name, None, debug=False)

    def for_settings(self, settings: Settings) -> "CSRFMiddleware":
        """Return this middleware for an app: it signs with the app's secret, unless it was given one of its own.

        Raises:
            ConfigurationError: The secret can be guessed, and the app is not in debug mode.
        """
        secrets = settings.secret_key if self._secret_key is None else self._secret_key
        signer = None if secrets is None else Keyring(secrets, debug=settings.debug).signer("csrf")
        settled = copy(self)
        settled._cookie = SecretCookie(self._cookie_name, signer, debug=settings.debug)
        return settled

    async def __call__(self, request: Request, response: Response, call_next: CallNext) -> Response:
        """Refuse the request, or let it go on with tokens for the page that answers it."""
        state, tokens = request.state, Tokens(request, self._cookie, self._field)
        around = state.get(STATE)
        exempt = request.method not in SAFE_METHODS and await self._check(request, tokens) is Verdict.EXEMPT
        state[STATE] = tokens
        answer = await call_next()
        if exempt:
            self._warn_of_sessions(request)
        if around is not None:  # that of a CSRFMiddleware further out
            state[STATE] = around
        tokens.finish(answer)
        return answer

    async def _check(self, request: Request, tokens: Tokens) -> Verdict:
        verdict = decide(request.method, _evidence(request), trusted=self._trusted, exempt=_is_exempt(request))
        if verdict.passes:
            return verdict
        if verdict is not Verdict.TOKEN_DECIDES:
            raise _refused(request, verdict.value)
        secret = tokens.known_secret()
        if secret is None:
            raise _refused(request, f"{verdict.value}, and {_NO_SECRET}")
        if not tokens.accepts(await self._tokens_in(request), secret):
            raise _refused(request, f"{verdict.value}, and it has no token of this session")
        return verdict

    def _warn_of_sessions(self, request: Request) -> None:
        """Once for each route: what is exempt and believes a cookie is what any site can do in the name of a user."""
        session, identity, route = request._session, request._identity, request.route
        known = (
            session is not None and session.user_id is not None and identity is not None and identity.user is not None
        )
        if known and route is not None and route.template not in self._told:
            self._told.add(route.template)
            _logger.warning(
                "CSRF: %r to %r is exempt, and a session says whose request it is: any site can have it sent. "
                "Give its router an auth_backend that takes no session, or take the exemption away",
                request.method,
                route.template,
            )

    async def _tokens_in(self, request: Request) -> Sequence[object]:
        """Return what stands in the header, or where there is none, in the field of a form."""
        given = request.headers.get_all(self._header)
        if given:
            return given
        essence = _essence(request)
        if essence not in _FORMS:
            return ()
        if essence == _URLENCODED or request.route is None:
            await request.body()  # kept for who wants the bytes, as a mounted application does
        return (await request.form()).get_all(self._field)

    def __repr__(self) -> str:
        return f"<{' '.join(('CSRFMiddleware', *sorted(self._trusted)))}>"


def csrf_exempt(handler: HandlerT) -> HandlerT:
    """Let every site send to the routes of `handler`: for what no cookie gives a right to, such as a signed webhook.

    `metadata={"csrf_exempt": True}` does so for one route, or all routes of a router.

    >>> @csrf_exempt
    ... async def webhook(request, response): ...

    Raises:
        ConfigurationError: It is nothing that a mark can be put on.
    """
    try:
        setattr(handler, _MARK, True)
    except AttributeError:
        raise ConfigurationError(
            f"{handler!r} cannot be marked. Say it where the route is added:\n\n"
            '    app.add_route(path, handler, metadata={"csrf_exempt": True})\n'
        ) from None
    return handler


def _is_exempt(request: Request) -> bool:
    """Never by the path: what hangs on the matched route decides."""
    route = request.route
    if route is None:
        return False
    if route.metadata.get(_EXEMPT) is True:
        return True
    handler = route.handler if isinstance(route, Route) else None
    if getattr(handler, _MARK, False) is True:
        return True
    view = type(getattr(handler, "__self__", None))
    return vars(view).get(_MARK) is True  # of the class alone: a class derived from it says it anew


def _evidence(request: Request) -> Evidence:
    values = request._transport.header_values
    sites, origins = tuple(values("sec-fetch-site")), tuple(values("origin"))
    if sites:  # then our own origin does not matter
        return Evidence(sites, origins)
    return Evidence((), origins, tuple(values("referer")), _own_origin(request))


def _own_origin(request: Request) -> str:
    """What a Host that is twice there, or is none, says is nothing; then no Origin is ours."""
    values = request.headers.get_all("host")
    host = parse_host(values[0]) if len(values) == 1 else None
    return "" if host is None else URL(scheme=request.scheme, host=host.name, port=host.port).origin


def _essence(request: Request) -> str | None:
    try:
        media_type = request.media_type
    except UnsupportedMediaType:
        return None
    return None if media_type is None else media_type.essence


def _refused(request: Request, reason: str) -> HTTPException:
    route = request.route
    _logger.warning(
        "CSRF: %r to %r was refused: %s", request.method, "no route" if route is None else route.template, reason
    )
    return HTTPException(403, _REFUSED, code="csrf_failed")
