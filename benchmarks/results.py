"""What was measured, as values that outlive the process that measured them.

Kept as JSON beside the report, so that one kind of benchmark can be run again
without losing the figures of the others. Holds no path and no host name.
"""

from pathlib import Path

import msgspec

from benchmarks.realtime.figures import RealTime

__all__ = [
    "Build",
    "InProcess",
    "Memory",
    "Results",
    "Servers",
    "Throughput",
    "Timing",
    "load_results",
    "save_results",
]


class Timing(msgspec.Struct, frozen=True):
    """One framework at one workload: the best slice of all rounds, in microseconds a request.

    `raw_us` is the best slice of the raw application in the same process. `ratio`
    is the median of framework over raw in neighbouring slices, `units` that of
    framework over the raw application answering plain text. `added` is the median, in the
    same unit, of what neighbouring slices took longer than the plain request of the framework.
    """

    framework: str
    workload: str
    best_us: float
    raw_us: float
    ratio: float
    units: float
    requests: int
    added: float | None = None


class Build(msgspec.Struct, frozen=True):
    """Seconds from nothing to the first answer of an application with 2,000 routes.

    `workload` says which routes; `document_s` is how long their OpenAPI document takes, None where there is none.
    """

    framework: str
    seconds: float
    workload: str = "routes_many"
    document_s: float | None = None


class InProcess(msgspec.Struct, frozen=True):
    """The in-process figures of one day; `hops` counts Python frames of a warm request by workload."""

    date: str
    python: str
    loop: str
    rounds: int
    versions: dict[str, str]
    timings: tuple[Timing, ...]
    builds: tuple[Build, ...]
    import_ms: dict[str, float]
    hops: dict[str, int]

    def timing(self, framework: str, workload: str) -> Timing | None:
        return next((t for t in self.timings if (t.framework, t.workload) == (framework, workload)), None)

    def build(self, framework: str, workload: str) -> Build | None:
        return next((b for b in self.builds if (b.framework, b.workload) == (framework, workload)), None)


class Throughput(msgspec.Struct, frozen=True):
    """One application under one server: requests a second, and the share of the raw one in the same round.

    All are medians over the rounds; `against` names the raw application that is
    1.0. The `cpu` figures count seconds of the server's processor time.
    """

    server: str
    framework: str
    workload: str
    per_second: float
    per_cpu_second: float | None
    against: str
    ratio: float
    cpu_ratio: float | None

    @property
    def share(self) -> float:
        """The share of the raw application's throughput, by processor time where that is known."""
        return self.ratio if self.cpu_ratio is None else self.cpu_ratio

    @property
    def rate(self) -> float:
        """Requests a processor second where that is known, else a second."""
        return self.per_second if self.per_cpu_second is None else self.per_cpu_second


class Servers(msgspec.Struct, frozen=True):
    """The throughput figures of one day."""

    date: str
    python: str
    loader: str
    rounds: int
    seconds: float
    versions: dict[str, str]
    throughputs: tuple[Throughput, ...]

    def throughput(self, server: str, framework: str, workload: str) -> Throughput | None:
        wanted = (server, framework, workload)
        return next((t for t in self.throughputs if (t.server, t.framework, t.workload) == wanted), None)


class Memory(msgspec.Struct, frozen=True):
    """Growth of the resident set over `requests` requests of mixed outcome, in MiB."""

    date: str
    python: str
    framework: str
    requests: int
    warm_up: int
    delta_mib: float
    samples_mib: tuple[float, ...]


class Results(msgspec.Struct):
    """The latest figures of each kind; None was never measured."""

    inprocess: InProcess | None = None
    servers: Servers | None = None
    memory: Memory | None = None
    realtime: RealTime | None = None


def load_results(path: Path) -> Results:
    """Return the results kept at `path`; empty ones when there are none, or of another shape than today's."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Results)
    except (FileNotFoundError, msgspec.DecodeError):
        return Results()


def save_results(results: Results, path: Path) -> None:
    """Write `results` to `path`, making its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=2) + b"\n")
