"""How is a session kept on the server? In a store, under the hash of an id that only the browser has.

Only ids that we issued lead to a session. A session that was deleted is not revived by a request that had loaded it
before. When the store fails, so does the request: nobody is taken for a stranger because of it.
"""

import hashlib
import logging
import math
from collections.abc import Callable
from typing import Final

import msgspec

from nexios.session.kept import KeptSession
from nexios.session.record import Record, decode_record, encode_record, merged
from nexios.session.times import Times
from nexios.stores.base import Store, StoreUnavailable

__all__ = ["Loaded", "StoredSessions"]

logger: logging.Logger = logging.getLogger("nexios")

_ID_SIZE: Final = 43
_ID_CHARACTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")
_ATTEMPTS: Final = 16
"""How often a session is saved anew because other requests saved it meanwhile."""


class Loaded(msgspec.Struct, frozen=True):
    """What was found in the store."""

    id: str
    raw: bytes
    record: Record


class StoredSessions:
    """Sessions in a store. One per app, shared by all requests."""

    __slots__ = ("_clock", "_prefix", "_times", "store")

    def __init__(self, store: Store, times: Times, clock: Callable[[], float], prefix: str) -> None:
        self.store: Store = store
        self._times = times
        self._clock = clock
        self._prefix = prefix

    async def load(self, value: str) -> Loaded | None:
        """Return the session of an id; None for one that we did not issue, and for what is over.

        Raises:
            StoreUnavailable: Nobody knows whether there is one.
        """
        if len(value) != _ID_SIZE or not _ID_CHARACTERS.issuperset(value):
            return None
        key = self._key(value)
        raw = await self.store.get(key)
        if raw is None:
            return None
        record = decode_record(raw)
        if record is None:
            logger.warning("a session in the store is no record of this version; it is not read")
            return None
        if self._times.is_over(record, self._clock()) or await self._was_ended(record):
            await self.store.delete(key)
            return None
        return Loaded(value, raw, record)

    def open(self, loaded: Loaded | None, *, read_only: str = "") -> KeptSession:
        """Return the session for a request."""
        raw, record, id = (None, None, None) if loaded is None else (loaded.raw, loaded.record, loaded.id)
        return KeptSession(raw, record, id, clock=self._clock, epochs=self, read_only=read_only)

    async def is_alive(self, session: KeptSession, used: bool) -> bool:
        """Whether a session goes on that was opened or saved earlier; if it was `used` since, that is noted.

        Raises:
            StoreUnavailable: Nobody knows.
        """
        found = await self.load(session.id)
        if found is None:
            return False
        now = self._clock()
        if used and self._times.is_due(found.record, now):
            await self._replace(found.record, found.raw, self._key(found.id), now)
        return True

    async def save(self, session: KeptSession, value: str | None) -> str | None:
        """Return the new cookie, "" to delete it, or None to leave it as it is.

        Raises:
            StoreUnavailable: It may not be saved.
            TypeError: A value has no JSON form.
        """
        if session.is_empty:
            return await self._delete(session, value)
        now = self._clock()
        if session.former is None or session.ended:
            return await self._add(session, now)
        if session.rotated:
            return await self._move(session, session.former, now)
        if session.encoded() != session.raw:
            await self._change(session, now)
        elif session.raw is not None and self._times.is_due(session.record, now):
            await self._replace(session.record, session.raw, self._key(session.id), now)
        return None

    async def end_all(self, user_id: str) -> float:
        """End the sessions of a user that began until now; returns the first time that is later."""
        now, before = self._clock(), await self._ended(user_id)
        until = now if before is None else max(now, before)  # by a clock that is slow, an end takes no other one back
        await self.store.set(self._user_key(user_id), repr(until).encode(), expires_in=self._times.absolute + 60.0)
        return math.nextafter(until, math.inf)

    async def _was_ended(self, record: Record) -> bool:
        ended = None if record.user is None else await self._ended(record.user)
        return ended is not None and record.since <= ended

    async def _ended(self, user_id: str) -> float | None:
        """Until when sessions of a user have ended; None where that was never said."""
        found = await self.store.get(self._user_key(user_id))
        return None if found is None else float(found)

    async def _delete(self, session: KeptSession, value: str | None) -> str | None:
        if session.former is not None:
            await self.store.delete(self._key(session.former))
        return "" if value is not None and (session.ended or session.former is not None) else None

    async def _add(self, session: KeptSession, now: float) -> str:
        """What is over goes first: if the new one cannot be kept, it is over all the same."""
        if session.former is not None:
            await self.store.delete(self._key(session.former))
        await self._keep_new(session.record, self._key(session.id), now)
        return session.id

    async def _move(self, session: KeptSession, former: str, now: float) -> str | None:
        """To another id. What was ended meanwhile stays so: then the new record goes, too."""
        old, new = self._key(former), self._key(session.id)
        theirs = await self._current(old)
        if theirs is None:
            return None
        mine = session.record
        record = merged(session.before(), mine, theirs)
        record.user, record.since, record.created = mine.user, mine.since, mine.created
        await self._keep_new(record, new, now)
        if await self.store.delete(old):
            return session.id
        await self.store.delete(new)
        return None

    async def _change(self, session: KeptSession, now: float) -> None:
        key, before, mine = self._key(session.id), session.before(), session.record
        record, expected = mine, session.raw or b""
        for _ in range(_ATTEMPTS):
            if await self._replace(record, expected, key, now):
                return
            current = await self.store.get(key)
            theirs = None if current is None else decode_record(current)
            if current is None or theirs is None:
                return  # it was ended meanwhile, and stays so
            record, expected = merged(before, mine, theirs), current
        raise StoreUnavailable(
            explanation=f"a session was changed by others {_ATTEMPTS} times while it was to be saved"
        )

    async def _current(self, key: str) -> Record | None:
        current = await self.store.get(key)
        return None if current is None else decode_record(current)

    async def _replace(self, record: Record, expected: bytes, key: str, now: float) -> bool:
        record.seen = now
        seconds = self._times.remaining(record, now)
        return await self.store.replace(key, encode_record(record), expected=expected, expires_in=seconds)

    async def _keep_new(self, record: Record, key: str, now: float) -> None:
        record.seen = now
        if not await self.store.add(key, encode_record(record), expires_in=self._times.remaining(record, now)):
            raise StoreUnavailable("the id of a new session was taken")

    def _key(self, id: str) -> str:
        """Whoever reads the store learns no id."""
        return f"{self._prefix}id:{hashlib.sha256(id.encode('ascii')).hexdigest()}"

    def _user_key(self, user_id: str) -> str:
        return f"{self._prefix}ended:{hashlib.sha256(user_id.encode('utf-8', 'surrogatepass')).hexdigest()}"
