"""How is a handler's result written, with the declared fields and no others?

The declared class itself is written as it is; anything else goes through its mirror, which
checks it too. NaN and Infinity are written as null.
"""

from collections.abc import Callable
from functools import partial
from inspect import isawaitable
from typing import Any

import msgspec
from msgspec import inspect

from nexios.models.collect import invalid
from nexios.models.exact import Check, check_of, is_trusted
from nexios.models.later import Later
from nexios.models.mirror import Mirrors
from nexios.models.problems import Invalid, Problem, cut
from nexios.models.shape import Model, Node, class_of, holds_custom
from nexios.serialization import not_awaited

__all__ = ["Explain", "writer_of"]

Encode = Callable[[Any], bytes]
Explain = Callable[[Any], tuple[Problem, ...]]
"""Says what is wrong with a value of builtins that was refused."""
_Foreign = Callable[[Any], Callable[[Any], Any]]


def writer_of(node: Node, encode: Encode, foreign: _Foreign, explain: Explain) -> Encode:
    """Return what checks and writes results of the type; it raises Invalid.

    `foreign` gives what writes a class of another backend, as `msgspec.Raw`.
    """
    if isinstance(node, inspect.AnyType) or (isinstance(node, inspect.CustomType) and node.cls is object):
        return encode
    check = check_of(node)
    if check is None or holds_custom(node):  # another backend may have a fault to tell, now and not later
        slow = _slow_writer(node, encode, foreign, explain)
    else:  # results are mostly what was declared
        slow = Later(partial(_slow_writer, node, encode, foreign, explain))
    if check is None:
        return slow
    if isinstance(node, Model) and is_trusted(node) and not _has_inner(node):
        return _class_writer(class_of(node), encode, slow)
    return _checked_writer(check, encode, slow)


def _has_inner(node: Model) -> bool:
    return any(check_of(field.type) is not None for field in node.fields)


def _class_writer(cls: Any, encode: Encode, slow: Encode) -> Encode:
    """One comparison is all that the usual result costs."""

    def write(value: Any) -> bytes:
        return encode(value) if type(value) is cls else slow(value)

    return write


def _checked_writer(check: Check, encode: Encode, slow: Encode) -> Encode:
    def write(value: Any) -> bytes:
        try:
            is_exact = check(value)
        except (RecursionError, AttributeError):
            is_exact = False
        return encode(value) if is_exact else slow(value)

    return write


def _slow_writer(node: Node, encode: Encode, foreign: _Foreign, explain: Explain) -> Encode:
    fit = Mirrors(foreign).fitter(node)

    def write(value: Any) -> bytes:
        try:
            fitted = fit(value)
        except RecursionError as error:
            raise Invalid([invalid(detail="is nested too deeply, or holds itself")]) from error
        except (msgspec.ValidationError, ValueError, ArithmeticError) as error:
            raise Invalid(_explained(value, error, explain)) from error
        return encode(fitted)

    return write


def _explained(value: Any, error: Exception, explain: Explain) -> tuple[Problem, ...]:
    """The reader is the developer, in a log: where our own words say nothing, those of msgspec do."""
    try:
        problems = explain(msgspec.to_builtins(value, enc_hook=_unknown))
    except (TypeError, ValueError, RecursionError):
        problems = (invalid(),)
    if problems == (invalid(),):
        return (invalid(detail=cut(str(error).replace("`$.value", "`$"))),)
    return problems


def _unknown(value: Any) -> Any:
    if isawaitable(value):
        raise Invalid([Problem("", "type", str(not_awaited(value)))])
    raise TypeError
