"""What does the board sign with? A secret that is made at the first start, and that nobody else can read."""

import os
import stat
from contextlib import suppress
from pathlib import Path
from secrets import token_hex, token_urlsafe

from nexios.errors import ConfigurationError

__all__ = ["FILE", "secret_of"]

FILE = "secret.key"
SIZE = 32
"""Bytes."""


def secret_of(folder: Path) -> str:
    """Return the secret of the board in this folder; make it when there is none.

    Of several processes that start at once, all get the same one.

    Raises:
        ConfigurationError: Others can read it, or it is damaged.
    """
    path = folder / FILE
    if not path.exists():
        _make(path)
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise ConfigurationError(f"{path} can be read by others, so it is no secret. Delete it, and a new one is made.")
    secret = path.read_text(encoding="ascii").strip()
    if len(secret) < SIZE:
        raise ConfigurationError(f"{path} holds no secret of {SIZE} characters. Delete it, and a new one is made.")
    return secret


def _make(path: Path) -> None:
    """Whole or not at all: it is written under another name, and a link does not replace what is there."""
    draft = path.with_name(f"{path.name}.{token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(descriptor, "w", encoding="ascii") as file:
            file.write(token_urlsafe(SIZE))
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
