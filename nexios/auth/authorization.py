"""What does the Authorization header hold? A scheme and credentials, read in one way for every backend.

Source: RFC 9110 section 11.6.2, RFC 6750 section 2.1, RFC 7617 section 2.
"""

import base64
import binascii
import re
from typing import Any, Final

from nexios._pipeline.authentication import InvalidCredentials
from nexios.messages.connection import Connection

__all__ = ["credentials_of", "parse_basic", "quoted"]

_LONGEST: Final = 8 * 1024
"""Characters of credentials that are looked at."""

_is_token68 = re.compile(r"[A-Za-z0-9\-._~+/=]+").fullmatch


def credentials_of(connection: Connection[Any], scheme: str) -> str | None:
    """Return the credentials of a scheme, whose case does not matter; None where the client shows none of it.

    Raises:
        InvalidCredentials: There are two Authorization headers, or the credentials are no token of at most 8 KiB.

    A client that shows credentials of another scheme shows none of this one.
    """
    values = connection.headers.get_all("authorization")
    if not values:
        return None
    if len(values) > 1:
        raise InvalidCredentials("The request has more than one Authorization header.")
    given, _, credentials = values[0].partition(" ")
    if given.lower() != scheme.lower():
        return None
    if len(credentials) > _LONGEST or _is_token68(credentials) is None:
        raise InvalidCredentials
    return credentials


def parse_basic(credentials: str) -> tuple[str, str] | None:
    """Return the name and the password of the Basic scheme; None when they are malformed.

    >>> parse_basic("YWRhOnBhOnNz")
    ('ada', 'pa:ss')
    """
    try:
        content = base64.b64decode(credentials, validate=True)
        text = content.decode()
    except (binascii.Error, ValueError):
        return None
    name, colon, password = text.partition(":")
    is_canonical = base64.b64encode(content).decode() == credentials
    if not colon or not is_canonical or any(ord(character) < 32 or ord(character) == 127 for character in text):
        return None
    return name, password


def quoted(text: str) -> str:
    """Return a realm or the like as the quoted string of a header (RFC 9110 section 5.6.4).

    Raises:
        ValueError: It has a character that no header may have.
    """
    if not text.isascii() or not text.isprintable():
        raise ValueError(f"{text!r} is not plain ASCII, so it cannot be in a header")
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
