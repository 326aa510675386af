"""How long is a body said to be, and which responses have none?

The one reading of Content-Length, for requests and for the answers of mounted applications:
two readings of one length are how requests are smuggled.

Source: RFC 9110 sections 6.4.1 and 8.6, RFC 9112 section 6.3.
"""

from collections.abc import Sequence
from typing import Final

__all__ = ["NO_CONTENT", "parse_content_length"]

NO_CONTENT: Final = frozenset({204, 205, 304})
"""Final statuses whose responses have no content (RFC 9110 sections 15.3.5, 15.3.6 and 15.4.5)."""

_MAX_DIGITS: Final = 19
"""A length of more digits is over 2**63 bytes, and nobody's honest one."""


def parse_content_length(values: Sequence[str]) -> int | None:
    """Return the length in bytes that the values of Content-Length name; None when there are none.

    ASCII digits only. Repeated values mean a broken peer even when they are equal, so they are refused.

    Raises:
        ValueError: There are several, or it is no number.

    >>> parse_content_length(["42"])
    42
    """
    if not values:
        return None
    text = values[0]
    if len(values) > 1 or not (text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS):
        raise ValueError("a Content-Length is one number")
    return int(text)
