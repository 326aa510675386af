"""Which content has a file right now? A short hash of it, so that an address can change when the file does."""

import hashlib
import os
from collections.abc import Sequence
from typing import Final

import msgspec

from nexios.static.folder import Opened

__all__ = ["Versions"]

_MAX_SIZE: Final = 16 * 1024 * 1024
"""Bytes. A larger file has no version: it is no asset of a page."""
_MAX_KNOWN: Final = 10_000
"""Files. More are no assets of a page."""
_DIGITS: Final = 16
"""Hexadecimal, so 64 bits: enough to tell the versions of one file apart."""


class _Known(msgspec.Struct, frozen=True):
    key: tuple[int, int, int, int]
    version: str


class Versions:
    """The hashes of files, each made anew when the file has changed. Any thread may use it."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}

    def last_known(self, names: Sequence[str]) -> str | None:
        """Return the version that the file had when it was last looked at."""
        known = self._known.get("/".join(names))
        return None if known is None else known.version

    def of(self, names: Sequence[str], file: Opened) -> str | None:
        """Return the version of an open file, or None when it has none. Reads it when it is new, or has changed.

        Raises:
            OSError: It cannot be read.
        """
        key, name = _key(file.status), "/".join(names)
        known = self._known.get(name)
        if known is not None and known.key == key:
            return known.version
        if file.status.st_size > _MAX_SIZE or (known is None and self.is_full):
            return None
        content = file.read(0, file.status.st_size)
        version = hashlib.sha256(content).hexdigest()[:_DIGITS]
        self._known[name] = _Known(key, version)
        return version

    @property
    def is_full(self) -> bool:
        """Whether no further files are taken."""
        return len(self._known) >= _MAX_KNOWN


def _key(status: os.stat_result) -> tuple[int, int, int, int]:
    return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size
