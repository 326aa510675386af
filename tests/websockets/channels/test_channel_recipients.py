"""Whom is a message for? Everybody, everybody but some, one, or a group of channels."""

from collections.abc import Callable
from typing import Any

import pytest

from nexios.errors import ConfigurationError
from nexios.messages.websocket import WebSocket
from nexios.websockets.backends.memory import MemoryEngine
from nexios.websockets.channel import Channel, ChannelGroup
from nexios.websockets.clock import ManualClock
from nexios.websockets.member import Member
from nexios.websockets.message import BadChannelName
from tests.websockets.channels.room_kit import Site, turns


@pytest.mark.parametrize(
    "excluded",
    [
        lambda websocket, member: websocket,
        lambda websocket, member: member,
        lambda websocket, member: member.id,
        lambda websocket, member: "ada",
        lambda websocket, member: [websocket],
        lambda websocket, member: {"nobody", "ada"},
    ],
    ids=["websocket", "member", "id", "user", "list", "set"],
)
async def test_some_are_left_out(excluded: Callable[[WebSocket, Member], Any]) -> None:
    site = Site()
    websocket, ada, member = await site.join(user="ada")
    _, bob, _ = await site.join(user="bob")
    _, guest, _ = await site.join()
    await site.channel().broadcast("hello", exclude=excluded(websocket, member))

    assert (ada.got, bob.got, guest.got) == ([], ["hello"], ["hello"])


async def test_who_is_left_out_is_left_out_in_all_processes_and_in_the_history() -> None:
    clock = ManualClock()
    engine = MemoryEngine(clock=clock)
    one, two = Site(engine, clock=clock), Site(engine, clock=clock)
    _, first, _ = await one.join(user="ada")
    _, second, _ = await two.join(user="ada")
    await one.channel().broadcast("hello", exclude="ada")
    _, third, _ = await two.join(user="ada", last_seen=0)
    _, bob, _ = await two.join(user="bob", last_seen=0)

    assert (first.got, second.got, third.data, bob.data) == ([], [], [], ["hello"])


async def test_a_message_to_one_member_reaches_it_in_whichever_process() -> None:
    clock = ManualClock()
    engine = MemoryEngine(clock=clock)
    one, two = Site(engine, clock=clock), Site(engine, clock=clock)
    _, here, _ = await one.join()
    websocket, there, member = await two.join()
    _, tab, _ = await two.join(user="ada", envelope=True)
    _, other, _ = await one.join(user="ada")
    await one.channel().send_to(member.id, "by id")
    await two.channel().send_to(websocket, "by websocket")
    await two.channel().send_to(member, "by member")
    await one.channel().send_to("ada", "by user", event="whisper")
    await one.channel().send_to("nobody", "lost")
    await turns()

    assert here.got == []
    assert there.got == ["by id", "by websocket", "by member"]
    assert other.got == ["by user"]
    assert tab.envelopes[-1] == {"channel": "room:1", "event": "whisper", "data": "by user"}
    assert await one.channel().history() == ()


async def test_a_message_to_a_websocket_that_is_no_member_goes_to_nobody() -> None:
    site = Site()
    _, client, _ = await site.join()
    stranger, _ = site.socket()
    await site.channel().send_to(stranger, "secret")
    await site.channel().send_to("", "secret")

    assert client.got == []


async def test_a_group_reaches_all_channels_that_begin_alike_in_all_processes() -> None:
    clock = ManualClock()
    engine = MemoryEngine(clock=clock)
    one, two = Site(engine, clock=clock), Site(engine, clock=clock)
    _, first, _ = await one.join("room:1")
    websocket, second, _ = await two.join("room:2", envelope=True)
    _, hall, _ = await two.join("hall")
    group = ChannelGroup("room:*", one.hub)
    await group.broadcast("to all rooms", event="notice")
    await ChannelGroup("room:*", two.hub).publish("to others", exclude=websocket)
    await ChannelGroup("*", one.hub).publish("to everybody")
    await turns()

    assert first.got == ["to all rooms", "to others", "to everybody"]
    assert second.envelopes[0] == {"channel": "room:2", "event": "notice", "data": "to all rooms"}
    assert [envelope["data"] for envelope in second.envelopes] == ["to all rooms", "to everybody"]
    assert hall.got == ["to everybody"]
    assert await one.channel("room:1").history() == ()


async def test_a_group_knows_its_channels_and_members_here() -> None:
    site = Site()
    _, _, one = await site.join("room:1")
    _, _, two = await site.join("room:2")
    await site.join("hall")
    group = ChannelGroup("room:*", site.hub)

    assert [channel.name for channel in group.channels()] == ["room:1", "room:2"]
    assert group.members() == (one, two)
    assert repr(group) == "<ChannelGroup 'room:*'>"


async def test_a_client_that_chooses_its_room_cannot_choose_all_of_them() -> None:
    site = Site()
    with pytest.raises(BadChannelName):
        Channel("room:*", site.hub)
    with pytest.raises(BadChannelName):
        await site.hub.publish("room:*", "hello")
    with pytest.raises(ConfigurationError):
        ChannelGroup("*:1", site.hub)


async def test_members_tell_who_they_are() -> None:
    site = Site()
    websocket, _, member = await site.join(user="ada", metadata={"x": 1})

    assert site.channel().members() == (member,)
    assert (member.websocket, member.user, member.metadata, member.channel) == (websocket, "ada", {"x": 1}, "room:1")
    assert len({(await site.join())[2].id for _ in range(50)}) == 50
