"""Does a reference page name every public member of what it describes?"""

import inspect
from pathlib import Path

import pytest

from nexios import NexiosApp, Request, Response, Router, UploadFile
from nexios.events import EventEmitter
from nexios.testing import RawAnswer, TestClient
from nexios.testing.faces import Options

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
        ("routing", members(Router)),
        ("request", members(Request)),
        ("request", members(UploadFile)),
        ("response", members(Response)),
        ("events", members(EventEmitter)),
        ("testing", members(TestClient)),
        ("testing", set(inspect.signature(TestClient).parameters) - {"app"}),
        ("testing", set(Options.__annotations__)),
        ("testing", members(RawAnswer) - {"take"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_member_is_on_its_page(page: str, names: set[str]) -> None:
    text = (REFERENCE / f"{page}.md").read_text("utf-8")
    quoted = "`".join(text.split("`")[1::2])
    words = set("".join(letter if letter.isalnum() or letter == "_" else " " for letter in quoted).split())

    assert sorted(names - words) == []
