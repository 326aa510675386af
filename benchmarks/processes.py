"""How are measuring processes started, pinned to a processor, spoken to and ended?"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

__all__ = ["ROOT", "WorkerFailed", "WorkerProcess", "cpu_seconds", "end", "environment", "free_port", "pinned"]

ROOT = Path(__file__).resolve().parent.parent


class WorkerFailed(Exception):
    """A measuring process ended or refused; the text says why."""


def environment() -> dict[str, str]:
    """Return the environment of a child that imports nexios and benchmarks from the working tree.

    Bytecode is kept, as it is wherever a package is installed; an import that compiles is not what is measured.
    """
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0"}


@contextmanager
def pinned(core: int | None) -> Iterator[None]:
    """Pin this process to `core` meanwhile, so that the children started inside inherit it.

    Does nothing where there is no such processor or the system cannot pin.
    """
    if core is None or not hasattr(os, "sched_setaffinity") or core not in os.sched_getaffinity(0):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def cpu_seconds(pid: int) -> float:
    """Return the processor seconds used so far by `pid` and its living children; 0.0 where /proc is missing.

    Source: proc(5), /proc/PID/stat: fields 14 (utime) and 15 (stime) in clock ticks.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        threads = [path.read_text().split() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    except OSError:
        return 0.0
    own = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return own + sum(cpu_seconds(int(child)) for children in threads for child in children)


def free_port() -> int:
    """Return a port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def end(process: "subprocess.Popen[bytes]") -> None:
    """Ask a server to end, and make it when it does not."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class WorkerProcess:
    """One `benchmarks.worker` of one framework, asked one thing at a time.

    With `python`, the interpreter of another environment is used and the working
    tree is out of its reach; with `module`, it is another one of this package that answers.
    Use as a context manager: it ends the process.
    """

    def __init__(
        self,
        framework: str,
        *,
        core: int | None = None,
        python: Path | None = None,
        module: str = "benchmarks.worker",
        arguments: Sequence[str] = (),
    ) -> None:
        self.framework = framework
        self._errors = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115  closed by __exit__
        with pinned(core):
            self._process = subprocess.Popen(
                _command(module, framework, python, arguments),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                text=True,
                cwd=tempfile.gettempdir(),
                env=environment(),
            )

    def ask(self, do: str, **arguments: object) -> Mapping[str, Any]:
        """Send one command and return its result.

        Raises:
            WorkerFailed: The process ended, or the framework raised.
        """
        if self._process.stdin is None or self._process.stdout is None:
            raise WorkerFailed(f"{self.framework}: no pipe")
        try:
            print(json.dumps({"do": do, **arguments}), file=self._process.stdin, flush=True)
        except BrokenPipeError:
            raise WorkerFailed(self._last_words()) from None
        line = self._process.stdout.readline()
        if not line:
            raise WorkerFailed(self._last_words())
        result: dict[str, Any] = json.loads(line)
        if "failed" in result:
            raise WorkerFailed(f"{self.framework}: {result['failed']}")
        return result

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        try:
            self._process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._errors.close()

    def _last_words(self) -> str:
        self._process.wait()
        self._errors.seek(0)
        lines = self._errors.read().strip().splitlines()
        return f"{self.framework}: {lines[-1] if lines else 'ended without a word'}"


def _command(module: str, framework: str, python: Path | None, arguments: Sequence[str]) -> list[str]:
    if python is None:
        return [sys.executable, "-P", "-m", module, framework, *arguments]
    return [str(python), "-I", str(ROOT / "benchmarks" / "isolated.py"), framework]
