"""How do the figures read? A page of tables and one chart, made from the kept results.

Nothing of the machine is told but the version of Python: the numbers that mean
something elsewhere are the ratios.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.budgets import OURS, extra_cost, judge, routes_growth
from benchmarks.chart import Bar, BarGroup, draw_bars
from benchmarks.realtime.report import real_time
from benchmarks.results import InProcess, Memory, Results, Servers
from benchmarks.tables import cell, stamp, table
from benchmarks.workloads import MIDDLEWARES, WORKLOADS

__all__ = ["format_report", "write_report"]

_INTRODUCTION = """\
# Benchmark results

Only the ratios mean anything: absolute times belong to one machine on one day, and these were taken on a shared one.
Run `python3 dev bench` to make this page again.
"""

_IN_PROCESS_NOTE = """\
In process, on one core, with a `send` that does nothing: {rounds} rounds of ten slices, frameworks taking turns.
Each cell is the time of one request over the time of a hand-written ASGI application that does the same work,
the median over neighbouring slices of the same process. Smaller is better; 1.0 is the hand-written one.
"""

_SERVERS_NOTE = """\
Server on one core, load ({loader}) on another, {rounds} alternating rounds of {seconds:g} s; medians.
*Share* is the throughput over that of the raw application of the same server in the same round.
By processor time it counts requests for each second the server computed, which a busy machine disturbs less.
Larger is better.
"""

_CHARTED = ("plain", "json", "path")
_LONGEST_BAR = 25.0


def write_report(results: Results, folder: Path) -> None:
    """Write `results.md`, and `inprocess.svg` when there are in-process figures, into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.md").write_text(format_report(results), encoding="utf-8")
    if results.inprocess is not None:
        (folder / "inprocess.svg").write_text(_chart(results.inprocess), encoding="utf-8")


def format_report(results: Results) -> str:
    """Return the page as Markdown."""
    parts = [_INTRODUCTION, _verdict_table(results)]
    if results.inprocess is not None:
        parts.extend(_in_process(results.inprocess))
    if results.servers is not None:
        parts.extend(_servers(results.servers))
    if results.memory is not None:
        parts.append(_memory(results.memory))
    if results.realtime is not None:
        parts.extend(real_time(results.realtime))
    return "\n".join(parts)


def _verdict_table(results: Results) -> str:
    rows = [
        (
            verdict.budget.title,
            verdict.budget.bounds,
            "" if verdict.figure is None else f"{verdict.figure:.2f}",
            verdict.word,
        )
        for verdict in judge(results)
    ]
    return "## Budgets\n\n" + table(("budget", "limit", "measured", "verdict"), rows)


def _in_process(figures: InProcess) -> Iterable[str]:
    names = tuple(figures.versions)
    yield f"## One request in process\n\n{_IN_PROCESS_NOTE.format(rounds=figures.rounds)}"
    yield "![Cost of one request over a hand-written one](inprocess.svg)\n"
    yield table(("work", "raw, µs", *names), [_workload_row(figures, work, names) for work in WORKLOADS])
    yield "### Derived\n"
    yield table(("", *names), _derived_rows(figures, names))
    if figures.hops:
        frames = ", ".join(f"{count} ({workload})" for workload, count in figures.hops.items())
        yield f"Python frames of nexios in one warm GET: {frames}.\n"
    yield stamp(figures.date, f"Python {figures.python}, {figures.loop}", figures.versions)


def _workload_row(figures: InProcess, workload: str, names: Sequence[str]) -> tuple[str, ...]:
    found = [figures.timing(name, workload) for name in names]
    raw = min((timing.raw_us for timing in found if timing is not None), default=None)
    cells = (
        cell(None if timing is None else timing.ratio, bold=name == OURS)
        for name, timing in zip(names, found, strict=True)
    )
    return (WORKLOADS[workload].title, cell(raw), *cells)


def _derived_rows(figures: InProcess, names: Sequence[str]) -> list[tuple[str, ...]]:
    plain = {build.framework: build.seconds for build in figures.builds if build.workload == "routes_many"}
    typed = {build.framework: build for build in figures.builds if build.workload == "typed_many"}
    return [
        ("one middleware, x raw", *(cell(extra_cost(figures, name, "middleware", MIDDLEWARES)) for name in names)),
        ("one async dependency, x raw", *(cell(extra_cost(figures, name, "dependency", 1)) for name in names)),
        ("ten in a chain, x raw", *(cell(extra_cost(figures, name, "dependencies", 1)) for name in names)),
        ("2,000 routes over 3", *(cell(routes_growth(figures, name)) for name in names)),
        ("2,000 routes to first answer, s", *(cell(plain.get(name)) for name in names)),
        ("2,000 typed routes to first answer, s", *(cell(typed[n].seconds if n in typed else None) for n in names)),
        ("their OpenAPI document, s", *(cell(typed[n].document_s if n in typed else None) for n in names)),
        ("import, ms", *(cell(figures.import_ms.get(name)) for name in names)),
    ]


def _servers(figures: Servers) -> Iterable[str]:
    note = _SERVERS_NOTE.format(loader=figures.loader, rounds=figures.rounds, seconds=figures.seconds)
    rows = [
        (
            found.server,
            found.framework,
            WORKLOADS[found.workload].title,
            f"{found.per_second:.0f}",
            f"{found.ratio:.2f}",
            cell(found.cpu_ratio),
        )
        for found in figures.throughputs
    ]
    yield f"## Under a server\n\n{note}"
    yield table(("server", "application", "work", "requests/s", "share", "share by processor time"), rows)
    yield stamp(figures.date, f"Python {figures.python}", figures.versions)


def _memory(figures: Memory) -> str:
    return (
        f"## Memory\n\nThe resident set of {figures.framework} changed by {figures.delta_mib:+.2f} MiB over"
        f" {figures.requests:,} requests of mixed outcome, after a warm-up of {figures.warm_up:,}.\n\n"
        f"{figures.date}, Python {figures.python}.\n"
    )


def _chart(figures: InProcess) -> str:
    groups = []
    for workload in _CHARTED:
        timings = sorted((t for t in figures.timings if t.workload == workload), key=lambda timing: timing.ratio)
        if timings:
            bars = [Bar(timing.framework, timing.ratio, is_ours=timing.framework == OURS) for timing in timings]
            groups.append(BarGroup(WORKLOADS[workload].title, [Bar("raw ASGI, by hand", 1.0), *bars]))
    note = f"Smaller is better. A bar is cut at {_LONGEST_BAR:g}; its number is not."
    return draw_bars("Time of one request, hand-written ASGI = 1", note, groups, longest=_LONGEST_BAR)
