"""How does a link carry its own permission, for a while?

A signed URL is a path and a query with two more parameters, `expires` and `signature`. Signed is what the URL means,
and not how it is spelt: percent-encoding and the order of different parameters may change on the way; the path, the
values, and the order of parameters with one name may not. A host is not part of it: put one before the result.
"""

import math
from collections.abc import Iterator
from typing import Final
from urllib.parse import quote_from_bytes, unquote_to_bytes

from nexios.signing.keyring import Keyring
from nexios.signing.signer import BadSignature, SignatureExpired

__all__ = ["sign_url", "verify_url"]

_EXPIRES: Final = b"expires"
_SIGNATURE: Final = b"signature"
_LONGEST_NUMBER: Final = 12
_LONGEST: Final = 1e11
"""Seconds, so that a time has no more than those digits."""

Pair = tuple[bytes, bytes | None]
"""A name and a value, decoded; no value where there is no `=`."""


def sign_url(keyring: Keyring, url: str, *, expires_in: float | None, purpose: str = "url") -> str:
    """Return a URL that `verify_url` accepts for `expires_in` seconds; None is for ever.

    Shape:  `url` is a path that begins with one slash, and may have a query.
    Units:  seconds, rounded up to whole ones.

    >>> keyring = Keyring("xWlZ9nTfS4v1cQ0kR7b2mJ6uYhE3oAqD", clock=lambda: 1700000000.0)
    >>> sign_url(keyring, "/files/7?page=2", expires_in=60).rpartition("=")[0]
    '/files/7?page=2&expires=1700000060&signature'

    Raises:
        ValueError: `url` is no such path, or has one of our two parameters already.
    """
    _check_path(url)
    path, _, query = url.partition("?")
    pairs = list(_pairs(query))
    if any(name in (_EXPIRES, _SIGNATURE) for name, _ in pairs):
        raise ValueError("the parameters 'expires' and 'signature' are those that signing adds")
    if expires_in is not None:
        if not 0 < expires_in < _LONGEST:
            raise ValueError(f"expires_in is a number of seconds over 0, or None for ever; got {expires_in!r}")
        expires = b"%d" % math.ceil(keyring.clock() + expires_in)
        pairs.append((_EXPIRES, expires))
        url += f"{_joint(url)}expires={expires.decode()}"
    signature = keyring.signatures("url", purpose).make(_meaning(path, pairs))
    return f"{url}{_joint(url)}signature={signature.decode()}"


def verify_url(keyring: Keyring, url: str, *, purpose: str = "url") -> None:
    """Return if the path and query of `url` were signed for this use, and not too long ago.

    A URL may be given whole; its scheme, host and fragment are not looked at.

    Raises:
        SignatureExpired: It was signed, and its time is over.
        BadSignature: It was not signed here, not for this use, or changed.
    """
    path, query = _path_and_query(url)
    pairs = list(_pairs(query))
    signature = _only(pairs, _SIGNATURE)
    if signature is None:
        raise BadSignature
    rest = [pair for pair in pairs if pair[0] != _SIGNATURE]
    if not keyring.signatures("url", purpose).fits(_meaning(path, rest), signature):
        raise BadSignature
    expires = _only(rest, _EXPIRES)
    if expires is not None and keyring.clock() >= int(expires):
        raise SignatureExpired


def _check_path(url: str) -> None:
    """With two slashes it would name a host, and so it would for browsers with a backslash."""
    if not url.startswith("/") or url.startswith("//") or "#" in url or "\\" in url:
        raise ValueError("a signed URL is a path that begins with one slash, with a query if need be, and no fragment")
    if " " in url or not url.isprintable():
        raise ValueError("a signed URL has no spaces and control characters: percent-encode them")


def _path_and_query(url: str) -> tuple[str, str]:
    scheme, mark, rest = url.partition("://")
    if mark and scheme.isalpha():
        end = next((place for place, letter in enumerate(rest) if letter in "/?#"), len(rest))
        url = rest[end:]
    path, _, query = url.partition("#")[0].partition("?")
    return path, query


def _only(pairs: list[Pair], name: bytes) -> bytes | None:
    """Return the value of a parameter that is there once, or None when it is not there.

    Raises:
        BadSignature: It is there twice or without a value, so two readers could read two values.
    """
    values = [value for key, value in pairs if key == name]
    if not values:
        return None
    value = values[0]
    if len(values) > 1 or not value:
        raise BadSignature
    if name == _EXPIRES and (not value.isdigit() or len(value) > _LONGEST_NUMBER):
        raise BadSignature
    return value


def _pairs(query: str) -> Iterator[Pair]:
    for part in query.split("&"):
        if part:
            name, equals, value = part.partition("=")
            yield _decoded(name), _decoded(value) if equals else None


def _decoded(text: str) -> bytes:
    return unquote_to_bytes(text.replace("+", " ").encode("utf-8", "surrogatepass"))


def _meaning(path: str, pairs: list[Pair]) -> bytes:
    """One spelling for all that mean the same; parameters are sorted by name, those of one name stay in order."""
    parts = [_written(unquote_to_bytes(path.encode("utf-8", "surrogatepass")))]
    for name, value in sorted(pairs, key=lambda pair: pair[0]):
        parts.append(_written(name) if value is None else f"{_written(name)}={_written(value)}")
    return "&".join(parts).encode("ascii")


def _written(decoded: bytes) -> str:
    return quote_from_bytes(decoded, safe="")


def _joint(url: str) -> str:
    return "&" if "?" in url else "?"
