"""How does a server get our app? Each one runs until a signal comes, and then returns.

Servers are imported when they are asked for: only the one in use must be installed.
"""

import asyncio
import socket
from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

from nexios import NexiosApp

from .app import create_app
from .options import Options

__all__ = ["SERVERS", "free_port"]

GRACE = 3
"""Seconds that requests may go on after the signal, a slow download for example."""


def announced_app(options: Options, host: str, port: int) -> NexiosApp:
    """Return the board, which prints its address as soon as it can be reached."""
    app = create_app(options)
    tasks: set[asyncio.Task[None]] = set()

    @app.on_startup
    def announce() -> None:
        tasks.add(asyncio.get_running_loop().create_task(_announce(host, port)))

    @app.on_shutdown
    def forget() -> None:
        for task in tasks:
            task.cancel()

    return app


def uvicorn(options: Options, host: str, port: int) -> None:
    """Serve over ASGI, with uvicorn."""
    server: Any = import_module("uvicorn")
    server.run(
        announced_app(options, host, port),
        host=host,
        port=port,
        log_level="warning",
        timeout_graceful_shutdown=GRACE,
    )


def hypercorn(options: Options, host: str, port: int) -> None:
    """Serve over ASGI, with Hypercorn."""
    config: Any = import_module("hypercorn.config").Config()
    config.bind = [f"{_bracketed(host)}:{port}"]
    config.loglevel = "WARNING"
    config.graceful_timeout = GRACE
    serve: Any = import_module("hypercorn.asyncio").serve
    asyncio.run(serve(announced_app(options, host, port), config))


def granian(options: Options, host: str, port: int, interface: str = "rsgi") -> None:
    """Serve over RSGI, or ASGI, with Granian; the app is made in the process of its worker."""
    module: Any = import_module("granian")
    server = module.Granian(
        "commons", host, port, interface=interface, log_level="warning", workers_kill_timeout=2 * GRACE
    )
    server.serve(target_loader=partial(announced_app, options, host, port), wrap_loader=False)


SERVERS: dict[str, Callable[[Options, str, int], None]] = {
    "uvicorn": uvicorn,
    "hypercorn": hypercorn,
    "granian": granian,
    "granian-asgi": partial(granian, interface="asgi"),
}


def free_port(host: str, port: int) -> int:
    """Return `port` if it is free, or a free one for 0. Raises OSError."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))
        chosen: int = probe.getsockname()[1]
        return chosen


async def _announce(host: str, port: int) -> None:
    """An app starts before its server listens, so try until the door opens."""
    while True:
        try:
            _, writer = await asyncio.open_connection(host, port)
        except OSError:
            await asyncio.sleep(0.02)
        else:
            writer.close()
            break
    print(f"Commons is at http://{_bracketed(host)}:{port} (Ctrl-C stops it)", flush=True)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
