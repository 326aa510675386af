"""Who is here, who came, who left, and what of those whose process died?"""

import asyncio
from typing import Any

import pytest

from nexios.events import CHANNELS_PRESENCE
from nexios.events.emitter import EventEmitter
from nexios.websockets.backends.memory import MemoryEngine
from nexios.websockets.clock import ManualClock
from nexios.websockets.member import PresenceDiff, PresenceEntry
from nexios.websockets.presence import PresenceView
from tests.websockets.channels.room_kit import Client, Site, turns


def changes(client: Client) -> list[tuple[str, list[str]]]:
    """What a client was told: what happened, and to whom."""
    told = [envelope["data"] for envelope in client.envelopes if envelope.get("event") == "presence"]
    return [
        (kind, [entry.get("user") or entry["metadata"].get("name") for entry in diff[kind]])
        for diff in told
        for kind in ("joins", "leaves", "updates")
        if diff[kind]
    ]


def two_sites() -> tuple[Site, Site]:
    clock = ManualClock()
    engine = MemoryEngine(clock=clock)
    return Site(engine, clock=clock), Site(engine, clock=clock)


async def names(site: Site, name: str = "room:1") -> list[str]:
    return sorted(entry.key for entry in await site.channel(name).presence())


async def test_members_with_a_user_or_metadata_are_present() -> None:
    site = Site()
    _, _, ada = await site.join(user="ada", metadata={"age": 36})
    _, _, guest = await site.join(metadata={})
    await site.join()
    await site.join("room:2", user="bob")

    assert await site.channel().presence() == (
        PresenceEntry(ada.id, "ada", {"age": 36}),
        PresenceEntry(guest.id, "", {}),
    )


async def test_who_is_present_is_told_of_all_who_are_here_and_then_of_changes() -> None:
    site = Site()
    await site.join(user="ada")
    _, bob, _ = await site.join(user="bob", envelope=True)
    websocket, _, _ = await site.join(user="cyd")
    await site.channel().disconnect(websocket)
    await turns()

    assert changes(bob) == [("joins", ["ada", "bob"]), ("joins", ["cyd"]), ("leaves", ["cyd"])]


async def test_members_without_an_envelope_are_told_nothing() -> None:
    site = Site()
    _, client, _ = await site.join(user="ada")
    await site.join(user="bob")

    assert client.got == []


async def test_a_second_tab_neither_joins_nor_leaves() -> None:
    site = Site()
    _, bob, _ = await site.join(user="bob", envelope=True)
    first, _, _ = await site.join(user="ada")
    second, _, _ = await site.join(user="ada")
    await site.channel().disconnect(first)
    await turns()
    assert changes(bob) == [("joins", ["bob"]), ("joins", ["ada"])]
    await site.channel().disconnect(second)
    await turns()

    assert changes(bob)[2:] == [("leaves", ["ada"])]


async def test_metadata_can_change() -> None:
    site = Site()
    _, bob, _ = await site.join(user="bob", envelope=True)
    websocket, _, _ = await site.join(user="ada", metadata={"typing": False})
    await site.channel().update(websocket, {"typing": True})

    assert changes(bob)[-1] == ("updates", ["ada"])
    assert {entry.key: entry.metadata for entry in await site.channel().presence()}["ada"] == {"typing": True}


async def test_a_second_tab_speaks_for_its_user_too() -> None:
    site = Site()
    _, bob, _ = await site.join(user="bob", envelope=True)
    first, _, _ = await site.join(user="ada", metadata={"typing": False})
    second, _, _ = await site.join(user="ada", metadata={"typing": False})
    await site.channel().update(second, {"typing": True})
    assert changes(bob)[-1] == ("updates", ["ada"])
    await site.channel().update(first, {"typing": False})

    assert changes(bob)[-2:] == [("updates", ["ada"]), ("updates", ["ada"])]
    assert bob.envelopes[-1]["data"]["updates"][0]["metadata"] == {"typing": False}


async def test_presence_reaches_over_processes() -> None:
    one, two = two_sites()
    _, ada, _ = await one.join(user="ada", envelope=True)
    websocket, bob, _ = await two.join(user="bob", envelope=True)
    await turns()
    await two.channel().disconnect(websocket)
    await turns()

    assert changes(ada) == [("joins", ["ada"]), ("joins", ["bob"]), ("leaves", ["bob"])]
    assert changes(bob) == [("joins", ["ada", "bob"])]


async def test_a_process_that_dies_leaves_within_its_lease_and_others_are_unaffected() -> None:
    one, two = two_sites()
    _, ada, _ = await one.join(user="ada", envelope=True)
    await two.join(user="bob")
    assert await names(one) == ["ada", "bob"]

    for task in asyncio.all_tasks():  # as kill -9 does: nothing more is said
        if task.get_name() == "nexios-presence" and task in two.hub._tasks._tasks:
            task.cancel()
    two.hub.backend.engine.receivers["room:1"].pop(two.hub.backend._node)  # type: ignore[attr-defined]
    await one.clock.advance(30)

    assert changes(ada)[-1] == ("leaves", ["bob"])
    assert await names(one) == ["ada"]
    await one.clock.advance(300)
    assert await names(one) == ["ada"]


async def test_a_process_that_slept_over_its_lease_comes_back() -> None:
    one, two = two_sites()
    _, ada, _ = await one.join(user="ada", envelope=True)
    await two.join(user="bob")
    engine: Any = two.hub.backend.engine  # type: ignore[attr-defined]
    engine._leases[two.hub.backend._node] = 0.0  # type: ignore[attr-defined]
    assert await names(one) == ["ada"]
    await one.clock.advance(30)

    assert await names(one) == ["ada", "bob"]
    assert changes(ada)[-1] == ("joins", ["bob"])


async def test_presence_costs_nothing_when_nobody_is_present() -> None:
    site = Site()
    before = asyncio.all_tasks()
    websocket, _, _ = await site.join(user="ada", envelope=True)
    assert site.clock.waiting == 1
    await site.channel().disconnect(websocket)
    await turns()
    await site.join()

    assert site.clock.waiting == 0
    assert asyncio.all_tasks() == before


async def test_an_event_tells_the_app() -> None:
    events = EventEmitter()
    heard: list[tuple[str, PresenceDiff]] = []
    events.on(CHANNELS_PRESENCE, lambda channel, diff: heard.append((channel, diff)))
    site = Site(events=events)
    await site.join(user="ada", envelope=True)
    _, _, bob = await site.join(user="bob")
    await turns()

    assert heard == [("room:1", PresenceDiff(joins=(bob.entry,)))]


async def test_metadata_without_json_form_makes_nobody_a_member() -> None:
    site = Site()
    with pytest.raises(TypeError):
        await site.join(metadata={"x": object()})
    await turns()

    assert site.hub.channels == ()
    assert await site.channel().presence() == ()


def test_who_leaves_while_a_view_is_loaded_is_not_in_it() -> None:
    view = PresenceView()
    view.left = set()
    view.apply(PresenceDiff(leaves=(PresenceEntry("a", "ada"),)))

    assert view.left == {"a"}


def test_a_view_that_is_replaced_says_what_changed() -> None:
    view = PresenceView()
    view.apply(PresenceDiff(joins=(PresenceEntry("a", "ada"), PresenceEntry("b", "bob"))))
    diff = view.replace({"b": PresenceEntry("b", "bob", {"x": 1}), "c": PresenceEntry("c", "cyd")})

    assert diff == PresenceDiff(
        joins=(PresenceEntry("c", "cyd"),),
        leaves=(PresenceEntry("a", "ada"),),
        updates=(PresenceEntry("b", "bob", {"x": 1}),),
    )
    assert not view.replace(view.entries)
