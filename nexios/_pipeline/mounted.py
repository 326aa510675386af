"""How does a nexios app answer inside another? By its own engine, with a Request of its own for the same exchange.

Its own, because `app`, `route`, `path_params` and `root_path` differ inside; and they have to stay
what they are when a stream or a background task reads them long after the app has answered.
"""

import copy
from collections.abc import Callable

from nexios._pipeline.engine import Engine
from nexios._pipeline.in_use import using
from nexios.messages.request import Request
from nexios.messages.response import Builder, Response
from nexios.messages.session import SessionOpener

__all__ = ["MountedEngine"]

_SHARED = ("_headers", "_cookies", "_query", "_url", "_body", "_form", "_id", "_scopes")
"""What is read of the exchange on either side is read for both."""


class MountedEngine:
    """A mounted nexios app: its own middleware, handlers, limits and lifespan, and nothing of its parent's."""

    def __init__(self, engine: Engine, with_overrides: Callable[[Engine], Engine]) -> None:
        self._base = engine
        self._with_overrides = with_overrides

    @property
    def engine(self) -> Engine:
        """The mounted app, compiled, with the overrides that are in force here."""
        return self._with_overrides(self._base)

    async def start(self) -> None:
        """Start the mounted app."""
        with using(self._base):
            await self.engine.start()

    async def stop(self) -> None:
        """Stop the mounted app."""
        with using(self._base):
            await self.engine.stop()

    async def __call__(self, request: Request, response: Response) -> Response:
        """Let the mounted app answer. State, body and uploads are shared with the request outside."""
        request._state = request.state  # made now, so that both have the same
        engine = self.engine
        inner = copy.copy(request)
        inner._context, inner._target, inner._path_params = engine, None, None
        inner._builder = Builder()
        if request._session is None and request._session_opener is not None:
            inner._session_opener = _opened_outside(request)
        try:
            with using(self._base):  # for what the app emits and injects meanwhile
                return await engine.handle(inner)
        finally:
            for part in _SHARED:
                setattr(request, part, getattr(inner, part))


def _opened_outside(request: Request) -> SessionOpener:
    """A session around the mount is opened there, where it is saved."""
    return lambda _: request.session
