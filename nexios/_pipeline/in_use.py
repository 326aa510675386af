"""Which engine serves the current code? A test client's own, where one is at work; otherwise the app's."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from nexios._pipeline.engine import Engine

__all__ = ["engine_in_use", "using"]

_in_use: Final[ContextVar[tuple[Engine, ...]]] = ContextVar("nexios_engines_in_use", default=())


def engine_in_use(app: object) -> Engine | None:
    """Return the engine of `app` that the current code runs in, if somebody said so."""
    for engine in reversed(_in_use.get()):
        if engine.app is app:
            return engine
    return None


@contextmanager
def using(engine: Engine) -> Iterator[None]:
    """Let `engine` be that of its app for the code in the block, and for the tasks that it starts."""
    outer = _in_use.get()
    _in_use.set((*outer, engine))
    try:
        yield
    finally:
        _in_use.set(tuple(other for other in _in_use.get() if other is not engine))
