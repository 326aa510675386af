"""How many messages a second get to 500 sockets, and how late are the last of them?

All servers run at once, each with its own crowd. Where one message follows the other, one server after the other
has something to do, for about a second. Where there is a pace, each message of one is followed by one of the next.
A ratio compares with the loop by hand on Starlette in the same slice, or at the message beside it.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from statistics import median
from typing import Any

from benchmarks.processes import WorkerFailed, WorkerProcess
from benchmarks.realtime.figures import Fanout
from benchmarks.realtime.processes import load_process, name_of, serving

__all__ = ["BY_HAND", "PACE", "measure"]

BY_HAND = "starlette_app"
PACE = 10.0
"""Messages a second where all have the same pace."""

_FIELD = (BY_HAND, "nexios_app", "litestar_app")
_SLOW = "django_app"
"""One message to all takes it longer than the pace allows, which would make the others wait: it goes alone."""
_SLOW_SLICES = 3
_WINDOW = 4
"""Messages on the way where one follows the other."""

Turn = Mapping[str, Any]


class _Sides:
    """The turns of one framework, and beside each that of the loop by hand."""

    def __init__(self) -> None:
        self.busy: list[tuple[Turn, Turn]] = []
        self.paced: list[tuple[Turn, Turn]] = []


def measure(*, clients: int = 500, slices: int = 16, seconds: float = 1.0) -> tuple[Fanout, ...]:
    """Measure every framework that can be started; one that cannot is left out with a line that says so.

    Raises:
        WorkerFailed: The loop by hand is one of those.
    """
    with ExitStack() as stack:
        load = stack.enter_context(load_process())
        names = [name for name in _FIELD if _opened(stack, load, name, clients)]
        if BY_HAND not in names:
            raise WorkerFailed("nothing to compare with")
        found = {name: _Sides() for name in names}
        for number in range(slices):
            names.append(names.pop(0))
            _take_turns(load, found, names if number % 2 else names[::-1], seconds)
        if _opened(stack, load, _SLOW, clients):
            found[_SLOW] = _Sides()
            for _ in range(min(_SLOW_SLICES, slices)):
                _take_turns(load, {_SLOW: found[_SLOW]}, [BY_HAND, _SLOW], seconds, together=False)
    return tuple(_summary(name, sides) for name, sides in found.items())


def _take_turns(
    load: WorkerProcess, found: Mapping[str, _Sides], names: list[str], seconds: float, *, together: bool = True
) -> None:
    """One slice of each; `together` says whether they keep the pace at the same time, message by message."""
    busy = {name: load.ask("busy", name=name, seconds=seconds, window=_WINDOW) for name in names}
    paced: dict[str, Turn] = {}
    for some in [names] if together else [[name] for name in names]:
        paced.update(load.ask("paced", names=some, seconds=seconds, rate=PACE))
    for name, sides in found.items():
        sides.busy.append((busy[name], busy[BY_HAND]))
        sides.paced.append((paced[name], paced[BY_HAND]))


def _opened(stack: ExitStack, load: WorkerProcess, framework: str, clients: int) -> bool:
    """Start a server and connect its crowd."""
    try:
        room = stack.enter_context(serving(framework))
        load.ask("open", name=framework, port=room.port, pid=room.pid, clients=clients)
        load.ask("busy", name=framework, seconds=0.5, window=_WINDOW)
    except WorkerFailed as exc:
        print(f"fan-out: left out: {framework}: {exc}", flush=True)
        return False
    return True


def _summary(framework: str, sides: _Sides) -> Fanout:
    late = [pair for turns in sides.paced for pair in zip(*(turn["each_p99_ms"] for turn in turns), strict=False)]
    found = Fanout(
        framework=name_of(framework),
        messages=len(late),
        rate=median(_rate(turn) for turn, _ in sides.busy),
        rate_ratio=_ratio(_rate, sides.busy),
        cpu_ratio=_ratio(_cpu_rate, sides.busy),
        p99_ms=median(own for own, _ in late),
        p99_ratio=median(own / base for own, base in late),
        busy_p99_ms=median(_p99(turn) for turn, _ in sides.busy),
        busy_p99_ratio=_ratio(_p99, sides.busy),
        lost=sum(turn["lost"] for turn, _ in (*sides.busy, *sides.paced)),
    )
    print(
        f"fan-out  {found.framework:20} {found.rate:8.0f}/s  x {found.rate_ratio:.2f}  by cpu x {found.cpu_ratio:.2f}"
        f"  p99 {found.p99_ms:.1f} ms x {found.p99_ratio:.2f}  busy {found.busy_p99_ms:.1f} ms"
        f" x {found.busy_p99_ratio:.2f}  lost {found.lost}",
        flush=True,
    )
    return found


def _rate(turn: Turn) -> float:
    return float(turn["deliveries"] / turn["seconds"])


def _cpu_rate(turn: Turn) -> float:
    return float(turn["deliveries_in_all"] / max(turn["cpu_s"], 0.01))


def _p99(turn: Turn) -> float:
    return float(turn["p99_ms"])


def _ratio(read: Callable[[Turn], float], pairs: Sequence[tuple[Turn, Turn]]) -> float:
    return median(read(own) / read(base) for own, base in pairs)
