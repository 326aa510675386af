"""The command line of the benchmarks: `python -m benchmarks inprocess | servers | memory | realtime | all`."""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from benchmarks import inprocess, memory, servers
from benchmarks.budgets import format_verdicts, is_missed, judge
from benchmarks.processes import ROOT
from benchmarks.published import published_python
from benchmarks.realtime import measure as realtime
from benchmarks.report import write_report
from benchmarks.results import Results, load_results, save_results
from benchmarks.serve import SERVERS
from benchmarks.workloads import WORKLOADS

__all__ = ["main"]

_KEPT = "results.json"
_KINDS = ("inprocess", "servers", "memory", "realtime", "all")


def main(arguments: list[str] | None = None) -> int:
    """Measure what was asked for, keep and report it; 1 when `--strict` and a budget is missed."""
    options = _parser().parse_args(arguments)
    kept = options.output / _KEPT
    results = load_results(kept)
    if options.kind in ("inprocess", "all"):
        results.inprocess = inprocess.measure(_in_process_plan(options))
    if options.kind in ("memory", "all"):
        results.memory = memory.measure(options.memory_framework, requests=options.memory_requests)
    if options.kind in ("servers", "all"):
        results.servers = servers.measure(_server_plan(options))
    if options.kind in ("realtime", "all"):
        results.realtime = realtime.measure(_real_time_plan(options), results.realtime)
    if not options.dry:
        save_results(results, kept)
        write_report(results, options.output)
    return _conclude(results, strict=options.strict)


def _conclude(results: Results, *, strict: bool) -> int:
    verdicts = judge(results)
    print(f"\n{format_verdicts(verdicts)}")
    return 1 if strict and is_missed(verdicts) else 0


def _in_process_plan(options: argparse.Namespace) -> inprocess.Plan:
    frameworks = tuple(_module(name) for name in options.frameworks) or inprocess.FRAMEWORKS
    published = options.published_python
    if published is None and "published_app" in frameworks and not options.no_published:
        published = published_python()
    return inprocess.Plan(
        frameworks=frameworks,
        workloads=tuple(options.workloads) or tuple(WORKLOADS),
        rounds=options.rounds,
        requests=options.requests,
        round_s=options.round_seconds,
        core=options.core,
        published=published,
    )


def _server_plan(options: argparse.Namespace) -> servers.ServerPlan:
    wanted = options.workloads or WORKLOADS
    field = tuple(
        replace(contender, workloads=workloads)
        for contender in servers.DEFAULT_FIELD
        if (workloads := tuple(name for name in contender.workloads if name in wanted))
        and (not options.servers or contender.server in options.servers)
        and (
            not options.frameworks
            or contender.framework.startswith(("raw", "granian"))
            or contender.framework in map(_module, options.frameworks)
        )
    )
    return servers.ServerPlan(contenders=field, rounds=options.server_rounds, seconds=options.seconds)


def _real_time_plan(options: argparse.Namespace) -> realtime.RealTimePlan:
    return realtime.RealTimePlan(
        parts=tuple(options.parts) or realtime.PARTS,
        clients=options.clients,
        slices=options.slices,
        soak_s=options.soak_seconds,
        sockets=options.sockets,
        engine_s=options.engine_seconds,
    )


def _module(name: str) -> str:
    return name if name.endswith("_app") else f"{name}_app"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("kind", nargs="?", default="inprocess", choices=_KINDS)
    parser.add_argument("--strict", action="store_true", help="exit with 1 when a budget is missed")
    parser.add_argument("--dry", action="store_true", help="print only: keep no results and write no report")
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "benchmarks", help="folder of the report")
    parser.add_argument("--frameworks", nargs="*", default=[], help="for example: nexios starlette published")
    parser.add_argument("--workloads", nargs="*", default=[], choices=tuple(WORKLOADS))
    parser.add_argument("--rounds", type=int, default=5, help="in-process rounds")
    parser.add_argument("--requests", type=int, default=20_000, help="requests a round, at most")
    parser.add_argument("--round-seconds", type=float, default=1.0, help="a slow framework's round ends about here")
    parser.add_argument("--core", type=int, default=0, help="processor of the in-process measurements")
    parser.add_argument("--published-python", type=Path, help="interpreter that has the published nexios")
    parser.add_argument("--no-published", action="store_true", help="leave the published nexios out")
    parser.add_argument("--servers", nargs="*", default=[], choices=SERVERS)
    parser.add_argument("--server-rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3, help="turns of a second for one workload of one server round")
    parser.add_argument("--parts", nargs="*", default=[], choices=realtime.PARTS, help="of the real-time benchmarks")
    parser.add_argument("--clients", type=int, default=500, help="sockets that one message goes to")
    parser.add_argument("--slices", type=int, default=16, help="turns of each server with these sockets")
    parser.add_argument("--soak-seconds", type=float, default=60.0)
    parser.add_argument("--sockets", type=int, default=5000, help="sockets that say nothing")
    parser.add_argument("--engine-seconds", type=float, default=5.0)
    parser.add_argument("--memory-framework", default="nexios_app")
    parser.add_argument("--memory-requests", type=int, default=100_000)
    return parser


if __name__ == "__main__":
    sys.exit(main())
