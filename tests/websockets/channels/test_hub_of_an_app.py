"""What does an app do for the hub that it is given?"""

from nexios import NexiosApp
from nexios.events.emitter import EventEmitter
from nexios.testing import TestClient
from nexios.websockets import Channel, Hub, PresenceDiff, WebSocket


async def test_a_hub_of_your_own_tells_the_events_of_the_app() -> None:
    app = NexiosApp(channels=Hub(lease=10.0))
    joined: list[str] = []

    @app.events.on("channels.presence")
    async def note(channel: str, diff: PresenceDiff) -> None:
        joined.extend(entry.user for entry in diff.joins)

    @app.websocket("/{user}")
    async def enter(websocket: WebSocket, user: str) -> None:
        await Channel("room:1").connect(websocket, user=user, envelope=True)
        async for _ in websocket:
            pass

    async with TestClient(app) as client, client.websocket_connect("/ada") as ada:
        await ada.receive_json()
        async with client.websocket_connect("/bob"):
            await ada.receive_json()

    assert joined == ["bob"]


def test_a_hub_keeps_the_events_that_it_was_given() -> None:
    events = EventEmitter()

    assert NexiosApp(channels=Hub(events=events)).hub.events is events
