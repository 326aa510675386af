"""How does an app stay signed in when its access tokens live for minutes? With a token that is good for one exchange.

    nothing ─issue─► first ─rotate─► second ─rotate─► third ...       one family, of one sign-in

Each exchange gives the next token, and takes the right from the one before. When that one comes again, two have it, and
nobody can say which of them is the thief: the family is over, and the user signs in anew.

Tokens are random and mean nothing by themselves; the store has the SHA-256 of the one that is good now, and nothing of
the others. Whoever reads the store can use none of them.

Source: RFC 9700 section 4.14.2, RFC 6749 sections 5.2 and 6, ASVS 5.0 10.4.5 and 10.4.8.
"""

import hashlib
import hmac
import logging
import math
import secrets
import time
from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from nexios.errors import ConfigurationError, HTTPException
from nexios.stores.backed import StoreBacked
from nexios.stores.base import Store, checked_store

__all__ = ["InvalidRefreshToken", "RefreshTokenReused", "RefreshTokens", "RefreshedToken"]

_DAY: Final = 24 * 3600.0
_FAMILY_SIZE: Final = 22
"""Characters of 16 bytes in base64: who knows the name of a family has held one of its tokens."""
_SECRET_SIZE: Final = 43
"""Characters of 32 bytes."""
_CHARACTERS: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")

logger: logging.Logger = logging.getLogger("nexios")


class InvalidRefreshToken(HTTPException):
    """400 `invalid_grant`: never issued, expired, or revoked. Clients learn no more than this."""

    def __init__(self) -> None:
        super().__init__(400, "The refresh token is not valid.", code="invalid_grant")


class RefreshTokenReused(InvalidRefreshToken):
    """The same to the client; its family is revoked. `user_id` is whose it was, to tell them."""

    user_id: str

    def __init__(self, user_id: str) -> None:
        super().__init__()
        self.user_id = user_id


class RefreshedToken(msgspec.Struct, frozen=True):
    """What an exchange gave: `text` is the next token; whose it is, and with which scopes, is as at the sign-in."""

    text: str
    user_id: str
    scopes: tuple[str, ...]

    def __repr__(self) -> str:
        """Without the token."""
        return f"RefreshedToken(user_id={self.user_id!r})"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        """Without the token."""
        return [("user_id", self.user_id)]


class _Family(msgspec.Struct, frozen=True):
    user_id: str
    scopes: tuple[str, ...]
    since: float
    until: float
    digest: bytes


class RefreshTokens(StoreBacked):
    """Issues and exchanges refresh tokens, in a store. One per app: `NexiosApp(lifespan=tokens.lifespan)`.

    Units:  seconds for both timeouts: how long a token is good when it is not exchanged, and a family in all.

    `prefix` begins all keys in the store. `clock` is in seconds since 1970.

    >>> import asyncio
    >>> from nexios.stores import MemoryStore
    >>> async def use(tokens):
    ...     async with tokens.lifespan(None):
    ...         first = await tokens.issue("ada", scopes=["read"])
    ...         return await tokens.rotate(first)
    >>> asyncio.run(use(RefreshTokens(MemoryStore())))
    RefreshedToken(user_id='ada')
    """

    def __init__(
        self,
        store: Store,
        *,
        idle_timeout: float = 14 * _DAY,
        absolute_timeout: float = 90 * _DAY,
        prefix: str = "refresh:",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = checked_store(store, 'RefreshTokens(SQLiteStore("tokens.sqlite3"))')
        self._idle = _checked("idle_timeout", idle_timeout)
        self._absolute = _checked("absolute_timeout", absolute_timeout)
        self._prefix = prefix
        self._clock = clock

    async def issue(self, user_id: str, *, scopes: Iterable[str] = ()) -> str:
        """Begin a family for a user who has just signed in, and return its first token, of 66 ASCII characters.

        Raises:
            TypeError: `user_id` is no text, or an empty one; `scopes` is one text, and not several.
            StoreUnavailable: The store cannot keep it.
        """
        if not (isinstance(user_id, str) and user_id):
            raise TypeError("A user id is a text that is not empty: str(user.id)")
        if isinstance(scopes, str):
            raise TypeError(f"scopes is a list of texts: scopes=[{scopes!r}]")
        name, secret = secrets.token_urlsafe(16), secrets.token_urlsafe(32)
        now, ended = self._clock(), await self._ended(user_id)
        since = now if ended is None else max(now, math.nextafter(ended, math.inf))  # the clock may be coarse
        family = _Family(user_id, tuple(scopes), since, self._until(since, now), _digest(secret))
        await self._store.set(self._key(name), _encode(family), expires_in=_remaining(family, now))
        return f"{name}.{secret}"

    async def rotate(self, text: str) -> RefreshedToken:
        """Exchange a token for the next one. Of two who exchange it at the same moment, one succeeds.

        Raises:
            RefreshTokenReused: It was exchanged before: now no token of its family is good. A line is in the log.
            InvalidRefreshToken: It is not good.
            StoreUnavailable: The store cannot be asked.
        """
        name, secret = _parts(text)
        key, now = self._key(name), self._clock()
        kept = await self._store.get(key)
        family = None if kept is None else _decode(kept)
        if kept is None or family is None or now >= family.until or await self._is_over(family):
            raise InvalidRefreshToken
        if not hmac.compare_digest(_digest(secret), family.digest):
            await self._store.delete(key)
            logger.warning("a refresh token was used a second time; all of its sign-in are revoked")
            raise RefreshTokenReused(family.user_id)
        following = secrets.token_urlsafe(32)
        changed = msgspec.structs.replace(family, digest=_digest(following), until=self._until(family.since, now))
        expires_in = _remaining(changed, now)
        if not await self._store.replace(key, _encode(changed), expected=kept, expires_in=expires_in):
            raise InvalidRefreshToken  # another one was faster, or the family has ended
        return RefreshedToken(f"{name}.{following}", family.user_id, family.scopes)

    async def revoke(self, text: str) -> bool:
        """End the family of a token, at a sign-out; returns whether there was one.

        Raises:
            StoreUnavailable: The store cannot be asked.
        """
        try:
            name, _ = _parts(text)
        except InvalidRefreshToken:
            return False
        return await self._store.delete(self._key(name))

    async def revoke_all(self, user_id: str) -> None:
        """End all families of a user: after a change of the password, or when they are put out.

        Raises:
            StoreUnavailable: The store cannot be asked.
        """
        now, before = self._clock(), await self._ended(user_id)
        until = now if before is None else max(now, before)  # by a clock that is slow, an end takes no other one back
        await self._store.set(self._user_key(user_id), repr(until).encode(), expires_in=self._absolute + 60.0)

    async def _is_over(self, family: _Family) -> bool:
        ended = await self._ended(family.user_id)
        return ended is not None and family.since <= ended

    async def _ended(self, user_id: str) -> float | None:
        """Until when families of a user have ended; None where that was never said."""
        found = await self._store.get(self._user_key(user_id))
        return None if found is None else float(found)

    def _until(self, since: float, now: float) -> float:
        return min(now + self._idle, since + self._absolute)

    def _key(self, name: str) -> str:
        """Whoever reads the store learns no name of a family, so nobody can end one by it."""
        return f"{self._prefix}family:{hashlib.sha256(name.encode()).hexdigest()}"

    def _user_key(self, user_id: str) -> str:
        return f"{self._prefix}ended:{hashlib.sha256(user_id.encode('utf-8', 'surrogatepass')).hexdigest()}"


_encode = msgspec.msgpack.Encoder().encode
_decoder: Final = msgspec.msgpack.Decoder(_Family)


def _decode(kept: bytes) -> _Family | None:
    try:
        return _decoder.decode(kept)
    except msgspec.MsgspecError:
        logger.warning("what is kept of a refresh token cannot be read; it fits none")
        return None


def _remaining(family: _Family, now: float) -> float:
    return max(family.until - now, 0.001)


def _parts(text: str) -> tuple[str, str]:
    """Return the name of the family, and the secret. Raises `InvalidRefreshToken` for what has another shape."""
    name, _, secret = text.partition(".") if isinstance(text, str) else ("", "", "")
    if len(name) != _FAMILY_SIZE or len(secret) != _SECRET_SIZE or not _CHARACTERS.issuperset(name + secret):
        raise InvalidRefreshToken
    return name, secret


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _checked(name: str, seconds: float) -> float:
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds < math.inf:
        raise ConfigurationError(f"{name!r} of RefreshTokens is a number of seconds over 0, not {seconds!r}.")
    return float(seconds)
