"""What could a message look like? An example made of its schema, for readers and for the console to begin with.

An example of the application itself (`examples`, `default`) is taken first. What no example can be made for, such as
a text with a pattern, has one that a reader mends.
"""

from collections.abc import Mapping
from math import ceil, floor
from typing import Any, Final

from nexios.openapi.model import Schema
from nexios.openapi.references import component_of

__all__ = ["example_of"]

_MAX_DEPTH: Final = 20
"""Schemas within schemas, for those that cannot end."""
_DEEP: Final = 5
"""From here on what may be left out is: it is mostly a model within itself."""

_TEXTS: Final[Mapping[str, str]] = {
    "date": "2030-01-31",
    "date-time": "2030-01-31T12:00:00Z",
    "time": "12:00:00Z",
    "duration": "PT1H",
    "email": "ada@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com/",
    "uuid": "9b2f7e0c-6f0a-4c55-9d6b-0c7d2f4b8a11",
    "decimal": "1.5",
}
"""By format; addresses are those kept for documentation (RFC 2606, RFC 5737, RFC 3849)."""


def example_of(schema: Any, components: Mapping[str, Schema], depth: int = 0) -> Any:
    """Return a value that fits a schema of draft 7, as far as one can be made.

    >>> example_of({"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}, {})
    {'text': 'text'}
    """
    if not isinstance(schema, Mapping) or depth > _MAX_DEPTH:
        return None
    for words in ("examples", "enum"):
        if schema.get(words):
            return schema[words][0]
    for word in ("const", "default"):
        if word in schema:
            return schema[word]
    name = component_of(schema.get("$ref"))
    if name is not None:
        return example_of(components.get(name, {}), components, depth + 1)
    if "allOf" in schema:
        return _of_all(schema, components, depth)
    for words in ("anyOf", "oneOf"):
        choices = [one for one in schema.get(words, ()) if one != {"type": "null"}]
        if choices:
            return example_of(choices[0], components, depth + 1)
    return _of_type(_type_of(schema), schema, components, depth)


def _type_of(schema: Schema | Mapping[str, Any]) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((one for one in kind if one != "null"), "null")
    if kind is None:
        return "object" if "properties" in schema else ""
    return str(kind)


def _of_type(kind: str, schema: Mapping[str, Any], components: Mapping[str, Schema], depth: int) -> Any:
    if kind == "object":
        return _object(schema, components, depth)
    if kind == "array":
        return _array(schema, components, depth)
    if kind == "string":
        return _text(schema)
    if kind in ("integer", "number"):
        return _number(schema, is_whole=kind == "integer")
    return {"boolean": True, "": {}}.get(kind)


def _of_all(schema: Mapping[str, Any], components: Mapping[str, Schema], depth: int) -> Any:
    """Objects are put together; of anything else the first holds."""
    own = {key: value for key, value in schema.items() if key != "allOf"}
    found = [example_of(part, components, depth + 1) for part in schema["allOf"]]
    if "properties" in own:
        found.append(_object(own, components, depth))
    objects = [one for one in found if isinstance(one, dict)]
    return {key: value for one in objects for key, value in one.items()} if objects else found[0]


def _object(schema: Mapping[str, Any], components: Mapping[str, Schema], depth: int) -> dict[str, Any]:
    """What must be there, and what may be as long as that is not deep."""
    required = schema.get("required", ())
    properties = schema.get("properties", {})
    wanted = [name for name in properties if name in required or depth < _DEEP]
    made = {name: example_of(properties[name], components, depth + 1) for name in wanted}
    return {name: value for name, value in made.items() if value is not None or name in required}


def _array(schema: Mapping[str, Any], components: Mapping[str, Schema], depth: int) -> list[Any]:
    items = schema.get("items", {})
    if isinstance(items, list):
        return [example_of(item, components, depth + 1) for item in items]
    count = schema.get("minItems", 0)
    made = example_of(items, components, depth + 1)
    return [made] * count if count else [made] * (made is not None and depth < _DEEP)


def _text(schema: Mapping[str, Any]) -> str:
    text = _TEXTS.get(str(schema.get("format", "")), "text")
    shortest, longest = schema.get("minLength", 0), schema.get("maxLength", len(text) + 1)
    text = text * ceil(shortest / len(text)) if shortest > len(text) else text
    return text[: max(shortest, min(longest, len(text)))] if "format" not in schema else text


def _number(schema: Mapping[str, Any], *, is_whole: bool) -> float:
    step = schema.get("multipleOf", 1)
    number = 1 if step == 1 else step
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is None and "exclusiveMinimum" in schema:
        low = schema["exclusiveMinimum"] + step
    if high is None and "exclusiveMaximum" in schema:
        high = schema["exclusiveMaximum"] - step
    if low is not None and number < low:
        number = ceil(low / step) * step
    if high is not None and number > high:
        number = floor(high / step) * step if low is None or floor(high / step) * step >= low else low
    return int(number) if is_whole else number
