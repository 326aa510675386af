"""Which keys does an issuer sign with at present? Fetched from one fixed place, kept, and asked for anew seldom.

    tokens = JWT(JWKS("https://login.example/keys"), algorithms=["RS256"], issuer=..., audience=...)

What a token says of its key only ever looks up what was fetched. Keys that nobody knows lead to one fetch a minute
at most, however many tokens name them, and one fetch serves all who wait for it.
Source: RFC 7517 section 5.
"""

import asyncio
import logging
import time
import urllib.request
from collections.abc import Awaitable, Callable, Mapping
from http.client import HTTPMessage
from typing import IO, Any, Final
from urllib.parse import urlsplit

from nexios.auth.jose import JWTKey, key_of_jwk
from nexios.errors import BadRequest, ConfigurationError, ServiceUnavailable
from nexios.serialization import decode_json

__all__ = ["JWKS", "fetch_over_https"]

_LONGEST: Final = 1024 * 1024
_MOST_KEYS: Final = 100
_TIMEOUT: Final = 5.0

Fetch = Callable[[str], Awaitable[bytes]]

logger: logging.Logger = logging.getLogger("nexios")


class JWKS:
    """The keys at one https URL. One per issuer, shared by all requests of one event loop.

    Units:  seconds: keys are fetched again after `fresh_for`, not more often than each `pause`, and kept for
            `stale_for` while they cannot be fetched. `clock` is monotonic.

    `fetch` gets the bytes at the URL; by default over https, 1 MiB at most, in 5 seconds, following no redirect.
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
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme != "https" or not parts.hostname or parts.username is not None:
            raise ConfigurationError(f"JWKS takes an https URL of the issuer's keys, not {url!r}.")
        self._url = url
        self._fetch = fetch or fetch_over_https
        self._fresh_for, self._stale_for, self._pause, self._clock = fresh_for, stale_for, pause, clock
        self._content: list[Mapping[str, Any]] = []
        self._keys: dict[frozenset[str], dict[str | None, JWTKey]] = {}
        self._fetched_at: float | None = None
        self._tried_at: float | None = None
        self._lock = asyncio.Lock()

    async def find_key(self, key_id: str | None, algorithms: frozenset[str]) -> JWTKey | None:
        """Return the key of an id; without one the only key there is.

        Raises:
            ServiceUnavailable: There are no keys, or only those of long ago, and they cannot be fetched.
        """
        found = self._known(key_id, algorithms)
        if (found is None or not self._is_younger_than(self._fresh_for)) and self._may_try():
            async with self._lock:
                if self._may_try():
                    await self._refresh()
            found = self._known(key_id, algorithms)
        if not self._is_younger_than(self._stale_for):
            raise ServiceUnavailable
        return found

    def _known(self, key_id: str | None, algorithms: frozenset[str]) -> JWTKey | None:
        keys = self._keys.get(algorithms)
        if keys is None:
            keys = self._keys[algorithms] = _usable(self._content, algorithms)
        if key_id is None:
            return next(iter(keys.values())) if len(keys) == 1 else None
        return keys.get(key_id)

    def _may_try(self) -> bool:
        return self._tried_at is None or self._clock() - self._tried_at >= self._pause

    def _is_younger_than(self, age: float) -> bool:
        return self._fetched_at is not None and self._clock() - self._fetched_at < age

    async def _refresh(self) -> None:
        before = self._tried_at
        self._tried_at = self._clock()
        try:
            content = decode_json(await self._fetch(self._url), max_depth=10)
            keys = content["keys"] if isinstance(content, dict) else None
            if not isinstance(keys, list) or len(keys) > _MOST_KEYS:
                raise ValueError("it is no JWK Set")
            self._content = [key for key in keys if isinstance(key, Mapping)]
        except asyncio.CancelledError:
            self._tried_at = before  # whoever waited tries for itself
            raise
        except (OSError, ValueError, KeyError, BadRequest) as exc:
            logger.warning("the keys of an issuer could not be fetched: %s: %s", self._url, type(exc).__name__)
            return
        self._keys.clear()
        self._fetched_at = self._clock()


async def fetch_over_https(url: str) -> bytes:
    """Return what is at a URL. Raises `OSError` where it cannot be had, `ValueError` where it is over 1 MiB."""
    return await asyncio.to_thread(_get, url)


def _get(url: str) -> bytes:
    opener = urllib.request.build_opener(_NoRedirect)
    with opener.open(urllib.request.Request(url, headers={"accept": "application/json"}), timeout=_TIMEOUT) as answer:
        content: bytes = answer.read(_LONGEST + 1)
    if len(content) > _LONGEST:
        raise ValueError("it is over 1 MiB")
    return content


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        """A redirect is an error, as the keys are at one place."""


def _usable(content: list[Mapping[str, Any]], algorithms: frozenset[str]) -> dict[str | None, JWTKey]:
    """A key without an id can be meant only by a token without one."""
    found: dict[str | None, JWTKey] = {}
    for jwk in content:
        key_id, key = jwk.get("kid"), key_of_jwk(jwk, algorithms)
        if key is not None and (key_id is None or isinstance(key_id, str)):
            found.setdefault(key_id, key)
    return found
