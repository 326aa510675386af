"""Members of the example `commons`, in memory: how they come and go, and what they may do."""

import re
import sqlite3
from contextlib import AsyncExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from examples.commons.people import Account, Member
from examples.commons.store.storage import SCHEMA
from nexios.testing import TestClient, WebSocketSession
from nexios.websockets import WebSocketDisconnect
from tests.examples.commons_people import COOKIE, browsing, member, picture, sign_in, sign_up
from tests.examples.commons_steps import new_message, new_room, problem_of


async def make(admin: TestClient, member_id: int, role: str) -> None:
    response = await admin.post(f"/members/{member_id}/role", data={"role": role})
    assert response.status_code == 303


async def with_role(stack: AsyncExitStack, folder: Path, role: str) -> TestClient:
    """Return a browser of someone with a role, on a board whose admin is somebody else."""
    admin = await stack.enter_async_context(member(folder, "Root"))
    if role == "guest":
        return await stack.enter_async_context(browsing(folder))
    someone = await stack.enter_async_context(member(folder, "Someone"))
    await make(admin, 2, role)
    await sign_in(someone, "Someone")
    return someone


async def test_who_signs_up_can_sign_in_and_out(tmp_path: Path) -> None:
    async with browsing(tmp_path) as client:
        signed_up = await sign_up(client, "Ada")
        signed_in = await sign_in(client, "Ada")
        there = (await client.get("/")).text
        signed_out = await client.post("/sign-out")
        gone = (await client.get("/")).text

    assert [answer.headers["location"] for answer in (signed_up, signed_in, signed_out)] == ["/sign-in", "/", "/"]
    assert '<span class="me-name">Ada</span>' in there
    assert 'class="me-name"' not in gone
    assert 'href="/sign-up"' in gone


async def test_a_flash_message_is_shown_once(tmp_path: Path) -> None:
    async with member(tmp_path, "Ada") as ada:
        pages = [(await ada.get("/")).text for _ in range(2)]

    assert ["Welcome, Ada." in page for page in pages] == [True, False]


async def test_the_first_member_is_the_admin_and_the_second_is_none(tmp_path: Path) -> None:
    async with browsing(tmp_path) as client:
        first = (await client.get("/sign-up")).text
        async with member(tmp_path, "Ada") as ada, member(tmp_path, "Bob") as bob:
            second = (await client.get("/sign-up")).text
            roles = [(await one.get("/api/me")).json()["role"] for one in (ada, bob)]

    assert ("You are the first" in first, "You are the first" in second) == (True, False)
    assert roles == ["admin", "member"]


@pytest.mark.parametrize("name", ["ADA", " ada ", "Ａｄａ"])
async def test_a_name_is_one_however_it_is_written(tmp_path: Path, name: str) -> None:
    async with member(tmp_path, "Ada"), browsing(tmp_path) as client:
        await sign_up(client, name, "another password")

        assert (await sign_in(client, name, "another password")).status_code == 422
        assert (await sign_in(client, name)).status_code == 303


@pytest.mark.parametrize("name", ["", "   ", "x" * 41, "A\u200bda", "A\u202eda", "Ada\n\x00"])
async def test_a_name_that_cannot_be_seen_is_none(tmp_path: Path, name: str) -> None:
    async with browsing(tmp_path) as client:
        response = await sign_up(client, name)

    assert response.status_code == 422
    assert "all of which can be seen" in response.text


async def test_a_password_that_is_too_short_is_refused_and_not_shown_again(tmp_path: Path) -> None:
    async with browsing(tmp_path) as client:
        response = await sign_up(client, 'Ada "', "hunter2")

    assert response.status_code == 422
    assert "A password has at least 8 characters." in response.text
    assert 'value="Ada &quot;"' in response.text
    assert "hunter2" not in response.text


async def test_who_signed_in_comes_back_to_where_they_were(tmp_path: Path) -> None:
    async with browsing(tmp_path) as client:
        room_id = await new_room(client)
        page = (await client.get(f"/rooms/{room_id}")).text
        form = (await client.get(f"/sign-in?next=/rooms/{room_id}")).text
        await sign_up(client, "Ada")
        arrived = await sign_in(client, "Ada", next=f"/rooms/{room_id}")

    assert f'href="/sign-in?next=/rooms/{room_id}"' in page
    assert f'name="next" value="/rooms/{room_id}"' in form
    assert arrived.headers["location"] == f"/rooms/{room_id}"


async def test_a_page_for_members_leads_to_the_way_in(tmp_path: Path) -> None:
    async with browsing(tmp_path) as client:
        response = await client.get("/account")

    assert response.status_code == 401
    assert 'href="/sign-in?next=/account"' in response.text


async def test_a_member_writes_under_the_name_of_the_account(tmp_path: Path) -> None:
    async with member(tmp_path, "Ada") as ada, browsing(tmp_path) as guest:
        room_id = await new_room(ada)
        await new_message(ada, room_id, "by the API", "Bob")
        await ada.post(f"/rooms/{room_id}/messages", data={"author": "Bob", "text": "by the form"})
        await new_message(guest, room_id, "me too", "Ada")
        listed = (await guest.get(f"/api/rooms/{room_id}/messages")).json()["messages"]
        page = (await guest.get(f"/rooms/{room_id}")).text

    assert [(one["author"], one["member"]) for one in listed] == [
        ("Ada", None),
        ("Ada", {"id": 1, "role": "admin", "avatar": None}),
        ("Ada", {"id": 1, "role": "admin", "avatar": None}),
    ]
    assert re.findall(r'<span class="tag" data-kind="(\w*)">', page.partition("<template")[0]) == [
        "admin",
        "admin",
        "guest",
    ]


async def test_a_member_has_a_picture_and_so_has_what_they_wrote(tmp_path: Path) -> None:
    async with member(tmp_path, "Ada") as ada, browsing(tmp_path) as guest:
        room_id = await new_room(ada)
        message_id = await new_message(ada, room_id, "Hello")
        await ada.post("/account/avatar", files={"avatar": ("me.png", picture(), "image/png")})
        path = (await guest.get(f"/api/messages/{message_id}")).json()["member"]["avatar"]
        shown = await guest.get(path)
        page = (await guest.get(f"/rooms/{room_id}")).text
        await ada.post("/account/avatar/delete")
        after = (await guest.get(f"/api/messages/{message_id}")).json()["member"]["avatar"]
        gone = await guest.get(path)

    assert re.fullmatch(r"/avatars/[0-9a-f]{32}\.png", path)
    assert (shown.content, shown.headers["content-type"]) == (picture(), "image/png")
    assert f'<img class="avatar" src="{path}" alt=""' in page
    assert (after, gone.status_code) == (None, 404)
    assert list((tmp_path / "avatars").iterdir()) == []


ROLES = ["guest", "member", "editor", "admin"]
ACTS: dict[str, tuple[str, str, dict[str, str], tuple[int, int, int, int]]] = {
    "see the account": ("get", "/account", {}, (401, 200, 200, 200)),
    "change a message": ("post", "/messages/1/edit", {"text": "changed"}, (401, 403, 303, 303)),
    "delete a message": ("post", "/messages/1/delete", {}, (401, 403, 303, 303)),
    "rename a room": ("post", "/rooms/1/rename", {"name": "Park"}, (401, 403, 303, 303)),
    "delete a room": ("post", "/rooms/1/delete", {}, (401, 403, 403, 303)),
    "see all members": ("get", "/members", {}, (401, 403, 403, 200)),
    "give a role": ("post", "/members/1/role", {"role": "member"}, (401, 403, 403, 303)),
}
"""What is done, and the answers to each role."""


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("role", ROLES)
async def test_each_may_do_what_the_role_says(tmp_path: Path, role: str, act: str) -> None:
    """On a board with a room and a message of a guest in it."""
    method, path, data, statuses = ACTS[act]
    async with AsyncExitStack() as stack:
        someone = await with_role(stack, tmp_path, role)
        async with browsing(tmp_path) as guest:
            await new_message(guest, await new_room(guest), "Hello")
        response = await someone.request(method, path, data=data or None)

    assert response.status_code == statuses[ROLES.index(role)]


@pytest.mark.parametrize("role", ROLES)
async def test_the_api_allows_the_same(tmp_path: Path, role: str) -> None:
    allowed = {
        "guest": [401, 401, 401, 401],
        "member": [403, 403, 403, 403],
        "editor": [200, 200, 403, 403],
        "admin": [200, 200, 200, 204],
    }
    async with AsyncExitStack() as stack:
        someone = await with_role(stack, tmp_path, role)
        async with browsing(tmp_path) as guest:
            await new_message(guest, await new_room(guest), "Hello")
        answers = [
            await someone.patch("/api/messages/1", json={"text": "changed"}),
            await someone.patch("/api/rooms/1", json={"name": "Park"}),
            await someone.get("/api/moderation/files"),
            await someone.delete("/api/rooms/1"),
        ]

    assert [answer.status_code for answer in answers] == allowed[role]


async def test_what_one_wrote_is_ones_own(tmp_path: Path) -> None:
    async with member(tmp_path, "Root") as root, member(tmp_path, "Ada") as ada, member(tmp_path, "Bob") as bob:
        message_id = await new_message(ada, await new_room(root), "Helo")
        refused = [
            await bob.patch(f"/api/messages/{message_id}", json={"text": "mine"}),
            await bob.delete(f"/api/messages/{message_id}"),
            await bob.post(f"/api/messages/{message_id}/attachments", files={"file": ("a.txt", b"a")}),
        ]
        form = (await ada.get(f"/messages/{message_id}/edit")).text
        changed = await ada.post(f"/messages/{message_id}/edit", data={"text": "Hello\r\nthere"})
        by_editor = await root.patch(f"/api/messages/{message_id}", json={"author": "Root", "text": "Hello there"})

    assert [problem_of(answer) for answer in refused] == [(403, "not_yours", None)] * 3
    assert ">Helo</textarea>" in form
    assert changed.headers["location"] == f"/rooms/1#message-{message_id}"
    assert (by_editor.json()["author"], by_editor.json()["text"]) == ("Ada", "Hello there")


async def test_a_change_that_says_nothing_keeps_what_was_typed(tmp_path: Path) -> None:
    async with member(tmp_path, "Ada") as ada:
        message_id = await new_message(ada, await new_room(ada), "Hello")
        response = await ada.post(f"/messages/{message_id}/edit", data={"text": "x" * 4001})

    assert response.status_code == 422
    assert "A message has 1 to 4,000 characters." in response.text
    assert "x" * 4001 in response.text


async def test_a_page_offers_what_its_viewer_may_do(tmp_path: Path) -> None:
    async with member(tmp_path, "Root") as root, member(tmp_path, "Ada") as ada, browsing(tmp_path) as guest:
        await new_message(ada, await new_room(guest), "Hello")
        offered = {}
        for name, one in {"root": root, "ada": ada, "guest": guest}.items():
            page = (await one.get("/rooms/1")).text.partition("<template")[0]
            offered[name] = [words in page for words in ("Delete the message of Ada", "Rename", "Delete this room")]

    assert offered == {"root": [True, True, True], "ada": [True, False, False], "guest": [False, False, False]}


async def test_who_may_do_more_or_less_signs_in_anew(tmp_path: Path) -> None:
    async with member(tmp_path, "Root") as root, member(tmp_path, "Ada") as ada:
        await make(root, 2, "editor")
        ended = await ada.get("/api/me")
        await sign_in(ada, "Ada")
        again = await ada.get("/api/me")
        untouched = await root.get("/api/me")

    assert (ended.status_code, again.json()["role"], untouched.json()["role"]) == (401, "editor", "admin")


async def test_there_is_always_an_admin(tmp_path: Path) -> None:
    async with member(tmp_path, "Root") as root:
        response = await root.post("/members/1/role", data={"role": "member"})
        unknown = await root.post("/members/7/role", data={"role": "member"})
        wrong = await root.post("/members/1/role", data={"role": "king"})

        assert (response.status_code, unknown.status_code, wrong.status_code) == (409, 404, 422)
        assert (await root.get("/api/me")).json()["role"] == "admin"


async def heard(visitor: WebSocketSession, event: str) -> Any:
    message = await visitor.receive_json()
    assert message.get("event") == event, message
    return message["data"]


async def test_a_live_room_knows_members_by_their_session(tmp_path: Path) -> None:
    """Whatever name they give; and a guest cannot pass for one."""
    async with member(tmp_path, "Ada") as ada:
        room_id = await new_room(ada)
        path = f"/api/rooms/{room_id}/live?name="
        async with ada.websocket_connect(f"{path}Bob") as visitor:
            [joined] = (await heard(visitor, "presence"))["joins"]
            await visitor.send_json({"type": "chat.message", "text": "Hello"})
            said = await heard(visitor, "said")
            ada.cookies.clear()
            async with ada.websocket_connect(f"{path}@1"):
                [guest] = (await heard(visitor, "presence"))["joins"]

    assert (joined["user"], joined["metadata"]) == ("@1", {"name": "Ada"})
    assert said["message"]["author"] == "Ada"
    assert said["message"]["member"]["id"] == 1
    assert guest["user"] == "1"


async def test_a_live_room_looks_again_when_a_member_signs_out(tmp_path: Path) -> None:
    async with member(tmp_path, "Ada") as ada:
        room_id = await new_room(ada)
        async with ada.websocket_connect(f"/api/rooms/{room_id}/live") as visitor:
            await heard(visitor, "presence")
            await ada.post("/sign-out")
            with pytest.raises(WebSocketDisconnect) as caught:
                await visitor.receive_json()

    assert caught.value.code == 1012


async def test_a_session_of_one_process_is_one_of_all(tmp_path: Path) -> None:
    async with member(tmp_path, "Ada") as ada, browsing(tmp_path) as other:
        other.cookies[COOKIE] = ada.cookies[COOKIE]
        there = (await other.get("/api/me")).json()
        await ada.post("/sign-out")
        gone = await other.get("/api/me")

    assert (there["name"], gone.status_code) == ("Ada", 401)


async def test_a_board_from_before_there_were_members_goes_on(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "board.sqlite3")) as database, database:
        database.executescript(SCHEMA.partition("CREATE TABLE IF NOT EXISTS member")[0])
        database.execute("INSERT INTO room VALUES (1, 'Garden', 'garden', '2026-01-01T00:00:00+00:00')")
        database.execute("INSERT INTO message VALUES (1, 1, 'Ada', 'Hello', '2026-01-01T00:00:00+00:00')")

    async with member(tmp_path, "Ada") as ada:
        [message] = (await ada.get("/api/rooms/1/messages")).json()["messages"]

    assert (message["author"], message["text"], message["member"]) == ("Ada", "Hello", None)


def test_neither_hash_nor_password_is_shown_by_mistake() -> None:
    account = Account(Member(1, "Ada", "member"), "$scrypt$...")

    assert repr(account) == "<Account 1>"
    assert "scrypt" not in f"{account} {[account]}"
