"""Where does the board keep things? In one folder: a SQLite file, and attachments under generated names.

SQLite and the disk block, so neither is touched on the event loop. One worker thread owns the only
connection: units of work run one after the other and need no lock.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Concatenate, ParamSpec, Self, TypeVar

from nexios import Request
from nexios.messages.upload import UploadFile

from .values import NewAttachment

__all__ = ["Storage", "storage_of"]

P = ParamSpec("P")
T = TypeVar("T")

SCHEMA = Path(__file__).with_name("schema.sql").read_text(encoding="utf-8")


class Storage:
    """Opened when the app starts, closed when it stops; shared by all requests.

    async with Storage(folder) as storage:
        room = await storage.run(rooms.create, NewRoom("Garden"))
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._files = folder / "attachments"
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="commons-storage")
        self._connection: sqlite3.Connection

    async def __aenter__(self) -> Self:
        await self._in_thread(self._open)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._in_thread(self._connection.close)
        self._thread.shutdown()

    async def run(self, work: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run one unit of work: all that it changes is kept, or nothing when it raises."""
        return await self._in_thread(partial(self._in_transaction, partial(work, self._connection, *args, **kwargs)))

    @asynccontextmanager
    async def keeping(self, upload: UploadFile, caption: str) -> AsyncIterator[NewAttachment]:
        """Save an upload and yield what there is to say of it; the file goes again when the block fails."""
        path = await upload.save(self._files)
        try:
            yield NewAttachment(upload.safe_filename, caption, upload.size, path.name)
        except BaseException:
            await self.discard([path.name])
            raise

    async def discard(self, stored: Iterable[str]) -> None:
        """Delete files that nothing refers to any more."""
        await asyncio.to_thread(_unlink_all, [self.path_of(name) for name in stored])

    def path_of(self, stored_as: str) -> Path:
        """Return where a kept file is. The name is one of ours, never a client's."""
        return self._files / stored_as

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _open(self) -> None:
        self._files.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(self.folder / "board.sqlite3")
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA foreign_keys = ON")
        self._connection.executescript(SCHEMA)

    def _in_transaction(self, work: Callable[[], T]) -> T:
        with self._connection:
            return work()


def storage_of(request: Request) -> Storage:
    """Return the storage of the app that serves this request."""
    storage: Storage = request.app.state.storage
    return storage


def _unlink_all(paths: list[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
