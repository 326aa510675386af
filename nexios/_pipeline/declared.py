"""Which guards did decorators leave on a handler? All of them, whatever order the decorators stand in.

    @app.get("/reports")
    @requires("reports:read")
    async def reports(request, response): ...

A decorator of this kind does not wrap: it leaves a note on the function, which compile reads. A guard is so a part of
the matched route, and runs before the arguments of the handler are made. A decorator around it that hides the
function is looked through: what it holds is looked at as well.
"""

import inspect
from collections.abc import Callable, Iterator
from functools import partial
from types import FunctionType, MethodType
from typing import Any, Final, TypeVar

from nexios.errors import ConfigurationError

__all__ = ["declare", "declared_on"]

H = TypeVar("H", bound=Callable[..., Any])

_NOTE: Final = "__nexios_guards__"
_MOST_LAYERS: Final = 100


def declare(handler: H, guard: object) -> H:
    """Leave a guard on a function or class, before those that are there, and return it.

    Raises:
        ConfigurationError: It is nothing that holds notes.
    """
    try:
        setattr(handler, _NOTE, (guard, *getattr(handler, _NOTE, ())))
    except AttributeError:
        raise ConfigurationError(f"{handler!r} cannot be decorated; give its route dependencies=[...].") from None
    return handler


def declared_on(handler: object) -> tuple[object, ...]:
    """Return the guards on a handler, and on whatever it is wrapped around, each once."""
    found: dict[int, object] = {}
    waiting, seen = [handler], set[int]()
    while waiting and len(seen) < _MOST_LAYERS:
        layer = waiting.pop(0)
        if id(layer) in seen:
            continue
        seen.add(id(layer))
        for guard in _notes(layer):
            found.setdefault(id(guard), guard)
        waiting.extend(inner for inner in _inside(layer) if callable(inner))
    return tuple(found.values())


def _notes(layer: object) -> tuple[object, ...]:
    """A method has those of its class as well."""
    notes = getattr(layer, _NOTE, ())
    own = notes if isinstance(notes, tuple) else ()  # an object may have every attribute that it is asked for
    return (*_notes(type(layer.__self__)), *own) if isinstance(layer, MethodType) else own


def _inside(layer: Any) -> Iterator[object]:
    """What a layer calls, as far as it can be seen."""
    if isinstance(layer, partial):
        yield layer.func
    elif isinstance(layer, MethodType):
        yield layer.__func__
    elif isinstance(layer, FunctionType):
        yield layer.__dict__.get("__wrapped__")
        for cell in layer.__closure__ or ():
            yield _content(cell)
    elif inspect.isclass(layer):
        yield from (member for kind in layer.__mro__ for member in vars(kind).values() if _notes(member))
    else:
        held = getattr(layer, "__dict__", {}).values()
        yield from (one for one in held if isinstance(one, FunctionType | MethodType | partial))


def _content(cell: Any) -> object:
    try:
        return cell.cell_contents
    except ValueError:  # not filled yet
        return None
