"""Processes of a test: they write into a log, and do not outlive it."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.contract.servers import ROOT, NotStarted, end_group

__all__ = ["Child", "child", "python_module"]

_LAUNCH = ROOT / "tests" / "contract" / "launch.py"


class Child:
    """A process, and what it has written."""

    def __init__(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self.process = process
        self._log = log

    def check(self) -> None:
        """Raises `NotStarted`, with its log, when it has ended."""
        if (code := self.process.poll()) is not None:
            raise NotStarted(code, self._log.read_text("utf-8", "replace"))


def python_module(*command: str) -> list[str]:
    """The command that runs a module of this Python, and ends it with the tests."""
    return [sys.executable, str(_LAUNCH), str(os.getpid()), *command]


@contextmanager
def child(command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None) -> Iterator[Child]:
    """Start a process for a block; with all that it has started, it is over after it."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **(environment or {})},
        )
        try:
            yield Child(process, log)
        finally:
            end_group(process)
