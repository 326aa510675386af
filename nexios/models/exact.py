"""Is a handler's result made of the declared classes themselves, so that it can be written as it is?

A check looks at classes alone: at that of the result, and at those of the models in it.
An instance of the very class that was declared is taken at its word for the rest, as its
constructor is what a type checker watches.
"""

import dataclasses
from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any, Final

from msgspec import inspect

from nexios.models.shape import Model, Node, class_of, nodes_below, plain

__all__ = ["Check", "check_of", "is_trusted"]

Check = Callable[[Any], bool]


def is_trusted(node: Node) -> bool:
    """Return whether the node's values are written with declared fields only, when their classes are the declared."""
    if isinstance(node, inspect.StructType):
        return True
    if isinstance(node, inspect.DataclassType):
        cls = class_of(node)
        names = {field.name for field in node.fields}
        return dataclasses.is_dataclass(cls) and names == {field.name for field in dataclasses.fields(cls)}
    return False


def check_of(node: Node) -> Check | None:
    """Return what tells that every model below a node is of its declared class; None when there is no model below."""
    return _check(plain(node), {})


def _check(node: Node, known: dict[int, Check]) -> Check | None:
    node = plain(node)
    if not any(isinstance(below, Model | inspect.CustomType) for below in nodes_below(node)):
        return None
    if isinstance(node, Model):
        return _model_check(node, known) if is_trusted(node) else _never
    if isinstance(node, inspect.UnionType):
        return _union_check(node, known)
    if isinstance(node, inspect.DictType):
        return _dict_check(_check(node.key_type, known), _check(node.value_type, known))
    if isinstance(node, inspect.ListType | inspect.CollectionType | inspect.VarTupleType):
        return _list_check(_check(node.item_type, known) or _always, node.item_type)
    if isinstance(node, inspect.CustomType) and node.cls is object:
        return None
    return _never


def _never(value: Any) -> bool:
    return False


def _always(value: Any) -> bool:
    return True


def _model_check(node: Model, known: dict[int, Check]) -> Check:
    """A model may hold itself: its check is known before those of its fields are made."""
    if (found := known.get(id(node))) is not None:
        return found
    cls = class_of(node)
    fields: list[tuple[Callable[[Any], Any], Check]] = []

    def check_model(value: Any) -> bool:
        if type(value) is not cls:
            return False
        for get, check_field in fields:  # noqa: SIM110 - all() makes a generator, which costs more than the check
            if not check_field(get(value)):
                return False
        return True

    known[id(node)] = check_model
    for field in node.fields:
        inner = _check(field.type, known)
        if inner is not None:
            fields.append((attrgetter(field.name), inner))
    return check_model if len(fields) != 1 else _one_field_check(cls, *fields[0])


def _one_field_check(cls: Any, get: Callable[[Any], Any], check_field: Check) -> Check:
    return lambda value: type(value) is cls and check_field(get(value))


def _list_check(check_item: Check, item: Node) -> Check:
    item = plain(item)
    if isinstance(item, Model) and is_trusted(item) and not _has_models(item):
        return _list_of_class_check(class_of(item))

    def check(value: Any) -> bool:
        if type(value) is not list and type(value) is not tuple:
            return False
        for each in value:  # noqa: SIM110 - as above
            if not check_item(each):
                return False
        return True

    return check


def _has_models(node: Model) -> bool:
    """Is there one below?"""
    return any(
        isinstance(below, Model | inspect.CustomType) for field in node.fields for below in nodes_below(field.type)
    )


def _list_of_class_check(cls: Any) -> Check:
    are_all_of_it = frozenset({cls}).issuperset

    def check(value: Any) -> bool:
        return (type(value) is list or type(value) is tuple) and are_all_of_it(map(type, value))

    return check


def _dict_check(check_key: Check | None, check_value: Check | None) -> Check:
    def check(value: Any) -> bool:
        if type(value) is not dict or check_key is not None:
            return False
        return check_value is None or all(map(check_value, value.values()))

    return check


def _union_check(node: inspect.UnionType, known: dict[int, Check]) -> Check:
    """None is told first: `Model | None` is what unions mostly are."""
    members = [plain(each) for each in node.types]
    checks = [found for each in members if (found := _check(each, known)) is not None]
    plain_types = tuple(cls for each in members for cls in _PLAIN.get(type(each), ()))

    def check_union(value: Any) -> bool:
        if type(value) in plain_types:
            return True
        for check_member in checks:  # noqa: SIM110 - as above
            if check_member(value):
                return True
        return False

    return check_union


_PLAIN: Final[Mapping[type[Node], tuple[type, ...]]] = {
    inspect.NoneType: (type(None),),
    inspect.BoolType: (bool,),
    inspect.IntType: (int,),
    inspect.FloatType: (float, int),
    inspect.StrType: (str,),
}
