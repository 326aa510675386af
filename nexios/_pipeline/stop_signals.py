"""How does an app hear that its server is told to stop? By listening to the signals before the server does.

ASGI and RSGI servers tell the application when all responses are over, and so never, or when their patience ends,
where one of them goes on for ever. There is no other word for it in either protocol; so the handler
of the server is called by one of ours, which is put in its place while somebody has a reason to listen.

The server hears of it when the WebSockets are closed, a second later at most: it would close them with a code of its
own, and on a busy machine be faster. A second signal reaches it at once, after the first, as all do while no event
loop runs.
"""

import asyncio
import logging
import signal
import threading
import weakref
from collections.abc import Callable, Collection, Sequence
from functools import partial
from types import FrameType
from typing import Any, Final, Protocol

__all__ = ["StopSignals"]

_logger = logging.getLogger("nexios")

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
_Handler = Callable[[int, FrameType | None], Any]


class _Leaving(Protocol):
    """Who wants to know."""

    def leave(self) -> Collection["asyncio.Future[None]"]:
        """The process is told to stop. Returns what is to be over before its server hears of it; each ends soon."""


class StopSignals:
    """Tells one listener, in its event loop, and lets the server do what it always does when the listener is ready.

    Only where the server has handlers of its own, and in the main thread, as Python has it: elsewhere nothing
    happens. A process has one event loop in which its apps are served, which is that of the last `watch`.
    """

    __slots__ = ("__weakref__", "_installed", "_is_told", "_listener", "_loop", "_pending")

    def __init__(self, listener: _Leaving) -> None:
        self._listener = weakref.ref(listener)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_told = False
        self._pending: Callable[[], object] | None = None
        """Tells the server of the first signal, which it has not heard of."""
        self._installed: dict[int, tuple[_Relay, _Handler]] = {}
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
                ours = _Relay(self, before)
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

    @property
    def is_listening(self) -> bool:
        """Whether there is somebody to tell."""
        return self._loop is not None and self._listener() is not None

    def tell(self, everybody: "Sequence[StopSignals]", server: Callable[[], object]) -> bool:
        """Wake the event loop, and return whether it will call `server` when everybody is ready.

        A signal comes between any two steps of the program. What a second one finds waiting goes first.
        """
        self._go_on()
        if self._is_told or self._loop is None or not self._loop.is_running():
            return False
        self._is_told, self._pending = True, server
        self._loop.call_soon_threadsafe(self._tell_all, everybody)
        return True

    def _tell_all(self, everybody: "Sequence[StopSignals]") -> None:
        closing = [future for one in everybody for future in one._leave()]
        if closing:
            asyncio.ensure_future(asyncio.wait(closing)).add_done_callback(self._go_on)
        else:
            self._go_on()

    def _leave(self) -> Collection["asyncio.Future[None]"]:
        listener = self._listener()
        if self._loop is None or listener is None:  # it has stopped meanwhile
            return ()
        self._is_told = True
        try:
            return listener.leave()
        except Exception:
            _logger.exception("an app could not leave when its process was told to stop")
            return ()

    def _go_on(self, _: object = None) -> None:
        """Let the server hear of the first signal, once."""
        pending, self._pending = self._pending, None
        if pending is not None:
            pending()


class _Relay:
    """Has the place of a handler. Of several, one before the other, that of the last app hears of a signal."""

    __slots__ = ("before", "signals")

    def __init__(self, signals: StopSignals, before: _Handler) -> None:
        self.signals = weakref.ref(signals)
        self.before = before

    def __call__(self, number: int, frame: FrameType | None) -> Any:
        """Tell all who listen, and then do what was done before any of them."""
        everybody, server = self._all()
        if not everybody or not everybody[0].tell(everybody, partial(server, number, None)):
            server(number, frame)

    def _all(self) -> tuple[list[StopSignals], _Handler]:
        found: list[StopSignals] = []
        handler: _Handler = self
        while isinstance(handler, _Relay):
            signals = handler.signals()
            if signals is not None and signals.is_listening:
                found.append(signals)
            handler = handler.before
        return found, handler
