"""Does a client that stands still hold up the others, and does a server grow while messages go through it?

A room at 1,000 messages of 4 kB a second. One client after the other connects, reads nothing and is replaced after a
second, while the others say how late they get what is sent; turns without such a client, as long, tell what is usual.
"""

from statistics import linear_regression, median
from typing import Any

from benchmarks.realtime.figures import Soak
from benchmarks.realtime.processes import Room, load_process, name_of, serving

__all__ = ["measure"]

_TEXT_SIZE = 4000
"""With smaller ones, the buffers of the system take so many that nothing would stand still."""
_STALL_EVERY = 1.0
_WARM_UP_S = 6.0
_TURNS = 6


def measure(framework: str, *, members: int = 5, rate: float = 1000.0, seconds: float = 60.0) -> Soak:
    """Run `seconds` with clients that stand still, and as many without. Raises `WorkerFailed`."""
    with serving(framework) as room, load_process() as load:
        load.ask("open", name="room", port=room.port, pid=room.pid, clients=members)

        def turn(length: float, stall_every: float) -> Any:
            """One turn; `stall_every` seconds one more client stands still, 0 for none."""
            return load.ask("soak", **_command(room, length, rate, stall_every))

        turn(_WARM_UP_S, _STALL_EVERY)  # until every buffer is as large as it gets
        calm, stalled = [], []
        for _ in range(_TURNS):
            calm.append(turn(seconds / _TURNS, 0.0))
            stalled.append(turn(seconds / _TURNS, _STALL_EVERY))
    resident = [kib / 1024 for pair in zip(calm, stalled, strict=True) for one in pair for kib in one["resident_kib"]]
    found = Soak(
        framework=name_of(framework),
        members=members,
        rate=rate,
        seconds=seconds,
        deliveries=sum(one["deliveries_in_all"] for one in stalled),
        lost=sum(one["lost"] for one in (*calm, *stalled)),
        calm_p999_ms=_middle(calm, "p99.9_ms"),
        calm_max_ms=max(one["max_ms"] for one in calm),
        p999_ms=_middle(stalled, "p99.9_ms"),
        max_ms=max(one["max_ms"] for one in stalled),
        growth_mib=linear_regression(range(len(resident)), resident).slope * 60,
        resident_mib=tuple(round(mib, 2) for mib in resident),
    )
    print(
        f"soak     {found.framework:20} p99.9 {found.p999_ms:.1f} ms, without {found.calm_p999_ms:.1f} ms"
        f"  longest {found.max_ms:.1f} / {found.calm_max_ms:.1f} ms  grows {found.growth_mib:+.2f} MiB a minute"
        f"  lost {found.lost}",
        flush=True,
    )
    return found


def _command(room: Room, seconds: float, rate: float, stall_every: float) -> dict[str, Any]:
    return {
        "name": "room",
        "port": room.port,
        "pid": room.pid,
        "seconds": seconds,
        "rate": rate,
        "text_size": _TEXT_SIZE,
        "stall_every": stall_every,
    }


def _middle(turns: list[Any], name: str) -> float:
    return float(median(turn[name] for turn in turns))
