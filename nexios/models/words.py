"""In which words is a client told what a value must be? Plain English, without the value.

Every detail reads on from the name of the field: "price" "must be at least 1".
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from msgspec import inspect

from nexios.models.problems import MAX_DETAIL
from nexios.models.shape import Node, plain

__all__ = ["choices", "expected", "plural", "values_of"]

_EXPECTED: Final[Mapping[type[Node], str]] = {
    inspect.NoneType: "null",
    inspect.BoolType: "true or false",
    inspect.IntType: "an integer",
    inspect.FloatType: "a number",
    inspect.StrType: "a string",
    inspect.BytesType: "base64",
    inspect.ByteArrayType: "base64",
    inspect.MemoryViewType: "base64",
    inspect.DateTimeType: "a date and time, as in 2026-01-31T23:59:59Z",
    inspect.DateType: "a date, as in 2026-01-31",
    inspect.TimeType: "a time, as in 23:59:59",
    inspect.TimeDeltaType: "a duration, as in PT1H30M",
    inspect.UUIDType: "a UUID",
    inspect.DecimalType: "a decimal number",
    inspect.VarTupleType: "a list",
    inspect.TupleType: "a list",
    inspect.ListType: "a list",
    inspect.CollectionType: "a list",
    inspect.SetType: "a list",
    inspect.FrozenSetType: "a list",
    inspect.NamedTupleType: "a list",
    inspect.DictType: "an object",
    inspect.TypedDictType: "an object",
    inspect.DataclassType: "an object",
    inspect.StructType: "an object",
}


def expected(node: Node) -> str:
    """Return what fits the node, as what follows "must be".

    >>> expected(inspect.type_info(int | None))
    'an integer or null'
    """
    if isinstance(node, inspect.UnionType):
        return " or ".join(dict.fromkeys(expected(plain(each)) for each in node.types))
    if isinstance(node, inspect.EnumType | inspect.LiteralType):
        return choices(values_of(node))
    if isinstance(node, inspect.StructType) and node.array_like:
        return "a list"
    return _EXPECTED.get(type(node), "of the declared type")


def values_of(node: inspect.EnumType | inspect.LiteralType) -> list[Any]:
    """Return the values that an enum or literal has on the wire."""
    return [member.value for member in node.cls] if isinstance(node, inspect.EnumType) else list(node.values)


def choices(values: Iterable[Any]) -> str:
    """Return the allowed values in the order written; those for which there is no room are left out.

    >>> choices(["a", "b"]), choices([1])
    ("one of 'a', 'b'", '1')
    """
    shown = [_literal(value) for value in values]
    if len(shown) == 1:
        return shown[0][:MAX_DETAIL]
    text = "one of "
    for index, each in enumerate(shown):
        if len(text) + len(each) > MAX_DETAIL - 20:
            return f"{text}and {len(shown) - index} more"
        text += each + (", " if index < len(shown) - 1 else "")
    return text


def _literal(value: Any) -> str:
    if value is None:
        return "null"
    return repr(str(value)) if isinstance(value, str) else str(value)


def plural(number: int, noun: str) -> str:
    """Return a number and its noun.

    >>> plural(1, "item"), plural(2, "entry")
    ('1 item', '2 entries')
    """
    if number == 1:
        return f"1 {noun}"
    return f"{number} {noun[:-1] + 'ies' if noun.endswith('y') else noun + 's'}"
