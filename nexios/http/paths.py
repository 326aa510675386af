"""Which file does a request path name? Names of a folder and a file that cannot climb out, on any system.

A path is refused, never repaired: what is not canonical names nothing. All of it is
decided from the text, before any call to the system, because a call alone can do harm
(a UNC path makes Windows log in elsewhere, a device name opens the device).

Sources: Microsoft, "Naming Files, Paths, and Namespaces"; RFC 3986 section 3.3.
"""

from typing import Final

__all__ = ["file_parts", "is_device_name"]

_MAX_DEPTH: Final = 64
"""Segments; a folder of assets has about five."""
_MAX_NAME_SIZE: Final = 255
"""Bytes of UTF-8: the longest name that common file systems store."""

_DEVICES: Final = frozenset(
    {"con", "prn", "aux", "nul", "conin$", "conout$", "clock$"}
    | {f"{port}{number}" for port in ("com", "lpt") for number in "0123456789\u00b9\u00b2\u00b3"}
)
_ALSO_SEPARATORS: Final = frozenset("\\:")
"""A slash of Windows; a colon is for its drives (`C:x`) and alternate streams (`file.txt::$DATA`)."""


def file_parts(path: str) -> tuple[str, ...] | None:
    r"""Return the names that a decoded path is made of, or None when it may name no file.

    `path` begins with "/" and was decoded once, by the server. A slash at its end, which
    means a folder, gives an empty last part.

    Refused are an empty part, a hidden one (`.git`, and `.` and `..` with them), one that ends in a dot or
    a space, a device of Windows, a backslash, a colon, a control character, and what no file system stores.

    >>> file_parts("/css/site.css"), file_parts("/guide/"), file_parts("/")
    (('css', 'site.css'), ('guide', ''), ('',))
    >>> file_parts("/../etc/passwd"), file_parts("//server/share"), file_parts("/nul.txt"), file_parts("/a\\b")
    (None, None, None, None)
    """
    if not path.startswith("/") or path.count("/") > _MAX_DEPTH:
        return None
    *folders, last = path[1:].split("/")
    if last and not _is_file_name(last):
        return None
    return (*folders, last) if all(map(_is_file_name, folders)) else None


def is_device_name(name: str) -> bool:
    """Tell whether Windows takes a file of this name for a device, whatever its extension.

    >>> is_device_name("CON"), is_device_name("aux .tar.gz"), is_device_name("console")
    (True, True, False)
    """
    return name.partition(".")[0].partition(":")[0].rstrip(" ").lower() in _DEVICES


def _is_file_name(name: str) -> bool:
    if not name or name[0] == "." or name[-1] in ". " or len(name) > _MAX_NAME_SIZE:
        return False
    if not name.isprintable() and any(map(_is_control, name)):
        return False
    if not _ALSO_SEPARATORS.isdisjoint(name) or is_device_name(name):
        return False
    return name.isascii() or _is_stored(name)


def _is_control(character: str) -> bool:
    return character < " " or "\x7f" <= character <= "\x9f"


def _is_stored(name: str) -> bool:
    """Lone surrogates have no UTF-8."""
    try:
        return len(name.encode()) <= _MAX_NAME_SIZE
    except UnicodeEncodeError:
        return False
