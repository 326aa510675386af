"""What somebody else says on our topics of a Redis server is no reason to stop, and no way to be heard."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from tests.contract.channels.redis_engine import Redis
from tests.contract.channels.test_channel_backend_contract import KEEP, processes

pytestmark = pytest.mark.slow

PAYLOADS = [
    b"",
    b":",
    b"x",
    b"-1:x",
    b"1.5:x",
    b"0x10:x",
    "٣:x".encode(),
    b"9" * 5000 + b":x",
    b"\xff\xfe:\xff",
    b" 1:x",
]


@pytest.fixture(scope="module")
def redis() -> Iterator[Redis]:
    engine = Redis()
    engine.start()
    yield engine
    engine.stop()


@pytest.fixture
async def engine(redis: Redis) -> AsyncIterator[Redis]:
    await redis.prepare()
    yield redis
    await redis.finish()


async def test_what_others_say_on_our_topics_does_no_harm(engine: Redis) -> None:
    async with processes(engine) as [(backend, inbox)]:
        await backend.subscribe("room:1")
        for payload in PAYLOADS:
            for channel in ("room:1", "*"):
                await engine.client.publish(f"{engine.prefix}to:{channel}", payload)
        await backend.publish("room:1", b"ours", keep=KEEP)
        async with asyncio.timeout(5):
            while b"ours" not in inbox.bodies:  # noqa: ASYNC110
                await asyncio.sleep(0.01)

        assert (inbox.bodies[-1], inbox.breaks) == (b"ours", [])


@pytest.mark.parametrize(
    "name",
    ["a' b\" c", "*", "a\\", "$(x)", "{tag}", "]]", "--", "\\0", "log:x", "to:x", "node:x", "%s", "\U0001f600"],
)
async def test_a_name_is_never_another_key_or_a_command(engine: Redis, name: str) -> None:
    """The keys of two channels, and those of one channel and a process, are never the same."""
    async with processes(engine) as [(backend, _)]:
        before = {key async for key in engine.client.scan_iter(f"{engine.prefix}*")}
        await backend.renew(5.0)
        await backend.join(name, "~1", b"{}")
        await backend.publish(name, b"x", keep=KEEP)
        keys: set[Any] = {key async for key in engine.client.scan_iter(f"{engine.prefix}*")} - before

        assert {key.decode().removeprefix(engine.prefix) for key in keys} == {
            f"log:{name}",
            f"last:{name}",
            f"present:{name}",
            "node:node0",
        }
        assert dict(await backend.present(name)) == {"~1": b"{}"}
        assert dict(await backend.present("x")) == {}
