"""Class-based handlers: which methods does this class answer, and with what?

    class ItemView:
        async def get(self, request, response): ...
        async def post(self, request, response): ...

The names are looked up in a fixed table, at registration. The text of a request
never names an attribute, so no other method of the class can be reached. One
instance is made at registration and serves all requests.
"""

import inspect
from collections.abc import Iterable

from nexios.errors import ConfigurationError
from nexios.routing.route import Handler, method_names

__all__ = ["VERBS", "handlers_by_methods"]

VERBS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "QUERY")
"""The methods that a class can answer, each by the function of that name in lower case."""


def handlers_by_methods(handler: object, methods: Iterable[str] | None) -> list[tuple[tuple[str, ...], Handler]]:
    """Return what to register for `handler`: itself for `methods`, or each function of a class for its own.

    A function without `methods` is for GET; a class without them, for all it has.

    Raises:
        ConfigurationError: It is nothing that can be called, or the class lacks one of the methods.
    """
    names = None if methods is None else method_names(methods)
    if not _is_view(handler):
        if not callable(handler):
            raise ConfigurationError(
                f"{handler!r} cannot handle requests: it is neither a function nor has it get(), post(), ..."
            )
        return [(names or ("GET",), handler)]
    view = _make_view(handler) if inspect.isclass(handler) else handler
    known = {verb: getattr(view, verb.lower()) for verb in VERBS if _has(type(view), verb)}
    missing = [name for name in names or () if name not in known]
    if missing or not known:
        wanted = (missing or ["GET"])[0].lower()
        raise ConfigurationError(
            f"The class {type(view).__name__} does not answer {wanted.upper()}. "
            f"Give it: async def {wanted}(self, request, response)"
        )
    return [((name,), known[name]) for name in names or known]


def _is_view(handler: object) -> bool:
    if inspect.isclass(handler):
        return True
    return not callable(handler) and any(_has(type(handler), verb) for verb in VERBS)


def _has(view: type, verb: str) -> bool:
    return callable(getattr(view, verb.lower(), None))


def _make_view(view: type) -> object:
    try:
        inspect.signature(view).bind()
    except TypeError as exc:
        raise ConfigurationError(
            f"The class {view.__name__} cannot be made without arguments ({exc}). "
            f"Register an instance: {view.__name__}(...)"
        ) from None
    return view()
