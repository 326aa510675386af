"""Are these name and password right? The Basic scheme, for tools and for what is behind TLS.

Source: RFC 7617.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from nexios._pipeline.authentication import InvalidCredentials
from nexios.auth.authorization import credentials_of, parse_basic, quoted
from nexios.auth.backend import AuthBackend

__all__ = ["BasicAuth"]


class BasicAuth(AuthBackend):
    """Takes `Authorization: Basic ...`; `check(name, password)` returns a user, (user, scopes), or None.

    Let it end in `Passwords.verify`, for an unknown name too, so that how long it takes tells nothing.
    """

    def __init__(
        self, check: Callable[[str, str], Awaitable[Any]], *, realm: str = "app", scheme_name: str = "basic"
    ) -> None:
        self._check = check
        self._scheme_name = scheme_name
        self.challenge: str = f'Basic realm={quoted(realm)}, charset="UTF-8"'

    async def authenticate(self, request: Any) -> Any:
        """Return whose name and password the client shows. Raises `InvalidCredentials` when they are not right."""
        credentials = credentials_of(request, "Basic")
        if credentials is None:
            return None
        parsed = parse_basic(credentials)
        found = None if parsed is None else await self._check(*parsed)
        if found is None or found is False:
            raise InvalidCredentials
        return found

    def openapi_scheme(self) -> tuple[str, Mapping[str, str]]:
        """Return the scheme as the OpenAPI document has it."""
        return self._scheme_name, {"type": "http", "scheme": "basic"}
