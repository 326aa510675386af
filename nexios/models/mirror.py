"""How does a handler's result lose what its type does not declare?

msgspec writes an instance of a subclass with all the subclass has. So each declared model
has a mirror: a private Struct with the same fields, wire names, tag and defaults, of which
nobody has instances. Converting to mirrors therefore reads every declared field and checks
it, whatever the result is made of (instances, subclasses, dicts, objects with attributes),
in C. Own checks of a model (`__post_init__`) do not run again for what it sends.
"""

from collections.abc import Callable, Mapping
from functools import reduce
from keyword import iskeyword
from operator import or_
from typing import Any, TypeAlias

import msgspec
from msgspec import inspect

from nexios.models.shape import Model, Node, annotation_of, class_of, plain

__all__ = ["Mirrors", "hook"]

Make: TypeAlias = Callable[[Any], Any]


class _AnyInstance(type):
    """Lets msgspec take whatever a stand-in made: it asks isinstance() of the result."""

    def __instancecheck__(cls, instance: object) -> bool:
        return True


def _stand_in(make: Make) -> Any:
    """Return a type that msgspec does not know, so that it asks `hook`, which asks `make`."""
    return _AnyInstance("StandIn", (), {"make": staticmethod(make)})


def hook(kind: Any, value: Any) -> Any:
    """Answer `dec_hook` for the stand-ins."""
    return kind.make(value)


class Mirrors:
    """The mirrors of one declared type. `foreign` writes what is another backend's, as `msgspec.Raw`."""

    def __init__(self, foreign: Callable[[Any], Make]) -> None:
        self._foreign = foreign
        self._known: dict[int, Any] = {}
        self._unfilled: list[tuple[Any, list[Any]]] = []

    def fitter(self, node: Node) -> Make:
        """Return what turns a result into mirrors; it raises what `msgspec.convert` raises."""
        return self._fitter_of(self._kind(node))

    def _fitter_of(self, kind: Any) -> Make:
        """A box, for msgspec remembers how a field is converted but not how a loose type is."""
        box = self._struct("Box", ["value"], [msgspec.field()], [kind], {})
        self._fill()
        convert = msgspec.convert

        def fit(value: Any) -> Any:
            return convert({"value": value}, box, from_attributes=True, dec_hook=hook).value

        return fit

    def _kind(self, node: Node) -> Any:
        node = plain(node)
        if isinstance(node, inspect.UnionType) and _models_in(node) > 1:
            return self._choice(node)
        return annotation_of(node, self._of_class, self._kind)

    def _of_class(self, node: Model | inspect.CustomType) -> Any:
        if isinstance(node, inspect.CustomType):
            return Any if node.cls is object else _stand_in(self._foreign(node.cls))
        if id(node) not in self._known:
            self._known[id(node)] = self._mirror(node)
        return self._known[id(node)]

    def _mirror(self, node: Model) -> Any:
        names = [_attribute(field.name, index) for index, field in enumerate(node.fields)]
        renamed = {
            name: field.encode_name for name, field in zip(names, node.fields, strict=True) if name != field.encode_name
        }
        mirror = self._struct(
            getattr(class_of(node), "__name__", "Mirror"),
            names,
            [_default(field) for field in node.fields],
            list(node.fields),
            {"rename": renamed, **_options(node)},
        )
        return mirror

    def _struct(self, name: str, names: list[str], defaults: list[Any], kinds: list[Any], options: Any) -> Any:
        """Types are set when all mirrors exist, because a model may hold itself: the annotations are names of them."""
        fields = [
            (each, f"_kind_{index}", default) for index, (each, default) in enumerate(zip(names, defaults, strict=True))
        ]
        struct = msgspec.defstruct(name, fields, kw_only=True, **options)
        self._unfilled.append((struct, kinds))
        return struct

    def _fill(self) -> None:
        while self._unfilled:
            struct, kinds = self._unfilled.pop()
            for index, kind in enumerate(kinds):
                setattr(struct, f"_kind_{index}", self._kind_of(kind))

    def _kind_of(self, kind: Any) -> Any:
        if not isinstance(kind, inspect.Field):
            return kind
        inner = self._kind(kind.type)
        is_unset = not kind.required and kind.default is kind.default_factory is msgspec.NODEFAULT
        return _stand_in(_unless_unset(self._fitter_later(inner))) if is_unset else inner

    def _fitter_later(self, kind: Any) -> Make:
        box = self._struct("Box", ["value"], [msgspec.field()], [kind], {})
        return lambda value: msgspec.convert({"value": value}, box, from_attributes=True, dec_hook=hook).value

    def _choice(self, node: inspect.UnionType) -> Any:
        """A union of models: an instance knows its class, which msgspec would look for in a tag."""
        models = [each for each in map(plain, node.types) if isinstance(each, Model)]
        by_class = {class_of(each): self._fitter_later(self._of_class(each)) for each in models}
        others = self._fitter_later(reduce(or_, map(self._kind, node.types)))

        def make(value: Any) -> Any:
            for cls in type(value).__mro__:
                if cls in by_class:
                    return by_class[cls](value)
            return others(value)

        return _stand_in(make)


def _models_in(node: inspect.UnionType) -> int:
    return sum(isinstance(plain(each), Model) for each in node.types)


def _unless_unset(fit: Make) -> Make:
    return lambda value: value if value is msgspec.UNSET else fit(value)


def _attribute(name: str, index: int) -> str:
    """Keys of a TypedDict may be no names of attributes."""
    return name if name.isidentifier() and not iskeyword(name) and not name.startswith("_kind_") else f"field_{index}"


def _default(field: inspect.Field) -> Any:
    if field.default is not msgspec.NODEFAULT:
        return msgspec.field(default=field.default) if _is_hashable(field.default) else _made_default(field.default)
    if field.default_factory is not msgspec.NODEFAULT:
        return msgspec.field(default_factory=field.default_factory)
    return msgspec.field() if field.required else msgspec.field(default=msgspec.UNSET)


def _made_default(default: Any) -> Any:
    return msgspec.field(default_factory=lambda: default)


def _is_hashable(value: object) -> bool:
    """msgspec takes no default that may change."""
    try:
        hash(value)
    except TypeError:
        return False
    return True


def _options(node: Model) -> Mapping[str, Any]:
    if isinstance(node, inspect.NamedTupleType):
        return {"array_like": True}
    if not isinstance(node, inspect.StructType):
        return {}
    config = class_of(node).__struct_config__
    return {
        "array_like": node.array_like,
        "tag": node.tag,
        "tag_field": node.tag_field,
        "omit_defaults": config.omit_defaults,
    }
