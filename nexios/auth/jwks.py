"""Which keys does an issuer sign with at present? Fetched from one fixed place, kept, and asked for anew seldom.

    tokens = JWT(JWKS("https://login.example/keys"), algorithms=["RS256"], issuer=..., audience=...)

What a token says of its key only ever looks up what was fetched. Keys that nobody knows lead to one fetch a minute
at most, however many tokens name them, and one fetch serves all who wait for it.
Source: RFC 7517 section 5.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from nexios.auth.fetch import fetch_document
from nexios.auth.jose import JWTKey, key_of_jwk
from nexios.auth.kept_document import DocumentUnavailable, KeptDocument
from nexios.auth.service_urls import shown_url, url_problem
from nexios.errors import ConfigurationError
from nexios.serialization import decode_json

__all__ = ["JWKS"]

_MOST_KEYS: Final = 100
_PATIENCE: Final = 10.0
"""Seconds for a fetch, whoever wrote it."""

Fetch = Callable[[str], Awaitable[bytes]]


class JWKS:
    """The keys at one https URL. One per issuer, shared by all requests of one event loop.

    Units:  seconds: keys are fetched again after `fresh_for`, not more often than each `pause`, and kept for
            `stale_for` while they cannot be fetched. While there are none, it is tried again after 1 second, then 2, 4
            and so on: a fetch that is lost when the app starts costs no minute. `clock` is monotonic.

    `fetch` gets the bytes at the URL; by default over https, 1 MiB at most, in 5 seconds, following no redirect.
    `allow_loopback` takes plain http too, to this machine.
    """

    def __init__(
        self,
        url: str,
        *,
        fetch: Fetch | None = None,
        fresh_for: float = 3600,
        stale_for: float = 86_400,
        pause: float = 60,
        clock: Callable[[], float] = time.monotonic,
        allow_loopback: bool = False,
    ) -> None:
        if url_problem(url, loopback=allow_loopback):
            raise ConfigurationError(f"JWKS takes an https URL of the issuer's keys, not {shown_url(url)!r}.")
        self.url: str = url
        self._fetch = fetch or fetch_document
        self._kept = KeptDocument(
            self._keys,
            fresh_for=fresh_for,
            stale_for=stale_for,
            pause=pause,
            clock=clock,
            complaint=f"the keys of an issuer could not be fetched: {shown_url(url)}",
        )

    async def find_key(self, key_id: str | None, algorithms: frozenset[str]) -> JWTKey | None:
        """Return the key of an id; without one the only key there is.

        Raises:
            ServiceUnavailable: There are no keys, or only those of long ago, and they cannot be fetched.
        """
        keys = await self._kept.current(lambda keys: keys.find(key_id, algorithms) is not None)
        return keys.find(key_id, algorithms)

    async def _keys(self) -> "_KeySet":
        """Whoever wrote the fetch, it has this long and may fail in any way."""
        try:
            async with asyncio.timeout(_PATIENCE):
                content = decode_json(await self._fetch(self.url), max_depth=10)
        except Exception as exc:
            raise DocumentUnavailable(type(exc).__name__) from None
        keys = content.get("keys") if isinstance(content, dict) else None
        if not isinstance(keys, list) or len(keys) > _MOST_KEYS:
            raise DocumentUnavailable("it is no JWK Set")
        return _KeySet([key for key in keys if isinstance(key, Mapping)])


class _KeySet:
    """What was fetched; the keys in it are made when they are first wanted."""

    def __init__(self, content: list[Mapping[str, Any]]) -> None:
        self._content = content
        self._usable: dict[frozenset[str], dict[str | None, JWTKey]] = {}

    def find(self, key_id: str | None, algorithms: frozenset[str]) -> JWTKey | None:
        """Return the key of an id; without one the only key there is."""
        keys = self._usable.get(algorithms)
        if keys is None:
            keys = self._usable[algorithms] = _usable(self._content, algorithms)
        if key_id is None:
            return next(iter(keys.values())) if len(keys) == 1 else None
        return keys.get(key_id)


def _usable(content: list[Mapping[str, Any]], algorithms: frozenset[str]) -> dict[str | None, JWTKey]:
    """A key without an id can be meant only by a token without one."""
    found: dict[str | None, JWTKey] = {}
    for jwk in content:
        key_id, key = jwk.get("kid"), key_of_jwk(jwk, algorithms)
        if key is not None and (key_id is None or isinstance(key_id, str)):
            found.setdefault(key_id, key)
    return found
