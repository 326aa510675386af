"""What did a client ask to change in an object, and what is the object after it? `Patch[T]`.

A JSON Merge Patch (RFC 7396, application/merge-patch+json) of a model `T`: a Struct, dataclass,
TypedDict, attrs class or pydantic model. What is absent stays as it is, so "unset" is not "null":

* null is taken where the field may be None; where it may not, the field goes back to its default,
  and a key that is NotRequired is removed; where there is no default it is a fault.
* An object for a field that is one model (or None) is a patch of that model. In a dict it sets
  keys, and null removes one. In a field of type Any it is merged as RFC 7396 says.
* Lists, and unions of several models, are replaced as a whole: a patch does not say which is meant.

Every value that is given fits the type and the constraints of its field before a handler sees it.
"""

from collections.abc import Iterator, Mapping, MutableMapping
from types import MappingProxyType
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar, cast

import msgspec

from nexios.errors import InvalidInput
from nexios.models.patch_shape import Field, Shape, class_of, refusal_of
from nexios.models.patch_target import ABSENT, Likeness, is_instance, read, refuse_stranger, taken_over
from nexios.models.problems import MAX_PROBLEMS, Invalid, Problem, pointer_of

__all__ = ["Entries", "Patch"]

T = TypeVar("T")


class Entries(dict[str, Any]):
    """The keys of a dict that are to change: a value, a `Patch` or `Entries` of one, or None to remove the key."""


class Patch(Generic[T]):
    """Some fields of a `T`, each validated. One per request; it does not change.

    Take it as a parameter, and it is the body of the request:

        @app.patch("/users/{id:int}")
        async def change(request: Request, response: Response, id: int, patch: Patch[User]) -> User:
            users[id] = patch.apply(users[id])
            return users[id]

    Names are those of the attributes, whatever they are called on the wire. False when nothing was given.
    """

    __slots__ = ("_changes", "_extra", "_shape")

    def __init__(
        self, shape: Shape, changes: Mapping[str, Any], extra: Mapping[str, Any] = MappingProxyType({})
    ) -> None:
        """For nexios: a patch is read from a document, never made by hand."""
        self._shape = shape
        self._changes = {name: changes[name] for name in shape.fields if name in changes}
        self._extra = extra

    @property
    def fields(self) -> Mapping[str, Any]:
        """The given fields and their values; that of a field which is a model is a `Patch` itself."""
        return MappingProxyType(self._changes)

    def get(self, name: str, default: Any = None) -> Any:
        """Return the value given for a field, or the default; None may be either."""
        return self._changes.get(name, default)

    def __contains__(self, name: object) -> bool:
        return name in self._changes

    def __iter__(self) -> Iterator[str]:
        return iter(self._changes)

    def __len__(self) -> int:
        return len(self._changes)

    def __bool__(self) -> bool:
        return bool(self._changes or self._extra)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Patch):
            return NotImplemented
        return (self._shape.kind, self._changes, self._extra) == (other._shape.kind, other._changes, other._extra)

    __hash__: ClassVar[None] = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        """Names alone: a password may be among the values."""
        return f"<Patch of {class_of(self._shape.kind).__name__}: {', '.join(self._changes) or 'nothing'}>"

    def apply(self, target: T | Likeness) -> T:
        """Return a new object: `target` with the changes, built and validated as a whole.

        `__post_init__` and validators of the model run. A subclass stays one. `target` is not touched; it may
        also be a dict or another object with such attributes, of which the declared fields are read: a `T` is made.

        Raises:
            InvalidInput: The whole does not fit: 422, as if it had been found while the body was read.
            TypeError: `target` is None, or something else that has not the fields of a `T`.
        """
        refuse_stranger(self._shape, target, self._changes)
        try:
            return cast("T", _applied(self, target, ()))
        except Invalid as refusal:
            raise _input_error(refusal) from refusal

    def apply_to(self, target: object) -> None:
        """Set the given fields on an object that is no `T`, such as a row of an ORM, or a dict.

        Only fields that `T` declares are set, whatever the client sent (ASVS 15.3.3), and only those are read which
        are models, dicts or Any, to be changed in place. Rules between fields are not checked, for the object
        may not have them: use `apply` for that. Nothing is set when something does not fit.

        Raises:
            InvalidInput: A new model inside lacks a field, or a dict is larger than it may be.
        """
        steps: list[_Assignment] = []
        try:
            _plan_assignments(self, target, (), steps)
        except Invalid as refusal:
            raise _input_error(refusal) from refusal
        for step in steps:
            _write(step.target, step.name, step.value)


class _Assignment(NamedTuple):
    target: Any
    name: str
    value: Any


_Path = tuple[str, ...]


def _applied(patch: Patch[Any], target: Any, path: _Path) -> Any:
    """Return the new object; raise Invalid with all problems."""
    shape = patch._shape
    of_the_model = is_instance(target, shape)
    known = taken_over(shape, target)
    changes = _changed(patch, known, path)
    missing = [field for field in shape.fields.values() if field.is_required and field.name not in known | changes]
    if missing and not (of_the_model and not isinstance(target, Mapping)):
        raise Invalid(Problem(pointer_of([*path, field.wire[0]]), "missing", "is required") for field in missing)
    changes |= patch._extra
    try:
        return shape.build(target, changes) if of_the_model else shape.build(None, known | changes)
    except Invalid as refusal:
        raise _below(refusal, path) from refusal
    except (ValueError, TypeError) as error:
        raise refusal_of(error, pointer_of(path), changes) from error


def _changed(patch: Patch[Any], known: Mapping[str, Any], path: _Path) -> dict[str, Any]:
    """Return the new values of the given fields; raise Invalid with the problems of all of them."""
    changes: dict[str, Any] = {}
    problems: list[Problem] = []
    for name, change in patch._changes.items():
        field = patch._shape.fields[name]
        try:
            changes[name] = _merged(field, known.get(name), change, (*path, field.wire[0]))
        except Invalid as refusal:
            problems += refusal.problems
    if problems:
        raise Invalid(problems[:MAX_PROBLEMS])
    return changes


def _merged(field: Field, current: Any, change: Any, path: _Path) -> Any:
    if isinstance(change, Entries):
        return _merged_entries(field, current, change, path)
    if isinstance(change, Patch):
        return _applied(change, current, path)
    return merge(current, change) if field.is_open else change


def _merged_entries(field: Field, current: Any, change: Entries, path: _Path) -> Any:
    merged = dict(current) if isinstance(current, Mapping) else {}
    _merge_into(merged, change, path)
    if field.fit is None:
        return merged
    try:
        field.fit(merged)
    except Invalid as refusal:
        raise _below(refusal, path) from refusal
    return merged


def _merge_into(merged: dict[Any, Any], change: Entries, path: _Path) -> None:
    for key, value in change.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, Patch):
            merged[key] = _applied(value, merged.get(key), (*path, str(key)))
        elif isinstance(value, Entries):
            inner = dict(merged[key]) if isinstance(merged.get(key), Mapping) else {}
            _merge_into(inner, value, (*path, str(key)))
            merged[key] = inner
        else:
            merged[key] = merge(merged.get(key), value) if isinstance(value, dict) else value


def merge(target: Any, patch: Any) -> Any:
    """Return the target after a merge patch, both of plain JSON values (RFC 7396 section 2).

    >>> merge({"a": 1, "b": {"c": 2, "d": 3}}, {"a": None, "b": {"c": 4}})
    {'b': {'c': 4, 'd': 3}}
    """
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge(merged.get(name), value)
    return merged


def _plan_assignments(patch: Patch[Any], target: Any, path: _Path, steps: list[_Assignment]) -> None:
    """Add what is to be set, in this object and in those that it holds; nothing is set yet."""
    problems: list[Problem] = []
    for name, change in patch._changes.items():
        field, at = patch._shape.fields[name], (*path, patch._shape.fields[name].wire[0])
        current = read(target, name) if isinstance(change, Patch | Entries) or field.is_open else None
        current = None if current is ABSENT else current
        try:
            if isinstance(change, Patch) and isinstance(current, Mapping):
                patched = dict(current)  # a column of JSON: a new dict, so that an ORM sees that it changed
                _plan_assignments(change, patched, at, steps)
                steps.append(_Assignment(target, name, patched))
            elif isinstance(change, Patch) and current is not None and not _is_frozen(current):
                _plan_assignments(change, current, at, steps)
            else:
                steps.append(_Assignment(target, name, _merged(field, current, change, at)))
        except Invalid as refusal:
            problems += refusal.problems
    if problems:
        raise Invalid(problems[:MAX_PROBLEMS])


def _is_frozen(value: Any) -> bool:
    """Structs, dataclasses and pydantic models that cannot be changed are replaced."""
    config = getattr(type(value), "__struct_config__", None) or getattr(type(value), "__dataclass_params__", None)
    of_pydantic = getattr(type(value), "model_config", None)
    return bool(getattr(config, "frozen", False) or (isinstance(of_pydantic, Mapping) and of_pydantic.get("frozen")))


def _write(target: Any, name: str, value: Any) -> None:
    if isinstance(target, MutableMapping):
        if value is msgspec.UNSET:
            target.pop(name, None)
        else:
            target[name] = value
    else:
        is_removed = value is msgspec.UNSET and not isinstance(target, msgspec.Struct)
        setattr(target, name, None if is_removed else value)


def _below(refusal: Invalid, path: _Path) -> Invalid:
    prefix = pointer_of(path)
    return Invalid(Problem(prefix + each.pointer, each.code, each.detail) for each in refusal.problems)


def _input_error(refusal: Invalid) -> InvalidInput:
    return InvalidInput({"in": "body", **msgspec.to_builtins(problem)} for problem in refusal.problems)
