"""How does what was given to `add_middleware` become a middleware? Made once, checked, and in a working order."""

import inspect
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from nexios._pipeline.arguments import is_async
from nexios._pipeline.middleware import Middleware, describe
from nexios.errors import ConfigurationError
from nexios.routing.route import MiddlewareEntry

__all__ = ["Installed", "check_order"]


class Installed:
    """The middleware of one engine: an entry on a router is one instance for all of its routes."""

    def __init__(self) -> None:
        self._made: dict[int, tuple[object, Middleware]] = {}

    def all(self, entries: Iterable[object]) -> tuple[Middleware, ...]:
        """Return the middleware for `entries`, in order. Raises `ConfigurationError` for what is none."""
        return tuple(self._one(entry) for entry in entries)

    def _one(self, entry: object) -> Middleware:
        kept = self._made.get(id(entry))
        if kept is None:
            kept = self._made[id(entry)] = (entry, _make(entry))
        return kept[1]


def _make(entry: object) -> Middleware:
    if isinstance(entry, MiddlewareEntry):
        return _checked(entry.middleware, entry.args, entry.options, f"\n\n  {entry.location}")
    return _checked(entry, (), {}, "")


def _checked(given: Any, args: tuple[object, ...], options: Mapping[str, object], where: str) -> Middleware:
    if inspect.isclass(given):
        return _callable(_instance(given, args, options, where), where)
    if args or options:
        raise ConfigurationError(f"{describe(given)} is no class, so it takes no options; pass it alone.{where}")
    return _callable(given, where)


def _instance(given: type, args: tuple[object, ...], options: Mapping[str, object], where: str) -> object:
    names = _parameters(given)
    if names[:1] == ["app"]:
        raise ConfigurationError(
            f"{given.__qualname__} is an ASGI middleware, which wraps the app from outside:\n\n"
            f"    app = {given.__qualname__}(app)\n{where}"
        )
    if inspect.isabstract(given):
        raise ConfigurationError(
            f"{given.__qualname__} has no __call__. Write it as:\n\n"
            "    async def __call__(self, request, response, call_next):\n"
            f"        return await call_next()\n{where}"
        )
    try:
        return given(*args, **options)
    except TypeError as exc:
        raise ConfigurationError(
            f"{given.__qualname__} cannot be made: {exc}.\nIts options are: {', '.join(names) or 'none'}.{where}"
        ) from exc


def _parameters(given: type) -> list[str]:
    """A class of Python itself may have no signature to look at."""
    try:
        return list(inspect.signature(given).parameters)
    except ValueError:
        return []


def _callable(middleware: Any, where: str) -> Middleware:
    try:
        inspect.signature(middleware).bind(None, None, None)
    except (TypeError, ValueError):
        fits = False
    else:
        fits = is_async(middleware)
    if not fits:
        raise ConfigurationError(
            f"{describe(middleware)} is no middleware. Write it as:\n\n"
            "    async def middleware(request, response, call_next):\n"
            f"        return await call_next()\n{where}"
        )
    return middleware  # type: ignore[no-any-return]


def check_order(middleware: Sequence[Middleware], where: str) -> None:
    """Raise `ConfigurationError` when a middleware stands before one that it requires."""
    for position, layer in enumerate(middleware):
        for required in getattr(layer, "requires", ()):
            if any(isinstance(earlier, required) for earlier in middleware[:position]):
                continue
            name, other = type(layer).__name__, required.__name__
            late = any(isinstance(later, required) for later in middleware[position + 1 :])
            problem = f"it is added after {name}" if late else "it was never added"
            raise ConfigurationError(
                f"{where} cannot be compiled: {name} needs {other} before it, and {problem}.\n\n"
                f"Middleware runs in the order it is added. Put this line first:\n\n"
                f"    add_middleware({other}, ...)\n    add_middleware({name}, ...)\n"
            )
