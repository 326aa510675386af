"""What kind of foreign application is mounted, ASGI or WSGI? Told by how it is called."""

import inspect
from collections.abc import Callable
from typing import cast

from nexios._servers.mounted_asgi import MountedASGI
from nexios._servers.mounted_lifespan import ASGIApp
from nexios._servers.mounted_wsgi import MountedWSGI
from nexios._servers.wsgi_environ import WSGIApp
from nexios.concurrency import Threads
from nexios.errors import ConfigurationError

__all__ = ["mounted"]

_UNTOLD = (99, 99.0)


def mounted(app: object, threads: Threads) -> MountedASGI | MountedWSGI:
    """Return what answers requests of ours with `app`.

    ASGI is a coroutine function, or takes (scope, receive, send); WSGI takes (environ, start_response).

    Raises:
        ConfigurationError: `app` is neither.

    >>> from wsgiref.simple_server import demo_app
    >>> type(mounted(demo_app, Threads(1))).__name__
    'MountedWSGI'
    """
    if not callable(app):
        raise _no_application(app)
    required, most = _positional(app)
    is_async = inspect.iscoroutinefunction(app) or inspect.iscoroutinefunction(type(app).__call__)
    if (is_async and required <= 3 <= most) or required == 3:
        return MountedASGI(cast(ASGIApp, app))
    if not is_async and required == 2:
        return MountedWSGI(cast(WSGIApp, app), threads)
    raise _no_application(app)


def _positional(app: Callable[..., object]) -> tuple[int, float]:
    """How many positional arguments `app` needs, and takes at most; more than anyone gives when that cannot be told."""
    try:
        parameters = inspect.signature(app).parameters.values()
    except (TypeError, ValueError):
        return _UNTOLD
    if any(p.kind is p.KEYWORD_ONLY and p.default is p.empty for p in parameters):
        return _UNTOLD
    places = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    required = sum(p.default is p.empty for p in places)
    return required, float("inf") if any(p.kind is p.VAR_POSITIONAL for p in parameters) else len(places)


def _no_application(app: object) -> ConfigurationError:
    name = getattr(app, "__qualname__", None) or f"an object of {type(app).__qualname__}"
    return ConfigurationError(
        f"{name} cannot be mounted: it is called neither like an ASGI nor like a WSGI application.\n"
        "Mount a function that calls it:\n\n"
        "    async def asgi_app(scope, receive, send): ...\n"
        "    def wsgi_app(environ, start_response): ...\n"
    )
