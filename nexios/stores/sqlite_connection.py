"""How is a SQLite file used without holding up the event loop? By a connection that lives in a thread of its own.

Calls are made one after the other, in the order they are asked for. A caller that is cancelled leaves the
connection as it was: its call happens, or it is taken out of the line.
"""

import contextlib
import errno
import os
import sqlite3
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Concatenate, Final, ParamSpec, TypeVar

from nexios.concurrency import Threads
from nexios.errors import ConfigurationError
from nexios.stores.base import StoreUnavailable

__all__ = ["Connection"]

_PAUSE: Final = 0.01
"""Seconds between attempts to open a file that others are opening too."""

_MAKING: Final = threading.Lock()
"""So that nobody of this process connects to a file between its making and its closing."""

P = ParamSpec("P")
T = TypeVar("T")


class Connection:
    """One connection and its thread, from `open` to `close`.

    Raises:
        StoreUnavailable: Any method but `close`, for whatever SQLite refuses.
    """

    def __init__(self, path: Path, patience: float) -> None:
        self._path = path
        self._patience = patience
        self._threads = Threads(1)
        self._connection: sqlite3.Connection | None = None

    async def open(self, statements: tuple[str, ...]) -> None:
        """Connect to the file, which is made if need be, and run some statements.

        Raises:
            ConfigurationError: There can be no file there.
        """
        try:
            await self._threads.begin(partial(self._connect, statements))
        except sqlite3.Error as exc:
            raise StoreUnavailable(explanation=f"SQLiteStore cannot use the file {self._path}: {exc}") from exc

    async def run(self, call: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what a function gives that is called with the connection, in its thread."""
        if self._connection is None:
            raise StoreUnavailable("SQLiteStore is stopped")
        try:
            return await self._threads.begin(partial(call, self._connection, *args, **kwargs))
        except sqlite3.Error as exc:
            raise StoreUnavailable(explanation=f"SQLiteStore cannot use the file {self._path}: {exc}") from exc

    async def close(self) -> None:
        """Close the connection after the calls that were made, and let the thread end."""
        await self._threads.begin(self._disconnect)
        self._threads.close()

    def _connect(self, statements: tuple[str, ...]) -> None:
        """Without transactions of Python's: each statement is one. Others may hold the file while they set it up."""
        _make_file(self._path)
        self._connection = connection = sqlite3.connect(self._path, timeout=self._patience, isolation_level=None)
        deadline = time.monotonic() + self._patience
        for statement in statements:
            while not _done(connection, statement, is_last_try=time.monotonic() > deadline):
                time.sleep(_PAUSE)

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _done(connection: sqlite3.Connection, statement: str, *, is_last_try: bool) -> bool:
    """For changes of the journal SQLite does not always wait by itself."""
    try:
        connection.execute(statement).fetchall()
    except sqlite3.OperationalError as exc:
        if exc.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or is_last_try:
            raise
        return False
    return True


def _make_file(path: Path) -> None:
    """Make a file and its folder, if they are not there: for their owner alone, whatever the umask.

    SQLite gives the rights of the file to those that it puts beside it. A file that is there is never opened here:
    to close it again would take away all locks that connections of this process hold on it, and other processes
    would throw away what they write (https://www.sqlite.org/howtocorrupt.html, section 2.2).

    Raises:
        ConfigurationError: It cannot be made.
    """
    try:
        with _MAKING:
            if not path.parent.exists():
                path.parent.mkdir(mode=0o700, exist_ok=True)
                path.parent.chmod(0o700)
            _make_new(os.path.realpath(path))
    except (OSError, ValueError) as exc:
        raise ConfigurationError(
            f"SQLiteStore cannot make its file: {exc}.\n\n"
            f"Name one in a folder that is there and may be written to:\n\n    SQLiteStore({str(path)!r})\n"
        ) from exc


def _make_new(path: str) -> None:
    """Raises: OSError: It is neither there, as a file that may be read and written, nor can it be made."""
    with contextlib.suppress(FileExistsError):
        made = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0), 0o600)
        try:
            os.chmod(path, 0o600)
        finally:
            os.close(made)
    if not os.path.isfile(path):
        raise FileExistsError(errno.EEXIST, "It is there and no file", path)
    if not os.access(path, os.R_OK | os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
