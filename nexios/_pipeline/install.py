"""How does what was given to `add_middleware` become a middleware? Made once, checked, and in a working order."""

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from nexios._injection.manner import is_async
from nexios._pipeline.declared import notes_on
from nexios._pipeline.injector import refuse_unknown_names
from nexios._pipeline.middleware import Middleware, describe
from nexios.errors import ConfigurationError
from nexios.routing.route import MiddlewareEntry
from nexios.settings import Settings

__all__ = ["Injected", "Installed", "Layers", "made"]

Injected = Callable[[Any], frozenset[str]]
"""Names the parameters of a function that are filled besides those it is given."""

Layers = dict[int, tuple[object, Middleware]]
"""What was made of each entry, by the entry's id; the entry is kept so that the id stays its own."""


class Installed:
    """The middleware of one engine: an entry on a router is one instance for all of its routes."""

    def __init__(self, made: Layers, injected: Injected, settings: Settings) -> None:
        """Take what is made already, to be added to."""
        self._injected = injected
        self._made = made
        self._settings = settings

    def all(self, entries: Iterable[object]) -> tuple[Middleware, ...]:
        """Return the middleware for `entries`, in order. Raises `ConfigurationError` for what is none."""
        return tuple(self._one(entry) for entry in entries)

    def _one(self, entry: object) -> Middleware:
        kept = self._made.get(id(entry))
        if kept is None:
            layer = _make(entry, self._injected)
            learn = getattr(layer, "for_settings", None)
            kept = self._made[id(entry)] = (entry, layer if learn is None else self._settled(entry, learn))
        return kept[1]

    def _settled(self, entry: object, learn: Callable[[Settings], Middleware]) -> Middleware:
        try:
            return learn(self._settings)
        except ConfigurationError as exc:
            where = f"\n\n  {entry.location}" if isinstance(entry, MiddlewareEntry) else ""
            raise _located(exc, type(getattr(learn, "__self__", learn)).__qualname__, where) from None


def _make(entry: object, injected: Injected) -> Middleware:
    if isinstance(entry, MiddlewareEntry):
        where = f"\n\n  {entry.location}"
        return _callable(made(entry.middleware, entry.args, entry.options, where), injected, where)
    return _callable(made(entry, (), {}, ""), injected, "")


def made(given: Any, args: tuple[object, ...], options: Mapping[str, object], where: str) -> object:
    """Return a middleware: an instance of what is a class, anything else as it is. Raises `ConfigurationError`."""
    if inspect.isclass(given):
        return _instance(given, args, options, where)
    if args or options:
        raise ConfigurationError(f"{describe(given)} is no class, so it takes no options; pass it alone.{where}")
    return given


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
    except ConfigurationError as exc:
        raise _located(exc, given.__qualname__, where) from None
    except TypeError as exc:
        raise ConfigurationError(
            f"{given.__qualname__} cannot be made: {exc}.\nIts options are: {', '.join(names) or 'none'}.{where}"
        ) from exc


def _located(exc: ConfigurationError, name: str, where: str) -> ConfigurationError:
    """The same error, with the middleware and the line that added it at its end."""
    end = f"{where}   {name}" if where else f"\n\n  of {name}"
    return type(exc)(f"{str(exc).rstrip()}{end}")


def _parameters(given: type) -> list[str]:
    """A class of Python itself may have no signature to look at."""
    try:
        return list(inspect.signature(given).parameters)
    except ValueError:
        return []


def _callable(middleware: Any, injected: Injected, where: str) -> Middleware:
    try:
        signature = inspect.signature(middleware)
        others = injected(middleware)
        own = [parameter for name, parameter in signature.parameters.items() if name not in others]
        signature.replace(parameters=own).bind(None, None, None)
    except (TypeError, ValueError):
        fits = False
    else:
        fits = is_async(middleware)
    if not fits:
        refuse_unknown_names(middleware)
        raise ConfigurationError(
            f"{describe(middleware)} is no middleware. Write it as:\n\n"
            "    async def middleware(request, response, call_next):\n"
            f"        return await call_next()\n{where}"
        )
    if notes_on(middleware):
        raise ConfigurationError(
            f"{describe(middleware)} is a middleware, and the guards that decorate it are for handlers: nothing would "
            f"ask them. Let it depend on them: user=Depend(requires(...)).{where}"
        )
    return middleware  # type: ignore[no-any-return]
