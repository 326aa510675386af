"""Which logins did this browser begin? They are kept in its session, so that no other browser can end them.

Each has a `state` that is good once and for ten minutes, and for one login service. Several may be under way at once.
Source: RFC 6749 section 10.12, RFC 9700 sections 2.1 and 4.7.
"""

import secrets
from typing import Any, Final

import msgspec

from nexios.errors import UnsafeRedirect
from nexios.http.redirects import check_redirect
from nexios.messages.session import Session

__all__ = ["LIFETIME", "Pending", "begin", "take"]

LIFETIME: Final = 600
"""Seconds from the beginning of a login to its end."""

_NAME: Final = "nexios.oauth:"
"""Begins the name of each: what has a name of its own is not lost where a store saves several requests at once."""
_MOST: Final = 5
_MOST_OF_NEXT: Final = 900
"""Bytes of all `next` together. Of several logins under way at once, the oldest is forgotten where there are too many
or they take too much: a session may be in a cookie of 4 KiB, which the app wants to use as well."""
_LONGEST_NEXT: Final = 600
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
    while len(kept) >= _MOST or (kept and sum(len(one.next) for one in (pending, *kept.values())) > _MOST_OF_NEXT):
        del kept[min(kept, key=lambda one: kept[one].begun_at)]
    _forget_others(session, kept)
    session[_NAME + state] = list(msgspec.structs.astuple(pending))
    return state, pending


def take(session: Session, client: str, state: str, now: float) -> Pending | None:
    """Take a login out of the session; None where it is not there, is over, or is of another client.

    Whatever it is, it is gone afterwards: a state is good once.
    """
    kept = _of(session, now)
    found = kept.pop(state, None)
    if found is None:
        return None
    _forget_others(session, kept)
    return found if found.client == client else None


def _safe(next: str | None) -> str:
    """Return a path as it goes into a Location: in ASCII, of which JSON makes no more than there is."""
    if not isinstance(next, str) or not next.startswith("/"):
        return _HOME
    try:
        path = check_redirect(next)
    except UnsafeRedirect:
        return _HOME
    return path if len(path) <= _LONGEST_NEXT else _HOME


def _of(session: Session, now: float) -> dict[str, Pending]:
    """Those that are not over, by their states."""
    kept = {}
    for name, value in session.items():
        if not name.startswith(_NAME):
            continue
        try:
            one = msgspec.convert(value, Pending)
        except msgspec.ValidationError:
            continue
        if now - LIFETIME < one.begun_at <= now + _SKEW:
            kept[name.removeprefix(_NAME)] = one
    return kept


def _forget_others(session: Session, kept: dict[str, Pending]) -> None:
    for name in [name for name in session if name.startswith(_NAME) and name.removeprefix(_NAME) not in kept]:
        del session[name]
