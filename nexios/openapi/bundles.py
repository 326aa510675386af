"""Which scripts and styles do the documentation pages load, and in which form does a client get them?

All of them are in the package: what npm published, compressed, with its checksum in
`assets/manifest.json` (scripts/vendor_ui.py writes both), and what is our own, as it is.
Of that, what is worth it is compressed when it is first asked for.
A page names a file by its content, so that a browser may keep it for ever.
"""

import gzip
import hashlib
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Final, Literal

import msgspec

from nexios.http.accept import best_encoding
from nexios.http.conditional import format_etag
from nexios.messages.thread_io import finish_in_thread

__all__ = ["Asset", "Assets", "Coding", "choose_coding"]

Coding = Literal["gzip", "identity"]
"""A content coding (RFC 9110 section 8.4.1)."""

FOLDER: Final = Path(__file__).with_name("assets")

_WORTH_PACKING: Final = 1024
"""Bytes from which a file of our own is sent compressed."""

_MEDIA_TYPES: Final = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}


class Asset(msgspec.Struct, frozen=True):
    """A file that pages load.

    Shape: `file` is its name in the package, without ".gz"; `sha256` is that of its content before compression.
           `packed` tells whether it is sent compressed to who reads that, `archived` whether it is kept so.
    """

    file: str
    sha256: str
    packed: bool
    archived: bool = True

    @property
    def public_name(self) -> str:
        """What URLs call it: its name with 16 digits of its checksum.

        >>> Asset("scalar.js", "0123456789abcdef" * 4, packed=True).public_name
        'scalar.0123456789abcdef.js'
        """
        stem, _, suffix = self.file.rpartition(".")
        return f"{stem}.{self.sha256[:16]}.{suffix}"

    @property
    def media_type(self) -> str:
        """Its Content-Type."""
        return _MEDIA_TYPES[Path(self.file).suffix]

    def etag(self, coding: Coding) -> str:
        """Its ETag: one for each coding, as they are different bytes (RFC 9110 section 8.8.3.3)."""
        return format_etag(self.sha256[:32] + ("-gzip" if coding == "gzip" else ""))


class Assets:
    """The files that some pages load, read when they are first asked for and kept.

    One per app; safe to use from any task and thread.

    >>> assets = Assets(["swagger-ui.js", "swagger-ui-start.js"])
    >>> asset = assets["swagger-ui.js"]
    >>> assets.find(asset.public_name) == asset
    True
    """

    __slots__ = ("_by_file", "_by_public_name", "_kept", "_reading")

    def __init__(self, files: Iterable[str]) -> None:
        checksums = _packed_checksums()
        self._by_file = {file: _asset(file, checksums) for file in files}
        self._by_public_name = {asset.public_name: asset for asset in self._by_file.values()}
        self._kept: dict[tuple[str, Coding], bytes] = {}
        self._reading = threading.Lock()

    def __getitem__(self, file: str) -> Asset:
        return self._by_file[file]

    def find(self, public_name: str) -> Asset | None:
        """Return the asset that a URL names; none for the name of an earlier or later version."""
        return self._by_public_name.get(public_name)

    async def content(self, asset: Asset, coding: Coding) -> bytes:
        """Return the bytes of an asset in a coding that it has; disk and decompression are left to a worker thread."""
        kept = self._kept.get((asset.file, coding))
        return kept if kept is not None else await finish_in_thread(self._read, asset, coding)

    def _read(self, asset: Asset, coding: Coding) -> bytes:
        key = (asset.file, coding)
        with self._reading:  # of many first requests one does the work
            if key not in self._kept:
                self._kept[key] = _stored(asset, coding)
            return self._kept[key]


def choose_coding(asset: Asset, accept_encoding: str | None) -> Coding:
    """Return the coding to send: gzip is how a packed asset is stored, so it is preferred when it is accepted.

    >>> choose_coding(Asset("scalar.js", "00", packed=True), "br, gzip;q=0.5")
    'gzip'
    """
    if asset.packed and best_encoding(accept_encoding, ["gzip", "identity"]) == "gzip":
        return "gzip"
    return "identity"


class _File(msgspec.Struct):
    file: str
    sha256: str


class _Package(msgspec.Struct):
    files: list[_File]


class _Manifest(msgspec.Struct):
    packages: list[_Package]


def _packed_checksums() -> dict[str, str]:
    manifest = msgspec.json.decode(FOLDER.joinpath("manifest.json").read_bytes(), type=_Manifest)
    return {entry.file: entry.sha256 for package in manifest.packages for entry in package.files}


def _asset(file: str, checksums: dict[str, str]) -> Asset:
    if file in checksums:
        return Asset(file, checksums[file], packed=True)
    content = FOLDER.joinpath(file).read_bytes()
    checksum = hashlib.sha256(content).hexdigest()
    return Asset(file, checksum, packed=len(content) >= _WORTH_PACKING, archived=False)


def _stored(asset: Asset, coding: Coding) -> bytes:
    if not asset.archived:
        content = FOLDER.joinpath(asset.file).read_bytes()
        return gzip.compress(content, mtime=0) if coding == "gzip" else content
    stored = FOLDER.joinpath(f"{asset.file}.gz" if asset.packed else asset.file).read_bytes()
    return gzip.decompress(stored) if asset.packed and coding == "identity" else stored
