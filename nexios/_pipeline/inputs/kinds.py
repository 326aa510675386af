"""What kind of type is an annotation: a scalar, a list, a mapping, a file? And how does a constraint get onto it?

Only the outside of a type is looked at; what it holds is the concern of `nexios.models`.
"""

import operator
from collections import abc
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import reduce
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, NewType, Union, get_args, get_origin
from uuid import UUID

import msgspec

from nexios._pipeline.inputs.markers import Constraints
from nexios.errors import ConfigurationError
from nexios.messages.upload import UploadFile

__all__ = [
    "bare",
    "constrained",
    "is_many",
    "is_mapping",
    "is_scalar",
    "is_simple",
    "is_upload",
    "item_of",
    "members_of",
    "takes_text",
]

_SCALARS: Final = frozenset({str, int, float, bool, Decimal, UUID, date, datetime, time, timedelta})
_MANY: Final = frozenset(
    {list, set, frozenset, tuple, abc.Sequence, abc.MutableSequence, abc.Collection, abc.Set, abc.MutableSet}
)
_MAPPINGS: Final = frozenset({dict, abc.Mapping, abc.MutableMapping})

_NUMBERS: Final = frozenset({int, float})
_OF_DECIMALS: Final = ("gt", "ge", "lt", "le")
_OF_NUMBERS: Final = (*_OF_DECIMALS, "multiple_of")
_OF_LENGTHS: Final = ("min_length", "max_length")
_OF_TEXTS: Final = (*_OF_LENGTHS, "pattern")


def bare(kind: Any) -> Any:
    """Return the type without `Annotated`, and what a NewType or a `type` alias stands for.

    >>> bare(Annotated[int, "at least one"])
    <class 'int'>
    """
    while not isinstance(kind, type):
        if get_origin(kind) is Annotated:
            kind = kind.__origin__
        elif isinstance(kind, NewType):
            kind = kind.__supertype__
        elif type(kind).__name__ == "TypeAliasType":  # Python 3.12 and later
            kind = kind.__value__
        else:
            return kind
    return kind


def members_of(kind: Any) -> tuple[Any, ...]:
    """Return what a union is made of, without None; another type is its own only member.

    >>> members_of(int | str | None)
    (<class 'int'>, <class 'str'>)
    """
    if isinstance(kind, type):  # most are
        return (kind,) if kind is not NoneType else ()
    return tuple(_members(kind))


def _members(kind: Any) -> Iterator[Any]:
    kind = bare(kind)
    if get_origin(kind) in (Union, UnionType):
        for member in get_args(kind):
            yield from _members(member)
    elif kind is not NoneType and kind is not None:
        yield kind


def _is_every(kind: Any, test: Any) -> bool:
    members = members_of(kind)
    return bool(members) and all(map(test, members))


def is_scalar(kind: Any) -> bool:
    """Return whether one text can hold a value of the type."""
    return is_simple(kind) or _is_every(kind, _is_scalar)


def is_simple(kind: Any) -> bool:
    """Return whether the type is one of the classes that one text can hold: int, str, a date.

    >>> is_simple(int), is_simple(int | None)
    (True, False)
    """
    return isinstance(kind, type) and kind in _SCALARS


def _is_scalar(kind: Any) -> bool:
    if get_origin(kind) is Literal:
        return True
    return is_simple(kind) or (isinstance(kind, type) and issubclass(kind, Enum))


def is_many(kind: Any) -> bool:
    """Return whether the type, or a member of the union, holds several values: a list, set or tuple."""
    return any((get_origin(member) or member) in _MANY for member in members_of(kind))


def is_mapping(kind: Any) -> bool:
    """Return whether the type is a dict, or a union with one."""
    return any((get_origin(member) or member) in _MAPPINGS for member in members_of(kind))


def item_of(kind: Any) -> Any:
    """Return the type of the items where the type is a list of one type; else Any."""
    for member in members_of(kind):
        if (get_origin(member) or member) in _MANY:
            items = [item for item in get_args(member) if item is not Ellipsis]
            return reduce(operator.or_, items) if items else Any
    return Any


def is_upload(kind: Any) -> bool:
    """Return whether the type is UploadFile, a list of them, or one of both or nothing."""
    return _is_every(kind, _is_upload)


def _is_upload(kind: Any) -> bool:
    if get_origin(kind) in _MANY:
        kind = bare(item_of(kind))
    return isinstance(kind, type) and issubclass(kind, UploadFile)


def takes_text(kind: Any) -> bool:
    """Return whether the empty text can be a value of the type."""
    item = item_of(kind) if is_many(kind) else kind
    return any(member in (str, Any, object) or get_origin(member) is Literal for member in members_of(item))


def constrained(kind: Any, constraints: Constraints) -> Any:
    """Return the type with the constraints in it, as `msgspec.Meta`; in a union, on the members they speak of.

    Raises:
        ConfigurationError: A constraint says nothing of the type, such as `ge` of a str.

    >>> constrained(int, Constraints(ge=1))
    typing.Annotated[int, msgspec.Meta(ge=1)]
    """
    given = {name: value for name in _OF_NUMBERS + _OF_TEXTS if (value := getattr(constraints, name)) is not None}
    if not given:
        return kind
    idle = set(given)
    kind = _put(kind, given, idle)
    if idle:
        raise ConfigurationError(f"{', '.join(sorted(idle))} says nothing of {_name_of(kind)}; take it away.")
    return kind


def _put(kind: Any, given: dict[str, Any], idle: set[str]) -> Any:
    inner = bare(kind)
    if inner is Decimal:  # msgspec cannot, so `bounds` does it
        idle.difference_update(_OF_DECIMALS)
        return kind
    if get_origin(inner) in (Union, UnionType):
        return reduce(operator.or_, [_put(member, given, idle) for member in get_args(inner)])
    names = [name for name in _constraints_of(inner) if name in given]
    if not names:
        return kind
    idle.difference_update(names)
    chosen = {name: given[name] for name in names}
    if "pattern" in chosen:
        chosen["pattern"] = at_the_very_end(chosen["pattern"])
    return Annotated[kind, msgspec.Meta(**chosen)]


def _constraints_of(kind: Any) -> tuple[str, ...]:
    if kind is str:
        return _OF_TEXTS
    if kind in _NUMBERS:
        return _OF_NUMBERS
    holds_items = kind is bytes or (get_origin(kind) or kind) in _MANY | _MAPPINGS
    return _OF_LENGTHS if holds_items else ()


def at_the_very_end(pattern: str) -> str:
    """Let `$` mean the end of the text, as in JSON Schema; to Python it is also the place before a last line break.

    Source: ECMA-262, "Assertion". A pattern with the flag `m` or `x` in it stays as it is.

    >>> at_the_very_end("^[a-z$]+$")
    '^[a-z$]+$(?!\\\\n)'
    """
    flags = pattern[2:].partition(")")[0] if pattern.startswith("(?") else ""
    if flags.isalpha() and not {"m", "x"}.isdisjoint(flags):
        return pattern
    written: list[str] = []
    escaped = in_class = False
    for character in pattern:
        ends = character == "$" and not escaped and not in_class
        written.append("$(?!\\n)" if ends else character)
        if escaped:
            escaped = False
        elif character == "\\":
            escaped = True
        elif character in "[]":
            in_class = character == "["
    return "".join(written)


def _name_of(kind: Any) -> str:
    return kind.__name__ if isinstance(kind, type) else str(kind)
