"""Which schema has each type, and under which names are the models among them?

A model is one component, however often it is used. Only where what is read differs
from what is written there are two: `User` is written, `UserInput` is read. Models
that refer to such a one differ too. That a field with a default may be left out when
read, and is always there when written, makes no two models of one, unless
`exact_required` asks for it: most models have a default, and few readers want two of each.
Models of one name that come from different libraries are told apart by the library's name.

Types are first collected and then described together, because the libraries choose
names that are unique among the types they see at once.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Final, Literal, Protocol

import msgspec

from nexios.errors import ConfigurationError
from nexios.models.backend import TypeBackend
from nexios.openapi.model import Schema
from nexios.openapi.references import REFERENCE, component_of, reachable, references, renamed

__all__ = ["Collector", "Mode", "Schemas", "Table", "describe"]

Mode = Literal["input", "output"]

_REF_TEMPLATE: Final = REFERENCE + "{name}"
_MODES: Final[tuple[Mode, ...]] = ("output", "input")
"""What is written has the plain names."""
_FAULTS: Final = (TypeError, ValueError, NotImplementedError, ConfigurationError)
"""What libraries raise for a type without a schema; pydantic's own error is a ValueError or TypeError."""
_NAME_LETTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
"""Source: OpenAPI 3.1.1, section 4.8.7 (components)."""

Components = dict[str, Schema]

Question = tuple[Any, Mode, bool]
"""A type, what it is used for, and whether it may be one that nothing can describe."""


class Schemas(Protocol):
    """Answers what a type looks like."""

    def of(self, kind: Any, mode: Mode, *, lenient: bool = False) -> Schema:
        """Return the schema of a type; it is the caller's to change.

        With `lenient` a type that nothing can describe has the schema of everything, {}.
        """
        ...

    def own(self, name: str) -> Schema:
        """Return a reference to one of the schemas of nexios itself."""
        ...

    def fields(self, schema: Schema) -> Schema | None:
        """Return the object with `properties` that `schema` is or refers to, or None if it is no such object."""
        ...


class Collector:
    """The first reading: it knows no schema, and keeps every type that it is asked for."""

    def __init__(self) -> None:
        self.asked: list[Question] = []

    def of(self, kind: Any, mode: Mode, *, lenient: bool = False) -> Schema:
        """Keep the type; its schema comes later."""
        self.asked.append((kind, mode, lenient))
        return {}

    def own(self, name: str) -> Schema:
        """Nothing to keep."""
        return {}

    def fields(self, schema: Schema) -> Schema | None:
        """Nothing is known yet."""
        return None


class Table:
    """The second reading: every type that was asked for has its schema."""

    def __init__(
        self,
        schemas: Mapping[tuple[int, Mode], Schema],
        same: Mapping[int, int],
        components: Components,
        own: Mapping[str, str],
    ) -> None:
        """`same` leads from the `id` of each type to that of the first one that is equal."""
        self.components = components
        self._schemas = schemas
        self._same = same
        self._own = own

    def of(self, kind: Any, mode: Mode, *, lenient: bool = False) -> Schema:
        """Return the schema of a type that the collector was asked for."""
        known = self._schemas.get((self._same[id(kind)], mode))
        if known is None and not lenient:
            raise KeyError(kind)
        return dict(known or {})

    def own(self, name: str) -> Schema:
        """Return a reference to it."""
        return {"$ref": REFERENCE + self._own[name]}

    def fields(self, schema: Schema) -> Schema | None:
        """Follow references, and look through `X | None`."""
        for _ in range(2 * len(self.components) + 2):
            if "properties" in schema:
                return schema
            choices = [choice for choice in schema.get("anyOf", ()) if choice != {"type": "null"}]
            if len(choices) == 1:
                schema = choices[0]
                continue
            name = component_of(schema.get("$ref"))
            if name is None:
                return None
            schema = self.components[name]
        return None


def describe(
    asked: Sequence[Question],
    backends: Sequence[TypeBackend],
    *,
    own: Mapping[str, Schema],
    component_name: Callable[[str], str] | None = None,
    exact_required: bool = False,
) -> Table:
    """Return the schemas of all types that were asked for, and the components they refer to.

    `own` are the schemas of nexios itself: they give way when a model has their name.

    Raises:
        ConfigurationError: No backend can describe a type, or `component_name` gives two models one name.
    """
    names = _Names(component_name)
    schemas: dict[tuple[int, Mode], Schema] = {}
    same = _same(asked)
    wanted = {mode: {same[id(kind)] for kind, other, _ in asked if mode == other} for mode in _MODES}
    for number, group in enumerate(_by_backend(asked, same, backends)):
        library = group.backend.name.capitalize() if number else ""
        layers = {mode: _layer(group, mode, wanted[mode]) for mode in _MODES if wanted[mode]}
        for mode, layer in layers.items():
            components = layer.components
            if mode == "output" and "input" in layers and not exact_required:
                components = _as_lenient(components, layers["input"].components)
            rename = names.add(components, library + ("Input" if mode == "input" else ""))
            schemas.update({(kind, mode): renamed(schema, rename) for kind, schema in layer.schemas.items()})
    own_name = names.add(own, "Document", chosen=False)
    return Table(schemas, same, names.components, {name: own_name(name) for name in own})


def _same(asked: Sequence[Question]) -> dict[int, int]:
    """Thousands of routes ask for a few types; each is described once."""
    first: dict[Any, int] = {}
    return {id(kind): first.setdefault(_key(kind), id(kind)) for kind, _, _ in asked}


def _key(kind: Any) -> Any:
    try:
        hash(kind)
    except TypeError:
        return id(kind)
    return type(kind), kind


class _Group(msgspec.Struct, frozen=True):
    """The types that one library describes; `lenient` are the `id`s of those that need no schema."""

    backend: TypeBackend
    kinds: list[Any]
    lenient: Collection[int]


class _Layer(msgspec.Struct, frozen=True):
    """What one library says of the types that are asked for in one mode: schemas by `id` of the type."""

    schemas: Mapping[int, Schema]
    components: Components


def _layer(group: _Group, mode: Mode, wanted: Collection[int]) -> _Layer:
    """Describe all types, so that names are the same in both modes, and keep those that are wanted."""
    kinds = group.kinds
    try:
        described, components = group.backend.schemas(kinds, mode=mode, ref_template=_REF_TEMPLATE)
    except _FAULTS:
        kinds = _without_faults(group, mode)
        described, components = group.backend.schemas(kinds, mode=mode, ref_template=_REF_TEMPLATE)
    schemas = {id(kind): schema for kind, schema in zip(kinds, described, strict=True) if id(kind) in wanted}
    return _Layer(schemas, reachable(schemas.values(), components))


def _without_faults(group: _Group, mode: Mode) -> list[Any]:
    """Find the types that have no schema: one that needs none is left out."""
    good: list[Any] = []
    for kind in group.kinds:
        try:
            group.backend.schemas([kind], mode=mode, ref_template=_REF_TEMPLATE)
            good.append(kind)
        except _FAULTS as exc:
            if id(kind) not in group.lenient:
                raise ConfigurationError(_undescribed(kind, str(exc))) from exc
    return good


def _as_lenient(written: Components, read: Components) -> Components:
    """Return what is written, as what is read where they differ in what only readers of input are told.

    That is which fields may be left out, and that there may be no others: none are ever written.
    """
    return {
        name: read[name] if name in read and _core(read[name]) == _core(schema) else schema
        for name, schema in written.items()
    }


def _core(schema: Schema) -> Schema:
    return {
        key: value
        for key, value in schema.items()
        if key != "required" and not (key == "additionalProperties" and value is False)
    }


class _Names:
    """The components so far. What is added later gives way to what was there."""

    def __init__(self, component_name: Callable[[str], str] | None) -> None:
        self.components: Components = {}
        self._component_name = component_name

    def add(self, new: Mapping[str, Schema], suffix: str, *, chosen: bool = True) -> Callable[[str], str]:
        """Add the components; return what leads from the names they came with to those they have now."""
        plain = self._plain_names(new, chosen=chosen)
        layer = {plain[name]: renamed(schema, plain.__getitem__) for name, schema in new.items()}
        final = {name: name for name in layer}
        for name in _different(self.components, layer):
            final[name] = _free(name + suffix, {*self.components, *final.values()})
        for name, schema in layer.items():
            self.components.setdefault(final[name], renamed(schema, final.__getitem__))
        return lambda name: final[plain[name]]

    def _plain_names(self, names: Iterable[str], *, chosen: bool) -> dict[str, str]:
        plain: dict[str, str] = {}
        origin: dict[str, str] = {}
        for name in sorted(names):
            better = _letters(name)
            if chosen and self._component_name is not None:
                better = _letters(self._component_name(better))
                if better in origin:
                    raise ConfigurationError(
                        f"component_name gives the name {better!r} to two models: {origin[better]!r} and {name!r}."
                    )
            plain[name] = better if better not in origin else _free(better, origin)
            origin[plain[name]] = name
        return plain


def _different(old: Mapping[str, Schema], new: Mapping[str, Schema]) -> list[str]:
    """Return the names that stand for two different things, in themselves or in what they refer to."""
    shared = [name for name in new if name in old]
    different = {name for name in shared if old[name] != new[name]}
    users: dict[str, list[str]] = {}
    for name in shared:
        for other in references(new[name]):
            users.setdefault(other, []).append(name)
    waiting = list(different)
    while waiting:
        for user in users.get(waiting.pop(), ()):
            if user not in different:
                different.add(user)
                waiting.append(user)
    return [name for name in shared if name in different]


def _letters(name: str) -> str:
    """Return a name with the letters that a component may have: "Page[User]" is "Page_User"."""
    text = "".join(letter if letter in _NAME_LETTERS else "_" for letter in name)
    return text.strip("_") or "Model"


def _free(name: str, taken: Collection[str]) -> str:
    if name not in taken:
        return name
    number = 2
    while f"{name}{number}" in taken:
        number += 1
    return f"{name}{number}"


def _by_backend(asked: Sequence[Question], same: Mapping[int, int], backends: Sequence[TypeBackend]) -> list[_Group]:
    """Return the types of each backend, the most general one first, equal ones once."""
    lenient = set(same.values()) - {same[id(kind)] for kind, _, is_lenient in asked if not is_lenient}
    groups = [_Group(backend, [], lenient) for backend in backends]
    for kind in {id(kind): kind for kind, _, _ in asked if same[id(kind)] == id(kind)}.values():
        group = next((group for group in groups if group.backend.handles(kind)), None)
        if group is None and id(kind) not in lenient:
            raise ConfigurationError(_undescribed(kind, "it is no model, and no type that nexios knows"))
        if group is not None:
            group.kinds.append(kind)
    return [group for group in reversed(groups) if group.kinds]


def _undescribed(kind: Any, reason: str) -> str:
    return (
        f"The type {kind!r} of a route has no JSON Schema: {reason}\n"
        "Use another type, or leave the route out of the document with include_in_schema=False."
    )
