"""The REST API of the example `commons`, in memory: rooms, messages, export and search."""

import json
from pathlib import Path

import pytest

from examples.commons.app import create_app
from examples.commons.options import Options
from nexios.testing import TestClient
from tests.examples.commons_steps import new_message, new_room, problem_of


async def test_a_new_board_has_no_rooms(client: TestClient) -> None:
    response = await client.get("/api/rooms")

    assert (response.status_code, response.json()) == (200, [])


async def test_a_new_room_is_at_the_location_that_is_answered(client: TestClient) -> None:
    response = await client.post("/api/rooms", json={"name": "  Book \n club "})

    assert response.status_code == 201
    assert response.headers["location"] == "/api/rooms/1"
    assert response.json()["name"] == "Book club"
    assert (await client.get("/api/rooms/1")).json() == response.json()


async def test_rooms_come_with_the_most_active_first(client: TestClient) -> None:
    first, second = await new_room(client, "First"), await new_room(client, "Second")
    await new_message(client, first, "Hello")

    rooms = (await client.get("/api/rooms")).json()

    assert [(room["id"], room["message_count"]) for room in rooms] == [(first, 1), (second, 0)]


async def test_two_rooms_cannot_have_one_name_in_whatever_case(client: TestClient) -> None:
    await new_room(client, "Straße")

    response = await client.post("/api/rooms", json={"name": "STRASSE"})

    assert problem_of(response) == (409, "room_name_taken", None)


async def test_a_room_can_be_renamed(client: TestClient) -> None:
    room_id = await new_room(client, "Garden")

    response = await client.patch(f"/api/rooms/{room_id}", json={"name": "GARDEN"})

    assert (response.status_code, response.json()["name"]) == (200, "GARDEN")


async def test_a_room_cannot_take_the_name_of_another(client: TestClient) -> None:
    await new_room(client, "Garden")
    room_id = await new_room(client, "Kitchen")

    response = await client.patch(f"/api/rooms/{room_id}", json={"name": "garden"})

    assert problem_of(response) == (409, "room_name_taken", None)
    assert (await client.get(f"/api/rooms/{room_id}")).json()["name"] == "Kitchen"


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
async def test_a_room_that_is_not_there_is_a_problem(client: TestClient, method: str) -> None:
    response = await client.request(method, "/api/rooms/7", json={"name": "x"} if method == "PATCH" else None)

    assert problem_of(response) == (404, "room_not_found", None)


@pytest.mark.parametrize("room_id", ["0", "-1", "01", "999999999999999999999", "\u0661", "x"])
async def test_what_is_no_id_is_no_path(client: TestClient, room_id: str) -> None:
    assert problem_of(await client.get(f"/api/rooms/{room_id}")) == (404, "not_found", None)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/name"),
        ({"name": ""}, "/name"),
        ({"name": " \t\n "}, "/name"),
        ({"name": 7}, "/name"),
        ({"name": None}, "/name"),
        ({"name": "x" * 61}, "/name"),
        ([], ""),
        ("name", ""),
    ],
)
async def test_a_room_without_a_proper_name_is_not_made(client: TestClient, body: object, pointer: str) -> None:
    response = await client.post("/api/rooms", json=body)

    assert problem_of(response) == (422, "invalid_input", pointer)
    assert (await client.get("/api/rooms")).json() == []


async def test_json_that_is_none_is_a_bad_request(client: TestClient) -> None:
    response = await client.post("/api/rooms", content=b'{"name":', headers={"content-type": "application/json"})

    assert problem_of(response) == (400, "malformed_json", None)


async def test_a_body_of_another_type_is_not_read(client: TestClient) -> None:
    response = await client.post("/api/rooms", content=b'{"name": "x"}', headers={"content-type": "text/plain"})

    assert problem_of(response) == (415, "unsupported_media_type", None)


async def test_a_json_body_over_the_limit_is_refused(client: TestClient) -> None:
    response = await client.post("/api/rooms", json={"name": "x" * 70_000})

    assert problem_of(response) == (413, "content_too_large", None)


async def test_messages_come_in_pages_with_the_newest_first(client: TestClient) -> None:
    room_id = await new_room(client)
    for number in range(5):
        await new_message(client, room_id, f"message {number}")

    pages, url = [], f"/api/rooms/{room_id}/messages?limit=2"
    while url:
        page = (await client.get(url)).json()
        pages.append([message["text"] for message in page["messages"]])
        url = page["older"]

    assert pages == [["message 4", "message 3"], ["message 2", "message 1"], ["message 0"]]


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("limit=0", "/limit"),
        ("limit=101", "/limit"),
        ("limit=", "/limit"),
        ("limit=many", "/limit"),
        ("before=0", "/before"),
        ("before=-3", "/before"),
        ("before=99999999999999999999", "/before"),
        ("before=%F0%9F%92%A5", "/before"),
    ],
)
async def test_a_page_that_cannot_be_is_a_problem(client: TestClient, query: str, pointer: str) -> None:
    room_id = await new_room(client)

    response = await client.get(f"/api/rooms/{room_id}/messages?{query}")

    assert problem_of(response) == (422, "invalid_input", pointer)


async def test_a_new_message_is_at_the_location_that_is_answered(client: TestClient) -> None:
    room_id = await new_room(client)

    response = await client.post(f"/api/rooms/{room_id}/messages", json={"author": " Ada ", "text": " Hello\nthere "})

    assert response.status_code == 201
    assert (await client.get(response.headers["location"])).json() == response.json()
    assert (response.json()["author"], response.json()["text"]) == ("Ada", "Hello\nthere")


async def test_nobody_writes_into_a_room_that_is_not_there(client: TestClient) -> None:
    response = await client.post("/api/rooms/7/messages", json={"author": "Ada", "text": "Hello"})

    assert problem_of(response) == (404, "room_not_found", None)


async def test_an_export_has_one_message_a_line_with_the_oldest_first(client: TestClient) -> None:
    room_id = await new_room(client)
    for number in range(3):
        await new_message(client, room_id, f"line {number}\nsecond")

    response = await client.get(f"/api/rooms/{room_id}/export")

    assert response.headers["content-type"] == "application/jsonl"
    assert response.headers["content-disposition"] == f'attachment; filename="room-{room_id}.jsonl"'
    assert [json.loads(line)["text"] for line in response.text.splitlines()] == [
        "line 0\nsecond",
        "line 1\nsecond",
        "line 2\nsecond",
    ]


async def test_an_export_of_nothing_is_empty(client: TestClient) -> None:
    response = await client.get(f"/api/rooms/{await new_room(client)}/export")

    assert (response.status_code, response.content) == (200, b"")


async def test_search_finds_the_text_as_it_is_written(client: TestClient) -> None:
    room_id = await new_room(client)
    for text in ("100% sure", "100 times sure", "snake_case", "snakeXcase"):
        await new_message(client, room_id, text)

    found = {
        text: [
            one["text"]
            for one in (await client.request("QUERY", "/api/search", json={"text": text})).json()["messages"]
        ]
        for text in ("SURE", "100%", "e_c", "nothing")
    }

    assert found == {
        "SURE": ["100 times sure", "100% sure"],
        "100%": ["100% sure"],
        "e_c": ["snake_case"],
        "nothing": [],
    }


async def test_search_can_stay_in_one_room(client: TestClient) -> None:
    garden, kitchen = await new_room(client, "Garden"), await new_room(client, "Kitchen")
    await new_message(client, garden, "knives")
    message_id = await new_message(client, kitchen, "knives")

    response = await client.request("QUERY", "/api/search", json={"text": "knives", "room_id": kitchen})

    assert [message["id"] for message in response.json()["messages"]] == [message_id]


async def test_search_without_a_text_is_a_problem(client: TestClient) -> None:
    response = await client.request("QUERY", "/api/search", json={"text": "  "})

    assert problem_of(response) == (422, "invalid_input", "/text")


async def test_a_wrong_method_is_told_the_right_ones(client: TestClient) -> None:
    response = await client.get("/api/search")

    assert problem_of(response) == (405, "method_not_allowed", None)
    assert response.headers["allow"] == "OPTIONS, QUERY"


async def test_an_unknown_path_of_the_api_is_a_problem_for_a_browser_too(client: TestClient) -> None:
    response = await client.get("/api/nothing", headers={"accept": "text/html"})

    assert problem_of(response) == (404, "not_found", None)


async def test_every_answer_has_the_id_of_its_request(client: TestClient) -> None:
    response = await client.get("/api/nothing", headers={"x-request-id": "abc-123"})

    assert response.headers["x-request-id"] == "abc-123"
    assert response.headers["server-timing"].startswith("app;dur=")


async def test_another_site_cannot_make_a_browser_write(client: TestClient) -> None:
    response = await client.post("/api/rooms", json={"name": "x"}, headers={"sec-fetch-site": "cross-site"})

    assert problem_of(response) == (403, "cross_origin", None)
    assert (await client.get("/api/rooms")).json() == []


async def test_what_was_kept_is_there_after_a_restart(tmp_path: Path) -> None:
    for expected in ([], ["Garden"]):
        async with TestClient(create_app(Options(tmp_path))) as client:
            assert [room["name"] for room in (await client.get("/api/rooms")).json()] == expected
            if not expected:
                await new_room(client, "Garden")
