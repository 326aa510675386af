"""How is a login service asked? Over https, for a short time, and for little: this is the one file that does.

No redirect is followed, so that no credentials go anywhere but where they were meant to. Nothing is read from the
environment: no proxy, no .netrc. What is sent and answered is in no log and in no text of an error.
The extra `oauth` brings what it needs.
"""

import asyncio
import functools
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from nexios.auth.oauth_credentials import Credentials
from nexios.errors import ConfigurationError

try:
    import httpx2
    from authlib.common.errors import AuthlibBaseError  # type: ignore[import-untyped]
    from authlib.integrations.httpx_client import AsyncOAuth2Client  # type: ignore[import-untyped]
    from authlib.oauth2.rfc6749.parameters import prepare_grant_uri  # type: ignore[import-untyped]
    from authlib.oauth2.rfc7636 import create_s256_code_challenge  # type: ignore[import-untyped]
except ModuleNotFoundError as _missing:
    raise ConfigurationError(
        f'Logins by OAuth need the package {_missing.name}:\n\n    pip install "nexios[oauth]"\n'
    ) from _missing

__all__ = ["ProviderRefused", "ProviderUnavailable", "Wire", "authorization_url"]

_LONGEST: Final = 1024 * 1024
"""Bytes of an answer."""

_REFUSALS: Final = frozenset({400, 401, 403})
_HEADERS: Final = {"accept": "application/json", "accept-encoding": "identity"}


class ProviderUnavailable(OSError):
    """A login service that does not answer, or not in the way it has to. The text is for a log."""


class ProviderRefused(Exception):
    """A login service that answers with an error; `error` is its word for it, which nobody has checked."""

    def __init__(self, error: object) -> None:
        self.error: str = error if isinstance(error, str) else ""
        super().__init__("the login service refused")


class Wire:
    """Asks one login service. Shared by all requests; keeps no connection open.

    Units:  `timeout` is in seconds, for all of an answer.

    `transport` is for tests: what takes the requests instead of a network.
    """

    def __init__(self, *, timeout: float, transport: Any = None) -> None:
        if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not 0 < timeout <= 60:
            raise ConfigurationError(f"timeout={timeout!r} is a number of seconds over 0, 60 at most.")
        self._timeout = timeout
        self._transport = transport

    async def get(self, url: str, *, token: str | None = None) -> bytes:
        """Return what is at a URL, for whoever an access token is of.

        Raises:
            ProviderUnavailable: It cannot be had.
            ProviderRefused: The token does not hold.
        """
        headers = _HEADERS if token is None else {**_HEADERS, "authorization": f"Bearer {token}"}
        with _told(url):
            async with asyncio.timeout(self._timeout), self._client() as client:
                answer = await client.get(url, headers=headers)
        if token is not None and answer.status_code in (401, 403):
            raise ProviderRefused("invalid_token")
        if answer.status_code != 200:
            raise ProviderUnavailable(f"{_place(url)}: status {answer.status_code}")
        return bytes(answer.content)

    async def fetch(self, url: str) -> bytes:
        """Return what is at a URL, for `JWKS`. Raises `ProviderUnavailable`."""
        return await self.get(url)

    async def token(
        self, endpoint: str, client_id: str, credentials: Credentials, grant: Mapping[str, str]
    ) -> dict[str, Any]:
        """Return what a token endpoint gives for a grant.

        Raises:
            ProviderUnavailable: It gives nothing of the kind.
            ProviderRefused: It says that the grant, or the client, does not hold.
        """
        headers, fields = credentials.proof(client_id, endpoint)

        def prove(client: object, method: str, uri: str, into: Any, body: bytes) -> tuple[str, Any, bytes]:
            into.update(headers)
            return uri, into, b"&".join(part for part in (body, urlencode(fields).encode()) if part)

        with _told(endpoint):
            async with asyncio.timeout(self._timeout), self._client(AsyncOAuth2Client, client_id=client_id) as client:
                client.register_compliance_hook("access_token_response", _checked)
                auth = client.client_auth(prove)
                sent = {**_HEADERS, "content-type": "application/x-www-form-urlencoded"}
                return dict(await client.fetch_token(endpoint, headers=sent, auth=auth, **grant))

    def _client(self, kind: Any = httpx2.AsyncClient, **options: Any) -> Any:
        transport = _Careful(self._transport)
        return kind(transport=transport, follow_redirects=False, trust_env=False, timeout=None, **options)


def authorization_url(endpoint: str, client_id: str, verifier: str, parameters: Mapping[str, str]) -> str:
    """Return where a browser begins to log in: with a code, and PKCE by S256 (RFC 7636 section 4.2)."""
    pkce = {"code_challenge": str(create_s256_code_challenge(verifier)), "code_challenge_method": "S256"}
    return str(prepare_grant_uri(endpoint, client_id, "code", **parameters, **pkce))


class _Careful(httpx2.AsyncBaseTransport):
    """Refuses encodings, and reads no more of a body than is asked for."""

    def __init__(self, given: httpx2.AsyncBaseTransport | None) -> None:
        self._is_own = given is None
        self._inner = given or httpx2.AsyncHTTPTransport(verify=_tls(), trust_env=False)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        answer = await self._inner.handle_async_request(request)
        encoding = answer.headers.get("content-encoding", "identity").lower()
        if encoding != "identity":
            await answer.aclose()
            raise ProviderUnavailable(f"{_place(str(request.url))}: an encoding that nobody asked for")
        return httpx2.Response(
            answer.status_code, headers=answer.headers, stream=_Counted(answer.stream), extensions=answer.extensions
        )

    async def aclose(self) -> None:
        if self._is_own:
            await self._inner.aclose()


class _Counted(httpx2.AsyncByteStream):
    def __init__(self, stream: Any) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in self._stream:
            size += len(chunk)
            if size > _LONGEST:
                raise ProviderUnavailable(f"an answer of over {_LONGEST} bytes")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


@functools.cache
def _tls() -> ssl.SSLContext:
    """With the certificates that the system trusts; reading them takes a while."""
    return ssl.create_default_context()


def _checked(answer: Any) -> Any:
    """A token comes with 200, and an error with a status of its own (RFC 6749 section 5.2)."""
    if answer.status_code in _REFUSALS:
        found: Any = answer.json()
        raise ProviderRefused(found.get("error") if isinstance(found, dict) else "")
    if answer.status_code != 200:
        raise ProviderUnavailable(f"status {answer.status_code}")
    return answer


@contextmanager
def _told(url: str) -> Iterator[None]:
    """Whatever goes wrong is told by its kind alone: texts of other libraries may hold what was sent."""
    try:
        yield
    except (ProviderUnavailable, ProviderRefused):
        raise
    except AuthlibBaseError as exc:
        raise ProviderRefused(exc.error) from None
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError, TypeError, OverflowError, RecursionError) as exc:
        raise ProviderUnavailable(f"{_place(url)}: {type(exc).__name__}") from None


def _place(url: str) -> str:
    """Without a query, which may hold what is secret."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}"
