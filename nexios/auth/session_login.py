"""Who signed in with this browser? For people: a session that remembers its user from login to logout."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from nexios.auth.backend import AuthBackend
from nexios.auth.found import ask, checked_question
from nexios.messages.connection import Connection

__all__ = ["SessionAuth", "login", "logout"]


class SessionAuth(AuthBackend):
    """Takes the user of `request.session`; `find_user(user_id)` returns it, (user, scopes), or None for one who left.

    A request that shows credentials in an Authorization header as well is that of their user: the session is left out,
    so that nobody acts as one user with the credentials of another. `beside_authorization=True` is for an app
    behind a proxy that has a password of its own.
    """

    challenge = "Session"
    recheck: float | None = 60.0

    def __init__(
        self,
        find_user: Callable[[str], Awaitable[Any]],
        *,
        beside_authorization: bool = False,
        cookie: str = "session",
        scheme_name: str = "session",
    ) -> None:
        """`cookie` is its name in the OpenAPI document."""
        self._find_user = checked_question(find_user, "app.auth_backend = SessionAuth(find_user)")
        self._beside_authorization = beside_authorization
        self._cookie = cookie
        self._scheme_name = scheme_name

    async def authenticate(self, request: Any) -> Any:
        """Return whose session it is. Raises `ConfigurationError` where no SessionMiddleware is around."""
        if not self._beside_authorization and "authorization" in request.headers:
            return None
        user_id = request.session.user_id
        return None if user_id is None else await ask(self._find_user, user_id)

    def openapi_scheme(self) -> tuple[str, Mapping[str, str]]:
        """Return the scheme as the OpenAPI document has it."""
        return self._scheme_name, {"type": "apiKey", "in": "cookie", "name": self._cookie}


async def login(connection: Connection[Any], user_id: str) -> None:
    """Let the session be that of a user, under a new id and with new secrets: after the password was right.

    What an anonymous session held goes on; that of another user is forgotten.
    """
    session = connection.session
    if session.user_id not in (None, user_id):
        session.clear()
    session.user_id = user_id
    await session.rotate()


def logout(connection: Connection[Any]) -> None:
    """Forget the session: its user, its values and its id. Harmless where nobody is signed in."""
    connection.session.clear()
