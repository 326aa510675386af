"""Places: where was this handler written, and which line of the user registered it?

Every configuration error of the router names one or both, so that nobody has to
search for the line to mend.
"""

import functools
import inspect
from collections.abc import Mapping
from types import CodeType, FrameType

import msgspec

__all__ = ["Location", "Place", "calling_place", "missing_name", "name_of", "place_of"]

_PACKAGE = __name__.partition(".")[0]


class Place(msgspec.Struct, frozen=True):
    """A line of source text, counted from 1; line 0 means that Python does not know it.

    >>> str(Place("app/users.py", 12))
    'app/users.py:12'
    """

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class Location(msgspec.Struct, frozen=True):
    """The two places of a route: where its handler starts, and where it was registered."""

    handler: Place
    registered: Place

    def __str__(self) -> str:
        return str(self.handler)


def place_of(handler: object) -> Place:
    """Return where `handler` is defined: the first line of the function, its decorators included."""
    target = _innermost(handler)
    code = getattr(target, "__code__", None)
    if code is None and callable(target) and not inspect.isclass(target):
        code = getattr(_innermost(type(target).__call__), "__code__", None)
    if not isinstance(code, CodeType):
        return Place(f"<{getattr(target, '__module__', None) or type(target).__module__}>", 0)
    return Place(code.co_filename, code.co_firstlineno)


def name_of(handler: object) -> str:
    """Return the plain name of `handler`, for texts and as the default name of its route.

    >>> name_of(name_of)
    'name_of'
    """
    target = _innermost(handler)
    name = getattr(target, "__name__", None)
    return name if isinstance(name, str) else type(target).__name__


def calling_place() -> Place:
    """Return the nearest line on the stack that is not in nexios."""
    frame = inspect.currentframe()
    while frame is not None and _is_ours(frame) and frame.f_back is not None:
        frame = frame.f_back
    return Place("<unknown>", 0) if frame is None else Place(frame.f_code.co_filename, frame.f_lineno)


def _innermost(handler: object) -> object:
    """Look through partials, bound methods and functools.wraps."""
    while isinstance(handler, functools.partial):
        handler = handler.func
    handler = getattr(handler, "__func__", handler)
    return inspect.unwrap(handler) if callable(handler) else handler


def _is_ours(frame: FrameType) -> bool:
    module = str(frame.f_globals.get("__name__", ""))
    return module == _PACKAGE or module.startswith(f"{_PACKAGE}.")


def missing_name(window: str, name: str, hints: Mapping[str, str]) -> Exception:
    """Return what the `__getattr__` of a window raises: an ImportError for a name that is known elsewhere.

    An AttributeError would lose its text in `from nexios import ...`.

    >>> missing_name("nexios", "Depends", {"Depends": "nexios calls it Depend"})
    ImportError("cannot import name 'Depends' from 'nexios': nexios calls it Depend")
    """
    hint = hints.get(name)
    if hint is None:
        return AttributeError(f"module {window!r} has no attribute {name!r}", name=name)
    return ImportError(f"cannot import name {name!r} from {window!r}: {hint}", name=window)
