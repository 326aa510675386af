"""The files of the example `commons`, in memory: uploads, downloads, and what is left on disk."""

from pathlib import Path

import pytest

from examples.commons.api.attachments import MAX_FILE
from nexios.testing import TestClient
from tests.examples.commons_steps import new_file, new_message, new_room, problem_of


async def test_a_deleted_room_takes_its_messages_and_files_with_it(client: TestClient, tmp_path: Path) -> None:
    room_id = await new_room(client)
    message_id = await new_message(client, room_id, "Hello")
    await new_file(client, f"messages/{message_id}")
    await new_file(client, f"rooms/{room_id}")
    assert len(list((tmp_path / "attachments").iterdir())) == 2

    response = await client.delete(f"/api/rooms/{room_id}")

    assert (response.status_code, response.content) == (204, b"")
    assert problem_of(await client.get(f"/api/messages/{message_id}")) == (404, "message_not_found", None)
    assert list((tmp_path / "attachments").iterdir()) == []


async def test_a_deleted_message_is_gone_with_its_file(client: TestClient, tmp_path: Path) -> None:
    message_id = await new_message(client, await new_room(client), "Hello")
    attachment_id = (await new_file(client, f"messages/{message_id}")).json()["id"]

    response = await client.delete(f"/api/messages/{message_id}")

    assert response.status_code == 204
    assert problem_of(await client.get(f"/api/attachments/{attachment_id}")) == (404, "attachment_not_found", None)
    assert list((tmp_path / "attachments").iterdir()) == []


async def test_a_file_comes_back_as_a_download(client: TestClient) -> None:
    room_id = await new_room(client)
    created = await new_file(client, f"rooms/{room_id}", "na\u00efve plan.html", b"<script>alert(1)</script>")

    response = await client.get(created.headers["location"])

    assert created.json()["caption"] == "The plan"
    assert response.content == b"<script>alert(1)</script>"
    assert response.headers["content-disposition"].startswith("attachment; ")
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in response.headers["content-security-policy"]


async def test_a_part_of_a_file_can_be_asked_for(client: TestClient) -> None:
    url = (await new_file(client, f"rooms/{await new_room(client)}")).headers["location"]

    response = await client.get(url, headers={"range": "bytes=2-4"})

    assert (response.status_code, response.content) == (206, b"234")
    assert response.headers["content-range"] == "bytes 2-4/10"


async def test_a_file_that_is_known_is_not_sent_again(client: TestClient) -> None:
    url = (await new_file(client, f"rooms/{await new_room(client)}")).headers["location"]
    etag = (await client.get(url)).headers["etag"]

    response = await client.get(url, headers={"if-none-match": etag})

    assert (response.status_code, response.content) == (304, b"")


async def test_the_files_of_a_room_are_those_of_its_messages_too(client: TestClient) -> None:
    room_id = await new_room(client)
    message_id = await new_message(client, room_id, "Hello")
    await new_file(client, f"messages/{message_id}", "a.txt")
    await new_file(client, f"rooms/{room_id}", "b.txt")

    files = (await client.get(f"/api/rooms/{room_id}/attachments")).json()

    assert [(file["filename"], file["message_id"]) for file in files] == [("a.txt", message_id), ("b.txt", None)]
    [message] = (await client.get(f"/api/rooms/{room_id}/messages")).json()["messages"]
    assert [file["filename"] for file in message["attachments"]] == ["a.txt"]


@pytest.mark.parametrize(
    ("name", "kept"),
    [("../../etc/passwd", "passwd"), ("..\\..\\boot.ini", "boot.ini"), ("/", "file"), ("..", "file"), ("CON", "_CON")],
)
async def test_no_word_of_a_client_is_in_a_path(client: TestClient, tmp_path: Path, name: str, kept: str) -> None:
    response = await new_file(client, f"rooms/{await new_room(client)}", name)

    assert response.json()["filename"] == kept
    [stored] = (tmp_path / "attachments").iterdir()
    assert len(stored.name) == 32
    assert set(stored.name) <= set("0123456789abcdef")


@pytest.mark.parametrize("target", ["rooms/7", "messages/7"])
async def test_a_file_for_nothing_is_not_kept(client: TestClient, tmp_path: Path, target: str) -> None:
    response = await new_file(client, target)

    assert response.status_code == 404
    assert list((tmp_path / "attachments").iterdir()) == []


async def test_a_form_without_a_file_is_a_problem(client: TestClient) -> None:
    room_id = await new_room(client)

    response = await client.post(f"/api/rooms/{room_id}/attachments", data={"file": "text", "caption": "x"})

    assert problem_of(response) == (422, "invalid_input", "/file")


async def test_a_caption_has_an_end(client: TestClient, tmp_path: Path) -> None:
    url = f"/api/rooms/{await new_room(client)}/attachments"

    response = await client.post(url, files={"file": ("a.txt", b"x")}, data={"caption": "x" * 201})

    assert problem_of(response) == (422, "invalid_input", "/caption")
    assert list((tmp_path / "attachments").iterdir()) == []


async def test_a_file_of_a_type_that_nobody_exchanges_is_refused(client: TestClient, tmp_path: Path) -> None:
    url = f"/api/rooms/{await new_room(client)}/attachments"

    response = await client.post(url, files={"file": ("setup.exe", b"MZ", "application/x-msdownload")})

    assert problem_of(response) == (422, "invalid_input", "/file")
    assert list((tmp_path / "attachments").iterdir()) == []


async def test_a_file_has_a_largest_size(client: TestClient, tmp_path: Path) -> None:
    """The form around it may still be within its own limit."""
    response = await new_file(client, f"rooms/{await new_room(client)}", "big.bin", b"x" * (MAX_FILE + 1))

    assert problem_of(response) == (422, "invalid_input", "/file")
    assert list((tmp_path / "attachments").iterdir()) == []


async def test_all_that_is_wrong_with_a_form_is_told_at_once(client: TestClient) -> None:
    url = f"/api/rooms/{await new_room(client)}/attachments"

    response = await client.post(url, data={"caption": "x" * 201})

    assert [(error["in"], error["pointer"], error["code"]) for error in response.json()["errors"]] == [
        ("form", "/file", "missing"),
        ("form", "/caption", "too_long"),
    ]


async def test_nobody_is_told_where_a_file_is_kept(client: TestClient) -> None:
    room_id = await new_room(client)
    created = await new_file(client, f"messages/{await new_message(client, room_id, 'Hello')}")
    answers = [
        created,
        await client.get(f"/api/rooms/{room_id}/attachments"),
        await client.get(f"/api/rooms/{room_id}/messages"),
    ]

    assert created.json()["filename"] == "plan.txt"
    assert not any("stored_as" in answer.text for answer in answers)
