"""Which objects may a patch of `T` be applied to? A `T`, or anything that has its fields: they are taken over.

A Struct, dataclass, attrs object, pydantic model, dict or row of an ORM is read by the names of the
attributes of `T`; models inside become those that `T` declares, in lists and dicts too.
"""

from collections.abc import Collection, Mapping
from types import NoneType
from typing import Any, ClassVar, Final, Protocol, get_args

import msgspec

from nexios.models.patch_shape import Shape, bare, class_of, is_model, members_of, shape_of

__all__ = ["ABSENT", "Likeness", "is_instance", "read", "refuse_stranger", "taken_over"]

ABSENT: Final = object()


class _Dataclass(Protocol):
    __dataclass_fields__: ClassVar[dict[str, Any]]


class _Attrs(Protocol):
    __attrs_attrs__: ClassVar[Any]


class _Pydantic(Protocol):
    __pydantic_fields__: ClassVar[dict[str, Any]]


Likeness = Mapping[str, Any] | msgspec.Struct | _Dataclass | _Attrs | _Pydantic
"""What may have the fields of another model."""


def is_instance(target: Any, shape: Shape) -> bool:
    """Return whether the target is of the model itself; every mapping may be of a TypedDict."""
    cls = class_of(shape.kind)
    return isinstance(target, Mapping if issubclass(cls, dict) else cls)


def read(target: Any, name: str) -> Any:
    """Return an attribute, or what a mapping has under the name; ABSENT when there is none."""
    return target.get(name, ABSENT) if isinstance(target, Mapping) else getattr(target, name, ABSENT)


def refuse_stranger(shape: Shape, target: object, given: Collection[str]) -> None:
    """Refuse what has not the fields of the model, which is no fault of the client.

    A dict may lack some: it is what a client began to fill. `given` are the fields that the patch has.

    Raises:
        TypeError: The target has none of the fields, or lacks one that the patch does not give.
    """
    if isinstance(target, Mapping) or is_instance(target, shape):
        return
    lacking = [field for field in shape.fields.values() if read(target, field.name) is ABSENT]
    if len(lacking) == len(shape.fields) or any(one.is_required and one.name not in given for one in lacking):
        name, kind = class_of(shape.kind).__name__, "None" if target is None else f"a {type(target).__qualname__}"
        raise TypeError(
            f"Patch[{name}].apply() takes a {name}, or a dict or an object with its fields, not {kind}, which has "
            f"no {', '.join(repr(field.name) for field in lacking[:5])}."
        )


def taken_over(shape: Shape, target: Any) -> dict[str, Any]:
    """Return the fields that the target has; of one that is no instance, models inside are made those of the model."""
    known = {name: value for name in shape.fields if (value := read(target, name)) is not ABSENT}
    if is_instance(target, shape) and not isinstance(target, Mapping):
        return known
    return {name: _as(shape.fields[name].kind, value) for name, value in known.items()}


def _as(kind: Any, value: Any) -> Any:
    """A value that has other models than the type declares, with those; what is anything else is left as it is."""
    members = [member for member in members_of(kind) if member not in (None, NoneType)]
    if len(members) != 1 or value is None:
        return value
    if is_model(members[0]):
        return _as_model(members[0], value)
    inner = get_args(bare(members[0]))
    if class_of(members[0]) is dict and type(value) is dict and inner:
        return {key: _as(inner[1], item) for key, item in value.items()}
    if class_of(members[0]) is list and type(value) is list and inner:
        return [_as(inner[0], item) for item in value]
    return value


def _as_model(kind: Any, value: Any) -> Any:
    shape = shape_of(kind)
    if is_instance(value, shape):
        return value
    known = taken_over(shape, value)
    is_whole = known and all(field.name in known for field in shape.fields.values() if field.is_required)
    return shape.build(None, known) if is_whole else value
