"""How much of a raw application's throughput is left under a real server?

Server on one processor, load on another, loopback only. In each round the applications
of one server are started and warmed together, and then take turns of a second, so that
a slow moment of the machine hits all of them: an idle neighbour costs nothing. A ratio
compares with the raw application of the same server in the same turn; the median over
all turns is reported. Where the system tells it, the server's own processor time is
read too: requests a processor second say the same on a quiet machine, and something
useful on a busy one.
"""

import importlib
import importlib.metadata
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException
from itertools import product
from statistics import median

from benchmarks.load import LoadFailed, loader_name, run_load
from benchmarks.processes import cpu_seconds, end, environment, free_port, pinned
from benchmarks.results import Servers, Throughput
from benchmarks.workloads import WORKLOADS, Workload

__all__ = ["DEFAULT_FIELD", "Contender", "ServerPlan", "measure"]

_RAW = {"uvicorn": "raw", "hypercorn": "raw", "granian-asgi": "raw", "granian-rsgi": "raw_rsgi"}
_PEERS = ("starlette_app", "blacksheep_app", "falcon_app", "fastapi_app", "litestar_app")
_START_S = 20.0
_WARM_UP_S = 1.0
_TURN_S = 1.0


@dataclass(frozen=True, slots=True)
class Contender:
    """One application under one server, and what it is asked for. It is the application of the first workload."""

    server: str
    framework: str
    workloads: tuple[str, ...] = ("plain", "json")


_FILES = ("static",)

DEFAULT_FIELD = (
    *(Contender("uvicorn", name) for name in ("raw", "nexios_app", *_PEERS)),
    *(Contender("hypercorn", name) for name in ("raw", "nexios_app", "starlette_app")),
    *(Contender("granian-asgi", name) for name in ("raw", "nexios_app", "starlette_app", "blacksheep_app")),
    *(Contender("granian-rsgi", name) for name in ("raw_rsgi", "nexios_app")),
    *(Contender("uvicorn", name, _FILES) for name in ("raw", "nexios_app", "starlette_app")),
    *(Contender("granian-asgi", name, _FILES) for name in ("raw", "nexios_app", "starlette_app")),
    *(Contender("granian-rsgi", name, _FILES) for name in ("raw_rsgi", "nexios_app", "granian_static")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerPlan:
    """What to load and how long: `seconds`, which are the turns too, for each workload of each round."""

    contenders: tuple[Contender, ...] = DEFAULT_FIELD
    rounds: int = 3
    seconds: int = 3
    server_core: int | None = 0
    load_core: int | None = 1


@dataclass(frozen=True, slots=True)
class _Sample:
    contender: Contender
    workload: str
    turn: int
    per_second: float
    per_cpu_second: float | None


@dataclass(frozen=True, slots=True)
class _Server:
    port: int
    pid: int


def measure(plan: ServerPlan) -> Servers:
    """Run the whole plan; what cannot be started is left out with a line that says so."""
    samples: list[_Sample] = []
    unable: set[Contender] = set()
    for number in range(plan.rounds):
        turns = range(number * plan.seconds, (number + 1) * plan.seconds)
        for field in _fields(plan.contenders):
            samples.extend(_sampled([each for each in field if each not in unable], turns, plan, unable))
    return Servers(
        date=datetime.now(tz=UTC).date().isoformat(),
        python=platform.python_version(),
        loader=loader_name(),
        rounds=plan.rounds,
        seconds=plan.seconds,
        versions=_versions(plan),
        throughputs=tuple(_summary(samples, plan)),
    )


def _fields(contenders: Iterable[Contender]) -> list[list[Contender]]:
    """Those of one server that are asked the same stand side by side."""
    fields: dict[tuple[str, tuple[str, ...]], list[Contender]] = {}
    for contender in contenders:
        fields.setdefault((contender.server, contender.workloads), []).append(contender)
    return list(fields.values())


def _sampled(field: list[Contender], turns: range, plan: ServerPlan, unable: set[Contender]) -> list[_Sample]:
    samples = []
    with ExitStack() as stack:
        servers: dict[Contender, _Server] = {}
        for contender in field:
            with _left_out(contender, unable):
                servers[contender] = stack.enter_context(_running(contender, plan.server_core))
                run_load(servers[contender].port, WORKLOADS[contender.workloads[0]].path, _WARM_UP_S, plan.load_core)
        for turn, workload in product(turns, field[0].workloads if field else ()):
            for contender in [each for each in servers if each not in unable]:
                with _left_out(contender, unable):
                    samples.append(_measured(contender, turn, workload, servers[contender], plan))
    return samples


@contextmanager
def _left_out(contender: Contender, unable: set[Contender]) -> Iterator[None]:
    try:
        yield
    except LoadFailed as exc:
        unable.add(contender)
        _say(f"left out: {contender.framework} under {contender.server}: {exc}")


def _measured(contender: Contender, turn: int, workload: str, server: _Server, plan: ServerPlan) -> _Sample:
    before = cpu_seconds(server.pid)
    load = run_load(server.port, WORKLOADS[workload].path, _TURN_S, plan.load_core)
    spent = cpu_seconds(server.pid) - before
    rate, cpu_rate = load.requests / load.seconds, load.requests / spent if spent > 0 else None
    _say(
        f"turn {turn + 1:2} {contender.server:13} {contender.framework:15} {workload:6} {rate:8.0f}/s"
        f" {cpu_rate or 0:8.0f}/cpu s"
    )
    return _Sample(contender, workload, turn, rate, cpu_rate)


@contextmanager
def _running(contender: Contender, core: int | None) -> Iterator[_Server]:
    """Start the server on a free port, wait for its first answer, and end it afterwards."""
    port = free_port()
    first = contender.workloads[0]
    command = [sys.executable, "-P", "-m", "benchmarks.serve", contender.server, contender.framework, str(port), first]
    with tempfile.TemporaryFile(mode="w+", encoding="utf-8", errors="replace") as words:
        with pinned(core):
            process = subprocess.Popen(
                command, env=environment(), cwd=tempfile.gettempdir(), stdout=subprocess.DEVNULL, stderr=words
            )
        try:
            if not _answers(WORKLOADS[first], port, process):
                words.seek(0)
                raise LoadFailed((words.read().strip().splitlines() or ["no answer"])[-1])
            yield _Server(port, process.pid)
        finally:
            end(process)


def _answers(workload: Workload, port: int, process: "subprocess.Popen[bytes]") -> bool:
    """Wait until a request is answered rightly; False when the process ended or too much time went by."""
    deadline = time.monotonic() + _START_S
    while process.poll() is None and time.monotonic() < deadline:
        if _is_right(workload, port):
            return True
        time.sleep(0.05)
    return False


def _is_right(workload: Workload, port: int) -> bool:
    with closing(HTTPConnection("127.0.0.1", port, timeout=2)) as connection:
        try:
            connection.request(workload.method, workload.path)
            answer = connection.getresponse()
            return answer.status == 200 and workload.accepts(answer.read())
        except (OSError, HTTPException, ValueError):
            return False


def _summary(samples: Iterable[_Sample], plan: ServerPlan) -> Iterator[Throughput]:
    found = {(s.contender.server, s.contender.framework, s.workload, s.turn): s for s in samples}
    for contender in plan.contenders:
        for workload in contender.workloads:
            row = _row(found, contender, workload, plan.rounds * plan.seconds)
            if row is not None:
                yield row


def _row(
    found: Mapping[tuple[str, str, str, int], _Sample], contender: Contender, workload: str, turns: int
) -> Throughput | None:
    server, framework, raw = contender.server, contender.framework, _RAW[contender.server]
    mine = [found.get((server, framework, workload, turn)) for turn in range(turns)]
    yard = [found.get((server, raw, workload, turn)) for turn in range(turns)]
    pairs = [(sample, base) for sample, base in zip(mine, yard, strict=True) if sample and base]
    if not pairs:
        return None
    cpu = [s.per_cpu_second / b.per_cpu_second for s, b in pairs if s.per_cpu_second and b.per_cpu_second]
    return Throughput(
        server=server,
        framework=_name(framework),
        workload=workload,
        per_second=median(sample.per_second for sample, _ in pairs),
        per_cpu_second=median(rates) if (rates := [s.per_cpu_second for s, _ in pairs if s.per_cpu_second]) else None,
        against=_name(raw),
        ratio=median(sample.per_second / base.per_second for sample, base in pairs),
        cpu_ratio=median(cpu) if cpu else None,
    )


def _name(framework: str) -> str:
    return str(importlib.import_module(f"benchmarks.apps.{framework}").NAME)


def _versions(plan: ServerPlan) -> dict[str, str]:
    packages = {contender.server.partition("-")[0] for contender in plan.contenders}
    packages |= {contender.framework.removesuffix("_app") for contender in plan.contenders}
    return {name: version for name in sorted(packages) if (version := _version(name)) is not None}


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _say(line: str) -> None:
    print(line, flush=True)
