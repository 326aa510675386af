"""The same conversations over every server that nexios runs on, with a client that is not ours.

What a server cannot do stands in `_CANNOT`, with the reason.
"""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from nexios.serialization import decode_json

client = pytest.importorskip("websockets.asyncio.client")
exceptions = pytest.importorskip("websockets.exceptions")

ROOT = Path(__file__).parent.parent.parent
APP = "tests.websockets.served_app:app"
COMMANDS = {
    "uvicorn-websockets": ["uvicorn", "--ws", "websockets-sansio", "--port", "{port}", APP],
    "uvicorn-wsproto": ["uvicorn", "--ws", "wsproto", "--port", "{port}", APP],
    "hypercorn": ["hypercorn", "--bind", "127.0.0.1:{port}", APP],
    "granian-asgi": ["granian", "--interface", "asgi", "--port", "{port}", APP],
    "granian-rsgi": ["granian", "--interface", "rsgi", "--port", "{port}", APP],
}
_CANNOT = {
    "hypercorn": {
        "restart": "Hypercorn 0.18 closes with 1001 by itself, in workers that get no signal",
    },
    "granian-asgi": {
        "accept headers": "Granian 2.8 drops the headers of websocket.accept",
        "going away": "Granian 2.8 breaks off, when it is told to stop, what is not closed at once",
    },
    "granian-rsgi": {
        "going away": "Granian 2.8 breaks off, when it is told to stop, what is not closed at once",
        "close code": "RSGI 1.6 has no code in its close, and Granian 2.8 sends none",
        "accept headers": "RSGI 1.6 accepts without arguments",
        "subprotocol": "RSGI 1.6 accepts without arguments",
        "denial body": "RSGI 1.6 denies with a status alone",
    },
}

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Server:
    """A server process that serves the application on loopback."""

    name: str
    port: int

    def connect(self, path: str, **options: Any) -> Any:
        return client.connect(f"ws://127.0.0.1:{self.port}{path}", proxy=None, **options)

    async def ends(self, expected: int) -> list[list[Any]]:
        """How conversations ended, once there are `expected`: a server tells its app after the client knows."""
        return await asyncio.to_thread(self._ends, expected)

    def _ends(self, expected: int) -> list[list[Any]]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/ends/{expected}", timeout=30) as answer:
            found: list[list[Any]] = decode_json(answer.read(), max_depth=3)
            return found

    def skip_where(self, feature: str) -> None:
        reason = _CANNOT.get(self.name, {}).get(feature)
        if reason is not None:
            pytest.skip(reason)


@pytest.fixture(scope="module", params=COMMANDS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(request.param, tmp_path_factory.mktemp("server") / "log") as (server, process, log):
        yield server
        assert process.poll() is None, log.read_text()


@contextlib.contextmanager
def running(name: str, log: Path, **environment: str) -> Iterator[tuple[Server, "subprocess.Popen[bytes]", Path]]:
    pytest.importorskip(COMMANDS[name][0].partition("-")[0])
    port = _free_port()
    command = [part.format(port=port) for part in COMMANDS[name]]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_until_it_listens(process, port, log)
        yield Server(name, port), process, log
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_it_listens(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    while process.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/ends/0", timeout=10).close()
            return
        except OSError:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.01)
    pytest.fail(f"the server did not start:\n{log.read_text()}")


async def test_an_echo_of_text_and_bytes(server: Server) -> None:
    async with server.connect("/echo/7?q=1") as websocket:
        assert decode_json((await websocket.recv(decode=False)), max_depth=2) == {
            "room": 7,
            "path": "/echo/7",
            "scheme": "ws",
        }
        for message in ("h\u00e9llo", b"\x00\xff", "", b"", "x" * 100_000):
            await websocket.send(message)
            assert await websocket.recv() == message


async def test_a_client_that_closes_ends_the_iteration_and_gets_its_close_back(server: Server) -> None:
    async with server.connect("/echo/1") as websocket:
        await websocket.recv()

    assert websocket.close_code == 1000


async def test_the_handler_learns_code_and_reason_of_the_client(server: Server) -> None:
    before = len(await server.ends(0))

    async with server.connect("/count") as websocket:
        await websocket.close(4005, "bye")

    code, reason, initiator = (await server.ends(before + 1))[-1]
    expected = {"hypercorn": (1006, ""), "granian-asgi": (4005, ""), "granian-rsgi": (1005, "")}
    assert ((code, reason), initiator) == (expected.get(server.name, (4005, "bye")), "client")


async def test_the_handler_learns_that_the_connection_broke(server: Server) -> None:
    before = len(await server.ends(0))

    websocket = await server.connect("/count")
    websocket.transport.abort()
    await websocket.wait_closed()

    code, _, initiator = (await server.ends(before + 1))[-1]
    assert (code in (1005, 1006), initiator) == (True, "client")  # Granian's ASGI says 1005


@pytest.mark.parametrize("code", [1000, 1001, 1011, 3000, 4001])
async def test_the_client_learns_our_code_and_reason(server: Server, code: int) -> None:
    server.skip_where("close code")

    async with server.connect(f"/close/{code}") as websocket:
        with pytest.raises(exceptions.ConnectionClosed):
            await websocket.recv()

    assert (websocket.close_code, websocket.close_reason) == (code, "because")


async def test_a_close_ends_the_conversation_everywhere(server: Server) -> None:
    async with server.connect("/close/4001") as websocket:
        with pytest.raises(exceptions.ConnectionClosed):
            await websocket.recv()

    assert websocket.close_code in (4001, 1005)


async def test_closing_wakes_a_task_that_reads(server: Server) -> None:
    before = len(await server.ends(0))

    async with server.connect("/closed-elsewhere") as websocket:
        assert await websocket.recv() == "reading"
        with pytest.raises(exceptions.ConnectionClosed):
            await websocket.recv()

    assert (await server.ends(before + 1))[-1] == [4002, "", "server"]


@pytest.mark.parametrize(("path", "message", "code"), [("/fails", None, 1011), ("/json", "{", 1007)])
async def test_an_error_closes_with_a_code_that_says_whose_it_is(
    server: Server, path: str, message: str | None, code: int
) -> None:
    server.skip_where("close code")

    async with server.connect(path) as websocket:
        if message is not None:
            await websocket.send(message)
        with pytest.raises(exceptions.ConnectionClosed):
            await websocket.recv()

    assert websocket.close_code == code


async def test_a_bad_message_is_answered_and_the_conversation_goes_on(server: Server) -> None:
    async with server.connect("/patient") as websocket:
        for bad in ("{", b"\xff", '{"a":"b"}'):
            await websocket.send(bad)
            assert decode_json(await websocket.recv(decode=False), max_depth=3)["type"] == "error"
        await websocket.send('{"a":1}')
        assert await websocket.recv() == '{"a":1}'


async def test_a_message_over_the_limit_is_refused(server: Server) -> None:
    async with server.connect("/echo/1", max_size=None, compression=None) as websocket:
        await websocket.recv()
        await websocket.send("x" * (1024 * 1024 + 1))
        with pytest.raises(exceptions.ConnectionClosed):
            await websocket.recv()

    assert websocket.close_code == (1005 if server.name == "granian-rsgi" else 1009)


@pytest.mark.parametrize(
    ("path", "status"),
    [("/nothing", 404), ("/echo/x", 404), ("/login", 401), ("/returns", 403), ("/fails-early", 500)],
)
async def test_a_handshake_is_denied_with_its_status(server: Server, path: str, status: int) -> None:
    with pytest.raises(exceptions.InvalidStatus) as caught:
        await server.connect(path)

    assert caught.value.response.status_code == status


async def test_a_denial_has_headers_and_a_problem_document(server: Server) -> None:
    server.skip_where("denial body")

    with pytest.raises(exceptions.InvalidStatus) as caught:
        await server.connect("/login")

    answer = caught.value.response
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.headers["content-type"] == "application/problem+json"
    assert decode_json(bytes(answer.body), max_depth=2)["detail"] == "Log in first."


async def test_a_foreign_page_is_denied_and_our_own_is_not(server: Server) -> None:
    with pytest.raises(exceptions.InvalidStatus) as caught:
        await server.connect("/echo/1", origin="https://evil.example")
    async with server.connect("/echo/1", origin=f"http://127.0.0.1:{server.port}") as websocket:
        await websocket.recv()

    assert caught.value.response.status_code == 403
    assert websocket.close_code == 1000


async def test_a_subprotocol_is_agreed(server: Server) -> None:
    async with server.connect("/subprotocol", subprotocols=["v1", "v2"]) as websocket:
        assert await websocket.recv() == "v1,v2"
        server.skip_where("subprotocol")
        assert websocket.subprotocol == "v2"


async def test_the_handshake_has_our_headers(server: Server) -> None:
    server.skip_where("accept headers")

    async with server.connect("/subprotocol", subprotocols=["v1"]) as websocket:
        assert websocket.response.headers["x-served-by"] == "nexios"


async def test_a_message_is_sent_while_another_task_reads(server: Server) -> None:
    async with server.connect("/pushed") as websocket:
        assert [await websocket.recv() for _ in range(3)] == ["0", "1", "2"]
        await websocket.send("enough")
        assert await websocket.recv() == "enough"


async def test_messages_of_many_tasks_arrive_whole(server: Server) -> None:
    """Granian's RSGI refuses a message while another is being sent."""
    async with server.connect("/crowd") as websocket:
        found = [await websocket.recv() for _ in range(20)]

    assert sorted(found) == [f"{number:06}" * 10_000 for number in range(20)]


async def test_a_close_is_sent_when_we_close_and_not_when_the_handler_returns(server: Server) -> None:
    async with server.connect("/lingers") as websocket:
        with pytest.raises(exceptions.ConnectionClosed):
            await websocket.recv()

    with pytest.raises(exceptions.InvalidStatus):
        await server.connect("/release")  # where the handler that still runs may end
    assert websocket.close_code in (4001, 1005)


@pytest.mark.parametrize(("restarting", "expected"), [("0", 1001), ("1", 1012)], ids=["stops", "restarts"])
@pytest.mark.parametrize("name", COMMANDS)
async def test_a_server_that_stops_says_so_to_every_client_and_ends_cleanly(
    name: str, restarting: str, expected: int, tmp_path: Path
) -> None:
    """R19. The application hears of the signal first: uvicorn would close with 1012, and Granian break off."""
    with running(name, tmp_path / "log", NEXIOS_RESTARTING=restarting) as (server, process, log):
        sockets = [await server.connect("/echo/1") for _ in range(50)]
        for websocket in sockets:
            await websocket.recv()
        process.send_signal(signal.SIGTERM)
        codes = set()
        for websocket in sockets:
            with pytest.raises(exceptions.ConnectionClosed):
                await websocket.recv()
            codes.add(websocket.close_code)
        ended = await asyncio.to_thread(process.wait, 35)

    assert ended in (0, -signal.SIGTERM), log.read_text()
    server.skip_where("going away")
    if restarting == "1":
        server.skip_where("restart")
    assert codes == {expected}
