"""Conditional requests: send the answer, say "not modified", or refuse?

Reads If-Match, If-None-Match, If-Modified-Since, If-Unmodified-Since and
If-Range against what a representation is now. What is malformed never makes a
write go through: an If-Match that cannot be read matches nothing.

Source: RFC 9110 sections 8.8 and 13; the order of the steps is that of 13.2.2.
"""

import math
import time
from typing import Final, Literal

import msgspec

from nexios.errors import InvalidHeader
from nexios.http.dates import parse_http_date
from nexios.http.headers import Headers

__all__ = ["ETag", "Precondition", "evaluate", "format_etag", "if_range_allows", "parse_etag", "parse_etags"]

Precondition = Literal["send", "not_modified", "failed"]
"""Go on; answer 304; answer 412."""

_READS: Final = frozenset({"GET", "HEAD"})
_UNCONDITIONAL: Final = frozenset({"CONNECT", "OPTIONS", "TRACE"})
"""These select no representation, so conditions on them mean nothing (RFC 9110 section 13.2.1)."""


class ETag(msgspec.Struct, frozen=True):
    """One entity tag: `value` is what stands between the quotes.

    Source: RFC 9110 section 8.8.3; 8.8.3.2 for the two ways to compare.

    >>> str(ETag("v1", weak=True))
    'W/"v1"'
    """

    value: str
    weak: bool = False

    def __str__(self) -> str:
        return f'{"W/" if self.weak else ""}"{self.value}"'

    def matches_strongly(self, other: "ETag") -> bool:
        """Byte for byte the same; a weak tag is never."""
        return not self.weak and self == other

    def matches_weakly(self, other: "ETag") -> bool:
        """The same meaning, or better."""
        return self.value == other.value


def format_etag(value: str, *, weak: bool = False) -> str:
    """Return an ETag header.

    >>> format_etag("v1")
    '"v1"'

    Raises:
        InvalidHeader: The value has a quote, a space or a control character, or is not latin-1.
    """
    if not all(_is_etag_character(character) for character in value):
        raise InvalidHeader("an entity tag is made of visible latin-1 characters without a quote")
    return str(ETag(value, weak))


def parse_etag(text: str) -> ETag | None:
    """Return the one entity tag that `text` is, or None."""
    found = _read_etag(text, 0)
    return found[0] if found is not None and found[1] == len(text) else None


def parse_etags(text: str) -> Literal["*"] | tuple[ETag, ...]:
    """Return the tags of If-Match or If-None-Match; none when the list is malformed anywhere.

    >>> parse_etags('"a", W/"b,c"')
    (ETag(value='a', weak=False), ETag(value='b,c', weak=True))
    >>> parse_etags("*"), parse_etags("unquoted")
    ('*', ())
    """
    if text.strip(" \t") == "*":
        return "*"
    tags: list[ETag] = []
    position, expects_tag = 0, True
    while position < len(text):
        if text[position] in " \t":
            position += 1
        elif text[position] == ",":
            position, expects_tag = position + 1, True
        else:
            found = _read_etag(text, position) if expects_tag else None
            if found is None:
                return ()
            tags.append(found[0])
            position, expects_tag = found[1], False
    return tuple(tags)


def evaluate(
    method: str,
    headers: Headers,
    *,
    etag: str | None,
    last_modified: float | None,
    exists: bool = True,
) -> Precondition:
    """Tell what the conditions of a request ask for.

    `etag` is the ETag header of the representation as it is now, `last_modified` its time in
    seconds since 1970; None is "it has none". `exists=False` is for a PUT to where nothing is yet.

    Call it where the answer would be a 2xx without conditions (RFC 9110 section 13.2.1).
    """
    if method in _UNCONDITIONAL:
        return "send"
    current = None if etag is None else parse_etag(etag)
    if not _is_still_expected(headers, current, last_modified, exists=exists):
        return "failed"
    if _is_new_to_client(method, headers, current, last_modified, exists=exists):
        return "send"
    return "not_modified" if method in _READS else "failed"


def if_range_allows(
    headers: Headers, etag: str | None, last_modified: float | None, *, now: float | None = None
) -> bool:
    """Tell whether Range may be followed: there is no If-Range, or it names the representation as it is now.

    The comparison is strong. A date counts once it is a second old, as a file may change twice
    in one second; `now` is by default the clock (RFC 9110 sections 13.1.5 and 8.8.2.2).
    """
    values = headers.get_all("if-range")
    if not values:
        return True
    if len(values) > 1:
        return False
    asked = parse_etag(values[0])
    if asked is not None:
        current = None if etag is None else parse_etag(etag)
        return current is not None and asked.matches_strongly(current)
    date = parse_http_date(values[0])
    if date is None or last_modified is None or date != math.floor(last_modified):
        return False
    return (time.time() if now is None else now) - date >= 1


def _is_still_expected(headers: Headers, current: ETag | None, last_modified: float | None, *, exists: bool) -> bool:
    """If-Match and, without it, If-Unmodified-Since."""
    expected = _joined(headers, "if-match")
    if expected is not None:
        tags = parse_etags(expected)
        if tags == "*":
            return exists
        return current is not None and any(tag.matches_strongly(current) for tag in tags)
    since = _date(headers, "if-unmodified-since")
    return since is None or last_modified is None or math.floor(last_modified) <= since


def _is_new_to_client(
    method: str, headers: Headers, current: ETag | None, last_modified: float | None, *, exists: bool
) -> bool:
    """If-None-Match and, without it, If-Modified-Since, which only means something when reading."""
    known = _joined(headers, "if-none-match")
    if known is not None:
        tags = parse_etags(known)
        if tags == "*":
            return not exists
        return current is None or not any(tag.matches_weakly(current) for tag in tags)
    since = _date(headers, "if-modified-since") if method in _READS else None
    return since is None or last_modified is None or math.floor(last_modified) > since


def _joined(headers: Headers, name: str) -> str | None:
    """A list may come in several lines (RFC 9110 section 5.3)."""
    values = headers.get_all(name)
    return ", ".join(values) if values else None


def _date(headers: Headers, name: str) -> float | None:
    """A date that is malformed, or there twice, is as if it were not there (RFC 9110 section 13.1.3)."""
    values = headers.get_all(name)
    return parse_http_date(values[0]) if len(values) == 1 else None


def _read_etag(text: str, position: int) -> tuple[ETag, int] | None:
    """Return the tag that begins at `position`, and where it ends."""
    weak = text.startswith("W/", position)
    opening = position + 2 if weak else position
    if not text.startswith('"', opening):
        return None
    closing = text.find('"', opening + 1)
    value = text[opening + 1 : closing]
    if closing < 0 or not all(_is_etag_character(character) for character in value):
        return None
    return ETag(value, weak), closing + 1


def _is_etag_character(character: str) -> bool:
    return character == "!" or "#" <= character <= "~" or "\x80" <= character <= "\xff"
