"""A board of the example `commons` as a real process."""

import importlib.util
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import Queue
from threading import Thread

import pytest

from tests.examples.commons_steps import TOKEN

__all__ = ["PATIENCE", "ROOT", "Board", "running"]

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 20.0
"""Seconds to wait for what takes well under one, before the test is given up."""


class Board:
    """A running board. What it prints is kept line by line, so that tests wait for lines and not for time."""

    def __init__(self, server: str, folder: Path, *, kept: bool = True, options: Sequence[str] = ()) -> None:
        self.server = server
        self.folder = folder
        data = ["--data", str(folder)] if kept else []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "examples.commons", "--port", "0", "--server", server, *data, *options],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(folder), "COMMONS_TOKEN": TOKEN},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._lines: Queue[str | None] = Queue()
        """None is the end: nothing more will be printed."""
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()
        self.printed: list[str] = []
        try:
            self.url = self.line_with("Commons is at ").split()[3]
        except BaseException:
            self.end(signal.SIGKILL, group=True)
            raise
        self.websocket_url = self.url.replace("http", "ws", 1)

    def line_with(self, words: str) -> str:
        """Wait for a line that holds `words`. Raises `RuntimeError`, with all that it printed, when it ends before."""
        while (line := self._lines.get(timeout=PATIENCE)) is not None:
            if words in line:
                return line
            self.printed.append(line)
        raise RuntimeError(f"the board ended without the words {words!r}:\n{''.join(self.printed)}")

    def end(self, signal_number: int, *, group: bool = False) -> int:
        """Send a signal, to all processes of the board as a terminal does or to the first; return its exit code."""
        (os.killpg if group else os.kill)(self.process.pid, signal_number)
        code = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        while not self._lines.empty():
            self.printed.append(self._lines.get() or "")
        return code

    def _read(self) -> None:
        if self.process.stdout is not None:
            with self.process.stdout as output:
                for line in output:
                    self._lines.put(line)
        self._lines.put(None)


@contextmanager
def running(server: str, folder: Path, *, kept: bool = True, options: Sequence[str] = ()) -> Iterator[Board]:
    if importlib.util.find_spec(server.partition("-")[0]) is None:
        pytest.skip(f"{server} is not installed")
    board = Board(server, folder, kept=kept, options=options)
    try:
        yield board
    finally:
        if board.process.poll() is None:
            board.end(signal.SIGKILL, group=True)
