"""What takes more than linear time, in CPU: run in a process of its own, so that nothing but the parser is measured.

There is no other thread, nothing that others have left for the collector, and memory stays where it is: for what is
given back and taken anew, the system wants more with each page, and on a busy machine several times as much.

Writes as JSON what is slow: [[parser, input, seconds, seconds of sixteen times the input], ...].
"""

import gc
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any, Final

from tests.security.parsers import PARSERS, Parse, inputs, tried

SIZE: Final = 4096
"""Characters of the shorter input."""

_MEMORY_STAYS: Final = {"PYTHONMALLOC": "malloc", "MALLOC_TRIM_THRESHOLD_": "-1", "MALLOC_MMAP_MAX_": "0"}


def slow_of(names: Sequence[str]) -> list[Any]:
    """Return what is slow among these parsers, from a new process."""
    command = [sys.executable, "-m", "tests.security.cpu_growth", *names]
    slow: list[Any] = json.loads(subprocess.check_output(command, env={**os.environ, **_MEMORY_STAYS}))
    return slow


def _slow_in(name: str) -> list[tuple[str, str, float, float]]:
    parse, beginnings = PARSERS[name]
    pairs = zip(inputs(beginnings, SIZE), inputs(beginnings, 16 * SIZE), strict=True)
    measured = [(what, growth_of(parse, text, longer)) for (what, text), (_, longer) in pairs]
    return [(name, what, *growth) for what, growth in measured if growth is not None]


def growth_of(parse: Parse, text: str, longer: str) -> tuple[float, float] | None:
    """Return the seconds of both where sixteen times the input takes over sixty-four times as long, else None.

    Linear is 16, quadratic 256. What seems to pass the limit is measured again, twice, before it counts.
    """
    for tries in (1, 3, 10):
        short, long = _times(parse, text, longer, tries)
        if long < max(64 * short, 0.001):
            return None
    return short, long


def _times(parse: Parse, text: str, longer: str, tries: int) -> tuple[float, float]:
    """Seconds of the fastest of each, taken in turns: a machine changes its speed."""
    short, long = [], []
    for _ in range(tries):
        short += [_time(parse, text) for _ in range(3)]
        long.append(_time(parse, longer))
    return min(short), min(long)


def _time(parse: Parse, text: str) -> float:
    start = time.process_time()
    tried(parse, text)
    return time.process_time() - start


if __name__ == "__main__":
    gc.disable()
    sys.stdout.write(json.dumps([slow for name in sys.argv[1:] for slow in _slow_in(name)]))
