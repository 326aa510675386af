"""Whose request is it? A member's with a session, or a program's with the token of the board.

What follows from that is said by guards, which are in `people.py`.
"""

from functools import partial
from hashlib import sha256
from hmac import compare_digest

from nexios import NexiosApp
from nexios.auth import AuthBackend, BearerAuth, SessionAuth

from .options import Options
from .people import Member, Moderator
from .store.members import Members

__all__ = ["SESSION_COOKIE", "backends_of"]

SESSION_COOKIE = "commons"


def backends_of(app: NexiosApp, options: Options) -> list[AuthBackend]:
    """Return what is asked for each request and WebSocket; the first that knows the client wins."""
    return [
        BearerAuth(partial(_moderator, options.moderator_token), realm="commons", scheme_name="moderator"),
        SessionAuth(partial(app.inject, _member), cookie=f"__Host-{SESSION_COOKIE}"),
    ]


async def _member(user_id: str, members: Members) -> Member | None:
    """Rights are those of this moment, and not those at sign-in."""
    return await members.find(int(user_id))


async def _moderator(expected: str | None, token: str) -> Moderator | None:
    """Hashes are compared: neither the length nor the beginning of the right token shows in the time that it takes."""
    if expected is None or not compare_digest(_hash(token), _hash(expected)):
        return None
    return Moderator()


def _hash(token: str) -> bytes:
    return sha256(token.encode()).digest()
