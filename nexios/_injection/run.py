"""How do the steps of a program run? In order, each from the slots that are filled already."""

from collections.abc import Callable, Sequence
from inspect import isawaitable
from typing import Any, Final

from nexios._injection.exits import Exits
from nexios._injection.program import Program, Step, StepKind, Values
from nexios._injection.scopes import Scopes

__all__ = ["close_early", "fill", "fill_in_scopes", "run"]

_MISSING: Final = object()
_AWAITED: Final = int(StepKind.AWAITED)
_PLAIN: Final = int(StepKind.PLAIN)
_OPENED: Final = int(StepKind.OPENED)
_SHARED: Final = int(StepKind.SHARED)


async def fill(steps: Sequence[Step], values: Values) -> None:
    """Run steps that open nothing."""
    for slot, kind, call, first, take, _, _ in steps:
        result = call() if first == -1 else call(values[first]) if first >= 0 else call(*take(values))
        values[slot] = await result if kind else result


async def fill_in_scopes(steps: Sequence[Step], values: Values, scopes: Scopes, inner: Exits) -> None:
    """Run steps of any kind. What they open goes to the scopes of the request, or to `inner` for the handler's."""
    for slot, kind, call, _, take, node, _ in steps:
        if kind == _PLAIN:
            values[slot] = call(*take(values))
        elif kind == _AWAITED:
            values[slot] = await call(*take(values))
        elif kind == _SHARED:
            value = scopes.values.get(node.key, _MISSING)
            if value is _MISSING:
                value = scopes.values[node.key] = await call(scopes.exits, *take(values))
            else:
                scopes.is_lent = True
            values[slot] = value
        else:
            values[slot] = await call(scopes.exits if kind == _OPENED else inner, *take(values))


async def run(program: Program, values: Values, scopes: Scopes, call: Callable[..., Any]) -> Any:
    """Run a whole program whose leaves are in `values`, then `call` with what it took; return what that gives.

    What was opened for the handler is closed; what was opened for the request stays in `scopes`, unless
    something failed.
    """
    inner, keep = Exits(), len(scopes.exits)
    try:
        await fill_in_scopes(program.early, values, scopes, inner)
        await fill_in_scopes(program.late, values, scopes, inner)
        result = call(*program.take(values))
        if isawaitable(result):
            result = await result
        await close_early(inner)
        return result
    except BaseException as exc:
        raise await scopes.unwind(inner, keep, exc)  # noqa: B904  (each exit has set what it was raised in)


async def close_early(inner: Exits) -> None:
    """Close what was opened for the handler, which has returned. What fails then is the answer."""
    failures = await inner.close(None)
    if failures:
        raise failures[-1]
