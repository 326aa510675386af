"""The yardstick of JSON Web Tokens: joserfc checks one, and nothing else is done."""

from typing import Any, Final

from joserfc import jwt
from joserfc.jwk import OctKey

from benchmarks.asgi import AsgiApplication, Receive, Scope, Send
from benchmarks.workloads import AUDIENCE, ISSUER, SECRET

__all__ = ["build"]

_BEARER: Final = b"Bearer "
_ESSENTIAL: Final[Any] = {
    "iss": {"essential": True, "value": ISSUER},
    "aud": {"essential": True, "value": AUDIENCE},
    "exp": {"essential": True},
}


def build(workload: str) -> AsgiApplication | None:
    """Return the hand-written application that checks a token."""
    return _checking() if workload == "jwt" else None


def _checking() -> AsgiApplication:
    key = OctKey.import_key(SECRET)

    async def check(scope: Scope, receive: Receive, send: Send) -> None:
        shown = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        token = jwt.decode(shown.removeprefix(_BEARER).decode("ascii"), key, algorithms=["HS256"])
        # a registry keeps the time at which it was made
        jwt.JWTClaimsRegistry(**_ESSENTIAL).validate(token.claims)
        body = str(token.claims["sub"]).encode()
        headers = [
            (b"content-type", b"text/plain; charset=utf-8"),
            (b"content-length", str(len(body)).encode("latin-1")),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return check
