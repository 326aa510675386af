"""How is a constraint that was written for another library checked by msgspec?

`annotated_types` is what pydantic and others write constraints with. It may be absent, so
its classes are known by name and never imported. In a type that a handler declares, and
in the lists, dicts, unions and generics of it, they become `msgspec.Meta`.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import reduce
from operator import or_
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec

from nexios.errors import ConfigurationError

__all__ = ["is_foreign", "with_meta"]

_AS_WRITTEN: Mapping[str, tuple[str, ...]] = {
    "Gt": ("gt",),
    "Ge": ("ge",),
    "Lt": ("lt",),
    "Le": ("le",),
    "Interval": ("gt", "ge", "lt", "le"),
    "MultipleOf": ("multiple_of",),
    "MinLen": ("min_length",),
    "MaxLen": ("max_length",),
    "Len": ("min_length", "max_length"),
}
"""A class of annotated_types to its attributes, which msgspec.Meta calls by the same names."""

_Translation = Callable[[Any], dict[str, Any]]


def is_foreign(item: object) -> bool:
    """Return whether this metadata is a constraint that msgspec would pass over in silence."""
    module = type(item).__module__
    if type(item).__name__ == "FieldInfo" and module.startswith("pydantic"):
        return bool(getattr(item, "metadata", ()))
    if type(item).__name__ == "StringConstraints" and module.startswith("pydantic"):
        return True
    return module == "annotated_types" and type(item).__name__ not in ("DocInfo",)


def with_meta(kind: Any) -> Any:
    """Return the type with every foreign constraint written as `msgspec.Meta`.

    Raises:
        ConfigurationError: A constraint that msgspec has no word for, such as a predicate.
    """
    origin = get_origin(kind)
    if origin is None or origin is Literal:
        return kind
    if origin is Annotated:
        inner, *metadata = get_args(kind)
        translated = _translated(metadata)
        return Annotated[(with_meta(inner), *translated)] if translated else with_meta(inner)
    arguments = get_args(kind)
    rewritten = tuple(with_meta(argument) for argument in arguments)
    if all(new is old for new, old in zip(rewritten, arguments, strict=True)):
        return kind
    if origin is Union or origin is UnionType:
        return reduce(or_, rewritten)
    return origin[rewritten]


def _translated(metadata: Iterable[Any]) -> list[Any]:
    """All foreign constraints become one Meta, so that they cannot hide one another."""
    kept: list[Any] = []
    constraints: dict[str, Any] = {}
    for item in metadata:
        if is_foreign(item):
            constraints |= _constraints_of(item)
        else:
            kept.append(item)
    if constraints:
        kept.append(msgspec.Meta(**constraints))
    return kept


def _constraints_of(item: Any) -> dict[str, Any]:
    name = type(item).__name__
    if name == "FieldInfo":
        return {key: value for inner in item.metadata for key, value in _constraints_of(inner).items()}
    if name == "Timezone" and (item.tz is None or item.tz is ...):
        return {"tz": item.tz is ...}
    attributes = _AS_WRITTEN.get(name)
    if attributes is None:
        raise ConfigurationError(
            f"the constraint {item!r} cannot be checked here.\n"
            "Use those of msgspec: Annotated[int, msgspec.Meta(ge=1)] has gt, ge, lt, le, multiple_of,\n"
            "min_length, max_length and pattern. What they cannot say belongs in __post_init__ of a model."
        )
    found = {attribute: getattr(item, attribute) for attribute in attributes}
    return {key: value for key, value in found.items() if value is not None and not (key == "min_length" and not value)}
