"""What comes from PostgreSQL, for which channels, and in which order?

A connection listens to a lane while a channel of it is subscribed. What a notification does not carry itself is fetched
by the same connection, and what comes meanwhile waits, so that the order stays.
"""

import asyncio
import logging
from collections import deque
from typing import Any

from nexios.websockets.backends.base import BackendUnavailable, Receiver
from nexios.websockets.backends.postgres_line import Line
from nexios.websockets.backends.postgres_notice import Notice, lane_of, parse_notice, topic_of
from nexios.websockets.backends.postgres_tables import Tables

__all__ = ["Listener"]

_logger = logging.getLogger("nexios")


class Listener:
    """The subscribed channels of one process, over all breaks of its connection."""

    def __init__(self, tables: Tables, lanes: tuple[str, ...], receiver: Receiver) -> None:
        self._tables = tables
        self._lanes = lanes
        self._receiver = receiver
        self._line: Line | None = None
        self._channels: dict[str, dict[str, str]] = {}
        self._heard_lanes: set[str] = set()
        self._arrived: deque[tuple[str, Notice]] = deque()
        self._fetcher: asyncio.Task[None] | None = None

    async def attach(self, line: Line) -> None:
        """Listen to all channels by a new connection."""
        self._line = line
        self._heard_lanes.clear()
        for lane in tuple(self._channels):
            await self._tune(lane)

    async def detach(self) -> None:
        """The connection is given up. What it brought and nobody took yet is in the history."""
        fetcher, self._fetcher = self._fetcher, None
        self._line = None
        self._arrived.clear()
        if fetcher is not None:
            fetcher.cancel()
            await asyncio.wait((fetcher,))

    async def add(self, channel: str) -> None:
        """Listen to a channel. Raises `BackendUnavailable`."""
        topic = topic_of(channel)
        lane = self._lanes[lane_of(topic)]
        self._channels.setdefault(lane, {})[topic] = channel
        await self._tune(lane)

    async def remove(self, channel: str) -> None:
        """Listen to a channel no more."""
        topic = topic_of(channel)
        lane = self._lanes[lane_of(topic)]
        channels = self._channels.get(lane, {})
        if channels.pop(topic, None) is not None and not channels:
            del self._channels[lane]
            await self._tune(lane)

    async def _tune(self, lane: str) -> None:
        """Listen to a lane when there are channels in it, and only then."""
        if self._line is not None and not self._is_tuned(lane):
            await self._line.ask(lambda connection: self._listen(connection, lane))

    def _is_tuned(self, lane: str) -> bool:
        return (lane in self._channels) == (lane in self._heard_lanes)

    async def _listen(self, connection: Any, lane: str) -> None:
        """Do what is right when its turn has come, which may be something else than when it was asked for."""
        while not self._is_tuned(lane):
            if lane in self._channels:
                await connection.add_listener(lane, self._hear)
                self._heard_lanes.add(lane)
            else:
                self._heard_lanes.discard(lane)
                await connection.remove_listener(lane, self._hear)

    def _hear(self, _connection: object, _process: int, lane: str, payload: str) -> None:
        """A notification has come."""
        try:
            notice = parse_notice(payload)
        except ValueError:
            _logger.warning("channels: a notification of PostgreSQL cannot be read")
            return
        if notice.topic not in self._channels.get(lane, ()) or self._line is None:
            return
        if self._fetcher is None and isinstance(notice.content, bytes):
            self._give(lane, notice, notice.content)
            return
        self._arrived.append((lane, notice))
        if self._fetcher is None:
            self._fetcher = asyncio.create_task(self._fetch_all(self._line), name="nexios-postgres-fetch")

    async def _fetch_all(self, line: Line) -> None:
        """Give what has arrived, in order. One who comes too late for a body has a gap: that is a break."""
        try:
            while self._arrived:
                lane, notice = self._arrived.popleft()
                content = notice.content
                if isinstance(content, int):
                    content = (await line.fetch(self._tables.parcel, content))[0][0]
                self._give(lane, notice, content)
            self._fetcher = None
        except (BackendUnavailable, LookupError):
            line.break_off()

    def _give(self, lane: str, notice: Notice, body: bytes) -> None:
        """Give a message to the receiver, if its channel is subscribed still."""
        channel = self._channels.get(lane, {}).get(notice.topic)
        if channel is not None:
            self._receiver.receive(channel, notice.sequence, body)
