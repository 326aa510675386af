"""What does a page hold to show that it is ours? A token that belongs to one session, written anew each time.

Behind it is a secret of the session that no page sees. A token is a random mask, and what the secret comes to with that
mask over it: no two are alike, so what a compressed page tells of one is worth nothing for the next (BREACH).
"""

import binascii
import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final

__all__ = ["TOKEN_SIZE", "make_token", "new_secret", "token_fits"]

TOKEN_SIZE: Final = 86
"""Characters of a token, always: 64 bytes in base64."""

_SIZE: Final = 32
"""Bytes of a mask, and of a SHA-256."""
_USE: Final = b"nexios|v1|csrf token"


def new_secret() -> bytes:
    """Return 32 random bytes."""
    return secrets.token_bytes(_SIZE)


def make_token(secret: bytes) -> str:
    """Return a new token of a secret, in the characters of URL-safe base64: it needs no escaping in HTML.

    >>> secret = new_secret()
    >>> one, two = make_token(secret), make_token(secret)
    >>> one == two, token_fits(one, secret), token_fits(two, secret)
    (False, True, True)
    """
    mask = secrets.token_bytes(_SIZE)
    return urlsafe_b64encode(mask + _masked(_hidden(secret), mask)).rstrip(b"=").decode("ascii")


def token_fits(token: str, secret: bytes) -> bool:
    """Whether `token`, which may be any text, is of this secret; compared in constant time.

    >>> token_fits(make_token(new_secret()), new_secret()), token_fits("x", b"x")
    (False, False)
    """
    decoded = _decoded(token)
    return decoded is not None and hmac.compare_digest(_masked(decoded[_SIZE:], decoded[:_SIZE]), _hidden(secret))


def _hidden(secret: bytes) -> bytes:
    return hmac.digest(secret, _USE, "sha256")


def _masked(value: bytes, mask: bytes) -> bytes:
    return (int.from_bytes(value) ^ int.from_bytes(mask)).to_bytes(_SIZE)


def _decoded(token: str) -> bytes | None:
    """Base64 has several ways to write the last bits, and ways to hide other characters; one spelling is right."""
    if len(token) != TOKEN_SIZE or not token.isascii():
        return None
    try:
        decoded = urlsafe_b64decode(token + "==")
    except binascii.Error:
        return None
    return decoded if urlsafe_b64encode(decoded).rstrip(b"=") == token.encode("ascii") else None
