"""Who is the user, by the word of a login service? Logins by OpenID Connect: Google, Microsoft, Keycloak and others.

    google = OpenIDClient(
        "https://accounts.google.com",
        client_id="...",
        credentials=os.environ["GOOGLE_SECRET"],
        redirect_uri="https://books.example/auth/google",
    )

    @app.get("/login")
    async def sign_in(request, response):
        return await google.begin(request, response, next=request.query_params.get("next"))

    @app.get("/auth/google")
    async def callback(request, response):
        signed_in = await google.finish(request)
        await login(request, await our_id_of(signed_in.user))
        return response.redirect(signed_in.next, 303)

Source: OpenID Connect Core 1.0, RFC 9700.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from nexios.auth.jwt import JWT
from nexios.auth.oauth import LoginFailed, OAuthTokens, PrivateKey, SecretInBody
from nexios.auth.oauth_flow import NOTHING, CodeFlow, failed
from nexios.auth.oauth_wire import Wire
from nexios.auth.oidc_discovery import Provider
from nexios.auth.oidc_user import OpenIDUser, check_login_claims, user_of
from nexios.auth.service_urls import check_debug
from nexios.auth.tokens import InvalidToken, parse_token
from nexios.errors import ConfigurationError
from nexios.messages.request import Request
from nexios.messages.response import Response

__all__ = ["LoginFailed", "OAuthTokens", "OpenIDClient", "OpenIDLogin", "OpenIDUser", "PrivateKey", "SecretInBody"]


class OpenIDLogin(msgspec.Struct, frozen=True):
    """A login that succeeded.

    Shape:  `next` is a path of this site: where the user wanted to go.
    """

    user: OpenIDUser
    tokens: OAuthTokens
    next: str


class OpenIDClient:
    """This app, as one OpenID provider knows it. One per provider, shared by all requests of one event loop.

    Units:  seconds: `timeout` for each answer of the provider, `leeway` for how far clocks may differ, 60 at most;
            `clock` since 1970.

    `issuer` is what the provider calls itself, letter by letter; what else there is to know it says at
    `/.well-known/openid-configuration`. `redirect_uri` is exactly what is registered there, and has a path for this
    provider alone. `credentials` are the client secret, which goes into a header; `SecretInBody(secret)`;
    `PrivateKey(...)`; or None for a public client. `algorithms` are those of its ID tokens, of one kind of key.
    `transport` is for tests: an `httpx2.AsyncBaseTransport` in place of the network.

    Raises:
        ConfigurationError: A URL is not https (http is for this machine, in debug mode), or another option is wrong.
    """

    def __init__(
        self,
        issuer: str,
        *,
        client_id: str,
        redirect_uri: str,
        credentials: str | SecretInBody | PrivateKey | None = None,
        scopes: Iterable[str] = ("openid", "profile", "email"),
        algorithms: Iterable[str] = ("RS256",),
        leeway: float = 30,
        timeout: float = 5.0,
        transport: Any = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        wire = Wire(timeout=timeout, transport=transport)
        self._provider = Provider(issuer, wire)
        self._flow = CodeFlow(
            issuer,
            client_id=client_id,
            redirect_uri=redirect_uri,
            credentials=credentials,
            scopes=scopes,
            wire=wire,
            clock=clock,
        )
        if "openid" not in self._flow.scopes:
            raise ConfigurationError('The scopes of OpenID Connect begin with "openid": scopes=["openid", "email"].')
        self._tokens = JWT(
            self._provider,
            algorithms=algorithms,
            issuer=issuer,
            audience=client_id,
            typ=None,
            leeway=leeway,
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
        """Send the browser to the provider.

        `next` is a path of this site to go to afterwards; one that leads elsewhere is "/". `parameters` are further
        ones, as {"prompt": "login"}.

        Raises:
            ServiceUnavailable: 503: the provider is away.
            ValueError: A parameter is one that is made here.
        """
        self._check(request)
        endpoint = (await self._provider.metadata()).authorization_endpoint
        return self._flow.send_off(request, response, endpoint, next=next, parameters=parameters, with_nonce=True)

    async def finish(self, request: Request) -> OpenIDLogin:
        """Return the login that a callback ends, and let the session go on under a new id.

        Raises:
            LoginFailed: 400 or 403: this browser began no such login, the provider refuses, or its ID token does not
                hold.
            ServiceUnavailable: 503: the provider is away.
        """
        self._check(request)
        pending = self._flow.come_back(request)
        about = await self._provider.metadata()
        code = self._flow.code(request, issuer=about.issuer, names_itself=about.names_itself)
        tokens = await self._flow.tokens_for_code(about.token_endpoint, code, pending)
        claims = await self._claims(tokens, pending.nonce)
        await request.session.rotate()
        return OpenIDLogin(user_of(claims), tokens, pending.next)

    async def refresh(self, refresh_token: str, *, subject: str) -> OAuthTokens:
        """Return new tokens for a refresh token of a user, with the next refresh token. Raises as `finish`."""
        about = await self._provider.metadata()
        tokens = await self._flow.refreshed(about.token_endpoint, refresh_token)
        if tokens.id_token is not None:
            claims = await self._claims(tokens, None)
            if claims["sub"] != subject:
                raise failed("login_failed", "the tokens of a refresh are of another user")
        return tokens

    async def userinfo(self, tokens: OAuthTokens, *, subject: str) -> dict[str, Any]:
        """Return what the provider says of a user at present.

        Raises:
            LoginFailed: It does not take the token, or speaks of another user.
            ServiceUnavailable: It is away, or has no place to ask.
        """
        about = await self._provider.metadata()
        if about.userinfo_endpoint is None:
            raise ConfigurationError("This provider has no userinfo endpoint; the ID token has the claims there are.")
        found = await self._flow.about(about.userinfo_endpoint, tokens)
        if found.get("sub") != subject:
            raise failed("login_failed", "the provider speaks of another user")
        return found

    async def _claims(self, tokens: OAuthTokens, nonce: str | None) -> dict[str, Any]:
        """Raises `LoginFailed` for an ID token that does not hold, and where there is none."""
        try:
            if tokens.id_token is None:
                raise InvalidToken("there is no ID token")
            claims = await self._tokens.verify(tokens.id_token)
            head = parse_token(tokens.id_token)
            if str(head.header.get("typ", "JWT")).upper() != "JWT":
                raise InvalidToken("the token is no ID token")
            check_login_claims(
                claims,
                client_id=self._flow.client_id,
                nonce=nonce,
                access_token=tokens.access_token,
                algorithm=head.algorithm,
            )
        except InvalidToken as exc:
            raise failed("login_failed", str(exc)) from None
        return claims

    def _check(self, request: Request) -> None:
        check_debug(request, self._flow.redirect_uri, self._provider.issuer)

    def __repr__(self) -> str:
        """Without secrets."""
        return f"OpenIDClient({self._provider.issuer!r}, client_id={self._flow.client_id!r})"
