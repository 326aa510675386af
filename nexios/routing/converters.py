"""Path converters: which texts does `{id:int}` accept, and what value do they become?

A converter refuses a text with ValueError, and the path is then simply not
matched. What the built-in ones accept is narrow on purpose:

    str        one segment, not empty, without control characters
    int        at most 20 ASCII digits, with "-" before them if negative; not -0, +1, 1_0, 0x10
    float      ASCII digits with at most one "." between them, "-" allowed; no exponent, nan or inf
    uuid       8-4-4-4-12 hex digits, or 32 of them
    path       any number of segments, also none of any length ("" matches)
    date       2024-01-31
    datetime   2024-01-31T10:00:00, then optionally .1 to .999999, then optionally Z or +hh:mm
    slug       lower-case ASCII letters and digits, with single "-" between them

Lengths are looked at before anything is parsed. Control characters (CR, LF, NUL
and the rest of Unicode category Cc) and lone surrogates never match, whatever the
converter: no path parameter is the start of a header or log injection.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from math import isfinite
from types import MappingProxyType
from typing import Any, Generic, TypeVar
from uuid import UUID

__all__ = [
    "BUILT_IN_CONVERTERS",
    "RANK_CUSTOM",
    "RANK_PATH",
    "RANK_STR",
    "Converter",
    "DateConverter",
    "DateTimeConverter",
    "FloatConverter",
    "IntConverter",
    "PathConverter",
    "SlugConverter",
    "StrConverter",
    "UUIDConverter",
    "bounded_convert",
    "is_plain",
    "segment_convert",
]

T = TypeVar("T")

RANK_CUSTOM = 30
"""Tried after int, uuid, date, datetime and float (10 to 14), before slug (40)."""
RANK_STR = 50
RANK_PATH = 60

_HEX_DIGITS = "0123456789abcdefABCDEF"
_CONTROLS = frozenset(map(chr, (*range(0x20), *range(0x7F, 0xA0))))


class Converter(ABC, Generic[T]):
    """What a placeholder accepts and what value the handler gets.

    Subclass it, and register the class or an instance with `register_path_converter`.
    One instance serves every request, so it keeps no state between calls.

    >>> class Hex(Converter[int]):
    ...     def convert(self, text: str) -> int:
    ...         return int(text, 16)
    ...     def format(self, value: int) -> str:
    ...         return f"{value:x}"
    >>> Hex().convert("ff")
    255
    """

    rank: int = RANK_CUSTOM
    """Where several placeholders compete for one segment, the lowest is tried first; those that span segments, last."""
    max_length: int | None = 255
    """Characters; a longer text is refused before `convert` sees it. None: no limit."""
    spans_segments: bool = False
    """Whether the value may hold "/" (the placeholder then fills whole segments)."""
    schema: Mapping[str, object] = MappingProxyType({"type": "string"})
    """The values as JSON Schema, for API descriptions."""

    @abstractmethod
    def convert(self, text: str) -> T:
        """Return the value of `text`, which is percent-decoded.

        Raises:
            ValueError: The text is refused. Any other exception has the same effect.
        """

    @abstractmethod
    def format(self, value: T) -> str:
        """Return the text of `value`, not percent-encoded: the inverse of `convert`.

        Raises:
            ValueError: No text would convert to this value.
        """


class StrConverter(Converter[str]):
    """One segment as it is.

    >>> StrConverter().convert("café")
    'café'
    """

    rank: int = RANK_STR
    max_length: int | None = None

    def convert(self, text: str) -> str:
        """Return `text` if it is plain text for one segment: not empty, no "/" in it."""
        if text and "/" not in text and is_plain(text):
            return text
        raise ValueError("not one segment of a path")

    def format(self, value: str | int | UUID) -> str:
        """Return the text of a text, whole number or UUID, if it is one segment."""
        return self.convert(_text_of(value))


class PathConverter(Converter[str]):
    """Everything up to the end, or up to what follows the placeholder, "/" included; also nothing."""

    rank: int = RANK_PATH
    max_length: int | None = None
    spans_segments: bool = True

    def convert(self, text: str) -> str:
        """Return `text`, unless there are control characters or lone surrogates in it."""
        if is_plain(text):
            return text
        raise ValueError("not a path")

    def format(self, value: str | int | UUID) -> str:
        """Return the text of a text, whole number or UUID, if it is plain."""
        return self.convert(_text_of(value))


class IntConverter(Converter[int]):
    """A whole number of at most 20 digits. Leading zeros are accepted, so `/2024/01` is.

    >>> IntConverter().convert("-12")
    -12
    """

    rank: int = 10
    max_length: int | None = 21
    schema: Mapping[str, object] = MappingProxyType({"type": "integer"})

    def convert(self, text: str) -> int:
        """Return the number; "+" is refused, and "-" before zero."""
        if len(text) <= 20 and text.isdecimal() and text.isascii():
            return int(text)
        if len(text) <= 21 and text[:1] == "-" and _is_digits(text[1:]) and text.strip("-0"):
            return int(text)
        raise ValueError("not a whole number")

    def format(self, value: int) -> str:
        """Return the digits, at most 20, with "-" before those of a negative number; a bool is refused."""
        if isinstance(value, bool) or abs(_only(int, value)) >= 10**20:
            raise ValueError("not a whole number of at most 20 digits")
        return str(int(value))


class FloatConverter(Converter[float]):
    """A finite number in positional notation.

    The longest text that any float needs has 327 characters (5e-324 and its like).

    >>> FloatConverter().format(1e-7)
    '0.0000001'
    """

    rank: int = 14
    max_length: int | None = 330
    schema: Mapping[str, object] = MappingProxyType({"type": "number"})

    def convert(self, text: str) -> float:
        """Return the number; one that overflows is refused, and so is "-0"."""
        if len(text) > 330:
            raise ValueError("too long for a number")
        whole, point, fraction = text.removeprefix("-").partition(".")
        if not _is_digits(whole) or (point and not _is_digits(fraction)):
            raise ValueError("not a number")
        value = float(text)
        if not isfinite(value) or (value == 0 and text[0] == "-"):
            raise ValueError("not a finite number")
        return value

    def format(self, value: float) -> str:
        """Return the digits without an exponent; minus zero loses its sign."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError("not a number")
        try:
            number = float(value)
        except OverflowError:
            raise ValueError("not a finite number") from None
        if not isfinite(number):
            raise ValueError("not a finite number")
        return format(Decimal(repr(number or 0.0)), "f")


class UUIDConverter(Converter[UUID]):
    """A UUID in the form of RFC 9562 section 4, in either case, or its 32 hex digits alone."""

    rank: int = 11
    max_length: int | None = 36
    schema: Mapping[str, object] = MappingProxyType({"type": "string", "format": "uuid"})

    def convert(self, text: str) -> UUID:
        """Return the UUID, written with its four hyphens or none."""
        digits = text
        if len(text) == 36 and text[8] == text[13] == text[18] == text[23] == "-":
            digits = text.replace("-", "")
        # strip() removes the run of hex digits at both ends: nothing is left only if there is nothing else.
        if len(digits) != 32 or digits.strip(_HEX_DIGITS):
            raise ValueError("not a UUID")
        return UUID(digits)

    def format(self, value: UUID) -> str:
        """Return the 32 lower-case hex digits with four hyphens."""
        return str(_only(UUID, value))


class DateConverter(Converter[date]):
    """A day of the calendar, `2024-01-31`.

    Source: RFC 3339 section 5.6, full-date.
    """

    rank: int = 12
    max_length: int | None = 10
    schema: Mapping[str, object] = MappingProxyType({"type": "string", "format": "date"})

    def convert(self, text: str) -> date:
        """Return the day, `YYYY-MM-DD` alone."""
        if len(text) != 10:
            raise ValueError("not a date")
        return date(*_date_numbers(text))

    def format(self, value: date) -> str:
        """Return `YYYY-MM-DD`; a datetime is refused."""
        if isinstance(value, datetime):
            raise ValueError("a datetime, not a date")
        return _only(date, value).isoformat()


class DateTimeConverter(Converter[datetime]):
    """A moment, `2024-01-31T10:00:00`, with or without a fraction and an offset from UTC.

    Source: RFC 3339 section 5.6, with the offset optional and capital letters only.

    >>> DateTimeConverter().convert("2024-01-31T10:00:00.5Z").microsecond
    500000
    """

    rank: int = 13
    max_length: int | None = 32
    schema: Mapping[str, object] = MappingProxyType({"type": "string", "format": "date-time"})

    def convert(self, text: str) -> datetime:
        """Return the moment; without an offset in the text it has no time zone."""
        if not 19 <= len(text) <= 32 or text[10] != "T":
            raise ValueError("not a date and time")
        hour, minute, second = _clock_numbers(text[11:19])
        microsecond, offset = _split_fraction(text[19:])
        zone = _parse_offset(offset)
        year, month, day = _date_numbers(text[:10])
        return datetime(year, month, day, hour, minute, second, microsecond, tzinfo=zone)

    def format(self, value: datetime) -> str:
        """Return the moment in ISO form, with "Z" for an offset of zero."""
        offset = _only(datetime, value).utcoffset()
        if offset is not None and offset % timedelta(minutes=1):
            raise ValueError("the offset from UTC has seconds")
        text = value.isoformat()
        return f"{text[:-6]}Z" if offset == timedelta(0) else text


class SlugConverter(Converter[str]):
    """A name made for URLs: `my-first-post`."""

    rank: int = 40
    max_length: int | None = None
    schema: Mapping[str, object] = MappingProxyType({"type": "string", "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$"})

    def convert(self, text: str) -> str:
        """Return `text` if it is a slug: lower-case ASCII letters and digits, single hyphens between."""
        letters = text.replace("-", "")
        if not letters.isalnum() or not letters.isascii() or letters != letters.lower():
            raise ValueError("not a slug")
        if "--" in text or text[0] == "-" or text[-1] == "-":
            raise ValueError("not a slug")
        return text

    def format(self, value: str) -> str:
        """Return `value` if it is a slug."""
        return self.convert(_only(str, value))


BUILT_IN_CONVERTERS: Mapping[str, Converter[Any]] = MappingProxyType(
    {
        "str": StrConverter(),
        "int": IntConverter(),
        "float": FloatConverter(),
        "uuid": UUIDConverter(),
        "path": PathConverter(),
        "date": DateConverter(),
        "datetime": DateTimeConverter(),
        "slug": SlugConverter(),
    }
)


def is_plain(text: str) -> bool:
    """Say whether `text` is free of control characters and lone surrogates.

    >>> is_plain("naïve user"), is_plain("user\\n")
    (True, False)
    """
    if text.isprintable():
        return True
    return _CONTROLS.isdisjoint(text) and not any("\ud800" <= letter <= "\udfff" for letter in text)


def bounded_convert(converter: Converter[T]) -> Callable[[str], T]:
    """Return `convert`, with the rules for length and control characters put before a custom one."""
    if any(converter is built_in for built_in in BUILT_IN_CONVERTERS.values()):
        return converter.convert
    limit, convert, spans = converter.max_length, converter.convert, converter.spans_segments

    def checked(text: str) -> T:
        if (limit is not None and len(text) > limit) or not is_plain(text) or not (text or spans):
            raise ValueError("too long, empty, or with control characters")
        return convert(text)

    return checked


def segment_convert(converter: Converter[T]) -> Callable[[str], Any]:
    """Return `bounded_convert`, made faster for what a split at "/" has produced."""
    return _convert_segment if converter is BUILT_IN_CONVERTERS["str"] else bounded_convert(converter)


def _convert_segment(text: str) -> str:
    if text and (text.isprintable() or is_plain(text)):
        return text
    raise ValueError("empty, or with control characters")


def _only(kind: type[T], value: T) -> T:
    if not isinstance(value, kind):
        raise ValueError(f"not of type {kind.__name__}")
    return value


def _text_of(value: object) -> str:
    """A number or UUID may fill a text parameter, as people write `{id}` for what is a number to them."""
    if isinstance(value, bool) or not isinstance(value, str | int | UUID):
        raise ValueError("not a text")
    return str(value)


def _is_digits(text: str) -> bool:
    return text.isdecimal() and text.isascii()


def _date_numbers(text: str) -> tuple[int, int, int]:
    year, month, day = text[:4], text[5:7], text[8:]
    if text[4] != "-" or text[7] != "-" or not _is_digits(year + month + day):
        raise ValueError("not a date")
    return int(year), int(month), int(day)


def _clock_numbers(text: str) -> tuple[int, int, int]:
    hour, minute, second = text[:2], text[3:5], text[6:]
    if text[2] != ":" or text[5] != ":" or not _is_digits(hour + minute + second):
        raise ValueError("not a time")
    return int(hour), int(minute), int(second)


def _split_fraction(text: str) -> tuple[int, str]:
    """Read `.5Z` as 500000 microseconds and `Z`."""
    if text[:1] != ".":
        return 0, text
    digits = text[1:].rstrip("Z")
    for sign in "+-":
        digits = digits.partition(sign)[0]
    if not 1 <= len(digits) <= 6 or not _is_digits(digits):
        raise ValueError("not a fraction of a second")
    return int(digits.ljust(6, "0")), text[1 + len(digits) :]


def _parse_offset(text: str) -> timezone | None:
    if text in ("", "Z"):
        return UTC if text else None
    sign, hours, minutes = text[0], text[1:3], text[4:]
    if sign not in "+-" or len(text) != 6 or text[3] != ":" or not _is_digits(hours + minutes) or int(minutes) > 59:
        raise ValueError("not an offset from UTC")
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    return timezone(-offset if sign == "-" else offset)
