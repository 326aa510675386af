"""What a developer gets to read who sets up sessions and their stores wrongly."""

import logging
from pathlib import Path
from typing import Any

import pytest

from nexios import NexiosApp
from nexios.errors import ConfigurationError
from nexios.session import SessionMiddleware
from nexios.stores import MemoryStore, SQLiteStore
from nexios.testing import TestClient
from nexios.websockets import WebSocket
from tests.session.visitor import Visitor, make_app


@pytest.mark.parametrize(
    ("given", "what"), [(MemoryStore, "the class MemoryStore"), ("redis://localhost", "str")], ids=["class", "address"]
)
def test_what_is_no_store_is_named(given: Any, what: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        SessionMiddleware(store=given)

    assert str(caught.value).startswith(f"A store is needed, not {what}:")
    assert 'store=SQLiteStore("sessions.sqlite3")' in str(caught.value)


def test_a_missing_key_is_told_with_the_line_that_needs_it() -> None:
    app = NexiosApp()
    app.add_middleware(SessionMiddleware)

    with pytest.raises(ConfigurationError) as caught:
        app.compile()

    assert str(caught.value).startswith("A secret key is missing.")
    assert str(caught.value).endswith("   SessionMiddleware")
    assert f"{__file__}:" in str(caught.value)


async def test_over_http_in_production_a_warning_says_that_no_browser_keeps_the_cookie(
    caplog: pytest.LogCaptureFixture,
) -> None:
    visitor = Visitor(make_app(session_cookie="sid"), scheme="http")

    with caplog.at_level(logging.WARNING, "nexios"):
        await visitor.get("/set/theme/dark")
        await visitor.get("/set/theme/light")

    assert len(caplog.messages) == 1
    assert "'__Host-sid' is Secure, and the request came over plain http" in caplog.messages[0]
    assert "NEXIOS_DEBUG=1" in caplog.messages[0]
    assert "ProxyHeaders" in caplog.messages[0]


async def test_over_https_nothing_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    visitor = Visitor(make_app())

    with caplog.at_level(logging.WARNING, "nexios"):
        await visitor.get("/set/theme/dark")

    assert caplog.messages == []


def test_the_log_says_why_a_store_is_unavailable_and_the_client_does_not(
    caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    store = SQLiteStore(tmp_path / "never-opened.sqlite3")
    app = NexiosApp()

    @app.get("/")
    async def index(request: Any, response: Any) -> Any:
        return await store.get("key")

    with caplog.at_level(logging.ERROR, "nexios"), TestClient(app) as client:
        answer = client.get("/")

    assert (answer.status_code, "SQLiteStore" in answer.text) == (503, False)
    assert len(caplog.records) == 1
    assert "SQLiteStore is not started" in caplog.text
    assert "app.on_startup(store.start)" in caplog.text


def test_the_log_says_so_of_a_websocket_too(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path / "never-opened.sqlite3")
    app = NexiosApp()

    @app.websocket("/")
    async def listen(websocket: WebSocket) -> None:
        await websocket.accept()
        await store.get("key")

    with caplog.at_level(logging.ERROR, "nexios"), TestClient(app) as client, client.websocket_connect("/") as ws:
        assert ws.wait_closed()[0] == 1011

    assert len(caplog.records) == 1
    assert "SQLiteStore is not started" in caplog.text
