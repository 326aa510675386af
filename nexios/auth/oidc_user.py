"""Whom does an ID token speak of? Its claims, when all that ties them to this login holds.

`JWT` has checked the signature, the issuer, the audience and the times before.
Source: OpenID Connect Core 1.0 sections 3.1.3.7, 3.1.3.6 and 5.1.
"""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from nexios.auth.tokens import InvalidToken, format_segment

__all__ = ["OpenIDUser", "check_login_claims", "user_of"]

_LONGEST_SUBJECT: Final = 255
_SHA256: Final = frozenset({"HS256", "RS256", "PS256", "ES256"})
_SHA384: Final = frozenset({"HS384", "RS384", "PS384", "ES384"})
_SHA512: Final = frozenset({"HS512", "RS512", "PS512", "ES512", "EdDSA", "Ed25519"})


class OpenIDUser(msgspec.Struct, frozen=True):
    """A user, as a login service knows it.

    Shape:  (`issuer`, `subject`) is the one key to know a user by again: an e-mail address can change hands, and
            other services may say the same one. What is not said is None. `claims` has all of it.
    """

    issuer: str
    subject: str
    email: str | None = None
    email_verified: bool = False
    name: str | None = None
    preferred_username: str | None = None
    picture: str | None = None
    claims: Mapping[str, Any] = {}

    def __repr__(self) -> str:
        """Without what is personal."""
        return f"OpenIDUser(issuer={self.issuer!r}, subject={self.subject!r})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Without what is personal."""
        return [("issuer", self.issuer), ("subject", self.subject)]


def user_of(claims: Mapping[str, Any]) -> OpenIDUser:
    """Return the user of claims that hold. What is of another type than it has to be is left out."""

    def text(name: str) -> str | None:
        value = claims.get(name)
        return value if isinstance(value, str) else None

    return OpenIDUser(
        issuer=claims["iss"],
        subject=claims["sub"],
        email=text("email"),
        email_verified=claims.get("email_verified") is True,
        name=text("name"),
        preferred_username=text("preferred_username"),
        picture=text("picture"),
        claims=claims,
    )


def check_login_claims(
    claims: Mapping[str, Any], *, client_id: str, nonce: str | None, access_token: str, algorithm: str
) -> None:
    """Check what ties an ID token to a login; `nonce` is None where a token is one of a refresh.

    Raises:
        InvalidToken: It is of another login, another client or another access token, or of nobody.
    """
    _check_subject(claims)
    _check_party(claims, client_id)
    if nonce is not None and not _same(claims.get("nonce"), nonce):
        raise InvalidToken("the ID token is of another login")
    if "at_hash" in claims and not _same(claims["at_hash"], _half_of_hash(access_token, algorithm)):
        raise InvalidToken("the ID token is of another access token")


def _check_subject(claims: Mapping[str, Any]) -> None:
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= _LONGEST_SUBJECT:
        raise InvalidToken("the ID token has no subject")
    if "iat" not in claims:
        raise InvalidToken("the ID token does not say when it was made")


def _check_party(claims: Mapping[str, Any], client_id: str) -> None:
    """A token for several is for the one that `azp` names, and `azp` is never somebody else."""
    is_for_several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if (is_for_several or "azp" in claims) and claims.get("azp") != client_id:
        raise InvalidToken("the ID token was made for another client")


def _half_of_hash(access_token: str, algorithm: str) -> str:
    """Raises `InvalidToken` for an algorithm whose hash we do not know: nothing is taken for checked that is not."""
    for names, make in ((_SHA256, hashlib.sha256), (_SHA384, hashlib.sha384), (_SHA512, hashlib.sha512)):
        if algorithm in names:
            digest = make(access_token.encode("ascii")).digest()
            return format_segment(digest[: len(digest) // 2])
    raise InvalidToken("the hash of the access token is of an algorithm that is not known")


def _same(given: object, expected: str) -> bool:
    return isinstance(given, str) and hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode())
