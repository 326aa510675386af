"""Where is an uploaded file kept while a request runs? In memory while it is small, then in a nameless temporary file.

Bytes go to and come from the disk in a worker thread, the roll-over from memory
included, so a slow disk never holds the event loop. The temporary file has mode
0600 and no name that outlives its creation (`tempfile.TemporaryFile`), so there
is nothing to clean up after a crash either.

Source: RFC 7578 section 4.2 for the file name, which "should not be used blindly".
"""

import asyncio
import contextlib
import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, ParamSpec, Self, TypeVar, cast

from nexios.http.disposition import safe_filename
from nexios.http.headers import Headers
from nexios.messages.thread_io import finish_in_thread
from nexios.settings import Limits

__all__ = ["UploadFile"]

_CHUNK: Final = 64 * 1024
_SPOOL_SIZE: Final = Limits().spool_size
_NEW_FILE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_P = ParamSpec("_P")
_T = TypeVar("_T")


class UploadFile:
    """A file that came with a form.

    Shape:    `filename`, `content_type` and `headers` are what the client says of the file, and may lie.
              `size` is the number of bytes that arrived.
    Lifetime: the request's; the form closes its uploads. `save` what shall stay.
    Sharing:  used by one task at a time.

    >>> upload = UploadFile("../../notes.txt")
    >>> upload.filename, upload.size
    ('../../notes.txt', 0)
    """

    __slots__ = ("_file", "_on_disk", "_position", "_spool_size", "content_type", "filename", "headers", "size")

    def __init__(
        self,
        filename: str,
        *,
        content_type: str = "application/octet-stream",
        headers: Headers | None = None,
        spool_size: int = _SPOOL_SIZE,
    ) -> None:
        self.filename: str = filename
        self.content_type: str = content_type
        self.headers: Headers = Headers([]) if headers is None else headers
        self.size: int = 0
        self._spool_size = spool_size
        self._file: BinaryIO = BytesIO()
        self._on_disk = False
        self._position = 0

    @property
    def safe_filename(self) -> str:
        """The file name without path, control characters and names that systems reserve; still the client's choice."""
        return safe_filename(self.filename)

    @property
    def closed(self) -> bool:
        """Whether the bytes are gone."""
        return self._file.closed

    async def write(self, data: bytes) -> None:
        """Append `data`; beyond the spool size everything moves to disk.

        Raises:
            OSError: The disk is full, or there is no place for temporary files.
            ValueError: The upload is closed.
        """
        if self._on_disk or self.size + len(data) <= self._spool_size:
            await self._run(self._append, data)
        else:
            await finish_in_thread(self._roll_over, data)

    async def read(self, size: int = -1) -> bytes:
        """Return the next `size` bytes, all that are left when it is negative, b"" at the end.

        Raises:
            ValueError: The upload is closed.
        """
        data = await self._run(self._read_at, self._position, size)
        self._position += len(data)
        return data

    async def seek(self, position: int) -> None:
        """Let the next `read` begin at `position`, counted in bytes from 0.

        Raises:
            ValueError: `position` is negative.
        """
        if position < 0:
            raise ValueError("UploadFile.seek() takes a position from the start, which is not negative.")
        self._position = position

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """The bytes that `read` would return, in chunks of at most 64 KiB."""
        while chunk := await self.read(_CHUNK):
            yield chunk

    async def save(self, directory: str | os.PathLike[str]) -> Path:
        """Copy the whole file into `directory` and return where it is.

        The name is new and random, without extension: no word of the client is in the path.
        The file is created with mode 0600 and nothing is overwritten. What `read` returns
        next does not change. When the copy fails or is cancelled, no file stays.

        Raises:
            OSError: The directory is missing or not writable, or the disk is full.
            ValueError: The upload is closed.
        """
        target = Path(directory) / secrets.token_hex(16)
        try:
            await finish_in_thread(self._copy_to, target)
        except asyncio.CancelledError:
            await finish_in_thread(target.unlink, missing_ok=True)
            raise
        return target

    async def close(self) -> None:
        """Give up the bytes; the temporary file is gone after this. Closing twice is fine."""
        await self._run(self._discard)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"<UploadFile {self.filename!a} {self.size} bytes>"

    async def _run(self, call: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        if self._on_disk:
            return await finish_in_thread(call, *args, **kwargs)
        return call(*args, **kwargs)

    def _append(self, data: bytes) -> None:
        self._file.seek(self.size)
        self._file.write(data)
        self.size += len(data)

    def _roll_over(self, data: bytes) -> None:
        """The new file replaces the old one first, so that `close` finds it whatever fails afterwards."""
        memory = cast(BytesIO, self._file)
        kept = memory.getvalue()
        self._file, self._on_disk = cast(BinaryIO, tempfile.TemporaryFile()), True  # noqa: SIM115 - closed by close()
        memory.close()
        self._file.write(kept)
        self._append(data)

    def _read_at(self, position: int, size: int) -> bytes:
        self._file.seek(position)
        return self._file.read(size)

    def _copy_to(self, target: Path) -> None:
        self._file.seek(0)
        descriptor = os.open(target, _NEW_FILE, 0o600)
        try:
            with open(descriptor, "wb") as copy:
                shutil.copyfileobj(self._file, copy, _CHUNK)
        except BaseException:
            target.unlink()
            raise

    def _discard(self) -> None:
        """A full disk fails the last write of a buffered file once more, but closes it."""
        with contextlib.suppress(OSError):
            self._file.close()
