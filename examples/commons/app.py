"""How is Commons put together? This is the place to start reading.

models       what clients send and get
errors       what may be wrong with it
people       members, editors and admins: what may each do?
auth         whose request is it?
store/       what the board keeps: SQLite and files on disk
api/         the REST API below /api, and its documents
pages/       the same for people, as HTML, with forms to sign up and in
news         who hears of it at once: a channel for each room
middleware   what happens around every request
"""

import logging
from collections.abc import Iterator
from functools import partial

from nexios import NexiosApp, Request, Response
from nexios.auth import LoginThrottle, Passwords
from nexios.middleware import SecurityHeaders, TrustedHosts
from nexios.session import SessionMiddleware
from nexios.static import StaticFiles
from nexios.stores import SQLiteStore

from .api import api
from .api.documents import DOCUMENTS
from .auth import SESSION_COOKIE, backends_of
from .middleware import Traced
from .news import News, channel_backend
from .options import Options
from .pages import no_route, pages
from .people import PICTURES
from .secret import secret_of
from .store.members import Members
from .store.storage import AVATARS, Store, Transaction, in_transaction, open_store

__all__ = ["create_app"]

POLICY = {
    "default-src": ["'none'"],
    "style-src": ["'self'"],
    "script-src": ["'self'"],
    "img-src": ["'self'"],
    "connect-src": ["'self'"],
    "form-action": ["'self'"],
    "base-uri": ["'none'"],
    "frame-ancestors": ["'none'"],
}
"""What a page may load, run and be framed by: our own files, and nothing that stands in the page itself."""

A_DAY = 24 * 3600.0

logger = logging.getLogger("commons")


def create_app(options: Options) -> NexiosApp:
    """Return the board of these options. Its folder has a secret and a place for pictures afterwards."""
    (options.folder / AVATARS).mkdir(parents=True, exist_ok=True)
    sessions = SQLiteStore(options.folder / "sessions.sqlite3")
    throttle = LoginThrottle(sessions)
    app = NexiosApp(
        title="Commons",
        openapi=DOCUMENTS,
        limits={"max_body_size": 64 * 1024},
        exception_handlers={404: no_route},
        channels=channel_backend(options.channels),
        lifespan=throttle.lifespan,
        secret_key=options.secret or secret_of(options.folder),
    )
    app.provide(Options, lambda: options, scope="app")
    app.provide(Store, open_store, scope="app")
    app.provide(Members, Members, scope="app")
    app.provide(Passwords, open_passwords, scope="app")
    app.provide(LoginThrottle, lambda: throttle, scope="app")
    app.provide(News, partial(News, app), scope="app")
    app.provide(Transaction, in_transaction, scope="handler")
    app.register_path_converter("id", regex="[1-9][0-9]{0,17}", convert=int)
    protect(app, options, sessions)
    app.include_router(api)
    app.include_router(pages)
    app.mount(PICTURES, StaticFiles(options.folder / AVATARS, untrusted=True), name="avatars")
    app.events.on("request.finished", log_request)
    app.events.on("request.failed", log_request)
    return app


def protect(app: NexiosApp, options: Options, sessions: SQLiteStore) -> None:
    """Say what is around every request, outermost first, and who says whose it is."""
    app.add_middleware(Traced)
    app.add_middleware(
        SecurityHeaders(
            content_security_policy=POLICY,
            referrer_policy="same-origin",
            resource_policy="same-origin",
            hsts=None,  # it would be for all that ever runs on this host, which is perhaps somebody's own computer
        )
    )
    if options.hosts:
        app.add_middleware(TrustedHosts(options.hosts))
    app.add_middleware(
        SessionMiddleware,
        store=sessions,
        session_cookie=SESSION_COOKIE,
        idle_timeout=A_DAY,
        absolute_timeout=14 * A_DAY,
    )
    app.auth_backend = backends_of(app, options)


def open_passwords() -> Iterator[Passwords]:
    """Provide what hashes and checks passwords, two at once: each takes 64 MiB, or 128 without the extra."""
    passwords = Passwords(threads=2)
    yield passwords
    passwords.close()


def log_request(request: Request, response: Response) -> None:
    """Listen to the end of every request. The template is logged, not the path: a stranger wrote that."""
    template = request.route.template if request.route is not None else "-"
    logger.info("%s %s -> %d (%s)", request.method, template, response.status_code, request.id)
