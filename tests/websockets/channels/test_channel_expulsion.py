"""Who may not be in a channel any more is put out of it, in whichever process they are."""

import asyncio

import pytest

from nexios import NexiosApp
from nexios.messages.response import Response
from nexios.testing import TestClient
from nexios.websockets import BackendUnavailable, Channel, Hub, MemoryBackend, MemoryEngine, WebSocket
from nexios.websockets.clock import ManualClock
from nexios.websockets.message import CONTROL, Kind, write_wire
from tests.websockets.channels.room_kit import Site, SlowBackend, turns


def two_processes() -> tuple[Site, Site]:
    clock = ManualClock()
    engine = MemoryEngine(clock=clock)
    return Site(engine, clock=clock), Site(engine, clock=clock)


async def test_all_members_of_a_user_are_closed_in_all_processes() -> None:
    here, there = two_processes()
    _, tab, _ = await here.join(user="ada")
    _, phone, _ = await there.join(user="ada")
    _, bob, _ = await there.join(user="bob")
    _, guest, _ = await here.join()

    await here.channel().expel("ada", reason="banned")
    await here.channel().publish("she is gone")
    await turns()

    assert (tab.closed_with, phone.closed_with) == ((1008, "banned"), (1008, "banned"))
    assert (bob.closed_with, guest.closed_with) == (None, None)
    assert (tab.got, phone.got, bob.got, guest.got) == ([], [], ["she is gone"], ["she is gone"])
    assert [entry.user for entry in await there.channel().presence()] == ["bob"]


async def test_one_member_is_put_out_and_the_other_tabs_of_the_user_stay() -> None:
    here, there = two_processes()
    _, tab, member = await there.join(user="ada")
    _, other, _ = await there.join(user="ada")

    await here.channel().expel(member, code=4001)
    await turns()

    assert (tab.closed_with, other.closed_with) == ((4001, "expelled"), None)


async def test_a_websocket_of_this_process_is_put_out_by_itself() -> None:
    site = Site()
    websocket, client, _ = await site.join()
    elsewhere, other, _ = await site.join("room:2")

    await site.channel().expel(websocket)
    await site.channel().expel(elsewhere)
    await turns()

    assert (client.closed_with, other.closed_with) == ((1008, "expelled"), None)


async def test_who_is_put_out_of_one_channel_is_in_no_other_one_either() -> None:
    site = Site()
    websocket, client, _ = await site.join(user="ada")
    await site.channel("news").connect(websocket, user="ada")

    await site.channel().expel("ada")
    await site.channel("news").publish("hello")
    await turns()

    assert (client.got, site.hub.channels) == ([], ())


async def test_somebody_is_put_out_of_a_group_of_channels() -> None:
    here, there = two_processes()
    _, one, _ = await here.join("room:1", user="ada")
    _, two, _ = await there.join("room:2", user="ada")
    _, news, _ = await there.join("news", user="ada")

    await here.hub.expel("room:*", "ada", code=1008, reason="")
    await turns()
    assert (one.closed_with, two.closed_with, news.closed_with) == ((1008, ""), (1008, ""), None)

    await here.hub.expel("*", "ada", code=1008, reason="")
    await turns()
    assert news.closed_with == (1008, "")


async def test_who_is_still_reading_the_history_is_put_out_too() -> None:
    clock = ManualClock()
    site = Site(backend=SlowBackend(MemoryEngine(clock=clock)), clock=clock)
    for number in range(3):
        await site.channel().publish(number)
    feed = site.channel().listen(last_seen=0)
    feed.names = ("ada",)
    opening = asyncio.ensure_future(feed.__aenter__())
    while not site.hub._rooms or not next(iter(site.hub._rooms)).readers:
        await turns(1)

    await site.channel().expel("ada")
    await opening

    assert [message.data async for message in feed] == []
    await turns(20)
    assert site.hub.channels == ()


@pytest.mark.parametrize(("code", "reason"), [(1005, ""), (999, ""), (1008, "x" * 124)])
async def test_a_close_frame_that_cannot_be_is_refused_at_once(code: int, reason: str) -> None:
    site = Site()
    with pytest.raises(ValueError, match="close a WebSocket"):
        await site.channel().expel("ada", code=code, reason=reason)


async def test_what_no_process_of_ours_wrote_puts_nobody_out(caplog: pytest.LogCaptureFixture) -> None:
    site = Site()
    _, client, _ = await site.join(user="ada")
    site.hub._incoming.receive(CONTROL, 0, write_wire(Kind.EXPULSION, b"[1008", to="ada", group="*"))
    await turns()

    assert client.closed_with is None
    assert "cannot be read" in caplog.text


async def test_an_engine_that_is_away_is_told() -> None:
    site = Site()
    await site.hub.stop()
    with pytest.raises(BackendUnavailable):
        await site.channel().expel("ada")


async def test_the_event_stream_of_a_user_ends_and_its_client_is_refused_when_it_comes_back() -> None:
    engine = MemoryEngine()
    banned: set[str] = set()

    def make_app() -> NexiosApp:
        app = NexiosApp(channels=Hub(MemoryBackend(engine)))

        @app.hub.guard("room:*")
        async def may_read(client: WebSocket, channel: str) -> bool:
            return client.query_params["user"] not in banned

        @app.get("/events")
        async def events(request, response, user: str) -> Response:  # type: ignore[no-untyped-def]
            return response.sse(Channel("room:1").events(request, user=user))  # type: ignore[no-any-return]

        return app

    here, there = make_app(), make_app()
    async with TestClient(here), TestClient(there) as client:
        async with (
            client.stream_events("GET", "/events?user=ada") as ada,
            client.stream_events("GET", "/events?user=bob") as bob,
        ):
            while len(await there.channel("room:1").presence()) < 2:
                await turns(1)
            banned.add("ada")
            await here.channel("room:1").expel("ada")

            assert [event async for event in ada] == []
            await here.channel("room:1").publish("she is gone")
            assert (await bob.next()).data == "she is gone"
        assert (await client.get("/events?user=ada")).status_code == 403
