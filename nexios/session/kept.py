"""What does a handler hold when it has `request.session`? The record of the session, and what was done to it.

A change anywhere inside of a value is noticed, because what is kept is compared as it is written.
"""

import hmac
import secrets
from collections.abc import Callable, Iterator
from typing import Any, Final, Protocol

from nexios.errors import ConfigurationError, NexiosError
from nexios.messages.session import Flash, Session
from nexios.session.record import Record, check_value, decode_record, encode_record

__all__ = ["Epochs", "KeptSession", "SessionTooLarge", "new_id"]

_PURPOSE: Final = b"nexios|v1|session secret|"
_WITH_THE_BROWSERS: Final = (
    "Sessions in cookies cannot be ended from outside: they are with the browsers. Keep them in a store:\n\n"
    '    app.add_middleware(SessionMiddleware, store=SQLiteStore("sessions.db"))\n'
)


class SessionTooLarge(NexiosError, ValueError):
    """A session is over what a cookie holds; browsers would drop it without a word."""


class Epochs(Protocol):
    """Ends the sessions of a user."""

    async def end_all(self, user_id: str) -> float:
        """End those that began before now; returns the time of it."""


def new_id() -> str:
    """Return the id of a session: 32 random bytes, in 43 characters."""
    return secrets.token_urlsafe(32)


class KeptSession(Session):
    """The session of one request; saved when the response is on its way, and read-only from then on."""

    __slots__ = (
        "_clock",
        "_epochs",
        "_not_before",
        "ended",
        "former",
        "id",
        "is_new",
        "must_be_kept",
        "raw",
        "read_only",
        "record",
        "rotated",
    )

    is_new: bool
    id: str
    raw: bytes | None
    record: Record
    former: str | None
    read_only: str
    rotated: bool
    ended: bool
    must_be_kept: bool

    def __init__(
        self,
        raw: bytes | None,
        record: Record | None,
        former: str | None,
        *,
        clock: Callable[[], float],
        epochs: Epochs | None,
        read_only: str = "",
    ) -> None:
        """Take what was kept and its id, or None for a client without a session."""
        now = clock()
        self.raw = raw
        self.is_new = record is None
        self.record = Record(now, now) if record is None else record
        self.former = former
        """The id that the client came with, if it is one of ours."""
        self.id = former or new_id()
        self.rotated = False
        self.ended = False
        """Whether what the client came with is over."""
        self.must_be_kept = record is not None
        self.read_only = read_only
        """Why nothing can be put in."""
        self._clock = clock
        self._epochs = epochs
        self._not_before = 0.0
        """When a user is set at the earliest: after an end of all sessions in this request, if the clock is coarse."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to keep."""
        record = self.record
        return not (record.values or record.flashes or record.user is not None or self.must_be_kept)

    @property
    def has_changed(self) -> bool:
        """Whether something else is to be kept. Raises TypeError for a value without a JSON form."""
        return self.rotated or (not self.is_empty if self.is_new else self.encoded() != self.raw)

    def before(self) -> Record:
        """Return the record as it was kept, to see what has changed."""
        record = decode_record(self.raw) if self.raw is not None else None
        return Record(0.0, 0.0) if record is None else record

    # As a mapping

    def __getitem__(self, name: str) -> Any:
        return self.record.values[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self._check_open()
        if not isinstance(name, str):
            raise TypeError(f"The names in a session are texts, not {type(name).__name__}: session[{str(name)!r}]")
        check_value(name, value)
        self.record.values[name] = value

    def __delitem__(self, name: str) -> None:
        self._check_open()
        del self.record.values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.record.values)

    def __len__(self) -> int:
        return len(self.record.values)

    def __contains__(self, name: object) -> bool:
        return name in self.record.values

    # User and id

    @property
    def user_id(self) -> str | None:
        """Whose session it is."""
        return self.record.user

    @user_id.setter
    def user_id(self, user_id: str | None) -> None:
        self._check_open()
        if user_id is not None and not (isinstance(user_id, str) and user_id):
            raise TypeError(
                f"A user id is a text that is not empty, or None, not {type(user_id).__name__}: str(user.id)"
            )
        former = self.record.user
        if user_id == former:
            return
        if former is not None:
            self._forget()
        self.record.user = user_id
        if user_id is not None:
            self.record.created = self._clock()
            self.record.since = max(self.record.created, self._not_before)
        self._rotate()

    async def rotate(self) -> None:
        """Go on under a new id."""
        self._check_open()
        self._rotate()

    def _rotate(self) -> None:
        self.rotated = True
        self.id = new_id()

    def clear(self) -> None:
        """Forget everything, the id too."""
        self._check_open()
        self._forget()

    def _forget(self) -> None:
        now = self._clock()
        self.record = Record(now, now)
        self.must_be_kept = False
        self.ended = True
        self._rotate()

    # What other middleware keeps in it

    def secret(self, purpose: str) -> bytes:
        """Return 32 bytes that only this session has; it is kept from now on."""
        if self.is_empty:
            self._check_open()
            self.must_be_kept = True
        return self._secret(purpose)

    def known_secret(self, purpose: str) -> bytes | None:
        """Return them if the client can know of them: it came with this session."""
        return None if self.former != self.id and self.is_empty else self._secret(purpose)

    def _secret(self, purpose: str) -> bytes:
        return hmac.digest(self.id.encode("ascii"), _PURPOSE + purpose.encode(), "sha256")

    def flash(self, text: str, category: str = "info") -> None:
        """Leave a message for the next page."""
        self._check_open()
        if not (isinstance(text, str) and isinstance(category, str)):
            raise TypeError("A flash message is a text, and so is its category.")
        self.record.flashes.append((text, category))

    def flashes(self) -> list[Flash]:
        """Take the messages out."""
        found = [Flash(*flash) for flash in self.record.flashes]
        if found:
            self._check_open()
            self.record.flashes.clear()
        return found

    # All sessions of a user

    async def invalidate_all(self, user_id: str | None = None) -> None:
        """End all sessions of a user."""
        user = self._user(user_id)
        await self._end_all(user)
        if user == self.record.user:
            self.clear()

    async def invalidate_others(self) -> None:
        """End all sessions of this user but this one."""
        since = await self._end_all(self._user(None))
        self.record.since = since
        self._rotate()

    async def _end_all(self, user: str) -> float:
        self._check_open()
        if self._epochs is None:
            raise ConfigurationError(_WITH_THE_BROWSERS)
        self._not_before = await self._epochs.end_all(user)
        return self._not_before

    def _user(self, user_id: str | None) -> str:
        user = self.record.user if user_id is None else user_id
        if user is None:
            raise ValueError("This session is nobody's: name the user whose sessions end.")
        return user

    def encoded(self) -> bytes:
        """Return what is to be kept. Raises TypeError for a value without a JSON form."""
        return encode_record(self.record)

    def _check_open(self) -> None:
        if self.read_only:
            raise RuntimeError(self.read_only)

    def __repr__(self) -> str:
        """Names only: values may be secrets, and the id is one."""
        return f"<Session {', '.join(sorted(self.record.values)) or 'empty'}>"
