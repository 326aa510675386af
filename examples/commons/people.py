"""Who uses the board, and what may they do?

    guest    reads, writes under whatever name, opens rooms, brings files
    member   has a name and a picture, and changes or deletes what they wrote
    editor   changes and deletes what anybody wrote, and renames rooms
    admin    deletes rooms, cleans up after one author, and says who is what

Whoever is more may do all that the lesser ones may. The token of the board (`Options.moderator_token`) is an admin that
is no member: it is for programs, and has neither name nor picture.
"""

from typing import Any

from msgspec import Struct

from nexios import Connection
from nexios.auth import requires

from .errors import NotYours
from .models import Message, Role

__all__ = [
    "ADMINS",
    "EDITORS",
    "MEMBERS",
    "PICTURES",
    "SIGNED_IN",
    "Account",
    "Member",
    "Moderator",
    "check_may_change",
    "may_change",
    "member_of",
    "picture_path",
]

PICTURES = "/avatars"
"""Below this path pictures of members are served."""

HELD: dict[Role, frozenset[str]] = {
    "member": frozenset({"member"}),
    "editor": frozenset({"member", "editor"}),
    "admin": frozenset({"member", "editor", "admin"}),
}

SIGNED_IN = requires()
MEMBERS = requires(roles="member")
EDITORS = requires(roles="editor")
ADMINS = requires(roles="admin")
"""The guards of the board. Each is an entry of `dependencies=[...]`."""


class Member(Struct, frozen=True):
    """Someone who signed up; `avatar` is the file of their picture."""

    id: int
    name: str
    role: Role
    avatar: str | None = None

    @property
    def roles(self) -> frozenset[str]:
        """What `requires(roles=...)` looks at."""
        return HELD[self.role]


class Account(Struct, frozen=True):
    """A member, and what is kept of the password. It stays where someone signs in."""

    member: Member
    password_hash: str

    def __repr__(self) -> str:
        """Without the hash, which is nobody's business in a log."""
        return f"<Account {self.member.id}>"


class Moderator(Struct, frozen=True):
    """A program with the token of the board."""

    roles: frozenset[str] = frozenset({"editor", "admin"})


def picture_path(avatar: str | None) -> str | None:
    """Return where the picture of a member is served."""
    return None if avatar is None else f"{PICTURES}/{avatar}"


def member_of(connection: Connection[Any]) -> Member | None:
    """Return the member that a request or WebSocket is from; None for guests and programs."""
    user = connection.user
    return user if isinstance(user, Member) else None


def may_change(user: Member | Moderator | None, message: Message) -> bool:
    """Whether someone may change and delete a message. What a guest wrote is nobody's but the editors'."""
    if user is None:
        return False
    is_own = isinstance(user, Member) and message.member is not None and message.member.id == user.id
    return is_own or "editor" in user.roles


def check_may_change(connection: Connection[Any], message: Message) -> Message:
    """Return the message. Raises NotYours."""
    if not may_change(connection.user, message):
        raise NotYours
    return message
