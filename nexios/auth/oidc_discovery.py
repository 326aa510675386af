"""Where are the endpoints of a login service, and which keys does it sign with? What it says of itself, at one place.

The document is asked for when it is first needed, then hourly. While the service is away, what it said is good for a
day; where it never answered, logins are 503, and it is asked again after 1 second, then 2, 4, 8, and each ten.
Source: OpenID Connect Discovery 1.0 section 4, RFC 8414, RFC 9207 section 3.
"""

import time
from collections.abc import Callable
from typing import Final

import msgspec

from nexios.auth.jose import JWTKey
from nexios.auth.jwks import JWKS
from nexios.auth.kept_document import DocumentUnavailable, KeptDocument
from nexios.auth.oauth_wire import ProviderUnavailable, Wire
from nexios.auth.service_urls import checked_url, is_plain, shown_url, url_problem
from nexios.errors import BadRequest
from nexios.serialization import decode_json

__all__ = ["Metadata", "Provider", "discovery_url"]

_FRESH_FOR: Final = 3600.0
_STALE_FOR: Final = 86_400.0
_PAUSE: Final = 10.0


class Metadata(msgspec.Struct, frozen=True):
    """What a login service says of itself; what we do not use is left out."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    names_itself: bool = msgspec.field(default=False, name="authorization_response_iss_parameter_supported")


class Provider:
    """One login service, by the URL it calls itself. One per client, shared by all requests of one event loop.

    Units:  `clock` is monotonic, in seconds.

    Raises:
        ConfigurationError: The issuer is no https URL.
    """

    def __init__(self, issuer: str, wire: Wire, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.issuer: str = checked_url(issuer, "issuer", query=False)
        self._wire = wire
        self._clock = clock
        self._keys: JWKS | None = None
        self._kept = KeptDocument(
            self._document,
            fresh_for=_FRESH_FOR,
            stale_for=_STALE_FOR,
            pause=_PAUSE,
            clock=clock,
            complaint=f"a login service does not say where it is: {self.issuer}",
        )

    async def metadata(self) -> Metadata:
        """Return what the service says of itself. Raises `ServiceUnavailable` where it cannot be had."""
        return await self._kept.current()

    async def find_key(self, key_id: str | None, algorithms: frozenset[str]) -> JWTKey | None:
        """Return a key of the service, as `JWKS` does. Raises `ServiceUnavailable` where none can be had."""
        url = (await self.metadata()).jwks_uri
        if self._keys is None or self._keys.url != url:
            self._keys = JWKS(url, fetch=self._wire.fetch, clock=self._clock, allow_loopback=is_plain(self.issuer))
        return await self._keys.find_key(key_id, algorithms)

    async def _document(self) -> Metadata:
        try:
            return self._read(await self._wire.get(discovery_url(self.issuer)))
        except (ProviderUnavailable, BadRequest, ValueError) as exc:
            raise DocumentUnavailable(exc) from None

    def _read(self, content: bytes) -> Metadata:
        """Read the document. Raises `ValueError`, `BadRequest`."""
        try:
            found = msgspec.convert(decode_json(content, max_depth=10), Metadata)
        except msgspec.ValidationError:
            raise ValueError("the document is malformed") from None
        if found.issuer != self.issuer:
            raise ValueError(f"the document is of another issuer: it calls itself {shown_url(found.issuer)[:200]!r}")
        urls = [found.authorization_endpoint, found.token_endpoint, found.jwks_uri]
        urls += [] if found.userinfo_endpoint is None else [found.userinfo_endpoint]
        if any(url_problem(url, loopback=is_plain(self.issuer)) for url in urls):
            raise ValueError("the document names an endpoint that is not https")
        return found


def discovery_url(issuer: str) -> str:
    """Return where the document of an issuer is.

    >>> discovery_url("https://login.example/books/")
    'https://login.example/books/.well-known/openid-configuration'
    """
    return issuer.removesuffix("/") + "/.well-known/openid-configuration"
