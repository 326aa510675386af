"""A name that is looked for in the wrong place is told where it is."""

import importlib

import pytest

HERE = [
    ("nexios", "WebSocket", "from nexios.websockets import WebSocket"),
    ("nexios", "WebSocketDisconnect", "from nexios.websockets import WebSocketDisconnect"),
    ("nexios", "Channel", "from nexios.websockets import Channel"),
    ("nexios", "Depends", "from nexios import Depend"),
    ("nexios", "APIRouter", "from nexios import Router"),
    ("nexios", "FastAPI", "from nexios import NexiosApp"),
    ("nexios", "TestClient", "from nexios.testing import TestClient"),
    ("nexios", "StaticFiles", "from nexios.static import StaticFiles"),
    ("nexios", "CORSMiddleware", "from nexios.middleware import CORSMiddleware"),
    ("nexios.websockets", "RedisBackend", "from nexios.websockets.backends.redis import RedisBackend"),
    ("nexios.websockets", "NatsBackend", "from nexios.websockets.backends.nats import NatsBackend"),
    ("nexios.websockets", "PostgresBackend", "from nexios.websockets.backends.postgres import PostgresBackend"),
    ("nexios.websockets", "ChannelMessages", "from nexios.openapi import ChannelMessages"),
    ("nexios.websockets", "WebSocketEndpoint", "from nexios.websockets import WebSocketConsumer"),
]


@pytest.mark.parametrize(("window", "name", "statement"), HERE)
def test_the_import_names_the_statement_that_works(window: str, name: str, statement: str) -> None:
    with pytest.raises(ImportError, match=f"cannot import name '{name}' from '{window}': ") as caught:
        exec(f"from {window} import {name}", {})

    assert str(caught.value).endswith(statement)
    exec(statement, {})


@pytest.mark.parametrize("window", ["nexios", "nexios.websockets"])
def test_any_other_name_is_as_missing_as_ever(window: str) -> None:
    module = importlib.import_module(window)

    assert not hasattr(module, "nothing_of_the_kind")
    with pytest.raises(ImportError, match="cannot import name 'nothing_of_the_kind'"):
        exec(f"from {window} import nothing_of_the_kind", {})


def test_a_package_is_still_imported_by_its_name() -> None:
    scope: dict[str, object] = {}

    exec("from nexios import websockets", scope)

    assert getattr(scope["websockets"], "__name__", "") == "nexios.websockets"
