"""What does a socket cost that says nothing? Bytes of the resident set for each of 5,000.

All are in one room, as members or in a set. The first few hundred come and go before the measurement begins.
"""

from benchmarks.processes import WorkerFailed
from benchmarks.realtime.figures import Idle
from benchmarks.realtime.limits import raise_open_files
from benchmarks.realtime.load import resident_kib
from benchmarks.realtime.processes import Room, load_process, name_of, serving

__all__ = ["measure"]

_WARM_UP = 300
_SPARE = 200
"""Files that are open besides."""


def measure(framework: str, *, sockets: int = 5000) -> Idle:
    """Return what so many sockets cost, or as many as the system lets one process have. Raises `WorkerFailed`."""
    limit = raise_open_files()
    if limit and limit < sockets + _SPARE:
        print(f"idle: the limit of open files is {limit}, so there are fewer than {sockets} sockets", flush=True)
        sockets = limit - _SPARE
    if sockets < 1:
        raise WorkerFailed("the limit of open files is too low")
    with serving(framework) as room, load_process() as load:
        load.ask("open", name="first", port=room.port, pid=room.pid, clients=_WARM_UP)
        load.ask("close", name="first")
        load.ask("wait", seconds=1.0)
        before = _smallest(room)
        load.ask("open", name="idle", port=room.port, pid=room.pid, clients=sockets, meet=False)
        load.ask("wait", seconds=2.0)
        found = Idle(name_of(framework), sockets, (_smallest(room) - before) * 1024 / sockets)
    print(f"idle     {found.framework:20} {found.bytes_each:.0f} bytes for each of {sockets} sockets", flush=True)
    return found


def _smallest(room: Room) -> int:
    return min(resident_kib(room.pid) for _ in range(3))
