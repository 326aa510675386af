"""How does a page follow a channel by an EventSource? As events with the numbers of the messages as their ids.

A client that comes back names the last id that it saw, and gets the rest from the history, as a WebSocket does with
`last_seen`. So that this holds from its first moment on, it is told where the channel stands before there is anything
to read; and one that is too slow is let go, to come back and read on where it was.
"""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

from nexios.errors import HTTPException
from nexios.messages.content import LiveSource
from nexios.messages.request import Request
from nexios.messages.sse import Event
from nexios.websockets.feed import Feed
from nexios.websockets.hub import Hub
from nexios.websockets.member import PresenceEntry, check_metadata, check_user, new_id
from nexios.websockets.message import GAP
from nexios.websockets.outbox import OutboxLimits, TooSlow

__all__ = ["ChannelEvents"]


class ChannelEvents(LiveSource):
    """The messages of a channel as events for one client: a source for `response.sse`.

    The guards of the channel are asked with the request, before the response begins; nobody reads without them.
    """

    def __init__(
        self,
        hub: Hub,
        channel: str,
        request: Request,
        *,
        last_seen: int | str | None,
        user: str,
        metadata: Mapping[str, Any] | None,
        outbox: OutboxLimits | None,
    ) -> None:
        seen = request.last_event_id
        self._hub = hub
        self._channel = channel
        self._request = request
        self._feed: Feed = hub.listen(channel, last_seen=last_seen if seen is None else seen, outbox=outbox)
        self._user = check_user(user)
        check_metadata(metadata)
        self._entry: PresenceEntry | None = None
        if user or metadata is not None:
            self._entry = PresenceEntry(new_id(), user, dict(metadata or {}))
            self._feed.names = (self._entry.id, self._entry.key)
        self._asked: int | None = None

    async def admit(self) -> None:
        """Ask the guards, once.

        Raises:
            ChannelForbidden: It may not be read, 403.
            BackendUnavailable: The engine of the channels is away, 503.
        """
        if self._asked is None:
            self._asked = await self._hub.admit(self._request, self._channel)

    async def __aiter__(self) -> AsyncGenerator[Event, None]:
        """Yield the events, until the client is too slow or the app stops."""
        await self.admit()
        entry = self._entry
        try:
            async with self._feed as feed:
                try:
                    await self._hub.admit(self._request, self._channel, self._asked)
                except HTTPException:
                    return  # put out while it was on the way
                if entry is not None:
                    await self._hub.appear(self._channel, entry)
                async with aclosing(self._read(feed)) as events:
                    async for event in events:
                        yield event
        finally:
            if entry is not None:
                self._hub.vanish(self._channel, entry)

    async def _read(self, feed: Feed) -> AsyncGenerator[Event, None]:
        if feed.missed:
            feed.missed = False
            yield self._gap()
        if feed.begins_after is not None:
            yield Event(id=feed.begins_after)
        try:
            async for message in feed:
                if feed.missed:
                    feed.missed = False
                    yield self._gap()
                if not (self._user and self._user in message.exclude):
                    yield message.as_event
        except TooSlow:
            return

    def _gap(self) -> Event:
        return Event({"channel": self._channel}, event=GAP)
