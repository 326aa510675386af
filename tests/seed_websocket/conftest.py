"""The application of the snippet, behind each server."""

from collections.abc import Iterator

import pytest

from tests.contract.servers import SERVERS, Running, Server, running

MODES = [server for server in SERVERS if server.name != "uvicorn-httptools"]
"""Uvicorn, Hypercorn, Granian over ASGI, Granian over RSGI."""


@pytest.fixture(scope="module", params=MODES, ids=lambda server: server.name)
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    server: Server = request.param
    if not server.installed:
        pytest.skip(f"{server.package} is not installed")
    with running(server, "tests.seed_websocket.seed_app:app", tmp_path_factory.mktemp("seed"), {}) as site:
        yield site
