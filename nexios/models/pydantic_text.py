"""Which value does a text stand for, when the type is pydantic's? The answer is that of `text.py`.

pydantic reads " 5", "+5", "5.0" and "1_000" as 5, and "yes" and "t" as True. A query means the same
whatever library holds its model, so what is spelled another way than `text.py` has it is kept from
pydantic. A validator that comes before the type (`BeforeValidator`) gets the text as it came.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from enum import IntEnum
from typing import Any, Final

from nexios.models.decimals import is_number, is_sound
from nexios.models.leaves import UNREAD
from nexios.models.pydantic_problems import Schema, paths_of
from nexios.models.text import parse_bool, parse_float, parse_int

__all__ = ["text_reader_of"]

_Read = Callable[[Any], Any]
_Known = dict[str, Schema | _Read]
"""Shared definitions by name: the schema, and what reads it once that is made."""


def text_reader_of(schema: Schema) -> _Read:
    """Return what prepares a text, a list of texts or a dict of both for pydantic.

    >>> text_reader_of({"type": "int"})("5"), text_reader_of({"type": "list", "items_schema": {"type": "str"}})("a")
    (5, ['a'])
    """
    return _reader(schema, {})


def _reader(schema: Schema, known: _Known) -> _Read:
    kind = schema["type"]
    if kind == "definitions":
        known |= {each["ref"]: each for each in schema["definitions"]}
        return _reader(schema["schema"], known)
    if kind == "definition-ref":
        return _shared_reader(schema["schema_ref"], known)
    if kind in _SCALARS:
        return _scalar_reader(_SCALARS[kind])
    if kind in ("literal", "enum"):
        values = schema["expected"] if kind == "literal" else [member.value for member in schema["members"]]
        return _choice_reader(values)
    if kind in _FIELDS:
        return _fields_reader(schema, known)
    if kind in _LISTS:
        return _list_reader(schema, known)
    if kind == "union":
        return _union_reader(schema, known)
    if kind in _TRANSPARENT and "schema" in schema:
        return _reader(schema["schema"], known)
    return _first if kind in _TEXTS else _as_it_is


def _shared_reader(name: str, known: _Known) -> _Read:
    """A type may hold itself: its reader is looked up when it is first wanted."""

    def read(value: Any) -> Any:
        found = known[name]
        if isinstance(found, Mapping):
            found = known[name] = _reader(found, known)
        return found(value)

    return read


def _first(value: Any) -> Any:
    """A name that came several times, where one value is wanted: the first."""
    return value[0] if type(value) is list and value else value


def _as_it_is(value: Any) -> Any:
    return value


def _scalar_reader(parse: Callable[[str], Any]) -> _Read:
    def read(value: Any) -> Any:
        value = _first(value)
        return parse(value) if type(value) is str else value

    return read


def _choice_reader(values: Sequence[Any]) -> _Read:
    """Choices that are integers may be written as text."""
    texts = {value for value in values if isinstance(value, str)}
    integers = {value for value in values if type(value) is int or isinstance(value, IntEnum)}

    def read(value: Any) -> Any:
        value = _first(value)
        number = parse_int(value) if type(value) is str and value not in texts else None
        return number if type(number) is int and number in integers else value

    return read


def _fields_reader(schema: Schema, known: _Known) -> _Read:
    fields = schema["fields"]
    named = fields.items() if isinstance(fields, Mapping) else [(field["name"], field) for field in fields]
    readers: dict[str | int, _Read] = {}
    for name, field in named:
        read_field = _reader(field["schema"], known)
        readers |= dict.fromkeys([name, *(path[0] for path in paths_of(field) if len(path) == 1)], read_field)

    def read(value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        return {name: readers.get(name, _first)(item) for name, item in value.items()}

    return read


def _list_reader(schema: Schema, known: _Known) -> _Read:
    items = schema.get("items_schema")
    each = [_reader(item, known) for item in items] if isinstance(items, list) else None
    alike = _reader(items, known) if isinstance(items, Mapping) else _as_it_is

    def read(value: Any) -> Any:
        value = [value] if type(value) is str else value
        if type(value) is not list:
            return value
        if each is not None and len(each) == len(value):
            return [read_item(item) for read_item, item in zip(each, value, strict=True)]
        return [alike(item) for item in value]

    return read


def _union_reader(schema: Schema, known: _Known) -> _Read:
    """The narrowest type takes the text: a number before a string."""
    choices = [choice[0] if isinstance(choice, tuple) else choice for choice in schema["choices"]]
    kinds = [choice["type"] for choice in choices]
    parsers = [parse for kind, parse in _SCALARS.items() if kind in kinds]
    lists = [_reader(choice, known) for choice in choices if choice["type"] in _LISTS]

    def read(value: Any) -> Any:
        if lists and type(value) is list:
            return lists[0](value)
        value = _first(value) if not lists else value
        if type(value) is not str:
            return value
        parsed = next((found for parse in parsers if (found := parse(value)) is not UNREAD), UNREAD)
        return value if parsed is UNREAD and len(parsers) < len(kinds) else parsed

    return read


def _int(text: str) -> Any:
    found = parse_int(text)
    return found if type(found) is int else UNREAD


def _float(text: str) -> Any:
    found = parse_float(text)
    return found if type(found) is float else UNREAD


def _bool(text: str) -> Any:
    found = parse_bool(text)
    return found if type(found) is bool else UNREAD


def _decimal(text: str) -> Any:
    return text if is_number(text) and is_sound(Decimal(text)) else UNREAD


_SCALARS: Final[Mapping[str, Callable[[str], Any]]] = {"int": _int, "float": _float, "decimal": _decimal, "bool": _bool}
"""In the order in which members of a union are tried."""
_FIELDS: Final = frozenset({"model-fields", "dataclass-args", "typed-dict"})
_LISTS: Final = frozenset({"list", "set", "frozenset", "tuple"})
_TRANSPARENT: Final = frozenset({"model", "dataclass", "nullable", "default", "function-after"})
_TEXTS: Final = frozenset({"str", "date", "time", "datetime", "timedelta", "uuid", "url", "multi-host-url"})
