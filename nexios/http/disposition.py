"""How is a file name put into `Content-Disposition`, and how is it read from one?

Names travel through hands we do not know, so what is written is legal for the
oldest of them: an ASCII `filename` without anything to escape, and the real name in
`filename*` beside it when they differ.

Source: RFC 6266, RFC 8187 section 3.2; RFC 7578 section 4.2 for reading.
"""

import re
from urllib.parse import quote

from nexios.errors import BadRequest, InvalidHeader
from nexios.http.headers import is_token
from nexios.http.media_type import parse_parameters
from nexios.http.paths import is_device_name

__all__ = ["format_content_disposition", "parse_content_disposition", "safe_filename"]

_has_control = re.compile(r"[\x00-\x1f\x7f-\x9f]").search

_ATTRIBUTE_CHARACTERS = "!#$&+-.^_`|~"
"""What RFC 8187 section 3.2.1 lets stand besides letters and digits."""

_MAX_NAME_SIZE = 255
"""Bytes of UTF-8; the longest name that common file systems store."""

_NOT_IN_FALLBACK = str.maketrans(dict.fromkeys('"\\%', "_"))
"""Browsers differ in unescaping quotes and backslashes, and some decode %22 (RFC 6266 appendix D)."""

_NOT_IN_FILE_NAMES = str.maketrans(dict.fromkeys('<>:"|?*', "_"))
"""What Windows refuses in a name; `:` would also open an alternate data stream."""


def format_content_disposition(filename: str, *, inline: bool = False) -> str:
    """Return a `Content-Disposition` value that names the file, as a download unless `inline`.

    Of a path only the last part is kept. An empty name gives the bare word.

    Raises:
        InvalidHeader: The name has a control character, CR and LF among them.

    >>> print(format_content_disposition("naïve.txt"))
    attachment; filename="na_ve.txt"; filename*=UTF-8''na%C3%AFve.txt
    """
    if not isinstance(filename, str) or _has_control(filename):
        raise InvalidHeader("A file name may not hold control characters; pass safe_filename(name) instead.")
    word = "inline" if inline else "attachment"
    name = _shorten(_last_part(filename))
    if not name:
        return word
    fallback = name.translate(_NOT_IN_FALLBACK).encode("ascii", "replace").decode().replace("?", "_")
    value = f'{word}; filename="{fallback}"'
    if fallback == name:
        return value
    return f"{value}; filename*=UTF-8''{quote(name, safe=_ATTRIBUTE_CHARACTERS)}"


def safe_filename(name: str) -> str:
    """Return a name made from a stranger's that is one plain file name on every system.

    No directory, no leading dot, no trailing dot or space, no invisible or
    direction-changing character, no Windows device, at most 255 bytes, never empty.
    Two names may give the same one: do not overwrite by it.

    >>> safe_filename("../../etc/passwd"), safe_filename("CON.txt"), safe_filename("..")
    ('passwd', '_CON.txt', 'file')
    """
    visible = "".join(character for character in _last_part(name) if character.isprintable())
    plain = visible.translate(_NOT_IN_FILE_NAMES).strip(" ").lstrip(". ").rstrip(". ")
    if is_device_name(plain):
        plain = f"_{plain}"
    return _shorten(plain).rstrip(". ") or "file"


def parse_content_disposition(value: str) -> tuple[str, dict[str, str]]:
    """Return the disposition in lower case and its parameters, as a part of a form has them.

    Parameters with a `*` in their name are left out: RFC 7578 section 4.2 forbids
    them in forms, and reading them would let two readers see two names.

    Raises:
        BadRequest: Malformed, or a parameter comes twice (code `malformed_disposition`).

    >>> parse_content_disposition("form-data; name=\\"a\\"; name*=utf-8''b")
    ('form-data', {'name': 'a'})
    """
    word, _, rest = value.partition(";")
    word = word.strip(" \t")
    if not is_token(word):
        raise BadRequest("Malformed Content-Disposition", code="malformed_disposition")
    try:
        parameters = parse_parameters(rest)
    except BadRequest:
        raise BadRequest("Malformed Content-Disposition", code="malformed_disposition") from None
    return word.lower(), {name: text for name, text in parameters if "*" not in name}


def _last_part(path: str) -> str:
    """What stands behind the last separator of either kind; nothing for `.` and `..`."""
    name = path.replace("\\", "/").rpartition("/")[2]
    return "" if name in (".", "..") else name.encode("utf-8", "replace").decode()


def _shorten(name: str) -> str:
    """Cut the middle out, so that the extension survives."""
    if len(name.encode()) <= _MAX_NAME_SIZE:
        return name
    stem, dot, extension = name.rpartition(".")
    extension = dot + extension
    if not stem or len(extension.encode()) > 32:  # no extension but a dot in a long name
        stem, extension = name, ""
    room = _MAX_NAME_SIZE - len(extension.encode())
    return stem.encode()[:room].decode("utf-8", "ignore") + extension
