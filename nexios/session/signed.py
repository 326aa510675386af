"""How is a session kept in the browser itself? As a signed cookie, which everyone can read and nobody can change.

Nothing is kept on the server, so nothing can be taken back: a copy of a cookie is good until it expires, also after
a logout. When it expires stands inside of what is signed.
"""

import hmac
from collections.abc import Callable
from typing import Final

from nexios.session.kept import KeptSession, SessionTooLarge
from nexios.session.record import Record, decode_record
from nexios.session.times import Times
from nexios.signing.keyring import Keyring
from nexios.signing.signer import BadSignature

__all__ = ["SignedSessions"]

_LARGEST: Final = 4096
"""Bytes of name and value together; browsers drop a larger cookie (RFC 6265bis section 5.6)."""


class SignedSessions:
    """Sessions in cookies. One per app, shared by all requests."""

    __slots__ = ("_clock", "_has_old_keys", "_name", "_signatures", "_signer", "_times")

    def __init__(
        self, keyring: Keyring, name: str, times: Times, clock: Callable[[], float], *, has_old_keys: bool
    ) -> None:
        self._has_old_keys = has_old_keys
        self._signer = keyring.signer("session", name)
        self._signatures = keyring.signatures("value", "session", name)
        self._name = name
        self._times = times
        self._clock = clock

    def open(self, value: str | None, *, read_only: str = "") -> KeptSession:
        """Return the session in a cookie; a new one when it is absent, changed or over."""
        raw, record = (None, None) if value is None else self._record(value)
        return KeptSession(
            raw,
            record,
            None if record is None else record.id,
            clock=self._clock,
            epochs=None,
            read_only=read_only,
        )

    async def is_alive(self, session: KeptSession, used: bool) -> bool:
        """Whether a session goes on that was opened earlier. That it was `used` since is known here alone."""
        now = self._clock()
        if self._times.is_over(session.record, now):
            return False
        if used:
            session.record.seen = now
        return True

    async def save(self, session: KeptSession, value: str | None) -> str | None:
        """Return the new cookie, "" to delete it, or None to leave it as it is.

        Raises:
            SessionTooLarge: It does not fit into a cookie.
            TypeError: A value has no JSON form.
        """
        if session.is_empty:
            return "" if value is not None and (session.ended or not session.is_new) else None
        now, record = self._clock(), session.record
        changed = session.rotated or session.is_new or session.encoded() != session.raw
        if not (changed or self._times.is_due(record, now) or self._is_of_old_key(value)):
            return None
        record.id, record.seen = session.id, now
        signed = self._signer.sign(session.encoded())
        size = len(self._name) + len(signed)
        if size > _LARGEST:
            raise SessionTooLarge(
                f"The session does not fit into its cookie, which would have {size} bytes; browsers drop more than "
                f"{_LARGEST}. The names in it: {', '.join(sorted(record.values)) or 'none'}. Keep less, or use a store:"
                '\n\n    app.add_middleware(SessionMiddleware, store=SQLiteStore("sessions.db"))\n'
            )
        return signed

    def _record(self, value: str) -> tuple[bytes | None, Record | None]:
        try:
            raw = self._signer.unsign(value, max_age=self._times.idle)
        except BadSignature:
            return None, None
        record = decode_record(raw)
        if record is None or not record.id or self._times.is_over(record, self._clock()):
            return None, None
        return raw, record

    def _is_of_old_key(self, value: str | None) -> bool:
        """What an old secret signed is signed anew, so that the secret can be taken out one day."""
        if not self._has_old_keys or value is None:
            return False
        signed, _, signature = value.encode("ascii").rpartition(b".")
        return not hmac.compare_digest(self._signatures.make(signed), signature)
