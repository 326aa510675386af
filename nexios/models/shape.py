"""What is inside a type? A tree of `msgspec.inspect` nodes, and the types that this backend refuses.

A node of a class that refers to itself is met again below itself: whoever walks the tree
remembers nodes by `id`.
"""

import datetime
import decimal
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import reduce
from operator import or_
from types import GenericAlias
from typing import Annotated, Any, Literal, TypeAlias, get_args, get_origin, get_type_hints

import msgspec
from msgspec import inspect

from nexios.errors import ConfigurationError
from nexios.models.constraints import is_foreign, with_meta

__all__ = [
    "Fields",
    "Model",
    "Node",
    "annotation_of",
    "children",
    "class_of",
    "fault_of",
    "has_known_depth",
    "holds_custom",
    "is_flat",
    "node_of",
    "nodes_below",
    "plain",
]

Node: TypeAlias = inspect.Type
Fields: TypeAlias = inspect.StructType | inspect.DataclassType | inspect.TypedDictType
"""Nodes that are an object on the wire, with fields that are declared."""
Model: TypeAlias = Fields | inspect.NamedTupleType

_SIMPLE: Mapping[type[Node], Any] = {
    inspect.AnyType: Any,
    inspect.NoneType: None,
    inspect.BoolType: bool,
    inspect.IntType: int,
    inspect.FloatType: float,
    inspect.StrType: str,
    inspect.BytesType: bytes,
    inspect.ByteArrayType: bytearray,
    inspect.MemoryViewType: memoryview,
    inspect.DateTimeType: datetime.datetime,
    inspect.TimeType: datetime.time,
    inspect.DateType: datetime.date,
    inspect.TimeDeltaType: datetime.timedelta,
    inspect.UUIDType: uuid.UUID,
    inspect.DecimalType: decimal.Decimal,
    inspect.ExtType: msgspec.msgpack.Ext,
    inspect.RawType: msgspec.Raw,
}
_CONSTRAINTS = ("gt", "ge", "lt", "le", "multiple_of", "min_length", "max_length", "pattern", "tz")
_ONE_ITEM: Mapping[type[Node], Any] = {
    inspect.ListType: list,
    inspect.CollectionType: list,
    inspect.SetType: set,
    inspect.FrozenSetType: frozenset,
}


def node_of(kind: Any) -> Node:
    """Return the tree of a type, its constraints translated.

    Raises:
        ConfigurationError: msgspec has no such type; the text names it.
    """
    try:
        return plain(inspect.type_info(with_meta(kind)))
    except (TypeError, ValueError, NameError, AttributeError, RecursionError) as error:
        raise ConfigurationError(f"{kind!r} cannot be read or written: {error}") from error


def plain(node: Node) -> Node:
    """Return the node without the metadata that is for descriptions alone."""
    while isinstance(node, inspect.Metadata):
        node = node.type
    return node


def class_of(node: Model | inspect.CustomType) -> Any:
    """Return the class whose instances fit: `Page` of `Page[User]`."""
    return get_origin(node.cls) or node.cls


def children(node: Node) -> Iterator[Node]:
    """Return the nodes right below this one."""
    if isinstance(node, inspect.UnionType):
        found: Collection[Node] = node.types
    elif isinstance(node, inspect.TupleType):
        found = node.item_types
    elif isinstance(node, inspect.DictType):
        found = (node.key_type, node.value_type)
    elif isinstance(node, Model):
        found = [field.type for field in node.fields]
    else:
        item = getattr(node, "item_type", None)
        found = () if item is None else (item,)
    return map(plain, found)


def nodes_below(node: Node) -> list[Node]:
    """Return this node and every other one of its tree, each once."""
    node = plain(node)
    if type(node) in _SIMPLE:
        return [node]
    found: dict[int, Node] = {}
    waiting = [node]
    while waiting:
        current = waiting.pop()
        if id(current) not in found:
            found[id(current)] = current
            waiting.extend(children(current))
    return list(found.values())


def is_flat(node: Node) -> bool:
    """Return whether the type cannot nest in itself, so that its values have a depth known beforehand."""
    return _is_flat(plain(node), set(), set())


def _is_flat(node: Node, above: set[int], done: set[int]) -> bool:
    if id(node) in above:
        return False
    if id(node) in done:
        return True
    above.add(id(node))
    is_every_flat = all(_is_flat(child, above, done) for child in children(node))
    above.discard(id(node))
    done.add(id(node))
    return is_every_flat


def holds_custom(node: Node) -> bool:
    """Return whether there is a class below that msgspec does not know."""
    return any(isinstance(below, inspect.CustomType) for below in nodes_below(node))


def has_known_depth(node: Node) -> bool:
    """Return whether all that a value may hold is declared, and cannot nest in itself."""
    free = any(isinstance(below, inspect.AnyType | inspect.CustomType | inspect.RawType) for below in nodes_below(node))
    return not free and is_flat(node)


def annotation_of(
    node: Node,
    of_class: Callable[[Model | inspect.CustomType], Any],
    inner: Callable[[Node], Any] | None = None,
) -> Any:
    """Return the node as a type again, with `of_class(node)` in the place of each class.

    `inner` is asked for the types of the nodes right below; without it, they are made in the same way.
    """
    simple = _SIMPLE.get(type(node), _SIMPLE)
    if simple is not _SIMPLE:
        return _constrained(simple, node)
    if isinstance(node, Model | inspect.CustomType):
        return of_class(node)
    if isinstance(node, inspect.EnumType):
        return node.cls
    if isinstance(node, inspect.LiteralType):
        return Literal[node.values]
    within = [annotation_of(child, of_class) if inner is None else inner(child) for child in children(node)]
    if isinstance(node, inspect.UnionType):
        return reduce(or_, within)
    return _constrained(_container(node, within), node)


def _container(node: Node, inner: list[Any]) -> Any:
    if isinstance(node, inspect.TupleType):
        return GenericAlias(tuple, tuple(inner))
    if isinstance(node, inspect.VarTupleType):
        return GenericAlias(tuple, (inner[0], ...))
    if isinstance(node, inspect.DictType):
        return GenericAlias(dict, tuple(inner))
    return GenericAlias(_ONE_ITEM[type(node)], tuple(inner))


def _constrained(kind: Any, node: Node) -> Any:
    found = {name: value for name in _CONSTRAINTS if (value := getattr(node, name, None)) is not None}
    return Annotated[kind, msgspec.Meta(**found)] if found else kind


def fault_of(node: Node, is_known: Callable[[Any], bool]) -> str | None:
    """Return why msgspec cannot have this type, or None; `is_known` tells classes that another backend has."""
    for below in nodes_below(node):
        if isinstance(below, inspect.CustomType) and below.cls is not object and not is_known(below.cls):
            return f"{_name(below.cls)} is no type that is known here."
        if isinstance(below, Model):
            if (field := _unchecked_field(below)) is not None:
                return (
                    f"the constraint of {_name(below.cls)}.{field} would not be checked: it is written for another "
                    "library.\nWrite it for msgspec: Annotated[int, msgspec.Meta(ge=1)]"
                )
    return None


def _name(kind: Any) -> str:
    return f"{kind.__module__}.{kind.__qualname__}" if isinstance(kind, type) else repr(kind)


def _unchecked_field(node: Model) -> str | None:
    cls = class_of(node)
    try:
        hints = get_type_hints(cls, include_extras=True)
    except (TypeError, NameError, AttributeError):
        hints = getattr(cls, "__annotations__", {})
    return next((name for name, hint in hints.items() if any(map(is_foreign, _metadata_in(hint)))), None)


def _metadata_in(annotation: Any) -> Iterator[object]:
    if get_origin(annotation) is Annotated:
        yield from annotation.__metadata__
        annotation = annotation.__origin__
    if get_origin(annotation) is not Literal:
        for argument in get_args(annotation):
            yield from _metadata_in(argument)
