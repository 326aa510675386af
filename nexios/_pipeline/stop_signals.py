"""How does an app hear that its server is told to stop? By listening to the signals before the server does.

ASGI and RSGI servers tell the application when all responses are over, and so never, or when their patience ends,
where one of them goes on for ever. There is no other word for it in either protocol; so the handler
of the server is called by one of ours, which is put in its place while somebody has a reason to listen.

The server hears of it when the WebSockets are closed, a second later at most: it would close them with a code of its
own, and on a busy machine be faster. A second signal reaches it at once, as all do while no event loop runs.
"""

import asyncio
import signal
import threading
import weakref
from collections.abc import Callable, Collection
from functools import partial
from types import FrameType
from typing import Any, Final, Protocol

__all__ = ["StopSignals"]

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
_Handler = Callable[[int, FrameType | None], Any]


class _Leaving(Protocol):
    """Who wants to know."""

    def leave(self) -> Collection["asyncio.Future[None]"]:
        """The process is told to stop. Returns what is to be over before its server hears of it; each ends soon."""


class StopSignals:
    """Tells one listener, in its event loop, and lets the server do what it always does when the listener is ready.

    Only where the server has handlers of its own, and in the main thread, as Python has it: elsewhere nothing
    happens. A process has one event loop in which its app is served, which is that of the last `watch`.
    """

    __slots__ = ("__weakref__", "_installed", "_is_told", "_listener", "_loop")

    def __init__(self, listener: _Leaving) -> None:
        self._listener = weakref.ref(listener)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_told = False
        self._installed: dict[int, tuple[_Handler, _Handler]] = {}
        """By signal: our handler, and whose place it took."""

    def watch(self) -> None:
        """Listen from now on, if that is possible. Watching again does nothing."""
        if self._installed or threading.current_thread() is not threading.main_thread():
            return
        self._loop = asyncio.get_running_loop()
        self._is_told = False
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

    def _tell(self, go_on: Callable[[], object]) -> bool:
        """Wake the event loop, and return whether it will call `go_on`. A signal comes between any two steps."""
        loop, listener = self._loop, self._listener()
        if self._is_told or loop is None or listener is None or not loop.is_running():
            return False
        self._is_told = True
        loop.call_soon_threadsafe(_leave, listener, go_on)
        return True


def _leave(listener: _Leaving, go_on: Callable[[], object]) -> None:
    closing = listener.leave()
    if closing:
        asyncio.ensure_future(asyncio.wait(closing)).add_done_callback(lambda _: go_on())
    else:
        go_on()


def _chained(tell: "weakref.WeakMethod[Callable[[Callable[[], object]], bool]]", before: _Handler) -> _Handler:
    def handle(number: int, frame: FrameType | None) -> Any:
        """Tell our listener, if it is still there, and then do what was done before."""
        method = tell()
        if method is None or not method(partial(before, number, None)):
            before(number, frame)

    return handle
