"""Applications whose beginning and end are written to a file, for the tests of the lifespan."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from nexios import NexiosApp
from nexios.messages.request import Request
from nexios.messages.response import Response

__all__ = ["app", "broken"]


def write(line: str) -> None:
    """Add a line to the journal."""
    with Path(os.environ["NEXIOS_CONTRACT_JOURNAL"]).open("a") as journal:
        journal.write(f"{line}\n")


@asynccontextmanager
async def context(app: NexiosApp) -> AsyncIterator[dict[str, str]]:
    """Leave a line on each side."""
    write("context entered")
    try:
        yield {"word": "from the context"}
    finally:
        write("context left")


def _with_hooks() -> NexiosApp:
    app = NexiosApp(lifespan=context)

    @app.on_startup
    async def start() -> None:
        write("started")

    @app.on_shutdown
    async def stop() -> None:
        write("stopped")

    return app


app = _with_hooks()


@app.get("/word")
async def word(request: Request, response: Response) -> str:
    """What the context yielded."""
    return str(request.app.state.word)


@app.get("/background")
async def background(request: Request, response: Response) -> Response:
    """A task that ends before the shutdown hooks."""
    return response.text("sent").add_background(write, "background")


@app.post("/in-flight")
async def in_flight(request: Request, response: Response) -> str:
    """Takes as long as its body."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        write(f"received {body.decode()}")
    return body.decode()


broken = _with_hooks()


@broken.on_startup
async def fail() -> None:
    """The second of two hooks."""
    raise RuntimeError("the database is not there")
