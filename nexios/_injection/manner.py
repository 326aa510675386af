"""How is a provider called? Told once, from what it is: a value, a coroutine, or a context to enter and to leave."""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterable
from contextlib import asynccontextmanager, contextmanager
from enum import Enum
from functools import partial
from typing import Any

__all__ = ["Manner", "as_context", "is_async", "manner_of", "yields_twice"]


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
    if inspect.isclass(provider):
        return _manner_of_class(provider)
    return Manner.COROUTINE if is_async(provider) else Manner.VALUE


def as_context(provider: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that gives a context manager, for a provider whose manner is a context."""
    target = _called_part(provider)
    if inspect.isasyncgenfunction(target):
        return asynccontextmanager(provider)
    if inspect.isgeneratorfunction(target):
        return contextmanager(provider)
    return provider  # contextmanager has been applied to it, or it is a class of context managers


def is_async(fn: Callable[..., Any]) -> bool:
    """Whether calling `fn` gives a coroutine: an async function, or an object whose `__call__` is one."""
    return any(map(_is_coroutine_function, (fn, inspect.unwrap(fn))))


def _is_coroutine_function(fn: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(fn) or inspect.iscoroutinefunction(getattr(fn, "__call__", None))  # noqa: B004


def _called_part(provider: Any) -> Any:
    """The function that runs when `provider` is called, partials and callable objects looked through."""
    while isinstance(provider, partial):
        provider = provider.func
    if inspect.isclass(provider) or inspect.isroutine(provider):
        return provider
    return getattr(type(provider), "__call__", provider)  # noqa: B004


def _generator_kind(provider: Callable[..., Any]) -> Manner | None:
    """A generator function, or one that `contextmanager` has wrapped."""
    if inspect.isclass(provider):
        return None
    for fn in (_called_part(provider), inspect.unwrap(_called_part(provider))):
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

    Only what is certain counts: two yields in one row of statements. A yield in each branch of
    an `if` is fine. Without source it is False, and the second yield is seen at run time.
    """
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(_called_part(provider)))))
    except (OSError, TypeError, SyntaxError, ValueError):
        return False
    function = tree.body[0] if tree.body else None
    return isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) and _certain_yields(function.body) > 1


def _certain_yields(statements: Iterable[ast.stmt]) -> int:
    total = 0
    for statement in statements:
        if isinstance(statement, ast.Return | ast.Raise):
            return total
        total += _yields_of(statement)
    return total


def _yields_of(statement: ast.stmt) -> int:
    if isinstance(statement, ast.Expr | ast.Assign | ast.AnnAssign | ast.AugAssign):
        return sum(isinstance(node, ast.Yield) for node in ast.walk(statement))
    if isinstance(statement, ast.With | ast.AsyncWith):
        return _certain_yields(statement.body)
    if isinstance(statement, ast.Try):
        return _certain_yields([*statement.body, *statement.orelse]) + _certain_yields(statement.finalbody)
    if isinstance(statement, ast.If):
        return min(_certain_yields(statement.body), _certain_yields(statement.orelse))
    return 0
