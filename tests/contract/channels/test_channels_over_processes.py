"""What hubs in several processes promise, whatever engine is between them."""

import asyncio
import gc
import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from nexios.websockets.history import HistoryLimits
from nexios.websockets.hub import Hub
from nexios.websockets.life import HubLife
from tests.cancelling import cancelled_at_each_await
from tests.contract.channels.engines import PATIENCE, Engine
from tests.websockets.channels.room_kit import Client, Site

KEEP = HistoryLimits(count=1000, age=60.0)


@asynccontextmanager
async def hubs(engine: Engine, number: int = 2, **options: Any) -> AsyncIterator[list[Site]]:
    """So many processes, with the time of the event loop."""
    async with AsyncExitStack() as stack:
        sites = []
        for _ in range(number):
            site = Site()
            site.hub = site.app.hub = Hub(engine.backend(), history=KEEP, **options)
            await site.hub.start()
            stack.push_async_callback(site.hub.stop)
            sites.append(site)
        yield sites


async def until(condition: Callable[[], object]) -> None:
    """Wait for what comes by way of the engine."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110  a server tells nothing of what it did
            await asyncio.sleep(0.002)


def presence_of(client: Client) -> list[tuple[str, list[str]]]:
    """What a client was told."""
    told = [envelope["data"] for envelope in client.envelopes if envelope.get("event") == "presence"]
    kinds = ("joins", "leaves", "updates")
    return [(kind, [entry["user"] for entry in diff[kind]]) for diff in told for kind in kinds if diff[kind]]


async def test_members_of_all_processes_get_one_order(engine: Engine) -> None:
    async with hubs(engine) as sites:
        clients = [(await site.join())[1] for site in sites for _ in range(3)]
        await asyncio.gather(
            *(
                site.channel().publish({"site": index, "number": n})
                for n in range(30)
                for index, site in enumerate(sites)
            )
        )
        await until(lambda: all(len(client.got) == 60 for client in clients))

    assert all(client.got == clients[0].got for client in clients)


async def test_a_client_resumes_in_another_process_while_publishing_goes_on(engine: Engine) -> None:
    async with hubs(engine) as sites:
        published: list[int] = []

        async def publish() -> None:
            for number in range(200):
                published.append(await sites[number % 2].channel().publish(number))

        publishing = asyncio.ensure_future(publish())
        seen: list[int] = []
        while not publishing.done() or seen[-1:] != published[-1:]:
            site = sites[len(seen) % 2]
            websocket, client, _ = await site.join(last_seen=seen[-1] if seen else 0)
            await asyncio.sleep(0.01)
            await site.channel().disconnect(websocket)
            seen += client.sequences

    assert seen == published


async def test_direct_messages_and_groups_reach_other_processes(engine: Engine) -> None:
    async with hubs(engine) as [one, two]:
        await one.join("room:1")
        _, client, member = await two.join("room:1")
        await one.channel("room:1").send_to(member.id, "direct")
        await one.hub.publish_to_group("room:*", "group")
        await until(lambda: len(client.got) == 2)

    assert sorted(client.got) == ["direct", "group"]


async def test_who_is_put_out_is_put_out_in_other_processes(engine: Engine) -> None:
    async with hubs(engine) as [one, two]:
        _, ada, _ = await two.join(user="ada")
        _, bob, _ = await two.join(user="bob")
        await one.channel().expel("ada", reason="banned")
        await until(lambda: ada.closed_with)
        await one.channel().publish("hello")
        await until(lambda: bob.got)

    assert (ada.closed_with, ada.got) == ((1008, "banned"), [])


async def test_presence_reaches_other_processes(engine: Engine) -> None:
    async with hubs(engine) as [one, two]:
        _, ada, _ = await one.join(user="ada", envelope=True)
        websocket, bob, _ = await two.join(user="bob", envelope=True)
        await until(lambda: len(presence_of(ada)) == 2 and presence_of(bob))
        assert sorted(entry.key for entry in await one.channel().presence()) == ["ada", "bob"]
        await two.channel().disconnect(websocket)
        await until(lambda: len(presence_of(ada)) == 3)

    assert presence_of(ada) == [("joins", ["ada"]), ("joins", ["bob"]), ("leaves", ["bob"])]
    assert sorted(presence_of(bob)[0][1]) == ["ada", "bob"]


async def test_hubs_catch_up_after_a_break(engine: Engine) -> None:
    async with hubs(engine) as [one, two]:
        _, ada, _ = await one.join(last_seen=0, user="ada")
        _, bob, _ = await two.join(last_seen=0, user="bob")
        published: list[int] = []
        for number in range(30):
            published.append(await one.channel().publish(number))
            if number % 10 == 5:
                await engine.cut()
            await asyncio.sleep(0.005)
        await until(lambda: len(ada.sequences) >= 30 and len(bob.sequences) >= 30)
        await until(lambda: len(presence_of(ada)) >= 2)

        assert ada.sequences == bob.sequences == published
        assert ("leaves", ["bob"]) not in presence_of(ada)


async def test_a_process_that_is_killed_leaves_within_its_lease(engine: Engine) -> None:
    """`kill -9` of one of two processes: the others are unaffected."""
    source = engine.source()
    if source is None:
        return await _dies_in_memory(engine)
    program = (
        "import asyncio\n"
        f"{engine.imports()}\n"
        "from nexios.websockets.hub import Hub\n"
        "from tests.websockets.channels.room_kit import Site\n"
        "async def main():\n"
        "    site = Site()\n"
        f"    site.hub = site.app.hub = Hub({source}, lease=1.2)\n"
        "    await site.join(user='bob')\n"
        "    print('ready', flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    async with hubs(engine, 1, lease=1.2) as [one]:
        _, ada, _ = await one.join(user="ada", envelope=True)
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE)
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
        await until(lambda: ("joins", ["bob"]) in presence_of(ada))
        process.kill()
        await process.wait()
        await until(lambda: ("leaves", ["bob"]) in presence_of(ada))
        await one.channel().publish("still here")
        await until(lambda: "still here" in ada.data)

        assert [entry.key for entry in await one.channel().presence()] == ["ada"]
    return None


async def _dies_in_memory(engine: Engine) -> None:
    async with hubs(engine, 1) as [one]:
        backend = engine.backend()
        await backend.start(one.hub._incoming, node="dead")
        await backend.renew(1.0)
        await backend.join("room:1", "b", json.dumps({"id": "b", "user": "bob"}).encode())
        assert [entry.key for entry in await one.channel().presence()] == ["bob"]
        await engine.let_time_pass(1.0)

        assert await one.channel().presence() == ()


async def test_nothing_of_a_channel_is_left_in_a_hub(engine: Engine) -> None:
    async with hubs(engine) as [one, two]:
        for number in range(20):
            websocket, _, _ = await one.join(f"room:{number}", user="ada", last_seen=0)
            await two.channel(f"room:{number}").publish("hello")
            await one.channel(f"room:{number}").disconnect(websocket)
        await until(lambda: one.hub.channels == ())
        await until(lambda: one.hub.counters.waiting == 0)

        assert await two.channel("room:1").presence() == ()


async def test_a_start_that_is_cancelled_at_any_point_leaves_nothing(engine: Engine) -> None:
    """As by an app whose startup takes too long: nobody stops what was never started."""
    gc.collect()
    tasks, files = asyncio.all_tasks(), len(os.listdir("/proc/self/fd"))
    lives = [HubLife(Hub(engine.backend()))(None) for _ in range(40)]
    waiting, started = iter(lives), list[Any]()

    async def start() -> None:
        life = next(waiting)
        await life.__aenter__()
        started.append(life)

    async for _ in cancelled_at_each_await(start):
        pass
    for life in started:
        await life.__aexit__(None, None, None)
    await until(lambda: len(os.listdir("/proc/self/fd")) <= files)  # what is between us and the engine ends later

    assert asyncio.all_tasks() == tasks
