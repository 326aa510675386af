"""When does an app under test begin and end? With its client, in one task, as under a server."""

from collections.abc import Iterator
from contextlib import contextmanager

from nexios._pipeline.engine import Engine
from nexios._pipeline.in_use import using
from nexios._servers.life import Life
from nexios.application import NexiosApp
from nexios.messages.clock import Clock
from nexios.testing.exchange import errors_noted
from nexios.websockets.hub import Hub

__all__ = ["TestedLife"]


class TestedLife(Life):
    """A life whose unhandled errors are noted, for the client to raise, and whose channels go by its clock."""

    __test__ = False

    def __init__(self, app: NexiosApp, engine: Engine, clock: Clock | None) -> None:
        super().__init__(engine)
        self._app = app
        self._clock = clock

    async def _live(self) -> None:
        with using(self._engine), _going_by(self._app.hub, self._clock):
            await super()._live()

    async def _until_stopped(self) -> None:
        with errors_noted(self._app):
            await super()._until_stopped()


@contextmanager
def _going_by(hub: Hub, clock: Clock | None) -> Iterator[None]:
    """Let a hub go by another clock, if there is one, from before its start until after its stop."""
    before = hub.clock
    hub.clock = before if clock is None else clock
    try:
        yield
    finally:
        hub.clock = before
