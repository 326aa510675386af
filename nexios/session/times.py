"""When is a session over? So long after its last use, and so long after its beginning, whichever comes first."""

import math
from typing import Final

import msgspec

from nexios.errors import ConfigurationError
from nexios.session.record import Record

__all__ = ["Times", "checked_seconds", "checked_times"]

_FRACTION: Final = 30
"""A use is written when so large a part of the idle timeout has passed: once a minute for half an hour."""
_SKEW: Final = 5.0
"""Seconds that the clock of another machine may be ahead of ours."""


class Times(msgspec.Struct, frozen=True):
    """The timeouts of sessions, in seconds."""

    idle: float
    absolute: float

    def is_over(self, record: Record, now: float) -> bool:
        """Whether a session has timed out, or is from the future."""
        if record.created > now + _SKEW or record.seen > now + _SKEW:
            return True
        return now >= record.created + self.absolute or now >= record.seen + self.idle

    def is_due(self, record: Record, now: float) -> bool:
        """Whether it is to be written that a session is in use."""
        return now - record.seen >= self.idle / _FRACTION

    def remaining(self, record: Record, now: float) -> float:
        """How long it lasts from now on when it is not used: more than 0."""
        return max(min(self.idle, self.end(record, now)), 0.001)

    def end(self, record: Record, now: float) -> float:
        """How long it lasts from now on however much it is used."""
        return record.created + self.absolute - now


def checked_times(idle: float, absolute: float) -> Times:
    """Return the timeouts. Raises `ConfigurationError` for what is none."""
    return Times(checked_seconds("idle_timeout", idle), checked_seconds("absolute_timeout", absolute))


def checked_seconds(name: str, value: float) -> float:
    """Return the seconds of an option. Raises `ConfigurationError` for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        raise ConfigurationError(f"{name!r} of SessionMiddleware is a number of seconds over 0, not {value!r}.")
    return float(value)
