"""What answer does a request for a file get: all of it, parts of it, or only headers?

`open_source` looks at the file, `answer_file` decides without touching it, and
`read_range` reads what was decided, in a worker thread. A file that shrinks or is
replaced between the two ends the answer with an error: the length was already
promised, and bytes of two files must not be mixed.

Source: RFC 9110 sections 13.2.2, 14 and 15.3.7.
"""

import logging
import os
import secrets
import stat
import time
from collections.abc import AsyncGenerator
from io import FileIO
from typing import Final, TypeAlias

import msgspec

from nexios.errors import NexiosError, NotFound, RangeNotSatisfiable
from nexios.http.conditional import evaluate, format_etag, if_range_allows
from nexios.http.dates import format_http_date
from nexios.http.disposition import format_content_disposition
from nexios.http.headers import Headers
from nexios.http.ranges import ByteRange, parse_ranges
from nexios.messages.thread_io import finish_in_thread

__all__ = [
    "FileAnswer",
    "FileChanged",
    "FilePart",
    "FileSource",
    "answer_file",
    "guess_media_type",
    "open_source",
    "read_range",
    "source_of",
]

FilePart: TypeAlias = ByteRange | bytes
"""Bytes of the file, or bytes to send between them."""

_logger = logging.getLogger("nexios")

_CHUNK: Final = 64 * 1024
_READ_ONLY: Final = (
    os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
)
"""Without O_NONBLOCK a FIFO that took the file's place would hold a thread for ever."""
_NO_FILE: Final = (-1, -1)


class FileChanged(NexiosError):
    """The file shrank or was replaced while it was sent; the answer cannot be finished."""


class FileSource(msgspec.Struct, frozen=True):
    """A regular file as it was when looked at.

    Shape:  `etag` is strong, made of size and time of change. `identity` is device and inode.
    Units:  `size` in bytes, `modified` in seconds since 1970, never in the future (RFC 9110 section 8.8.2.1).
    """

    path: str
    size: int
    modified: float
    etag: str
    identity: tuple[int, int] = _NO_FILE


class FileAnswer(msgspec.Struct, frozen=True):
    """The head of an answer, and the parts of its body in order; `content-length` is their exact sum.

    There are no parts for HEAD, 304 and an empty file. 412 and 416 have neither parts nor a
    length: what they say is up to the sender.
    """

    status: int
    headers: list[tuple[str, str]]
    parts: list[FilePart]


async def open_source(path: str | os.PathLike[str]) -> FileSource:
    """Look at the file in a worker thread.

    Raises:
        NotFound: It is missing, not a regular file, or not ours to read.
    """
    try:
        return await finish_in_thread(_look_at, os.fspath(path))
    except (OSError, ValueError) as exc:  # ValueError: NUL in the path
        _logger.info("a file cannot be sent, so the answer is a 404: %s", exc)
        raise NotFound from None


def _look_at(path: str) -> FileSource:
    status = os.stat(path)
    if not stat.S_ISREG(status.st_mode) or not os.access(path, os.R_OK):
        raise PermissionError(f"no regular file that may be read: {path!r}")
    return source_of(path, status)


def source_of(path: str, status: os.stat_result) -> FileSource:
    """Return the file at `path`, which was looked at already; its `identity` tells a later opening that it is the same.

    The entity tag is made of size and time of change.
    """
    return FileSource(
        path=path,
        size=status.st_size,
        modified=min(status.st_mtime, time.time()),
        etag=format_etag(f"{status.st_mtime_ns:x}-{status.st_size:x}"),
        identity=(status.st_dev, status.st_ino),
    )


def answer_file(
    source: FileSource,
    *,
    method: str,
    headers: Headers,
    media_type: str,
    max_ranges: int = 10,
    filename: str | None = None,
    inline: bool = False,
) -> FileAnswer:
    """Decide what a request with these headers gets of the file.

    Only GET has ranges and only GET and HEAD have conditions; another method gets all of it.
    `filename` is what a download is called: with it comes a Content-Disposition, which is
    `attachment` unless `inline`.

    Raises:
        InvalidHeader: `filename` has a control character.
    """
    about = [("etag", source.etag), ("last-modified", format_http_date(source.modified)), ("accept-ranges", "bytes")]
    if method in ("GET", "HEAD"):
        condition = evaluate(method, headers, etag=source.etag, last_modified=source.modified)
        if condition == "not_modified":
            return FileAnswer(304, about, [])
        if condition == "failed":
            return FileAnswer(412, about, [])
    about.append(("x-content-type-options", "nosniff"))
    if filename is not None or inline:
        about.append(("content-disposition", format_content_disposition(filename or "", inline=inline)))
    try:
        ranges = _ranges_asked_for(source, method, headers, max_ranges)
    except RangeNotSatisfiable as exc:
        return FileAnswer(416, [*exc.headers, ("accept-ranges", "bytes")], [])
    answer = _whole(source, about, media_type) if ranges is None else _partial(source, about, media_type, ranges)
    return FileAnswer(answer.status, answer.headers, []) if method == "HEAD" else answer


def _ranges_asked_for(source: FileSource, method: str, headers: Headers, max_ranges: int) -> list[ByteRange] | None:
    """None for the whole file. Range means something with GET alone (RFC 9110 section 14.2)."""
    asked = headers.get_all("range")
    if method != "GET" or len(asked) != 1 or not if_range_allows(headers, source.etag, source.modified):
        return None
    return parse_ranges(asked[0], size=source.size, max_ranges=max_ranges)


def _whole(source: FileSource, about: list[tuple[str, str]], media_type: str) -> FileAnswer:
    headers = [*about, ("content-type", media_type), ("content-length", str(source.size))]
    return FileAnswer(200, headers, [ByteRange(0, source.size)] if source.size else [])


def _partial(source: FileSource, about: list[tuple[str, str]], media_type: str, ranges: list[ByteRange]) -> FileAnswer:
    if len(ranges) > 1:
        return _multipart(source, about, media_type, ranges)
    [only] = ranges
    headers = [
        *about,
        ("content-type", media_type),
        ("content-range", only.content_range(source.size)),
        ("content-length", str(only.length)),
    ]
    return FileAnswer(206, headers, [only])


def _multipart(
    source: FileSource, about: list[tuple[str, str]], media_type: str, ranges: list[ByteRange]
) -> FileAnswer:
    """RFC 9110 section 14.6. The boundary is too random to be in the file."""
    boundary = secrets.token_hex(16)
    parts: list[FilePart] = []
    for number, one in enumerate(ranges):
        lines = f"--{boundary}", f"content-type: {media_type}", f"content-range: {one.content_range(source.size)}"
        parts += [("\r\n" * (number > 0) + "\r\n".join(lines) + "\r\n\r\n").encode("latin-1"), one]
    parts.append(f"\r\n--{boundary}--\r\n".encode("latin-1"))
    length = sum(part.length if isinstance(part, ByteRange) else len(part) for part in parts)
    content_type = f"multipart/byteranges; boundary={boundary}"
    return FileAnswer(206, [*about, ("content-type", content_type), ("content-length", str(length))], parts)


async def read_range(
    path: str | os.PathLike[str],
    start: int,
    stop: int,
    *,
    chunk_size: int = _CHUNK,
    expected: FileSource | None = None,
) -> AsyncGenerator[bytes, None]:
    """Return exactly the bytes from `start` to before `stop`, in chunks of at most `chunk_size`.

    A worker thread is held for the time of one read, not while the receiver takes a chunk.
    The file is closed when the last chunk is taken, or this is closed or cancelled.

    Raises:
        FileChanged: The file ends before `stop`, is no regular file any more, or is not the `expected` one.
        OSError: It cannot be opened or read.
    """
    reader = _Reader(os.fspath(path), start, expected)
    try:
        while (left := stop - start) > 0:
            chunk = await finish_in_thread(reader.read, min(left, chunk_size))
            start += len(chunk)
            yield chunk
    finally:
        reader.close()


class _Reader:
    """A file that is opened in the thread of the first read, and never lost when that read is cancelled."""

    __slots__ = ("_expected", "_file", "_path", "_start")

    def __init__(self, path: str, start: int, expected: FileSource | None) -> None:
        self._path = path
        self._start = start
        self._expected = expected
        self._file: FileIO | None = None

    def read(self, size: int) -> bytes:
        if self._file is None:
            self._file = FileIO(self._path, opener=lambda path, _: os.open(path, _READ_ONLY))
            self._check(os.fstat(self._file.fileno()))
            self._file.seek(self._start)
        chunk = self._file.read(size)
        if not chunk:
            raise FileChanged(f"{self._path!r} became shorter while it was sent")
        return chunk

    def _check(self, status: os.stat_result) -> None:
        if not stat.S_ISREG(status.st_mode):
            raise FileChanged(f"{self._path!r} is not a regular file any more")
        expected = self._expected
        if expected is None:
            return
        if (status.st_dev, status.st_ino) != expected.identity or status.st_size < expected.size:
            raise FileChanged(f"{self._path!r} was replaced or became shorter before it was sent")

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


_MEDIA_TYPES: Final = {
    "text/html": "html htm",
    "text/css": "css",
    "text/javascript": "js mjs cjs",
    "text/plain": "txt text log conf ini",
    "text/markdown": "md markdown",
    "text/csv": "csv",
    "text/tab-separated-values": "tsv",
    "text/calendar": "ics",
    "text/vcard": "vcf",
    "text/vtt": "vtt",
    "application/json": "json map",
    "application/ld+json": "jsonld",
    "application/geo+json": "geojson",
    "application/manifest+json": "webmanifest",
    "application/xml": "xml xsl xsd",
    "application/xhtml+xml": "xhtml",
    "application/atom+xml": "atom",
    "application/rss+xml": "rss",
    "application/yaml": "yaml yml",
    "application/toml": "toml",
    "application/pdf": "pdf",
    "application/rtf": "rtf",
    "application/wasm": "wasm",
    "application/zip": "zip",
    "application/gzip": "gz tgz",
    "application/zstd": "zst",
    "application/x-bzip2": "bz2",
    "application/x-xz": "xz",
    "application/x-tar": "tar",
    "application/x-7z-compressed": "7z",
    "application/vnd.rar": "rar",
    "application/java-archive": "jar",
    "application/epub+zip": "epub",
    "application/vnd.sqlite3": "sqlite sqlite3",
    "application/vnd.apache.parquet": "parquet",
    "application/vnd.ms-fontobject": "eot",
    "application/msword": "doc",
    "application/vnd.ms-excel": "xls",
    "application/vnd.ms-powerpoint": "ppt",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
    "application/vnd.oasis.opendocument.text": "odt",
    "application/vnd.oasis.opendocument.spreadsheet": "ods",
    "application/vnd.oasis.opendocument.presentation": "odp",
    "application/vnd.apple.mpegurl": "m3u8",
    "application/dash+xml": "mpd",
    "audio/aac": "aac",
    "audio/flac": "flac",
    "audio/midi": "mid midi",
    "audio/mp4": "m4a",
    "audio/mpeg": "mp3",
    "audio/ogg": "oga ogg opus",
    "audio/wav": "wav",
    "audio/webm": "weba",
    "font/otf": "otf",
    "font/ttf": "ttf",
    "font/woff": "woff",
    "font/woff2": "woff2",
    "image/apng": "apng",
    "image/avif": "avif",
    "image/bmp": "bmp",
    "image/gif": "gif",
    "image/heic": "heic",
    "image/jpeg": "jpg jpeg jpe jfif",
    "image/jxl": "jxl",
    "image/png": "png",
    "image/svg+xml": "svg",
    "image/tiff": "tif tiff",
    "image/vnd.microsoft.icon": "ico",
    "image/webp": "webp",
    "model/gltf+json": "gltf",
    "model/gltf-binary": "glb",
    "video/mp2t": "ts",
    "video/mp4": "mp4 m4v",
    "video/mpeg": "mpeg mpg",
    "video/ogg": "ogv",
    "video/quicktime": "mov",
    "video/webm": "webm",
    "video/x-matroska": "mkv",
    "video/x-msvideo": "avi",
}
_BY_EXTENSION: Final = {
    f".{extension}": f"{media_type}; charset=utf-8" if media_type.startswith("text/") else media_type
    for media_type, extensions in _MEDIA_TYPES.items()
    for extension in extensions.split()
}


def guess_media_type(path: str | os.PathLike[str]) -> str:
    """Return the media type that the extension stands for; text is said to be UTF-8.

    From a table of our own: `mimetypes` reads files of the machine, so the same
    application would answer differently on two of them.

    >>> guess_media_type("report.HTML"), guess_media_type("unknown.xyz")
    ('text/html; charset=utf-8', 'application/octet-stream')
    """
    _, extension = os.path.splitext(str(path))
    return _BY_EXTENSION.get(extension.lower(), "application/octet-stream")
