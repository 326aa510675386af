"""Is a Decimal one that arithmetic can be trusted with?

Python reads "NaN" and "Infinity" as decimals, and 1e999999999, whose `int()` would fill the
memory; so does msgspec. Types that hold a Decimal are therefore looked through after decoding,
and only those. Text of a query must be a number as JSON has it; in a string of a JSON body
Python's other spellings ("1_000") are taken.
"""

from collections.abc import Callable
from decimal import Decimal
from operator import attrgetter
from typing import Any, Final

from msgspec import inspect

from nexios.models.shape import Model, Node, class_of, nodes_below, plain

__all__ = ["MAX_DIGITS", "are_sound", "is_number", "is_sound"]

MAX_DIGITS: Final = 400
"""Digits of a number before or after its point. Python takes quadratic time for long ones; a float has 309."""

Check = Callable[[Any], bool]


def is_number(text: str) -> bool:
    """Return whether the text is a number as JSON has it, where leading zeros are allowed too.

    >>> is_number("-1.5e3"), is_number("1_000"), is_number("+1"), is_number("NaN")
    (True, False, False, False)
    """
    if len(text) > MAX_DIGITS or not text.isascii():
        return False
    number, has_exponent, exponent = text.lower().partition("e")
    if has_exponent and not exponent[1 if exponent[:1] in ("+", "-") else 0 :].isdecimal():
        return False
    whole, point, fraction = number.partition(".")
    digits = whole[1:] if whole[:1] == "-" else whole
    return digits.isdecimal() and (fraction.isdecimal() if point else True)


def is_sound(value: Any) -> bool:
    """Return whether a decimal is finite and of a size that can be written out; True for anything else.

    >>> is_sound(Decimal("1.5")), is_sound(Decimal("NaN")), is_sound(Decimal("1e999999999"))
    (True, False, False)
    """
    if not isinstance(value, Decimal):
        return True
    return value.is_finite() and abs(value.adjusted()) <= MAX_DIGITS


def are_sound(node: Node) -> Check | None:
    """Return what tells that all decimals of a value are sound; None when the type holds none."""
    return _check(plain(node), {})


def _check(node: Node, known: dict[int, Check]) -> Check | None:
    node = plain(node)
    if isinstance(node, inspect.DecimalType):
        return is_sound
    if not any(isinstance(below, inspect.DecimalType) for below in nodes_below(node)):
        return None
    if isinstance(node, Model):
        return _model_check(node, known)
    if isinstance(node, inspect.UnionType):
        return _all_of([found for each in node.types if (found := _check(each, known)) is not None])
    if isinstance(node, inspect.DictType):
        return _dict_check(_check(node.key_type, known) or _yes, _check(node.value_type, known) or _yes)
    if isinstance(node, inspect.TupleType):
        return _tuple_check([_check(each, known) or _yes for each in node.item_types])
    return _list_check(_check(getattr(node, "item_type", inspect.AnyType()), known) or _yes)


def _yes(value: Any) -> bool:
    return True


def _all_of(checks: list[Check]) -> Check:
    """A check says yes to values of another type, so every member of a union may be asked."""
    return lambda value: all(check(value) for check in checks)


def _model_check(node: Model, known: dict[int, Check]) -> Check:
    if (found := known.get(id(node))) is not None:
        return found
    is_dict = isinstance(node, inspect.TypedDictType)
    cls = dict if is_dict else class_of(node)
    fields: list[tuple[Callable[[Any], Any], Check]] = []

    def check(value: Any) -> bool:
        return not isinstance(value, cls) or all(check_field(get(value)) for get, check_field in fields)

    known[id(node)] = check
    for field in node.fields:
        inner = _check(field.type, known)
        if inner is not None:
            fields.append((_getter(field.name) if is_dict else attrgetter(field.name), inner))
    return check


def _getter(name: str) -> Callable[[Any], Any]:
    return lambda value: value.get(name)


def _list_check(check_item: Check) -> Check:
    return lambda value: not isinstance(value, list | tuple | set | frozenset) or all(map(check_item, value))


def _tuple_check(checks: list[Check]) -> Check:
    def check(value: Any) -> bool:
        return not isinstance(value, tuple) or all(each(item) for each, item in zip(checks, value, strict=False))

    return check


def _dict_check(check_key: Check, check_value: Check) -> Check:
    def check(value: Any) -> bool:
        return not isinstance(value, dict) or (all(map(check_key, value)) and all(map(check_value, value.values())))

    return check
