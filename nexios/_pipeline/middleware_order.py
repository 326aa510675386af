"""In which order does middleware run? As it was added; where something would then miss what it needs, nothing starts.

A middleware says what it needs before it in `requires`. Sessions say it the other way round, because what uses them
does not know their class: middleware that has `opens_sessions` makes `request.session`, and whatever has
`uses_sessions` stands after it, where both are there. The auth backend of a router or route is asked after the
sessions of that router or route: in between it would see those further out, and take the user of another session.
"""

from collections.abc import Sequence

from nexios._pipeline.middleware import Middleware
from nexios.errors import ConfigurationError

__all__ = ["after_sessions", "check_order", "check_sessions"]


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


def check_sessions(middleware: Sequence[Middleware]) -> None:
    """Raise `ConfigurationError` when middleware of the app that uses sessions stands before what opens them."""
    openers = [position for position, layer in enumerate(middleware) if hasattr(layer, "opens_sessions")]
    users = [position for position, layer in enumerate(middleware) if hasattr(layer, "uses_sessions")]
    if openers and users and users[0] < openers[0]:
        name, other = type(middleware[users[0]]).__name__, type(middleware[openers[0]]).__name__
        raise ConfigurationError(
            f"{other} comes after {name}, which then has no session. Swap the lines:\n\n"
            f"    app.add_middleware({other}, ...)\n    app.add_middleware({name}, ...)\n"
        )


def after_sessions(
    middleware: Sequence[Middleware], authentication: Middleware | None, depth: int
) -> tuple[Middleware, ...]:
    """Return the middleware of a place with its authentication in it: after the sessions among the first `depth`.

    Those are around what the backend was given to.
    """
    if authentication is None:
        return tuple(middleware)
    start = max((n for n, layer in enumerate(middleware[:depth], 1) if hasattr(layer, "opens_sessions")), default=0)
    return (*middleware[:start], authentication, *middleware[start:])
