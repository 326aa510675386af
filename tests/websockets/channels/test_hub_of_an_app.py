"""What does an app do for the hub that it is given?"""

from nexios import NexiosApp
from nexios.events.emitter import EventEmitter
from nexios.testing import TestClient
from nexios.websockets import Channel, Hub, ManualClock, MemoryBackend, MemoryEngine, PresenceDiff, WebSocket


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


async def test_channels_in_memory_begin_anew_when_the_app_has_stopped() -> None:
    app = NexiosApp()
    channel = app.channel("room:1")
    async with TestClient(app):
        before = await channel.publish("of the first test")
    async with TestClient(app):
        assert await channel.history() == ()
        after = await channel.publish("of the second")

    assert after > before


async def test_two_clients_at_once_have_one_history() -> None:
    app = NexiosApp()
    async with TestClient(app):
        async with TestClient(app):
            await app.channel("room:1").publish("hello")
        assert len(await app.channel("room:1").history()) == 1


async def test_an_engine_that_was_given_outlives_the_app() -> None:
    app = NexiosApp(channels=MemoryBackend(MemoryEngine()))
    async with TestClient(app):
        await app.channel("room:1").publish("hello")
    async with TestClient(app):
        assert [message.data for message in await app.channel("room:1").history()] == ["hello"]


async def test_the_clock_of_a_test_client_is_that_of_histories() -> None:
    clock = ManualClock()
    app = NexiosApp()
    async with TestClient(app, clock=clock):
        await app.channel("room:1").publish("old")
        await clock.advance(200)
        await app.channel("room:1").publish("new")
        await clock.advance(100)

        assert [message.data for message in await app.channel("room:1").history()] == ["new"]


async def test_the_clock_of_a_test_client_is_that_of_leases_for_as_long_as_it_runs() -> None:
    clock = ManualClock()
    app = NexiosApp()
    own = app.hub.clock

    @app.websocket("/{user}")
    async def enter(websocket: WebSocket, user: str) -> None:
        await Channel("room:1").connect(websocket, user=user)
        async for _ in websocket:
            pass

    async with TestClient(app, clock=clock) as client, client.websocket_connect("/ada") as ada:
        await ada.send_text("hello")
        while not await app.channel("room:1").presence():
            await clock.advance(0)
        assert clock.waiting == 1  # the next time that the lease is renewed
        await clock.advance(300)
        assert [entry.user for entry in await app.channel("room:1").presence()] == ["ada"]

    assert clock.waiting == 0
    assert app.hub.clock is own
