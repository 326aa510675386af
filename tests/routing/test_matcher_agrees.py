"""The matcher gives what a slow and obvious reading of its rules gives.

The reference tries every template in every possible way, and sorts the answers.
"""

from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from nexios.routing import Matcher, Template, compile_template
from nexios.routing.template import Placeholder, Segment

SEGMENTS = ["a", "b", "5", "1-2", "", "{:int}", "{:float}", "{:slug}", "{:str}", "{:path}", "v{:int}"]
MIXED = ["{:str}-{:str}", "{:int}-{:str}.", "{:str}-{:int}!?"]
PIECES = ["a", "b", "5", "-5", "1.5", "1-2", "1-2-3", "x--5!?", "7-a-b.", "a-b", "-", "v5", "A b", "", "\n", "ä"]

RANKS = {"int": 10, "float": 14, "slug": 40, "str": 50, "path": 60}
Rank = tuple[int, int, int]
Values = dict[str, object]


@st.composite
def templates(draw: st.DrawFn) -> str:
    """Templates with the parameters p0, p1, ...; an empty segment stands at the end or not at all."""
    segments = draw(st.lists(st.sampled_from(SEGMENTS + MIXED), min_size=1, max_size=4))
    kept = [segment for segment in segments[:-1] if segment] + segments[-1:]
    text, count = "", 0
    for piece in "".join(f"/{segment}" for segment in kept).split("{"):
        text += piece if piece.startswith("/") or not piece else f"{{p{count}{piece}"
        count += piece.startswith(":")
    return text


def reference(routes: list[tuple[str, Template]], method: str, path: str) -> tuple[str, Values] | None:
    answers: list[tuple[tuple[Rank, ...], Template, Values]] = []
    for known, template in routes:
        values = next(read_all(template, template.segments, path[1:].split("/")), None)
        if known == method and values is not None:
            answers.append(((*(rank(segment) for segment in template.segments), (1000, 0, 0)), template, values))
    best = min(answers, key=lambda answer: answer[0], default=None)
    return None if best is None else (best[1].text, best[2])


def read_all(template: Template, segments: tuple[Segment, ...], pieces: list[str]) -> Iterator[Values]:
    """Yield every way to read the pieces, those that give the first spanning placeholder least first."""
    if not segments:
        yield from [{}] if not pieces else []
        return
    part = segments[0][0]
    spans = isinstance(part, Placeholder) and part.converter == "path"
    for size in range(1, len(pieces) + 1 if spans else min(2, len(pieces) + 1)):
        for values in read_segment(template, segments[0], "/".join(pieces[:size])):
            for rest in read_all(template, segments[1:], pieces[size:]):
                yield {**values, **rest}


def read_segment(template: Template, segment: Segment, text: str) -> list[Values]:
    """Every way to read one segment, best first: the one that gives the first text placeholder most."""
    found = list(read_parts(template, segment, text))
    pivot = next((p.name for p in segment if isinstance(p, Placeholder) and p.converter == "str"), None)
    return sorted(found, key=lambda values: -len(str(values.get(pivot or "", ""))))[:1]


def read_parts(template: Template, parts: Segment, text: str) -> Iterator[Values]:
    if not parts:
        yield from [{}] if not text else []
        return
    part = parts[0]
    if isinstance(part, str):
        yield from read_parts(template, parts[1:], text[len(part) :]) if text.startswith(part) else []
        return
    for size in range(len(text) + 1):
        try:
            value = template.converters[part.name].convert(text[:size])
        except ValueError:
            continue
        for rest in read_parts(template, parts[1:], text[size:]):
            yield {part.name: value, **rest}


def rank(segment: Segment) -> Rank:
    placeholders = [part for part in segment if isinstance(part, Placeholder)]
    if not placeholders:
        return (0, 0, 0)
    if len(segment) == 1:
        return (RANKS[placeholders[0].converter], 0, 0)
    literal = sum(len(part) for part in segment if isinstance(part, str))
    return (35, -literal, -sum(part.converter == "int" for part in placeholders))


@settings(max_examples=400)
@given(
    st.lists(st.tuples(st.sampled_from(["GET", "POST"]), templates()), min_size=1, max_size=12),
    st.lists(st.lists(st.sampled_from(PIECES), min_size=1, max_size=5), min_size=1, max_size=6),
)
def test_the_matcher_agrees_with_the_slow_reference(texts: list[tuple[str, str]], paths: list[list[str]]) -> None:
    matcher = Matcher[str]()
    routes: list[tuple[str, Template]] = []
    for method, text in texts:
        template = compile_template(text)
        if (method, template.shape) not in {(known, other.shape) for known, other in routes}:
            routes.append((method, template))
            matcher.add(template, [method], text)

    for path in ("/" + "/".join(pieces) for pieces in paths):
        expected: dict[str, tuple[str, Any] | None] = {m: reference(routes, m, path) for m in ("GET", "POST")}
        assert {method: matcher.find(method, path) for method in expected} == expected
        assert matcher.allowed(path) == [method for method, found in expected.items() if found]
