"""What is a part of the document with `openapi_extra` in it?"""

from collections.abc import Mapping
from typing import Any

__all__ = ["merged"]


def merged(plain: Mapping[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    """Return both; what is an object in both is merged, anything else is the later one's.

    >>> merged({"a": {"b": 1}, "c": [1]}, {"a": {"d": 2}, "c": [3]})
    {'a': {'b': 1, 'd': 2}, 'c': [3]}
    """
    result = dict(plain)
    for key, value in extra.items():
        known = result.get(key)
        result[key] = merged(known, value) if isinstance(known, Mapping) and isinstance(value, Mapping) else value
    return result
