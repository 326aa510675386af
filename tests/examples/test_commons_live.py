"""The live rooms of the example `commons`, in memory: who hears what, and what is answered to bad messages."""

import sqlite3
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from examples.commons.app import create_app
from examples.commons.news import News
from examples.commons.options import Options
from examples.commons.store.storage import Transaction
from nexios.testing import TestClient, WebSocketDenied, WebSocketSession
from nexios.websockets import BackendUnavailable, MemoryBackend
from tests.examples.commons_steps import MODERATOR, TOKEN, new_file, new_message, new_room


def visit(
    client: TestClient, room_id: int, name: str = "", last_seen: int = 0
) -> AbstractAsyncContextManager[WebSocketSession]:
    return client.websocket_connect(f"/api/rooms/{room_id}/live?name={name}&last_seen={last_seen}")


async def heard(visitor: WebSocketSession, event: str) -> Any:
    """Return what the next message says, which is this event."""
    message = await visitor.receive_json()
    assert message.get("event") == event, message
    return message["data"]


def names(entries: list[dict[str, str]]) -> list[str]:
    return sorted(entry.get("user", "") for entry in entries)


async def test_what_is_said_live_is_heard_by_all_and_kept(client: TestClient) -> None:
    room_id = await new_room(client)

    async with visit(client, room_id, "Ada") as ada, visit(client, room_id, "Bob") as bob:
        assert names((await heard(bob, "presence"))["joins"]) == ["Ada", "Bob"]
        await ada.send_json({"type": "chat.message", "text": " Hello\n", "key": "k1"})
        said = await heard(bob, "said")
    listed = (await client.get(f"/api/rooms/{room_id}/messages")).json()["messages"]

    assert (said["message"]["author"], said["message"]["text"], said["key"]) == ("Ada", "Hello", "k1")
    assert [(message["id"], message["text"]) for message in listed] == [(said["message"]["id"], "Hello")]


async def test_who_comes_and_goes_is_told_by_name(client: TestClient) -> None:
    room_id = await new_room(client)

    async with visit(client, room_id, "Ada") as ada:
        assert names((await heard(ada, "presence"))["joins"]) == ["Ada"]
        async with visit(client, room_id):
            assert names((await heard(ada, "presence"))["joins"]) == [""]
        assert names((await heard(ada, "presence"))["leaves"]) == [""]


async def test_that_somebody_writes_is_told_to_the_others_and_not_kept(client: TestClient) -> None:
    room_id = await new_room(client)

    async with visit(client, room_id, "Ada") as ada, visit(client, room_id, "Bob") as bob:
        await heard(ada, "presence")
        await heard(ada, "presence")
        await heard(bob, "presence")
        await ada.send_json({"type": "chat.typing"})
        assert await heard(bob, "typing") == {"name": "Ada"}
        await ada.send_json({"type": "chat.message", "text": "Hello"})
        await heard(ada, "said")
        async with visit(client, room_id, "Cy") as cy:
            await heard(cy, "said")
            await heard(cy, "presence")


async def test_what_is_posted_changed_and_deleted_by_the_api_is_heard(client: TestClient) -> None:
    room_id = await new_room(client)

    async with visit(client, room_id, "Ada") as ada:
        await heard(ada, "presence")
        message_id = await new_message(client, room_id, "Helo")
        await client.patch(f"/api/messages/{message_id}", json={"text": "Hello"})
        await new_file(client, f"messages/{message_id}")
        await client.delete(f"/api/messages/{message_id}")
        assert (await heard(ada, "said"))["message"]["text"] == "Helo"
        assert (await heard(ada, "edited"))["message"]["text"] == "Hello"
        assert [file["filename"] for file in (await heard(ada, "edited"))["message"]["attachments"]] == ["plan.txt"]
        assert await heard(ada, "deleted") == {"id": message_id}


async def test_what_is_posted_and_deleted_by_the_forms_is_heard(client: TestClient) -> None:
    room_id = await new_room(client)

    async with visit(client, room_id) as guest:
        await heard(guest, "presence")
        await client.post(f"/rooms/{room_id}/messages", data={"author": "Ada", "text": "Hello"})
        await client.post("/messages/1/delete")
        await client.post(f"/rooms/{room_id}/delete")
        assert (await heard(guest, "said"))["message"]["author"] == "Ada"
        assert await heard(guest, "deleted") == {"id": 1}
        assert await heard(guest, "closed") == {"id": room_id}


async def test_what_a_moderator_removes_goes_from_the_rooms_at_once(tmp_path: Path) -> None:
    async with TestClient(create_app(Options(tmp_path, TOKEN))) as client:
        room_id = await new_room(client)
        message_id = await new_message(client, room_id, "Buy!", "Spammer")
        async with visit(client, room_id) as guest:
            await heard(guest, "said")
            await heard(guest, "presence")
            await client.delete("/api/moderation/messages?author=Spammer", headers=MODERATOR)
            assert await heard(guest, "deleted") == {"id": message_id}


async def test_who_returns_gets_the_rest_and_nothing_twice(client: TestClient) -> None:
    room_id = await new_room(client)
    async with visit(client, room_id, "Ada") as ada:
        await heard(ada, "presence")
        await new_message(client, room_id, "one")
        seen = (await ada.receive_json())["sequence"]
    for text in ("two", "three"):
        await new_message(client, room_id, text)

    async with visit(client, room_id, "Ada", seen) as ada:
        texts = [(await heard(ada, "said"))["message"]["text"] for _ in range(2)]
        await heard(ada, "presence")

    assert texts == ["two", "three"]


async def test_the_page_knows_from_where_on_its_script_must_ask(client: TestClient) -> None:
    room_id = await new_room(client)
    await new_message(client, room_id, "on the page")
    page = (await client.get(f"/rooms/{room_id}")).text
    await new_message(client, room_id, "after the page")

    last_seen = int(page.partition('data-last-seen="')[2].partition('"')[0])
    async with visit(client, room_id, last_seen=last_seen) as guest:
        assert (await heard(guest, "said"))["message"]["text"] == "after the page"
        await heard(guest, "presence")


async def test_older_pages_of_a_room_are_not_live(client: TestClient) -> None:
    room_id = await new_room(client)

    assert 'id="live"' in (await client.get(f"/rooms/{room_id}")).text
    assert 'id="live"' not in (await client.get(f"/rooms/{room_id}?before=7")).text


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("{", "malformed_json"),
        ('{"type": "chat.message", "text": " "}', "invalid_message"),
        ('{"type": "chat.message"}', "invalid_message"),
        ('{"type": "chat.shout", "text": "Hello"}', "invalid_message"),
        ('"Hello"', "invalid_message"),
    ],
)
async def test_a_bad_message_is_answered_and_the_next_one_is_taken(client: TestClient, message: str, code: str) -> None:
    room_id = await new_room(client)

    async with visit(client, room_id, "Ada") as ada:
        await heard(ada, "presence")
        await ada.send_text(message)
        answer = await ada.receive_json()
        await ada.send_json({"type": "chat.message", "text": "Hello"})
        await heard(ada, "said")

    assert (answer["type"], answer["code"]) == ("error", code)


async def test_a_guest_may_listen_and_has_to_have_a_name_to_speak(client: TestClient) -> None:
    room_id = await new_room(client)

    async with visit(client, room_id) as guest:
        await heard(guest, "presence")
        for message in ({"type": "chat.message", "text": "Hello"}, {"type": "chat.typing"}):
            await guest.send_json(message)
            assert (await guest.receive_json())["code"] == "no_name"


async def test_nobody_speaks_in_a_room_that_was_deleted(client: TestClient) -> None:
    room_id = await new_room(client)

    async with visit(client, room_id, "Ada") as ada:
        await heard(ada, "presence")
        await client.delete(f"/api/rooms/{room_id}")
        await heard(ada, "closed")
        await ada.send_json({"type": "chat.message", "text": "Hello"})
        assert (await ada.receive_json())["code"] == "room_not_found"


@pytest.mark.parametrize(
    ("path", "origin", "status"),
    [
        ("/api/rooms/7/live", "https://board.example", 404),
        ("/api/rooms/1/live", "https://evil.example", 403),
        ("/api/rooms/1/live?last_seen=x", "https://board.example", 422),
        (f"/api/rooms/1/live?name={'x' * 41}", "https://board.example", 422),
    ],
)
async def test_who_may_not_come_in_hears_so_before_the_handshake(
    client: TestClient, path: str, origin: str, status: int
) -> None:
    await new_room(client)

    with pytest.raises(WebSocketDenied) as caught:
        async with client.websocket_connect(path, headers={"origin": origin}):
            pass

    assert caught.value.status_code == status


async def test_nobody_hears_of_what_was_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(transaction: Transaction) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    async with TestClient(create_app(Options(tmp_path)), raise_app_exceptions=False) as client:
        room_id = await new_room(client)
        async with visit(client, room_id) as guest:
            await heard(guest, "presence")
            with monkeypatch.context() as patch:
                patch.setattr(Transaction, "commit", full)
                refused = await client.post(f"/api/rooms/{room_id}/messages", json={"author": "Ada", "text": "lost"})
            await new_message(client, room_id, "kept")
            said = await heard(guest, "said")

    assert (refused.status_code, said["message"]["text"]) == (500, "kept")


async def test_messages_are_kept_while_the_channels_are_away(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def away(self: MemoryBackend, *args: object, **options: object) -> int:
        raise BackendUnavailable

    room_id = await new_room(client)
    monkeypatch.setattr(MemoryBackend, "publish", away)
    monkeypatch.setattr(MemoryBackend, "history", away)
    await new_message(client, room_id, "Hello")
    page = await client.get(f"/rooms/{room_id}")

    assert (page.status_code, "Hello" in page.text) == (200, True)
    assert f"nobody was told of 'said' in room:{room_id}" in caplog.text


async def test_the_channels_of_the_board_can_be_replaced(tmp_path: Path) -> None:
    """`News` is provided like the store: a test may put a fake in its place."""

    class Silence(News):
        def __init__(self) -> None:
            self.told: list[str] = []

        async def last_seen(self, room_id: int) -> int:
            return 0

        async def closed(self, room_id: int) -> None:
            self.told.append(f"closed {room_id}")

    silence = Silence()
    async with TestClient(create_app(Options(tmp_path, TOKEN)), overrides={News: lambda: silence}) as client:
        room_id = await new_room(client)
        await client.delete(f"/api/rooms/{room_id}", headers=MODERATOR)

    assert silence.told == [f"closed {room_id}"]
