"""How does an app hear that its server is told to stop? By listening to the signals before the server does.

ASGI and RSGI servers tell the application when all responses are over, and so never, or when their patience ends,
where one of them goes on for ever. There is no other word for it in either protocol; so the handler
of the server is called by one of ours, which is put in its place while somebody has a reason to listen.
"""

import asyncio
import contextlib
import signal
import threading
import weakref
from collections.abc import Callable
from types import FrameType
from typing import Any, Final, Protocol

__all__ = ["StopSignals"]

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
_Handler = Callable[[int, FrameType | None], Any]


class _Leaving(Protocol):
    """Who wants to know."""

    def leave(self) -> None:
        """The process is told to stop."""


class StopSignals:
    """Tells one listener, in its event loop, and then lets the server do what it always does.

    Only where the server has handlers of its own, and in the main thread, as Python has it: elsewhere nothing
    happens. A process has one event loop in which its app is served, which is that of the last `watch`.
    """

    __slots__ = ("__weakref__", "_installed", "_listener", "_loop")

    def __init__(self, listener: _Leaving) -> None:
        self._listener = weakref.ref(listener)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._installed: dict[int, tuple[_Handler, _Handler]] = {}
        """By signal: our handler, and whose place it took."""

    def watch(self) -> None:
        """Listen from now on, if that is possible. Watching again does nothing."""
        if self._installed or threading.current_thread() is not threading.main_thread():
            return
        self._loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            before = signal.getsignal(number)
            if callable(before):
                ours = _chained(weakref.WeakMethod(self._tell), before)
                signal.signal(number, ours)
                self._installed[number] = ours, before

    def forget(self) -> None:
        """Listen no more. Where somebody has put a handler before ours, it stays and only passes on."""
        self._loop = None
        if threading.current_thread() is not threading.main_thread():
            return
        for number, (ours, before) in self._installed.items():
            if signal.getsignal(number) is ours:
                signal.signal(number, before)
        self._installed.clear()

    def _tell(self) -> None:
        """Wake the event loop; a signal comes between any two steps of the program."""
        loop, listener = self._loop, self._listener()
        if loop is not None and listener is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(listener.leave)


def _chained(tell: "weakref.WeakMethod[Callable[[], None]]", before: _Handler) -> _Handler:
    def handle(number: int, frame: FrameType | None) -> Any:
        """Tell our listener, if it is still there, and then do what was done before."""
        method = tell()
        if method is not None:
            method()
        return before(number, frame)

    return handle
