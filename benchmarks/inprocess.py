"""What does one request cost in process, next to the same work by hand?

One core, uvloop, a `send` that does nothing. Every framework has a measuring
process of its own; in each round they take their turn, so that a machine that
slows down hits them all, and each alternates slices of the raw application with
slices of the framework. Times are of the best slice; a ratio is the median of the
ratios of neighbouring slices, because a shared processor changes its speed for
longer than a slice and the best slices need not have met the same speed.
"""

import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from benchmarks.processes import WorkerFailed, WorkerProcess, environment, pinned
from benchmarks.results import Build, InProcess, Timing
from benchmarks.workloads import WORKLOADS, Workload

__all__ = ["FRAMEWORKS", "Plan", "measure"]

FRAMEWORKS = (
    "nexios_app",
    "starlette_app",
    "fastapi_app",
    "litestar_app",
    "blacksheep_app",
    "falcon_app",
    "published_app",
)

_OURS = "nexios_app"
_PUBLISHED = "published_app"
_COUNTED = ("plain", "json", "path")
_BUILT = ("routes_many", "typed_many")
_DESCRIBED = "typed_many"
_IMPORT_RUNS = 7
_IMPORT = "import time; began = time.perf_counter(); {0}; print(time.perf_counter() - began)"
_FRONT_DOORS = {
    "nexios_app": "from nexios import NexiosApp",
    "published_app": "from nexios import NexiosApp",
    "starlette_app": "from starlette.applications import Starlette",
    "fastapi_app": "from fastapi import FastAPI",
    "litestar_app": "from litestar import Litestar",
    "blacksheep_app": "from blacksheep import Application",
    "falcon_app": "from falcon.asgi import App",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to measure and how long.

    `round_s` bounds one round of one slow framework: it then holds fewer than
    `requests` requests, at least 200. `published` is the interpreter that has the
    published nexios; None leaves it out.
    """

    frameworks: Sequence[str] = FRAMEWORKS
    workloads: Sequence[str] = tuple(WORKLOADS)
    rounds: int = 5
    requests: int = 20_000
    round_s: float = 1.0
    core: int | None = 0
    published: Path | None = None


@dataclass(slots=True)
class _Entry:
    """One framework in the running: its process and what it has shown so far."""

    worker: WorkerProcess
    name: str
    version: str
    python: str
    loop: str
    requests: dict[str, int] = field(default_factory=dict)
    build_s: dict[str, float] = field(default_factory=dict)
    unit_us: dict[str, list[float]] = field(default_factory=dict)
    raw_us: dict[str, list[float]] = field(default_factory=dict)
    app_us: dict[str, list[float]] = field(default_factory=dict)
    plain_us: dict[str, list[float]] = field(default_factory=dict)


def measure(plan: Plan) -> InProcess:
    """Run the whole plan; a framework that cannot be imported is left out with a line that says so."""
    with ExitStack() as stack:
        entries = [entry for name in plan.frameworks if (entry := _enter(stack, name, plan)) is not None]
        if not entries:
            raise WorkerFailed("no framework could be started")
        for name in plan.workloads:
            _contest(entries, WORKLOADS[name], plan)
        return InProcess(
            date=datetime.now(tz=UTC).date().isoformat(),
            python=entries[0].python,
            loop=entries[0].loop,
            rounds=plan.rounds,
            versions={entry.name: entry.version or "working tree" for entry in entries},
            timings=tuple(_timing(entry, workload) for entry in entries for workload in entry.app_us),
            builds=tuple(_build(e, workload) for e in entries for workload in _BUILT if workload in e.build_s),
            import_ms=_import_times(entries, plan),
            hops=_hops(entries),
        )


def _enter(stack: ExitStack, framework: str, plan: Plan) -> _Entry | None:
    if framework == _PUBLISHED and plan.published is None:
        return None
    python = plan.published if framework == _PUBLISHED else None
    worker = stack.enter_context(WorkerProcess(framework, core=plan.core, python=python))
    try:
        about = worker.ask("about")
    except WorkerFailed as exc:
        _say(f"left out: {exc}")
        return None
    return _Entry(worker, about["name"], about["version"], about["python"], about["loop"])


def _contest(entries: Iterable[_Entry], workload: Workload, plan: Plan) -> None:
    able = [entry for entry in entries if _prepare(entry, workload, plan)]
    for _ in range(plan.rounds):
        for entry in able:
            result = entry.worker.ask("round", workload=workload.name, requests=entry.requests[workload.name])
            entry.unit_us.setdefault(workload.name, []).extend(result["unit_us"])
            entry.raw_us.setdefault(workload.name, []).extend(result["raw_us"])
            entry.app_us.setdefault(workload.name, []).extend(result["app_us"])
            entry.plain_us.setdefault(workload.name, []).extend(result.get("plain_us", ()))
    for entry in able:
        found = _timing(entry, workload.name)
        _say(
            f"{found.workload:12} {found.framework:24} {found.best_us:9.2f} us  raw {found.raw_us:6.2f} us"
            f"  x {found.ratio:.2f}  (best over best {found.best_us / found.raw_us:.2f})"
        )


def _prepare(entry: _Entry, workload: Workload, plan: Plan) -> bool:
    try:
        result = entry.worker.ask("prepare", workload=workload.name)
    except WorkerFailed as exc:
        _say(f"{workload.name}: left out: {exc}")
        return False
    if not result["supported"]:
        return False
    most = min(plan.requests, workload.requests)
    entry.requests[workload.name] = max(200, min(most, int(plan.round_s * 1e6 / result["estimate_us"])))
    entry.build_s[workload.name] = result["build_s"]
    return True


def _timing(entry: _Entry, workload: str) -> Timing:
    app_us, raw_us, unit_us = entry.app_us[workload], entry.raw_us[workload], entry.unit_us[workload]
    plain_us = entry.plain_us[workload]
    return Timing(
        framework=entry.name,
        workload=workload,
        best_us=min(app_us),
        raw_us=min(raw_us),
        ratio=_median_ratio(app_us, raw_us),
        units=_median_ratio(app_us, unit_us),
        requests=entry.requests[workload],
        added=_median_ratio([a - b for a, b in zip(app_us, plain_us, strict=True)], unit_us) if plain_us else None,
    )


def _median_ratio(times: Sequence[float], neighbours: Sequence[float]) -> float:
    return median(time / neighbour for time, neighbour in zip(times, neighbours, strict=True))


def _build(entry: _Entry, workload: str) -> Build:
    build = Build(entry.name, entry.build_s[workload], workload, _document_s(entry) if workload == _DESCRIBED else None)
    described = "" if build.document_s is None else f"  OpenAPI document {build.document_s:.2f} s"
    _say(f"{workload:12} {entry.name:24} first answer {build.seconds:.2f} s{described}")
    return build


def _document_s(entry: _Entry) -> float | None:
    try:
        seconds: float | None = entry.worker.ask("document", workload=_DESCRIBED)["document_s"]
    except WorkerFailed as exc:
        _say(f"document: left out: {exc}")
        return None
    return seconds


def _hops(entries: Iterable[_Entry]) -> dict[str, int]:
    ours = next((entry for entry in entries if entry.worker.framework == _OURS), None)
    if ours is None:
        return {}
    return {name: ours.worker.ask("hops", workload=name)["hops"] for name in _COUNTED if name in ours.app_us}


def _import_times(entries: Sequence[_Entry], plan: Plan) -> dict[str, float]:
    """Return milliseconds to import each framework, best of seven fresh interpreters, in turn."""
    times: dict[str, list[float]] = {}
    for _ in range(_IMPORT_RUNS):
        for entry in entries:
            times.setdefault(entry.name, []).append(_import_ms(entry, plan))
    return {name: min(runs) for name, runs in times.items()}


def _import_ms(entry: _Entry, plan: Plan) -> float:
    code = _IMPORT.format(_FRONT_DOORS[entry.worker.framework])
    published = entry.worker.framework == _PUBLISHED
    command = [str(plan.published), "-I", "-c", code] if published else [sys.executable, "-P", "-c", code]
    with pinned(plan.core):
        done = subprocess.run(
            command, env=environment(), cwd=tempfile.gettempdir(), capture_output=True, text=True, check=True
        )
    return float(done.stdout.splitlines()[-1]) * 1000


def _say(line: str) -> None:
    print(line, flush=True)
