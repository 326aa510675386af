"""What do a request and its session promise each other? What every session can do, wherever it is kept.

`SessionMiddleware` fills it in. Whoever needs a session (authentication, CSRF protection) takes it from
`request.session`, and knows nothing of cookies and stores.
"""

from abc import abstractmethod
from collections.abc import Callable, MutableMapping
from typing import Any, Final, NamedTuple

from nexios.errors import ConfigurationError

__all__ = ["Flash", "Session", "SessionOpener", "no_session"]


class Flash(NamedTuple):
    """A message for the next page that is shown."""

    text: str
    category: str


class Session(MutableMapping[str, Any]):
    """What an app remembers of one client from request to request: names to values that have a JSON form.

    Lives as long as the request; shared by all who read `request.session`. A change inside of a value is noticed.
    Nothing is kept, and no cookie is set, until something is put in.
    """

    __slots__ = ()

    @property
    @abstractmethod
    def is_new(self) -> bool:
        """Whether the client came without a session that is valid."""

    @property
    @abstractmethod
    def user_id(self) -> str | None:
        """Whose session it is: set at login. Another one than before rotates the session; None is a logout."""

    @user_id.setter
    @abstractmethod
    def user_id(self, user_id: str | None) -> None:
        """Say whose it is."""

    @abstractmethod
    async def rotate(self) -> None:
        """Go on under a new id with new secrets, and keep the values: at login, logout and each change of rights."""

    @abstractmethod
    def clear(self) -> None:
        """Forget everything: values, user, secrets and the id. What is put in afterwards is in a new session."""

    @abstractmethod
    def secret(self, purpose: str) -> bytes:
        """Return 32 random bytes of this session, made when first asked for; another one after `rotate`."""

    @abstractmethod
    def known_secret(self, purpose: str) -> bytes | None:
        """Return what `secret` returned before, or None: looking makes none, and so no session either."""

    @abstractmethod
    def flash(self, text: str, category: str = "info") -> None:
        """Leave a message for the next page that shows messages."""

    @abstractmethod
    def flashes(self) -> list[Flash]:
        """Take the messages out, in the order they were left."""

    @abstractmethod
    async def invalidate_all(self, user_id: str | None = None) -> None:
        """End all sessions of a user, by default of this one's; this one too when it is theirs."""

    @abstractmethod
    async def invalidate_others(self) -> None:
        """End all sessions of this user but this one, which rotates: after a change of the password."""


SessionOpener = Callable[[Any], Session]
"""Opens the session of a Request or WebSocket when it is first touched."""

_ADD_IT: Final = (
    "There is no session here: no SessionMiddleware is around this {what}. Add it before what uses sessions:\n\n"
    "    from nexios.session import SessionMiddleware\n\n"
    "    app.add_middleware(SessionMiddleware, secret_key=...)\n"
)


def no_session(connection: object) -> ConfigurationError:
    """Return the error for a session that nobody opens."""
    return ConfigurationError(_ADD_IT.format(what=type(connection).__name__))
