"""JSON in and out: the one place that knows the library.

Input is UTF-8 JSON as in RFC 8259, decoded by msgspec, with a depth limit. Output never
holds NaN or Infinity, and a value that has no JSON form is an error, not its repr.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from nexios.errors import BadRequest

__all__ = ["decode_json", "encode_json"]


def _encode_unknown(value: object) -> object:
    """Mappings of any kind, and pydantic models without importing pydantic; anything else has no JSON form."""
    if isinstance(value, Mapping):
        return dict(value)
    dump = getattr(value, "model_dump", None)
    if callable(dump) and not isinstance(value, type):
        return dump(mode="json")
    kind = type(value)
    raise TypeError(f"{kind.__module__}.{kind.__qualname__} has no JSON form; return a dict, a dataclass or a Struct")


encode_json: Callable[[object], bytes] = msgspec.json.Encoder(enc_hook=_encode_unknown).encode
"""Encode a value as JSON bytes; NaN and Infinity become null.

Raises TypeError for a value that has no JSON form, ValueError for text with lone
surrogates, and RecursionError for a value that holds itself.
"""

_decode: Callable[[bytes], Any] = msgspec.json.Decoder().decode

_NOT_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")
_ONE_KIND = bytes.maketrans(b"{}", b"[]")
_STRINGS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
"""JSON strings of an already valid document: no two alternatives start with the same byte, so it is linear."""

_PEAKS = re.compile(rb"(\[++)(\]++)").finditer
"""Where the nesting goes up and then down again."""
_PEELED = 4
"""Levels that are replaced away before peaks are counted: most documents have no more."""


def decode_json(body: bytes, *, max_depth: int) -> Any:
    """Return the value that a JSON text holds.

    Duplicate keys: the last wins. Numbers out of range, invalid UTF-8, a byte order
    mark and text after the value are errors.

    Raises:
        BadRequest: The text is not JSON, or arrays and objects nest deeper than `max_depth`.

    >>> decode_json(b'{"a": [1, 2]}', max_depth=2)
    {'a': [1, 2]}
    """
    try:
        value = _decode(body)
    except (msgspec.DecodeError, RecursionError, ValueError):
        raise BadRequest("The body is not valid JSON.", code="malformed_json") from None
    if body.count(b"[") + body.count(b"{") > max_depth and _is_deeper(body, max_depth):
        raise BadRequest("The JSON body is nested too deeply.", code="json_too_deep")
    return value


def _is_deeper(body: bytes, max_depth: int) -> bool:
    """Peel the innermost brackets off a few times, all in C; what is left has few peaks, whatever the depth."""
    brackets = _STRINGS.sub(b"", body).translate(_ONE_KIND, _NOT_BRACKETS)
    peeled = min(_PEELED, max_depth)
    for _ in range(peeled):
        brackets = brackets.replace(b"[]", b"")
    depth = peeled
    for peak in _PEAKS(brackets):
        top = peak.end(1)
        depth += top - peak.start()
        if depth > max_depth:
            return True
        depth -= peak.end() - top
    return False
