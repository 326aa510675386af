"""What do the engines of one running app have in common? One with overrides runs beside the one without."""

import asyncio
from collections.abc import Awaitable, Collection
from typing import Any, Protocol

from nexios._injection.app_values import AppValues
from nexios._injection.opening import Workers
from nexios._pipeline.install import Layers
from nexios._pipeline.lifespan import Startable
from nexios._pipeline.stop_signals import StopSignals
from nexios._pipeline.stream_registry import OpenStreams
from nexios._pipeline.websocket_registry import OpenWebSockets
from nexios.concurrency import BackgroundTasks, Threads
from nexios.messages.request import Request
from nexios.messages.response import Response

__all__ = ["MountedApp", "Resources"]


class MountedApp(Startable, Protocol):
    """A mounted application as the pipeline sees it."""

    def __call__(self, request: Request, response: Response) -> Awaitable[Response]:
        """Answer one request, whose `root_path` ends where the mounted app begins."""


class Resources:
    """What lives as long as the app, however often it is compiled: threads, tasks, values, middleware, mounted apps."""

    __slots__ = (
        "__weakref__",
        "app_values",
        "auth_backends",
        "background",
        "layers",
        "mounted",
        "signals",
        "sockets",
        "streams",
        "threads",
        "websocket_layers",
        "workers",
    )

    def __init__(self, app: object, thread_limit: int) -> None:
        self.threads: Threads = Threads(thread_limit)
        self.background: BackgroundTasks = BackgroundTasks()
        self.workers: Workers = Workers(self.threads)
        self.app_values: AppValues = AppValues(lambda leaf: app, self.workers)
        self.layers: Layers = {}
        self.auth_backends: dict[int, tuple[object, tuple[Any, ...]]] = {}
        self.mounted: dict[int, MountedApp] = {}
        self.websocket_layers: dict[int, tuple[object, Any]] = {}
        self.signals: StopSignals = StopSignals(self)
        self.sockets: OpenWebSockets = OpenWebSockets(
            lambda: getattr(app, "restarting", False) is True, self.signals.watch
        )
        self.streams: OpenStreams = OpenStreams(self.signals.watch)

    def leave(self) -> Collection["asyncio.Future[None]"]:
        """The process is told to stop: begin to end all that would go on for days. Returns what closes WebSockets."""
        self.streams.leave()
        return self.sockets.leave()
