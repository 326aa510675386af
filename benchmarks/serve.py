"""One application under one server, until it is told to stop.

`python -m benchmarks.serve SERVER FRAMEWORK PORT WORKLOAD`; the parent chooses the
processor by pinning itself before it starts this process. One worker, one
thread, no access log, uvloop where it is installed.
"""

import asyncio
import importlib
import importlib.util
import os
import signal
import sys
from types import ModuleType
from typing import Any

__all__ = ["SERVERS", "main", "make_app"]

SERVERS = ("uvicorn", "hypercorn", "granian-asgi", "granian-rsgi")

_FRAMEWORK = "BENCHMARK_FRAMEWORK"
_WORKLOAD = "BENCHMARK_WORKLOAD"


def make_app() -> Any:
    """Return the application named by the environment; Granian's own worker process calls this."""
    return _module().build(os.environ[_WORKLOAD])


def _module() -> ModuleType:
    return importlib.import_module(f"benchmarks.apps.{os.environ[_FRAMEWORK]}")


def _uvloop() -> Any:
    return importlib.import_module("uvloop") if importlib.util.find_spec("uvloop") else None


def _serve_uvicorn(port: int) -> None:
    uvicorn = importlib.import_module("uvicorn")
    uvicorn.run(make_app(), host="127.0.0.1", port=port, access_log=False, log_level="warning")


def _serve_hypercorn(port: int) -> None:
    config = importlib.import_module("hypercorn.config").Config()
    config.bind = [f"127.0.0.1:{port}"]
    serve = importlib.import_module("hypercorn.asyncio").serve
    uvloop = _uvloop()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop if uvloop else None) as runner:
        runner.run(_until_terminated(serve, make_app(), config))


async def _until_terminated(serve: Any, app: Any, config: Any) -> None:
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    await serve(app, config, shutdown_trigger=ended.wait)


def _serve_granian(interface: str, port: int) -> None:
    granian = importlib.import_module("granian")
    constants = importlib.import_module("granian.constants")
    granian.Granian(
        "benchmarks.serve:make_app",
        address="127.0.0.1",
        port=port,
        interface=constants.Interfaces(interface),
        loop=constants.Loops.uvloop if _uvloop() else constants.Loops.asyncio,
        workers=1,
        runtime_threads=1,
        log_enabled=False,
        factory=True,
        **getattr(_module(), "GRANIAN_OPTIONS", {}),
    ).serve()


def main(server: str, framework: str, port: int, workload: str) -> None:
    """Serve what `framework` makes of `workload` under `server` on the loopback `port` until a signal ends it."""
    os.environ[_FRAMEWORK], os.environ[_WORKLOAD] = framework, workload
    if server == "uvicorn":
        _serve_uvicorn(port)
    elif server == "hypercorn":
        _serve_hypercorn(port)
    elif server in ("granian-asgi", "granian-rsgi"):
        _serve_granian(server.removeprefix("granian-"), port)
    else:
        raise SystemExit(f"unknown server {server!r}; one of {', '.join(SERVERS)}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4])
