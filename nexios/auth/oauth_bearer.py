"""Whose access token is this? For APIs whose clients get their tokens from a login service, as the documents say.

The pages of the API's documentation then know where a token comes from.
Source: RFC 6750, RFC 9068, OpenAPI 3.1.1 section 4.8.27.
"""

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from nexios.auth.bearer import BearerAuth
from nexios.auth.jwt import JWT, JWTAuth
from nexios.auth.oauth_flow import NOTHING
from nexios.auth.oauth_wire import Wire
from nexios.auth.oidc_discovery import Provider, discovery_url
from nexios.auth.service_urls import check_debug, checked_url

__all__ = ["OAuthBearerAuth", "OpenIDBearerAuth"]


class OpenIDBearerAuth(JWTAuth):
    """Takes access tokens that an OpenID provider signed: `Authorization: Bearer <JWT>`.

    Units:  seconds: `timeout` for each answer of the provider, `leeway` for how far clocks may differ, 60 at most.

    `audience` is what the provider calls this API. The user is what `find_user(claims)` returns, or the claims. `typ`
    is the kind of token; a provider that does not say "at+jwt" (RFC 9068) takes another, and None takes every kind,
    ID tokens too.

    Raises:
        ConfigurationError: The issuer is not https (http is for this machine, in debug mode), or an option is wrong.
    """

    def __init__(
        self,
        issuer: str,
        *,
        audience: str | Iterable[str],
        algorithms: Iterable[str] = ("RS256",),
        typ: str | None = "at+jwt",
        find_user: Callable[[dict[str, Any]], Awaitable[Any]] | None = None,
        leeway: float = 30,
        realm: str = "api",
        scheme_name: str = "openId",
        timeout: float = 5.0,
        transport: Any = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._issuer = issuer
        provider = Provider(issuer, Wire(timeout=timeout, transport=transport))
        tokens = JWT(
            provider, algorithms=algorithms, issuer=issuer, audience=audience, typ=typ, leeway=leeway, clock=clock
        )
        super().__init__(tokens, find_user=find_user, realm=realm, scheme_name=scheme_name)

    async def authenticate(self, request: Any) -> Any:
        """Return whom the token speaks of. Raises `InvalidCredentials` for one that does not hold."""
        check_debug(request, self._issuer)
        return await super().authenticate(request)

    def openapi_scheme(self) -> tuple[str, Mapping[str, str]]:
        """Return the scheme as the OpenAPI document has it."""
        return self._scheme_name, {"type": "openIdConnect", "openIdConnectUrl": discovery_url(self._issuer)}


class OAuthBearerAuth(BearerAuth):
    """Takes access tokens of an OAuth service that are looked up: `find(token)` returns whose it is, as `BearerAuth`.

    `scopes` are those there are, with what each is for.

    Raises:
        ConfigurationError: A URL is not https; http is for this machine.
    """

    def __init__(
        self,
        find: Callable[[str], Awaitable[Any]],
        *,
        authorization_endpoint: str,
        token_endpoint: str,
        scopes: Mapping[str, str] = NOTHING,
        realm: str = "api",
        scheme_name: str = "oauth2",
    ) -> None:
        super().__init__(find, realm=realm, scheme_name=scheme_name)
        self._flow = {
            "authorizationUrl": checked_url(authorization_endpoint, "authorization_endpoint"),
            "tokenUrl": checked_url(token_endpoint, "token_endpoint"),
            "refreshUrl": token_endpoint,
            "scopes": dict(scopes),
            "x-usePkce": "SHA-256",  # the word of Scalar; OpenAPI has none
        }

    def openapi_scheme(self) -> tuple[str, Mapping[str, Any]]:
        """Return the scheme as the OpenAPI document has it: a code, with PKCE."""
        return self._scheme_name, {"type": "oauth2", "flows": {"authorizationCode": self._flow}}
