"""How does a handler speak of a channel? By its name: `Channel("room:1")`.

    @app.websocket("/ws/{room_id}")
    async def chat_room(websocket: WebSocket, room_id: str):
        channel = Channel(f"room:{room_id}")
        await channel.connect(websocket)
        try:
            while True:
                message = await websocket.receive_json()
                await channel.broadcast(message)
        except WebSocketDisconnect:
            await channel.disconnect(websocket)

A `Channel` is only a name until it is bound to the hub of an app, by `connect` or by `app.channel("room:1")`; who is in
it is known by the hub, so any number of them may be made.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from nexios.errors import ConfigurationError
from nexios.messages.request import Request
from nexios.messages.response import Response
from nexios.messages.websocket import WebSocket
from nexios.messages.websocket_state import POLICY_VIOLATION
from nexios.websockets.events import ChannelEvents
from nexios.websockets.feed import Feed
from nexios.websockets.hub import Hub
from nexios.websockets.member import Member, PresenceEntry, Recipients, ids_of
from nexios.websockets.message import Message, check_name
from nexios.websockets.outbox import OutboxLimits
from nexios.websockets.rules import prefix_of

__all__ = ["Channel", "ChannelGroup", "HasHub"]


class HasHub(Protocol):
    """What a channel asks of the app that serves a WebSocket."""

    @property
    def hub(self) -> Hub:
        """The channels of the app."""


class Channel:
    """One channel: who connects to it gets what is broadcast to it, in all processes.

    Names have 1 to 200 printable characters and no `*`, so a name may be made of what a client sends; a colon
    divides them by custom. Never more than a name and a hub: make one wherever it is needed.

    >>> Channel("room:1")
    <Channel 'room:1'>

    Raises:
        BadChannelName: The name is none, which is answered with 400.
    """

    __slots__ = ("_hub", "name")

    def __init__(self, name: str, hub: Hub | None = None) -> None:
        self.name: str = check_name(name)
        self._hub = hub

    async def connect(
        self,
        websocket: WebSocket,
        *,
        last_seen: int | str | None = None,
        envelope: bool | None = None,
        user: str = "",
        metadata: Mapping[str, Any] | None = None,
        outbox: OutboxLimits | None = None,
    ) -> Member:
        """Make a WebSocket a member, and accept it if nobody did. Connecting again does nothing.

        It leaves by itself when its connection breaks or its handler ends.

        `last_seen` is the number of the last message that the client has, as it sent it: it first gets what came
        after it, 0 for all that is kept. Numbers are in the envelope, which is on where `last_seen` is given:

            {"channel": "room:1", "sequence": 1764000000000017, "event": "said", "data": {"text": "hello"}}

        A client with an envelope is told with the event "gap" when messages are missing that are not kept any more.

        `user` and `metadata` make it present: others see them in `presence()`, and clients with an envelope who are
        present themselves get the event "presence" with "joins", "leaves" and "updates", the first one with
        all who are here. `outbox` says what happens when this client is slow.

        Raises:
            ChannelForbidden, TooManyChannels: It may not join; 403 and 429 before it is accepted, else 1008.
            BackendUnavailable: The engine of the channels is away; 503, else 1011.
            WebSocketDisconnect: The WebSocket is over already.
        """
        if self._hub is None:
            self._hub = _hub_of(websocket)
        return await self._hub.join(
            self.name,
            websocket,
            last_seen=last_seen,
            envelope=envelope,
            user=user,
            metadata=metadata,
            outbox=outbox,
        )

    async def disconnect(self, websocket: WebSocket) -> None:
        """Take a WebSocket out; it stays open if it is. Harmless when it is not in, or no more."""
        await (self._hub or _hub_of(websocket)).leave(self.name, websocket)

    async def publish(
        self,
        message: object,
        *,
        event: str = "",
        exclude: Recipients | Iterable[Recipients] = (),
        keep: bool = True,
    ) -> int:
        """Send a message to all members, in all processes, and return its number (0 when it is not kept).

        Text and bytes go as they are, anything else as JSON, encoded once. So a text is a text to all, wherever it is
        from: a JSON string that `receive_json` gave goes without its quotes, as nothing tells it from any other text.
        Clients that may send one are best given an envelope, or asked for objects by `receive_as(dict)`.

        No socket is waited for: who takes it at once has it when this returns, and nothing is known of the others.
        `exclude` leaves out WebSockets, members, or users by name. `event` is told to clients with an envelope.
        `keep=False` is for what nobody needs later, as that somebody is typing.

        Raises:
            TypeError: The message has no JSON form.
            BackendUnavailable: The engine of the channels is away.
        """
        return await self._bound().publish(self.name, message, event=event, exclude=exclude, keep=keep)

    async def broadcast(
        self,
        message: object,
        *,
        event: str = "",
        exclude: Recipients | Iterable[Recipients] = (),
        keep: bool = True,
    ) -> int:
        """Another name for `publish`."""
        return await self._bound().publish(self.name, message, event=event, exclude=exclude, keep=keep)

    def publish_from_thread(
        self,
        message: object,
        *,
        event: str = "",
        exclude: Recipients | Iterable[Recipients] = (),
        keep: bool = True,
    ) -> int:
        """Publish from a thread, as that of a `def` handler, and wait until it is done; see `publish`.

        For whatever else can be awaited of a channel there is `app.hub.run_from_thread(channel.presence())`.

        Raises:
            RuntimeError: The app is not running, or the thread has an event loop of its own: await `publish` there.
        """
        hub = self._bound()
        return hub.run_from_thread(hub.publish(self.name, message, event=event, exclude=exclude, keep=keep))

    async def send_to(self, recipient: Recipients, message: object, *, event: str = "") -> None:
        """Send a message to one member, or to all members of one user, in whichever process; it is not kept.

        Raises:
            TypeError: The recipient is none: what is for one must not go to all.
        """
        ids_of(recipient, {}, called="recipient")
        await self._bound().publish(self.name, message, event=event, to=recipient, keep=False)

    async def expel(self, recipient: Recipients, *, code: int = POLICY_VIOLATION, reason: str = "expelled") -> None:
        """Put out one member, or all members of one user, in all processes: their WebSockets are closed with `code`.

        That ends them in other channels too. Event streams of theirs end (`events(request, user=...)`). Clients may
        come back: take the right away first, so that the guards of the channel refuse them. It is not kept: a process
        that has lost its engine does not hear of it.

        Raises:
            ValueError: The code is reserved, or the reason is longer than 123 bytes of UTF-8.
            BackendUnavailable: The engine of the channels is away.
        """
        await self._bound().expel(self.name, recipient, code=code, reason=reason)

    def members(self) -> tuple[Member, ...]:
        """Return the members that are connected to this process. For all processes there is `presence`."""
        return self._bound().members_of(self.name)

    async def presence(self) -> tuple[PresenceEntry, ...]:
        """Return who is present, in all processes: members that connected with `user` or `metadata`."""
        return await self._bound().present(self.name)

    async def update(self, websocket: WebSocket, metadata: Mapping[str, Any]) -> None:
        """Change what a member tells of itself; the others get it as an update."""
        hub = self._hub or _hub_of(websocket)
        for member in hub.members_of(self.name):
            if member.websocket is websocket:
                await hub.update(member, metadata)

    async def history(self, last_seen: int = 0) -> tuple[Message, ...]:
        """Return the kept messages after a number, oldest first; by default all."""
        return await self._bound().history(self.name, last_seen)

    def listen(self, *, last_seen: int | str | None = None, outbox: OutboxLimits | None = None) -> Feed:
        """Return the messages as an async iterator, for code without a WebSocket; `last_seen` as for `connect`.

        No guard is asked: this is for your own code. What goes to a client is `events` or `sse`.

        `async with channel.listen() as feed:` and then `async for message in feed:`.
        """
        return self._bound().listen(self.name, last_seen=last_seen, outbox=outbox)

    def events(
        self,
        request: Request,
        *,
        last_seen: int | str | None = None,
        user: str = "",
        metadata: Mapping[str, Any] | None = None,
        outbox: OutboxLimits | None = None,
    ) -> ChannelEvents:
        """Return the messages as events for the client of a request: `response.sse(channel.events(request))`.

        Their ids are the numbers of the messages, their types the `event` of `publish`. A client that comes back gets
        what came after the Last-Event-ID of the request, else after `last_seen`, and first the event "gap" when
        messages are missing that are not kept any more. The guards of the channel are asked before the response
        begins. `user` and `metadata` make it present, `outbox` says what happens when it is slow, as for `connect`;
        one that is disconnected comes back by itself and reads on.
        """
        hub = self._hub or _hub_of(request)
        return ChannelEvents(hub, self.name, request, last_seen=last_seen, user=user, metadata=metadata, outbox=outbox)

    def sse(
        self,
        request: Request,
        *,
        last_seen: int | str | None = None,
        keep_alive: float | None = 15.0,
        retry: int | None = None,
    ) -> Response:
        """Return a response that is the channel as server-sent events: `return Channel("news").sse(request)`.

        See `events`, and `Response.sse` for `keep_alive` and `retry`.
        """
        events = self.events(request, last_seen=last_seen)
        return Response().sse(events, keep_alive=keep_alive, retry=retry)

    def _bound(self) -> Hub:
        """Return the hub. Raises `ConfigurationError` when the channel has none yet."""
        if self._hub is None:
            raise ConfigurationError(
                f"{self!r} belongs to no app yet: connect a WebSocket first, or take it from the app:\n\n"
                f"    app.channel({self.name!r})\n"
            )
        return self._hub

    def __repr__(self) -> str:
        return f"<Channel {self.name!r}>"


class ChannelGroup:
    """All channels whose names begin alike: `app.channels("room:*")`.

    It reaches who is connected now; what it publishes is not kept and has no number. Nobody can connect to a group.
    """

    __slots__ = ("_hub", "pattern")

    def __init__(self, pattern: str, hub: Hub) -> None:
        prefix_of(pattern)
        self.pattern: str = pattern
        self._hub = hub

    async def publish(
        self, message: object, *, event: str = "", exclude: Recipients | Iterable[Recipients] = ()
    ) -> None:
        """Send a message to the members of every channel of the group, in all processes; once for each channel."""
        await self._hub.publish_to_group(self.pattern, message, event=event, exclude=exclude)

    async def broadcast(
        self, message: object, *, event: str = "", exclude: Recipients | Iterable[Recipients] = ()
    ) -> None:
        """Another name for `publish`."""
        await self._hub.publish_to_group(self.pattern, message, event=event, exclude=exclude)

    async def expel(self, recipient: Recipients, *, code: int = POLICY_VIOLATION, reason: str = "expelled") -> None:
        """Put somebody out of every channel of the group; see `Channel.expel`. `app.channels("*")` is all channels."""
        await self._hub.expel(self.pattern, recipient, code=code, reason=reason)

    def members(self) -> tuple[Member, ...]:
        """Return the members of all its channels that are connected to this process."""
        return self._hub.members_of(self.pattern)

    def channels(self) -> tuple[Channel, ...]:
        """Return its channels that have members or listeners in this process."""
        prefix = self.pattern[:-1]
        return tuple(Channel(name, self._hub) for name in self._hub.channels if name.startswith(prefix))

    def __repr__(self) -> str:
        return f"<ChannelGroup {self.pattern!r}>"


def _hub_of(client: WebSocket | Request) -> Hub:
    """Return the hub of the app that serves a client. Raises `ConfigurationError` where there is none."""
    hub = getattr(client.app, "hub", None)
    if not isinstance(hub, Hub):
        raise ConfigurationError(f"{client.app!r} has no hub, so its clients cannot join channels.")
    return hub
