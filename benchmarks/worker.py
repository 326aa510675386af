"""The measuring process: one framework, one core, one request after another.

It reads commands and writes results as lines of JSON, so that the parent can let
every framework take its turn. A round is cut into slices, of the raw application
and of the framework in turn, so that a ratio compares moments a few milliseconds
apart on a processor whose speed changes. Imports only the standard library, this package and one framework.
"""

import asyncio
import gc
import importlib
import importlib.metadata
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

from benchmarks.apps import raw
from benchmarks.asgi import AsgiApplication
from benchmarks.client import Answer, Feed, Lifespan, ask, discard, scope_of
from benchmarks.workloads import MANY_ROUTES, WORKLOADS, Workload

__all__ = ["main"]

_WARM_UP = 200
_SLICES = 10
_REFUSED = (400, 422)
_UNIT = WORKLOADS["plain"]


class Bench:
    """One framework under measurement: its applications, built once per workload."""

    def __init__(self, framework: str, loop: asyncio.AbstractEventLoop) -> None:
        self._module = importlib.import_module(f"benchmarks.apps.{framework}")
        self._loop = loop
        self._apps: dict[str, AsgiApplication] = {}
        self._baselines: dict[str, AsgiApplication] = {}
        self._lifespans: list[Lifespan] = []

    def about(self) -> dict[str, object]:
        """Return the name, the version and the Python of what is measured here."""
        package = self._module.PACKAGE
        return {
            "name": self._module.NAME,
            "version": importlib.metadata.version(package) if package and not _from_tree(package) else "",
            "python": platform.python_version(),
            "loop": type(self._loop).__module__.partition(".")[0],
        }

    def prepare(self, workload: Workload) -> dict[str, object]:
        """Build, start, check and warm up; `build_s` includes the first answer."""
        began = time.perf_counter()
        app = self._module.build(workload.name)
        if app is None:
            return {"supported": False}
        lifespan = Lifespan(app)
        self._loop.run_until_complete(lifespan.startup())
        self._lifespans.append(lifespan)
        self._check(workload, app)
        build_s = time.perf_counter() - began
        baseline = raw.build(workload.name)
        if baseline is None:
            raise RuntimeError(f"the raw application lacks the workload {workload.name}")
        self._check(workload, baseline)
        self._apps[workload.name], self._baselines[workload.name] = app, baseline
        self._time(workload, baseline, _WARM_UP)
        estimate = self._time(workload, app, _WARM_UP)
        return {"supported": True, "build_s": build_s, "estimate_us": estimate}

    def round(self, workload: Workload, requests: int) -> dict[str, object]:
        """Return microseconds a request, slice by slice: the unit, the raw application, the framework.

        The unit is the raw application answering plain text, whatever the workload. Where the workload adds to the
        plain request of the framework, that has its slices too, for the difference is smaller than a change of speed.
        """
        taking_turns = {
            "unit_us": (_UNIT, raw.plain),
            "raw_us": (workload, self._baselines[workload.name]),
            "app_us": (workload, self._apps[workload.name]),
        }
        if workload.adds and _UNIT.name in self._apps:
            taking_turns["plain_us"] = (_UNIT, self._apps[_UNIT.name])
        size = max(1, requests // _SLICES)
        gc.collect()
        slices = [[self._time(*turn, size) for turn in taking_turns.values()] for _ in range(_SLICES)]
        return {name: list(times) for name, times in zip(taking_turns, zip(*slices, strict=True), strict=True)}

    def hops(self, workload: Workload) -> dict[str, object]:
        """Return how many Python frames of the framework's own files a warm request enters."""
        module = sys.modules.get(self._module.PACKAGE)
        if module is None or module.__file__ is None:
            return {"hops": None}
        with _counted_calls(str(Path(module.__file__).parent) + os.sep) as entered:
            self._time(workload, self._apps[workload.name], 1)
        return {"hops": len(entered), "frames": entered}

    def document(self, workload: Workload) -> dict[str, object]:
        """Return the seconds in which a fresh application describes its routes in OpenAPI; None where it cannot.

        The application is built and has started before the time begins.
        """
        describe = getattr(self._module, "document", None)
        app = None if describe is None else self._module.build(workload.name)
        if describe is None or app is None:
            return {"document_s": None}
        lifespan = Lifespan(app)
        self._loop.run_until_complete(lifespan.startup())
        self._lifespans.append(lifespan)
        began = time.perf_counter()
        described = describe(app)
        document_s = time.perf_counter() - began
        if len(described["paths"]) != MANY_ROUTES:
            raise RuntimeError(f"{self._module.NAME}: {len(described['paths'])} paths of {MANY_ROUTES} are described")
        return {"document_s": document_s}

    def close(self) -> None:
        for lifespan in self._lifespans:
            self._loop.run_until_complete(lifespan.shutdown())

    def _check(self, workload: Workload, app: AsgiApplication) -> None:
        answer = self._ask(workload, app)
        if answer.status != 200 or not workload.accepts(answer.body):
            raise RuntimeError(f"{self._module.NAME}, {workload.name}: {answer.status} {answer.body[:200]!r}")
        wrong = workload.as_wrong()
        if wrong is not None and (answer := self._ask(wrong, app)).status not in _REFUSED:
            raise RuntimeError(f"{self._module.NAME}, {workload.name}, not refused: {answer.status}")

    def _ask(self, workload: Workload, app: AsgiApplication) -> Answer:
        return self._loop.run_until_complete(ask(app, scope_of(workload), workload.body))

    def _time(self, workload: Workload, app: AsgiApplication, requests: int) -> float:
        return self._loop.run_until_complete(_serve(app, workload, requests)) / requests * 1e6


async def _serve(app: AsgiApplication, workload: Workload, requests: int) -> float:
    """Return the seconds that `requests` take one after another; the loop does as little as it can."""
    template = scope_of(workload)
    feed = Feed()
    receive = feed.receive
    message = {"type": "http.request", "body": workload.body, "more_body": False}
    began = time.perf_counter()
    for _ in range(requests):
        feed.pending = message
        await app({**template}, receive, discard)
    return time.perf_counter() - began


@contextmanager
def _counted_calls(folder: str) -> Iterator[list[str]]:
    entered: list[str] = []

    def profile(frame: FrameType, event: str, argument: object) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(folder):
            entered.append(f"{frame.f_code.co_filename[len(folder) :]}:{frame.f_code.co_name}")

    sys.setprofile(profile)
    try:
        yield entered
    finally:
        sys.setprofile(None)


def _from_tree(package: str) -> bool:
    """True when `package` is imported from the working tree, whose version is not a release."""
    location = getattr(sys.modules.get(package), "__file__", None)
    return location is not None and Path(location).is_relative_to(Path(__file__).resolve().parent.parent / package)


def _commands(bench: Bench) -> dict[str, Callable[[dict[str, Any]], dict[str, object]]]:
    return {
        "about": lambda command: bench.about(),
        "prepare": lambda command: bench.prepare(WORKLOADS[command["workload"]]),
        "round": lambda command: bench.round(WORKLOADS[command["workload"]], command["requests"]),
        "document": lambda command: bench.document(WORKLOADS[command["workload"]]),
        "hops": lambda command: bench.hops(WORKLOADS[command["workload"]]),
    }


def _obey(bench: Bench, source: TextIO, target: TextIO) -> None:
    commands = _commands(bench)
    for line in source:
        command = json.loads(line)
        try:
            result = commands[command["do"]](command)
        except Exception as exc:  # the parent decides what a failure is worth
            result = {"failed": f"{type(exc).__name__}: {exc}"}
        print(json.dumps(result), file=target, flush=True)


def _runner() -> asyncio.Runner:
    try:
        uvloop = importlib.import_module("uvloop")
    except ImportError:
        return asyncio.Runner()
    return asyncio.Runner(loop_factory=uvloop.new_event_loop)


def main(framework: str, core: int | None) -> None:
    """Measure `framework` on processor `core` until the commands on standard input end."""
    if core is not None and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {core})
    answers, sys.stdout = sys.stdout, sys.stderr  # a framework that prints must not break the protocol
    with _runner() as runner:
        bench = Bench(framework, runner.get_loop())
        _obey(bench, sys.stdin, answers)
        bench.close()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else None)
