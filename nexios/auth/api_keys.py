"""Which program is this, and what may it do? Keys for programs: random, scoped, shown once, kept as hashes.

    nxs_k3J9xq2L_Zr0...        prefix, id, secret

The id finds the key; the secret, 32 random bytes, is kept as its SHA-256 alone, which is enough where nothing can be
guessed. Whoever reads the store can use none of the keys in it.
"""

import hashlib
import hmac
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Final

import msgspec

from nexios._pipeline.authentication import InvalidCredentials
from nexios.auth.backend import AuthBackend
from nexios.auth.found import ask, checked_question
from nexios.errors import ConfigurationError
from nexios.http.headers import is_token
from nexios.stores.backed import StoreBacked
from nexios.stores.base import Store, checked_store

__all__ = ["APIKey", "APIKeyAuth", "APIKeys", "NewAPIKey"]

_ID_LENGTH: Final = 8
_LONGEST: Final = 256
_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_NOTED_EVERY: Final = 60.0
"""Seconds between two uses of a key that are noted: each is a write."""
_NOBODY: Final = hashlib.sha256(b"").digest()

logger: logging.Logger = logging.getLogger("nexios")


class APIKey(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a key; nothing in it is secret.

    Units:  `created_at`, `expires_at` and `last_used_at` in seconds since 1970; None for a key that does not expire,
            and for one that was never used. A use within a minute of the one before is not noted.
    """

    id: str
    owner: str
    scopes: tuple[str, ...] = ()
    name: str = ""
    created_at: float = 0.0
    expires_at: float | None = None
    last_used_at: float | None = None


class NewAPIKey(msgspec.Struct, frozen=True):
    """A key that was just issued. `text` is what the client shows; it can be read here, and never again."""

    key: APIKey
    text: str

    def __repr__(self) -> str:
        """Without the secret."""
        return f"NewAPIKey({self.key!r})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Without the secret."""
        return [("key", self.key)]


class _Kept(msgspec.Struct, frozen=True):
    key: APIKey
    digest: bytes


class APIKeys(StoreBacked):
    """Issues, checks and revokes keys, in a store. One per app: `NexiosApp(lifespan=keys.lifespan)` keeps it open.

    `prefix` begins every key, so that a scanner of code finds one that was published.
    `clock` is in seconds since 1970.

    >>> import asyncio
    >>> from nexios.stores import MemoryStore
    >>> async def use(keys):
    ...     async with keys.lifespan(None):
    ...         new = await keys.issue("build-server", scopes=["deploy"])
    ...         found = await keys.find(new.text)
    ...         return found.owner, found.scopes
    >>> asyncio.run(use(APIKeys(MemoryStore())))
    ('build-server', ('deploy',))
    """

    def __init__(self, store: Store, *, prefix: str = "nxs", clock: Callable[[], float] = time.time) -> None:
        if not prefix.isascii() or not prefix.isalnum():
            raise ValueError(f"the prefix of API keys is ASCII letters and digits, not {prefix!r}")
        self._store = checked_store(store, 'APIKeys(SQLiteStore("keys.sqlite3"))')
        self._prefix = prefix
        self._clock = clock

    async def issue(
        self, owner: str, *, scopes: Iterable[str] = (), name: str = "", expires_in: float | None = None
    ) -> NewAPIKey:
        """Make a key for `owner` and keep it. Show its `text` once; it is not kept. `expires_in` is in seconds.

        Raises:
            TypeError: `scopes` is one text, and not several.
            StoreUnavailable: The store cannot keep it.
        """
        if isinstance(scopes, str):
            raise TypeError(f"scopes is a list of texts: scopes=[{scopes!r}]")
        now, secret = self._clock(), secrets.token_urlsafe(32)
        while True:
            key = APIKey(
                id="".join(secrets.choice(_LETTERS) for _ in range(_ID_LENGTH)),
                owner=owner,
                scopes=tuple(scopes),
                name=name,
                created_at=now,
                expires_at=None if expires_in is None else now + expires_in,
            )
            kept = msgspec.msgpack.encode(_Kept(key, _digest(secret)))
            if await self._store.add(_place(key.id), kept, expires_in=expires_in):
                return NewAPIKey(key, f"{self._prefix}_{key.id}_{secret}")

    async def find(self, text: str) -> APIKey | None:
        """Return the key that a client shows; None for one that was never issued, has expired or was revoked.

        Its `last_used_at` is the use before this one.

        Raises:
            StoreUnavailable: The store cannot be asked.
        """
        if len(text) > _LONGEST or not text.isascii():
            return None
        prefix, _, rest = text.partition("_")
        key_id, _, secret = rest.partition("_")
        if prefix != self._prefix or len(key_id) != _ID_LENGTH or not key_id.isalnum() or not secret:
            return None
        content, found = await self._kept(key_id)
        fits = hmac.compare_digest(_digest(secret), _NOBODY if found is None else found.digest)
        if content is None or found is None or not fits:
            return None
        now, expires = self._clock(), found.key.expires_at
        if expires is not None and now >= expires:
            return None
        await self._note_use(content, found, now)
        return found.key

    async def get(self, key_id: str) -> APIKey | None:
        """Return what is known of a key by its id, to show it: when it was used last, and what it may do.

        Raises:
            StoreUnavailable: The store cannot be asked.
        """
        _, found = await self._kept(key_id)
        return None if found is None else found.key

    async def revoke(self, key_id: str) -> bool:
        """Forget a key by its id; returns whether there was one. It is refused from the next request on."""
        return await self._store.delete(_place(key_id))

    async def _note_use(self, content: bytes, found: _Kept, now: float) -> None:
        """Unless one was noted just before. A key that is revoked meanwhile stays so."""
        key = found.key
        if key.last_used_at is not None and 0 <= now - key.last_used_at < _NOTED_EVERY:
            return
        noted = msgspec.msgpack.encode(_Kept(msgspec.structs.replace(key, last_used_at=now), found.digest))
        remaining = None if key.expires_at is None else key.expires_at - now
        await self._store.replace(_place(key.id), noted, expected=content, expires_in=remaining)

    async def _kept(self, key_id: str) -> tuple[bytes | None, _Kept | None]:
        content = await self._store.get(_place(key_id))
        if content is None:
            return None, None
        try:
            return content, msgspec.msgpack.decode(content, type=_Kept)
        except msgspec.MsgspecError:
            logger.warning("what is kept of the API key %s cannot be read; it fits none", key_id)
            return None, None


class APIKeyAuth(AuthBackend):
    """Takes a key in a header, `X-API-Key` by default; the scopes are those of the key.

    The user is what `find_user` returns for the key, or the `APIKey` itself. A key whose user is None is refused.
    """

    recheck: float | None = 60.0

    def __init__(
        self,
        keys: APIKeys,
        *,
        header: str = "X-API-Key",
        find_user: Callable[[APIKey], Awaitable[Any]] | None = None,
        scheme_name: str = "apiKey",
    ) -> None:
        if not isinstance(keys, APIKeys):
            raise ConfigurationError(
                f"APIKeyAuth asks APIKeys, not {type(keys).__name__}:\n\n"
                "    app.auth_backend = APIKeyAuth(APIKeys(store))\n"
            )
        if not isinstance(header, str) or not is_token(header):
            raise ConfigurationError(
                f"header={header!r} of APIKeyAuth is no name of a header (RFC 9110 section 5.1):\n\n"
                '    APIKeyAuth(keys, header="X-API-Key")\n'
            )
        self._keys = keys
        self._header = header
        self._find_user = checked_question(find_user, "APIKeyAuth(keys, find_user=find_owner)")
        self._scheme_name = scheme_name
        self.challenge: str = f'ApiKey header="{header}"'

    async def authenticate(self, request: Any) -> Any:
        """Return whose key the client shows. Raises `InvalidCredentials` for one that does not hold."""
        values = request.headers.get_all(self._header)
        if not values:
            return None
        key = await self._keys.find(values[0]) if len(values) == 1 else None
        user = key if key is None or self._find_user is None else await ask(self._find_user, key)
        if key is None or user is None or user is False:
            raise InvalidCredentials
        return user, key.scopes

    def openapi_scheme(self) -> tuple[str, Mapping[str, str]]:
        """Return the scheme as the OpenAPI document has it."""
        return self._scheme_name, {"type": "apiKey", "in": "header", "name": self._header}


def _place(key_id: str) -> str:
    return f"api-key:{key_id}"


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
