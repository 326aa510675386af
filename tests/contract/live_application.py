"""The application of the contract of live streams: events, JSON Lines and a channel, and what became of them."""

import asyncio
import os
from collections import defaultdict
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from nexios import NexiosApp, Request, Response
from nexios.messages.sse import Event
from nexios.websockets import Channel

app = NexiosApp(limits={"max_streams": 20})
notes: dict[str, list[str]] = defaultdict(list)
signals: dict[str, asyncio.Event] = defaultdict(asyncio.Event)
LOG = Path(os.environ.get("NEXIOS_CONTRACT_NOTES", os.devnull))


@app.get("/")
async def home(request: Request, response: Response) -> str:
    return "here"


@app.get("/notes/{key}")
async def notes_of(request: Request, response: Response, key: str) -> Any:
    return notes[key]


@app.get("/open")
async def open_streams(request: Request, response: Response) -> Any:
    return {"streams": len(app.engine.streams), "tasks": len(asyncio.all_tasks())}


@app.post("/signal/{key}")
async def signal(request: Request, response: Response, key: str) -> None:
    signals[key].set()


def note(key: str, text: str) -> None:
    notes[key].append(text)
    with LOG.open("a") as log:
        log.write(f"{key} {text}\n")


@app.get("/steps/{key}")
async def steps(request: Request, response: Response, key: str) -> Response:
    async def events() -> AsyncIterator[object]:
        try:
            yield Event("first\nline", event="step", id=1)
            await signals[key].wait()
            yield {"step": 2}
        finally:
            note(key, "closed")

    return response.sse(events(), retry=7000)


@app.get("/silent/{key}")
async def silent(request: Request, response: Response, key: str) -> Response:
    async def events() -> AsyncIterator[object]:
        note(key, "begun")
        try:
            await asyncio.Event().wait()
            yield "never"
        finally:
            note(key, "closed")

    return response.sse(events(), keep_alive=None)


@app.get("/alive")
async def alive(request: Request, response: Response) -> Response:
    async def events() -> AsyncIterator[object]:
        await asyncio.Event().wait()
        yield "never"

    return response.sse(events(), keep_alive=0.02)


@app.get("/broken/{key}")
async def broken(request: Request, response: Response, key: str) -> Response:
    async def events() -> AsyncIterator[object]:
        yield "first"
        await signals[key].wait()
        raise ValueError("a secret")

    return response.sse(events())


@app.get("/lines/{key}")
async def lines(request: Request, response: Response, key: str) -> Response:
    async def items() -> AsyncIterator[object]:
        try:
            yield {"line": 1}
            await signals[key].wait()
            yield {"line": 2}
        finally:
            note(key, "closed")

    return response.json_lines(items())


@app.get("/channel/{name}")
async def channel(request: Request, response: Response, name: str) -> Response:
    return Channel(name).sse(request)


@app.post("/channel/{name}")
async def say(request: Request, response: Response, name: str) -> Any:
    return await Channel(name, app.hub).publish(await request.text(), event="said")


@app.hub.guard("closed*")
async def nobody(client: Any, name: str) -> bool:
    return False
