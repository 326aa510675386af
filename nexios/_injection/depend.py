"""How does a function say what it depends on? With `Depend(provider)`, as a default or in `Annotated`."""

from collections.abc import Callable
from typing import Any, Final, Literal, TypedDict, get_args

import msgspec

from nexios._injection.manner import Manner, manner_of
from nexios.errors import ConfigurationError
from nexios.places import calling_place, name_of, place_of

__all__ = ["GUARDS", "Depend", "DependOptions", "Dependency", "Provider", "ScopeName"]

Provider = Callable[..., Any]
"""A function, generator function, context manager factory, class or callable object, sync or async."""

ScopeName = Literal["handler", "request", "app"]

_SCOPES: Final = get_args(ScopeName)


GUARDS: Final = "__nexios_guards__"
"""Where decorators leave their guards on a handler; on anything else nobody would look for them."""


class DependOptions(TypedDict, total=False):
    """What `Depend` and `app.provide` take besides the provider; see `Depend`."""

    scope: ScopeName
    cache: bool
    thread: bool
    limit: int | None
    wait: float


class Dependency(msgspec.Struct, frozen=True):
    """What `Depend` was told. `provider` is None where the annotation names it."""

    provider: Provider | None = None
    scope: ScopeName = "request"
    cache: bool = True
    thread: bool = False
    limit: int | None = None
    wait: float = 1.0

    def __repr__(self) -> str:
        """As it is written."""
        name = "" if self.provider is None else name_of(self.provider)
        return f"Depend({name})" if self.scope == "request" else f"Depend({name}, scope={self.scope!r})"


def Depend(
    provider: Provider | None = None,
    *,
    scope: ScopeName = "request",
    cache: bool = True,
    thread: bool = False,
    limit: int | None = None,
    wait: float = 1.0,
) -> Any:
    """Ask for what `provider` makes: `db=Depend(get_db)`, or `db: Annotated[Database, Depend(get_db)]`.

    A provider may have dependencies of its own. One that yields is a context: what follows its
    `yield` runs when the scope ends, last made first closed, and sees the handler's exception.

    scope   `handler`  closed when the handler has returned, before the response is sent: what it raises
                       then is the response. `request` (default) closed after the last byte. `app` made
                       once, closed at shutdown.
    cache   one value for all who ask in the same scope; False makes a new one for each
    thread  a `def` provider runs in a worker thread, not on the event loop
    limit   at most so many values at once in the whole app; who waits longer than `wait`
            seconds gets 503 with Retry-After

    Without a provider, in `Annotated`, the annotated class is its own provider.

    Raises:
        ConfigurationError: `provider` cannot be called, or an option is not right.

    >>> async def page_size(): return 20
    >>> async def items(request, response, size=Depend(page_size)): ...
    """
    if isinstance(provider, Dependency):  # as Depend(requires(...))
        return provider
    given = Dependency(provider, scope, cache, thread, limit, wait)
    problem = _problem(given)
    if problem is not None:
        raise ConfigurationError(f"{problem}\n\n  {calling_place()}")
    return given


def _problem(given: Dependency) -> str | None:
    provider = given.provider
    if provider is not None and not callable(provider):
        return f"Depend() takes a function or class to call, not {provider!r}."
    if given.scope not in _SCOPES:
        return f"The scope of a dependency is one of {', '.join(map(repr, _SCOPES))}, not {given.scope!r}."
    if given.thread and provider is not None and manner_of(provider) in (Manner.COROUTINE, Manner.ASYNC_CONTEXT):
        name = name_of(provider)
        return (
            f"thread=True is for a `def` provider, and {name}() is async: it runs on the event loop.\n\n"
            f"  {place_of(provider)}   {name}()\n\n"
            f"Leave thread=True out, or make {name}() a `def`. It is asked for here:"
        )
    if given.limit is not None and type(given.limit) is not int:
        return f"limit={given.limit!r} is a number of values at once, an int."
    if given.limit is not None and given.limit < 1:
        return f"limit={given.limit} would never let {name_of(provider)}() run; use 1 or more."
    if type(given.wait) not in (int, float) or not given.wait >= 0:  # nan is neither
        return f"wait={given.wait!r} is in seconds: a number, and not negative."
    return None
