"""How is Commons put together? This is the place to start reading.

models       what clients send and get
errors       what may be wrong with it
store/       what the board keeps: SQLite and files on disk
api/         the REST API below /api, and its documents
pages/       the same for people, as HTML
news         who hears of it at once: a channel for each room
middleware   what happens around every request
"""

import logging
from functools import partial

from nexios import NexiosApp, Request, Response

from .api import api
from .api.documents import DOCUMENTS
from .middleware import SecureHeaders, Traced
from .news import News, channel_backend
from .options import Options
from .pages import no_route, pages
from .store.storage import Store, Transaction, in_transaction, open_store

__all__ = ["create_app"]

logger = logging.getLogger("commons")


def create_app(options: Options) -> NexiosApp:
    """Return the board of these options."""
    app = NexiosApp(
        title="Commons",
        openapi=DOCUMENTS,
        limits={"max_body_size": 64 * 1024},
        exception_handlers={404: no_route},
        channels=channel_backend(options.channels),
    )
    app.provide(Options, lambda: options, scope="app")
    app.provide(Store, open_store, scope="app")
    app.provide(News, partial(News, app), scope="app")
    app.provide(Transaction, in_transaction, scope="handler")
    app.register_path_converter("id", regex="[1-9][0-9]{0,17}", convert=int)
    app.add_middleware(Traced)
    app.add_middleware(SecureHeaders)
    app.include_router(api)
    app.include_router(pages)
    app.events.on("request.finished", log_request)
    app.events.on("request.failed", log_request)
    return app


def log_request(request: Request, response: Response) -> None:
    """Listen to the end of every request. The template is logged, not the path: a stranger wrote that."""
    template = request.route.template if request.route is not None else "-"
    logger.info("%s %s -> %d (%s)", request.method, template, response.status_code, request.id)
