"""Are these name and password right? The Basic scheme, for tools and for what is behind TLS.

Source: RFC 7617.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from weakref import WeakValueDictionary

from nexios._pipeline.authentication import InvalidCredentials
from nexios.auth.authorization import credentials_of, parse_basic, quoted
from nexios.auth.backend import AuthBackend
from nexios.auth.found import ask, checked_question
from nexios.auth.throttle import LoginThrottle

__all__ = ["BasicAuth"]


class BasicAuth(AuthBackend):
    """Takes `Authorization: Basic ...`; `check(name, password)` returns a user, (user, scopes), or None.

    Let it end in `Passwords.verify`, for an unknown name too, so that how long it takes tells nothing. With a
    `throttle`, names and passwords that are guessed are answered with 429 after a few.
    """

    def __init__(
        self,
        check: Callable[[str, str], Awaitable[Any]],
        *,
        realm: str = "app",
        scheme_name: str = "basic",
        throttle: LoginThrottle | None = None,
    ) -> None:
        self._check = checked_question(check, "app.auth_backend = BasicAuth(check_password)")
        self._throttle = throttle
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._scheme_name = scheme_name
        self.challenge: str = f'Basic realm={quoted(realm)}, charset="UTF-8"'

    async def authenticate(self, request: Any) -> Any:
        """Return whose name and password the client shows. Raises `InvalidCredentials` when they are not right."""
        credentials = credentials_of(request, "Basic")
        if credentials is None:
            return None
        parsed = parse_basic(credentials)
        found = None if parsed is None else await self._found(request, *parsed)
        if found is None or found is False:
            raise InvalidCredentials
        return found

    async def _found(self, request: Any, name: str, password: str) -> Any:
        """With a throttle one after the other for each name: requests of one client at once are no failed attempts."""
        if self._throttle is None:
            return await ask(self._check, name, password)
        turn = self._turns.setdefault(name, asyncio.Lock())
        async with turn:
            attempt = await self._throttle.attempt(request, name)
            found = await ask(self._check, name, password)
            if found is not None and found is not False:
                await self._throttle.succeeded(attempt)
            return found

    def openapi_scheme(self) -> tuple[str, Mapping[str, str]]:
        """Return the scheme as the OpenAPI document has it."""
        return self._scheme_name, {"type": "http", "scheme": "basic"}
