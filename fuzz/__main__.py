"""Drive targets with atheris: `python -m fuzz [TARGET ...] [--seconds N]`. Which of them broke a promise, and by what?

What was found stays in `.cache/fuzz/NAME`: the corpus, from which the next run goes on, and each input that broke
something. Put such an input among the seeds of its target when the fault is mended, and write a test of the behaviour.
"""

import argparse
import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from fuzz.target import Target
from fuzz.targets import TARGETS

__all__ = ["main"]

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / ".cache" / "fuzz"
_HANGS = 20
"""Seconds after which one input counts as one that never ends; the largest takes a few milliseconds."""
_GRACE = 120
"""Seconds for the start and the end of a process on a busy machine."""
_MEMORY_MIB = 2048


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one target: how many inputs it ran, and what it said when it broke; "" when it did not."""

    name: str
    runs: int
    fault: str


def main(arguments: Sequence[str] | None = None) -> int:
    """Drive what was asked for, a line for each target; 1 when one of them broke."""
    options = _options(arguments)
    unknown = [name for name in options.targets if name not in TARGETS]
    if unknown:
        print(f"fuzz: there is no target {unknown[0]!r}; there are: {', '.join(TARGETS)}", file=sys.stderr)
        return 2
    if importlib.util.find_spec("atheris") is None:
        print(
            "fuzz: atheris is not installed; it is made for Linux, where 'python3 dev fuzz' brings it", file=sys.stderr
        )
        return 2
    targets = [TARGETS[name] for name in options.targets or TARGETS]
    with ThreadPoolExecutor(options.jobs) as pool:
        return _report(pool.map(partial(_driven, seconds=options.seconds), targets))


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python3 dev fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="target", help=f"all of them, or some of: {', '.join(TARGETS)}")
    parser.add_argument("--seconds", type=int, default=60, help="for each target; 60 unless given")
    parser.add_argument("--jobs", type=int, default=2, help="targets at a time; 2 unless given")
    return parser.parse_args(arguments)


def _report(outcomes: Iterable[Outcome]) -> int:
    broken: list[Outcome] = []
    for outcome in outcomes:
        print(f"{outcome.name:20}{outcome.runs:10,} inputs  {'BROKE' if outcome.fault else 'ok'}", flush=True)
        broken += [outcome] if outcome.fault else []
    for outcome in broken:
        print(f"\n--- {outcome.name}; the input is in {KEPT / outcome.name}\n{outcome.fault.strip()}", flush=True)
    return 1 if broken else 0


def _driven(target: Target, *, seconds: int) -> Outcome:
    corpus = KEPT / target.name / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target.seeds):
        (corpus / f"seed-{number}").write_bytes(seed)
    words = KEPT / target.name / "words"
    words.write_text("".join(f'"{_escaped(word)}"\n' for word in target.words))
    options = [
        f"-max_total_time={seconds}",
        f"-max_len={target.longest}",
        f"-timeout={_HANGS}",
        f"-rss_limit_mb={_MEMORY_MIB}",
        f"-artifact_prefix={KEPT / target.name}{os.sep}",
        f"-dict={words}",
        str(corpus),
    ]
    try:
        ended = subprocess.run(
            ["nice", sys.executable, "-m", "fuzz.engine", target.name, *options],
            cwd=ROOT, capture_output=True, timeout=seconds + _GRACE, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return Outcome(target.name, 0, f"it did not end within {seconds + _GRACE} seconds")
    said = (ended.stdout + ended.stderr).decode("utf-8", "replace")
    return Outcome(target.name, _runs(said), _fault(said) if ended.returncode else "")


def _escaped(word: bytes) -> str:
    return "".join(f"\\x{byte:02X}" for byte in word)


def _runs(said: str) -> int:
    """How many inputs were tried, from the last line that tells."""
    told = re.findall(r"^(?:Done |#)(\d+)", said, re.MULTILINE)
    return int(told[-1]) if told else 0


def _fault(said: str) -> str:
    """What comes after the exception, else the end."""
    _, found, rest = said.partition("=== Uncaught Python exception: ===")
    lines = [line for line in (rest if found else said).splitlines() if not line.startswith("INFO: ")]
    return "\n".join(lines[:40] if found else lines[-40:])


if __name__ == "__main__":
    sys.exit(main())
