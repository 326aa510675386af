"""The live rooms of the example `commons` under each server, and of two processes that are one board."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx2
import pytest

from tests.contract.channels.redis_engine import Redis
from tests.examples.commons_board import PATIENCE, ROOT, Board, running
from tests.examples.commons_people import session_of
from tests.examples.commons_steps import FROM_HERE
from tests.examples.commons_visitor import visiting

pytestmark = pytest.mark.slow

SERVERS = ["uvicorn", "hypercorn", "granian-asgi", "granian"]
"""The last one is Granian over RSGI."""


@pytest.fixture(scope="module", params=SERVERS)
def board(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    with running(request.param, tmp_path_factory.mktemp("board")) as board:
        yield board


@pytest.fixture(scope="module", params=["uvicorn", "granian"])
def boards(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Board]]:
    """Two processes with one folder, and one Valkey between them."""
    engine, folder = Redis(), tmp_path_factory.mktemp("boards")
    engine.start()
    try:
        with ExitStack() as stack:
            options = ["--channels", engine.url]
            yield [stack.enter_context(running(request.param, folder, options=options)) for _ in range(2)]
    finally:
        engine.stop()


def new_room(board: Board, name: str) -> int:
    response = httpx2.post(f"{board.url}/api/rooms", json={"name": name}, trust_env=False, timeout=PATIENCE)
    assert response.status_code == 201
    return int(response.json()["id"])


async def post(board: Board, room_id: int, *texts: str) -> None:
    async with httpx2.AsyncClient(base_url=board.url, timeout=PATIENCE, trust_env=False) as client:
        for text in texts:
            response = await client.post(f"/api/rooms/{room_id}/messages", json={"author": "Cy", "text": text})
            assert response.status_code == 201


@pytest.fixture
def room_id(board: Board, request: pytest.FixtureRequest) -> int:
    return new_room(board, request.node.name[-60:])


async def test_two_visitors_hear_each_other_and_what_comes_by_the_api(board: Board, room_id: int) -> None:
    async with visiting(board, room_id, "Ada") as ada, visiting(board, room_id, "Bob") as bob:
        await ada.say("Hello Bob")
        await bob.hear_text("Hello Bob")
        await bob.say("Hello Ada")
        await post(board, room_id, "Hello both")
        await ada.hear_text("Hello both")
        await bob.hear_text("Hello both")

    assert ada.said == bob.said == ["Hello Bob", "Hello Ada", "Hello both"]


async def test_visitors_see_who_is_there_and_who_writes(board: Board, room_id: int) -> None:
    async with visiting(board, room_id, "Ada") as ada:
        async with visiting(board, room_id, "Bob") as bob:
            await ada.see("Ada", "Bob")
            await bob.send({"type": "chat.typing"})
            assert await ada.hear("typing") == {"name": "Bob"}
        await ada.see("Ada")


async def test_a_bad_message_is_answered_by_a_server_too(board: Board, room_id: int) -> None:
    async with visiting(board, room_id, "Ada") as ada:
        await ada.say(" ")
        answer = await ada.hear("error")
        await ada.say("Hello")
        await ada.hear_text("Hello")

    assert (answer["code"], answer["errors"][0]["pointer"]) == ("invalid_message", "/text")


async def test_a_line_that_breaks_costs_no_message_and_brings_none_twice(board: Board, room_id: int) -> None:
    async with visiting(board, room_id, "Bob") as bob:
        async with visiting(board, room_id, "Ada") as ada:
            await bob.see("Ada", "Bob")
            await post(board, room_id, "one", "two")
            await ada.hear_text("two")
            ada.vanish()
        await bob.see("Bob")
        await post(board, room_id, "three", "four")
        async with visiting(board, room_id, "Ada", ada.last_seen) as again:
            await bob.see("Ada", "Bob")
            await post(board, room_id, "five")
            await again.hear_text("five")
            await bob.hear_text("five")

    assert [*ada.said, *again.said] == bob.said == ["one", "two", "three", "four", "five"]
    assert [*ada.sequences, *again.sequences] == bob.sequences


async def test_a_page_that_is_loaded_again_has_all_and_hears_the_rest(board: Board, room_id: int) -> None:
    await post(board, room_id, "before")
    page = httpx2.get(f"{board.url}/rooms/{room_id}", trust_env=False, timeout=PATIENCE).text
    await post(board, room_id, "after")

    async with visiting(board, room_id, "Ada", int(page.partition('last-seen="')[2].partition('"')[0])) as ada:
        assert ada.said == ["after"]
    assert '<p class="text">before</p>' in page


async def test_what_is_new_is_streamed_as_it_is_said(board: Board, room_id: int) -> None:
    async with httpx2.AsyncClient(base_url=board.url, timeout=PATIENCE, trust_env=False) as client:
        async with client.stream("GET", "/api/activity") as events:
            await post(board, room_id, "news")
            async for line in events.aiter_lines():
                if line.startswith("data: ") and f'"room_id":{room_id},' in line:
                    break

    assert events.headers["content-type"].startswith("text/event-stream")
    assert '"text":"news"' in line


async def test_two_processes_are_one_board(boards: list[Board]) -> None:
    room_id = new_room(boards[0], "One board")

    async with visiting(boards[0], room_id, "Ada") as ada, visiting(boards[1], room_id, "Bob") as bob:
        await ada.see("Ada", "Bob")
        await bob.see("Ada", "Bob")
        await bob.send({"type": "chat.typing"})
        assert await ada.hear("typing") == {"name": "Bob"}
        await ada.say("from one")
        await bob.hear_text("from one")
        await post(boards[1], room_id, "by the API of two")
        await ada.hear_text("by the API of two")
        await bob.hear_text("by the API of two")
    page = httpx2.get(f"{boards[1].url}/rooms/{room_id}", trust_env=False, timeout=PATIENCE).text

    assert ada.said == bob.said == ["from one", "by the API of two"]
    assert '<p class="text">from one</p>' in page


async def test_who_comes_back_by_the_other_process_gets_the_rest(boards: list[Board]) -> None:
    room_id = new_room(boards[0], "The rest")

    async with visiting(boards[0], room_id, "Ada") as ada:
        await post(boards[1], room_id, "one")
        await ada.hear_text("one")
        ada.vanish()
    await post(boards[0], room_id, "two", "three")
    async with visiting(boards[1], room_id, "Ada", ada.last_seen) as again:
        assert [*ada.said, *again.said] == ["one", "two", "three"]


async def test_two_processes_write_at_once_and_all_hear_it_in_one_order(boards: list[Board]) -> None:
    """SQLite gives each its turn; the order of the channel is one for all."""
    room_id = new_room(boards[0], "At once")
    texts = {f"{name} {number}" for name in ("Ada", "Bob") for number in range(20)}

    async with visiting(boards[0], room_id, "Ada") as ada, visiting(boards[1], room_id, "Bob") as bob:
        for number in range(20):
            await ada.say(f"Ada {number}")
            await bob.say(f"Bob {number}")
        for visitor in (ada, bob):
            while len(visitor.said) < len(texts):
                await visitor.hear("said")

    assert ada.said == bob.said
    assert set(ada.said) == texts


async def test_a_member_is_one_in_both_processes_until_signing_out(boards: list[Board]) -> None:
    """Over RSGI no code goes with a close: the client sees 1005, and comes again as well."""
    room_id = new_room(boards[0], "Members")
    clients = [httpx2.Client(base_url=board.url, timeout=PATIENCE, trust_env=False) for board in boards]
    with clients[0] as one, clients[1] as two:
        cookie = session_of(one, f"Ada of {room_id}")
        me = two.get("/api/me", headers={"cookie": cookie}).json()["name"]
        async with visiting(boards[1], room_id, "Eve", cookie=cookie) as ada:
            await ada.say("Hello")
            await ada.hear_text("Hello")
            signed_out = one.post("/sign-out", headers={"cookie": cookie, **FROM_HERE})
            code = await ada.closed()
        listed = one.get(f"/api/rooms/{room_id}/messages").json()["messages"]
        gone = two.get("/api/me", headers={"cookie": cookie})

    assert me == listed[0]["author"] == f"Ada of {room_id}"
    assert (signed_out.status_code, gone.status_code) == (303, 401)
    assert code == (1005 if boards[0].server == "granian" else 1012)


@pytest.mark.parametrize("server", SERVERS)
async def test_a_board_with_visitors_ends_by_a_signal(server: str, tmp_path: Path) -> None:
    """Neither a live room nor a stream of events holds it up.

    Hypercorn cancels a connection that waits for its client, and asyncio of Python 3.11 writes a traceback of that.
    """
    with running(server, tmp_path) as board:
        room_id = new_room(board, "Garden")
        async with (
            visiting(board, room_id, "Ada"),
            httpx2.AsyncClient(base_url=board.url, trust_env=False, timeout=PATIENCE) as client,
        ):
            async with client.stream("GET", "/api/activity", timeout=PATIENCE):
                code = await asyncio.to_thread(board.end, signal.SIGTERM)

    assert code == 0
    if server != "hypercorn":
        assert [line for line in board.printed if "Traceback" in line] == []


def test_channels_without_a_folder_are_refused() -> None:
    """Two processes with a folder each would be two boards that hear each other."""
    answer = subprocess.run(
        [sys.executable, "-m", "examples.commons", "--channels", "redis://127.0.0.1:1"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )

    assert answer.returncode == 2
    assert "say where with --data" in answer.stderr
