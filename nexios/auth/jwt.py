"""Who does a signed token speak of? JSON Web Tokens with one strict profile: issued here, or elsewhere with a JWK Set.

    tokens = JWT(secret, algorithms=["HS256"], issuer="https://books.example", audience="books")
    app.auth_backend = JWTAuth(tokens)

Issuer, audience and expiry are always checked; there is no "none", no encryption, no key in a header.
Source: RFC 7519, RFC 8725, RFC 9068.
"""

import json
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Final, Protocol

from nexios._pipeline.authentication import InvalidCredentials
from nexios.auth.authorization import credentials_of, quoted
from nexios.auth.backend import AuthBackend
from nexios.auth.found import ask, checked_question
from nexios.auth.jose import JWTKey, family_of
from nexios.auth.tokens import InvalidToken, check_claims, format_segment, parse_token
from nexios.errors import ConfigurationError

__all__ = ["JWT", "InvalidToken", "JWTAuth", "KeySource"]

_MOST_LEEWAY: Final = 60
_OWN: Final = frozenset({"iss", "aud", "exp", "iat", "sub", "scope"})


class KeySource(Protocol):
    """Where keys come from that change while the app runs: `JWKS`."""

    async def find_key(self, key_id: str | None, algorithms: frozenset[str]) -> JWTKey | None:
        """Return the key of an id, or the only one where a token names none."""


class JWT:
    """Issues and verifies the tokens of one issuer for one audience. One per app, shared by all requests.

    `keys` is a secret or a PEM or JWK; or a dict of them by their ids, the first of which signs; or a `JWKS`.
    `typ` is the kind of token ("at+jwt" for access tokens, RFC 9068): one of another kind is refused, and None takes
    every kind. `leeway` is how many seconds clocks may differ, 60 at most. `clock` is in seconds since 1970.

    Raises:
        ConfigurationError: The algorithms are not of one kind, or a key is not for them or too weak.
    """

    def __init__(
        self,
        keys: object,
        *,
        algorithms: Iterable[str],
        issuer: str,
        audience: str | Iterable[str],
        typ: str | None = "at+jwt",
        leeway: float = 0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._algorithms = (algorithms,) if isinstance(algorithms, str) else tuple(algorithms)
        self._allowed = frozenset(self._algorithms)
        family_of(self._allowed)
        self._audience = (audience,) if isinstance(audience, str) else tuple(audience)
        if not issuer or not self._audience or not all(self._audience):
            raise ConfigurationError("A JWT needs an issuer and an audience: issuer='https://...', audience='...'.")
        if not 0 <= leeway <= _MOST_LEEWAY:
            raise ConfigurationError(f"leeway={leeway!r} is from 0 to {_MOST_LEEWAY} seconds.")
        self._issuer, self._typ, self._leeway, self._clock = issuer, typ, leeway, clock
        self._source: KeySource | None = keys if hasattr(keys, "find_key") else None
        self._keys = {} if self._source is not None else _keys(keys, self._allowed)

    async def verify(self, token: str) -> dict[str, Any]:
        """Return the claims of a token.

        Raises:
            InvalidToken: It does not hold; the text says why, and is not for clients.
            ServiceUnavailable: The keys cannot be fetched.
        """
        parsed = parse_token(token)
        if parsed.algorithm not in self._allowed:
            raise InvalidToken("the token is signed with another algorithm")
        if self._typ is not None and _kind(parsed.header.get("typ", "")) != _kind(self._typ):
            raise InvalidToken("the token is of another kind")
        key = await self._key(parsed.key_id)
        if key is None or not key.verify(parsed.algorithm, parsed.content, parsed.signature):
            raise InvalidToken("the signature of the token does not hold")
        claims = parsed.claims()
        check_claims(claims, issuer=self._issuer, audience=self._audience, leeway=self._leeway, now=self._clock())
        return claims

    def issue(
        self,
        subject: str,
        *,
        expires_in: float = 900,
        scopes: Iterable[str] = (),
        claims: Mapping[str, Any] | None = None,
    ) -> str:
        """Return a token for `subject`, signed with the first key; `expires_in` is in seconds.

        What is in it can be read by everybody who holds it.

        Raises:
            ConfigurationError: The keys are public, or of a JWK Set.
            ValueError: `claims` has one that is made here.
        """
        if not self._keys:
            raise ConfigurationError("Tokens are issued by whoever has the private key; a JWK Set only verifies them.")
        if isinstance(scopes, str):
            raise TypeError(f"scopes is a list of texts: scopes=[{scopes!r}]")
        own = dict(claims or {})
        if _OWN & own.keys():
            raise ValueError(f"these claims are made here: {', '.join(sorted(_OWN & own.keys()))}")
        key_id, key = next(iter(self._keys.items()))
        algorithm = next(name for name in self._algorithms if name in key.algorithms)
        now = int(self._clock())
        audience = self._audience[0] if len(self._audience) == 1 else list(self._audience)
        made: dict[str, Any] = {"iss": self._issuer, "aud": audience, "sub": subject, "iat": now}
        made |= {"exp": now + int(expires_in), **own}
        if granted := " ".join(scopes):
            made["scope"] = granted
        header = {"alg": algorithm, "typ": self._typ or "JWT"} | ({} if key_id is None else {"kid": key_id})
        content = f"{_written(header)}.{_written(made)}"
        return f"{content}.{format_segment(key.sign(algorithm, content.encode()))}"

    async def _key(self, key_id: str | None) -> JWTKey | None:
        if self._source is not None:
            return await self._source.find_key(key_id, self._allowed)
        if None in self._keys:
            return self._keys[None]
        if key_id is None:
            return next(iter(self._keys.values())) if len(self._keys) == 1 else None
        return self._keys.get(key_id)

    def __repr__(self) -> str:
        """Without the keys."""
        return f"JWT(issuer={self._issuer!r}, algorithms={list(self._algorithms)})"


class JWTAuth(AuthBackend):
    """Takes `Authorization: Bearer <JWT>`; the user is what `find_user(claims)` returns, or the claims themselves.

    The scopes are those of the claim `scope`. A token without a subject, or whose user is None, is refused.
    """

    recheck: float | None = 60.0

    def __init__(
        self,
        tokens: JWT,
        *,
        find_user: Callable[[dict[str, Any]], Awaitable[Any]] | None = None,
        realm: str = "api",
        scheme_name: str = "jwt",
    ) -> None:
        if not callable(getattr(tokens, "verify", None)):
            raise ConfigurationError(
                f"JWTAuth takes what verifies tokens, not {type(tokens).__name__}:\n\n"
                '    app.auth_backend = JWTAuth(JWT(key, algorithms=["HS256"], issuer=..., audience=...))\n'
            )
        self._tokens = tokens
        self._find_user = checked_question(find_user, "JWTAuth(tokens, find_user=find_user)")
        self._scheme_name = scheme_name
        self.challenge: str = f"Bearer realm={quoted(realm)}"

    async def authenticate(self, request: Any) -> Any:
        """Return whom the token speaks of. Raises `InvalidCredentials` for one that does not hold."""
        token = credentials_of(request, "Bearer")
        if token is None:
            return None
        try:
            claims = await self._tokens.verify(token)
        except InvalidToken:
            raise self._refusal() from None
        subject, scope = claims.get("sub"), claims.get("scope", "")
        if not isinstance(subject, str) or not subject or not isinstance(scope, str):
            raise self._refusal()
        user = claims if self._find_user is None else await ask(self._find_user, claims)
        if user is None or user is False:
            raise self._refusal()
        return user, scope.split()

    def openapi_scheme(self) -> tuple[str, Mapping[str, str]]:
        """Return the scheme as the OpenAPI document has it."""
        return self._scheme_name, {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}

    def _refusal(self) -> InvalidCredentials:
        return InvalidCredentials(code="invalid_token", challenge=f'{self.challenge}, error="invalid_token"')


def _keys(given: object, algorithms: frozenset[str]) -> dict[str | None, JWTKey]:
    if isinstance(given, Mapping) and "kty" not in given:
        if not given:
            raise ConfigurationError("keys={} has no key.")
        return {str(name): JWTKey.of(key, algorithms) for name, key in given.items()}
    return {None: JWTKey.of(given, algorithms)}


def _kind(typ: str) -> str:
    """RFC 7515 section 4.1.9: "application/" may be left out; case does not matter."""
    return typ.lower().removeprefix("application/")


def _written(value: Mapping[str, Any]) -> str:
    return format_segment(json.dumps(value, separators=(",", ":"), allow_nan=False).encode())
