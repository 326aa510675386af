"""One connection to PostgreSQL that many tasks use, and that may end under them."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from nexios.websockets.backends.base import BackendUnavailable
from nexios.websockets.backends.postgres_line import Line
from tests.contract.channels.postgres_engine import Postgres


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    engine = Postgres()
    engine.start()
    yield engine.url
    engine.stop()


@pytest.fixture
async def line(url: str) -> AsyncIterator[Line]:
    opened = await Line.open(url, {}, patience=5.0, on_end=lambda: None)
    yield opened
    await opened.close()


async def test_what_is_asked_is_done_in_turn(line: Line) -> None:
    answers = await asyncio.gather(*(line.fetch("SELECT $1::int", number) for number in range(20)))

    assert [rows[0][0] for rows in answers] == list(range(20))


async def test_one_who_gives_up_does_not_end_what_is_asked_by_others(line: Line) -> None:
    first = asyncio.ensure_future(line.fetch("SELECT pg_sleep(0.05)"))
    second = asyncio.ensure_future(line.fetch("SELECT 2"))
    third = asyncio.ensure_future(line.fetch("SELECT 3"))
    await asyncio.sleep(0)
    first.cancel()
    second.cancel()

    assert (await third)[0][0] == 3


async def test_a_refused_statement_leaves_the_connection_as_it_was(line: Line) -> None:
    with pytest.raises(BackendUnavailable) as caught:
        await line.fetch("SELECT 1 / 0")

    assert "division by zero" in str(caught.value.__cause__)
    assert (await line.fetch("SELECT 1"))[0][0] == 1


async def test_a_mistake_of_ours_is_not_called_unavailable(line: Line) -> None:
    async def mistake(_connection: object) -> None:
        raise RuntimeError("a mistake")

    with pytest.raises(RuntimeError, match="a mistake"):
        await line.ask(mistake)


async def test_what_hangs_ends_the_connection(url: str) -> None:
    ended = asyncio.Event()
    line = await Line.open(url, {}, patience=0.5, on_end=ended.set)
    with pytest.raises(BackendUnavailable):
        await line.fetch("SELECT pg_sleep(60)")
    await asyncio.wait_for(ended.wait(), 5.0)

    assert not line.is_open
    with pytest.raises(BackendUnavailable):
        await line.fetch("SELECT 1")
    await line.close()


@pytest.mark.parametrize("turns", [1, 50], ids=["before it began", "while it runs"])
async def test_closing_tells_those_who_wait(url: str, turns: int) -> None:
    line = await Line.open(url, {}, patience=5.0, on_end=lambda: None)
    waiting = [asyncio.ensure_future(line.fetch("SELECT pg_sleep(60)")) for _ in range(2)]
    for _ in range(turns):
        await asyncio.sleep(0)
    async with asyncio.timeout(4.0):
        await line.close()
        answers = await asyncio.gather(*waiting, return_exceptions=True)

    assert [type(answer) for answer in answers] == [BackendUnavailable, BackendUnavailable]
