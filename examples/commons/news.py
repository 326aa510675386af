"""Who hears of what is written? Everyone in the room, and everyone who watches the board; in all processes.

A channel for each room, and one for what is new in all of them. What happens is kept in the store first and told
then: a channel that cannot be reached delays nobody's message, and whoever missed something finds it on the page.
"""

import logging
from importlib import import_module
from typing import Any

from nexios import NexiosApp
from nexios.websockets import BackendUnavailable, Channel, ChannelBackend, HistoryLimits, WebSocket

from .models import Activity, Gone, Message, NewAttachment, NewMessage, Room, Said
from .people import Member
from .store import messages, rooms
from .store.storage import Transaction

__all__ = ["News", "channel_backend", "post"]

ROOMS = "room:"
COME_AGAIN = 1012
"""How a WebSocket is closed whose client may come back at once, as whoever it is by then (RFC 6455 section 7.4)."""
ACTIVITY = "activity"
ROOM_HISTORY = HistoryLimits(count=500, age=3600)
ACTIVITY_HISTORY = HistoryLimits(count=20, age=24 * 3600)
EXCERPT = 140
"""Characters of a message that the board is told of."""

logger = logging.getLogger("commons")


def channel_backend(url: str | None) -> ChannelBackend | None:
    """Return the way to the other processes of the board; without a server between them there are none."""
    if url is None:
        return None
    module: Any = import_module("nexios.websockets.backends.redis")
    backend: ChannelBackend = module.RedisBackend(url, prefix="commons:")
    return backend


async def post(
    board: Transaction,
    news: "News",
    room_id: int,
    new: NewMessage,
    attachment: NewAttachment | None = None,
    *,
    writer: Member | None,
    key: str = "",
) -> Message:
    """Keep a message, and tell of it: by the API, by the form or live, this is how one is written.

    That of a member is under the name of the account. Raises RoomNotFound.
    """
    if writer is None:
        message = await board.run(messages.post, room_id, new, attachment)
    else:
        own = NewMessage(writer.name, new.text)
        message = await board.run(messages.post, room_id, own, attachment, member_id=writer.id)
    board.then(news.said, await board.run(rooms.get, room_id), message, key)
    return message


class News:
    """The channels of the board. One per app."""

    def __init__(self, app: NexiosApp) -> None:
        self._hub = app.hub
        self._rooms = app.channels(f"{ROOMS}*")
        app.hub.keep(f"{ROOMS}*", ROOM_HISTORY)
        app.hub.keep(ACTIVITY, ACTIVITY_HISTORY)

    def room(self, room_id: int) -> Channel:
        """Return the channel of a room."""
        return Channel(f"{ROOMS}{room_id}", self._hub)

    def activity(self) -> Channel:
        """Return the channel of all that is new."""
        return Channel(ACTIVITY, self._hub)

    async def arrive(
        self, websocket: WebSocket, room_id: int, member: Member | None, name: str, last_seen: int
    ) -> None:
        """Let someone into a room: a member, or a guest, who can have no name that stands for a member."""
        user, told = (name.lstrip("@"), {}) if member is None else (_user(member), {"name": member.name})
        await self.room(room_id).connect(websocket, last_seen=last_seen, user=user, metadata=told)

    async def turned_away(self, member: Member) -> None:
        """Let all live rooms look anew at who somebody is, who has signed out or may do less than before."""
        try:
            await self._rooms.expel(_user(member), code=COME_AGAIN, reason="look again who it is")
        except BackendUnavailable:
            logger.warning("the live rooms did not hear that a member has signed out: the channels are away")

    async def last_seen(self, room_id: int) -> int:
        """Return the number of the newest message; who reads the store after this knows of everything up to it."""
        try:
            history = await self.room(room_id).history()
        except BackendUnavailable:
            return 0
        return history[-1].sequence if history else 0

    async def said(self, room: Room, message: Message, key: str) -> None:
        """Tell of a new message."""
        await _tell(self.room(room.id), "said", Said(message, key))
        activity = Activity(room.id, room.name, message.author, message.text[:EXCERPT], message.id)
        await _tell(self.activity(), "said", activity)

    async def edited(self, message: Message) -> None:
        """Tell the room that a message is another one now, or that a file came to it."""
        await _tell(self.room(message.room_id), "edited", Said(message))

    async def deleted(self, room_id: int, message_id: int) -> None:
        """Tell the room that a message is gone."""
        await _tell(self.room(room_id), "deleted", Gone(message_id))

    async def closed(self, room_id: int) -> None:
        """Tell the room that it is gone itself."""
        await _tell(self.room(room_id), "closed", Gone(room_id))


def _user(member: Member) -> str:
    """What presence knows a member by; names of guests never begin like this."""
    return f"@{member.id}"


async def _tell(channel: Channel, event: str, data: object) -> None:
    try:
        await channel.publish(data, event=event)
    except BackendUnavailable:
        logger.warning("nobody was told of %r in %s: the channels are away", event, channel.name)
