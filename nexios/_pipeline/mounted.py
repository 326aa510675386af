"""How does a nexios app answer inside another? By its own engine, with the same Request."""

from nexios._pipeline.engine import Engine
from nexios.messages.request import Request
from nexios.messages.response import Response

__all__ = ["MountedEngine"]


class MountedEngine:
    """A mounted nexios app: its own middleware, handlers, limits and lifespan, and nothing of its parent's."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def start(self) -> None:
        """Start the mounted app."""
        await self._engine.start()

    async def stop(self) -> None:
        """Stop the mounted app."""
        await self._engine.stop()

    async def __call__(self, request: Request, response: Response) -> Response:
        """Let the mounted app answer. While it does, `request.app` is that app."""
        outer = (request._context, request._target, request._builder, request._path_params)
        request._context, request._target, request._path_params = self._engine, None, None
        try:
            return await self._engine.handle(request)
        finally:
            request._context, request._target, request._builder, request._path_params = outer
