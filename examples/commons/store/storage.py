"""Where does the board keep things? In one folder: a SQLite file, and attachments under generated names.

SQLite and the disk block, so neither is touched on the event loop. One worker thread owns the only
connection, and transactions take turns: one begins with its first unit of work, so that a handler which still
waits for its client holds up nobody. Other processes may have the same folder; SQLite makes all wait for their turn.
"""

import asyncio
import os
import sqlite3
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from time import monotonic, sleep
from types import TracebackType
from typing import Concatenate, ParamSpec, Self, TypeVar

from nexios import UploadFile

from ..models import NewAttachment
from ..options import Options

__all__ = ["AVATARS", "Store", "Transaction", "in_transaction", "open_store"]

P = ParamSpec("P")
Later = Callable[[], Awaitable[object]]
T = TypeVar("T")

WAIT = 10.0
"""Seconds to wait for the turn of another process."""

AVATARS = "avatars"
"""The folder of the pictures of members. Everything in it is served."""

SCHEMA = Path(__file__).with_name("schema.sql").read_text(encoding="utf-8")


async def open_store(options: Options) -> AsyncGenerator["Store", None]:
    """Provide the store, for as long as the app runs."""
    async with Store(options.folder) as store:
        yield store


async def in_transaction(store: "Store") -> AsyncGenerator["Transaction", None]:
    """Provide a transaction to one handler. It ends before the answer is sent, so what a client is told is true."""
    async with store.transaction() as transaction:
        yield transaction


class Store:
    """Opened when the app starts, closed when it stops; shared by all requests.

    async with Store(folder) as store, store.transaction() as board:
        room = await board.run(rooms.create, NewRoom("Garden"))
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files = folder / "attachments"
        self.avatars = folder / AVATARS
        self.turn = asyncio.Lock()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="commons-store")
        self._connection: sqlite3.Connection

    async def __aenter__(self) -> Self:
        await self._in_thread(self._open)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._in_thread(self._connection.close)
        self._thread.shutdown()

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator["Transaction", None]:
        """Keep all that happens in the block, or nothing when it raises. Not inside of another one: it would wait."""
        transaction = Transaction(self)
        try:
            yield transaction
            await transaction.commit()
        except BaseException:
            await transaction.roll_back()
            raise
        await transaction.follow_up()

    async def run(self, work: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run one unit of work in the thread of the database. For transactions."""
        return await self._in_thread(lambda: work(self._connection, *args, **kwargs))

    def path_of(self, stored_as: str) -> Path:
        """Return where a kept file is. The name is one of ours, never a client's."""
        return self.files / stored_as

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _open(self) -> None:
        self.files.mkdir(parents=True, exist_ok=True)
        self.avatars.mkdir(exist_ok=True)
        path = self.folder / "board.sqlite3"
        with suppress(FileExistsError):  # to open and close one that is there would take our locks from it
            os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))
        path.chmod(0o600)  # hashes of passwords are in it; SQLite gives its other files the same mode
        self._connection = sqlite3.connect(path, timeout=WAIT, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        _write_ahead(self._connection)
        self._connection.execute("PRAGMA foreign_keys = ON")
        self._connection.executescript(SCHEMA)


class Transaction:
    """What one handler does to the board, files included. Made by `Store.transaction`; used by one task."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._has_turn = False
        self._saved: list[Path] = []
        self._discarded: list[Path] = []
        self._later: list[Later] = []

    async def run(self, work: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run one unit of work; the first one waits until other transactions are over."""
        if not self._has_turn:
            await self._store.turn.acquire()
            self._has_turn = True
            await self._store.run(_begin)
        return await self._store.run(work, *args, **kwargs)

    async def save(self, upload: UploadFile, caption: str) -> NewAttachment:
        """Put an upload on disk, and return what there is to say of it."""
        path = await upload.save(self._store.files)
        self._saved.append(path)
        return NewAttachment(upload.safe_filename, caption.strip(), upload.size, path.name)

    async def save_avatar(self, upload: UploadFile, suffix: str) -> str:
        """Put a picture on disk, and return its name: a random one, with the extension of what it is."""
        path = await upload.save(self._store.avatars)
        named = path.with_suffix(suffix)
        self._saved += [path, named]
        await asyncio.to_thread(path.rename, named)
        return named.name

    def discard_avatar(self, name: str | None) -> None:
        """Delete a picture, if there is one, once that is certain."""
        if name is not None:
            self._discarded.append(self._store.avatars / name)

    def discard(self, stored: Iterable[str]) -> None:
        """Delete files that nothing refers to any more, once that is certain."""
        self._discarded += map(self._store.path_of, stored)

    def then(self, work: Callable[P, Awaitable[object]], *args: P.args, **kwargs: P.kwargs) -> None:
        """Await this once everything is kept, and only then: nobody hears of what was rolled back."""
        self._later.append(partial(work, *args, **kwargs))

    async def follow_up(self) -> None:
        """Do what was put off until everything was kept."""
        for work in self._later:
            await work()

    async def commit(self) -> None:
        """Keep everything. Raises sqlite3.Error; then it is still to be rolled back."""
        await self._end("COMMIT")
        await _unlink(self._discarded)

    async def roll_back(self) -> None:
        """Leave everything as it was."""
        await self._end("ROLLBACK")
        await _unlink(self._saved)

    async def _end(self, statement: str) -> None:
        if self._has_turn:
            await self._store.run(_end, statement)
            self._has_turn = False
            self._store.turn.release()


def _write_ahead(db: sqlite3.Connection) -> None:
    """Here alone SQLite does not wait for other processes, which may open the same new file at the same moment."""
    deadline = monotonic() + WAIT
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError:
            if monotonic() > deadline:
                raise
            sleep(0.01)


def _begin(db: sqlite3.Connection) -> None:
    """As a writer: one that reads first and writes then fails when another process wrote in between."""
    db.execute("BEGIN IMMEDIATE")


def _end(db: sqlite3.Connection, statement: str) -> None:
    """SQLite has rolled back by itself after some errors, a full disk for example."""
    if db.in_transaction or statement == "COMMIT":
        db.execute(statement)


async def _unlink(paths: list[Path]) -> None:
    if paths:
        await asyncio.to_thread(_unlink_all, paths)


def _unlink_all(paths: list[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
