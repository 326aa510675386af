"""How is the server of a room started, and the process of its clients?"""

import importlib
import importlib.metadata
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.processes import WorkerFailed, WorkerProcess, end, environment, free_port, pinned

__all__ = ["LOAD_CORE", "SERVER_CORE", "Room", "load_process", "name_of", "serving", "version_of"]

SERVER_CORE = 0
LOAD_CORE = 1
_START_S = 20.0


@dataclass(frozen=True, slots=True)
class Room:
    """A server that runs."""

    framework: str
    port: int
    pid: int


@contextmanager
def serving(framework: str, engine: str = "") -> Iterator[Room]:
    """Start the room of a framework on a free port, and end it afterwards.

    Raises:
        WorkerFailed: It did not start; the text says why.
    """
    port = free_port()
    command = [sys.executable, "-P", "-m", "benchmarks.realtime.serve", framework, str(port), engine]
    with tempfile.TemporaryFile(mode="w+", encoding="utf-8", errors="replace") as words:
        with pinned(SERVER_CORE):
            process = subprocess.Popen(
                command, env=environment(), cwd=tempfile.gettempdir(), stdout=subprocess.DEVNULL, stderr=words
            )
        try:
            if not _listens(port, process):
                words.seek(0)
                raise WorkerFailed(f"{framework}: {(words.read().strip().splitlines() or ['no answer'])[-1]}")
            yield Room(framework, port, process.pid)
        finally:
            end(process)


def load_process() -> WorkerProcess:
    """The process of the clients, to be used as a context manager."""
    return WorkerProcess("clients", core=LOAD_CORE, module="benchmarks.realtime.load")


def name_of(framework: str) -> str:
    """Return how a framework is called in a report."""
    return str(importlib.import_module(f"benchmarks.realtime.apps.{framework}").NAME)


def version_of(package: str) -> str:
    """Return the version that is installed here; "" for what is not."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _listens(port: int, process: "subprocess.Popen[bytes]") -> bool:
    """Wait until somebody listens; False when the process ended or too much time went by."""
    deadline = time.monotonic() + _START_S
    while process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=2).close()
        except OSError:
            time.sleep(0.05)
        else:
            return True
    return False
