"""What the tests of dependency injection have in common: an app of one handler, and a list of what happened."""

from collections.abc import AsyncIterator, Callable
from typing import Any

from nexios import NexiosApp
from nexios.testing import RawAnswer, call

__all__ = ["Session", "Sessions", "Trace", "ask", "one_route", "result_of"]

Trace = list[str]
"""What happened, in order."""


def one_route(handler: Callable[..., Any], **options: Any) -> NexiosApp:
    """Return an app that answers GET / with `handler`."""
    app = NexiosApp()
    app.add_route("/", handler, **options)
    return app


async def ask(app: NexiosApp, path: str = "/", **options: Any) -> RawAnswer:
    """Let the app answer one request to the end: cleanup and background tasks too."""
    return await call(app, path=path, **options)


async def result_of(handler: Callable[..., Any], **options: Any) -> Any:
    """Return what a handler answers to GET /: plain data, or a text."""
    answer = await ask(one_route(handler), **options)
    assert answer.status == 200, answer.body
    is_text = (answer.header("content-type") or "").startswith("text/")
    return answer.body.decode() if is_text else answer.json()


class Session:
    """What most tests open; it knows its number."""

    def __init__(self, number: int) -> None:
        self.number = number


class Sessions:
    """Opens sessions, and keeps what became of them."""

    def __init__(self) -> None:
        self.opened = 0
        self.ends: list[str] = []

    async def get(self) -> AsyncIterator[Session]:
        self.opened += 1
        number = self.opened
        try:
            yield Session(number)
        except BaseException as exc:
            self.ends.append(f"{number} rolled back for {type(exc).__name__}")
            raise
        else:
            self.ends.append(f"{number} committed")
