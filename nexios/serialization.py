"""JSON and MessagePack in and out: the one place that knows the library.

Input is UTF-8 JSON as in RFC 8259, decoded by msgspec, with a depth limit. Output never
holds NaN or Infinity, and a value that has no JSON form is an error, not its repr.
MessagePack keeps the same rules; its extension types are refused, but for the timestamp.

A limit of both formats: what nobody declared the depth of is not built when it holds more
than `MAX_CONTAINERS` arrays and objects. Ten megabytes of empty ones would fill 700 MB.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from inspect import isawaitable, iscoroutine
from typing import Any, Final

import msgspec

from nexios.errors import BadRequest

__all__ = [
    "MAX_ARRAY_KEYS",
    "MAX_CONTAINERS",
    "check_depth",
    "check_json_size",
    "check_msgpack",
    "check_msgpack_size",
    "containers_in_msgpack",
    "decode_json",
    "decode_msgpack",
    "encode_json",
    "encode_msgpack",
    "has_crowded_map",
    "not_awaited",
]

MAX_CONTAINERS: Final = 1_000_000
"""Arrays and objects of one body, where its type does not bound them."""
MAX_ARRAY_KEYS: Final = 2000
"""Arrays among the keys of one map in MessagePack."""


def _encode_unknown(value: object) -> object:
    """Mappings of any kind, and pydantic models without importing pydantic; anything else has no JSON form."""
    if isinstance(value, Mapping):
        return dict(value)
    dump = getattr(value, "model_dump", None)
    if callable(dump) and not isinstance(value, type):
        return dump(mode="json", by_alias=True)
    if isawaitable(value):
        raise not_awaited(value)
    kind = type(value)
    raise TypeError(f"{kind.__module__}.{kind.__qualname__} has no JSON form; return a dict, a dataclass or a Struct")


def not_awaited(value: object) -> TypeError:
    """Return the error for a coroutine, or its like, in what is to be written.

    A coroutine is closed, or Python would complain a second time that nobody awaited it.
    """
    name = getattr(value, "__qualname__", type(value).__qualname__)
    if iscoroutine(value):
        value.close()
    return TypeError(f"{name}() was not awaited, and a coroutine has no JSON form; write: await {name}(...)")


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
        BadRequest: The text is not JSON, or arrays and objects nest deeper than `max_depth`,
            or are more than `MAX_CONTAINERS`.

    >>> decode_json(b'{"a": [1, 2]}', max_depth=2)
    {'a': [1, 2]}
    """
    brackets = body.count(b"[") + body.count(b"{")
    try:
        if brackets > MAX_CONTAINERS:
            check_json_size(body)
        value = _decode(body)
    except (msgspec.DecodeError, RecursionError, ValueError):
        raise BadRequest("The body is not valid JSON.", code="malformed_json") from None
    if brackets > max_depth and _is_deeper(body, max_depth):
        raise BadRequest("The JSON body is nested too deeply.", code="json_too_deep")
    return value


def check_depth(body: bytes, max_depth: int) -> None:
    """Refuse a JSON text, valid and decoded already by other means, that nests too deeply.

    Raises:
        BadRequest: Arrays and objects nest deeper than `max_depth` (code `json_too_deep`).

    >>> check_depth(b'{"a": [1, 2]}', 2)
    """
    if body.count(b"[") + body.count(b"{") > max_depth and _is_deeper(body, max_depth):
        raise BadRequest("The JSON body is nested too deeply.", code="json_too_deep")


def check_json_size(body: bytes) -> None:
    """Refuse a JSON text with more arrays and objects than `MAX_CONTAINERS`, before anything is built of it.

    Raises:
        BadRequest: There are more (code `json_too_deep`), or it is not JSON (code `malformed_json`).
    """
    if body.count(b"[") + body.count(b"{") <= MAX_CONTAINERS:
        return
    try:
        _skip_json(body)  # brackets in strings are no arrays, and only a valid text has strings that end
    except (msgspec.DecodeError, RecursionError, ValueError):
        raise BadRequest("The body is not valid JSON.", code="malformed_json") from None
    outside = _STRINGS.sub(b"", body)
    if outside.count(b"[") + outside.count(b"{") > MAX_CONTAINERS:
        raise BadRequest("The JSON body holds too many arrays and objects.", code="json_too_deep")


_skip_json: Callable[[bytes], Any] = msgspec.json.Decoder(msgspec.Raw).decode


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


encode_msgpack: Callable[[object], bytes] = msgspec.msgpack.Encoder(enc_hook=_encode_unknown).encode
"""Encode a value as MessagePack bytes. Raises as `encode_json`."""


def _refuse_extension(code: int, data: memoryview) -> object:
    raise ValueError("a MessagePack extension type")


_decode_msgpack: Callable[[bytes], Any] = msgspec.msgpack.Decoder(ext_hook=_refuse_extension).decode

_CONTAINERS = bytes((*range(0x80, 0xA0), 0xDC, 0xDD, 0xDE, 0xDF))
"""First bytes of maps and arrays (MessagePack specification, "Formats")."""
_EXTENSIONS = bytes((0xC7, 0xC8, 0xC9, 0xD4, 0xD5, 0xD6, 0xD7, 0xD8))


def decode_msgpack(body: bytes, *, max_depth: int) -> Any:
    """Return the value that a MessagePack text holds, by the rules of `decode_json`.

    Raises:
        BadRequest: It is not MessagePack, holds an extension type other than the timestamp,
            nests deeper than `max_depth`, holds more arrays and maps than `MAX_CONTAINERS`, or a map with more
            than `MAX_ARRAY_KEYS` arrays for keys (code `malformed_msgpack` each time).

    >>> decode_msgpack(encode_msgpack({"a": [1, 2]}), max_depth=2)
    {'a': [1, 2]}
    """
    check_msgpack_size(body)
    try:
        value = _decode_msgpack(body)
    except (msgspec.DecodeError, RecursionError, ValueError, OverflowError):
        raise BadRequest("The body is not valid MessagePack.", code="malformed_msgpack") from None
    if containers_in_msgpack(body) > max_depth and _is_value_deeper(value, max_depth):
        raise BadRequest("The MessagePack body is nested too deeply.", code="malformed_msgpack")
    return value


def containers_in_msgpack(body: bytes) -> int:
    """Return how many bytes could begin a map or an array: at least as many as there are maps and arrays."""
    return len(body) - len(body.translate(None, _CONTAINERS))


def check_msgpack_size(body: bytes) -> None:
    """Refuse a MessagePack text with more maps and arrays than `MAX_CONTAINERS`, before anything is built of it.

    Raises:
        BadRequest: There are more, or a map has a crowd of arrays for keys (code `malformed_msgpack`).
    """
    if containers_in_msgpack(body) > MAX_CONTAINERS and _has_more_parts(body, MAX_CONTAINERS):
        raise BadRequest("The MessagePack body holds too many arrays and maps.", code="malformed_msgpack")
    if has_crowded_map(body):
        raise BadRequest("A map of the MessagePack body has too many arrays for keys.", code="malformed_msgpack")


_ONE_SCALAR = (
    rb"(?:[\x00-\x7f\xc0-\xc3\xe0-\xff]|[\xcc\xd0].|[\xcd\xd1]..|[\xca\xce\xd2].{4}|[\xcb\xcf\xd3].{8}|"
    + b"|".join(b"\\x%02x.{%d}" % (0xA0 + size, size) for size in range(32))
    + b")"
)
_SCALAR = re.compile(_ONE_SCALAR, re.DOTALL)
_SCALARS = re.compile(_ONE_SCALAR + b"*+", re.DOTALL).match
"""Numbers and short strings, one after another: no two alternatives begin with the same byte, none is tried again."""
_SIZES: Final = {0xC4: 1, 0xC5: 2, 0xC6: 4, 0xD9: 1, 0xDA: 2, 0xDB: 4, 0xC7: 1, 0xC8: 2, 0xC9: 4}
"""First byte of a long string, binary or extension to the bytes in which its length is written."""
_HEADS: Final = {0xDC: 3, 0xDD: 5, 0xDE: 3, 0xDF: 5, 0xD4: 3, 0xD5: 4, 0xD6: 6, 0xD7: 10, 0xD8: 18}
"""First byte of a long array or map to the length of its head; of a short extension to all of it."""


_ARRAYS: Final = bytes((*range(0x90, 0xA0), 0xDC, 0xDD))
_LENGTHS: Final = {0xDC: 2, 0xDD: 4, 0xDE: 2, 0xDF: 4}
"""First byte of a long array or map to the bytes in which its length is written."""
_LONG_MAP = re.compile(rb"\xde[\x07-\xff]|\xdf(?:[^\x00]|.[^\x00]|..[\x07-\xff])", re.DOTALL).search
"""What may be the head of a map with more than 1791 pairs: a shorter one has no crowd of keys."""


def _has_more_parts(body: bytes, limit: int) -> bool:
    """Go from head to head, as the format has no ends; numbers and short strings are passed in C."""
    position, end = 0, len(body)
    for _ in range(limit + 1):
        found = _SCALARS(body, position)
        position = position if found is None else found.end()
        if position >= end:
            return False
        position = _after_head(body, position)
    return True


def _after_head(body: bytes, position: int) -> int:
    """Return where it goes on after the head of a map or an array, or after a whole text, binary or extension."""
    first = body[position]
    width = _SIZES.get(first)
    if width is None:
        return position + _HEADS.get(first, 1)
    size = int.from_bytes(body[position + 1 : position + 1 + width], "big")
    return position + 1 + width + size + (first in _EXTENSIONS)


def has_crowded_map(body: bytes) -> bool:
    """Return whether a map of a MessagePack text has more than `MAX_ARRAY_KEYS` keys that are arrays.

    Such a key becomes a tuple, whose hash is no secret: `n` of one hash take `n * n` steps. It is asked before
    anything is built, and takes time in proportion to the text; most texts cost a search and a count in C.
    """
    arrays = len(body) - len(body.translate(None, _ARRAYS))
    return arrays > MAX_ARRAY_KEYS and _LONG_MAP(body) is not None and _finds_crowded_map(body)


def _finds_crowded_map(body: bytes) -> bool:
    """Go from container to container; of each that is open it is known how many items are left."""
    position, end = 0, len(body)
    open_: list[list[int]] = [[1, False, 0]]  # items left, whether it is a map, its keys that are arrays
    while position < end:
        found = _SCALARS(body, position)
        if found is not None and found.end() > position:
            _take_items(open_, len(_SCALAR.findall(body, position, found.end())))
            position = found.end()
            if not open_ or position >= end:
                return False
        inner = _container_at(body, position)
        if inner is not None:
            outer = open_[-1]
            if outer[1] and outer[0] % 2 == 0 and not inner[1]:
                outer[2] += 1
                if outer[2] > MAX_ARRAY_KEYS:
                    return True
        _take_items(open_, 1)
        if inner is not None and inner[0]:
            open_.append(inner)
        if not open_:
            return False
        position = _after_head(body, position)
    return False


def _take_items(open_: list[list[int]], count: int) -> None:
    while open_:
        left = open_[-1][0]
        if count < left:
            open_[-1][0] = left - count
            return
        count -= left
        open_.pop()


def _container_at(body: bytes, position: int) -> list[int] | None:
    """Return how many items the map or array has whose head this is, a pair being two."""
    first = body[position]
    width = _LENGTHS.get(first)
    if width is not None:
        size = int.from_bytes(body[position + 1 : position + 1 + width], "big")
        return [size * 2, True, 0] if first >= 0xDE else [size, False, 0]
    if 0x80 <= first < 0x90:
        return [(first - 0x80) * 2, True, 0]
    return [first - 0x90, False, 0] if 0x90 <= first < 0xA0 else None


def check_msgpack(body: bytes, max_depth: int) -> None:
    """Refuse what `decode_msgpack` refuses, before a decoder that looks at neither depth nor extension types.

    Nothing is decoded here when the body has too few bytes that could begin a map, an
    array or an extension, as most have.

    Raises:
        BadRequest: As `decode_msgpack`.
    """
    rest = body.translate(None, _CONTAINERS)
    if len(body) - len(rest) > max_depth or len(rest) != len(rest.translate(None, _EXTENSIONS)):
        decode_msgpack(body, max_depth=max_depth)


def _is_value_deeper(value: object, max_depth: int) -> bool:
    """Level by level, without recursion; the keys of a map may be arrays too."""
    level: list[object] = [value]
    for _ in range(max_depth):
        level = [part for item in level for part in _parts_of(item)]
        if not level:
            return False
    return any(isinstance(item, dict | list | tuple) for item in level)


def _parts_of(item: object) -> Iterable[object]:
    if isinstance(item, dict):
        return (*item.keys(), *item.values())
    return item if isinstance(item, list | tuple) else ()
