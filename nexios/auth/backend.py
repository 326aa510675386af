"""What is an auth backend? Whatever can say, of a request or a WebSocket, who the client is."""

from abc import ABC, abstractmethod
from typing import Any

__all__ = ["AuthBackend"]


class AuthBackend(ABC):
    """Says who a client is: `app.auth_backend = TokenAuth()`. One instance serves all requests; keep nothing on it.

    `challenge` is what WWW-Authenticate tells a client that has to show something (RFC 9110 section 11.6.1).
    `recheck` is how many seconds later it is asked again of a WebSocket or an event stream that it let in, again and
    again: when the answer is nobody, or lacks a scope of before, the WebSocket is closed with 4401 and the stream ends.
    None asks once, which is right for tickets that are good for one time.

    >>> class TokenAuth(AuthBackend):
    ...     async def authenticate(self, request):
    ...         token = request.headers.get("Authorization")
    ...         return {"name": "ada"} if token == "Bearer ada-s-own" else None
    """

    challenge: str = "Bearer"
    recheck: float | None = None

    @abstractmethod
    async def authenticate(self, request: Any) -> Any:
        """Return the user, the user and its scopes as a pair, or None for a client that shows nothing of this kind.

        `request` is a Request or a WebSocket. Further parameters are dependencies, as of a handler.

        Raises:
            InvalidCredentials: The client shows something of this kind, and it does not hold.
        """
