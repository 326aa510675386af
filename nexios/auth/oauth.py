"""Who is the user at another service, and what may this app do there? Logins by OAuth 2, for services without OpenID.

    github = OAuthClient(
        client_id="...", credentials=os.environ["GITHUB_SECRET"], redirect_uri="https://books.example/auth/github",
        authorization_endpoint="https://github.com/login/oauth/authorize",
        token_endpoint="https://github.com/login/oauth/access_token",
        userinfo_endpoint="https://api.github.com/user", scopes=["read:user"],
    )

    @app.get("/login")
    async def sign_in(request, response):
        return await github.begin(request, response)

    @app.get("/auth/github")
    async def callback(request, response):
        signed_in = await github.finish(request)

A service with OpenID Connect says more, and proves it: `nexios.auth.oidc`. The extra `oauth` brings what both need.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from nexios.auth.oauth_credentials import PrivateKey, SecretInBody
from nexios.auth.oauth_flow import NOTHING, CodeFlow, LoginFailed
from nexios.auth.oauth_tokens import OAuthTokens
from nexios.auth.oauth_wire import Wire
from nexios.auth.service_urls import check_debug, checked_url
from nexios.errors import ConfigurationError
from nexios.messages.request import Request
from nexios.messages.response import Response

__all__ = ["LoginFailed", "OAuthClient", "OAuthLogin", "OAuthTokens", "PrivateKey", "SecretInBody"]


class OAuthLogin(msgspec.Struct, frozen=True):
    """A login that succeeded.

    Shape:  `next` is a path of this site: where the user wanted to go.
    """

    tokens: OAuthTokens
    next: str


class OAuthClient:
    """This app, as one login service knows it. One per service, shared by all requests of one event loop.

    Units:  `timeout` is in seconds, for each answer of the service; `clock` in seconds since 1970.

    `redirect_uri` is exactly what is registered there, and has a path for this service alone. `credentials` are the
    client secret, which goes into a header; `SecretInBody(secret)`; `PrivateKey(...)`; or None for a public client.
    `issuer` is for a service that names itself in its answers: then one without, or of another, is refused.
    `transport` is for tests: an `httpx2.AsyncBaseTransport` in place of the network.

    Raises:
        ConfigurationError: A URL is not https (http is for this machine, in debug mode), or another option is wrong.
    """

    def __init__(
        self,
        *,
        client_id: str,
        redirect_uri: str,
        authorization_endpoint: str,
        token_endpoint: str,
        userinfo_endpoint: str | None = None,
        credentials: str | SecretInBody | PrivateKey | None = None,
        scopes: Iterable[str] = (),
        issuer: str | None = None,
        timeout: float = 5.0,
        transport: Any = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._authorization_endpoint = checked_url(authorization_endpoint, "authorization_endpoint")
        self._token_endpoint = checked_url(token_endpoint, "token_endpoint")
        self._userinfo_endpoint = userinfo_endpoint and checked_url(userinfo_endpoint, "userinfo_endpoint")
        self._issuer = issuer
        self._flow = CodeFlow(
            authorization_endpoint,
            client_id=client_id,
            redirect_uri=redirect_uri,
            credentials=credentials,
            scopes=scopes,
            wire=Wire(timeout=timeout, transport=transport),
            clock=clock,
        )

    async def begin(
        self,
        request: Request,
        response: Response,
        *,
        next: str | None = None,
        parameters: Mapping[str, str] = NOTHING,
    ) -> Response:
        """Send the browser to the login service.

        `next` is a path of this site to go to afterwards; one that leads elsewhere is "/". `parameters` are those of
        the service, as {"prompt": "consent"}.

        Raises:
            ValueError: A parameter is one that is made here.
        """
        self._check(request)
        return self._flow.send_off(
            request, response, self._authorization_endpoint, next=next, parameters=parameters, with_nonce=False
        )

    async def finish(self, request: Request) -> OAuthLogin:
        """Return the login that a callback ends, and let the session go on under a new id.

        Raises:
            LoginFailed: 400 or 403: this browser began no such login, or the login service refuses.
            ServiceUnavailable: 503: the login service is away.
        """
        self._check(request)
        pending = self._flow.come_back(request)
        code = self._flow.code(request, issuer=self._issuer, names_itself=True)
        tokens = await self._flow.tokens_for_code(self._token_endpoint, code, pending)
        await request.session.rotate()
        return OAuthLogin(tokens, pending.next)

    async def refresh(self, refresh_token: str) -> OAuthTokens:
        """Return new tokens for a refresh token, with the next refresh token. Raises as `finish`."""
        return await self._flow.refreshed(self._token_endpoint, refresh_token)

    async def userinfo(self, tokens: OAuthTokens) -> dict[str, Any]:
        """Return what the service says of the user.

        Raises:
            LoginFailed: It does not take the token.
            ServiceUnavailable: It is away, or what it says is no JSON object.
            ConfigurationError: The client was given no `userinfo_endpoint`.
        """
        if self._userinfo_endpoint is None:
            raise ConfigurationError("This client knows no place to ask: OAuthClient(userinfo_endpoint=...).")
        return await self._flow.about(self._userinfo_endpoint, tokens)

    def _check(self, request: Request) -> None:
        check_debug(request, self._flow.redirect_uri, self._authorization_endpoint, self._token_endpoint)

    def __repr__(self) -> str:
        """Without secrets."""
        return f"OAuthClient(client_id={self._flow.client_id!r}, redirect_uri={self._flow.redirect_uri!r})"
