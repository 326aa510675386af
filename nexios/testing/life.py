"""When does an app under test begin and end? With its client, in one task, as under a server."""

from nexios._pipeline.engine import Engine
from nexios._pipeline.in_use import using
from nexios._servers.life import Life
from nexios.application import NexiosApp
from nexios.testing.exchange import errors_noted

__all__ = ["TestedLife"]


class TestedLife(Life):
    """A life whose unhandled errors are noted, for the client to raise."""

    __test__ = False

    def __init__(self, app: NexiosApp, engine: Engine) -> None:
        super().__init__(engine)
        self._app = app

    async def _live(self) -> None:
        with using(self._engine):
            await super()._live()

    async def _until_stopped(self) -> None:
        with errors_noted(self._app):
            await super()._until_stopped()
