"""Which costs did we promise to stay under, and did we?

The numbers are those of the design. A budget reads one figure out of the results;
a figure that was not measured is neither met nor missed.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from benchmarks.realtime.figures import Fanout, RealTime, Soak
from benchmarks.results import InProcess, Results, Servers
from benchmarks.workloads import DEPENDENCIES, MANY_ROUTES, MIDDLEWARES

__all__ = [
    "BUDGETS",
    "OURS",
    "Budget",
    "Verdict",
    "extra_cost",
    "format_verdicts",
    "is_missed",
    "judge",
    "routes_growth",
]

OURS = "nexios"
_RAW_ASGI = "raw ASGI"
_BY_HAND = "Starlette, by hand"
_RSGI = "granian-rsgi"

Figure = Callable[[Results], float | None]


@dataclass(frozen=True, slots=True)
class Budget:
    """One promise: the figure that `measured` finds is at most, or at least, `limit`.

    A figure without a limit is published and watched, because it is not ours alone (docs/adr, the RSGI budget).
    """

    title: str
    limit: float | None
    unit: str
    measured: Figure
    bound: Literal["at most", "at least"] = "at most"

    @property
    def bounds(self) -> str:
        """The limit in words, as "at most 2.6 x raw"."""
        return "no limit" if self.limit is None else f"{self.bound} {self.limit:g} {self.unit}"

    def is_met(self, figure: float) -> bool:
        """The limit itself is within the budget."""
        if self.limit is None:
            return True
        return figure <= self.limit if self.bound == "at most" else figure >= self.limit


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one budget; `word` is "over" for every miss, a share that is too small as well."""

    budget: Budget
    figure: float | None

    @property
    def word(self) -> Literal["ok", "over", "watched", "not measured"]:
        if self.figure is None:
            return "not measured"
        if self.budget.limit is None:
            return "watched"
        return "ok" if self.budget.is_met(self.figure) else "over"


def judge(results: Results, budgets: Iterable[Budget] | None = None) -> list[Verdict]:
    """Return one verdict a budget, in the order of the budgets."""
    return [Verdict(budget, budget.measured(results)) for budget in (BUDGETS if budgets is None else budgets)]


def is_missed(verdicts: Iterable[Verdict]) -> bool:
    """True when any measured budget is over."""
    return any(verdict.word == "over" for verdict in verdicts)


def format_verdicts(verdicts: Iterable[Verdict]) -> str:
    """Return the verdicts as a table of plain text, one line each."""
    rows = [("budget", "limit", "measured", "verdict")]
    for verdict in verdicts:
        budget = verdict.budget
        figure = "" if verdict.figure is None else f"{verdict.figure:.2f} {budget.unit}"
        rows.append((budget.title, budget.bounds, figure, verdict.word))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return "\n".join(
        "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _in_process(read: Callable[[InProcess], float | None]) -> Figure:
    return lambda results: None if results.inprocess is None else read(results.inprocess)


def _ratio(workload: str) -> Figure:
    def read(figures: InProcess) -> float | None:
        timing = figures.timing(OURS, workload)
        return None if timing is None else timing.ratio

    return _in_process(read)


def extra_cost(figures: InProcess, framework: str, workload: str, layers: int) -> float | None:
    """Return what each of `layers` additions to the plain workload costs, in raw plain requests."""
    timing = figures.timing(framework, workload)
    return None if timing is None or timing.added is None else timing.added / layers


def routes_growth(figures: InProcess, framework: str) -> float | None:
    """Return the time of one request among many routes over the time among few."""
    few, many = figures.timing(framework, "routes_few"), figures.timing(framework, "routes_many")
    return None if few is None or many is None else many.units / few.units


def _extra(workload: str, layers: int) -> Figure:
    return _in_process(lambda figures: extra_cost(figures, OURS, workload, layers))


def _build_s(workload: str) -> Figure:
    def read(figures: InProcess) -> float | None:
        build = figures.build(OURS, workload)
        return None if build is None else build.seconds

    return _in_process(read)


def _document_s(figures: InProcess) -> float | None:
    build = figures.build(OURS, "typed_many")
    return None if build is None else build.document_s


def _served(read: Callable[[Servers], float | None]) -> Figure:
    return lambda results: None if results.servers is None else read(results.servers)


def _share(server: str, workload: str) -> Figure:
    def read(figures: Servers) -> float | None:
        found = figures.throughput(server, OURS, workload)
        return None if found is None else found.share

    return _served(read)


def _over_raw_asgi(workload: str) -> Figure:
    def read(figures: Servers) -> float | None:
        ours = figures.throughput("granian-rsgi", OURS, workload)
        raw = figures.throughput("granian-asgi", _RAW_ASGI, workload)
        return None if ours is None or raw is None else ours.rate / raw.rate

    return _served(read)


def _static_over(server: str, their_server: str, peer: str) -> Figure:
    """Files a second that we send, over those of a peer."""

    def read(figures: Servers) -> float | None:
        ours, theirs = figures.throughput(server, OURS, "static"), figures.throughput(their_server, peer, "static")
        return None if ours is None or theirs is None else ours.rate / theirs.rate

    return _served(read)


def _grown(results: Results) -> float | None:
    return None if results.memory is None else results.memory.delta_mib


def _real_time(read: Callable[[RealTime], float | None]) -> Figure:
    return lambda results: None if results.realtime is None else read(results.realtime)


def _broadcast(figures: RealTime) -> float | None:
    return None if figures.broadcast is None else figures.broadcast.ratio


def _fanout(peer: str, read: Callable[[Fanout], float]) -> Figure:
    """Ours over that of a peer; both are ratios to the loop by hand."""

    def figure(figures: RealTime) -> float | None:
        ours, theirs = figures.fanout_of(OURS), figures.fanout_of(peer)
        return None if ours is None or theirs is None else read(ours) / read(theirs)

    return _real_time(figure)


def _soak(read: Callable[[Soak], float]) -> Figure:
    def figure(figures: RealTime) -> float | None:
        found = figures.soak_of(OURS)
        return None if found is None else read(found)

    return _real_time(figure)


def _idle(figures: RealTime) -> float | None:
    ours, theirs = figures.idle_of(OURS), figures.idle_of(_BY_HAND)
    return None if ours is None or theirs is None else ours.bytes_each / theirs.bytes_each


def _fanouts(peer: str, over: str, share: float) -> tuple[Budget, ...]:
    return (
        Budget(f"messages to 500 sockets, over {over}", share, "x", _fanout(peer, lambda f: f.rate_ratio), "at least"),
        Budget(f"their p99 under load, over {over}", 1.0, "x", _fanout(peer, lambda f: f.busy_p99_ratio)),
        Budget(f"their p99 at one pace, over {over}", 1.0, "x", _fanout(peer, lambda f: f.p99_ratio)),
    )


BUDGETS = (
    Budget("plain text", 2.6, "x raw", _ratio("plain")),
    Budget("JSON", 2.6, "x raw", _ratio("json")),
    Budget("path parameter to JSON", 3.0, "x raw", _ratio("path")),
    Budget("each pass-through middleware", 0.35, "x raw", _extra("middleware", MIDDLEWARES)),
    Budget("CORS for a request without an Origin", 0.7, "x raw", _extra("cors", 1)),
    Budget("CORS for a request with one", 1.5, "x raw", _extra("cors_origin", 1)),
    Budget("a session that nobody touches", 0.7, "x raw", _extra("session", 1)),
    Budget("a value of a signed cookie", 1.3, "x itsdangerous", _ratio("session_read")),
    Budget("a checked JSON Web Token", 1.2, "x joserfc", _ratio("jwt")),
    Budget("one async dependency", 0.5, "x raw", _extra("dependency", 1)),
    Budget(f"a chain of {DEPENDENCIES} async dependencies", 4.0, "x raw", _extra("dependencies", 1)),
    Budget("JSON into a model, model out", 1.6, "x raw", _ratio("validated")),
    Budget(f"{MANY_ROUTES} routes over 3", 1.3, "x", _in_process(lambda figures: routes_growth(figures, OURS))),
    Budget(f"compile {MANY_ROUTES} routes", 1.0, "s", _build_s("routes_many")),
    Budget(f"compile {MANY_ROUTES} typed routes", 1.0, "s", _build_s("typed_many")),
    Budget(f"describe {MANY_ROUTES} typed routes in OpenAPI", 2.0, "s", _in_process(_document_s)),
    Budget("import nexios", 150.0, "ms", _in_process(lambda figures: figures.import_ms.get(OURS))),
    Budget("frames of a warm GET", 26, "frames", _in_process(lambda figures: max(figures.hops.values(), default=None))),
    Budget("plain text under Uvicorn", 0.88, "x raw ASGI", _share("uvicorn", "plain"), "at least"),
    Budget("JSON under Uvicorn", 0.88, "x raw ASGI", _share("uvicorn", "json"), "at least"),
    Budget("plain text under Granian RSGI", 0.83, "x raw RSGI", _share("granian-rsgi", "plain"), "at least"),
    Budget("JSON under Granian RSGI", 0.83, "x raw RSGI", _share("granian-rsgi", "json"), "at least"),
    Budget("plain text, RSGI over raw ASGI", None, "x raw ASGI", _over_raw_asgi("plain")),
    Budget("JSON, RSGI over raw ASGI", None, "x raw ASGI", _over_raw_asgi("json")),
    Budget("a static file under Uvicorn, over Starlette", None, "x", _static_over("uvicorn", "uvicorn", "Starlette")),
    Budget("a static file under Granian, over Starlette", None, "x", _static_over(_RSGI, "granian-asgi", "Starlette")),
    Budget("a static file under Granian, over its own", None, "x", _static_over(_RSGI, _RSGI, "Granian itself")),
    Budget("memory after 100,000 requests", 5.0, "MiB", _grown),
    Budget("one message to 1,000 members in process", 2.5, "x by hand", _real_time(_broadcast)),
    *_fanouts(_BY_HAND, "by hand", 0.9),
    *_fanouts("Litestar channels", "Litestar", 1.0),
    *_fanouts("Django Channels", "Django", 1.0),
    Budget("delay by clients that stand still", 50.0, "ms", _soak(lambda found: found.delay_ms)),
    Budget("growth in a minute of 1,000 messages/s", 1.0, "MiB", _soak(lambda found: found.growth_mib)),
    Budget("bytes of an idle socket, over by hand", 1.0, "x", _real_time(_idle)),
)
