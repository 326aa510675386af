"""How long is a body said to be, and which responses have none?

The one reading of Content-Length, for requests and for the answers of mounted applications:
two readings of one length are how requests are smuggled.

Source: RFC 9110 sections 6.4.1 and 8.6, RFC 9112 section 6.3.
"""

from collections.abc import Sequence
from typing import Final

__all__ = ["NO_CONTENT", "parse_content_length", "promises_more"]

NO_CONTENT: Final = frozenset({204, 205, 304})
"""Final statuses whose responses have no content (RFC 9110 sections 15.3.5, 15.3.6 and 15.4.5)."""

_MAX_DIGITS: Final = 19
"""A length of more digits is over 2**63 bytes, and nobody's honest one."""

_BELOW: Final = tuple(10**digits for digits in range(_MAX_DIGITS + 1))
"""What a number of so many digits is below."""


def parse_content_length(values: Sequence[str | bytes]) -> int | None:
    """Return the length in bytes that the values of Content-Length name; None when there are none.

    ASCII digits only. Repeated values mean a broken peer even when they are equal, so they are refused.

    Raises:
        ValueError: There are several, or it is no number.

    >>> parse_content_length(["42"])
    42
    """
    promises_more(values, None)
    return int(values[0]) if values else None


def promises_more(values: Sequence[str | bytes], limit: int | None) -> bool:
    """Return whether the values of Content-Length name more than `limit` bytes; None is no limit.

    What has fewer digits than the limit is less, and need not be read as a number.

    Raises:
        ValueError: As in `parse_content_length`.

    >>> promises_more(["42"], 41)
    True
    """
    if not values:
        return False
    digits = values[0]
    if len(values) > 1 or not (digits.isdigit() and digits.isascii() and len(digits) <= _MAX_DIGITS):
        raise ValueError("a Content-Length is one number")
    return limit is not None and _BELOW[len(digits)] > limit and int(digits) > limit
