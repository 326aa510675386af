"""Who is in a channel? One WebSocket in one channel is a member; what it tells of itself is its presence.

Members are known by an id that is made here, users by a name that the application gives, which a client may have
chosen. No name can be an id: what is sent to one member, or tells of it, is never that of a client who took its id.
"""

import secrets
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from nexios.errors import BadRequest
from nexios.messages.websocket import WebSocket
from nexios.websockets.message import is_encodable
from nexios.websockets.outbox import Outbox

__all__ = ["Member", "PresenceDiff", "PresenceEntry", "Recipients", "check_metadata", "check_user", "ids_of", "new_id"]

_NOTHING: Final[Mapping[str, Any]] = {}
_MARK: Final = "~"
"""What ids begin with, and names of users do not."""


def new_id() -> str:
    """Return the id of a new member: nobody can guess it, and no user has it as a name."""
    return f"{_MARK}{secrets.token_hex(8)}"


def check_user(user: str) -> str:
    """Return the name of a user as it is; "" is nobody in particular.

    Raises:
        BadRequest: It begins as the id of a member does, or UTF-8 cannot write it.
        TypeError: It is no text.

    >>> check_user("ada")
    'ada'
    """
    if not isinstance(user, str):
        raise TypeError(f"a user is named by a text, as in connect(websocket, user='ada'), not by {user!r}")
    if user.startswith(_MARK) or not is_encodable(user):
        raise BadRequest("The name of a user is text that does not begin with a tilde.", code="bad_user_name")
    return user


def check_metadata(metadata: Mapping[str, Any] | None) -> None:
    """Look at what a member tells of itself, before anybody is told.

    Raises:
        TypeError: It is no mapping, or has no JSON form.
        UnicodeEncodeError: UTF-8 cannot write a text in it.

    >>> check_metadata({"name": "Ada"})
    """
    if metadata is None:
        return
    if not isinstance(metadata, Mapping):
        raise TypeError(f'metadata is a mapping, as metadata={{"name": "Ada"}}, not {type(metadata).__name__}')
    try:
        msgspec.json.encode(PresenceEntry("", metadata=dict(metadata)))
    except TypeError as exc:
        raise TypeError(f"metadata has no JSON form, in which others get it: {exc}") from exc


class PresenceEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One member as others see it: its id, the user it belongs to, and what it tells of itself.

    A user with two tabs has two entries with one `user`.
    """

    id: str
    user: str = ""
    metadata: dict[str, Any] = {}

    @property
    def key(self) -> str:
        """Who this is: the user, or the member itself where no user was named."""
        return self.user or self.id


class PresenceDiff(msgspec.Struct, frozen=True):
    """What changed: who came, who left, and whose metadata is another one now.

    A user who opens a second tab does not come again, and leaves with the last one.
    """

    joins: tuple[PresenceEntry, ...] = ()
    leaves: tuple[PresenceEntry, ...] = ()
    updates: tuple[PresenceEntry, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.joins or self.leaves or self.updates)


class Member:
    """One WebSocket in one channel, from `connect` until it leaves.

    `id` is new for each; `user` is the name that the application gave, several members may have the same.
    `missed` says that messages after `last_seen` are gone: what the client has of the channel has a hole.
    """

    __slots__ = ("channel", "envelope", "has_left", "id", "metadata", "missed", "outbox", "user", "websocket")

    def __init__(
        self,
        channel: str,
        websocket: WebSocket,
        outbox: Outbox,
        *,
        envelope: bool,
        user: str,
        metadata: Mapping[str, Any] | None,
    ) -> None:
        self.id: str = new_id()
        self.channel: str = channel
        self.websocket: WebSocket = websocket
        self.outbox: Outbox = outbox
        self.envelope: bool = envelope
        self.user: str = user
        self.metadata: Mapping[str, Any] = _NOTHING if metadata is None else dict(metadata)
        self.missed: bool = False
        self.has_left: bool = False

    @property
    def entry(self) -> PresenceEntry:
        """What others see of it."""
        return PresenceEntry(self.id, self.user, dict(self.metadata))

    def __repr__(self) -> str:
        return f"<Member {self.id} of {self.channel!r}>"


Recipients = str | WebSocket | Member
"""A member: its id, the name of its user (which may be several members), its WebSocket, or itself."""


def ids_of(
    recipients: Recipients | Iterable[Recipients], members: Mapping[str, Member], *, called: str = "exclude"
) -> tuple[str, ...]:
    """Return the ids and user names that are meant, among the members of a channel in this process.

    Raises:
        TypeError: There is something else, in the parameter that is `called` so.
    """
    if isinstance(recipients, str | WebSocket | Member):
        recipients = (recipients,)
    elif not isinstance(recipients, Iterable):
        raise _no_recipient(called, recipients)
    ids: list[str] = []
    for recipient in recipients:
        if isinstance(recipient, str):
            ids.append(recipient)
        elif isinstance(recipient, Member):
            ids.append(recipient.id)
        elif not isinstance(recipient, WebSocket):
            raise _no_recipient(called, recipient)
        else:
            ids += [member.id for member in members.values() if member.websocket is recipient]
    return tuple(ids)


def _no_recipient(called: str, given: object) -> TypeError:
    return TypeError(
        f"{called} takes a WebSocket, a Member, the id of one or the name of a user, "
        f"not {'None' if given is None else type(given).__name__}"
    )
