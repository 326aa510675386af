"""The room of docs/howto/presence-and-resume.md, made of the blocks of that page, and ways to disturb it."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nexios import NexiosApp
from nexios.websockets import Channel
from tests.docs.test_snippets import find_blocks

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "presence-and-resume.md"


def blocks_of(kind: str) -> Iterator[str]:
    """The blocks of the page of one kind, as `html`."""
    for part in PAGE.read_text("utf-8").split(f"\n```{kind}")[1:]:
        yield part.partition("\n")[2].partition("\n```")[0] + "\n"


def build() -> NexiosApp:
    """Do what the page says, in the folder ROOM_FOLDER."""
    os.chdir(os.environ["ROOM_FOLDER"])
    Path("index.html").write_text(next(blocks_of("html")), "utf-8")
    Path("room-client.js").write_text(next(blocks_of('javascript title="room-client.js"')), "utf-8")
    names: dict[str, Any] = {"__name__": "room"}
    for block in find_blocks(PAGE.read_text("utf-8")):
        exec(compile(block.code, str(PAGE), "exec"), names)
    app: NexiosApp = names["app"]
    app.mount("/typed", names["typed"])
    return app


app = build()


@app.post("/drop")
async def drop(request: Any, response: Any) -> int:
    """Break all connections."""
    members = app.hub.members_of("room:1")
    for member in members:
        await member.websocket.close(1012, "back in a moment")
    return len(members)


@app.post("/expel/{user}")
async def expel(request: Any, response: Any, user: str) -> None:
    """Put somebody out of the room."""
    await app.channel("room:1").expel(user)


@app.websocket("/quits")
async def quit_at_once(websocket: Any, user: str, last_seen: str) -> None:
    """Tell who is here, and return."""
    await Channel("quits").connect(websocket, last_seen=last_seen, user=user)


@app.post("/say/{text}")
async def say(request: Any, response: Any, text: str) -> int:
    """Say something in the room."""
    return await app.hub.publish("room:1", {"from": "server", "text": text}, event="said")
