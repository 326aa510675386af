"""How does a document become a patch, with all that is wrong in it told at once?

Compiled once a model: for each name on the wire, whether the field is read as a leaf, as a patch of a model,
or key by key. Models that hold themselves are met again as the same reader.
"""

from collections.abc import Callable, Mapping, Sequence
from types import NoneType
from typing import Annotated, Any, Protocol, TypeAlias, get_args, get_origin

import msgspec

from nexios.errors import ConfigurationError
from nexios.models.backend import TypeBackend
from nexios.models.patch import Entries, Patch
from nexios.models.patch_formats import PatchFormat
from nexios.models.patch_shape import Field, Shape, bare, is_model, members_of, refusal_of, shape_of
from nexios.models.problems import MAX_PROBLEMS, Invalid, Problem, pointer_of

__all__ = ["Found", "Readers", "keyed_value", "model_in"]

Found: TypeAlias = list[Problem]
_Path = tuple[str, ...]
_NOTHING: Any = object()


class _Slot(Protocol):
    """Reads objects for a field that a patch reaches into."""

    def read(self, item: Any, path: _Path, found: Found) -> Any:
        """Return what takes the place of the object, its problems added to those found."""
        ...


def model_in(kind: Any) -> Any:
    """Return the one model that a field holds, which a patch may reach into; None when there is not just one."""
    models = [member for member in members_of(kind) if bare(member) not in (None, NoneType)]
    return models[0] if len(models) == 1 and is_model(models[0]) else None


def keyed_value(kind: Any) -> Any:
    """Return the type of the values when a field is a dict (or None) with text as keys, else None."""
    found = _the_dict_in(kind)
    key, value = (None, None) if found is None else get_args(bare(found)) or (str, Any)
    return value if key is str else None


def _the_dict_in(kind: Any) -> Any:
    members = [member for member in members_of(kind) if bare(member) not in (None, NoneType)]
    return members[0] if len(members) == 1 and (get_origin(bare(members[0])) or bare(members[0])) is dict else None


class Readers:
    """The readers of one format, one a model. Made when the application is compiled."""

    def __init__(self, backends: Sequence[TypeBackend], form: PatchFormat) -> None:
        self.form = form
        self._backends = tuple(backends)
        self._made: list[tuple[Any, ModelReader]] = []

    def reader_of(self, kind: Any) -> "ModelReader":
        """Return the reader of a model, the same for the same type."""
        known = next((reader for each, reader in self._made if each is kind or each == kind), None)
        if known is not None:
            return known
        reader = ModelReader(shape_of(kind), self)
        self._made.append((kind, reader))  # before its fields are compiled: they may hold the model again
        reader.compile()
        return reader

    def backend_of(self, kind: Any) -> TypeBackend:
        """Return what reads the leaves of a type."""
        found = next((backend for backend in self._backends if backend.handles(kind)), None)
        if found is None:
            raise ConfigurationError(f"no type backend handles {kind!r}, which a field of a Patch has.")
        return found

    def leaf_of(self, kind: Any) -> Callable[[Any], Any]:
        """Return what makes a leaf out of an item."""
        return self.form.leaf(self.backend_of(kind), kind)

    def fit_of(self, kind: Any) -> Callable[[Any], Any] | None:
        """Return what checks a dict after a merge: its length, and its values unless they are models, which were."""
        if model_in(keyed_value(kind)) is None:
            return self.backend_of(kind).converter(kind, from_text=False)
        metadata = [*getattr(kind, "__metadata__", ()), *getattr(_the_dict_in(kind), "__metadata__", ())]
        anything: Any = Annotated[(dict[str, Any], *metadata)] if metadata else None
        return None if anything is None else self.backend_of(anything).converter(anything, from_text=False)

    def slot_of(self, kind: Any) -> _Slot | None:
        """Return how an object for a field of this type is read; None when as a leaf."""
        if (model := model_in(kind)) is not None:
            return self.reader_of(model)
        value = keyed_value(kind)
        return None if value is None else _EntriesReader(value, self)


class ModelReader:
    """Reads patches of one model."""

    def __init__(self, shape: Shape, readers: Readers) -> None:
        self.shape: Shape = shape
        self._readers = readers
        self._form = readers.form
        self._slots: dict[str, tuple[Field, _Slot | None, Callable[[Any], Any]]] = {}

    def compile(self) -> None:
        """Make the readers of the fields. A pydantic model reads its leaves itself, all at once."""
        fields = {name: self._with_fit(field) for name, field in self.shape.fields.items()}
        self.shape = msgspec.structs.replace(self.shape, fields=fields)
        for field in fields.values():
            leaf = _NOTHING if self.shape.reader is not None else self._readers.leaf_of(field.kind)
            slot = self._readers.slot_of(field.kind)
            self._slots |= dict.fromkeys(field.wire, (field, slot, leaf))

    def _with_fit(self, field: Field) -> Field:
        if keyed_value(field.kind) is None:
            return field
        reader = self.shape.reader
        fit = self._readers.fit_of(field.kind) if reader is None else reader.fit_of(field.wire[0])
        return msgspec.structs.replace(field, fit=fit)

    def read(self, item: Any, path: _Path, found: Found) -> Any:
        """Return the patch, its problems added to those found; what it holds then is not for use."""
        members = self._form.open(item)
        if members is None:
            found.append(Problem(pointer_of(path), "type", "must be an object"))
            return None
        changes: dict[str, Any] = {}
        leaves: dict[str, Any] = {}
        for wire, member in members.items():
            if len(found) >= MAX_PROBLEMS:
                break
            known = self._slots.get(wire)
            if known is None:
                self._read_unknown(wire, member, (*path, wire), found, leaves)
            elif not self._is_read(known[0], known[1], member, (*path, wire), found, changes):
                leaves[wire] = member
        return Patch(self.shape, changes, self._read_leaves(leaves, path, found, changes))

    def _is_read(
        self, field: Field, slot: _Slot | None, member: Any, path: _Path, found: Found, changes: dict[str, Any]
    ) -> bool:
        """Read what is no leaf; return False when it is one."""
        if field.is_frozen:
            found.append(Problem(pointer_of(path), "invalid", "cannot be changed"))
        elif self._form.is_null(member) and not field.is_nullable and field.reset is not None:
            changes[field.name] = field.reset()
        elif slot is not None and self._form.is_object(member):
            changes[field.name] = slot.read(member, path, found)
        else:
            return False
        return True

    def _read_unknown(self, wire: str, member: Any, path: _Path, found: Found, leaves: dict[str, Any]) -> None:
        tag = self.shape.tag
        if tag is not None and wire == tag[0]:
            if self._form.plain(member) != tag[1]:
                found.append(Problem(pointer_of(path), "unknown_tag", f"must be {tag[1]!r}"))
        elif self.shape.unknown == "allow":
            leaves[wire] = member
        elif self.shape.unknown == "forbid":
            found.append(Problem(pointer_of(path), "unknown_field", "is not a known field"))

    def _read_leaves(
        self, leaves: dict[str, Any], path: _Path, found: Found, changes: dict[str, Any]
    ) -> Mapping[str, Any]:
        """Add the leaves to the changes; return those that are not declared, where the model allows them."""
        reader = self.shape.reader
        if reader is None:
            for wire, item in leaves.items():
                field, _, leaf = self._slots[wire]
                changes[field.name] = _value_of(leaf, item, field, (*path, wire), found)
            return {}
        try:
            values = self._form.read_partial(reader, leaves)
        except Invalid as refusal:
            found += _below(refusal, path)
            return {}
        changes |= {name: value for name, value in values.items() if name in self.shape.fields}
        return {name: value for name, value in values.items() if name not in self.shape.fields}


class _EntriesReader:
    """Reads patches of a dict whose values are of one type."""

    def __init__(self, value: Any, readers: Readers) -> None:
        self._form = readers.form
        self._slot = readers.slot_of(value)
        self._leaf = readers.leaf_of(value)

    def read(self, item: Any, path: _Path, found: Found) -> Any:
        entries = Entries()
        for key, member in (self._form.open(item) or {}).items():
            if len(found) >= MAX_PROBLEMS:
                break
            if self._form.is_null(member):
                entries[key] = None
            elif self._slot is not None and self._form.is_object(member):
                entries[key] = self._slot.read(member, (*path, key), found)
            else:
                entries[key] = _value_of(self._leaf, member, None, (*path, key), found)
        return entries


def _value_of(leaf: Callable[[Any], Any], item: Any, field: Field | None, path: _Path, found: Found) -> Any:
    try:
        value = leaf(item)
    except Invalid as refusal:
        found += _below(refusal, path)
        return _NOTHING
    if field is not None and field.check is not None:
        try:
            field.check(value)
        except (ValueError, TypeError) as error:
            found += refusal_of(error, pointer_of(path), value).problems
    return value


def _below(refusal: Invalid, path: _Path) -> Found:
    prefix = pointer_of(path)
    return [Problem(prefix + each.pointer, each.code, each.detail) for each in refusal.problems]
