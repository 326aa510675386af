"""Which logins did this browser begin? They are kept in its session, so that no other browser can end them.

Each has a `state` that is good once and for ten minutes, and for one login service. Several may be under way at once.
Source: RFC 6749 section 10.12, RFC 9700 sections 2.1 and 4.7.
"""

import secrets
from typing import Any, Final

import msgspec

from nexios.http.redirects import is_safe_redirect
from nexios.messages.session import Session

__all__ = ["LIFETIME", "Pending", "begin", "take"]

LIFETIME: Final = 600
"""Seconds from the beginning of a login to its end."""

_NAME: Final = "nexios.oauth"
_MOST: Final = 5
"""Of several logins under way at once, the oldest is forgotten: a session may be in a cookie of 4 KiB."""
_LONGEST_NEXT: Final = 300
_HOME: Final = "/"
_SKEW: Final = 60
"""Seconds that the clock of the machine where a login began may be ahead of ours."""


class Pending(msgspec.Struct, frozen=True, array_like=True):
    """A login that was begun.

    Shape:  `client` says with which client; `next` is a path of this site.
    Units:  `begun_at` is in seconds since 1970.
    """

    client: str
    nonce: str
    verifier: str
    next: str
    begun_at: float

    def __repr__(self) -> str:
        """Without what is secret."""
        return f"Pending(client={self.client!r}, next={self.next!r})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Without what is secret."""
        return [("client", self.client), ("next", self.next)]


def begin(session: Session, client: str, next: str | None, now: float) -> tuple[str, Pending]:
    """Keep a new login in a session, and return its state.

    A `next` that leads elsewhere, or that is no path of this site, is "/".
    """
    state = secrets.token_urlsafe(24)
    pending = Pending(client, secrets.token_urlsafe(24), secrets.token_urlsafe(32), _safe(next), now)
    kept = _of(session, now)
    while len(kept) >= _MOST:
        del kept[min(kept, key=lambda one: kept[one].begun_at)]
    _keep(session, {**kept, state: pending})
    return state, pending


def take(session: Session, client: str, state: str, now: float) -> Pending | None:
    """Take a login out of the session; None where it is not there, is over, or is of another client.

    Whatever it is, it is gone afterwards: a state is good once.
    """
    kept = _of(session, now)
    found = kept.pop(state, None)
    if found is None:
        return None
    _keep(session, kept)
    return found if found.client == client else None


def _safe(next: str | None) -> str:
    if not isinstance(next, str) or not next.startswith("/") or len(next) > _LONGEST_NEXT:
        return _HOME
    return next if is_safe_redirect(next) else _HOME


def _of(session: Session, now: float) -> dict[str, Pending]:
    """Those that are not over."""
    try:
        kept = msgspec.convert(session.get(_NAME, {}), dict[str, Pending])
    except msgspec.ValidationError:
        return {}
    return {state: one for state, one in kept.items() if now - LIFETIME < one.begun_at <= now + _SKEW}


def _keep(session: Session, kept: dict[str, Pending]) -> None:
    if kept:
        session[_NAME] = {state: list(msgspec.structs.astuple(one)) for state, one in kept.items()}
    else:
        session.pop(_NAME, None)
