"""Fixtures of the live tests: each server, and nginx before it, is started for a worker when a test first asks."""

import json
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.contract.servers import SERVERS, Running, Server, eventually, running
from tests.live.nginx import fronting
from tests.live.wires import Reply, exchange

PATIENT = {"uvicorn": ("--timeout-keep-alive", "60"), "hypercorn": ("--keep-alive", "60"), "granian": ()}
"""So no server closes a connection while nginx takes it for a request."""

LIVE_SERVERS = [replace(one, command=(*one.command, *PATIENT[one.command[0]])) for one in SERVERS]


class Live:
    """A server with the applications, and nginx before it."""

    def __init__(self, process: Running, stack: ExitStack, directory: Path) -> None:
        self.name = process.server.name
        self.process = process
        self.address = process.address
        self._stack = stack
        self._directory = directory
        self._nginx: tuple[str, int] | None = None

    @property
    def nginx(self) -> tuple[str, int]:
        """The address of the nginx before it; started when it is asked for."""
        if self._nginx is None:
            host, port = self.address
            front = fronting(f"{host}:{port}", self._directory / f"nginx-{self.name}")
            self._nginx = self._stack.enter_context(front)
        return self._nginx

    def via_nginx(self, target: str, *fields: str, method: str = "GET", body: bytes = b"") -> Reply:
        """What nginx answers; `fields` are lines of the head, Host among them."""
        return exchange(self.nginx, target, *fields, method=method, body=body)

    def direct(self, target: str, *fields: str, method: str = "GET", body: bytes = b"") -> Reply:
        """What the server answers itself."""
        return exchange(self.address, target, *fields, method=method, body=body)

    def notes(self, key: str) -> list[str]:
        """What the applications noted under the key."""
        notes: list[str] = json.loads(self.direct(f"/backstage/notes/{key}", "Host: backstage").body)
        return notes

    def signal(self, key: str) -> None:
        """Let the application go on that waits for the key."""
        assert self.direct(f"/backstage/signals/{key}", "Host: backstage", method="POST").status == 204

    def wait_for_note(self, key: str, note: str) -> None:
        """Return as soon as there is this note."""
        eventually(lambda: note in self.notes(key), f"the note {note!r}")


class Servers:
    """The servers of one worker."""

    def __init__(self, stack: ExitStack, directory: Path) -> None:
        self._stack = stack
        self._directory = directory
        self._live: dict[str, Live] = {}

    def of(self, server: Server) -> Live:
        """The running server; started now if it was not."""
        if server.name not in self._live:
            process = running(server, "tests.live.applications:app", self._directory, {})
            self._live[server.name] = Live(self._stack.enter_context(process), self._stack, self._directory)
        return self._live[server.name]


@pytest.fixture(scope="session")
def live_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with ExitStack() as stack:
        yield Servers(stack, tmp_path_factory.mktemp("live"))


@pytest.fixture(params=LIVE_SERVERS, ids=lambda server: server.name)
def live(request: pytest.FixtureRequest, live_servers: Any) -> Live:
    server: Server = request.param
    if not server.installed:
        pytest.skip(f"{server.package} is not installed")
    running: Live = live_servers.of(server)
    return running


@pytest.fixture
def key() -> str:
    return uuid.uuid4().hex
