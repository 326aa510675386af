"""A visitor of a live room with the client `websockets`, which remembers what it has seen as a browser would."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import pytest

from nexios.serialization import decode_json, encode_json
from tests.examples.commons_board import PATIENCE, Board

client: Any = pytest.importorskip("websockets.asyncio.client")

__all__ = ["Visitor", "visiting"]


class Visitor:
    """One connection to a room. `said` are the texts that came, in order; `present` is who is there."""

    def __init__(self, connection: Any, last_seen: int) -> None:
        self._connection = connection
        self.last_seen = last_seen
        self.said: list[str] = []
        self.sequences: list[int] = []
        self.present: set[str] = set()

    async def say(self, text: str) -> None:
        await self.send({"type": "chat.message", "text": text})

    async def send(self, message: object) -> None:
        await self._connection.send(encode_json(message).decode())

    async def hear(self, event: str) -> Any:
        """Wait for an event, or an answer of this type, and return its data."""
        async with asyncio.timeout(PATIENCE):
            while True:
                message = self._noted(decode_json(await self._connection.recv(decode=False), max_depth=10))
                if message.get("event", message.get("type")) == event:
                    return message.get("data", message)

    async def hear_text(self, text: str) -> None:
        """Wait for a message of the room."""
        while text not in self.said:
            await self.hear("said")

    async def see(self, *names: str) -> None:
        """Wait until these and no others are present."""
        while self.present != set(names):
            await self.hear("presence")

    async def closed(self) -> int:
        """Wait until the server closes the connection, and return the code."""
        async with asyncio.timeout(PATIENCE):
            await self._connection.wait_closed()
        return int(self._connection.close_code)

    def vanish(self) -> None:
        """Break the connection, without a word."""
        self._connection.transport.abort()

    def _noted(self, message: Any) -> Any:
        if sequence := message.get("sequence"):
            self.sequences.append(sequence)
            self.last_seen = sequence
        if message.get("event") == "said":
            self.said.append(message["data"]["message"]["text"])
        if message.get("event") == "presence":
            self.present -= {entry.get("user", "") for entry in message["data"]["leaves"]}
            self.present |= {entry.get("user", "") for entry in message["data"]["joins"]}
        return message


@asynccontextmanager
async def visiting(
    board: Board, room_id: int, name: str, last_seen: int = 0, *, cookie: str = ""
) -> AsyncIterator[Visitor]:
    """Be in a room for a block; it starts when presence was told, after all that was missed.

    With the `cookie` of a session as the member whose it is.
    """
    query = urlencode({"name": name, "last_seen": last_seen})
    url = f"{board.websocket_url}/api/rooms/{room_id}/live?{query}"
    headers = {"cookie": cookie} if cookie else {}
    async with client.connect(url, proxy=None, additional_headers=headers) as connection:
        visitor = Visitor(connection, last_seen)
        await visitor.hear("presence")
        yield visitor
