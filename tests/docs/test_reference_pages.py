"""Does a reference page name every public member of what it describes?"""

import inspect
from pathlib import Path

import pytest

from nexios import Body, Depend, File, NexiosApp, OpenAPI, Patch, Query, Request, Response, Router, UploadFile
from nexios.events import EventEmitter
from nexios.models.problems import CODES
from nexios.openapi import Callback
from nexios.routing.route import RouteOptions
from nexios.signing import Keyring, Signer
from nexios.static import StaticFiles
from nexios.stores import MemoryStore, SQLiteStore, Store
from nexios.stores.postgres import PostgresStore
from nexios.stores.redis import RedisStore
from nexios.testing import RawAnswer, TestClient
from nexios.testing.faces import Options
from nexios.testing.websocket import WebSocketSession
from nexios.websockets import (
    Channel,
    ChannelBackend,
    ChannelGroup,
    Counters,
    HistoryLimits,
    Hub,
    Listeners,
    ManualClock,
    Member,
    Message,
    OutboxLimits,
    PresenceDiff,
    PresenceEntry,
    WebSocket,
    WebSocketConsumer,
)
from nexios.websockets import __all__ as REAL_TIME

STORES = (MemoryStore, SQLiteStore, RedisStore, PostgresStore)
REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


def members(owner: type, *, without: type = object) -> set[str]:
    """Return the public names of a class, also those that it only annotates."""
    names = set(dir(owner)) | {name for part in owner.__mro__ for name in getattr(part, "__annotations__", {})}
    inherited = set(dir(without))
    return {name for name in names - inherited if not name.startswith("_")}


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("application", members(NexiosApp, without=Router)),
        ("application", {"settings", "state", "event_emitter", "converters", "lifespan", "exception_handlers"}),
        ("application", set(inspect.signature(NexiosApp).parameters)),
        ("dependencies", set(inspect.signature(Depend).parameters)),
        ("inputs", {name for marker in (Query, Body, File) for name in inspect.signature(marker).parameters}),
        ("inputs", members(Patch)),
        ("openapi", members(OpenAPI) | members(Callback)),
        ("routing", members(Router)),
        ("routing", set(RouteOptions.__annotations__)),
        ("request", members(Request)),
        ("request", members(UploadFile)),
        ("response", members(Response)),
        ("events", members(EventEmitter)),
        ("static", members(StaticFiles) | set(inspect.signature(StaticFiles).parameters)),
        ("signing-and-stores", members(Store) | members(Keyring) | members(Signer)),
        ("signing-and-stores", {name for one in STORES for name in inspect.signature(one).parameters}),
        ("testing", members(TestClient)),
        ("testing", set(inspect.signature(TestClient).parameters) - {"app"}),
        ("testing", set(Options.__annotations__)),
        ("testing", members(RawAnswer) - {"take"}),
        ("testing", members(WebSocketSession)),
        ("websockets", members(WebSocket)),
        ("websockets", members(Listeners) | members(WebSocketConsumer)),
        ("channels", members(Channel) | members(ChannelGroup) | members(ChannelBackend)),
        ("channels", set(inspect.signature(Channel.connect).parameters) - {"self"}),
        ("channels", set(inspect.signature(Hub).parameters)),
        ("channels", members(Member) | members(Message) | members(PresenceEntry) | members(PresenceDiff)),
        ("channels", members(HistoryLimits) | members(OutboxLimits) | members(Counters) | members(ManualClock)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_member_is_on_its_page(page: str, names: set[str]) -> None:
    text = (REFERENCE / f"{page}.md").read_text("utf-8")
    quoted = "`".join(text.split("`")[1::2])
    words = set("".join(letter if letter.isalnum() or letter == "_" else " " for letter in quoted).split())

    assert sorted(names - words) == []


def test_every_name_of_real_time_is_on_one_of_its_pages() -> None:
    text = "".join((REFERENCE / page).read_text("utf-8") for page in ("websockets.md", "channels.md"))

    assert [name for name in REAL_TIME if name not in text] == []


def test_every_code_of_an_input_error_is_on_the_page() -> None:
    text = (REFERENCE.parent / "howto" / "inputs.md").read_text("utf-8")

    assert [code for code in CODES if f"`{code}`" not in text] == []
