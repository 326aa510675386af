"""Byte ranges: which parts of a body did the client ask for?

A Range header that is malformed, of another unit, or that asks for more than it
is worth is ignored, as RFC 9110 section 14.2 allows: the whole body always
works. One that is well formed but past the end is an error the client can mend.

Source: RFC 9110 sections 14.1 and 14.2; 17.15 for the attack that the caps stop.
"""

from typing import Final

import msgspec

from nexios.errors import RangeNotSatisfiable

__all__ = ["ByteRange", "parse_ranges"]

_BEYOND_ANY_SIZE: Final = 10**24
"""Positions are exact below this; `int` of unlimited digits would take quadratic time."""
_EXACT_DIGITS: Final = 24


class ByteRange(msgspec.Struct, frozen=True):
    """The bytes start, start + 1, ..., stop - 1 of a body.

    Shape:  0 <= start < stop <= size of the body. Half open, like slice() and RSGI.
    Units:  bytes, counted from 0.
    Source: RFC 9110 section 14.1.2, whose last-pos is inclusive: stop == last-pos + 1.
    """

    start: int
    stop: int

    @property
    def length(self) -> int:
        """How many bytes it has."""
        return self.stop - self.start

    def content_range(self, size: int) -> str:
        """Return the Content-Range header of this part of a body of `size` bytes (RFC 9110 section 14.4).

        >>> ByteRange(0, 5).content_range(10)
        'bytes 0-4/10'
        """
        return f"bytes {self.start}-{self.stop - 1}/{size}"


def parse_ranges(header: str, *, size: int, max_ranges: int = 10) -> list[ByteRange] | None:
    """Return the ranges asked for, in the order asked, or None to send the whole body.

    None also when there are more than `max_ranges`, when they overlap so much that the parts
    are longer than the whole, and when the body is empty. An end past the body is moved to
    its end; of several ranges those past the end are left out.

    >>> parse_ranges("bytes=0-4,-2", size=10)
    [ByteRange(start=0, stop=5), ByteRange(start=8, stop=10)]
    >>> parse_ranges("bytes=5-4", size=10) is None
    True

    Raises:
        RangeNotSatisfiable: The header is well formed, but no range has a byte of the body.
    """
    specs = _split(header, max_ranges)
    if specs is None or size == 0:
        return None
    bounds = [_parse_spec(spec, size) for spec in specs]
    if None in bounds:
        return None
    ranges = [ByteRange(*bound) for bound in bounds if bound is not None and bound[0] < bound[1]]
    if not ranges:
        raise RangeNotSatisfiable(size)
    return ranges if sum(one.length for one in ranges) <= size else None


def _split(header: str, max_ranges: int) -> list[str] | None:
    """Counts before it splits. Empty items are allowed in a list (RFC 9110 section 5.6.1)."""
    unit, equals, text = header.partition("=")
    if not equals or unit.lower() != "bytes" or text.count(",") >= max_ranges:
        return None
    items = [item.strip(" \t") for item in text.split(",")]
    return [item for item in items if item] or None


def _parse_spec(spec: str, size: int) -> tuple[int, int] | None:
    """Return start and stop within the body, equal or inverted when no byte is meant, or None when malformed."""
    first_text, dash, last_text = spec.partition("-")
    first, last = _position(first_text), _position(last_text)
    if not dash or (first is None and first_text) or (last is None and last_text):
        return None
    if first is None:
        return None if last is None else (max(0, size - last), size)
    if last is None:
        return first, size
    return None if last < first else (first, min(last + 1, size))


def _position(text: str) -> int | None:
    if not (text.isascii() and text.isdigit()):
        return None
    significant = text.lstrip("0") or "0"
    return int(significant) if len(significant) <= _EXACT_DIGITS else _BEYOND_ANY_SIZE
