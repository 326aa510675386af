"""How is a model read from flat names, as a query, headers, cookies or a form have them?

A field whose type is a list takes every value of its name; any other takes one, and
two are an error, so that nobody behind or before us can have read the other one. Which
field is what stands in the model's own JSON Schema: that is the same for all libraries.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from nexios.models.adapter import TypeAdapter
from nexios.models.problems import Problem, pointer_of

__all__ = ["GIVEN_ONCE", "Fields", "fields_of", "gather"]

GIVEN_ONCE: Final = "must be given once"

_TEXT_MARKS: Final = ("format", "enum", "const")


class _Field(msgspec.Struct, frozen=True):
    """Whether a field takes several values, and whether the empty text is a value."""

    many: bool
    text: bool


class Fields(msgspec.Struct, frozen=True):
    """The names of a model on the wire; `others` is what any other name is in a dict, None in a model."""

    known: Mapping[str, _Field]
    others: _Field | None


def fields_of(adapter: TypeAdapter) -> Fields:
    """Return the fields of a model, a dict, or a union of them."""
    top, components = adapter.schema(mode="input", ref_template="#/{name}")
    known: dict[str, _Field] = {}
    others: _Field | None = None
    for schema in _branches(top, components, frozenset()):
        for name, field in schema.get("properties", {}).items():
            known[name] = _field_of(field, components)
        additional = schema.get("additionalProperties")
        if isinstance(additional, dict):
            others = _field_of(additional, components)
    if others is None and not known:
        others = _Field(many=False, text=True)
    return Fields(known, others)


def _branches(
    schema: Mapping[str, Any], components: Mapping[str, Any], seen: frozenset[str]
) -> Iterator[Mapping[str, Any]]:
    """The schema and all that it refers to or chooses from, each once."""
    yield schema
    reference = schema.get("$ref", "").removeprefix("#/")
    if reference in components and reference not in seen:
        yield from _branches(components[reference], components, seen | {reference})
    for word in ("anyOf", "oneOf", "allOf"):
        for branch in schema.get(word, ()):
            yield from _branches(branch, components, seen)


def _field_of(schema: Mapping[str, Any], components: Mapping[str, Any]) -> _Field:
    branches = list(_branches(schema, components, frozenset()))
    many = any(branch.get("type") == "array" for branch in branches)
    if many:
        items = [branch["items"] for branch in branches if isinstance(branch.get("items"), dict)]
        branches = [deeper for item in items for deeper in _branches(item, components, frozenset())]
    return _Field(many=many, text=any(map(_takes_text, branches)))


def _takes_text(branch: Mapping[str, Any]) -> bool:
    """A schema without any rule takes everything."""
    if branch.get("type") == "string":
        return not any(mark in branch for mark in _TEXT_MARKS)
    return not branch.keys() - {"title", "description", "default", "examples"}


def gather(
    values: Iterable[tuple[str, Sequence[str]]], fields: Fields, *, drop_empty: bool = False
) -> tuple[dict[str, str | list[str]], list[Problem]]:
    """Return what a converter makes the model of, and the names that were given too often.

    `drop_empty` leaves out empty values where the field takes no text, as browsers send them for
    what was left empty.
    """
    found: dict[str, str | list[str]] = {}
    problems: list[Problem] = []
    for name, given in values:
        field = fields.known.get(name, fields.others)
        if drop_empty and field is not None and not field.text:
            given = [value for value in given if value]
            if not given:
                continue
        found[name] = list(given) if field is not None and field.many else given[0]
        if field is not None and not field.many and len(given) > 1:
            problems.append(Problem(pointer_of([name]), "type", GIVEN_ONCE))
    return found, problems
