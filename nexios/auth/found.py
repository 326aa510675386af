"""Who asks whose credentials these are? A function of the app, which has to be async: checked early, told clearly."""

import inspect
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from nexios.errors import ConfigurationError
from nexios.places import name_of, place_of

__all__ = ["ask", "checked_question"]

F = TypeVar("F", bound=Callable[..., Awaitable[Any]] | None)


def checked_question(function: F, example: str) -> F:
    """Return the function; `example` is the line that gives a backend one, for the text of an error.

    Raises:
        ConfigurationError: It is none.
    """
    if function is None or callable(function):
        return function
    raise ConfigurationError(
        f"An auth backend asks an async function, not {type(function).__name__}:\n\n    {example}\n"
    )


async def ask(function: Callable[..., Any], *values: Any) -> Any:
    """Return what the function says of the values.

    Raises:
        ConfigurationError: It is not async.
    """
    answer = function(*values)
    if inspect.isawaitable(answer):
        return await answer
    raise ConfigurationError(
        f"{name_of(function)}() is asked by an auth backend, which awaits it, and it is not async. Write:\n\n"
        f"    async def {_written(function)}\n\n  {place_of(function)}"
    )


def _written(function: Callable[..., Any]) -> str:
    name = name_of(function)
    name = name if name.isidentifier() else "find_user"
    try:
        return f"{name}({', '.join(inspect.signature(function).parameters)}): ..."
    except ValueError:  # of Python itself, without a signature
        return f"{name}(...): ..."
