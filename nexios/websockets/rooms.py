"""Which channels are alive in this process? A room for each, subscribed once, and let go when the last one leaves."""

import asyncio
import logging
from collections.abc import Callable, Iterator

from nexios.websockets.backends.base import BackendUnavailable, ChannelBackend
from nexios.websockets.delivery import Delivery
from nexios.websockets.room import Room

__all__ = ["Rooms", "Spawn"]

Spawn = Callable[..., "asyncio.Task[object]"]
"""Runs a coroutine beside the others: `spawn(coroutine, name=...)`."""

_logger = logging.getLogger("nexios")


class Rooms:
    """The rooms of one hub. Who uses a room has entered it, and exits once, whatever happens."""

    __slots__ = ("_backend", "_delivery", "_rooms", "_spawn")

    def __init__(self, backend: ChannelBackend, delivery: Delivery, spawn: Spawn) -> None:
        self._backend = backend
        self._delivery = delivery
        self._spawn = spawn
        self._rooms: dict[str, Room] = {}

    def __len__(self) -> int:
        return len(self._rooms)

    def __iter__(self) -> Iterator[Room]:
        return iter(tuple(self._rooms.values()))

    def get(self, name: str) -> Room | None:
        """Return the room of a channel, if it is alive here."""
        return self._rooms.get(name)

    async def enter(self, name: str) -> Room:
        """Return the room of a channel, subscribed; `exit` has to follow.

        Raises:
            BackendUnavailable: It cannot be subscribed now; then there is nothing to exit from.
        """
        room = self._rooms.get(name)
        if room is None:
            room = self._rooms[name] = Room(name, self._delivery)
        room.users += 1
        try:
            async with room.lock:
                if not room.is_subscribed:
                    room.last = max(room.last, await self._backend.subscribe(name))
                    room.is_subscribed = True
        except BaseException:
            self.exit(room)
            raise
        return room

    def exit(self, room: Room) -> None:
        """Let go of a room; the last one out has it unsubscribed."""
        room.users -= 1
        if room.users == 0:
            self._spawn(self._release(room), name=f"nexios-leave {room.name}")

    def clear(self) -> None:
        """Forget all of them, when the backend stops."""
        self._rooms.clear()

    async def _release(self, room: Room) -> None:
        """Unsubscribe a room that nobody uses, and forget it unless somebody came meanwhile."""
        async with room.lock:
            if room.users == 0:
                room.is_subscribed = False
                try:
                    await self._backend.unsubscribe(room.name)
                except BackendUnavailable:
                    _logger.debug("%r is unsubscribed when the backend is back", room.name)
            if room.users == 0 and self._rooms.get(room.name) is room:
                del self._rooms[room.name]
