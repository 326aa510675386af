"""Shadows: which routes and mounts can no request ever reach?

The order of registration shadows nothing here, because the matcher prefers the
more specific template. What remains: a custom converter that comes after one that
accepts as much, two names for one converter, and a catch-all route over a mount
(mounts are asked only when no route matches). What a custom converter accepts is
not known, so not every shadow is found; but each one found is real.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, combinations_with_replacement
from typing import Any

import msgspec

from nexios.places import Place
from nexios.routing.converters import Converter, PathConverter, StrConverter
from nexios.routing.pattern import Rank, is_leaf, literal_of, rank_of, spanning_converter
from nexios.routing.registry import DEFAULT_CONVERTERS, ConverterRegistry
from nexios.routing.route import Mount, Route
from nexios.routing.template import Placeholder, Segment, Template, Templates, segment_shape

__all__ = ["Shadow", "shadowed"]


class Shadow(msgspec.Struct, frozen=True):
    """Something that is never reached, what is reached in its place, and the words for both."""

    hidden: Route | Mount
    by: Route
    message: str

    def __str__(self) -> str:
        return self.message


class _Candidate(msgspec.Struct, frozen=True):
    route: Route
    template: Template
    order: "_Order"
    """Where the matcher asks it: by the first segment that differs, then by registration."""


_Literal = tuple[int, str]
"""A segment without parameters, and its position."""

_Order = tuple[bool, tuple[tuple[Rank, int], ...], int]


def shadowed(
    routes: Sequence[Route],
    mounts: Iterable[Mount] = (),
    registry: ConverterRegistry = DEFAULT_CONVERTERS,
    *,
    templates: Templates | None = None,
) -> list[Shadow]:
    """Return the routes and mounts that others hide, as far as that can be told from the templates.

    `routes` and `mounts` are those of `flatten`; `templates` are those that were compiled before, of `registry`.
    """
    templates = templates or Templates(registry)
    branches: dict[tuple[bool, str], int] = {}
    candidates: list[_Candidate] = []
    for index, route in enumerate(routes):
        template = templates.compile(route.template, route.location.registered)
        if template.converters:
            candidates.append(_Candidate(route, template, _order(template, index, branches)))
    found = list(_shadows_among(candidates))
    for mount in mounts:
        found.extend(_shadows_over(mount, templates.compile(mount.prefix, mount.location), candidates))
    return found


def _order(template: Template, index: int, branches: dict[tuple[bool, str], int]) -> _Order:
    """Follow the matcher: a branch of its tree is as old as the first route that needed it."""
    leaf, shape, ranks = is_leaf(template), "", list[tuple[Rank, int]]()
    spans = False
    for segment in template.segments:
        shape += f"/{segment_shape(segment)}"
        spans = spans or spanning_converter(segment, template) is not None
        ranks.append((rank_of(segment, template), 0 if spans else branches.setdefault((leaf, shape), index)))
    return (not leaf, (*ranks, ((1000, 0, 0), 0)), index)


def _shadows_among(candidates: list[_Candidate]) -> Iterator[Shadow]:
    """Look, for each, only at those before it whose first and last literal texts it has too: no other can cover it."""
    earlier: defaultdict[tuple[_Literal, ...], list[_Candidate]] = defaultdict(list)
    for hidden in sorted(candidates, key=lambda candidate: candidate.order):
        literals = _literals(hidden.template)
        for by in chain(earlier[()], *(earlier[pair] for pair in combinations_with_replacement(literals, 2))):
            methods = [method for method in hidden.route.methods if method in by.route.methods]
            if methods and _covers(by.template, hidden.template, hidden.template.segments):
                yield Shadow(hidden.route, by.route, _text(hidden.route.template, methods, hidden.route, by.route))
                break
        earlier[(literals[0], literals[-1]) if literals else ()].append(hidden)


def _shadows_over(mount: Mount, prefix: Template, candidates: Iterable[_Candidate]) -> Iterator[Shadow]:
    below: Segment = (Placeholder("", "path"),)
    segments = (below,) if prefix.text == "/" else (*prefix.segments, below)
    for by in candidates:
        if _is_catch_all(by.template) and _covers(by.template, prefix, segments):
            yield Shadow(mount, by.route, _text(f"{mount.prefix} (mounted)", by.route.methods, mount, by.route))


def _covers(by: Template, hidden: Template, segments: Sequence[Segment]) -> bool:
    """Say whether `by` matches every path of `hidden`, whose segments are given."""
    for index, segment in enumerate(by.segments):
        spanning = spanning_converter(segment, by)
        if spanning is not None and index == len(by.segments) - 1:
            return type(spanning) is PathConverter and len(segments) > index
        if index >= len(segments) or not _covers_segment(segment, by, segments[index], hidden):
            return False
    return len(by.segments) == len(segments)


def _covers_segment(segment: Segment, by: Template, other: Segment, hidden: Template) -> bool:
    mine, theirs = _converter(segment, by), _converter(other, hidden)
    if mine is None or other == ("",):
        return segment == other
    if type(mine) is StrConverter:
        return theirs is None or not theirs.spans_segments
    return mine is theirs


def _converter(segment: Segment, template: Template) -> Converter[Any] | None:
    """Return the converter of a placeholder that stands alone."""
    part = segment[0]
    if len(segment) > 1 or isinstance(part, str):
        return None
    return template.converters[part.name] if part.name else PathConverter()


def _is_catch_all(template: Template) -> bool:
    return type(spanning_converter(template.segments[-1], template)) is PathConverter


def _literals(template: Template) -> list[_Literal]:
    texts = ((index, literal_of(segment)) for index, segment in enumerate(template.segments))
    return [(index, text) for index, text in texts if text is not None]


def _text(what: str, methods: Sequence[str], hidden: Route | Mount, by: Route) -> str:
    place = hidden.location if isinstance(hidden.location, Place) else hidden.location.registered
    return (
        f"{', '.join(methods)} {what} is never reached: {by.template} matches the same paths and is asked first.\n\n"
        f"  {place}   {what}\n  {by.location.registered}   {by.template}"
    )
