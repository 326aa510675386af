"""Is a decimal number within its bounds? msgspec has no constraints for Decimal, so they are checked after it."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec

from nexios._pipeline.inputs.input import Input
from nexios._pipeline.inputs.kinds import members_of
from nexios.models.problems import Invalid, Problem

__all__ = ["bounded"]

_Make = Callable[[Any], Any]


class _Bounds(msgspec.Struct, frozen=True):
    """Bounds as they are written: 0.1 is the decimal 0.1, not the nearest float."""

    gt: Decimal | None
    ge: Decimal | None
    lt: Decimal | None
    le: Decimal | None

    def problem_of(self, value: Decimal) -> Problem | None:
        """Return what is wrong with a value, the first of it."""
        if value.is_nan():
            return Problem("", "format", "must be a decimal number")
        if self.gt is not None and not value > self.gt:
            return Problem("", "too_small", f"must be greater than {self.gt}")
        if self.ge is not None and not value >= self.ge:
            return Problem("", "too_small", f"must be at least {self.ge}")
        if self.lt is not None and not value < self.lt:
            return Problem("", "too_large", f"must be less than {self.lt}")
        if self.le is not None and not value <= self.le:
            return Problem("", "too_large", f"must be at most {self.le}")
        return None


def bounded(make: _Make, item: Input) -> _Make:
    """Return `make`, followed by the bounds that the marker sets to a Decimal; `make` itself when there are none."""
    marker = item.marker
    if marker is None or Decimal not in members_of(item.kind):
        return make
    written = (marker.gt, marker.ge, marker.lt, marker.le)
    if all(bound is None for bound in written):
        return make
    bounds = _Bounds(*(None if bound is None else Decimal(str(bound)) for bound in written))

    def within(given: Any) -> Any:
        value = make(given)
        problem = bounds.problem_of(value) if isinstance(value, Decimal) else None
        if problem is not None:
            raise Invalid([problem])
        return value

    return within
