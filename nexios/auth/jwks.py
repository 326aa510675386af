"""Which keys does an issuer sign with at present? Fetched from one fixed place, kept, and asked for anew seldom.

    tokens = JWT(JWKS("https://login.example/keys"), algorithms=["RS256"], issuer=..., audience=...)

What a token says of its key only ever looks up what was fetched. Keys that nobody knows lead to one fetch a minute
at most, however many tokens name them, and one fetch serves all who wait for it. While there are no keys at all, it is
tried again after 1 second, then 2, 4 and so on: one fetch that is lost when the app starts costs no minute.
Source: RFC 7517 section 5.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from nexios.auth.jose import JWTKey, key_of_jwk
from nexios.auth.jwks_fetch import fetch_over_https
from nexios.auth.oauth_urls import shown_url, url_problem
from nexios.errors import ConfigurationError, ServiceUnavailable
from nexios.serialization import decode_json

__all__ = ["JWKS", "fetch_over_https", "pause_after"]

_MOST_KEYS: Final = 100
_PATIENCE: Final = 10.0
"""Seconds for a fetch, whoever wrote it."""

Fetch = Callable[[str], Awaitable[bytes]]

logger: logging.Logger = logging.getLogger("nexios")


class JWKS:
    """The keys at one https URL. One per issuer, shared by all requests of one event loop.

    Units:  seconds: keys are fetched again after `fresh_for`, not more often than each `pause`, and kept for
            `stale_for` while they cannot be fetched. `clock` is monotonic.

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
        self._fetch = fetch or fetch_over_https
        self._fresh_for, self._stale_for, self._pause, self._clock = fresh_for, stale_for, pause, clock
        self._content: list[Mapping[str, Any]] = []
        self._keys: dict[frozenset[str], dict[str | None, JWTKey]] = {}
        self._fetched_at: float | None = None
        self._tried_at: float | None = None
        self._failed = 0
        self._fetching: asyncio.Task[None] | None = None

    async def find_key(self, key_id: str | None, algorithms: frozenset[str]) -> JWTKey | None:
        """Return the key of an id; without one the only key there is.

        Raises:
            ServiceUnavailable: There are no keys, or only those of long ago, and they cannot be fetched.
        """
        found = self._known(key_id, algorithms)
        is_due = (found is None or not self._is_younger_than(self._fresh_for)) and self._may_try()
        if is_due:
            self._tried_at = self._clock()
            self._fetching = asyncio.create_task(self._refresh(), name="nexios-jwks")
        if self._fetching is not None and (is_due or found is None):
            await asyncio.shield(self._fetching)  # who leaves takes it from nobody else, and begins no further one
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
        if self._tried_at is None:
            return True
        has_keys = self._is_younger_than(self._stale_for)
        pause = self._pause if has_keys else pause_after(self._failed, self._pause)
        return self._clock() - self._tried_at >= pause

    def _is_younger_than(self, age: float) -> bool:
        return self._fetched_at is not None and self._clock() - self._fetched_at < age

    async def _refresh(self) -> None:
        """Whatever goes wrong, the keys that are known are kept."""
        try:
            async with asyncio.timeout(_PATIENCE):
                content = decode_json(await self._fetch(self.url), max_depth=10)
            keys = content["keys"] if isinstance(content, dict) else None
            if not isinstance(keys, list) or len(keys) > _MOST_KEYS:
                raise ValueError("it is no JWK Set")
        except Exception as exc:
            self._failed += 1
            logger.warning(
                "the keys of an issuer could not be fetched: %s: %s", shown_url(self.url), type(exc).__name__
            )
        else:
            self._content = [key for key in keys if isinstance(key, Mapping)]
            self._keys.clear()
            self._fetched_at = self._clock()
            self._failed = 0
        finally:
            self._fetching = None


def pause_after(failed: int, most: float) -> float:
    """Return for how many seconds nobody asks again after so many failures in a row.

    >>> [pause_after(failed, 60) for failed in (1, 2, 3, 7)]
    [1.0, 2.0, 4.0, 60]
    """
    return min(most, 2.0 ** (min(failed, 32) - 1))


def _usable(content: list[Mapping[str, Any]], algorithms: frozenset[str]) -> dict[str | None, JWTKey]:
    """A key without an id can be meant only by a token without one."""
    found: dict[str | None, JWTKey] = {}
    for jwk in content:
        key_id, key = jwk.get("kid"), key_of_jwk(jwk, algorithms)
        if key is not None and (key_id is None or isinstance(key_id, str)):
            found.setdefault(key_id, key)
    return found
