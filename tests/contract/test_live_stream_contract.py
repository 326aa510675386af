"""Live streams over every server: what is there arrives at once, and nothing outlives its client or the server."""

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx2
import pytest

from tests.contract.servers import Running, Server, eventually, running
from tests.contract.wire import Connection, Incomplete

APP = "tests.contract.live_application:app"


class Live:
    """A server that runs the application."""

    def __init__(self, process: Running, client: httpx2.Client) -> None:
        self.process = process
        self.client = client

    def notes(self, key: str) -> list[str]:
        """What the application noted under the key."""
        notes: list[str] = self.client.get(f"/notes/{key}").json()
        return notes

    def wait_for(self, key: str, expected: list[str]) -> list[str]:
        """Return the notes as soon as they are as `expected`."""

        def look() -> list[str]:
            notes = self.notes(key)
            return notes if notes == expected else []

        return eventually(look, f"the notes {expected}")

    def signal(self, key: str) -> None:
        """Let the application go on that waits for the key."""
        assert self.client.post(f"/signal/{key}").status_code == 204


@contextmanager
def live(server: Server, directory: Path, **environment: str) -> Iterator[Live]:
    with running(server, APP, directory, environment) as process:
        with httpx2.Client(base_url=process.url, timeout=20.0, trust_env=False) as client:
            yield Live(process, client)


@pytest.fixture(scope="module")
def lives(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Server], Live]]:
    with ExitStack() as stack:
        found: dict[str, Live] = {}

        def of(server: Server) -> Live:
            if server.name not in found:
                directory = tmp_path_factory.mktemp(f"live-{server.name}")
                found[server.name] = stack.enter_context(live(server, directory))
            return found[server.name]

        yield of
        for site in found.values():
            assert site.process.stop() == site.process.server.exit_code, site.process.log
            assert "never retrieved" not in site.process.log, site.process.log
            assert "was destroyed" not in site.process.log, site.process.log


@pytest.fixture
def here(server: Server, lives: Callable[[Server], Live]) -> Live:
    return lives(server)


def ask(site: Live, path: str, **headers: str) -> Connection:
    """Return a connection on which the head of the answer was read."""
    connection = Connection(site.process.address)
    try:
        connection.ask(path, "GET", [(name.replace("_", "-"), value) for name, value in headers.items()])
    except BaseException:
        connection.close()
        raise
    return connection


def read_until(connection: Connection, end: bytes) -> bytes:
    """Return the body so far, as soon as it ends so."""
    body = b""
    while not body.endswith(end):
        piece = connection.more()
        assert piece, body
        body += piece
    return body


def test_a_stream_opens_before_there_is_an_event(here: Live, key: str) -> None:
    with Connection(here.process.address) as connection:
        answer = connection.ask(f"/silent/{key}")
        assert (answer.status, answer.one("content-type")) == (200, b"text/event-stream")
        assert (answer.one("cache-control"), answer.one("x-accel-buffering")) == (b"no-store", b"no")
        assert read_until(connection, b"\n\n") == b":\n\n"


def test_an_event_arrives_before_the_next_one_is_made(here: Live, key: str) -> None:
    with ask(here, f"/steps/{key}") as connection:
        first = b"retry: 7000\n\nid: 1\nevent: step\ndata: first\ndata: line\n\n"
        assert read_until(connection, b"line\n\n") == first
        here.signal(key)

        assert connection.rest() == first + b'data: {"step":2}\n\n'
    assert here.wait_for(key, ["closed"])


def test_a_source_that_never_yields_is_closed_when_the_client_leaves(here: Live, key: str) -> None:
    with ask(here, f"/silent/{key}") as connection:
        read_until(connection, b"\n\n")
        here.wait_for(key, ["begun"])

    assert here.wait_for(key, ["begun", "closed"])


def test_signs_of_life_arrive(here: Live) -> None:
    with ask(here, "/alive") as connection:
        assert read_until(connection, b":\n\n:\n\n:\n\n:\n\n")


def test_an_error_in_the_source_breaks_the_stream_off(here: Live, key: str) -> None:
    with ask(here, f"/broken/{key}") as connection:
        read_until(connection, b"first\n\n")
        here.signal(key)
        with pytest.raises(Incomplete) as caught:
            connection.rest()

    assert caught.value.received == b":\n\ndata: first\n\n"


def test_a_line_arrives_before_the_next_one_is_made(here: Live, key: str) -> None:
    with Connection(here.process.address) as connection:
        answer = connection.ask(f"/lines/{key}")
        assert answer.one("content-type") == b"application/jsonl"
        assert read_until(connection, b"\n") == b'{"line":1}\n'
        here.signal(key)

        assert connection.rest() == b'{"line":1}\n{"line":2}\n'


def test_a_client_that_comes_back_to_a_channel_gets_the_rest(here: Live, key: str) -> None:
    def say(text: str) -> int:
        number: int = here.client.post(f"/channel/{key}", content=text).json()
        return number

    first = say("one")
    with ask(here, f"/channel/{key}") as connection:
        assert read_until(connection, b"\n\nid: %d\n\n" % first) == b":\n\nid: %d\n\n" % first
        say("two")
        assert read_until(connection, b"two\n\n") == b"id: %d\nevent: said\ndata: two\n\n" % (first + 1)
    say("three")
    say("four")
    with ask(here, f"/channel/{key}", last_event_id=str(first + 1)) as connection:
        rest = read_until(connection, b"four\n\n")

    assert rest == b":\n\n" + b"".join(
        b"id: %d\nevent: said\ndata: %s\n\n" % (first + number, word) for number, word in ((2, b"three"), (3, b"four"))
    )


def test_a_guarded_channel_is_not_read(here: Live) -> None:
    answer = here.client.get("/channel/closed")

    assert (answer.status_code, answer.json()["code"]) == (403, "channel_forbidden")


def test_one_stream_too_many_is_a_503_and_leaves_nothing(here: Live, key: str) -> None:
    eventually(lambda: here.client.get("/open").json()["streams"] == 0, "the end of all streams")
    tasks = here.client.get("/open").json()["tasks"]
    with ExitStack() as stack:
        for number in range(20):
            connection = stack.enter_context(ask(here, f"/silent/{key}{number}"))
            read_until(connection, b"\n\n")
        answer = here.client.get(f"/silent/{key}")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")

    def is_clean() -> bool:
        found: dict[str, int] = here.client.get("/open").json()
        return found["streams"] == 0 and found["tasks"] <= tasks

    assert eventually(is_clean, "the end of all streams and their tasks")


def test_a_server_that_stops_ends_its_event_streams_at_once(server: Server, tmp_path: Path) -> None:
    """Else it would wait for them: uvicorn and Granian for ever, Hypercorn until it breaks them off."""
    notes = tmp_path / "notes"
    with live(server, tmp_path, NEXIOS_CONTRACT_NOTES=str(notes)) as here, ExitStack() as stack:
        connections = [stack.enter_context(ask(here, path)) for path in ("/steps/a", "/silent/b", "/channel/c")]
        for connection in connections:
            read_until(connection, b"\n\n")
        here.wait_for("b", ["begun"])

        here.process.process.send_signal(signal.SIGTERM)
        bodies = [connection.rest() for connection in connections]

        assert here.process.process.wait(20) == server.exit_code
    assert sorted(notes.read_text().split("\n"))[1:] == ["a closed", "b begun", "b closed"]
    assert all(body.rpartition(b"\n\nretry: ")[2].strip().isdigit() for body in bodies)
    assert "Traceback" not in here.process.log, here.process.log
