"""The lifespan: startup before the first request, shutdown after the last, and no service when the start fails."""

import signal
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from functools import cache
from pathlib import Path

import httpx2
import pytest

from tests.contract.servers import DEADLINE, SERVERS, NotStarted, Running, Server, eventually, running
from tests.contract.wire import Connection

APPS = "tests.contract.lifespan_application"


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    path = tmp_path / "journal"
    path.touch()
    return path


def _running(server: Server, app: str, directory: Path, journal: Path) -> AbstractContextManager[Running]:
    return running(server, f"{APPS}:{app}", directory, {"NEXIOS_CONTRACT_JOURNAL": str(journal)})


def test_startup_and_shutdown_run_once_around_the_requests(server: Server, tmp_path: Path, journal: Path) -> None:
    with _running(server, "app", tmp_path, journal) as process:
        assert httpx2.get(f"{process.url}/word", trust_env=False, timeout=DEADLINE).text == "from the context"
        assert journal.read_text().split("\n") == ["context entered", "started", ""]
        assert httpx2.get(f"{process.url}/background", trust_env=False, timeout=DEADLINE).text == "sent"
        exit_code = process.stop()

    assert exit_code == server.exit_code
    lines = journal.read_text().splitlines()
    assert lines == ["context entered", "started", "background", "stopped", "context left"]
    assert "Traceback" not in process.log


def test_a_request_in_flight_is_answered_before_the_application_stops(
    server: Server, tmp_path: Path, journal: Path
) -> None:
    with ExitStack() as stack:
        process = stack.enter_context(_running(server, "app", tmp_path, journal))
        idle, connection = (stack.enter_context(Connection(process.address)) for _ in range(2))
        idle.ask("/word")
        idle.rest()
        connection.start("/in-flight", "POST", [("content-length", "8")])
        connection.send(b"half")
        eventually(lambda: "received half" in journal.read_text(), "the first half")
        process.process.send_signal(signal.SIGTERM)
        assert idle.is_over()
        connection.send(b"rest")

        assert connection.answer().status == 200
        assert connection.rest() == b"halfrest"
        assert process.process.wait(DEADLINE) == server.exit_code
    assert journal.read_text().splitlines()[2:] == ["received half", "received halfrest", "stopped", "context left"]


@pytest.fixture(scope="module")
def failures(tmp_path_factory: pytest.TempPathFactory) -> "Failures":
    """How the start of a broken application failed, and its journal; each server tries it once."""

    @cache
    def failure_of(name: str) -> tuple[NotStarted, list[str]]:
        directory = tmp_path_factory.mktemp("broken")
        server = next(server for server in SERVERS if server.name == name)
        with pytest.raises(NotStarted) as caught, _running(server, "broken", directory, directory / "journal"):
            pass
        return caught.value, (directory / "journal").read_text().splitlines()

    return lambda server: failure_of(server.name)


Failures = Callable[[Server], tuple[NotStarted, list[str]]]


def test_an_application_that_does_not_start_is_not_served(server: Server, failures: Failures) -> None:
    failure, journal = failures(server)

    assert "the database is not there" in failure.log
    assert journal == ["context entered", "started", "stopped", "context left"]


def test_a_server_whose_application_does_not_start_ends_with_an_error(server: Server, failures: Failures) -> None:
    """So that whatever started it knows."""
    failure, _ = failures(server)

    assert failure.exit_code != 0
