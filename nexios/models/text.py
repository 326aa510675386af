"""Which value does a text stand for, when the type is known? For queries, headers, cookies and forms.

Numbers are ASCII digits without blanks, signs of plus or underscores, and never NaN or Infinity;
true, 1 and on (in any case) are True, false, 0 and off are False. Empty text is text, not None.
Text that spells no value is left as it is, for the check that comes after to refuse.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from msgspec import inspect

from nexios.models.decimals import MAX_DIGITS, is_number
from nexios.models.leaves import UNREAD
from nexios.models.shape import Fields, Node, plain
from nexios.models.words import values_of

__all__ = ["Reader", "reader_of"]

Reader = Callable[[Any], Any]
"""Takes text, a list of text, or a dict of both; anything else is left alone."""

_BOOLS: Final = {"true": True, "1": True, "on": True, "false": False, "0": False, "off": False}
_NOT_TAKEN: Final = object()


def reader_of(node: Node) -> Reader:
    """Return what turns text into the builtins that a value of the node is made from."""
    return _reader(plain(node), {})


def _reader(node: Node, known: dict[int, Reader]) -> Reader:
    node = plain(node)
    if isinstance(node, inspect.UnionType):
        return _union_reader(node, known)
    if isinstance(node, Fields):
        return _fields_reader(node, known)
    if isinstance(node, inspect.DictType):
        return _dict_reader(_reader(node.value_type, known))
    if isinstance(node, inspect.TupleType):
        return _tuple_reader([_reader(each, known) for each in node.item_types])
    if isinstance(node, _LISTS):
        return _list_reader(_reader(node.item_type, known))
    parse = _parser(node)
    return _first if parse is None else _scalar_reader(parse)


def _first(value: Any) -> Any:
    """A name that came several times, where one value is wanted: the first, as in `request.query_params`."""
    return value[0] if type(value) is list and value else value


def _scalar_reader(parse: Callable[[str], Any]) -> Reader:
    def read(value: Any) -> Any:
        if type(value) is list and value:
            value = value[0]
        if type(value) is not str:
            return value
        parsed = parse(value)
        return value if parsed is _NOT_TAKEN else parsed

    return read


def _list_reader(read_item: Reader) -> Reader:
    def read(value: Any) -> Any:
        if type(value) is list:
            return [read_item(item) for item in value]
        return [read_item(value)] if type(value) is str else value

    return read


def _tuple_reader(readers: list[Reader]) -> Reader:
    def read(value: Any) -> Any:
        items = [value] if type(value) is str else value
        if type(items) is not list or len(items) != len(readers):
            return items
        return [read_item(item) for read_item, item in zip(readers, items, strict=True)]

    return read


def _dict_reader(read_item: Reader) -> Reader:
    def read(value: Any) -> Any:
        return {name: read_item(item) for name, item in value.items()} if isinstance(value, Mapping) else value

    return read


def _fields_reader(node: Fields, known: dict[int, Reader]) -> Reader:
    if (found := known.get(id(node))) is not None:
        return found
    readers: dict[str, Reader] = {}

    def read(value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        return {name: readers[name](item) if name in readers else _first(item) for name, item in value.items()}

    known[id(node)] = read
    readers.update((field.encode_name, _reader(field.type, known)) for field in node.fields)
    return read


def _union_reader(node: inspect.UnionType, known: dict[int, Reader]) -> Reader:
    """The narrowest type takes the text: a number before a string."""
    members = sorted((each for each in map(plain, node.types) if type(each) is not inspect.NoneType), key=_width)
    if len(members) == 1:
        return _reader(members[0], known)
    parsers = [parse for each in members if (parse := _parser(each)) is not None]
    lists = [_reader(each, known) for each in members if isinstance(each, (*_LISTS, inspect.TupleType))]
    scalars = _scalar_reader(_first_parser(parsers)) if parsers else _first
    if not lists:
        return scalars

    def read(value: Any) -> Any:
        return lists[0](value) if type(value) is list else scalars(value)

    return read


def _first_parser(parsers: list[Callable[[str], Any]]) -> Callable[[str], Any]:
    def parse(text: str) -> Any:
        refused: Any = _NOT_TAKEN
        for each in parsers:
            parsed = each(text)
            if parsed is not _NOT_TAKEN and parsed is not UNREAD:
                return parsed
            refused = UNREAD if parsed is UNREAD else refused
        return refused

    return parse


def _width(node: Node) -> int:
    order = (inspect.IntType, inspect.FloatType, inspect.BoolType)
    return order.index(type(node)) if type(node) in order else len(order)


def _parser(node: Node) -> Callable[[str], Any] | None:
    """None for what is text, or is made from text by msgspec as it should be."""
    if isinstance(node, inspect.EnumType | inspect.LiteralType):
        return _choice_parser([each for each in values_of(node) if each is not None])
    return _PARSERS.get(type(node))


def _choice_parser(values: list[Any]) -> Callable[[str], Any] | None:
    if all(isinstance(each, str) for each in values):
        return None
    texts = {each for each in values if isinstance(each, str)}

    def parse(text: str) -> Any:
        return text if text in texts else parse_int(text)

    return parse


def parse_int(text: str) -> Any:
    """Return the integer, or `_NOT_TAKEN`."""
    digits = text[1:] if text[:1] == "-" else text
    if digits.isascii() and digits.isdecimal() and len(digits) <= MAX_DIGITS:
        return int(text)
    return _NOT_TAKEN


def parse_float(text: str) -> Any:
    """Return the finite number, or `_NOT_TAKEN`."""
    if not is_number(text):
        return _NOT_TAKEN
    number = float(text)
    return number if math.isfinite(number) else _NOT_TAKEN


def parse_bool(text: str) -> Any:
    """Return the truth value, or `_NOT_TAKEN`."""
    return _BOOLS.get(text.lower(), _NOT_TAKEN) if text.isascii() else _NOT_TAKEN


def parse_decimal(text: str) -> Any:
    """Return the text, which msgspec reads; text that only Python's Decimal would read is refused."""
    return text if is_number(text) else UNREAD


_LISTS: Final = (
    inspect.ListType,
    inspect.CollectionType,
    inspect.SetType,
    inspect.FrozenSetType,
    inspect.VarTupleType,
)
_PARSERS: Final[Mapping[type[Node], Callable[[str], Any]]] = {
    inspect.IntType: parse_int,
    inspect.FloatType: parse_float,
    inspect.BoolType: parse_bool,
    inspect.DecimalType: parse_decimal,
}
