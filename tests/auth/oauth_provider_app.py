"""The login service of the tests as a process of its own; below other paths, ones that redirect, or never end."""

from collections.abc import AsyncIterator
from typing import Any

from nexios import NexiosApp, Request, Response
from tests.auth.oauth_provider import LoginService

__all__ = ["app"]

DISCOVERY = "/.well-known/openid-configuration"

app: NexiosApp = LoginService(issuer=None).app


@app.get(f"/redirecting{DISCOVERY}")
async def redirecting(request: Request, response: Response) -> Any:
    return response.redirect(DISCOVERY, 302)


@app.get(f"/endless{DISCOVERY}")
async def endless(request: Request, response: Response) -> Any:
    async def spaces() -> AsyncIterator[bytes]:
        while True:
            yield b" " * 65_536

    return response.stream(spaces(), "application/json")
