"""Who is in a channel? One WebSocket in one channel is a member; what it tells of itself is its presence."""

import secrets
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from nexios.messages.websocket import WebSocket
from nexios.websockets.outbox import Outbox

__all__ = ["Member", "PresenceDiff", "PresenceEntry", "Recipients", "ids_of"]

_NOTHING: Final[Mapping[str, Any]] = {}


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
        self.id: str = secrets.token_hex(8)
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


def ids_of(recipients: Recipients | Iterable[Recipients], members: Mapping[str, Member]) -> tuple[str, ...]:
    """Return the ids and user names that are meant, among the members of a channel in this process."""
    if isinstance(recipients, str | WebSocket | Member):
        recipients = (recipients,)
    ids: list[str] = []
    for recipient in recipients:
        if isinstance(recipient, str):
            ids.append(recipient)
        elif isinstance(recipient, Member):
            ids.append(recipient.id)
        else:
            ids += [member.id for member in members.values() if member.websocket is recipient]
    return tuple(ids)
