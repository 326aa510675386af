"""Mounts: which foreign application owns this path, and what is left of the path for it?

A prefix ends at a slash or at the end of the path: `/apix` is not below `/api`.
The longest prefix wins, counted in segments; of equally long ones the one with
the earlier literal text.
"""

from bisect import insort
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from nexios.errors import ConfigurationError, DuplicateRoute
from nexios.routing.pattern import Rank, SegmentTest, rank_of, segment_test, spanning_converter
from nexios.routing.template import Template

__all__ = ["MountTable"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True, order=True)
class _Entry(Generic[T]):
    order: tuple[int, tuple[Rank, ...], int]
    tests: tuple[SegmentTest, ...] = field(compare=False)
    names: tuple[str, ...] = field(compare=False)
    target: T = field(compare=False)


class MountTable(Generic[T]):
    """Targets by prefix. Filled once, then only read.

    >>> from nexios.routing.template import compile_template
    >>> table = MountTable[str]()
    >>> table.add(compile_template("/files"), "the files")
    >>> table.find("/files/a/b.txt")
    ('the files', {}, 6, '/a/b.txt')
    """

    __slots__ = ("_entries", "_shapes")

    def __init__(self) -> None:
        self._entries: list[_Entry[T]] = []
        self._shapes: set[str] = set()

    def add(self, prefix: Template, target: T) -> None:
        """Put `target` below `prefix`; "/" is below everything else.

        Raises:
            DuplicateRoute: Something is mounted there.
            ConfigurationError: A parameter of the prefix may span segments.
        """
        segments = () if prefix.text == "/" else prefix.segments
        if any(spanning_converter(segment, prefix) for segment in segments):
            raise ConfigurationError(f"The mount prefix {prefix.text!r} has a parameter that may hold '/'.")
        if prefix.shape in self._shapes:
            raise DuplicateRoute(f"Two applications are mounted at {prefix.text!r}.")
        self._shapes.add(prefix.shape)
        order = (-len(segments), tuple(rank_of(segment, prefix) for segment in segments), len(self._entries))
        tests = tuple(segment_test(segment, prefix) for segment in segments)
        insort(self._entries, _Entry(order, tests, prefix.parameters, target))

    def find(self, path: str) -> tuple[T, dict[str, Any], int, str] | None:
        """Return the target, the parameters in its prefix, the prefix's length in characters, and the rest of the path.

        The rest begins with "/", also where the path is the prefix and nothing more.
        """
        if not path.startswith("/"):
            return None
        segments = path[1:].split("/") if self._entries else []
        for entry in self._entries:
            values = _values(entry.tests, segments)
            if values is not None:
                length = sum(len(segment) + 1 for segment in segments[: len(entry.tests)])
                return entry.target, dict(zip(entry.names, values, strict=True)), length, path[length:] or "/"
        return None


def _values(tests: tuple[SegmentTest, ...], segments: list[str]) -> list[object] | None:
    if len(tests) > len(segments):
        return None
    values: list[object] = []
    for test, segment in zip(tests, segments, strict=False):
        found = test(segment)
        if found is None:
            return None
        values.extend(found)
    return values
