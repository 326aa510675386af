"""What does `python -m benchmarks realtime` measure, in which order?"""

import platform
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, TypeVar

from benchmarks.processes import WorkerFailed
from benchmarks.realtime import broadcast, engines, fanout, idle, soak
from benchmarks.realtime.figures import Broadcast, Fanout, RealTime, Soak
from benchmarks.realtime.processes import SERVER_CORE, version_of

__all__ = ["PARTS", "RealTimePlan", "measure"]

PARTS: Final = ("broadcast", "fanout", "soak", "idle", "engines")

_OURS, _BY_HAND = "nexios_app", "starlette_app"
_PACKAGES: Final = ("uvicorn", "websockets", "uvloop", "starlette", "litestar", "channels", "django")
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class RealTimePlan:
    """Which parts, and how long: seconds, and numbers of slices and clients."""

    parts: tuple[str, ...] = PARTS
    clients: int = 500
    slices: int = 16
    soak_s: float = 60.0
    by_hand_soak_s: float = 12.0
    sockets: int = 5000
    engine_s: float = 5.0


def measure(plan: RealTimePlan, before: RealTime | None = None) -> RealTime:
    """Run the plan; the parts that are not in it are those of `before`. What fails is told and left out."""
    found = before or RealTime("", "", 0, {})

    def part(name: str, do: Callable[[], T], kept: T) -> T:
        return do() if name in plan.parts else kept

    return RealTime(
        date=datetime.now(tz=UTC).date().isoformat(),
        python=platform.python_version(),
        clients=plan.clients if "fanout" in plan.parts else found.clients,
        versions={name: version for name in _PACKAGES if (version := version_of(name))},
        broadcast=part("broadcast", _broadcast, found.broadcast),
        fanout=part("fanout", lambda: _fanout(plan), found.fanout),
        soak=part("soak", lambda: _soaked(plan), found.soak),
        idle=part("idle", lambda: _each(lambda name: idle.measure(name, sockets=plan.sockets)), found.idle),
        engines=part("engines", lambda: engines.measure(seconds=plan.engine_s), found.engines),
    )


def _broadcast() -> Broadcast | None:
    try:
        found = broadcast.measure(SERVER_CORE)
    except WorkerFailed as exc:
        print(f"broadcast: left out: {exc}", flush=True)
        return None
    print(
        f"broadcast to {found.members} in process: by hand {found.by_hand_us:.0f} us, by a channel"
        f" {found.channel_us:.0f} us  x {found.ratio:.2f}",
        flush=True,
    )
    return found


def _fanout(plan: RealTimePlan) -> tuple[Fanout, ...]:
    try:
        return fanout.measure(clients=plan.clients, slices=plan.slices)
    except WorkerFailed as exc:
        print(f"fan-out: left out: {exc}", flush=True)
        return ()


def _soaked(plan: RealTimePlan) -> tuple[Soak, ...]:
    """By hand, a client that stands still holds up all others until it is gone: a short look is enough."""
    return _each(
        lambda name: soak.measure(name, seconds=plan.soak_s if name == _OURS else min(plan.by_hand_soak_s, plan.soak_s))
    )


def _each(measured: Callable[[str], T]) -> tuple[T, ...]:
    found = []
    for name in (_OURS, _BY_HAND):
        try:
            found.append(measured(name))
        except WorkerFailed as exc:
            print(f"left out: {name}: {exc}", flush=True)
    return tuple(found)
