"""How much may be sent to a type that keeps values apart by their hash?

Python's hash of text is secret, those of numbers, UUIDs, Decimals and tuples are not: whoever
sends values of one hash makes a set or a dict of `n` of them take `n * n` steps. So where a
type holds a set of such values, or a dict with such keys, a body is looked at before it is
decoded: once when the application is compiled it is known whether it must be.

- Integers of more than 64 bits: at most `MAX_CROWD` of them. Smaller ones have few equals.
- UUID, Decimal, tuples, NamedTuples, frozen models: at most `MAX_CROWD` commas in JSON,
  `MAX_PACKED` bytes in MessagePack.
- Keys of any type are text in JSON; in MessagePack they may be arrays, and `has_crowded_map` of
  `serialization.py` looks at those, whatever the type.

Source: CVE-2011-4815 and those like it; Python's "Hashing of numeric types".
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import IntEnum
from itertools import islice
from typing import Any, Final

from msgspec import inspect

from nexios.models.problems import Invalid, Problem
from nexios.models.shape import Node, nodes_below, plain

__all__ = ["MAX_CROWD", "MAX_PACKED", "Crowd", "crowd_of", "crowd_of_core", "guarded_json", "guarded_msgpack"]

MAX_CROWD: Final = 2000
MAX_PACKED: Final = 64 * 1024

_Decode = Callable[[bytes], Any]
_LONG_NUMBERS = re.compile(rb"(?<![0-9])(?:[0-9]|\\u003[0-9]){20}+(?:[0-9]|\\u003[0-9])*+").finditer
"""Of 20 digits and more, in a key perhaps written as escapes; each run of digits is tried from its start alone."""
_DIGITS: Final = bytes.maketrans(b"123456789", b"000000000")


class Crowd(IntEnum):
    """What a type keeps apart by hash, the worst of it."""

    SAFE = 0
    NUMBERS = 1
    ANYTHING = 2


_SAFE: Final = (
    inspect.StrType,
    inspect.BytesType,
    inspect.FloatType,
    inspect.BoolType,
    inspect.NoneType,
    inspect.EnumType,
    inspect.LiteralType,
    inspect.DateTimeType,
    inspect.DateType,
    inspect.TimeType,
    inspect.TimeDeltaType,
)


def crowd_of(node: Node) -> Crowd:
    """Return what the sets and the keys of a type hold, those of its models too."""
    below = nodes_below(node)
    own = [_hashed(each) for one in below for each in _hashed_by(one)]
    return max([*own, *map(_crowd_of_class, below)], default=Crowd.SAFE)


def _crowd_of_class(node: Node) -> Crowd:
    """A model of pydantic, as a field of a Struct."""
    schema = getattr(node.cls, "__pydantic_core_schema__", None) if isinstance(node, inspect.CustomType) else None
    return crowd_of_core(schema) if isinstance(schema, Mapping) else Crowd.SAFE


def _hashed_by(node: Node) -> Iterator[Node]:
    if isinstance(node, inspect.SetType | inspect.FrozenSetType):
        yield plain(node.item_type)
    elif isinstance(node, inspect.DictType) and not isinstance(plain(node.key_type), inspect.AnyType):
        yield plain(node.key_type)  # a key of any type is text in JSON


def _hashed(node: Node) -> Crowd:
    if isinstance(node, inspect.UnionType):
        return max(_hashed(plain(each)) for each in node.types)
    if isinstance(node, inspect.IntType):
        is_closed = (node.ge, node.gt) != (None, None) and (node.le, node.lt) != (None, None)
        return Crowd.SAFE if is_closed else Crowd.NUMBERS
    return Crowd.SAFE if isinstance(node, _SAFE) else Crowd.ANYTHING


_SAFE_CORE: Final = (
    "str", "bytes", "float", "bool", "none", "literal", "enum", "date", "datetime", "time", "timedelta", "url",
    "multi-host-url",
)  # fmt: skip


def crowd_of_core(schema: Mapping[str, Any]) -> Crowd:
    """Return the same of a core schema of pydantic."""
    return max((_hashed_core(each) for each in _hashed_by_core(schema)), default=Crowd.SAFE)


def _hashed_by_core(schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """A schema of anything is `{"type": "any"}`, or not there: as keys it is text in JSON."""
    waiting: list[Any] = [schema]
    seen: set[int] = set()
    while waiting:
        part = waiting.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        if isinstance(part, dict):
            if part.get("type") in ("set", "frozenset"):
                yield part.get("items_schema") or {"type": "any"}
            elif part.get("type") == "dict" and (part.get("keys_schema") or {"type": "any"})["type"] != "any":
                yield part["keys_schema"]
        inner: Iterable[Any] = part.values() if isinstance(part, dict) else part
        waiting.extend(each for each in inner if isinstance(each, dict | list | tuple))


def _hashed_core(schema: Mapping[str, Any]) -> Crowd:
    kind = schema["type"]
    if kind == "int":
        return Crowd.NUMBERS
    if kind in ("nullable", "default"):
        return _hashed_core(schema["schema"])
    if kind == "union":
        choices = [each[0] if isinstance(each, tuple) else each for each in schema["choices"]]
        return max(map(_hashed_core, choices))
    return Crowd.SAFE if kind in _SAFE_CORE else Crowd.ANYTHING


def guarded_json(decode: _Decode, crowd: Crowd) -> _Decode:
    """Return `decode` after a look at the body; `decode` itself where none is needed. It raises Invalid."""
    if crowd is Crowd.SAFE:
        return decode
    is_crowded = _has_many_commas if crowd is Crowd.ANYTHING else _has_many_long_numbers
    return _guarded(decode, is_crowded)


def guarded_msgpack(decode: _Decode, crowd: Crowd) -> _Decode:
    """Return the same for MessagePack, whose integers have no more than 64 bits."""
    return _guarded(decode, _is_long) if crowd is Crowd.ANYTHING else decode


def _guarded(decode: _Decode, is_crowded: Callable[[bytes], bool]) -> _Decode:
    def decode_few(body: bytes) -> Any:
        if is_crowded(body):
            raise Invalid([_CROWDED])
        return decode(body)

    return decode_few


_CROWDED: Final = Problem("", "too_long", "has too many values for a set, or for keys that are no text")


def _has_many_commas(body: bytes) -> bool:
    return body.count(b",") > MAX_CROWD


def _has_many_long_numbers(body: bytes) -> bool:
    if b"0" * 20 not in body.translate(_DIGITS) and b"\\u003" not in body:
        return False
    return next(islice(_LONG_NUMBERS(body), MAX_CROWD, None), None) is not None


def _is_long(body: bytes) -> bool:
    return len(body) > MAX_PACKED
