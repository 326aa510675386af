"""What does a request for a static file get? Looked up, decided and, when small, read in one go, in a worker thread.

Nothing here says why there is no file: outside, hidden, forbidden and missing are one answer.
"""

from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Final

import msgspec

from nexios.errors import HTTPException, RangeNotSatisfiable
from nexios.http.accept import best_encoding
from nexios.http.headers import Headers
from nexios.http.ranges import ByteRange
from nexios.messages.content import Content, FileParts, StreamContent
from nexios.messages.file import (
    FileAnswer,
    FileChanged,
    FilePart,
    FileSource,
    answer_file,
    guess_media_type,
    read_range,
    source_of,
)
from nexios.static.folder import Folder, Opened, Room
from nexios.static.versions import Versions

__all__ = ["Ask", "FileFound", "FolderFound", "Shelf"]

_AT_ONCE: Final = 64 * 1024
"""Bytes that are read together with the look-up: one hop to a thread, and the file is opened once."""
_SUFFIXES: Final = {"br": ".br", "zstd": ".zst", "gzip": ".gz"}
"""Content codings (RFC 9110 section 8.4.1, RFC 8878), best first, and what their files are called."""
_STALE: Final = 60.0
"""Seconds. A compressed file that is so much older than its original was made from another one."""
_FOR_EVER: Final = "max-age=31536000, immutable"
"""A year, the longest that RFC 9111 knows a use for; `immutable` is RFC 8246."""
_INERT: Final = (("content-security-policy", "default-src 'none'; sandbox"),)


class Ask(msgspec.Struct, frozen=True):
    """What of a request matters for a file. An empty last name means a folder, with its slash."""

    names: tuple[str, ...]
    method: str
    headers: Headers
    query: str
    max_ranges: int


class FileFound(msgspec.Struct, frozen=True):
    """The answer: a status, header fields and a content."""

    status: int
    headers: list[tuple[str, str]]
    content: Content


class FolderFound(msgspec.Struct, frozen=True):
    """A folder with an index, asked for without the slash at its end."""


class Shelf(msgspec.Struct, frozen=True):
    """A folder and the rules by which its files are answered with. Any thread may use it."""

    folder: Folder
    versions: Versions
    index: str | None
    precompressed: bool
    cache_control: str | None
    is_immutable: Callable[[str], bool]
    untrusted: bool

    def find(self, ask: Ask) -> FileFound | FolderFound | None:
        """Return the answer to a request for what `ask.names` lead to; None when there is nothing for it.

        Raises:
            HTTPException: 412 or 416.
            OSError: The file cannot be read just now.
            FileChanged: The file became shorter while it was read.
        """
        *folders, last = ask.names or ("",)
        if not ask.names:
            return FolderFound() if self._has_index(()) else None
        with self.folder.enter(folders) as room:
            if room is None or not (name := last or self.index):
                return None
            opened = room.open(name)
            if opened is None:
                return None
            with opened:
                if opened.is_file:
                    return self._answer(ask, room, (*folders, name), opened)
                is_folder = opened.is_folder and bool(last)
        return FolderFound() if is_folder and self._has_index(ask.names) else None

    def learn(self, names: Sequence[str]) -> int:
        """Have the version of a file made, for `Versions.last_known`. Return its size in bytes, 0 for none."""
        with self.folder.enter(names[:-1]) as room:
            opened = None if room is None else room.open(names[-1])
            if opened is None:
                return 0
            with opened:
                has_version = opened.is_file and self.versions.of(names, opened) is not None
                return opened.status.st_size if has_version else 0

    def _has_index(self, names: Sequence[str]) -> bool:
        if self.index is None:
            return False
        with self.folder.enter(names) as room:
            opened = None if room is None else room.open(self.index)
            if opened is None:
                return False
            with opened:
                return opened.is_file

    def _answer(self, ask: Ask, room: Room, names: tuple[str, ...], original: Opened) -> FileFound:
        about = [("cache-control", policy)] if (policy := self._cache_policy(ask, names, original)) else []
        if self.untrusted:
            about += _INERT
        if not self.precompressed:
            return self._represent(ask, names[-1], original, None, about)
        about.append(("vary", "accept-encoding"))
        coding, compressed = _compressed(ask, room, names[-1], original)
        if compressed is None:
            return self._represent(ask, names[-1], original, None, about)
        with compressed:
            return self._represent(ask, names[-1], compressed, coding, about)

    def _represent(
        self, ask: Ask, name: str, opened: Opened, coding: str | None, about: list[tuple[str, str]]
    ) -> FileFound:
        """`name` is that of the original, which says what the content is, however it is coded."""
        source = source_of(opened.path, opened.status)
        if coding is not None:
            source = msgspec.structs.replace(source, etag=source.etag[:-1] + f'-{coding}"')
        answer = answer_file(
            source,
            method=ask.method,
            headers=ask.headers,
            media_type=guess_media_type(name),
            max_ranges=ask.max_ranges,
            filename=name if self.untrusted else None,
        )
        if answer.status == 416:
            raise RangeNotSatisfiable(source.size)
        if answer.status == 412:
            raise HTTPException(412)
        if coding is not None and answer.status != 304:
            about = [*about, ("content-encoding", coding)]
        return FileFound(answer.status, [*answer.headers, *about], _content(answer, source, opened))

    def _cache_policy(self, ask: Ask, names: tuple[str, ...], original: Opened) -> str | None:
        """For ever is only what can never be another content: an address with the hash of this very content."""
        if self.is_immutable("/".join(names)):
            return _FOR_EVER
        if not self.untrusted and ask.query.startswith("v="):
            version = self.versions.of(names, original)
            if version is not None and ask.query == f"v={version}":
                return _FOR_EVER
        return self.cache_control


def _compressed(ask: Ask, room: Room, name: str, original: Opened) -> tuple[str, Opened | None]:
    """Open the best file beside the original that the client can decode."""
    accepted = ", ".join(ask.headers.get_all("accept-encoding"))
    offers = [*_SUFFIXES, "identity"]
    while accepted and (coding := best_encoding(accepted, offers)) not in (None, "identity"):
        compressed = room.open(name + _SUFFIXES[coding])
        if compressed is not None:
            if compressed.is_file and compressed.status.st_mtime > original.status.st_mtime - _STALE:
                return coding, compressed
            with compressed:
                pass
        offers.remove(coding)
    return "identity", None


def _content(answer: FileAnswer, source: FileSource, opened: Opened) -> Content:
    """Bytes when they are few. The server may open the file by its path where nobody could exchange it meanwhile."""
    length = sum(len(part) if isinstance(part, bytes) else part.length for part in answer.parts)
    if 0 < length <= _AT_ONCE:
        return b"".join(_read(opened, part) for part in answer.parts)
    parts = FileParts(source, tuple(answer.parts))
    return parts if opened.is_steady or not answer.parts else StreamContent(_chunks(parts), length)


def _read(opened: Opened, part: FilePart) -> bytes:
    if isinstance(part, bytes):
        return part
    content = opened.read(part.start, part.stop)
    if len(content) != part.length:
        raise FileChanged(f"{opened.path!r} became shorter while it was read")
    return content


async def _chunks(content: FileParts) -> AsyncGenerator[bytes, None]:
    """What is opened once more has to be the very file that was found."""
    for part in content.parts:
        if not isinstance(part, ByteRange):
            yield part
            continue
        chunks = read_range(content.source.path, part.start, part.stop, expected=content.source)
        try:
            async for chunk in chunks:
                yield chunk
        finally:
            await chunks.aclose()
