"""How does this app prove to a login service that it is the app? By a secret or by a key; an app without is public.

Source: RFC 6749 section 2.3.1, RFC 7523 section 2.2, OpenID Connect Core 1.0 section 9.
"""

import base64
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Final, Protocol
from urllib.parse import quote_plus

from nexios.auth.jose import JWTKey, family_of
from nexios.auth.jwt import JWT
from nexios.errors import ConfigurationError

__all__ = ["Credentials", "PrivateKey", "SecretInBody", "credentials_from"]

Proof = tuple[Mapping[str, str], Mapping[str, str]]
"""Headers, and fields of the form, that are sent to the token endpoint."""

_ASSERTION: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_LIFE: Final = 60
"""Seconds that an assertion is good for: it is used once, at once."""


class Credentials(Protocol):
    """Proves who the app is. Shows nothing of itself."""

    def proof(self, client_id: str, endpoint: str) -> Proof:
        """Return what a request to a token endpoint has with it."""
        ...


class SecretInBody:
    """A client secret that is sent in the body: for services that do not take it in a header (client_secret_post)."""

    __slots__ = ("_secret",)

    def __init__(self, secret: str) -> None:
        self._secret = _checked_secret(secret)

    def proof(self, client_id: str, endpoint: str) -> Proof:
        """Return the id and the secret as fields."""
        return {}, {"client_id": client_id, "client_secret": self._secret}


class PrivateKey:
    """A key that signs a short-lived assertion for each request (private_key_jwt): no secret leaves the app.

    `key` is a PEM or a JWK. `audience` is for whom the assertion is, by default the token endpoint.

    Raises:
        ConfigurationError: The key is public, too weak, or not for the algorithm.
    """

    __slots__ = ("_algorithm", "_audience", "_clock", "_key", "_key_id")

    def __init__(
        self,
        key: object,
        *,
        algorithm: str,
        key_id: str | None = None,
        audience: str | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if family_of([algorithm]) == "oct":
            raise ConfigurationError(f"PrivateKey signs with a private key, and {algorithm} takes a secret.")
        JWTKey.of(key, [algorithm]).sign(algorithm, b"")
        self._key, self._algorithm, self._key_id = key, algorithm, key_id
        self._audience, self._clock = audience, clock

    def proof(self, client_id: str, endpoint: str) -> Proof:
        """Return an assertion that is used once."""
        signer = JWT(
            self._key if self._key_id is None else {self._key_id: self._key},
            algorithms=[self._algorithm],
            issuer=client_id,
            audience=self._audience or endpoint,
            typ=None,
            clock=self._clock,
        )
        assertion = signer.issue(client_id, expires_in=_LIFE, claims={"jti": secrets.token_urlsafe(16)})
        return {}, {"client_assertion_type": _ASSERTION, "client_assertion": assertion, "client_id": client_id}


class _SecretInHeader:
    __slots__ = ("_secret",)

    def __init__(self, secret: str) -> None:
        self._secret = _checked_secret(secret)

    def proof(self, client_id: str, endpoint: str) -> Proof:
        """Basic, each part encoded as in a form (RFC 6749 section 2.3.1)."""
        pair = f"{quote_plus(client_id)}:{quote_plus(self._secret)}"
        return {"authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}, {}


class _Public:
    __slots__ = ()

    def proof(self, client_id: str, endpoint: str) -> Proof:
        """The id proves nothing; PKCE binds the code to whoever began (RFC 7636)."""
        return {}, {"client_id": client_id}


def credentials_from(given: "str | SecretInBody | PrivateKey | None") -> Credentials:
    """Return the credentials of an app: a text is a secret that goes into a header, None is a public client."""
    if given is None:
        return _Public()
    return _SecretInHeader(given) if isinstance(given, str) else given


def _checked_secret(secret: str) -> str:
    if not isinstance(secret, str) or not secret or not secret.isprintable() or " " in (secret[0], secret[-1]):
        raise ConfigurationError("The client secret is a text that is not empty, as the login service shows it.")
    return secret
