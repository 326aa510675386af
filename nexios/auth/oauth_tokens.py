"""What did the token endpoint give? Tokens, read strictly, and shown nowhere.

Source: RFC 6749 section 5.1, RFC 6750 section 2.1.
"""

import math
from collections.abc import Mapping
from typing import Any, Final

import msgspec

__all__ = ["OAuthTokens", "tokens_from"]

_LONGEST: Final = 16 * 1024
"""Characters of a token."""
_VISIBLE: Final = frozenset(map(chr, range(0x21, 0x7F)))


class OAuthTokens(msgspec.Struct, frozen=True):
    """What a login service gave. Whoever has it can act as the user there: keep it on the server.

    Shape:  `refresh_token` and `id_token` are None where there is none, `expires_at` where nothing is said of it.
    Units:  `expires_at` is in seconds since 1970.
    """

    access_token: str
    refresh_token: str | None = None
    id_token: str | None = None
    scopes: tuple[str, ...] = ()
    expires_at: float | None = None

    def __repr__(self) -> str:
        """Without the tokens."""
        return f"OAuthTokens(scopes={self.scopes!r}, expires_at={self.expires_at!r})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Without the tokens."""
        return [("scopes", self.scopes), ("expires_at", self.expires_at)]


def tokens_from(answer: Mapping[str, Any], *, asked: tuple[str, ...], now: float) -> OAuthTokens:
    """Return the tokens of an answer; without `scope` in it, the scopes are those that were asked for.

    Raises:
        ValueError: It has no access token, one of another kind than Bearer, or something malformed.
    """
    kind = answer.get("token_type", "")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise ValueError("the tokens are not of the kind Bearer")
    access = _token(answer, "access_token")
    if access is None:
        raise ValueError("there is no access token")
    scope = answer.get("scope")
    if scope is not None and not isinstance(scope, str):
        raise ValueError("the scope is malformed")
    return OAuthTokens(
        access,
        _token(answer, "refresh_token"),
        _token(answer, "id_token"),
        asked if scope is None else tuple(scope.split()),
        _expiry(answer.get("expires_in"), now),
    )


def _token(answer: Mapping[str, Any], name: str) -> str | None:
    """It goes into a header or a form, so it is of visible ASCII (RFC 6749, appendix A.12)."""
    value = answer.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST or not _VISIBLE.issuperset(value):
        raise ValueError(f"the {name} is malformed")
    return value


def _expiry(value: object, now: float) -> float | None:
    if value is None:
        return None
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not 0 <= value < 1e10
        or not math.isfinite(value)
    ):
        raise ValueError("expires_in is malformed")
    return now + value
