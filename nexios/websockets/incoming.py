"""What happens to what a backend gives us, and to what it could not give us while it was away?

Messages go to the room of their channel, each once, in the order of their numbers. When the connection breaks, rooms
hold what comes until the history has told what was missed.
"""

import logging
import secrets
from collections.abc import Callable
from typing import Final

from nexios.concurrency import shielded
from nexios.events.names import CHANNELS_LOST, CHANNELS_RESTORED
from nexios.messages.clock import Clock, sleep
from nexios.messages.websocket import WebSocket
from nexios.websockets.backends.base import BackendUnavailable, ChannelBackend
from nexios.websockets.expulsion import expel
from nexios.websockets.message import CONTROL, Kind, Message, gap_frame, read_body
from nexios.websockets.presence import Presence
from nexios.websockets.room import Room
from nexios.websockets.rooms import Rooms, Spawn
from nexios.websockets.rules import Rules, matches

__all__ = ["Incoming"]

_AGAIN: Final = 1.0
"""Seconds until the history is asked again, when the engine did not answer."""

_PARTING: Final = 5.0
"""Seconds that a backend has to let go of its engine, when its start is cancelled."""

_logger = logging.getLogger("nexios")


class Incoming:
    """The `Receiver` of one hub."""

    __slots__ = ("_backend", "_breaks", "_clock", "_close", "_emit", "_presence", "_rooms", "_rules", "_spawn")

    def __init__(
        self,
        backend: ChannelBackend,
        rooms: Rooms,
        rules: Rules,
        presence: Presence,
        *,
        clock: Clock,
        spawn: Spawn,
        emit: Callable[..., None],
        close: Callable[[WebSocket, int, str], object],
    ) -> None:
        self._backend = backend
        self._rooms = rooms
        self._rules = rules
        self._presence = presence
        self._clock = clock
        self._spawn = spawn
        self._emit = emit
        self._close = close
        self._breaks = 0

    async def connect(self) -> None:
        """Start the backend, and hear what is for all processes. Nothing is left behind when that fails.

        Raises:
            BackendUnavailable: It cannot reach its engine.
        """
        try:
            await self._backend.start(self, node=secrets.token_hex(8))
            await self._backend.subscribe(CONTROL)
        except BaseException:
            await shielded(self._backend.stop(), _PARTING)
            raise

    def receive(self, channel: str, sequence: int, body: bytes) -> None:
        """Give a message to the members here, or hold it for now."""
        if channel == CONTROL:
            self._to_group(body)
            return
        room = self._rooms.get(channel)
        if room is None:
            return
        if room.held is not None:
            room.held.append((sequence, body))
        else:
            self._take(room, sequence, body)

    def lost(self, error: BaseException) -> None:
        """Hold everything, and say so."""
        self._breaks += 1
        for room in self._rooms:
            if room.held is None:
                room.held = []
        _logger.warning("channels: the connection to %s broke: %s", self._backend.name, error)
        self._emit(CHANNELS_LOST, error)

    def restored(self) -> None:
        """Catch up, and say so."""
        _logger.info("channels: the connection to %s is restored", self._backend.name)
        self._emit(CHANNELS_RESTORED)
        self._spawn(self._recover(self._breaks), name="nexios-channels-recover")

    def _take(self, room: Room, sequence: int, body: bytes) -> None:
        """Give a message to its room, or to presence, unless its number says that it was there already."""
        if sequence:
            if sequence <= room.last:
                return
            room.last = sequence
        try:
            wire = read_body(body)
            if wire.kind is Kind.PRESENCE:
                self._presence.heard(room.name, wire.payload)
            else:
                room.deliver(Message(room.name, sequence, wire))
        except ValueError:
            _logger.warning("channels: a message of %r cannot be read", room.name, exc_info=True)

    def _to_group(self, body: bytes) -> None:
        """Give a message to the rooms of all channels of its group, or put somebody out of them."""
        try:
            wire = read_body(body)
            if wire.kind is Kind.EXPULSION:
                self._rules.expulsions += 1
            for room in self._rooms:
                if not matches(wire.group, room.name):
                    continue
                if wire.kind is Kind.EXPULSION:
                    expel(room, wire, self._close)
                else:
                    room.deliver(Message(room.name, 0, wire))
        except ValueError:
            _logger.warning("channels: a message to a group cannot be read", exc_info=True)

    async def _recover(self, breaks: int) -> None:
        """Unless the connection breaks again: then the next one does it."""
        for room in self._rooms:
            while self._breaks == breaks and room.held is not None:
                try:
                    async with room.lock:
                        await self._catch_up(room, breaks)
                except BackendUnavailable:
                    await sleep(self._clock, _AGAIN)
        try:
            await self._presence.refresh(rejoin=True)
        except BackendUnavailable:
            _logger.info("presence waits for the channel backend")

    async def _catch_up(self, room: Room, breaks: int) -> None:
        """Give a room what it missed, and then what it held."""
        if room.is_subscribed:
            replay = await self._backend.history(room.name, after=room.last, keep=self._rules.history_of(room.name))
            if self._breaks != breaks:
                return
            if not replay.complete:
                room.tell(gap_frame(room.name), [member.id for member in room.members.values() if member.envelope])
                for feed in room.feeds.values():
                    feed.missed = True
            for stored in replay.messages:
                self._take(room, stored.sequence, stored.body)
        held, room.held = room.held or [], None
        for sequence, body in held:
            self._take(room, sequence, body)
