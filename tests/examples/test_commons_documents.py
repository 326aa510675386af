"""How the example `commons` describes itself, and who may moderate it; in memory."""

from pathlib import Path

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from examples.commons.app import create_app
from examples.commons.options import Options
from nexios.testing import TestClient
from tests.examples.commons_steps import MODERATOR, TOKEN, new_file, new_message, new_room, problem_of


@pytest.mark.parametrize("path", ["/openapi.json", "/moderation/openapi.json"])
async def test_each_document_is_valid(client: TestClient, path: str) -> None:
    document = (await client.get(path)).json()

    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []


@pytest.mark.parametrize("path", ["/docs", "/docs/scalar", "/docs/swagger", "/docs/redoc", "/moderation/docs"])
async def test_each_document_has_its_pages(client: TestClient, path: str) -> None:
    response = await client.get(path)

    assert (response.status_code, response.headers["content-type"]) == (200, "text/html; charset=utf-8")


async def test_moderation_has_a_document_of_its_own(client: TestClient) -> None:
    everybodys = (await client.get("/openapi.json")).json()
    moderators = (await client.get("/moderation/openapi.json")).json()

    assert list(moderators["paths"]) == ["/api/moderation/files", "/api/moderation/messages"]
    assert not set(everybodys["paths"]) & set(moderators["paths"])
    assert "StoredAttachment" in moderators["components"]["schemas"]
    assert "StoredAttachment" not in everybodys["components"]["schemas"]


async def test_the_document_says_what_a_client_has_to_know(client: TestClient) -> None:
    document = (await client.get("/openapi.json")).json()
    create = document["paths"]["/api/rooms"]["post"]
    messages = document["paths"]["/api/rooms/{room_id}/messages"]["get"]
    form = document["paths"]["/api/rooms/{room_id}/attachments"]["post"]["requestBody"]["content"]

    assert (document["info"]["title"], document["servers"][0]["url"]) == ("Commons", "/")
    assert [tag["name"] for tag in document["tags"]] == ["rooms", "messages", "files", "live", "members"]
    assert {"201", "409", "422"} <= set(create["responses"])
    assert [parameter["name"] for parameter in messages["parameters"]] == ["room_id", "before", "limit"]
    assert list(form) == ["multipart/form-data"]
    assert all(path.startswith("/api/") for path in document["paths"])


@pytest.mark.parametrize(
    "authorization", ["", "Bearer wrong", "Bearer None", "Bearer ", "Basic c2VzYW1lOg==", "sesame"]
)
async def test_whoever_does_not_show_the_token_is_no_moderator(client: TestClient, authorization: str) -> None:
    response = await client.get("/api/moderation/files", headers={"authorization": authorization})

    assert response.status_code == 401
    assert response.headers["www-authenticate"].startswith('Bearer realm="commons"')


async def test_without_a_token_of_the_board_no_program_is_a_moderator(tmp_path: Path) -> None:
    async with TestClient(create_app(Options(tmp_path))) as client:
        for headers in ({}, MODERATOR, {"authorization": "Bearer None"}):
            response = await client.get("/api/moderation/files", headers=headers)
            assert response.status_code == 401


async def test_strangers_are_refused_before_they_are_told_what_else_is_wrong(tmp_path: Path) -> None:
    async with TestClient(create_app(Options(tmp_path, TOKEN))) as client:
        stranger = await client.delete("/api/moderation/messages", headers={"authorization": "Bearer guess"})
        moderator = await client.delete("/api/moderation/messages", headers=MODERATOR)

    assert problem_of(stranger) == (401, "invalid_token", None)
    assert problem_of(moderator) == (422, "invalid_input", "/author")


async def test_moderators_see_all_files_page_by_page(tmp_path: Path) -> None:
    async with TestClient(create_app(Options(tmp_path, TOKEN))) as client:
        for name in ("Garden", "Kitchen"):
            await new_file(client, f"rooms/{await new_room(client, name)}", f"{name}.txt")
        [first] = (await client.get("/api/moderation/files?limit=1", headers=MODERATOR)).json()
        rest = (await client.get(f"/api/moderation/files?after={first['id']}", headers=MODERATOR)).json()

    assert [first["filename"], *(file["filename"] for file in rest)] == ["Garden.txt", "Kitchen.txt"]
    assert (tmp_path / "attachments" / first["stored_as"]).is_file()


async def test_moderators_remove_all_that_somebody_wrote(tmp_path: Path) -> None:
    async with TestClient(create_app(Options(tmp_path, TOKEN))) as client:
        room_id = await new_room(client)
        client.headers.update(MODERATOR)
        await new_file(client, f"messages/{await new_message(client, room_id, 'Buy!', 'Spammer')}")
        await new_message(client, room_id, "Buy more!", "Spammer")
        await new_message(client, room_id, "Hello")
        removed = await client.delete("/api/moderation/messages?author=Spammer", headers=MODERATOR)
        left = (await client.get(f"/api/rooms/{room_id}/messages")).json()["messages"]

    assert removed.json() == {"messages": 2, "files": 1}
    assert [message["author"] for message in left] == ["Ada"]
    assert list((tmp_path / "attachments").iterdir()) == []
