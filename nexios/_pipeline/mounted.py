"""How does a nexios app answer inside another? By its own engine, with a Request of its own for the same exchange.

Its own, because `app`, `route`, `path_params` and `root_path` differ inside; and they have to stay
what they are when a stream or a background task reads them long after the app has answered.
"""

import copy

from nexios._pipeline.engine import Engine
from nexios.messages.request import Request
from nexios.messages.response import Builder, Response

__all__ = ["MountedEngine"]

_SHARED = ("_headers", "_cookies", "_query", "_url", "_body", "_form", "_id", "_scopes")
"""What is read of the exchange on either side is read for both."""


class MountedEngine:
    """A mounted nexios app: its own middleware, handlers, limits and lifespan, and nothing of its parent's."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @property
    def engine(self) -> Engine:
        """The mounted app, compiled."""
        return self._engine

    async def start(self) -> None:
        """Start the mounted app."""
        await self._engine.start()

    async def stop(self) -> None:
        """Stop the mounted app."""
        await self._engine.stop()

    async def __call__(self, request: Request, response: Response) -> Response:
        """Let the mounted app answer. State, body and uploads are shared with the request outside."""
        request._state = request.state  # made now, so that both have the same
        inner = copy.copy(request)
        inner._context, inner._target, inner._path_params = self._engine, None, None
        inner._builder = Builder()
        try:
            return await self._engine.handle(inner)
        finally:
            for part in _SHARED:
                setattr(request, part, getattr(inner, part))
