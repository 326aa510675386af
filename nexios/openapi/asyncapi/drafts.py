"""How is a JSON Schema of 2020-12, which OpenAPI has, written in AsyncAPI, whose schemas are of draft 7?

    prefixItems             items, a list of schemas
    dependentRequired       dependencies
    $ref beside other words allOf, because draft 7 reads nothing beside a $ref
    what draft 7 has not    is left out: it only narrowed what is allowed

Source: JSON Schema draft 7 (draft-handrews-json-schema-validation-01) and 2020-12, appendix G of the latter; AsyncAPI
3.0.0, section "Schema Object". `discriminator` is another thing there and is left out; the tag is a `const`.
"""

from collections.abc import Mapping
from typing import Any, Final

from nexios.openapi.model import Schema

__all__ = ["to_draft_7"]

_DATA: Final = frozenset({"default", "const", "enum", "example", "examples"})
_BY_NAME: Final = frozenset({"properties", "patternProperties", "definitions"})
_UNKNOWN: Final = frozenset(
    {"discriminator", "unevaluatedProperties", "unevaluatedItems", "minContains", "maxContains", "prefixItems"}
)


def to_draft_7(schema: Any) -> Any:
    """Return a schema with the words of draft 7; the one given stays as it is.

    >>> to_draft_7({"prefixItems": [{"type": "string"}], "items": False})
    {'items': [{'type': 'string'}], 'additionalItems': False}
    >>> to_draft_7({"$ref": "#/components/schemas/User", "title": "Who"})
    {'allOf': [{'$ref': '#/components/schemas/User'}], 'title': 'Who'}
    """
    if isinstance(schema, list | tuple):
        return [to_draft_7(item) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    found: Schema = {}
    for key, value in schema.items():
        found.update(_word(key, value, schema))
    if "$ref" in found and len(found) > 1:
        reference = {"$ref": found.pop("$ref")}
        found = {"allOf": [reference, *found.pop("allOf", ())], **found}
    return found


def _word(key: str, value: Any, schema: Mapping[str, Any]) -> Schema:
    """Return what stands for one word of a schema."""
    if key in _DATA:
        return {key: value}
    if key in _BY_NAME and isinstance(value, Mapping):
        return {key: {name: to_draft_7(inner) for name, inner in value.items()}}
    if key == "prefixItems":
        return {"items": to_draft_7(value)} if value else {}
    if key == "items" and "prefixItems" in schema:
        return {"additionalItems": to_draft_7(value)}
    if key in ("dependentRequired", "dependentSchemas"):
        return {"dependencies": {name: to_draft_7(inner) for name, inner in value.items()}}
    return {} if key in _UNKNOWN else {key: to_draft_7(value)}
