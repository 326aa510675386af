"""Who does a client say it is, and was it believed? Found once for each request or WebSocket, before its handler."""

from typing import Any

import msgspec

from nexios.errors import ConfigurationError, HTTPException

__all__ = ["ANONYMOUS", "Identity", "not_authenticated"]


class Identity(msgspec.Struct, frozen=True, eq=False):
    """What authentication found.

    Shape:  `user` is None for a client that showed nothing, or nothing that holds; `failure` says then why.
            `challenges` are what WWW-Authenticate tells a client that has to show something (RFC 9110 section 11.6.1).
            `position` is which of the backends knew the user.
    """

    user: Any = None
    scopes: frozenset[str] = frozenset()
    challenges: tuple[str, ...] = ()
    failure: HTTPException | None = None
    position: int = 0

    def __repr__(self) -> str:
        """Neither the user nor what it showed: both may be secret."""
        return f"Identity({'anonymous' if self.user is None else 'known'})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """As `repr`."""
        return [("known", self.user is not None)]


ANONYMOUS = Identity()
"""Where nobody was asked, because nothing is there to be protected."""


def not_authenticated(connection: object) -> ConfigurationError:
    """Return the error for a user that nobody looked for."""
    return ConfigurationError(
        f"The user of this {type(connection).__name__} is asked for, and nothing has authenticated it. Give the app, "
        "or the router, a backend:\n\n    app.auth_backend = SessionAuth(find_user)\n\n"
        "Backends are asked after the middleware of the app, so that sessions work. Middleware of the app that needs "
        "the user before, goes after this one:\n\n    app.add_middleware(AuthenticationMiddleware)\n"
    )
