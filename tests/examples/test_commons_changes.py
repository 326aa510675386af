"""What changes on the board of `commons`, in memory: patches, transactions, MessagePack, and a store that is a fake."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from examples.commons.app import create_app
from examples.commons.models import Message, NewRoom, Room
from examples.commons.options import Options
from examples.commons.store import rooms
from examples.commons.store.storage import Store, Transaction
from nexios.testing import TestClient
from tests.examples.commons_steps import new_file, new_message, new_room, problem_of

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
MSGPACK = "application/msgpack"


async def test_a_patch_changes_only_what_it_has(client: TestClient) -> None:
    url = f"/api/messages/{await new_message(client, await new_room(client), 'Helo')}"

    response = await client.patch(url, json={"text": " Hello\r\nthere "})

    assert (response.json()["author"], response.json()["text"]) == ("Ada", "Hello\nthere")
    assert (await client.get(url)).json() == response.json()


async def test_a_merge_patch_may_be_called_one(client: TestClient) -> None:
    headers = {"content-type": "application/merge-patch+json"}

    response = await client.patch(f"/api/rooms/{await new_room(client)}", content=b'{"name": "Park"}', headers=headers)

    assert response.json()["name"] == "Park"


async def test_an_empty_patch_changes_nothing(client: TestClient) -> None:
    url = f"/api/rooms/{await new_room(client, 'Garden')}"
    before = (await client.get(url)).json()

    assert (await client.patch(url, json={})).json() == before


@pytest.mark.parametrize(
    ("patch", "pointer"), [({"text": None}, "/text"), ({"text": " "}, "/text"), ({"author": 7}, "/author"), ([], "")]
)
async def test_a_patch_that_does_not_fit_changes_nothing(client: TestClient, patch: object, pointer: str) -> None:
    url = f"/api/messages/{await new_message(client, await new_room(client), 'Hello')}"

    response = await client.patch(url, json=patch)

    assert problem_of(response) == (422, "invalid_input", pointer)
    assert (await client.get(url)).json()["text"] == "Hello"


async def test_a_message_that_is_not_there_cannot_be_changed(client: TestClient) -> None:
    assert problem_of(await client.patch("/api/messages/7", json={})) == (404, "message_not_found", None)


async def test_all_that_is_wrong_with_a_message_is_told_at_once(client: TestClient) -> None:
    url = f"/api/rooms/{await new_room(client)}/messages"

    errors = (await client.post(url, json={"text": "x" * 4001})).json()["errors"]

    assert [(error["in"], error["pointer"], error["code"]) for error in errors] == [
        ("body", "/author", "missing"),
        ("body", "/text", "too_long"),
    ]


async def test_the_api_speaks_messagepack_to_those_who_ask(client: TestClient) -> None:
    room_id = await new_room(client)
    body = msgspec.msgpack.encode({"author": "Ada", "text": "Hello"})

    response = await client.post(
        f"/api/rooms/{room_id}/messages", content=body, headers={"content-type": MSGPACK, "accept": MSGPACK}
    )

    assert (response.status_code, response.headers["content-type"]) == (201, MSGPACK)
    assert msgspec.msgpack.decode(response.content, type=Message).text == "Hello"


async def test_what_cannot_be_committed_is_a_failure_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commit is over before the answer is sent, so nobody is told 201 of what is not there."""

    async def full(transaction: Transaction) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    async with TestClient(create_app(Options(tmp_path)), raise_app_exceptions=False) as client:
        room_id = await new_room(client)
        with monkeypatch.context() as patch:
            patch.setattr(Transaction, "commit", full)
            response = await new_file(client, f"rooms/{room_id}")
        files = (await client.get(f"/api/rooms/{room_id}/attachments")).json()

    assert problem_of(response) == (500, "internal_server_error", None)
    assert (files, list((tmp_path / "attachments").iterdir())) == ([], [])


async def test_a_unit_of_work_that_fails_takes_the_ones_before_it_along(tmp_path: Path) -> None:
    async with Store(tmp_path) as store:
        with suppress(LookupError):
            async with store.transaction() as board:
                await board.run(rooms.create, NewRoom("Garden"))
                raise LookupError
        async with store.transaction() as board:
            assert await board.run(rooms.list_all) == []


async def test_transactions_take_turns(tmp_path: Path) -> None:
    async def open_and_count(store: Store, name: str) -> int:
        async with store.transaction() as board:
            before = len(await board.run(rooms.list_all))
            await board.run(rooms.create, NewRoom(name))
            return len(await board.run(rooms.list_all)) - before

    async with Store(tmp_path) as store:
        made = await asyncio.gather(*(open_and_count(store, f"Room {number}") for number in range(20)))

    assert made == [1] * 20


async def test_who_does_not_work_yet_holds_up_nobody(tmp_path: Path) -> None:
    """A slow upload is such a one: its transaction is there before its body is."""
    async with Store(tmp_path) as store:
        async with store.transaction():
            async with store.transaction() as board:
                assert await board.run(rooms.list_all) == []


class FakeBoard:
    """Has an answer for each unit of work, and no database."""

    def __init__(self) -> None:
        self.answers: dict[Callable[..., object], object] = {rooms.list_all: [Room(7, "Fake", NOON, NOON, 3)]}

    async def run(self, work: Callable[..., object], *args: object) -> object:
        return self.answers[work]


async def test_a_fake_takes_the_place_of_every_transaction(tmp_path: Path) -> None:
    async with TestClient(create_app(Options(tmp_path)), overrides={Transaction: FakeBoard, Store: object}) as client:
        listed = (await client.get("/api/rooms")).json()
        page = (await client.get("/")).text

    assert [(room["name"], room["message_count"]) for room in listed] == [("Fake", 3)]
    assert "Fake" in page
    assert "board.sqlite3" not in files_in(tmp_path)


async def test_a_store_can_be_replaced_before_it_is_opened(tmp_path: Path) -> None:
    async def garden() -> AsyncIterator[Store]:
        async with Store(tmp_path / "other") as store:
            async with store.transaction() as board:
                await board.run(rooms.create, NewRoom("Garden"))
            yield store

    async with TestClient(create_app(Options(tmp_path / "one")), overrides={Store: garden}) as client:
        assert [room["name"] for room in (await client.get("/api/rooms")).json()] == ["Garden"]
    assert "board.sqlite3" not in files_in(tmp_path / "one")


def files_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]
