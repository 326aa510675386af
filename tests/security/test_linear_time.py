"""Does anything that reads input from outside take more than linear time? One table: parser, and what it is worst at.

Two measures. The lines of Python that run are counted, which is exact on every machine. What C code does (slices,
regexes) has no lines; there CPU time is taken.
"""

import importlib
import inspect
import pkgutil
import sys
from types import FrameType
from typing import Any, Final

import pytest

import nexios.http
from tests.security.cpu_growth import growth_of, slow_of
from tests.security.parsers import NOT_READ, OF_HTTP, PARSERS, Parse, inputs, tried

SIZE: Final = 256
"""Characters of the shorter input whose lines are counted."""


def lines_of(parse: Parse, text: str) -> int:
    """How many lines of Python run while the text is read; a line that a loop takes twice is two."""
    count = 0

    def step(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal count
        count += event == "line"
        return step

    before = sys.gettrace()
    sys.settrace(step)
    try:
        tried(parse, text)
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize("name", PARSERS)
def test_four_times_the_input_runs_at_most_four_times_the_lines(name: str) -> None:
    """Counted, so that no machine is too busy for it."""
    parse, beginnings = PARSERS[name]
    tried(parse, "")  # what is made once, a table or a compiled pattern

    short = {what: lines_of(parse, text) for what, text in inputs(beginnings, SIZE)}
    long = {what: lines_of(parse, text) for what, text in inputs(beginnings, 4 * SIZE)}

    assert {what: (short[what], lines) for what, lines in long.items() if lines > 4.5 * short[what] + 200} == {}


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, len(PARSERS), 10))
def test_sixteen_times_the_input_takes_no_quadratic_time(first: int) -> None:
    assert slow_of([*PARSERS][first : first + 10]) == []


def test_what_is_quadratic_is_found() -> None:
    text, longer = "x" * 4096, "x" * 65536

    assert growth_of(lambda text: sum(range(len(text) ** 2 // 10_000)), text, longer) is not None
    assert growth_of(lambda text: sum(range(len(text))), text, longer) is None


def test_every_public_name_of_the_ground_floor_is_in_the_table_or_is_no_parser() -> None:
    modules = [importlib.import_module(f"nexios.http.{one.name}") for one in pkgutil.iter_modules(nexios.http.__path__)]
    public = {name for module in modules for name in module.__all__}

    assert public - OF_HTTP.keys() - NOT_READ.keys() == set()
    assert NOT_READ.keys() - public == set()
    assert OF_HTTP.keys() - public == set()


def test_the_lines_that_are_counted_are_those_that_run() -> None:
    def twice(text: str) -> None:
        for _ in text:
            for _ in text:
                pass

    first = inspect.getsourcelines(twice)
    assert lines_of(twice, "x" * 40) > 4 * lines_of(twice, "x" * 20) * 0.9 > len(first[0])
