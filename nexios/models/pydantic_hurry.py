"""How is a long body kept from filling the memory with pydantic's errors?

pydantic looks for every fault of a document before it says a word, and an error takes far more memory than
the two bytes of an item that is wrong: 10 MiB of `[1,1,1,...]` for a list of models took 1.5 GB. A long body is
therefore validated by a copy of the schema in which a list and a dict stop at the first item that is wrong.
The values that come out are the same.
"""

from collections.abc import Mapping
from typing import Any, Final

__all__ = ["LONG", "hurried"]

LONG: Final = 64 * 1024
"""Bytes of a body from which on not all faults of its lists are told."""

_STOPPING: Final = frozenset({"list", "set", "frozenset", "tuple", "dict"})
_INNER: Final = (
    "schema",
    "items_schema",
    "keys_schema",
    "values_schema",
    "extras_schema",
    "fields",
    "choices",
    "steps",
    "definitions",
    "lax_schema",
    "strict_schema",
    "json_schema",
    "python_schema",
)
"""Where a node of a core schema has other nodes; what else it has (defaults, functions) is the developer's own."""


def hurried(schema: Any) -> Any:
    """Return a copy of a core schema whose lists and dicts stop at the first fault.

    >>> hurried({"type": "list", "items_schema": {"type": "int"}})
    {'type': 'list', 'items_schema': {'type': 'int'}, 'fail_fast': True}
    """
    copy = {key: _each(value) if key in _INNER else value for key, value in schema.items()}
    return copy | {"fail_fast": True} if schema["type"] in _STOPPING else copy


def _each(value: Any) -> Any:
    """A node, or a list, dict or pair (schema, label) of nodes; a field may be called "type"."""
    if isinstance(value, Mapping):
        if isinstance(value.get("type"), str):
            return hurried(value)
        return {key: _each(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(_each, value))
    return value
