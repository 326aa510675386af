"""What does a process know of one channel? Who of its members is in it, and the number of the last message.

A room exists while somebody here is in the channel or is on the way in or out.
"""

import asyncio
from collections.abc import Iterable

from nexios.websockets.delivery import Delivery
from nexios.websockets.feed import Feed
from nexios.websockets.member import Member
from nexios.websockets.message import Frame, Message
from nexios.websockets.outbox import Outbox, Wrap

__all__ = ["Room", "is_for"]

_Outboxes = dict[Wrap | None, dict[str, Outbox]]
"""By the way in which their servers want a message: it is wrapped once for each."""


class Room:
    """One channel in one process.

    A member is first `arriving`: it is read to from the history, and gets no numbered message. Then it is `ahead`,
    when the history was newer than what has come here so far, or at once among those that get everything.
    """

    __slots__ = (
        "_delivery",
        "_enveloped",
        "_plain",
        "ahead",
        "arriving",
        "feeds",
        "held",
        "is_subscribed",
        "last",
        "lock",
        "members",
        "name",
        "patient",
        "readers",
        "users",
        "watchers",
    )

    def __init__(self, name: str, delivery: Delivery) -> None:
        self.name: str = name
        self._delivery = delivery
        self._plain: _Outboxes = {}
        self._enveloped: _Outboxes = {}
        self.members: dict[str, Member] = {}
        self.arriving: dict[str, Member] = {}
        self.ahead: dict[str, tuple[Member | Feed, int]] = {}
        self.readers: dict[str, Feed] = {}
        """All feeds, those too that still read the history."""
        self.feeds: dict[str, Feed] = {}
        """Those that get everything."""
        self.patient: dict[str, Outbox] = {}
        """The outboxes that publishers wait for."""
        self.watchers: set[str] = set()
        """The ids of members who are told of presence."""
        self.held: list[tuple[int, bytes]] | None = None
        """What came while the backend has not caught up with a break."""
        self.last: int = 0
        self.users: int = 0
        self.is_subscribed: bool = False
        self.lock: asyncio.Lock = asyncio.Lock()

    def add(self, member: Member) -> None:
        """Take a member in; what is for all it gets from `go_live` on."""
        self.members[member.id] = self.arriving[member.id] = member
        if member.outbox.limits.policy == "block":
            self.patient[member.id] = member.outbox

    def go_live(self, member: Member, seen: int) -> None:
        """From now on the member gets everything after the number `seen`."""
        self.arriving.pop(member.id, None)
        if member.has_left:
            return
        if seen > self.last:
            self.ahead[member.id] = member, seen
        else:
            self._gets_all(member)

    def remove(self, member: Member) -> None:
        """Take a member out."""
        group = self._group_of(member)
        outboxes = group.get(member.outbox.wrap, {})
        if outboxes.pop(member.id, None) is not None and not outboxes:
            del group[member.outbox.wrap]
        self.patient.pop(member.id, None)
        self.members.pop(member.id, None)
        self.arriving.pop(member.id, None)
        self.ahead.pop(member.id, None)
        self.watchers.discard(member.id)

    def feed_goes_live(self, id: str, feed: Feed, seen: int) -> None:
        """From now on the feed gets everything after the number `seen`, unless it was taken out."""
        if id not in self.readers:
            return
        if seen > self.last:
            self.ahead[id] = feed, seen
        else:
            self.feeds[id] = feed

    def remove_feed(self, id: str) -> None:
        """Take a feed out."""
        self.readers.pop(id, None)
        self.feeds.pop(id, None)
        self.ahead.pop(id, None)

    async def wait_for_space(self) -> None:
        """Wait until every member that publishers wait for can take one more message."""
        while full := [outbox for outbox in self.patient.values() if outbox.is_full and not outbox.is_closed]:
            await full[0].wait_for_space()

    def deliver(self, message: Message) -> None:
        """Give a message to everybody here whom it is for."""
        if self.ahead and message.sequence:
            self._catch_up(message.sequence)
        if message.exclude or message.to or self.arriving or self.ahead:
            self._deliver_to_some(message)
        else:
            for wrap, outboxes in self._plain.items():
                self._delivery.push(message.frame, list(outboxes.values()), wrap)
            for wrap, outboxes in self._enveloped.items():
                self._delivery.push(message.envelope, list(outboxes.values()), wrap)
        if self.feeds and not message.to:
            for feed in tuple(self.feeds.values()):
                feed.put(message)

    def tell(self, frame: Frame, members: Iterable[str]) -> None:
        """Give something to some members, whatever else they get."""
        found = (self.members.get(member) for member in members)
        self._delivery.push(frame, [member.outbox for member in found if member is not None])

    def _deliver_to_some(self, message: Message) -> None:
        """Give a message to each member that it is for and that is not on the way."""
        plain: list[Outbox] = []
        enveloped: list[Outbox] = []
        for member in self.members.values():
            if is_for(message, member) and not (message.sequence and self._is_on_the_way(member)):
                (enveloped if member.envelope else plain).append(member.outbox)
        if plain:
            self._delivery.push(message.frame, plain)
        if enveloped:
            self._delivery.push(message.envelope, enveloped)

    def _is_on_the_way(self, member: Member) -> bool:
        """It reads this message in the history, or has read it there."""
        return member.id in self.arriving or member.id in self.ahead

    def _catch_up(self, sequence: int) -> None:
        """Let those get everything who have seen less than the message of this number."""
        for id, (member, seen) in tuple(self.ahead.items()):
            if sequence > seen:
                del self.ahead[id]
                if isinstance(member, Feed):
                    self.feeds[id] = member
                else:
                    self._gets_all(member)

    def _gets_all(self, member: Member) -> None:
        """Put a member among those that get everything."""
        self._group_of(member).setdefault(member.outbox.wrap, {})[member.id] = member.outbox

    def _group_of(self, member: Member) -> _Outboxes:
        """Return where the outboxes of members like this one are."""
        return self._enveloped if member.envelope else self._plain


def is_for(message: Message, member: Member) -> bool:
    """Tell whether a member is meant by a message."""
    if message.to:
        return message.to in (member.id, member.user)
    return not (message.exclude and (member.id in message.exclude or (member.user and member.user in message.exclude)))
