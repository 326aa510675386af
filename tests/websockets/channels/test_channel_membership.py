"""Who is in a channel, and who gets what is sent to it?"""

import asyncio
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest

from nexios.errors import ConfigurationError, HTTPException
from nexios.messages.websocket import WebSocket, WebSocketDisconnect
from nexios.messages.websocket_state import SocketState
from nexios.websockets.channel import Channel
from nexios.websockets.hub import Hub
from nexios.websockets.message import BadChannelName
from nexios.websockets.rules import ChannelForbidden, TooManyChannels
from tests.websockets.channels.room_kit import Client, Context, Site, turns
from tests.websockets.fake_transport import make_plans


class Said(msgspec.Struct, tag="said"):
    text: str


@dataclass
class Point:
    x: int


async def test_the_seed_snippet_works_as_it_is_written() -> None:
    site = Site()

    async def chat_room(websocket: WebSocket, room_id: str) -> None:
        channel = Channel(f"room:{room_id}")
        await channel.connect(websocket)
        try:
            while True:
                message = await websocket.receive_json()
                await channel.broadcast(message)
        except WebSocketDisconnect:
            await channel.disconnect(websocket)

    _, listener, _ = await site.join("room:7")
    websocket, client = site.socket(incoming=['{"text": "hello"}', '{"text": "bye"}', (1000, "")])
    await chat_room(websocket, "7")

    assert client.sent[0] == ("accept", None, [])
    assert client.got == listener.got == ['{"text":"hello"}', '{"text":"bye"}']
    assert len(site.channel("room:7").members()) == 1


async def test_connecting_accepts_a_websocket_that_nobody_accepted() -> None:
    site = Site()
    websocket, client = site.socket()
    await websocket.accept(headers=[("x-mine", "1")])
    await site.channel().connect(websocket)

    assert client.sent == [("accept", None, [("x-mine", "1")])]


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"a": [1]}, '{"a":[1]}'),
        ([1, None], "[1,null]"),
        (None, "null"),
        (17, "17"),
        ("text", "text"),
        ("", ""),
        ("snow ☃", "snow ☃"),
        (b"\x00\xff", b"\x00\xff"),
        (bytearray(b"ab"), b"ab"),
        (Said("hi"), '{"type":"said","text":"hi"}'),
        (Point(1), '{"x":1}'),
    ],
)
async def test_text_and_bytes_go_as_they_are_and_anything_else_as_json(message: object, expected: object) -> None:
    site = Site()
    _, client, _ = await site.join()
    await site.channel().broadcast(message)

    assert client.got == [expected]


async def test_a_message_without_json_form_is_refused_before_anybody_gets_it() -> None:
    site = Site()
    _, client, _ = await site.join()
    with pytest.raises(TypeError):
        await site.channel().broadcast(object())

    assert client.got == []


async def test_a_message_is_encoded_once_for_all_members(monkeypatch: pytest.MonkeyPatch) -> None:
    site = Site()
    for _ in range(10):
        await site.join()
    calls = []

    class Counted(dict[str, Any]):
        def items(self) -> Any:
            calls.append(1)
            return super().items()

    await site.channel().broadcast(Counted(a=1))

    texts = {id(text) for member in site.channel().members() for text in member.websocket._transport.got}  # type: ignore[attr-defined]
    assert len(texts) == 1


async def test_each_message_has_a_number_and_a_time_of_its_own() -> None:
    """Fault 46 of the published project: all messages of a process shared one id and one time."""
    site = Site()
    first = await site.channel().publish("one")
    second = await site.channel().publish("two")
    one, two = await site.channel().history()

    assert (one.sequence, two.sequence) == (first, second)
    assert second == first + 1
    assert one is not two
    assert 0 < one.sent_at <= two.sent_at


async def test_a_dead_socket_leaves_by_itself_and_the_others_get_the_message() -> None:
    """Fault 47: one peer that had gone aborted the broadcast."""
    site = Site()
    clients = [(await site.join())[1] for _ in range(5)]
    clients[2].client_is_gone = True
    await site.channel().broadcast("hello")

    assert [client.got for client in clients] == [["hello"], ["hello"], [], ["hello"], ["hello"]]
    assert len(site.channel().members()) == 4
    assert site.hub.counters.dropped == 1


async def test_members_may_come_and_go_while_a_message_is_delivered() -> None:
    """Fault 47: the live dict was iterated."""
    site = Site()
    members = [await site.join() for _ in range(20)]
    members[5][1].is_stuck = True
    broadcast = asyncio.ensure_future(site.channel().broadcast("hello"))
    for websocket, _, _ in members[::2]:
        await site.channel().disconnect(websocket)
    await site.join()
    await broadcast
    members[5][1].is_stuck = False
    await turns()

    assert all(client.got == ["hello"] for _, client, _ in members[1::2])


async def test_disconnecting_twice_or_without_being_in_does_nothing() -> None:
    site = Site()
    websocket, client, member = await site.join()
    stranger, _ = site.socket()
    for _ in range(2):
        await site.channel().disconnect(websocket)
        await Channel("room:1").disconnect(websocket)
        await Channel("room:1").disconnect(stranger)
    await site.channel().broadcast("hello")

    assert member.has_left
    assert client.got == []
    assert websocket.is_open


async def test_connecting_twice_makes_one_member() -> None:
    site = Site()
    websocket, client, member = await site.join()
    again, other = await asyncio.gather(site.channel().connect(websocket), site.channel().connect(websocket))
    await site.channel().broadcast("hello")

    assert again is other is member
    assert client.got == ["hello"]


async def test_two_connects_at_once_make_one_member() -> None:
    site = Site()
    websocket, client = site.socket()
    await websocket.accept()
    one, two = await asyncio.gather(site.channel().connect(websocket), site.channel().connect(websocket))
    await site.channel().broadcast("hello")

    assert one is two
    assert client.got == ["hello"]
    await site.channel().disconnect(websocket)
    await turns()
    assert not site.hub.channels


async def test_a_member_leaves_when_its_handler_ends_however_it_ends() -> None:
    site = Site()

    async def handler(websocket: WebSocket) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(Channel("room:1").connect(websocket))
            group.create_task(Channel("room:2").connect(websocket))
        assert len(site.hub.channels) == 2
        raise RuntimeError("a mistake")

    client = Client()
    await make_plans(handler).handle(client, Context(site.app))
    await turns()

    assert client.closed_with == (1011, "")
    assert not site.hub.channels


@pytest.mark.parametrize("state", [SocketState.CLOSED, SocketState.LEFT])
async def test_a_websocket_that_is_over_cannot_connect(state: SocketState) -> None:
    site = Site()
    websocket, _ = site.socket(incoming=[(4001, "bye")])
    await websocket.accept()
    if state is SocketState.CLOSED:
        await websocket.close(4001, "bye")
    else:
        with pytest.raises(WebSocketDisconnect):
            await websocket.receive()
    with pytest.raises(WebSocketDisconnect) as caught:
        await site.channel().connect(websocket)

    assert (caught.value.code, caught.value.reason) == (4001, "bye")
    assert not site.hub.channels


async def test_a_client_that_goes_during_the_handshake_is_no_member() -> None:
    site = Site()
    websocket, _ = site.socket(client_is_gone=True)
    with pytest.raises(WebSocketDisconnect):
        await site.channel().connect(websocket)

    assert not site.hub.channels


@pytest.mark.parametrize(
    "name",
    ["", "x" * 201, "room:*", "*", "a*b", "a\nb", "a\x00b", "\ud800", "\u202e", "room:\x7f"],
)
async def test_a_bad_name_is_refused_as_the_mistake_of_a_client(name: str) -> None:
    with pytest.raises(BadChannelName) as caught:
        Channel(name)

    assert (caught.value.status_code, caught.value.code) == (400, "bad_channel_name")
    assert isinstance(caught.value, ValueError | HTTPException)


@pytest.mark.parametrize("name", ["__class__", "__dict__", "a/b.c d", "räume:☃", "x" * 200, "$", "'--"])
async def test_a_name_is_nothing_but_a_name(name: str) -> None:
    """Security row I8."""
    site = Site()
    _, client, _ = await site.join(name)
    await site.join("other")
    await site.channel(name).broadcast("hello")

    assert client.got == ["hello"]
    assert set(site.hub.channels) == {name, "other"}


async def test_a_name_that_is_no_text_is_a_mistake() -> None:
    with pytest.raises(TypeError, match=r"Channel\('room:1'\)"):
        Channel(17)  # type: ignore[arg-type]


async def test_a_channel_that_belongs_to_no_app_says_how_to_get_one() -> None:
    with pytest.raises(ConfigurationError, match=r"app\.channel\('room:1'\)"):
        await Channel("room:1").broadcast("hello")


async def test_an_app_without_a_hub_is_a_mistake() -> None:
    site = Site()
    del site.app.hub
    websocket, _ = site.socket()
    with pytest.raises(ConfigurationError, match="has no hub"):
        await Channel("room:1").connect(websocket)

    assert websocket.connection_state is SocketState.CONNECTING


async def test_apps_share_no_channels() -> None:
    """Fault 48: groups were global to the process."""
    one, two = Site(), Site()
    _, first, _ = await one.join()
    _, second, _ = await two.join()
    await one.channel().broadcast("hello")

    assert (first.got, second.got) == (["hello"], [])


async def test_a_websocket_is_in_so_many_channels_at_most_and_leaves_all_of_them() -> None:
    """Security row I6."""
    site = Site(max_channels=3)
    websocket, client = site.socket()
    for number in range(3):
        await site.channel(f"room:{number}").connect(websocket)
    for number in range(3, 100):
        with pytest.raises(TooManyChannels) as caught:
            await site.channel(f"room:{number}").connect(websocket)
        assert caught.value.status_code == 429
    await site.channel("room:1").connect(websocket)
    assert len(site.hub.channels) == 3

    client.client_is_gone = True
    await site.channel("room:1").broadcast("hello")
    await turns()
    assert not site.hub.channels


# Guards


async def test_a_guard_says_who_may_join_before_the_handshake_is_answered() -> None:
    site = Site()
    asked = []

    @site.hub.guard("room:*")
    async def may_join(websocket: WebSocket, channel: str) -> bool:
        asked.append((websocket.connection_state, channel))
        return channel == "room:1"

    await site.join("room:1")
    websocket, client = site.socket()
    with pytest.raises(ChannelForbidden) as caught:
        await site.channel("room:2").connect(websocket)

    assert asked == [(SocketState.CONNECTING, "room:1"), (SocketState.CONNECTING, "room:2")]
    assert (caught.value.status_code, client.sent) == (403, [])
    assert site.channel("room:2").members() == ()
    await site.join("hall")


@pytest.mark.parametrize("answer", [False, None, 1, "yes", object()])
async def test_only_true_lets_anybody_in(answer: Any) -> None:
    site = Site()
    site.hub.guard("*")(lambda websocket, channel: answer)
    with pytest.raises(ChannelForbidden):
        await site.join()


async def test_all_guards_have_to_agree_and_may_raise_what_they_like() -> None:
    site = Site()
    site.hub.guard("room:1")(lambda websocket, channel: True)

    @site.hub.guard("room:*")
    def needs_login(websocket: WebSocket, channel: str) -> bool:
        raise HTTPException(401)

    with pytest.raises(HTTPException) as caught:
        await site.join()

    assert caught.value.status_code == 401


@pytest.mark.parametrize("pattern", ["*:1", "a**", "a*b"])
def test_a_pattern_has_its_star_at_the_end(pattern: str) -> None:
    with pytest.raises(ConfigurationError, match="at the end"):
        Hub().guard(pattern)(lambda websocket, channel: True)


def test_a_guard_that_cannot_be_called_is_a_mistake() -> None:
    with pytest.raises(ConfigurationError, match="must be a function"):
        Hub().guard("room:*")(True)  # type: ignore[type-var]
