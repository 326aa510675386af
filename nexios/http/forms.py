"""What did the user enter, and which files came along?

`FormData` is the answer for both encodings of a form. The urlencoded one is parsed
here, whole, because its size is bounded; the multipart one arrives in chunks and
is read in `messages/form.py`, under the same limits.

Source: WHATWG URL, section 5.1; RFC 7578.
"""

from collections.abc import Awaitable
from os import PathLike
from pathlib import Path
from typing import Protocol

from nexios.errors import BadRequest, ContentTooLarge
from nexios.http.multidict import MultiDict
from nexios.http.query import decode_pairs, unescape

__all__ = ["FormData", "Upload", "parse_urlencoded"]


class Upload(Protocol):
    """What a form knows of an uploaded file; `messages/upload.py` has the real one."""

    @property
    def filename(self) -> str:
        """The name the client gave; never use it as a path."""
        ...

    @property
    def safe_filename(self) -> str:
        """The name without folders, device names and odd characters."""
        ...

    @property
    def content_type(self) -> str:
        """The media type the client claims."""
        ...

    @property
    def size(self) -> int:
        """In bytes."""
        ...

    def read(self, size: int = -1, /) -> Awaitable[bytes]:
        """Read up to `size` bytes; all that is left by default."""
        ...

    def save(self, directory: str | PathLike[str], /) -> Awaitable[Path]:
        """Store the file in a folder under a new name; return where it is."""
        ...

    def seek(self, position: int, /) -> Awaitable[object]:
        """Go to a place, in bytes from the start."""
        ...

    def close(self) -> Awaitable[None]:
        """Give the space back."""
        ...


class FormData(MultiDict[str | Upload]):
    """The fields and files of a form, in the order they came.

    `form["name"]` is the first value, text or upload; `get_all` has all of them.
    `fields` and `files` look at one kind only, and are typed accordingly. Names
    are flat: `a[b]` is the name "a[b]".

    >>> form = FormData([("name", "Ada"), ("tag", "x"), ("tag", "y")])
    >>> form["name"], form.fields.get_all("tag"), len(form.files)
    ('Ada', ['x', 'y'], 0)
    """

    __slots__ = ()

    @property
    def fields(self) -> MultiDict[str]:
        """The text fields."""
        return MultiDict((name, value) for name, value in self._pairs if isinstance(value, str))

    @property
    def files(self) -> MultiDict[Upload]:
        """The uploaded files."""
        return MultiDict((name, value) for name, value in self._pairs if not isinstance(value, str))


def parse_urlencoded(
    body: bytes,
    *,
    max_fields: int = 1000,
    max_part_size: int = 1024 * 1024,
    max_text_size: int = 8 * 1024 * 1024,
) -> list[tuple[str, str]]:
    """Return the fields of an `application/x-www-form-urlencoded` body, decoded.

    `max_part_size` is the bytes of one decoded value and `max_text_size` those of
    all values, as in the multipart encoding; names are held to the same two numbers
    on their own. A stray `%` stays as it is.

    Raises:
        ContentTooLarge: Over a limit (codes `too_many_form_fields`, `form_field_too_large`, `form_too_large`).
        BadRequest: Not UTF-8 (code `malformed_form`).

    >>> parse_urlencoded(b"name=Ada+L%C3%B8velace&news")
    [('name', 'Ada Løvelace'), ('news', '')]
    """
    if body.count(b"&") > max_fields:  # one scan, before anything is split
        raise _too_many()
    try:
        if len(body) <= min(max_part_size, max_text_size):  # nothing in it can be over: decoding adds no bytes
            pairs = decode_pairs(body, "strict")
        else:
            pairs = _decode_measured(body, max_part_size, max_text_size)
    except UnicodeDecodeError:
        raise BadRequest("Malformed form", code="malformed_form") from None
    if len(pairs) > max_fields:
        raise _too_many()
    return pairs


def _too_many() -> ContentTooLarge:
    return ContentTooLarge("Too many form fields", code="too_many_form_fields")


def _decode_measured(body: bytes, max_part_size: int, max_text_size: int) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    names = values = 0
    for field in filter(None, body.split(b"&")):
        raw_name, _, raw_value = field.partition(b"=")
        name, value = _unescape_up_to(max_part_size, raw_name), _unescape_up_to(max_part_size, raw_value)
        names += len(name)
        values += len(value)
        if max(names, values) > max_text_size:
            raise ContentTooLarge("Form too large", code="form_too_large")
        pairs.append((name.decode(), value.decode()))
    return pairs


def _unescape_up_to(limit: int, raw: bytes) -> bytes:
    decoded = unescape(raw) if len(raw) <= 3 * limit else raw  # even all escapes, it would be over
    if len(decoded) > limit:
        raise ContentTooLarge("Form field too large", code="form_field_too_large")
    return decoded
