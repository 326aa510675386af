"""Which guards did decorators leave on a handler? All of them, whatever order the decorators stand in.

    @app.get("/reports")
    @requires("reports:read")
    async def reports(request, response): ...

A decorator of this kind does not wrap: it leaves a note on the function, which compile reads. A guard is so a part of
the matched route, and runs before the arguments of the handler are made. A decorator around it that hides the
function is looked through: what it holds, in a closure, an attribute, an argument or a list of these, is looked at as
well. So a guard may be found that was meant for another function, and is never lost.
"""

import inspect
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from types import FunctionType, MemberDescriptorType, MethodType
from typing import Any, Final, TypeVar

from nexios._injection.depend import GUARDS
from nexios.errors import ConfigurationError
from nexios.places import name_of, place_of

__all__ = ["declare", "declared_on", "notes_on"]

H = TypeVar("H", bound=Callable[..., Any])

_MOST_LAYERS: Final = 100_000
"""A model of a neural network has some thousands that can be called; to look at all of these takes a second."""
_PACKAGE: Final = __name__.partition(".")[0]


def declare(handler: H, guard: object) -> H:
    """Leave a guard on a function or class, before those that are there, and return it.

    Raises:
        ConfigurationError: It is nothing that holds notes.
    """
    try:
        setattr(handler, GUARDS, (guard, *getattr(handler, GUARDS, ())))
    except AttributeError:
        raise ConfigurationError(f"{handler!r} cannot be decorated; give its route dependencies=[...].") from None
    return handler


def declared_on(handler: object) -> tuple[object, ...]:
    """Return the guards on a handler, and on whatever it is wrapped around, each once.

    Raises:
        ConfigurationError: It holds so much that a guard could be overlooked.
    """
    found: dict[int, object] = {}
    waiting, seen = deque([handler]), dict[int, object]()  # kept, so that no id is given anew
    while waiting:
        layer = waiting.popleft()
        if id(layer) in seen:
            continue
        seen[id(layer)] = layer
        if len(seen) > _MOST_LAYERS:
            raise ConfigurationError(
                f"{name_of(handler)}() holds over {_MOST_LAYERS:,} functions, so that guards among them could be "
                f"overlooked.\n\n  {place_of(handler)}   {name_of(handler)}()\n\n"
                "Give its route dependencies=[...], and the handler as a plain function."
            )
        for guard in notes_on(layer):
            found.setdefault(id(guard), guard)
        waiting.extend(inner for held in _inside(layer) for inner in _opened(held) if callable(inner))
    return tuple(found.values())


def notes_on(layer: object) -> tuple[object, ...]:
    """Return the guards on this very object; a method has those of its class as well."""
    notes = getattr(layer, GUARDS, ())
    own = notes if isinstance(notes, tuple) else ()  # an object may have every attribute that it is asked for
    return (*notes_on(type(layer.__self__)), *own) if isinstance(layer, MethodType) else own


def _inside(layer: Any) -> Iterator[object]:
    """What a layer calls, as far as it can be seen."""
    if isinstance(layer, partial):
        yield from (layer.func, *layer.args, *layer.keywords.values())
    elif isinstance(layer, MethodType):
        yield layer.__func__
        if not inspect.isclass(layer.__self__):
            yield from _attributes(layer.__self__)
    elif isinstance(layer, FunctionType):
        yield layer.__dict__.get("__wrapped__")
        yield from map(_content, layer.__closure__ or ())
    elif inspect.isclass(layer):
        yield from (member for kind in layer.__mro__ for member in vars(kind).values() if notes_on(member))
    else:
        yield from _attributes(layer)


def _attributes(instance: object) -> Iterator[object]:
    """In its `__dict__` and its slots; what is ours, as an app, is no decorator of a handler."""
    if type(instance).__module__.partition(".")[0] == _PACKAGE:
        return
    yield from (held for held in getattr(instance, "__dict__", {}).values() if not inspect.isclass(held))
    for kind in type(instance).__mro__:
        for slot in vars(kind).values():
            if isinstance(slot, MemberDescriptorType):
                yield _slot(slot, instance)


def _opened(held: object) -> Iterable[object]:
    """A decorator may keep its function in a list."""
    if isinstance(held, Mapping):
        return held.values()
    return held if isinstance(held, list | tuple) else (held,)


def _slot(slot: MemberDescriptorType, instance: object) -> object:
    try:
        return slot.__get__(instance)
    except AttributeError:  # not filled yet
        return None


def _content(cell: Any) -> object:
    try:
        return cell.cell_contents
    except ValueError:  # not filled yet
        return None
