"""Fixtures of the contract tests: each server is started once for a worker, when the first test asks for it."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest

from nexios.testing.client import TestClient
from nexios.testing.faces import SyncTestClient
from tests.contract.application import make_app
from tests.contract.servers import IN_MEMORY, SERVERS, InMemory, Running, Server, eventually, running
from tests.contract.wire import Connection

Client = httpx2.Client | SyncTestClient

BASE_URL = "http://contract.test"
LEFTOVERS = ("was destroyed but it is pending", "never retrieved", "was never awaited", "ResourceWarning")
"""What asyncio writes about tasks that were lost."""
LARGE = bytes(range(256)) * (8 * 1024 * 4)


class Site:
    """A server that runs the contract's application, as a test sees it."""

    def __init__(self, process: Running) -> None:
        self.process = process
        self.client = httpx2.Client(base_url=process.url, timeout=20.0, trust_env=False)

    def connect(self, **options: Any) -> Connection:
        """Return a connection of its own."""
        return Connection(self.process.address, **options)

    def notes(self, key: str) -> list[str]:
        """What the application noted under the key."""
        notes: list[str] = self.client.get(f"/backstage/notes/{key}").json()
        return notes

    def signal(self, key: str) -> None:
        """Let the application go on that waits for the key."""
        assert self.client.post(f"/backstage/signal/{key}").status_code == 204

    def wait_for_note(self, key: str, note: str) -> list[str]:
        """Return the notes as soon as one of them is `note`."""

        def look() -> list[str]:
            notes = self.notes(key)
            return notes if note in notes else []

        return eventually(look, f"the note {note!r}")


class Sites:
    """The servers of one worker."""

    def __init__(self, stack: ExitStack, directory: Path) -> None:
        self._stack = stack
        self._directory = directory
        self._sites: dict[str, Site] = {}
        self._in_memory: dict[str, SyncTestClient] = {}
        files = self._files = directory / "files"
        files.mkdir()
        (files / "digits.txt").write_bytes(b"0123456789")
        (files / "empty.bin").write_bytes(b"")
        (files / "large.bin").write_bytes(LARGE)
        self._environment = {"NEXIOS_CONTRACT_FILES": str(files)}

    def of(self, server: Server) -> Site:
        """The running server; started now if it was not."""
        if server.name not in self._sites:
            process = self._stack.enter_context(
                running(server, "tests.contract.application:app", self._directory, self._environment)
            )
            self._sites[server.name] = Site(process)
            self._stack.callback(self._sites[server.name].client.close)
        return self._sites[server.name]

    def in_memory(self, side: InMemory) -> SyncTestClient:
        """The client of an application of its own in this process."""
        if side.name not in self._in_memory:
            client = TestClient(
                make_app(self._files), interface=side.interface, base_url=BASE_URL, raise_app_exceptions=False
            )
            self._in_memory[side.name] = self._stack.enter_context(client)
        return self._in_memory[side.name]

    def stop(self) -> None:
        """Stop all servers, which must go well, and look for what they should not have written."""
        for site in self._sites.values():
            assert site.process.stop() == site.process.server.exit_code, site.process.log
            for sign in LEFTOVERS:
                assert sign not in site.process.log, site.process.log


@pytest.fixture(scope="session")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sites]:
    with ExitStack() as stack:
        sites = Sites(stack, tmp_path_factory.mktemp("contract"))
        yield sites
        sites.stop()


@pytest.fixture(params=SERVERS, ids=lambda server: server.name)
def server(request: pytest.FixtureRequest) -> Server:
    """A server that is installed and can do what the test is about."""
    server: Server = request.param
    _skip_what_it_cannot(server, request)
    return server


@pytest.fixture
def site(server: Server, sites: Sites) -> Site:
    return sites.of(server)


@pytest.fixture(params=[*IN_MEMORY, *SERVERS], ids=lambda side: side.name)
def client(request: pytest.FixtureRequest, sites: Sites) -> Client:
    """A client of the application in memory, or behind a server; for a test that needs nothing else."""
    side: InMemory | Server = request.param
    _skip_what_it_cannot(side, request)
    return sites.in_memory(side) if isinstance(side, InMemory) else sites.of(side).client


def _skip_what_it_cannot(side: InMemory | Server, request: pytest.FixtureRequest) -> None:
    if isinstance(side, Server) and not side.installed:
        pytest.skip(f"{side.package} is not installed")
    reason = side.cannot.get(request.function.__name__)
    if reason is not None:
        pytest.skip(f"{side.name}: {reason}")


@pytest.fixture
def key() -> str:
    return uuid.uuid4().hex


Connect = Callable[..., Connection]


@pytest.fixture
def connect(site: Site) -> Iterator[Connect]:
    """Make connections that are closed when the test is over."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(site.connect(**options))
