"""What is wrong with one value that holds no others? A code and a detail of ours, or nothing.

msgspec has already refused the document when this is asked; it is asked for one value at
a time, and msgspec's own words are never shown.
"""

import decimal
import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from msgspec import inspect

from nexios.models.decimals import is_sound
from nexios.models.shape import Node, annotation_of
from nexios.models.words import expected, plural, values_of

__all__ = ["UNREAD", "Fault", "Unread", "leaf_fault", "length_fault"]

Fault = tuple[str, str]
"""A code and its detail."""


class Unread:
    """Text that does not spell a value of its type, where msgspec would be more generous."""

    __slots__ = ()


UNREAD: Final = Unread()


def leaf_fault(node: Node, value: Any) -> Fault | None:
    """Return what is wrong with a value that should fit a node without children."""
    check = _CHECKS.get(type(node))
    return None if check is None else check(node, value)


def length_fault(node: Any, size: int, noun: str) -> Fault | None:
    """Return what is wrong with the size of a string, a list or an object."""
    if node.min_length is not None and size < node.min_length:
        return "too_short", f"must have at least {plural(node.min_length, noun)}"
    if node.max_length is not None and size > node.max_length:
        return "too_long", f"must have at most {plural(node.max_length, noun)}"
    return None


def _type_fault(node: Node) -> Fault:
    return "type", f"must be {expected(node)}"


def _none(node: Node, value: Any) -> Fault | None:
    return None if value is None else _type_fault(node)


def _bool(node: Node, value: Any) -> Fault | None:
    return None if isinstance(value, bool) else _type_fault(node)


def _int(node: inspect.IntType, value: Any) -> Fault | None:
    if isinstance(value, bool) or not isinstance(value, int):
        return _type_fault(node)
    return _range_fault(node, value) or (
        ("multiple_of", f"must be a multiple of {node.multiple_of}")
        if node.multiple_of is not None and value % node.multiple_of
        else None
    )


def _float(node: inspect.FloatType, value: Any) -> Fault | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return _type_fault(node)
    try:
        number = float(value)
    except OverflowError:
        return "too_large", "is too large"
    if not math.isfinite(number):
        return _type_fault(node)
    return _range_fault(node, number) or (
        ("multiple_of", f"must be a multiple of {node.multiple_of}")
        if node.multiple_of is not None and math.fmod(number, node.multiple_of)
        else None
    )


def _range_fault(node: inspect.IntType | inspect.FloatType, value: float) -> Fault | None:
    if node.ge is not None and value < node.ge:
        return "too_small", f"must be at least {node.ge}"
    if node.gt is not None and value <= node.gt:
        return "too_small", f"must be greater than {node.gt}"
    if node.le is not None and value > node.le:
        return "too_large", f"must be at most {node.le}"
    if node.lt is not None and value >= node.lt:
        return "too_large", f"must be less than {node.lt}"
    return None


def _str(node: inspect.StrType, value: Any) -> Fault | None:
    if not isinstance(value, str):
        return _type_fault(node)
    if (fault := length_fault(node, len(value), "character")) is not None:
        return fault
    if node.pattern is not None and re.search(node.pattern, value) is None:
        return "pattern", f"must match the pattern {node.pattern}"[:200]
    return None


def _bytes(node: Any, value: Any) -> Fault | None:
    if isinstance(value, str):
        try:
            value = msgspec.convert(value, bytes)
        except msgspec.ValidationError:
            return "format", "must be base64"
    if not isinstance(value, bytes | bytearray | memoryview):
        return _type_fault(node)
    return length_fault(node, len(value), "byte")


def _choice(node: inspect.EnumType | inspect.LiteralType, value: Any) -> Fault | None:
    """True is not 1 here, as in JSON."""
    if isinstance(value, bool) or not any(type(each) is type(value) and each == value for each in values_of(node)):
        if not (isinstance(node, inspect.EnumType) and _names_a_member(node, value)):
            return "enum", f"must be {expected(node)}"
    return None


def _names_a_member(node: inspect.EnumType, value: Any) -> bool:
    """An enum may have `_missing_`, and its values may be of a subclass of str."""
    try:
        msgspec.convert(value, node.cls)
    except (msgspec.ValidationError, ValueError, TypeError):
        return False
    return True


def _format(node: Node, value: Any) -> Fault | None:
    kind = annotation_of(node, lambda model: model.cls)
    try:
        msgspec.convert(value, kind)
    except (ValueError, ArithmeticError):
        return _format_fault(node, value)
    return None


def _decimal(node: Node, value: Any) -> Fault | None:
    """Python reads more than numbers, see `decimals.py`."""
    try:
        number = msgspec.convert(value, decimal.Decimal)
    except (ValueError, ArithmeticError):
        return _format_fault(node, value)
    if not number.is_finite():
        return _format_fault(node, value)
    return None if is_sound(number) else ("too_large", "has too many digits")


def _format_fault(node: Node, value: Any) -> Fault:
    if not isinstance(value, str | Unread):
        return _type_fault(node)
    zone = getattr(node, "tz", None)
    if zone is not None and _fits_without_zone(node, value):
        return "format", "must have a time zone" if zone else "must not have a time zone"
    return "format", f"must be {expected(node)}"


def _fits_without_zone(node: Node, value: Any) -> bool:
    return _format(type(node)(), value) is None


_CHECKS: Final[Mapping[type[Node], Callable[[Any, Any], Fault | None]]] = {
    inspect.NoneType: _none,
    inspect.BoolType: _bool,
    inspect.IntType: _int,
    inspect.FloatType: _float,
    inspect.StrType: _str,
    inspect.BytesType: _bytes,
    inspect.ByteArrayType: _bytes,
    inspect.MemoryViewType: _bytes,
    inspect.EnumType: _choice,
    inspect.LiteralType: _choice,
    inspect.DateTimeType: _format,
    inspect.TimeType: _format,
    inspect.DateType: _format,
    inspect.TimeDeltaType: _format,
    inspect.UUIDType: _format,
    inspect.DecimalType: _decimal,
}
