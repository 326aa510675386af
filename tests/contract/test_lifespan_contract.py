"""The lifespan: startup before the first request, shutdown after the last, and no service when the start fails."""

import signal
from contextlib import AbstractContextManager
from pathlib import Path

import httpx2
import pytest

from tests.contract.servers import DEADLINE, NotStarted, Running, Server, eventually, running
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
        assert httpx2.get(f"{process.url}/word", trust_env=False).text == "from the context"
        assert journal.read_text().split("\n") == ["context entered", "started", ""]
        assert httpx2.get(f"{process.url}/background", trust_env=False).text == "sent"
        exit_code = process.stop()

    assert exit_code == server.exit_code
    lines = journal.read_text().splitlines()
    assert lines == ["context entered", "started", "background", "stopped", "context left"]
    assert "Traceback" not in process.log


def test_a_request_in_flight_is_answered_before_the_application_stops(
    server: Server, tmp_path: Path, journal: Path
) -> None:
    with _running(server, "app", tmp_path, journal) as process, Connection(process.address) as connection:
        connection.start("/in-flight", "POST", [("content-length", "8")])
        connection.send(b"half")
        eventually(lambda: "received half" in journal.read_text(), "the first half")
        process.process.send_signal(signal.SIGTERM)
        eventually(lambda: "Shutting down" in process.log or not _listens(process), "the beginning of the end")
        connection.send(b"rest")

        assert connection.answer().status == 200
        assert connection.rest() == b"halfrest"
        assert process.process.wait(DEADLINE) == server.exit_code
    assert journal.read_text().splitlines()[2:] == ["received half", "received halfrest", "stopped", "context left"]


def _listens(process: Running) -> bool:
    try:
        Connection(process.address).close()
    except OSError:
        return False
    return True


def test_an_application_that_does_not_start_is_not_served(server: Server, tmp_path: Path, journal: Path) -> None:
    with pytest.raises(NotStarted) as caught, _running(server, "broken", tmp_path, journal):
        pass

    assert "the database is not there" in caught.value.log
    assert journal.read_text().splitlines() == ["context entered", "started", "stopped", "context left"]


def test_a_server_whose_application_does_not_start_ends_with_an_error(
    server: Server, tmp_path: Path, journal: Path
) -> None:
    """So that whatever started it knows."""
    with pytest.raises(NotStarted) as caught, _running(server, "broken", tmp_path, journal):
        pass

    assert caught.value.exit_code != 0
