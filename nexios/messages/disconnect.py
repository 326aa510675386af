"""What if the client leaves while we work for it? Cancel the work, and say why."""

import asyncio
from types import TracebackType
from typing import Self

from nexios.errors import ClientDisconnect
from nexios.messages.transport import HTTPTransport

__all__ = ["cancel_on_disconnect"]


class cancel_on_disconnect:
    """Cancel the body of this `async with` when the client goes, and raise `ClientDisconnect` instead.

    The same mechanism as `asyncio.timeout`: the current task is cancelled, and the
    cancellation is taken back here when it was ours.
    """

    def __init__(self, transport: HTTPTransport) -> None:
        self._transport = transport
        self._gone = False
        self._inside = True

    async def __aenter__(self) -> Self:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("cancel_on_disconnect needs to run inside a task")
        self._task = task
        self._cancelling = task.cancelling()
        self._watch = asyncio.ensure_future(self._transport.disconnected())
        self._watch.add_done_callback(self._on_done)
        return self

    def _on_done(self, watch: "asyncio.Future[None]") -> None:
        """May be called after the block was left: a callback that is on its way cannot be taken back."""
        if self._inside and not watch.cancelled() and watch.exception() is None:
            self._gone = True
            self._task.cancel()

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._inside = False
        self._watch.cancel()
        if self._gone:
            ours = self._task.uncancel() <= self._cancelling
            if ours and (kind is None or issubclass(kind, asyncio.CancelledError)):
                raise ClientDisconnect("the client went away") from None
