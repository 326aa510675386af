"""How long is a message on its way from a client of one process to the clients of another?

Two servers with an engine between them: the client that speaks is connected to one, those that listen to the other.
At 100 messages a second, so that nothing queues. "memory" is one process, without an engine.
"""

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from benchmarks.processes import WorkerFailed, WorkerProcess
from benchmarks.realtime.engine_servers import ENGINES, running, version_of_engine
from benchmarks.realtime.figures import Engine
from benchmarks.realtime.processes import load_process, serving

__all__ = ["measure"]

_OURS = "nexios_app"
_RATE = 100.0
_LISTENERS = 10
_WARM_UP_S = 1.0


def measure(*, seconds: float = 5.0) -> tuple[Engine, ...]:
    """Measure every engine that can be started; one that cannot is left out with a line that says so."""
    found = []
    for name in ("memory", *ENGINES):
        try:
            found.append(_measured(name, seconds))
        except WorkerFailed as exc:
            print(f"engines: left out: {name}: {exc}", flush=True)
    return tuple(found)


def _measured(name: str, seconds: float) -> Engine:
    with ExitStack() as stack:
        load = stack.enter_context(load_process())
        if name == "memory":
            _gather(stack, load, "listeners", "", _LISTENERS)
        else:
            url = stack.enter_context(running(name))
            _gather(stack, load, "speaker", url, 1)
            _gather(stack, load, "listeners", url, _LISTENERS, via="speaker")
        load.ask("paced", names=["listeners"], seconds=_WARM_UP_S, rate=_RATE)
        turn: Mapping[str, Any] = load.ask("paced", names=["listeners"], seconds=seconds, rate=_RATE)["listeners"]
    version = "" if name == "memory" else version_of_engine(name)
    engine = Engine(name, version, turn["messages"], turn["lost"], turn["p50_ms"], turn["p99_ms"])
    print(f"engines  {name:20} p50 {engine.p50_ms:.2f} ms  p99 {engine.p99_ms:.2f} ms  lost {engine.lost}", flush=True)
    return engine


def _gather(stack: ExitStack, load: WorkerProcess, crowd: str, url: str, clients: int, *, via: str = "") -> None:
    """Start one server, and connect clients to it; a message gets to all of them, unless they only speak."""
    room = stack.enter_context(serving(_OURS, url))
    only_speaks = crowd == "speaker"
    load.ask("open", name=crowd, port=room.port, pid=room.pid, clients=clients, via=via, meet=not only_speaks)
