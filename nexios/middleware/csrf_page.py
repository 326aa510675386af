"""How does a page get its token? From the request that asks for the page, which knows whose session it is.

`csrf_token(request)` and `csrf_input(request)` are for handlers and templates. The secret behind the token is that of
the session, or one in a signed cookie where the app has no sessions: a browser without either gets one with the page.
"""

import html
import logging
from collections.abc import Sequence
from typing import Final

from nexios.errors import ConfigurationError
from nexios.messages.request import Request
from nexios.messages.response import Response
from nexios.middleware.csrf_tokens import make_token, new_secret, token_fits
from nexios.signing.signer import BadSignature, Signer

__all__ = ["STATE", "Markup", "SecretCookie", "Tokens", "csrf_input", "csrf_token"]

_logger = logging.getLogger("nexios")

STATE: Final = "csrf_tokens"
"""Where on `request.state` the tokens of a request are."""

COOKIE_AGE: Final = 30 * 24 * 3600
"""Seconds that a cookie is good for; it ends with the browser too."""

_SECRET_SIZE: Final = 32
_PRIVATE: Final = frozenset({"private", "no-store"})


class Markup(str):
    """HTML that is written as it is: templates that escape ask for `__html__`, as Jinja does."""

    __slots__ = ()

    def __html__(self) -> str:
        return str(self)


class SecretCookie:
    """Keeps a secret with the browser, signed, where there is no session. One per middleware.

    `signer` is None where nobody gave a secret to sign with. In debug mode it may go over plain http.
    """

    __slots__ = ("_debug", "_name", "_signer", "_warned")

    def __init__(self, name: str, signer: Signer | None, *, debug: bool) -> None:
        self._name = name
        self._signer = signer
        self._debug = debug
        self._warned = False

    def read(self, request: Request) -> bytes | None:
        """Return the secret that came, None where none came that we signed."""
        value = request.cookies.get(self._name_for(request))
        if value is None or self._signer is None:
            return None
        try:
            secret = self._signer.unsign(value, max_age=COOKIE_AGE)
        except BadSignature:
            return None
        return secret if len(secret) == _SECRET_SIZE else None

    def sign(self, secret: bytes) -> str:
        """Return the value of a cookie. Raises `ConfigurationError` when there is nothing to sign with."""
        if self._signer is None:
            raise _no_key()
        return self._signer.sign(secret)

    def write(self, request: Request, answer: Response, signed: str) -> None:
        """Set the cookie: HttpOnly, SameSite=Lax, and Secure but for plain http in debug mode."""
        plain = self._is_plain(request)
        if plain and not self._warned:
            self._warned = True
            _logger.warning("the CSRF cookie is set without Secure and __Host-: plain http, in debug mode alone")
        answer.set_cookie(self._name_for(request), signed, secure=not plain)

    def _name_for(self, request: Request) -> str:
        """`__Host-`, so that no neighbour below the same domain can set it."""
        return self._name if self._is_plain(request) else f"__Host-{self._name}"

    def _is_plain(self, request: Request) -> bool:
        return self._debug and request.scheme == "http"


class Tokens:
    """The tokens of one request; on `request.state`, so that handlers, templates and mounted apps find them."""

    __slots__ = ("_cookie", "_has_session", "_made", "_over", "_request", "_signed", "_used", "field")

    def __init__(self, request: Request, cookie: SecretCookie, field: str) -> None:
        self.field: str = field
        """The name of the form field."""
        self._request = request
        self._cookie = cookie
        self._has_session = request.has_session
        self._made: bytes | None = None
        self._signed: str | None = None
        self._used = self._over = False

    def make(self) -> str:
        """Return a new token. Raises `ConfigurationError` where nothing keeps its secret, or too late to keep it."""
        if self._over and not self._used:
            raise ConfigurationError(
                "The response has begun, so its headers cannot be set for a token any more.\n"
                "Ask for the token before, and give it to what is streamed:\n\n    token = csrf_token(request)\n"
            )
        token = make_token(self._secret())
        self._used = True
        return token

    def known_secret(self) -> bytes | None:
        """Return the secret that the client's tokens are of; looking makes none."""
        if self._has_session:
            return self._request.session.known_secret("csrf")
        return self._cookie.read(self._request)

    def accepts(self, tokens: Sequence[object], secret: bytes) -> bool:
        """Whether this is one token, and of this secret."""
        return len(tokens) == 1 and isinstance(tokens[0], str) and token_fits(tokens[0], secret)

    def finish(self, answer: Response) -> None:
        """Keep a page with a token out of shared caches, and set the cookie if one was made."""
        self._over = True
        if not self._used:
            return
        headers = answer.headers
        headers.add_vary("Cookie")
        said = {part.strip(" \t").lower() for value in headers.get_all("cache-control") for part in value.split(",")}
        if "public" in said or not said & _PRIVATE:
            headers["cache-control"] = "private, no-store"
        if self._signed is not None:
            self._cookie.write(self._request, answer, self._signed)

    def _secret(self) -> bytes:
        if self._has_session:
            return self._request.session.secret("csrf")
        if self._request.has_session:
            raise _wrong_order()
        if self._made is not None:
            return self._made
        secret = self._cookie.read(self._request)
        if secret is None:
            secret = new_secret()
            self._signed = self._cookie.sign(secret)
            self._made = secret
        return secret


def csrf_token(request: Request) -> str:
    """Return a token for the page that answers `request`: for a form field, or for a header that a script sets.

    86 characters that need no escaping, others each time. The answer is then for this client alone: it gets
    `Vary: Cookie` and `Cache-Control: private, no-store`.

    Raises:
        ConfigurationError: No `CSRFMiddleware` is around the handler, nothing keeps the secret of a token, or the
            response has begun.
    """
    return _tokens_of(request).make()


def csrf_input(request: Request) -> Markup:
    """Return the hidden field of a form, as HTML that templates do not escape again. Raises as `csrf_token`."""
    tokens = _tokens_of(request)
    name, value = html.escape(tokens.field), html.escape(tokens.make())
    return Markup(f'<input type="hidden" name="{name}" value="{value}">')


def _tokens_of(request: Request) -> Tokens:
    tokens = request.state.get(STATE)
    if not isinstance(tokens, Tokens):
        raise ConfigurationError(
            "There is no CSRF token: no CSRFMiddleware is around this handler. Write:\n\n"
            "    from nexios.middleware import CSRFMiddleware\n\n    app.add_middleware(CSRFMiddleware)\n"
        )
    return tokens


def _no_key() -> ConfigurationError:
    return ConfigurationError(
        "A CSRF token needs something that keeps its secret: a session, or a cookie that the app can sign.\n"
        "Add SessionMiddleware before CSRFMiddleware, or give the app a secret, here or as NEXIOS_SECRET_KEY:\n\n"
        "    app = NexiosApp(secret_key=...)\n"
    )


def _wrong_order() -> ConfigurationError:
    return ConfigurationError(
        "SessionMiddleware comes after CSRFMiddleware, so tokens cannot belong to the session. Swap the lines:\n\n"
        "    app.add_middleware(SessionMiddleware, ...)\n    app.add_middleware(CSRFMiddleware)\n"
    )
