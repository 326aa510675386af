"""Patterns: does this segment, or this run of segments, fit a template, and with which values?

Nothing here backtracks. Within a segment, one placeholder takes what the others
leave: the first whose texts have no greatest length (`str`, `slug`), else the
last. Those before it take as little as their converter accepts, from the left;
those after it, from the right. So `{name}-{id:int}` reads `blue-shoe-7` as
`blue-shoe` and 7, and `{id:int}-{name}` reads `7-blue-shoe` the other way round.

Among several placeholders that span segments, each but the last takes as few
segments as it can.
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from nexios.routing.converters import RANK_PATH, Converter, bounded_convert
from nexios.routing.template import Placeholder, Segment, Template

__all__ = [
    "MixedPattern",
    "SegmentTest",
    "SpanPattern",
    "is_leaf",
    "literal_of",
    "rank_of",
    "segment_test",
    "spanning_converter",
]

SegmentTest = Callable[[str], "tuple[object, ...] | None"]
"""The values in a segment, or None if it does not fit."""

Rank = tuple[int, int, int]
"""Lower is tried first: the class of the segment, then more literal text, then more typed placeholders.

A placeholder that spans segments comes after all that do not, whatever its rank.
"""

_RANK_LITERAL = 0
_RANK_MIXED = 35
"""After every typed placeholder that stands alone, before `slug` and `str`."""


def rank_of(segment: Segment, template: Template) -> Rank:
    """Return where this segment stands among those that compete with it."""
    placeholders = [part for part in segment if isinstance(part, Placeholder)]
    if not placeholders:
        return (_RANK_LITERAL, 0, 0)
    if len(segment) == 1:
        converter = template.converters[placeholders[0].name]
        return (
            (RANK_PATH, converter.rank, 0) if converter.spans_segments else (min(converter.rank, RANK_PATH - 1), 0, 0)
        )
    literal = sum(len(part) for part in segment if isinstance(part, str))
    typed = sum(template.converters[part.name].max_length is not None for part in placeholders)
    return (_RANK_MIXED, -literal, -typed)


def is_leaf(template: Template) -> bool:
    """Say whether only the last segment has parameters, and spans no others."""
    *before, last = template.segments
    return all(literal_of(segment) is not None for segment in before) and spanning_converter(last, template) is None


def literal_of(segment: Segment) -> str | None:
    """Return the text of a segment without parameters, else None."""
    return segment[0] if len(segment) == 1 and isinstance(segment[0], str) else None


def segment_test(segment: Segment, template: Template) -> SegmentTest:
    """Return the function that reads the values of one segment which no placeholder spans."""
    if len(segment) == 1:
        part = segment[0]
        return _literal_test(part) if isinstance(part, str) else _single_test(template.converters[part.name])
    return _guarded(MixedPattern(segment, template).convert)


class _Field(msgspec.Struct, frozen=True):
    """A placeholder within a mixed segment."""

    convert: Callable[[str], object]
    tries: int
    """How many characters at most it may take before it is given up; 0: its first text must do."""


class MixedPattern:
    """A segment of literal texts and one or more placeholders, `{a}-{b}.html`.

    Time:   the length of the segment, times a constant for each placeholder with a greatest length.

    >>> from nexios.routing.template import compile_template
    >>> template = compile_template("/{name}-{id:int}")
    >>> MixedPattern(template.segments[0], template).convert("blue-shoe-7")
    ('blue-shoe', 7)
    """

    __slots__ = ("_fields", "_pivot", "_prefix", "_separators", "_suffix")

    def __init__(self, segment: Segment, template: Template) -> None:
        converters = [template.converters[part.name] for part in segment if isinstance(part, Placeholder)]
        self._prefix = segment[0] if isinstance(segment[0], str) else ""
        self._suffix = segment[-1] if isinstance(segment[-1], str) else ""
        self._separators = [part for part in segment[1:-1] if isinstance(part, str)]
        self._fields = [_Field(bounded_convert(converter), converter.max_length or 0) for converter in converters]
        self._pivot = next((i for i, c in enumerate(converters) if c.max_length is None), len(converters) - 1)

    def convert(self, text: str) -> tuple[object, ...]:
        """Return one value for each placeholder.

        Raises:
            ValueError: The text does not fit. A converter may raise anything else, to the same effect.
        """
        start, stop = len(self._prefix), len(text) - len(self._suffix)
        if start > stop or not text.startswith(self._prefix) or not text.endswith(self._suffix):
            raise ValueError("the literal text differs")
        left: list[object] = []
        right: list[object] = []
        for index in range(self._pivot):
            value, start = _take_left(text, start, stop, self._separators[index], self._fields[index])
            left.append(value)
        for index in range(len(self._fields) - 1, self._pivot, -1):
            value, stop = _take_right(text, start, stop, self._separators[index - 1], self._fields[index])
            right.append(value)
        return (*left, self._fields[self._pivot].convert(text[start:stop]), *reversed(right))


def _take_left(text: str, start: int, stop: int, separator: str, field: _Field) -> tuple[object, int]:
    position = text.find(separator, start + 1, stop)
    while position != -1:
        try:
            return field.convert(text[start:position]), position + len(separator)
        except Exception:
            following = text.find(separator, position + 1, stop)
            if following - start > field.tries:
                break
            position = following
    raise ValueError("no text before the separator fits")


def _take_right(text: str, start: int, stop: int, separator: str, field: _Field) -> tuple[object, int]:
    position = text.rfind(separator, start, max(start, stop - 1))
    while position != -1:
        try:
            return field.convert(text[position + len(separator) : stop]), position
        except Exception:
            following = text.rfind(separator, start, position + len(separator) - 1)
            if stop - following - len(separator) > field.tries:
                break
            position = following
    raise ValueError("no text after the separator fits")


class SpanPattern:
    """The end of a template, from its first placeholder that spans segments: `{rest:path}/edit`.

    Time:   the number of segments, times the number of segments in the template.
    """

    __slots__ = ("_chunks", "_spans")

    def __init__(self, segments: Sequence[Segment], template: Template) -> None:
        self._spans: list[Callable[[str], object]] = []
        self._chunks: list[list[SegmentTest]] = []
        for segment in segments:
            spanning = spanning_converter(segment, template)
            if spanning is None:
                self._chunks[-1].append(segment_test(segment, template))
            else:
                self._spans.append(bounded_convert(spanning))
                self._chunks.append([])

    def match(self, segments: Sequence[str], start: int) -> tuple[object, ...] | None:
        """Return the values of `segments[start:]`, or None if they do not fit."""
        last = len(segments) - len(self._chunks[-1])
        ending = _match_chunk(self._chunks[-1], segments, last) if last > start else None
        if ending is None:
            return None
        values: list[object] = []
        for convert, chunk in zip(self._spans[:-1], self._chunks[:-1], strict=True):
            found = _find_chunk(chunk, segments, start + 1, last)
            if found is None or not _add_span(values, convert, segments[start : found[0]]):
                return None
            values.extend(found[1])
            start = found[0] + len(chunk)
        if start >= last or not _add_span(values, self._spans[-1], segments[start:last]):
            return None
        return (*values, *ending)


def spanning_converter(segment: Segment, template: Template) -> Converter[Any] | None:
    """Return the converter of a segment that may match several, else None."""
    part = segment[0]
    if isinstance(part, Placeholder) and template.converters[part.name].spans_segments:
        return template.converters[part.name]
    return None


def _match_chunk(chunk: list[SegmentTest], segments: Sequence[str], start: int) -> tuple[object, ...] | None:
    values: list[object] = []
    for offset, test in enumerate(chunk):
        found = test(segments[start + offset])
        if found is None:
            return None
        values.extend(found)
    return tuple(values)


def _find_chunk(
    chunk: list[SegmentTest], segments: Sequence[str], start: int, stop: int
) -> tuple[int, tuple[object, ...]] | None:
    """Find the first place where the chunk fits before `stop`."""
    for position in range(start, stop - len(chunk) + 1):
        values = _match_chunk(chunk, segments, position)
        if values is not None:
            return position, values
    return None


def _add_span(values: list[object], convert: Callable[[str], object], segments: Sequence[str]) -> bool:
    try:
        values.append(convert("/".join(segments)))
    except Exception:
        return False
    return True


def _literal_test(literal: str) -> SegmentTest:
    return lambda text: () if text == literal else None


def _single_test(converter: Converter[Any]) -> SegmentTest:
    convert = bounded_convert(converter)
    return _guarded(lambda text: (convert(text),))


def _guarded(convert: Callable[[str], tuple[object, ...]]) -> SegmentTest:
    def test(text: str) -> tuple[object, ...] | None:
        try:
            return convert(text)
        except Exception:
            return None

    return test
