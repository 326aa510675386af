"""How is a handler's result written, with the declared fields and no others?

The declared class itself is written as it is; anything else goes through its mirror, which
checks it too. NaN and Infinity are written as null.
"""

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import inspect

from nexios.models.collect import Collector, invalid
from nexios.models.exact import Check, check_of, is_trusted
from nexios.models.mirror import Mirrors
from nexios.models.problems import Invalid, Problem, cut
from nexios.models.shape import Model, Node, class_of

__all__ = ["writer_of"]

Encode = Callable[[Any], bytes]


def writer_of(
    node: Node, encode: Encode, foreign: Callable[[Any], Callable[[Any], Any]], collector: Collector
) -> Encode:
    """Return what checks and writes results of the type; it raises Invalid.

    `foreign` gives what writes a class of another backend, as `msgspec.Raw`.
    """
    if isinstance(node, inspect.AnyType) or (isinstance(node, inspect.CustomType) and node.cls is object):
        return encode
    slow = _slow_writer(encode, Mirrors(foreign).fitter(node), collector)
    check = check_of(node)
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


def _slow_writer(encode: Encode, fit: Callable[[Any], Any], collector: Collector) -> Encode:
    def write(value: Any) -> bytes:
        try:
            fitted = fit(value)
        except RecursionError as error:
            raise Invalid([invalid(detail="is nested too deeply, or holds itself")]) from error
        except (msgspec.ValidationError, ValueError, ArithmeticError) as error:
            raise Invalid(_explained(value, error, collector)) from error
        return encode(fitted)

    return write


def _explained(value: Any, error: Exception, collector: Collector) -> tuple[Problem, ...]:
    """The reader is the developer, in a log: where our own words say nothing, those of msgspec do."""
    try:
        problems = collector.problems_of(msgspec.to_builtins(value))
    except (TypeError, ValueError, RecursionError):
        problems = (invalid(),)
    if problems == (invalid(),):
        return (invalid(detail=cut(str(error).replace("`$.value", "`$"))),)
    return problems
