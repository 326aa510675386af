"""Whose token is this? For tokens that mean nothing by themselves, and are looked up."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from nexios._pipeline.authentication import InvalidCredentials
from nexios.auth.authorization import credentials_of, quoted
from nexios.auth.backend import AuthBackend
from nexios.auth.found import ask, checked_question

__all__ = ["BearerAuth"]


class BearerAuth(AuthBackend):
    """Takes `Authorization: Bearer <token>`; `find` returns whose it is: a user, (user, scopes), or None for nobody.

    Keep hashes of tokens, not tokens, and look up by the hash: then how long it takes tells nothing of any token.
    `scheme_name` is what the OpenAPI document calls it.
    """

    recheck: float | None = 60.0

    def __init__(
        self, find: Callable[[str], Awaitable[Any]], *, realm: str = "api", scheme_name: str = "bearer"
    ) -> None:
        self._find = checked_question(find, "app.auth_backend = BearerAuth(find_token)")
        self._scheme_name = scheme_name
        self.challenge: str = f"Bearer realm={quoted(realm)}"

    async def authenticate(self, request: Any) -> Any:
        """Return whose token the client shows. Raises `InvalidCredentials` for one that is nobody's."""
        token = credentials_of(request, "Bearer")
        if token is None:
            return None
        found = await ask(self._find, token)
        if found is None or found is False:
            raise InvalidCredentials(code="invalid_token", challenge=f'{self.challenge}, error="invalid_token"')
        return found

    def openapi_scheme(self) -> tuple[str, Mapping[str, str]]:
        """Return the scheme as the OpenAPI document has it."""
        return self._scheme_name, {"type": "http", "scheme": "bearer"}
