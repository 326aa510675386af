"""What is new on the board of `commons`, as server-sent events; in memory."""

from nexios.testing import TestClient
from tests.examples.commons_steps import new_message, new_room


async def test_what_is_said_in_any_room_is_an_event(client: TestClient) -> None:
    garden, kitchen = await new_room(client, "Garden"), await new_room(client, "Kitchen")

    async with client.stream_events("GET", "/api/activity") as events:
        await new_message(client, garden, "x" * 200)
        await new_message(client, kitchen, "Hello", "Bob")
        first, second = await events.next(), await events.next()

    assert (first.event, first.json()["text"]) == ("said", "x" * 140)
    assert second.json() == {
        "room_id": kitchen,
        "room": "Kitchen",
        "author": "Bob",
        "text": "Hello",
        "message_id": 2,
    }


async def test_who_comes_is_told_the_newest_and_who_comes_back_the_rest(client: TestClient) -> None:
    room_id = await new_room(client)
    for number in range(30):
        await new_message(client, room_id, f"message {number}")

    async with client.stream_events("GET", "/api/activity") as events:
        texts = [(await events.next()).json()["text"] for _ in range(20)]
        last = events.last_event_id
    await new_message(client, room_id, "while away")
    async with client.stream_events("GET", "/api/activity", headers={"last-event-id": last}) as events:
        rest = (await events.next()).json()["text"]

    assert texts == [f"message {number}" for number in range(10, 30)]
    assert rest == "while away"


async def test_the_first_page_follows_it(client: TestClient) -> None:
    text = (await client.get("/")).text

    assert 'data-path="/api/activity"' in text
    assert "/assets/activity.js?v=" in text
