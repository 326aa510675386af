"""Does the WebSocket snippet of the founding document work as written there, under every server?

The client is the package `websockets`; for Chromium see test_seed_websocket_browser.py.
"""

import asyncio
from typing import Any

import httpx2
import pytest

from nexios.serialization import decode_json, encode_json
from nexios.testing import TestClient
from tests.contract.servers import DEADLINE, Running
from tests.seed_websocket.seed_app import SNIPPET, app


def connect(site: Running, room: str) -> Any:
    client = pytest.importorskip("websockets.asyncio.client")
    return client.connect(f"{site.url.replace('http', 'ws', 1)}/ws/{room}", proxy=None)


async def tell(connection: Any, message: object) -> None:
    await connection.send(encode_json(message).decode())


async def told(connection: Any, number: int) -> list[object]:
    """Return the next messages."""
    async with asyncio.timeout(DEADLINE):
        return [decode_json(await connection.recv(decode=False), max_depth=5) for _ in range(number)]


async def until_members(site: Running, room: str, number: int) -> None:
    """Wait until so many are in a room: a server tells its application of an end after the client knows."""
    async with asyncio.timeout(DEADLINE), httpx2.AsyncClient(base_url=site.url, trust_env=False) as client:
        while (await client.get(f"/members/{room}")).json() != number:  # noqa: ASYNC110  it is in another process
            await asyncio.sleep(0.01)


def test_the_snippet_is_that_of_the_document() -> None:
    """What a reader copies: eleven lines, of which none is ours."""
    assert [line.strip() for line in SNIPPET.splitlines() if line.strip()] == [
        "from nexios.websockets import WebSocket, Channel",
        '@app.websocket("/ws/{room_id}")',
        "async def chat_room(websocket: WebSocket, room_id: str):",
        'channel = Channel(f"room:{room_id}")',
        "await channel.connect(websocket)",
        "try:",
        "while True:",
        "message = await websocket.receive_json()",
        "await channel.broadcast(message)",
        "except WebSocketDisconnect:",
        "await channel.disconnect(websocket)",
    ]


async def test_the_snippet_runs_in_memory() -> None:
    async with TestClient(app) as client:
        async with client.websocket_connect("/ws/1") as one, client.websocket_connect("/ws/1") as two:
            await one.send_json({"text": "hello"})

            assert await one.receive_json() == await two.receive_json() == {"text": "hello"}


@pytest.mark.slow
async def test_all_in_a_room_get_what_one_of_them_sends_and_other_rooms_do_not(site: Running) -> None:
    async with connect(site, "all") as one, connect(site, "all") as two, connect(site, "other") as other:
        await until_members(site, "all", 2)
        await until_members(site, "other", 1)
        await tell(one, {"text": "from one", "number": 1})
        await tell(one, ["any", "JSON", None])
        first = await told(two, 2)
        await tell(other, {"text": "elsewhere"})
        assert await told(other, 1) == [{"text": "elsewhere"}]
        assert first == await told(one, 2) == [{"text": "from one", "number": 1}, ["any", "JSON", None]]


@pytest.mark.slow
async def test_who_closes_leaves_and_the_others_go_on(site: Running) -> None:
    async with connect(site, "leave") as one:
        async with connect(site, "leave") as two:
            await until_members(site, "leave", 2)
        await until_members(site, "leave", 1)
        await tell(one, {"text": "still here"})
        assert await told(one, 1) == [{"text": "still here"}]

    assert two.close_code == one.close_code == 1000


@pytest.mark.slow
async def test_who_is_cut_off_leaves_by_itself(site: Running) -> None:
    async with connect(site, "cut") as one, connect(site, "cut") as two:
        await until_members(site, "cut", 2)
        two.transport.abort()
        await until_members(site, "cut", 1)
        await tell(one, {"text": "still here"})
        assert await told(one, 1) == [{"text": "still here"}]


@pytest.mark.slow
async def test_what_is_no_json_is_answered_and_ends_nothing(site: Running) -> None:
    async with connect(site, "bad") as one:
        await one.send("{")
        await tell(one, {"text": "good"})
        answer, good = await told(one, 2)

    assert isinstance(answer, dict)
    assert (answer["type"], answer["code"], good) == ("error", "malformed_json", {"text": "good"})
