"""Can this lifespan be entered, and this hook be called? Looked at when the app compiles, not when it starts."""

import inspect
from collections.abc import Callable
from contextlib import AsyncContextDecorator
from typing import Any

from nexios._pipeline.injector import refuse_unknown_names
from nexios.errors import ConfigurationError
from nexios.places import name_of, place_of

__all__ = ["check_context", "check_entered", "check_hook"]

_EXAMPLE = (
    "    from contextlib import asynccontextmanager\n\n"
    "    @asynccontextmanager\n"
    "    async def lifespan(app):\n"
    "        ...  # start\n"
    "        yield\n"
    "        ...  # stop\n"
)


def check_context(context: Any) -> None:
    """Refuse what is no function from the app to an asynchronous context manager.

    Raises:
        ConfigurationError: It lacks its decorator, was called already, never yields, or takes other arguments.
    """
    if isinstance(context, AsyncContextDecorator):
        raise _refused(context, "was called already: pass the function itself", "    NexiosApp(lifespan=lifespan)\n")
    if not callable(context):
        raise _refused(context, "cannot be called with the app", _EXAMPLE)
    if inspect.isasyncgenfunction(context):
        raise _refused(context, "is an async generator without its decorator: add @asynccontextmanager", _EXAMPLE)
    if inspect.isgeneratorfunction(context):
        raise _refused(context, "is a generator, but neither async nor decorated", _EXAMPLE)
    if inspect.iscoroutinefunction(context):
        raise _refused(context, "never yields, so it says nothing of the stop", _EXAMPLE)
    if not _takes(context, 1):
        raise _refused(context, "must take one argument, the app", _EXAMPLE)


def check_entered(context: Any, entered: object) -> None:
    """Refuse what `context` gave, where only calling it could tell.

    Raises:
        ConfigurationError: It is no asynchronous context manager.
    """
    if not hasattr(type(entered), "__aenter__"):
        what = f"gave a {type(entered).__name__}, which is no asynchronous context manager"
        raise _refused(context, what, _EXAMPLE)


def check_hook(hook: Any, kind: str) -> None:
    """Refuse a hook that cannot be called, or whose call would run nothing; `kind` is on_startup or on_shutdown.

    Raises:
        ConfigurationError: It is no function, takes required arguments, or is a generator.
    """
    name = name_of(hook)
    where = f"\n\n  {place_of(hook)}   {name}()\n\n"
    if not callable(hook):
        raise ConfigurationError(f"{kind} takes a function without arguments, not {hook!r}.")
    if inspect.isgeneratorfunction(hook) or inspect.isasyncgenfunction(hook):
        raise ConfigurationError(
            f"{name}() of {kind} yields, so calling it would run nothing of it.{where}"
            f"What has a start and a stop is a lifespan:\n\n{_EXAMPLE}"
        )
    if not _takes(hook, 0):
        refuse_unknown_names(hook)
        required = ", ".join(repr(one) for one in _required(hook))
        raise ConfigurationError(
            f"{name}() of {kind} takes {required}, and hooks are called without arguments.{where}"
            f"Use the app that is at hand:\n\n    @app.{kind}\n    async def {name}(): ...\n\n"
            f"or a lifespan, which is given it:\n\n{_EXAMPLE}"
        )


def _refused(context: Any, what: str, example: str) -> ConfigurationError:
    name = name_of(context)
    return ConfigurationError(
        f"The lifespan {name}() {what}.\n\n  {place_of(context)}   {name}()\n\nWrite it as:\n\n{example}"
    )


def _takes(fn: Callable[..., Any], count: int) -> bool:
    """A function of Python itself may have no signature to look at; then its call will tell."""
    try:
        inspect.signature(fn).bind(*[None] * count)
    except TypeError:
        return False
    except ValueError:
        return True
    return True


def _required(fn: Callable[..., Any]) -> list[str]:
    return [
        one.name
        for one in inspect.signature(fn).parameters.values()
        if one.default is one.empty and one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)
    ]
