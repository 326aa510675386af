"""Which components does a schema refer to, and what is it with other names for them?

Only schemas are looked at: a default, an example or an enum that happens to hold
"$ref" is data and stays as it is, and so does a property of that name.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from nexios.openapi.model import Schema

__all__ = ["REFERENCE", "component_of", "reachable", "references", "renamed", "used_components"]

REFERENCE: Final = "#/components/schemas/"
"""What a reference to a schema begins with."""

_COMPONENTS: Final = "#/components/"
_DATA: Final = frozenset({"default", "const", "enum", "example", "examples"})
_VERY_END: Final = "$(?!\\n)"
"""What "$" of JSON Schema is in Python; inputs put it into patterns, and people need not see it."""
_SCHEMAS_BY_NAME: Final = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})


def component_of(reference: object) -> str | None:
    """Return the name of the schema component that a reference is to.

    >>> component_of("#/components/schemas/User")
    'User'
    """
    if isinstance(reference, str) and reference.startswith(REFERENCE):
        return reference[len(REFERENCE) :]
    return None


def references(schema: Any) -> Iterator[str]:
    """Yield the names of the components that a schema refers to, some more than once."""
    if isinstance(schema, dict):
        for key, value in schema.items():
            if key == "$ref" or key == "mapping":
                yield from _names_in(value)
            elif key in _SCHEMAS_BY_NAME and isinstance(value, dict):
                for inner in value.values():
                    yield from references(inner)
            elif key not in _DATA:
                yield from references(value)
    elif isinstance(schema, list):
        for item in schema:
            yield from references(item)


def renamed(schema: Schema, name: Callable[[str], str]) -> Schema:
    """Return a copy of a schema with other names for the components it refers to.

    >>> renamed({"items": {"$ref": "#/components/schemas/User"}}, str.upper)
    {'items': {'$ref': '#/components/schemas/USER'}}
    """
    return {key: _renamed_part(key, value, name) for key, value in schema.items()}


def reachable(schemas: Iterable[Schema], components: Mapping[str, Schema]) -> dict[str, Schema]:
    """Return the components that the schemas refer to, directly or through others, in the order of their names."""
    found: set[str] = set()
    waiting = [name for schema in schemas for name in references(schema)]
    while waiting:
        name = waiting.pop()
        if name in components and name not in found:
            found.add(name)
            waiting.extend(references(components[name]))
    return {name: components[name] for name in sorted(found)}


def used_components(document: object) -> dict[str, set[str]]:
    """Return the names of schemas and responses that a part of a document, which is more than schemas, may refer to.

    It is generous: data that looks like a reference counts as one.
    """
    found: dict[str, set[str]] = {"schemas": set(), "responses": set()}
    waiting = [document]
    while waiting:
        part = waiting.pop()
        if type(part) is dict:
            waiting.extend(part.values())
        elif type(part) is list:
            waiting.extend(part)
        elif type(part) is str and part.startswith(_COMPONENTS):
            kind, _, name = part[len(_COMPONENTS) :].partition("/")
            found.setdefault(kind, set()).add(name)
    return found


def _renamed_part(key: str, value: Any, name: Callable[[str], str]) -> Any:
    if key == "$ref":
        return _renamed_reference(value, name)
    if key == "mapping" and isinstance(value, dict):
        return {tag: _renamed_reference(reference, name) for tag, reference in value.items()}
    if key in _DATA:
        return value
    if key == "pattern" and isinstance(value, str):
        return value.replace(_VERY_END, "$")
    if key in _SCHEMAS_BY_NAME and isinstance(value, dict):
        return {inner: _renamed_any(part, name) for inner, part in value.items()}
    return _renamed_any(value, name)


def _renamed_any(value: Any, name: Callable[[str], str]) -> Any:
    if isinstance(value, dict):
        return renamed(value, name)
    if isinstance(value, list | tuple):
        return [_renamed_any(item, name) for item in value]
    return value


def _renamed_reference(value: Any, name: Callable[[str], str]) -> Any:
    component = component_of(value)
    return value if component is None else REFERENCE + name(component)


def _names_in(value: object) -> Iterator[str]:
    for reference in value.values() if isinstance(value, dict) else (value,):
        component = component_of(reference)
        if component is not None:
            yield component
