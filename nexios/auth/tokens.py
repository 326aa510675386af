"""What does a JSON Web Token say, and is it of the form that we take? Read strictly, before any signature is looked at.

Source: RFC 7515 section 7.1, RFC 7519 section 4.1, RFC 8725.
"""

import binascii
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, NoReturn

import msgspec

from nexios.errors import NexiosError

__all__ = ["InvalidToken", "Token", "check_claims", "format_segment", "parse_token"]

LONGEST: Final = 8 * 1024
"""Characters of a token."""

_LONGEST_ID: Final = 128
_SPACES: Final = " \t\r\n"
_TO_BASE64: Final = bytes.maketrans(b"-_", b"+/")
_FROM_BASE64: Final = bytes.maketrans(b"+/", b"-_")
_ID: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")


class InvalidToken(NexiosError):
    """A token that does not hold. The text says why, for a log; it has nothing of the token."""


class Token(msgspec.Struct, frozen=True):
    """A token in its parts; nothing in it is proven.

    Shape:  `content` is what the signature signs.
    """

    header: Mapping[str, Any]
    payload: bytes
    content: bytes
    signature: bytes

    @property
    def algorithm(self) -> str:
        """What the token says that it is signed with."""
        return str(self.header["alg"])

    @property
    def key_id(self) -> str | None:
        """What the token says of its key."""
        return self.header.get("kid")

    def claims(self) -> dict[str, Any]:
        """Return the payload. Raises `InvalidToken` where it is no JSON object, or has a name twice."""
        return _object(self.payload)


def parse_token(text: str) -> Token:
    """Return the parts of a token.

    Raises:
        InvalidToken: It is longer than 8 KiB, not of three parts in canonical base64url, or its header is not one we
            take: all that is not `alg`, `typ` and `kid` is looked away from, but for `crit` and `b64`, which change
            what the rest means.
    """
    if len(text) > LONGEST:
        raise InvalidToken("the token is too long")
    parts = text.split(".")
    if len(parts) != 3 or not text.isascii():
        raise InvalidToken("the token is not of three parts")
    head, payload, signature = (_segment(part) for part in parts)
    header = _object(head)
    if "crit" in header or "b64" in header:
        raise InvalidToken("the token asks for an extension")
    if not isinstance(header.get("alg"), str) or not isinstance(header.get("typ", ""), str):
        raise InvalidToken("the header of the token is malformed")
    key_id = header.get("kid", "-")
    if not isinstance(key_id, str) or not 0 < len(key_id) <= _LONGEST_ID or not _ID.issuperset(key_id):
        raise InvalidToken("the key id of the token is malformed")
    return Token(header, payload, text.rpartition(".")[0].encode(), signature)


def check_claims(claims: Mapping[str, Any], *, issuer: str, audience: Sequence[str], leeway: float, now: float) -> None:
    """Check for whom, by whom and until when a token is.

    Raises:
        InvalidToken: One of `iss`, `aud`, `exp` is missing or wrong, or it is not yet time.
    """
    if claims.get("iss") != issuer or not isinstance(claims["iss"], str):
        raise InvalidToken("the token is of another issuer")
    named = claims.get("aud")
    given = named if isinstance(named, list) else [named]
    if not all(isinstance(one, str) for one in given) or not set(given) & set(audience):
        raise InvalidToken("the token is for others")
    if now >= _time(claims, "exp") + leeway:
        raise InvalidToken("the token has expired")
    for name in ("nbf", "iat"):
        if name in claims and _time(claims, name) > now + leeway:
            raise InvalidToken(f"the token is not valid yet ({name})")


def format_segment(content: bytes) -> str:
    """Return bytes as a part of a token."""
    return _written(content).decode()


def _segment(text: str) -> bytes:
    """Decode base64url as it is written canonically, so that one token has one form alone (RFC 7515 section 2)."""
    given = text.encode()
    try:
        content = binascii.a2b_base64(given.translate(_TO_BASE64) + b"=" * (-len(given) % 4))
    except binascii.Error:
        raise InvalidToken("the token is not base64url") from None
    if _written(content) != given:
        raise InvalidToken("the token is not canonical base64url")
    return content


def _written(content: bytes) -> bytes:
    return binascii.b2a_base64(content, newline=False).rstrip(b"=").translate(_FROM_BASE64)


def _object(content: bytes) -> dict[str, Any]:
    try:
        text = content.decode().strip(_SPACES)
        found, end = _decode(text)
    except (ValueError, RecursionError):
        raise InvalidToken("a part of the token is no JSON") from None
    if not isinstance(found, dict) or end != len(text):
        raise InvalidToken("a part of the token is no JSON object")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is there twice")
    return found


def _no_number(text: str) -> NoReturn:
    raise ValueError("not a number of JSON")


_decode: Final = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_number).raw_decode
"""What `json.loads` does with these hooks, without a new decoder for each token, which takes longer than the token."""


def _time(claims: Mapping[str, Any], name: str) -> float:
    """A NumericDate (RFC 7519 section 2): seconds since 1970."""
    value: Any = claims.get(name)
    if type(value) not in (int, float) or not 0 <= value < 1e12 or not math.isfinite(value):
        raise InvalidToken(f"the token has no proper time ({name})")
    return float(value)
