"""What do pydantic's errors mean in our words, and where is the value they speak of?

pydantic names an error by a type ("int_parsing"), which is stable, and explains it by a text,
which is not. Our codes and details come from the type alone. The place comes from the error's
`loc`, where the names of union members stand between the keys of the document: the schema says
which is which. Nothing here imports pydantic.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from nexios.models.problems import MAX_PROBLEMS, Problem, cut, pointer_of, words_of

__all__ = ["WORDS", "Schema", "Wire", "paths_of", "problems_of"]

Schema: TypeAlias = Mapping[str, Any]
"""A node of pydantic's core schema."""
Steps: TypeAlias = list[str | int]

_TEXT, _ARRAY, _OBJECT = ("type", "must be a string"), ("type", "must be a list"), ("type", "must be an object")
_DURATION, _EMAIL = ("format", "must be a duration, as in PT1H30M"), ("format", "must be an email address")
_INVALID, _ADDRESS = ("invalid", "is invalid"), ("format", "must be an IP address")
_NETWORK = ("format", "must be an IP network")

WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "missing": ("missing", "is required"),
    "missing_argument": ("missing", "is required"),
    "missing_keyword_only_argument": ("missing", "is required"),
    "missing_positional_only_argument": ("missing", "is required"),
    "extra_forbidden": ("unknown_field", "is not a known field"),
    "unexpected_keyword_argument": ("unknown_field", "is not a known field"),
    "unexpected_positional_argument": ("unknown_field", "is not a known field"),
    "multiple_argument_values": ("invalid", "is given twice"),
    "no_such_attribute": ("unknown_field", "is not a known field"),
    "json_invalid": ("format", "must be JSON"),
    "json_type": ("type", "must be a string of JSON"),
    "needs_python_object": _INVALID,
    "recursion_loop": ("invalid", "holds itself"),
    "recursion_depth_exceeded": ("invalid", "is nested too deeply"),
    "frozen_field": ("invalid", "cannot be changed"),
    "frozen_instance": ("invalid", "cannot be changed"),
    "invalid_key": ("type", "must have strings as keys"),
    "get_attribute_error": _INVALID,
    "model_type": _OBJECT,
    "model_attributes_type": _OBJECT,
    "dataclass_type": _OBJECT,
    "dataclass_exact_type": _OBJECT,
    "named_tuple_type": ("type", "must be a list or an object"),
    "default_factory_not_called": ("missing", "is required"),
    "none_required": ("type", "must be null"),
    "greater_than": ("too_small", "must be greater than {gt}"),
    "greater_than_equal": ("too_small", "must be at least {ge}"),
    "less_than": ("too_large", "must be less than {lt}"),
    "less_than_equal": ("too_large", "must be at most {le}"),
    "multiple_of": ("multiple_of", "must be a multiple of {multiple_of}"),
    "finite_number": ("type", "must be a finite number"),
    "too_short": ("too_short", "must have at least {min_length} items"),
    "too_long": ("too_long", "must have at most {max_length} items"),
    "iterable_type": _ARRAY,
    "iteration_error": _ARRAY,
    "string_type": _TEXT,
    "string_unicode": _TEXT,
    "string_sub_type": _TEXT,
    "string_too_short": ("too_short", "must have at least {min_length} characters"),
    "string_too_long": ("too_long", "must have at most {max_length} characters"),
    "string_pattern_mismatch": ("pattern", "must match the pattern {pattern}"),
    "string_not_ascii": ("pattern", "must have ASCII characters only"),
    "enum": ("enum", "must be {expected}"),
    "literal_error": ("enum", "must be {expected}"),
    "dict_type": _OBJECT,
    "frozen_dict_type": _OBJECT,
    "ordered_dict_type": _OBJECT,
    "counter_type": _OBJECT,
    "mapping_type": _OBJECT,
    "list_type": _ARRAY,
    "deque_type": _ARRAY,
    "tuple_type": _ARRAY,
    "set_type": _ARRAY,
    "frozen_set_type": _ARRAY,
    "sequence_str": _ARRAY,
    "set_item_not_hashable": ("type", "must be a scalar"),
    "bool_type": ("type", "must be true or false"),
    "bool_parsing": ("type", "must be true or false"),
    "int_type": ("type", "must be an integer"),
    "int_parsing": ("type", "must be an integer"),
    "int_parsing_size": ("type", "must be an integer of fewer digits"),
    "int_from_float": ("type", "must be an integer"),
    "float_type": ("type", "must be a number"),
    "float_parsing": ("type", "must be a number"),
    "bytes_type": _TEXT,
    "bytes_too_short": ("too_short", "must have at least {min_length} bytes"),
    "bytes_too_long": ("too_long", "must have at most {max_length} bytes"),
    "bytes_invalid_encoding": ("format", "must be valid {encoding}"),
    "value_error": _INVALID,
    "assertion_error": _INVALID,
    "missing_sentinel_error": _INVALID,
    "ellipsis_error": _INVALID,
    "date_type": ("type", "must be a date, as in 2026-01-31"),
    "date_parsing": ("format", "must be a date, as in 2026-01-31"),
    "date_from_datetime_parsing": ("format", "must be a date, as in 2026-01-31"),
    "date_from_datetime_inexact": ("format", "must be a date without a time"),
    "date_past": ("too_large", "must be in the past"),
    "date_future": ("too_small", "must be in the future"),
    "time_type": ("type", "must be a time, as in 23:59:59"),
    "time_parsing": ("format", "must be a time, as in 23:59:59"),
    "datetime_type": ("type", "must be a date and time, as in 2026-01-31T23:59:59Z"),
    "datetime_parsing": ("format", "must be a date and time, as in 2026-01-31T23:59:59Z"),
    "datetime_object_invalid": ("format", "must be a date and time, as in 2026-01-31T23:59:59Z"),
    "datetime_from_date_parsing": ("format", "must be a date and time, as in 2026-01-31T23:59:59Z"),
    "datetime_past": ("too_large", "must be in the past"),
    "datetime_future": ("too_small", "must be in the future"),
    "timezone_naive": ("format", "must not have a time zone"),
    "timezone_aware": ("format", "must have a time zone"),
    "timezone_offset": ("format", "must have another time zone"),
    "time_delta_type": ("type", "must be a duration, as in PT1H30M"),
    "time_delta_parsing": _DURATION,
    "is_instance_of": _INVALID,
    "is_subclass_of": _INVALID,
    "callable_type": _INVALID,
    "union_tag_invalid": ("unknown_tag", "must be {expected_tags}"),
    "union_tag_not_found": ("missing", "is required"),
    "arguments_type": ("type", "must be a list or an object"),
    "url_type": ("type", "must be a URL"),
    "url_parsing": ("format", "must be a URL"),
    "url_syntax_violation": ("format", "must be a URL"),
    "url_too_long": ("too_long", "must have at most {max_length} characters"),
    "url_scheme": ("format", "must be a URL that starts with {expected_schemes}"),
    "uuid_type": ("type", "must be a UUID"),
    "uuid_parsing": ("format", "must be a UUID"),
    "uuid_version": ("format", "must be a UUID of version {expected_version}"),
    "decimal_type": ("type", "must be a decimal number"),
    "decimal_parsing": ("format", "must be a decimal number"),
    "decimal_max_digits": ("too_long", "must have at most {max_digits} digits"),
    "decimal_max_places": ("too_long", "must have at most {decimal_places} decimal places"),
    "decimal_whole_digits": ("too_long", "must have at most {whole_digits} digits before the decimal point"),
    "fraction_type": ("type", "must be a fraction"),
    "fraction_parsing": ("format", "must be a fraction"),
    "complex_type": ("type", "must be a complex number"),
    "complex_str_parsing": ("format", "must be a complex number"),
    # Those that pydantic's own types raise with a text, which may repeat the value.
    "ip_any_address": _ADDRESS,
    "ip_v4_address": _ADDRESS,
    "ip_v6_address": _ADDRESS,
    "ip_any_interface": _NETWORK,
    "ip_v4_interface": _NETWORK,
    "ip_v6_interface": _NETWORK,
    "ip_any_network": _NETWORK,
    "ip_v4_network": _NETWORK,
    "ip_v6_network": _NETWORK,
    "base64_decode": ("format", "must be base64"),
    "byte_size": ("format", "must be a size in bytes"),
    "byte_size_unit": ("format", "must be a size in bytes"),
    "color_error": ("format", "must be a colour"),
    "import_error": _INVALID,
    "path_type": ("type", "must be a path"),
    "pattern_regex": ("format", "must be a regular expression"),
    "zoneinfo_str": ("format", "must be the name of a time zone"),
}
"""pydantic's type of error to our code and detail; `{names}` are limits that the type itself declares."""

_DEVELOPERS = ("value_error", "assertion_error")
_ONE = re.compile(r"\b1 (item|character|byte|digit|decimal place)s\b")
_OR = re.compile(r"(?<=['0-9]) or (?=['0-9-])")
_TAG_ERRORS = ("union_tag_invalid", "union_tag_not_found")


def problems_of(errors: Sequence[Mapping[str, Any]], wire: "Wire", *, under: str = "") -> list[Problem]:
    """Return at most MAX_PROBLEMS of pydantic's errors, each once; `under` is the pointer to the whole value."""
    found: dict[Problem, None] = {}
    for error in errors:
        code, detail = _words(error)
        found[Problem(under + pointer_of([*wire.steps(error["loc"]), *_tag_field(error)]), code, detail)] = None
        if len(found) == MAX_PROBLEMS:
            break
    return list(found)


def _words(error: Mapping[str, Any]) -> tuple[str, str]:
    kind, context = error["type"], error.get("ctx") or {}
    if kind in _DEVELOPERS:
        return _words_of_a_developer(str(error["msg"]), context, error.get("input"))
    words = WORDS.get(kind)
    if words is None:
        return "invalid", cut(str(error["msg"]))
    code, detail = words
    if "{" not in detail:
        return words
    try:
        return code, cut(_ONE.sub(r"1 \1", detail.format_map(_limits(context))))
    except (KeyError, AttributeError, ValueError):  # a developer's own error that borrows a name of pydantic's
        return code, cut(str(error["msg"]))


def _limits(context: Mapping[str, Any]) -> dict[str, Any]:
    """pydantic writes choices as "'a', 'b' or 'c'", and a whole number as 10.0 where the field is a float."""
    limits = {
        name: int(limit) if isinstance(limit, float) and limit.is_integer() else limit
        for name, limit in context.items()
    }
    for name in ("expected", "expected_tags"):
        if isinstance(text := limits.get(name), str):
            listed = _OR.sub(", ", text)
            limits[name] = f"one of {listed}" if ", " in listed else listed
    return limits


def _tag_field(error: Mapping[str, Any]) -> list[str]:
    """The field that a tagged union is told by; a discriminator that is a function has no place in the document."""
    quoted = str((error.get("ctx") or {}).get("discriminator", "")) if error["type"] in _TAG_ERRORS else ""
    name = quoted[1:-1]
    return [name] if name and quoted == f"'{name}'" and "'" not in name else []


def _words_of_a_developer(message: str, context: Mapping[str, Any], value: object) -> tuple[str, str]:
    """A ValueError or AssertionError of a validator: its own text is what the developer wants to be read."""
    if "error" in context:
        return "invalid", words_of(context["error"], value)
    if message.startswith("value is not a valid email address"):
        return _EMAIL
    return "invalid", cut(message)


class Wire:
    """Tells the keys and indexes of a document from what else stands in pydantic's `loc`.

    >>> Wire({"type": "union", "choices": [{"type": "int"}, {"type": "list", "items_schema": {"type": "int"}}]}).steps(
    ...     ("list[int]", 3)
    ... )
    [3]
    """

    __slots__ = ("_definitions", "_schema")

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._definitions: dict[str, Schema] = {}

    def steps(self, loc: Sequence[str | int]) -> Steps:
        """Return the way to the value; of a place that the schema does not know, all that looks like one."""
        found = self._walk(self._schema, tuple(loc))
        return _likely(loc) if found is None else found

    def _walk(self, schema: Schema, loc: tuple[str | int, ...]) -> Steps | None:
        """Return the steps in `loc`, or None when it does not lead through this schema."""
        schema = self._resolved(schema)
        if not loc:
            return []
        follow = _FOLLOW.get(schema["type"])
        if follow is not None:
            return follow(self, schema, loc)
        inner = schema.get("schema")
        return None if inner is None else self._walk(inner, loc)

    def _resolved(self, schema: Schema) -> Schema:
        while schema["type"] in ("definitions", "definition-ref"):
            if schema["type"] == "definitions":
                self._definitions.update({each["ref"]: each for each in schema["definitions"]})
                schema = schema["schema"]
            else:
                schema = self._definitions.get(schema["schema_ref"], {"type": "unknown"})
        return schema

    def _first(self, schemas: Iterable[Schema], loc: tuple[str | int, ...]) -> Steps | None:
        walks = (self._walk(schema, loc) for schema in schemas)
        return next((found for found in walks if found is not None), None)

    def _fields(self, schema: Schema, loc: tuple[str | int, ...]) -> Steps | None:
        for name, field in _named(schema["fields"]):
            ways: list[Steps] = [*paths_of(field), [name]]
            for path in ways:
                if loc[: len(path)] == tuple(path):
                    below = self._walk(field["schema"], loc[len(path) :])
                    return None if below is None else [*_on_the_wire(field, path, name), *below]
        return [loc[0], *_likely(loc[1:])]

    def _items(self, schema: Schema, loc: tuple[str | int, ...]) -> Steps | None:
        items = schema.get("items_schema")
        if type(loc[0]) is not int:
            return None
        if isinstance(items, Mapping):
            below = self._walk(items, loc[1:])
        else:
            below = self._first(items, loc[1:]) if items else _likely(loc[1:])
        return None if below is None else [loc[0], *below]

    def _values(self, schema: Schema, loc: tuple[str | int, ...]) -> Steps | None:
        if loc[1:] == ("[key]",):
            return [loc[0]]
        inner = schema.get("values_schema")
        below = _likely(loc[1:]) if inner is None else self._walk(inner, loc[1:])
        return None if below is None else [loc[0], *below]

    def _choices(self, schema: Schema, loc: tuple[str | int, ...]) -> Steps | None:
        choices = [choice if isinstance(choice, tuple) else (choice, None) for choice in schema["choices"]]
        named = [choice for choice, label in choices if loc[0] in (label, self._class_name(choice))]
        return self._first(named or [choice for choice, _ in choices], loc[1:])

    def _tagged(self, schema: Schema, loc: tuple[str | int, ...]) -> Steps | None:
        choices = schema["choices"]
        chosen = next((choice for tag, choice in choices.items() if str(tag) == str(loc[0])), None)
        return None if chosen is None else self._walk(chosen, loc[1:])

    def _class_name(self, schema: Schema) -> str | None:
        schema = self._resolved(schema)
        return schema["cls"].__name__ if schema["type"] in ("model", "dataclass") else None

    def _either(self, schema: Schema, loc: tuple[str | int, ...]) -> Steps | None:
        names = ("json_schema", "python_schema", "lax_schema", "strict_schema")
        return self._first([schema[name] for name in names if name in schema], loc)

    def _chain(self, schema: Schema, loc: tuple[str | int, ...]) -> Steps | None:
        return self._first(schema["steps"], loc)


_FOLLOW: Final[Mapping[str, Callable[[Wire, Schema, tuple[str | int, ...]], Steps | None]]] = {
    "model-fields": Wire._fields,
    "dataclass-args": Wire._fields,
    "typed-dict": Wire._fields,
    "list": Wire._items,
    "set": Wire._items,
    "frozenset": Wire._items,
    "tuple": Wire._items,
    "generator": Wire._items,
    "dict": Wire._values,
    "union": Wire._choices,
    "tagged-union": Wire._tagged,
    "json-or-python": Wire._either,
    "lax-or-strict": Wire._either,
    "chain": Wire._chain,
}
"""What leads further into a document; any other node with a `schema` inside it takes no step."""


def _named(fields: Any) -> Iterable[tuple[str, Schema]]:
    return fields.items() if isinstance(fields, Mapping) else [(field["name"], field) for field in fields]


def paths_of(field: Schema) -> list[Steps]:
    """Return the ways in a document that lead to a field of a core schema; none when it has no alias."""
    alias = field.get("validation_alias")
    if alias is None:
        return []
    if isinstance(alias, str):
        return [[alias]]
    return [list(path) for path in alias] if isinstance(alias[0], list) else [list(alias)]


def _on_the_wire(field: Schema, path: Steps, name: str) -> Steps:
    """A model may ask for its own names in `loc`; a client knows the alias."""
    paths = paths_of(field)
    return path if path in paths or path != [name] or not paths else paths[0]


def _likely(loc: Sequence[str | int]) -> Steps:
    """Keys and indexes as far as one can tell without a schema: "list[int]" and "function-after[...]" are none."""
    return [step for step in loc if isinstance(step, int) or not (step.endswith("]") and "[" in step)]
