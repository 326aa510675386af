"""HTTP dates: how is a time written in a header, and which time does one say?

One form is written, IMF-fixdate; the two obsolete ones are read as well. The
names are English whatever the locale, and digits are ASCII.

Source: RFC 9110 section 5.6.7.
"""

import math
import time
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

__all__ = ["format_http_date", "parse_http_date"]

_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_LONG_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_LONGEST: Final = len("Wednesday, 06-Nov-94 08:49:37 GMT")


def format_http_date(timestamp: float) -> str:
    """Return seconds since 1970 as an IMF-fixdate; a part of a second is cut off.

    >>> format_http_date(784111777.9)
    'Sun, 06 Nov 1994 08:49:37 GMT'

    Raises:
        ValueError: The time is no number, or not in the years 1 to 9999.
    """
    if not math.isfinite(timestamp):
        raise ValueError("a date needs a finite number of seconds")
    return _format_second(math.floor(timestamp))


@lru_cache(maxsize=64)
def _format_second(second: int) -> str:
    try:
        moment = datetime.fromtimestamp(second, UTC)
    except (OverflowError, OSError, ValueError) as exc:
        raise ValueError("a date must be in the years 1 to 9999") from exc
    day, month = _DAYS[moment.weekday()], _MONTHS[moment.month - 1]
    return f"{day}, {moment.day:02} {month} {moment.year:04} {moment:%H:%M:%S} GMT"


def parse_http_date(text: str, *, now: float | None = None) -> float | None:
    """Return the seconds since 1970 that a date of any of the three forms says, or None.

    The name of the day must be one, but is not compared with the date. `now`,
    by default the clock, decides the century of a year of two digits: the one
    that is at most 50 years ahead.

    >>> parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT")
    784111777.0
    >>> parse_http_date("Sun Nov  6 08:49:37 1994")
    784111777.0
    >>> parse_http_date("yesterday") is None
    True
    """
    if len(text) > _LONGEST or not text.isascii():
        return None
    match text.split(" "):
        case [day, date, month, year, clock, "GMT"] if day[-1:] == "," and day[:-1] in _DAYS:
            return _timestamp(year, month, date, clock)
        case [day, full_date, clock, "GMT"] if day[-1:] == "," and day[:-1] in _LONG_DAYS:
            return _parse_rfc850(full_date, clock, now)
        case [day, month, "", date, clock, year] if day in _DAYS and len(date) == 1:
            return _timestamp(year, month, f"0{date}", clock)
        case [day, month, date, clock, year] if day in _DAYS:
            return _timestamp(year, month, date, clock)
        case _:
            return None


def _parse_rfc850(full_date: str, clock: str, now: float | None) -> float | None:
    """RFC 9110: a date that seems more than 50 years ahead is in the past."""
    date, _, rest = full_date.partition("-")
    month, _, digits = rest.partition("-")
    short_year = _number(digits, 2)
    if short_year is None:
        return None
    this_year = datetime.fromtimestamp(time.time() if now is None else now, UTC).year
    year = this_year - this_year % 100 + short_year
    if year > this_year + 50:
        year -= 100
    elif year <= this_year - 50:
        year += 100
    return _timestamp(f"{year:04}", month, date, clock)


def _timestamp(year: str, month: str, date: str, clock: str) -> float | None:
    hour, minute, second = _number(clock[0:2], 2), _number(clock[3:5], 2), _number(clock[6:], 2)
    numbers = _number(year, 4), _number(date, 2), hour, minute, second
    if month not in _MONTHS or clock[2:3] != ":" or clock[5:6] != ":" or None in numbers:
        return None
    years, dates, hours, minutes, seconds = (number or 0 for number in numbers)
    leap = seconds == 60
    try:
        moment = datetime(years, _MONTHS.index(month) + 1, dates, hours, minutes, seconds - leap, tzinfo=UTC)
    except ValueError:
        return None
    return moment.timestamp() + leap


def _number(text: str, length: int) -> int | None:
    return int(text) if len(text) == length and text.isdigit() else None
