"""What is wrong with a value that was refused? All of it, and where: asked only after the fast way failed.

The value is walked beside the tree of its type. The work is bounded, whatever was sent:
at most `MAX_PROBLEMS` problems, `MAX_DEPTH` levels and `MAX_STEPS` values looked at by
Python; long lists are passed in C, a chunk at a time, until a chunk is refused.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

import msgspec
from msgspec import inspect

from nexios.models.decimals import are_sound
from nexios.models.leaves import Fault, Unread, leaf_fault, length_fault
from nexios.models.problems import MAX_PROBLEMS, Invalid, Problem, pointer_of, words_of
from nexios.models.shape import Fields, Model, Node, annotation_of, class_of, is_flat, plain
from nexios.models.words import choices, expected

__all__ = ["MAX_DEPTH", "MAX_STEPS", "Collector", "Foreign", "invalid"]

MAX_DEPTH: Final = 100
"""Levels of nesting that are looked into, which is what JSON bodies may have."""
MAX_STEPS: Final = 100_000
"""Values looked at one by one; past it, what was found is what is told. Some tenths of a second."""
CHUNK: Final = 64
"""Items of a list that are passed at once when nothing is wrong with them."""

Foreign = Callable[[Any], Callable[[Any], Any] | None]
"""The converter of another backend for a class that is its own."""


class Collector:
    """Finds the problems of values of one type. One per type, shared by all requests."""

    def __init__(
        self, node: Node, foreign: Foreign, dec_hook: Callable[[type, Any], Any], *, from_text: bool = False
    ) -> None:
        self.node = node
        self.from_text = from_text
        self.foreign = foreign
        self.dec_hook = dec_hook
        self._flat: dict[int, bool] = {}

    def problems_of(self, value: Any) -> tuple[Problem, ...]:
        """Return what is wrong with a value of builtins; one problem of the code "invalid" when nothing was found."""
        walk = _Walk(self)
        with contextlib.suppress(RecursionError):
            walk.look(self.node, value)
        return tuple(walk.problems) or (invalid(),)

    def fits(self, node: Node, value: Any) -> bool:
        """Return whether msgspec takes the value; it runs a model's own checks."""
        return self.refusal(node, value) is None

    def refusal(self, node: Node, value: Any) -> BaseException | None:
        """Return why msgspec does not take the value."""
        try:
            kind = annotation_of(node, lambda model: model.cls)
            msgspec.convert(value, kind, str_keys=True, dec_hook=self.dec_hook)
        except (ValueError, TypeError, ArithmeticError, RecursionError, Invalid) as error:
            return error
        return None

    def is_flat(self, node: Node) -> bool:
        """Return whether values of the node have a depth known beforehand; each type is asked for once."""
        known = self._flat.get(id(node))
        if known is None:
            known = self._flat[id(node)] = is_flat(node)
        return known


def invalid(pointer: str = "", detail: str = "is invalid") -> Problem:
    """Return the problem that says no more than that there is one."""
    return Problem(pointer, "invalid", detail)


class _Walk:
    """One value, walked once."""

    __slots__ = ("collector", "path", "problems", "steps")

    def __init__(self, collector: Collector) -> None:
        self.collector = collector
        self.problems: list[Problem] = []
        self.path: list[str | int] = []
        self.steps = 0

    @property
    def is_over(self) -> bool:
        return len(self.problems) >= MAX_PROBLEMS or self.steps >= MAX_STEPS

    def look(self, node: Node, value: Any) -> None:
        """Add the problems of a value, and of all that is in it."""
        self.steps += 1
        node = plain(node)
        see = _SEE.get(type(node))
        if see is None:
            self.add(leaf_fault(node, value))
        elif len(self.path) <= MAX_DEPTH:
            see(self, node, value)

    def look_below(self, step: str | int, node: Node, value: Any) -> None:
        self.path.append(step)
        self.look(node, value)
        self.path.pop()

    def add(self, fault: Fault | None, *steps: str | int) -> None:
        if fault is not None and len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(pointer_of([*self.path, *steps]), *fault))

    # Objects

    def see_fields(self, node: Fields, value: Any) -> None:
        if isinstance(node, inspect.StructType) and node.array_like:
            return self.see_array(node, value)
        if not isinstance(value, Mapping):
            return self.add(("type", "must be an object"))
        start, found = self.steps, len(self.problems)
        if isinstance(node, inspect.StructType):
            self._see_tag(node, value)
        for field in node.fields:
            if self.is_over:
                return None
            if field.encode_name in value:
                self.look_below(field.encode_name, field.type, value[field.encode_name])
            elif field.required:
                self.add(("missing", "is required"), field.encode_name)
        if isinstance(node, inspect.StructType) and node.forbid_unknown_fields:
            self._see_unknown(node, value)
        if len(self.problems) == found:
            self._see_own_checks(node, value, start)
        return None

    def _see_tag(self, node: inspect.StructType, value: Mapping[Any, Any]) -> None:
        if node.tag_field is not None and node.tag_field in value and value[node.tag_field] != node.tag:
            self.add(("unknown_tag", f"must be {choices([node.tag])}"), node.tag_field)

    def _see_unknown(self, node: inspect.StructType, value: Mapping[Any, Any]) -> None:
        known = {field.encode_name for field in node.fields} | {node.tag_field}
        for name in value:
            if self.is_over:
                return
            if name not in known:
                self.add(("unknown_field", "is not a known field"), str(name))

    def _see_own_checks(self, node: Model, value: Any, start: int) -> None:
        """What `__post_init__` and validators refuse. It counts as much as looking at the fields did."""
        if not _has_own_checks(node):
            return
        self.steps += self.steps - start
        refusal = self.collector.refusal(node, value)
        if refusal is None:
            return
        cause = refusal.__cause__
        if isinstance(cause, ValueError | TypeError) and not _is_of_attrs(cause):
            self.add(("invalid", words_of(cause, value)))
        else:
            self.add(("invalid", "is invalid"))

    def see_dict(self, node: inspect.DictType, value: Any) -> None:
        if not isinstance(value, Mapping):
            return self.add(("type", "must be an object"))
        self.add(length_fault(node, len(value), "entry"))
        for name, item in self._refused(node, value):
            if self.is_over:
                return None
            self._see_key(node.key_type, name)
            self.look_below(str(name), node.value_type, item)
        return None

    def _see_key(self, node: Node, name: Any) -> None:
        """Keys are text in JSON, whatever they stand for."""
        node = plain(node)
        if self.collector.fits(inspect.DictType(node, inspect.AnyType()), {name: None}):
            return
        fault = leaf_fault(node, name) or ("invalid", "is invalid")
        self.add((fault[0], f"has a key that {fault[1]}"), str(name))

    # Lists

    def see_list(self, node: Any, value: Any) -> None:
        if not _is_list(value):
            return self.add(("type", "must be a list"))
        self.add(length_fault(node, len(value), "item"))
        for index, item in self._refused(node, value):
            if self.is_over:
                return None
            self.look_below(index, node.item_type, item)
        return None

    def _refused(self, node: Any, value: Any) -> Iterator[tuple[Any, Any]]:
        """The items of a list, or entries of a dict, without the chunks in which msgspec finds no fault."""
        is_dict = isinstance(value, Mapping)
        entries: Iterable[tuple[Any, Any]] = value.items() if is_dict else enumerate(value)
        if len(value) <= CHUNK or not self.collector.is_flat(node) or are_sound(node) is not None:
            return iter(entries)
        unlimited = msgspec.structs.replace(node, min_length=None, max_length=None)
        return self._refused_of(unlimited, iter(entries), is_dict)

    def _refused_of(self, node: Node, entries: Iterator[tuple[Any, Any]], is_dict: bool) -> Iterator[tuple[Any, Any]]:
        while chunk := list(islice(entries, CHUNK)):
            self.steps += 1
            if not self.collector.fits(node, dict(chunk) if is_dict else [item for _, item in chunk]):
                yield from chunk

    def see_tuple(self, node: inspect.TupleType, value: Any) -> None:
        if not _is_list(value):
            return self.add(("type", "must be a list"))
        size = len(node.item_types)
        if len(value) != size:
            code = "too_short" if len(value) < size else "too_long"
            return self.add((code, f"must have {size} item{'' if size == 1 else 's'}"))
        for index, (each, item) in enumerate(zip(node.item_types, value, strict=True)):
            self.look_below(index, each, item)
        return None

    def see_array(self, node: Any, value: Any) -> None:
        """A NamedTuple, or a Struct with array_like=True, whose tag is the first item."""
        if not _is_list(value):
            return self.add(("type", "must be a list"))
        start, found = self.steps, len(self.problems)
        first = 0 if getattr(node, "tag_field", None) is None else 1
        if first and (not value or value[0] != node.tag):
            return self.add(("unknown_tag", f"must be {choices([node.tag])}"), 0)
        required = first + sum(field.required for field in node.fields)
        if len(value) < required:
            return self.add(("too_short", f"must have at least {required} item{'' if required == 1 else 's'}"))
        for index, (field, item) in enumerate(zip(node.fields, value[first:], strict=False), first):
            self.look_below(index, field.type, item)
        if len(self.problems) == found:
            self._see_own_checks(node, value, start)
        return None

    # Either, or another's

    def see_union(self, node: inspect.UnionType, value: Any) -> None:
        members = [each for each in map(plain, node.types) if not self._is_no_choice(each)]
        candidates = members if len(members) == 1 else [each for each in members if _may_be(each, value)]
        tagged = [each for each in candidates if isinstance(each, inspect.StructType)]
        if len(tagged) > 1:
            return self._see_tagged(tagged, value)
        if len(candidates) == 1:
            return self.look(candidates[0], value)
        if not any(self.collector.fits(each, value) for each in candidates):
            self.add(("type", f"must be {expected(inspect.UnionType(tuple(members)))}"))
        return None

    def _is_no_choice(self, node: Node) -> bool:
        """Text cannot be null."""
        return self.collector.from_text and isinstance(node, inspect.NoneType)

    def _see_tagged(self, models: Sequence[inspect.StructType], value: Any) -> None:
        tag_field = models[0].tag_field or "type"
        step: str | int = tag_field if isinstance(value, Mapping) else 0
        if step not in value if isinstance(value, Mapping) else not value:
            return self.add(("missing", "is required"), step)
        for model in models:
            if model.tag == value[step]:
                return self.look(model, value)
        return self.add(("unknown_tag", f"must be {choices([model.tag for model in models])}"), step)

    def see_custom(self, node: inspect.CustomType, value: Any) -> None:
        convert = self.collector.foreign(node.cls)
        if convert is None:
            return
        try:
            convert(value)
        except Invalid as error:
            prefix = pointer_of(self.path)
            room = MAX_PROBLEMS - len(self.problems)
            self.problems.extend(
                Problem(prefix + problem.pointer, problem.code, problem.detail) for problem in error.problems[:room]
            )


def _is_list(value: object) -> bool:
    return isinstance(value, list | tuple | set | frozenset)


def _may_be(node: Node, value: Any) -> bool:
    """Whether the value is of the JSON type that the node has."""
    if isinstance(node, inspect.NoneType):
        return value is None
    if isinstance(value, Mapping):
        is_array = isinstance(node, inspect.StructType) and node.array_like
        return isinstance(node, inspect.DictType | Fields) and not is_array
    if _is_list(value):
        return type(node) in _LISTS or (isinstance(node, inspect.StructType) and node.array_like)
    if isinstance(node, inspect.CustomType | inspect.AnyType):
        return True
    return type(node) not in _SEE and _has_type_of(node, value)


def _has_type_of(node: Node, value: Any) -> bool:
    """Constraints are not asked for here; a literal or enum is told by the types of its values."""
    if isinstance(node, inspect.IntType | inspect.FloatType | inspect.StrType):
        fault = leaf_fault(type(node)(), value)
    else:
        fault = leaf_fault(node, value)
    if isinstance(value, bool):
        return fault is None
    return fault is None or (isinstance(value, str | Unread) and fault[0] in ("format", "enum"))


def _has_own_checks(node: Model) -> bool:
    cls = class_of(node)
    return hasattr(cls, "__post_init__") or hasattr(cls, "__attrs_attrs__") or hasattr(cls, "__attrs_post_init__")


def _is_of_attrs(error: BaseException) -> bool:
    """Its words hold the value: "'age' must be > 3: -1"."""
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    return traceback is not None and traceback.tb_frame.f_globals.get("__name__") == "attr.validators"


_LISTS: Final = (
    inspect.ListType,
    inspect.CollectionType,
    inspect.SetType,
    inspect.FrozenSetType,
    inspect.VarTupleType,
    inspect.TupleType,
    inspect.NamedTupleType,
)
_SEE: Final[Mapping[type[Node], Callable[[_Walk, Any, Any], None]]] = {
    inspect.StructType: _Walk.see_fields,
    inspect.DataclassType: _Walk.see_fields,
    inspect.TypedDictType: _Walk.see_fields,
    inspect.DictType: _Walk.see_dict,
    inspect.ListType: _Walk.see_list,
    inspect.CollectionType: _Walk.see_list,
    inspect.SetType: _Walk.see_list,
    inspect.FrozenSetType: _Walk.see_list,
    inspect.VarTupleType: _Walk.see_list,
    inspect.TupleType: _Walk.see_tuple,
    inspect.NamedTupleType: _Walk.see_array,
    inspect.UnionType: _Walk.see_union,
    inspect.CustomType: _Walk.see_custom,
}
