"""How is Commons put together? This is the place to start reading.

store/       what the board keeps: values, SQLite, files on disk
api/         the REST API below /api
pages/       the same for people, as HTML
middleware   what happens around every request
"""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from nexios import NexiosApp, Request, Response

from .api import api
from .middleware import Traced, secure_headers
from .pages import no_route, pages
from .store.storage import Storage

__all__ = ["create_app"]

logger = logging.getLogger("commons")


def create_app(folder: Path) -> NexiosApp:
    """Return the board that keeps everything in `folder`."""

    @asynccontextmanager
    async def lifespan(app: NexiosApp) -> AsyncIterator[dict[str, Storage]]:
        async with Storage(folder) as storage:
            yield {"storage": storage}

    app = NexiosApp(
        title="Commons",
        lifespan=lifespan,
        limits={"max_body_size": 64 * 1024},
        exception_handlers={404: no_route},
    )
    app.register_path_converter("id", regex="[1-9][0-9]{0,17}", convert=int)
    app.add_middleware(Traced)
    app.add_middleware(secure_headers)
    app.include_router(api)
    app.include_router(pages)
    app.events.on("request.finished", log_request)
    app.events.on("request.failed", log_request)
    return app


def log_request(request: Request, response: Response) -> None:
    """Listen to the end of every request. The template is logged, not the path: a stranger wrote that."""
    template = request.route.template if request.route is not None else "-"
    logger.info("%s %s -> %d (%s)", request.method, template, response.status_code, request.id)
