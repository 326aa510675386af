"""How does a login go from this site to the login service and back? The authorization code flow, with PKCE always.

The answer is believed only when its `state` is one that this very browser began here, with this client, and when it
comes from the login service that was asked. Clients learn little of why it is not; the log has the reason.
Source: RFC 6749 section 4.1, RFC 7636, RFC 9207, RFC 9700.
"""

import hashlib
import logging
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final, NoReturn

from nexios.auth.oauth_credentials import PrivateKey, SecretInBody, credentials_from
from nexios.auth.oauth_pending import Pending, begin, take
from nexios.auth.oauth_tokens import OAuthTokens, tokens_from
from nexios.auth.oauth_wire import ProviderRefused, ProviderUnavailable, Wire, authorization_url
from nexios.auth.service_urls import checked_url
from nexios.errors import BadRequest, ConfigurationError, HTTPException, ServiceUnavailable
from nexios.messages.request import Request
from nexios.messages.response import Response
from nexios.serialization import decode_json

__all__ = ["NOTHING", "CodeFlow", "LoginFailed", "failed", "unavailable"]

NOTHING: Final[Mapping[str, str]] = MappingProxyType({})

logger: logging.Logger = logging.getLogger("nexios")

_LONGEST_CODE: Final = 4096
_MADE_HERE: Final = frozenset({
    "response_type", "response_mode", "client_id", "redirect_uri", "scope", "state", "nonce", "code_challenge",
    "code_challenge_method", "request", "request_uri",
})  # fmt: skip
_TRY_LATER: Final = frozenset({"server_error", "temporarily_unavailable"})
_OF_THE_GRANT: Final = frozenset({"invalid_grant", "invalid_token"})
_KNOWN: Final = _TRY_LATER | _OF_THE_GRANT | frozenset({
    "access_denied", "account_selection_required", "consent_required", "interaction_required", "invalid_client",
    "invalid_request", "invalid_scope", "login_required", "unauthorized_client", "unsupported_grant_type",
    "unsupported_response_type",
})  # fmt: skip
"""Words of login services that may be in our log; any other text is from we do not know whom."""

_DETAILS: Final = {
    "access_denied": (403, "The login was cancelled, or the login service does not allow it."),
    "login_unknown": (400, "This login was not begun here, or it took too long. Please sign in again."),
    "login_failed": (400, "The login did not succeed. Please sign in again."),
}


class LoginFailed(HTTPException):
    """4xx: nobody is signed in. `code` is "access_denied", "login_unknown" or "login_failed"; `reason` is for a log."""

    def __init__(self, code: str, reason: str) -> None:
        status_code, detail = _DETAILS[code]
        super().__init__(status_code, detail, code=code)
        self.reason = reason


class CodeFlow:
    """The steps that logins by OAuth and by OpenID Connect have in common. One per client, shared by all requests."""

    def __init__(
        self,
        place: str,
        *,
        client_id: str,
        redirect_uri: str,
        credentials: str | SecretInBody | PrivateKey | None,
        scopes: Iterable[str],
        wire: Wire,
        clock: Callable[[], float],
    ) -> None:
        """`place` tells this login service from others. Raises `ConfigurationError`."""
        if not isinstance(client_id, str) or not client_id or not client_id.isascii() or not client_id.isprintable():
            raise ConfigurationError(f"client_id={client_id!r} is the text that the login service knows this app by.")
        self.client_id = client_id
        self.redirect_uri: str = checked_url(redirect_uri, "redirect_uri")
        self.scopes: tuple[str, ...] = _checked_scopes(scopes)
        self.wire = wire
        self.clock = clock
        self._credentials = credentials_from(credentials)
        named = "\n".join((place, client_id, redirect_uri))
        self._id = hashlib.sha256(named.encode()).hexdigest()[:16]

    def send_off(
        self,
        request: Request,
        response: Response,
        endpoint: str,
        *,
        next: str | None,
        parameters: Mapping[str, str],
        with_nonce: bool,
    ) -> Response:
        """Send the browser to the login service. Raises `ValueError` for a parameter that is made here."""
        if _MADE_HERE & parameters.keys():
            raise ValueError(f"these parameters are made here: {', '.join(sorted(_MADE_HERE & parameters.keys()))}")
        state, pending = begin(request.session, self._id, next, self.clock())
        asked = {"redirect_uri": self.redirect_uri, "scope": " ".join(self.scopes), "state": state, **parameters}
        if with_nonce:
            asked["nonce"] = pending.nonce
        url = authorization_url(endpoint, self.client_id, pending.verifier, asked)
        answer = response.redirect(url, 303, external=True)
        answer.headers["cache-control"] = "no-store"
        return answer

    def come_back(self, request: Request) -> Pending:
        """Return the login that a callback ends. Raises `LoginFailed` where this browser began none of that state."""
        state = _only(request, "state")
        pending = take(request.session, self._id, state, self.clock()) if state else None
        if pending is None:
            raise failed("login_unknown", "the state is not one of this session and this client")
        return pending

    def code(self, request: Request, *, issuer: str | None, names_itself: bool) -> str:
        """Return the code of a callback.

        Raises:
            LoginFailed: It comes from another login service (RFC 9207 section 2.4), or says that there is none.
            ServiceUnavailable: The login service says that it cannot now.
        """
        named = _only(request, "iss")
        if issuer is not None and (named != issuer if named is not None or names_itself else False):
            raise failed("login_failed", "the answer is of another login service")
        if "error" in request.query_params:
            _refuse(_only(request, "error"))
        code = _only(request, "code")
        if not code or len(code) > _LONGEST_CODE or not code.isascii() or not code.isprintable():
            raise failed("login_failed", "there is no code, or a malformed one")
        return code

    async def tokens_for_code(self, endpoint: str, code: str, pending: Pending) -> OAuthTokens:
        """Return the tokens of a code. Raises `LoginFailed`, `ServiceUnavailable`."""
        grant = {"code": code, "code_verifier": pending.verifier, "redirect_uri": self.redirect_uri}
        return await self._tokens(endpoint, {"grant_type": "authorization_code", **grant})

    async def refreshed(self, endpoint: str, refresh_token: str) -> OAuthTokens:
        """Return new tokens; the refresh token stays where no new one is given. Raises as `tokens_for_code`."""
        tokens = await self._tokens(endpoint, {"grant_type": "refresh_token", "refresh_token": refresh_token})
        if tokens.refresh_token is not None:
            return tokens
        return OAuthTokens(tokens.access_token, refresh_token, tokens.id_token, tokens.scopes, tokens.expires_at)

    async def _tokens(self, endpoint: str, grant: Mapping[str, str]) -> OAuthTokens:
        now = self.clock()
        try:
            answer = await self.wire.token(endpoint, self.client_id, self._credentials, grant)
            return tokens_from(answer, asked=self.scopes, now=now)
        except ProviderRefused as exc:
            _refuse(exc.error)
        except (ProviderUnavailable, ValueError) as exc:
            raise unavailable(exc) from None

    async def about(self, endpoint: str, tokens: OAuthTokens) -> dict[str, Any]:
        """Return what a login service says of the user of a token. Raises `LoginFailed`, `ServiceUnavailable`."""
        try:
            found = decode_json(await self.wire.get(endpoint, token=tokens.access_token), max_depth=20)
        except ProviderRefused as exc:
            _refuse(exc.error)
        except (ProviderUnavailable, BadRequest) as exc:
            raise unavailable(exc) from None
        if not isinstance(found, dict):
            raise unavailable(ProviderUnavailable("what it says of a user is no JSON object"))
        return found


def failed(code: str, reason: str) -> LoginFailed:
    """Return the error for a login that failed, and log why."""
    logger.warning("a login failed: %s", reason)
    return LoginFailed(code, reason)


def unavailable(exc: Exception) -> ServiceUnavailable:
    """Return the error for a login service that is away, and log how; nobody goes on as anonymous."""
    logger.warning("a login service did not answer as it has to: %s", exc)
    return ServiceUnavailable()


def _refuse(error: str | None) -> NoReturn:
    """Errors of the grant and of the user are of the client; those of the app itself are ours."""
    known = error if error in _KNOWN else "an error of another name"
    if error in _TRY_LATER or error in ("invalid_client", "unauthorized_client"):
        raise unavailable(ProviderUnavailable(f"it says: {known}"))
    raise failed("access_denied" if error == "access_denied" else "login_failed", f"the login service says: {known}")


def _only(request: Request, name: str) -> str | None:
    """Return a parameter; one that is there twice is none (RFC 6749 section 3.1)."""
    values = request.query_params.get_all(name)
    if len(values) > 1:
        raise failed("login_failed", "a parameter is there twice")
    return values[0] if values else None


def _checked_scopes(given: Iterable[str]) -> tuple[str, ...]:
    if isinstance(given, str):
        raise ConfigurationError(f"scopes is a list of texts: scopes={given.split()!r}.")
    scopes = tuple(given)
    for one in scopes:
        if not isinstance(one, str) or not one or not one.isascii() or not one.isprintable() or set(one) & set(' "\\'):
            raise ConfigurationError(f"{one!r} is no name of a scope (RFC 6749 section 3.3).")
    return scopes
