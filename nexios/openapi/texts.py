"""What does a handler say about itself? The summary and the description of an operation."""

import functools
import inspect
from collections.abc import Callable
from typing import Any

from nexios.places import name_of

__all__ = ["texts_of"]


def texts_of(handler: Callable[..., Any]) -> tuple[str, str | None]:
    """Return the first line of a handler's docstring and what follows it, or its name and nothing.

    >>> def list_users(): ...
    >>> texts_of(list_users)
    ('List users', None)
    """
    summary, _, rest = _docstring(handler).partition("\n")
    if not summary:
        return _sentence(_name(handler)), None
    return summary.strip(), rest.strip() or None


def _docstring(handler: Any) -> str:
    """A partial and an object have the docstrings of their classes, which say nothing about them."""
    while isinstance(handler, functools.partial):
        handler = handler.func
    target = handler if inspect.isroutine(handler) or inspect.isclass(handler) else type(handler).__call__
    text = getattr(target, "__doc__", None)
    return inspect.cleandoc(text) if isinstance(text, str) else ""


def _name(handler: Any) -> str:
    """`get` of a class that answers several methods says less than the class."""
    owner = getattr(handler, "__self__", None)
    name = name_of(handler)
    if owner is None or inspect.isclass(owner) or inspect.ismodule(owner):
        return name
    return f"{name} {type(owner).__name__}"


def _sentence(name: str) -> str:
    words = name.replace("_", " ").replace("<lambda>", "").strip()
    return words[:1].upper() + words[1:]
