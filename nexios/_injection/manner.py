"""How is a provider called? Told once, from what it is: a value, a coroutine, or a context to enter and to leave."""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterable
from contextlib import asynccontextmanager, contextmanager
from enum import Enum
from functools import partial
from typing import Any, get_origin

__all__ = ["Manner", "as_context", "is_async", "manner_of", "says_its_result", "yields_twice"]


class Manner(Enum):
    """What calling a provider gives."""

    VALUE = "value"
    COROUTINE = "coroutine"
    CONTEXT = "context"
    """A context manager, sync: its value is what entering it gives."""
    ASYNC_CONTEXT = "async context"


def manner_of(provider: Callable[..., Any]) -> Manner:
    """Return how to call `provider`. A generator function counts as the context that `contextmanager` makes of it.

    >>> manner_of(dict)
    <Manner.VALUE: 'value'>
    """
    kind = _generator_kind(provider)
    if kind is not None:
        return kind
    target = _called_part(provider)
    if inspect.isclass(target):
        return _manner_of_class(target)
    return Manner.COROUTINE if is_async(provider) else Manner.VALUE


def as_context(provider: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that gives a context manager, for a provider whose manner is a context."""
    target = _called_part(provider)
    if inspect.isasyncgenfunction(target):
        return asynccontextmanager(provider)
    if inspect.isgeneratorfunction(target):
        return contextmanager(provider)
    return provider if inspect.isclass(target) else _context_of(provider)


def _context_of(provider: Callable[..., Any]) -> Callable[..., Any]:
    """A function around a generator function: `contextmanager` made it, or it hands on the generator as it is."""

    def make(*given: Any, **named: Any) -> Any:
        made = provider(*given, **named)
        if inspect.isgenerator(made):
            return contextmanager(lambda: made)()
        return asynccontextmanager(lambda: made)() if inspect.isasyncgen(made) else made

    return make


def is_async(fn: Callable[..., Any]) -> bool:
    """Whether calling `fn` gives a coroutine: an async function, or an object whose `__call__` is one."""
    return any(map(inspect.iscoroutinefunction, _layers(fn)))


def says_its_result(provider: Callable[..., Any]) -> bool:
    """Whether what calling `provider` gives is known: it is a class, or its annotation says what it returns.

    >>> says_its_result(lambda: 5), says_its_result(dict)
    (False, True)
    """
    target = _called_part(provider)
    return not inspect.isfunction(target) or "return" in target.__annotations__


def _layers(provider: Callable[..., Any]) -> tuple[Any, ...]:
    """What is called, and what it was wrapped around by `functools.wraps`."""
    target = _called_part(provider)
    return provider, target, inspect.unwrap(target), inspect.unwrap(provider)


def _called_part(provider: Any) -> Any:
    """The function or class that is called, with partials, callable objects and `Repository[User]` looked through."""
    while isinstance(provider, partial):
        provider = provider.func
    provider = get_origin(provider) or provider
    if inspect.isclass(provider) or inspect.isroutine(provider):
        return provider
    return getattr(type(provider), "__call__", provider)  # noqa: B004


def _generator_kind(provider: Callable[..., Any]) -> Manner | None:
    """A generator function, or one that `contextmanager` has wrapped."""
    for fn in _layers(provider):
        if inspect.isasyncgenfunction(fn):
            return Manner.ASYNC_CONTEXT
        if inspect.isgeneratorfunction(fn):
            return Manner.CONTEXT
    return None


def _manner_of_class(provider: type) -> Manner:
    if hasattr(provider, "__aenter__") and hasattr(provider, "__aexit__"):
        return Manner.ASYNC_CONTEXT
    if hasattr(provider, "__enter__") and hasattr(provider, "__exit__"):
        return Manner.CONTEXT
    return Manner.VALUE


def yields_twice(provider: Callable[..., Any]) -> bool:
    """Whether the source of a generator function says that it must yield more than once.

    Only what is certain counts: two yields on every way through it that yields at all. A yield in each branch
    of an `if` is fine. Without source it is False, and the second yield is seen at run time.
    """
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(_called_part(provider)))))
    except (OSError, TypeError, SyntaxError, ValueError):
        return False
    function = tree.body[0] if tree.body else None
    if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
        return False
    left, going_on = _ways(function.body, {0})
    return min((count for count in left | going_on if count), default=0) > 1


_Ways = tuple[set[int], set[int]]
"""How many yields there may have been: where the function is left, and where it goes on."""


def _ways(statements: Iterable[ast.stmt], before: set[int]) -> _Ways:
    """Follow a row of statements, as far as no exception comes up."""
    left: set[int] = set()
    for statement in statements:
        left_here, before = _ways_of(statement, before)
        left |= left_here
    return left, before


def _ways_of(statement: ast.stmt, before: set[int]) -> _Ways:
    if isinstance(statement, ast.Return | ast.Raise):
        return before, set()
    if isinstance(statement, ast.Expr | ast.Assign | ast.AnnAssign | ast.AugAssign):
        yields = sum(isinstance(node, ast.Yield) for node in ast.walk(statement))
        return set(), {min(count + yields, 2) for count in before}
    if isinstance(statement, ast.With | ast.AsyncWith):
        return _ways(statement.body, before)
    if isinstance(statement, ast.If):
        (left, then), (left_else, otherwise) = _ways(statement.body, before), _ways(statement.orelse, before)
        return left | left_else, then | otherwise
    if isinstance(statement, ast.Try):
        left, before = _ways([*statement.body, *statement.orelse], before)
        at_the_end = _ways(statement.finalbody, left)
        left_at_the_end, before = _ways(statement.finalbody, before)
        return at_the_end[0] | at_the_end[1] | left_at_the_end, before
    return set(), before
