"""How is a file below a folder opened, so that nothing outside of the folder ever is?

Each name is opened in the folder before it, and no name may be a link (`O_NOFOLLOW`): between
a check and an opening there is no moment in which another process could put a link there.
A path that has links is resolved first, and what it leads to is opened in the same way when
it is inside the folder. Where a system cannot open a name within a folder (Windows), the file is
opened by its path, and what was opened is compared with what the path leads to.

These functions block: they are for a worker thread. The names come from `nexios.http.paths.file_parts`.
"""

import errno
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Final, Self, TypeVar

__all__ = ["Folder", "Opened", "Room"]

T = TypeVar("T")

_COMMON: Final = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_NO_LINK: Final = getattr(os, "O_NOFOLLOW", 0)
_FILE: Final = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | _COMMON
"""Without O_NONBLOCK, to open a FIFO would hold the thread for ever."""
_DIRECTORY: Final = getattr(os, "O_PATH", os.O_RDONLY) | getattr(os, "O_DIRECTORY", 0) | _COMMON
_OPENS_WITHIN: Final = os.open in os.supports_dir_fd and bool(_NO_LINK)

_ABSENT: Final = frozenset(
    {
        errno.EACCES, errno.EINVAL, errno.EISDIR, errno.ELOOP, errno.EILSEQ, errno.ENAMETOOLONG, errno.ENODEV,
        errno.ENOENT, errno.ENOTDIR, errno.ENXIO, errno.EPERM, getattr(errno, "EMLINK", errno.ELOOP),
    }
)  # fmt: skip
"""There is no such file for us. Others, as "too many open files", are faults of the server."""
_MAYBE_LINK: Final = frozenset({errno.ELOOP, errno.ENOTDIR, getattr(errno, "EMLINK", errno.ELOOP)})
"""What systems answer when a name that must not be a link is one."""


class Opened:
    """A file or folder that is open; `status` is that of what was opened.

    `path` leads to it. `is_steady` says that nobody but us and root can put something else there,
    so that it may be opened by its path once more.
    """

    __slots__ = ("fd", "is_steady", "path", "status")

    def __init__(self, fd: int | None, path: str, status: os.stat_result, *, is_steady: bool) -> None:
        self.fd: int | None = fd
        self.path: str = path
        self.status: os.stat_result = status
        self.is_steady: bool = is_steady

    @property
    def is_file(self) -> bool:
        """Whether it is a regular file."""
        return stat.S_ISREG(self.status.st_mode)

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder."""
        return stat.S_ISDIR(self.status.st_mode)

    def read(self, start: int, stop: int) -> bytes:
        """Return the bytes of a file from `start` to before `stop`; fewer when it has become shorter."""
        if self.fd is None:
            return b""
        os.lseek(self.fd, start, os.SEEK_SET)
        chunks: list[bytes] = []
        while start < stop and (chunk := os.read(self.fd, stop - start)):
            chunks.append(chunk)
            start += len(chunk)
        return b"".join(chunks)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self.fd is not None:
            os.close(self.fd)


class Room:
    """One folder below the root, in which names are opened."""

    def open(self, name: str) -> Opened | None:
        """Open the file or folder `name`, to be closed by the caller; None when there is none for us."""
        raise NotImplementedError


class Folder:
    """The folder `root`, which may be a link itself, and all that is really inside it.

    With `follow_links`, links below it may lead anywhere. Keeps nothing open between two calls;
    may be used by several threads at a time.
    """

    __slots__ = ("_follow_links", "root")

    def __init__(self, root: str, *, follow_links: bool = False) -> None:
        self.root: str = root
        self._follow_links = follow_links

    @contextmanager
    def enter(self, names: Sequence[str]) -> Iterator[Room | None]:
        """Open the folder that the names lead to, for the time of the block; None when there is none for us.

        Raises:
            OSError: The system cannot open files just now.
        """
        if self._follow_links or not _OPENS_WITHIN:
            yield _RoomByPath(self.root, names, is_free=self._follow_links)
            return
        room = _absent_is_none(lambda: self._walk(names))
        try:
            yield room
        finally:
            if room is not None:
                room.close()

    def _walk(self, names: Sequence[str]) -> "_RoomWithin":
        try:
            return _walk(self.root, names)
        except OSError as exc:
            if exc.errno not in _MAYBE_LINK or not names:
                raise
            return _walk(self.root, _inside(self.root, names))


class _RoomWithin(Room):
    """A folder that is open."""

    __slots__ = ("_fd", "_is_steady", "_names", "_root")

    def __init__(self, root: str, names: Sequence[str], fd: int, *, is_steady: bool) -> None:
        self._root = root
        self._names = names
        self._fd = fd
        self._is_steady = is_steady

    def open(self, name: str) -> Opened | None:
        """Open `name`, which may be a link to somewhere inside the root."""
        return _absent_is_none(lambda: self._open(name))

    def _open(self, name: str) -> Opened:
        try:
            return self.open_itself(name)
        except OSError as exc:
            if exc.errno not in _MAYBE_LINK:
                raise
        *folders, last = _inside(self._root, (*self._names, name)) or ("",)
        room = _walk(self._root, folders)
        try:
            return room.open_itself(last)
        finally:
            room.close()

    def open_itself(self, name: str) -> Opened:
        """Open `name`, which is no link. Raises OSError."""
        fd = os.open(name, _FILE | _NO_LINK, dir_fd=self._fd)
        status = os.fstat(fd)
        path = os.path.join(self._root, *self._names, name)
        return Opened(fd, path, status, is_steady=self._is_steady and _is_ours(status))

    def close(self) -> None:
        """Let go of the folder."""
        os.close(self._fd)


def _walk(root: str, names: Sequence[str]) -> _RoomWithin:
    """Open folder after folder. Raises OSError, also when a name is a link."""
    fd = os.open(root, _DIRECTORY)
    try:
        is_steady = _is_ours(os.fstat(fd))
        for name in names:
            outer, fd = fd, os.open(name, _DIRECTORY | _NO_LINK, dir_fd=fd)
            os.close(outer)
            is_steady = is_steady and _is_ours(os.fstat(fd))
    except BaseException:
        os.close(fd)
        raise
    return _RoomWithin(root, names, fd, is_steady=is_steady)


def _inside(root: str, names: Sequence[str]) -> tuple[str, ...]:
    """Return the names, below `root`, of what the names lead to by way of links.

    Raises:
        OSError: They lead out of it, or nowhere.
    """
    top = os.path.realpath(root, strict=True)
    real = os.path.realpath(os.path.join(top, *names), strict=True)
    above, below = _split(top), _split(real)
    if below[: len(above)] != above:
        raise FileNotFoundError(errno.ENOENT, "a link leads out of the folder")
    return below[len(above) :]


def _split(path: str) -> tuple[str, ...]:
    """By component: `/srv/static_private` is not below `/srv/static`."""
    drive, rest = os.path.splitdrive(path)
    return (drive, *(part for part in rest.split(os.sep) if part))


def _is_ours(status: os.stat_result) -> bool:
    """Nobody else may change it. A system without owners says that everybody may."""
    return not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and status.st_uid in (0, os.geteuid())


class _RoomByPath(Room):
    """A folder that is looked for anew with each opening: for systems that cannot open within a folder."""

    __slots__ = ("_is_free", "_names", "_root")

    def __init__(self, root: str, names: Sequence[str], *, is_free: bool) -> None:
        self._root = root
        self._names = names
        self._is_free = is_free

    def open(self, name: str) -> Opened | None:
        """Open `name`, and keep it only if it is inside; with free links, wherever it is."""
        return _absent_is_none(lambda: self._open((*self._names, name)))

    def _open(self, names: tuple[str, ...]) -> Opened:
        path = os.path.join(self._root, *names) if self._is_free else self._real_path(names)
        if os.path.isdir(path):  # Windows opens no folders
            return Opened(None, path, os.stat(path), is_steady=False)
        fd = os.open(path, _FILE)
        try:
            status = os.fstat(fd)
            if not self._is_free and not os.path.samestat(os.lstat(self._real_path(names)), status):
                raise FileNotFoundError(errno.ENOENT, "something else took its place")
        except BaseException:
            os.close(fd)
            raise
        return Opened(fd, path, status, is_steady=self._is_free)

    def _real_path(self, names: tuple[str, ...]) -> str:
        """A short name of Windows (`ENV~1`) leads to no hidden file."""
        real = _inside(self._root, names)
        if any(name.startswith(".") for name in real):
            raise FileNotFoundError(errno.ENOENT, "the file is hidden")
        return os.path.join(os.path.realpath(self._root, strict=True), *real)


def _absent_is_none(open_it: Callable[[], T]) -> T | None:
    try:
        return open_it()
    except ValueError:  # a name that this system's encoding does not have
        return None
    except OSError as exc:
        if exc.errno in _ABSENT:
            return None
        raise
