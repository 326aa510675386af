"""What is taken off a text before it is checked? The white space around it, where the marker says so."""

from typing import Any

from nexios._pipeline.inputs.input import Input

__all__ = ["stripped", "strips"]


def strips(item: Input) -> bool:
    """Return whether the marker of an input asks for it."""
    return item.marker is not None and item.marker.strip_whitespace


def stripped(value: Any) -> Any:
    """Return a text, a list of texts or a dict of both without the white space around each text.

    >>> stripped({"name": " ada ", "tags": ["a ", "b"]})
    {'name': 'ada', 'tags': ['a', 'b']}
    """
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, dict):
        return {name: stripped(item) for name, item in value.items()}
    return [item.strip() for item in value]
