"""A login service of a few lines, with a key of its own, that can be told to do wrong; and a site that uses it."""

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlencode, urlsplit

from joserfc.jwk import RSAKey
from joserfc.jws import JWSRegistry

from nexios import NexiosApp, Request, Response
from nexios.auth.session_login import login
from nexios.session import SessionMiddleware

__all__ = ["CALLBACK", "CLIENT", "ISSUER", "KEY", "SECRET", "LoginService", "b64", "make_site", "signed"]

ISSUER = "https://login.example"
CALLBACK = "https://books.example/callback"
CLIENT = "books"
SECRET = "a secret: 100%+ödd"
KEY = RSAKey.generate_key(2048, private=True)


def b64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def signed(claims: dict[str, Any], *, key: Any = KEY, alg: str = "RS256", kid: str = "k1", **header: Any) -> str:
    """A token, signed as it says; with bytes for a key by HS256, with "none" not at all."""
    head = {"alg": alg, "kid": kid, **header}
    content = f"{b64(json.dumps(head).encode())}.{b64(json.dumps(claims).encode())}"
    if isinstance(key, bytes):
        return f"{content}.{b64(hmac.digest(key, content.encode(), 'sha256'))}"
    made = b"" if alg == "none" else JWSRegistry.algorithms[alg].sign(content.encode(), key)
    return f"{content}.{b64(made)}"


class LoginService:
    """Grants every login at once, to "ada". What is put into its attributes changes what it says.

    `asked` has the requests to its endpoints, as (path, Authorization header, fields).
    """

    def __init__(self, issuer: str | None = ISSUER) -> None:
        self.issuer = issuer
        self.said: dict[str, Any] = {}
        self.claims: dict[str, Any] = {}
        self.header: dict[str, Any] = {}
        self.answer: dict[str, Any] = {}
        self.callback: dict[str, Any] = {}
        self.key: Any = KEY
        self.alg = "RS256"
        self.kid = "k1"
        self.published: list[dict[str, Any]] = [{**KEY.as_dict(private=False), "kid": "k1", "use": "sig"}]
        self.instead: dict[str, Callable[[Response], Any]] = {}
        self.asked: list[tuple[str, str | None, dict[str, str]]] = []
        self.codes: dict[str, dict[str, str]] = {}
        self.access_token = "access-" + secrets.token_urlsafe(16)
        self.refresh_token = "refresh-" + secrets.token_urlsafe(16)
        self.app = self._app()

    def paths(self) -> list[str]:
        return [path for path, _, _ in self.asked]

    def authorize(self, location: str, **changes: Any) -> bytes:
        """Log in at the URL that a browser was sent to; returns the query that the browser comes back with."""
        url = urlsplit(location)
        asked = {name: values[0] for name, values in parse_qs(url.query, strict_parsing=True).items()}
        code = "code-" + secrets.token_urlsafe(16)
        self.codes[code] = asked
        told = {"code": code, "state": asked["state"], "iss": self.issuer, **self.callback, **changes}
        return urlencode({name: value for name, value in told.items() if value is not None}).encode()

    def _app(self) -> NexiosApp:
        app = NexiosApp(openapi=None)
        app.get("/.well-known/openid-configuration")(self._say)
        app.get("/authorize")(self._authorize)
        app.post("/token")(self._token)
        app.get("/keys")(self._keys)
        app.get("/userinfo")(self._userinfo)
        return app

    async def _begin(self, request: Request, response: Response) -> Any:
        fields = dict((await request.form()).fields) if request.method == "POST" else {}
        self.asked.append((request.path, request.headers.get("authorization"), fields))
        instead = self.instead.get(request.path)
        return None if instead is None else instead(response)

    async def _say(self, request: Request, response: Response) -> Any:
        if (wrong := await self._begin(request, response)) is not None:
            return wrong
        own = self.issuer or f"http://{request.headers['host']}"
        self.issuer = own
        return {
            "issuer": own,
            "authorization_endpoint": f"{own}/authorize",
            "token_endpoint": f"{own}/token",
            "jwks_uri": f"{own}/keys",
            "userinfo_endpoint": f"{own}/userinfo",
            "authorization_response_iss_parameter_supported": True,
            "grant_types_supported": ["authorization_code"],
            **self.said,
        }

    async def _authorize(self, request: Request, response: Response) -> Any:
        query = self.authorize(f"?{request.query_string}").decode()
        return response.redirect(f"{request.query_params['redirect_uri']}?{query}", 303, external=True)

    async def _keys(self, request: Request, response: Response) -> Any:
        if (wrong := await self._begin(request, response)) is not None:
            return wrong
        return {"keys": self.published}

    async def _userinfo(self, request: Request, response: Response) -> Any:
        if (wrong := await self._begin(request, response)) is not None:
            return wrong
        if request.headers.get("authorization") != f"Bearer {self.access_token}":
            return {"error": "invalid_token"}, 401
        return {"sub": "ada-1", "email": "ada@books.example", **self.claims}

    async def _token(self, request: Request, response: Response) -> Any:
        if (wrong := await self._begin(request, response)) is not None:
            return wrong
        _, authorization, fields = self.asked[-1]
        if not _is_client(authorization, fields):
            return {"error": "invalid_client"}, 401
        if fields["grant_type"] == "refresh_token":
            return (
                self._granted({})
                if fields["refresh_token"] == self.refresh_token
                else ({"error": "invalid_grant"}, 400)
            )
        asked = self.codes.pop(fields["code"], None)
        if asked is None or not _is_proven(asked, fields):
            return {"error": "invalid_grant", "error_description": "what was sent"}, 400
        return self._granted({"nonce": asked["nonce"]} if "nonce" in asked else {})

    def _granted(self, own: dict[str, Any]) -> dict[str, Any]:
        now = int(time.time())
        times = {"iat": now, "exp": now + 300}
        claims = {"iss": self.issuer, "aud": CLIENT, "sub": "ada-1", "email": "ada@books.example", **times, **own}
        claims = {name: value for name, value in {**claims, **self.claims}.items() if value is not None}
        given = {
            "access_token": self.access_token,
            "token_type": "Bearer",
            "expires_in": 3600,
            "refresh_token": self.refresh_token,
            "id_token": signed(claims, key=self.key, alg=self.alg, kid=self.kid, **self.header),
            **self.answer,
        }
        return {name: value for name, value in given.items() if value is not None}


def _is_client(authorization: str | None, fields: dict[str, str]) -> bool:
    if authorization is not None:
        pair = base64.b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
        return (unquote_plus(pair[0]), unquote_plus(pair[2])) == (CLIENT, SECRET) and "client_secret" not in fields
    return fields.get("client_id") == CLIENT


def _is_proven(asked: dict[str, str], fields: dict[str, str]) -> bool:
    """PKCE, by S256 alone, and the very redirect URI of the beginning."""
    challenge = b64(hashlib.sha256(fields["code_verifier"].encode()).digest())
    return (asked["code_challenge_method"], asked["code_challenge"], asked["redirect_uri"]) == (
        "S256",
        challenge,
        fields["redirect_uri"],
    )


def make_site(client: Any, *, debug: bool = False, signs_in: bool = True, **sessions: Any) -> NexiosApp:
    """A site whose /login leads to a login service, and whose /callback ends the login."""
    app = NexiosApp(openapi=None, debug=debug)
    if "store" not in sessions:
        sessions.setdefault("secret_key", "xWlZ9nTfS4v1cQ0kR7b2mJ6uYhE3oAqD")
    app.add_middleware(SessionMiddleware, **sessions)

    @app.get("/login")
    async def begin(request: Request, response: Response) -> Any:
        return await client.begin(request, response, next=request.query_params.get("next"))

    @app.get("/callback")
    async def callback(request: Request, response: Response) -> Any:
        signed_in = await client.finish(request)
        if signs_in:
            await login(request, signed_in.user.subject if hasattr(signed_in, "user") else "somebody")
        return response.redirect(signed_in.next, 303)

    @app.get("/who")
    async def who(request: Request, response: Response) -> Any:
        return {"user": request.session.user_id}

    return app
