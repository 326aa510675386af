"""How do the figures of real time read?"""

from collections.abc import Iterable

from benchmarks.realtime.figures import Engine, Fanout, Idle, RealTime, Soak
from benchmarks.tables import cell, stamp, table

__all__ = ["real_time"]

_NOTE = """\
Uvicorn with the package websockets, servers on one core, their clients in one process on another.
*By hand* is a room on Starlette: a set of sockets, and a loop that encodes once and awaits each send.
Those who are compared take turns in one run.
"""

_FANOUT_NOTE = """\
One client speaks and {clients} hear it. Messages a second are deliveries, with four messages on the way all the time;
*p99 under load* is how late they are then. *p99 at one pace* is when 99 of 100 have a message, where each server gets
ten a second: the median over all messages. The ratios are to the loop by hand at the same moment.
"""

_SOAK_NOTE = """\
1,000 messages of 4 kB a second to {members} clients, while one after another connects and reads nothing; the rows say
how late 999 of 1,000 deliveries to the others are at most. By hand, everybody waits until such a client is gone.
"""


def real_time(figures: RealTime) -> Iterable[str]:
    """Yield the sections of the page."""
    yield f"## Real time\n\n{_NOTE}"
    if (found := figures.broadcast) is not None:
        yield (
            f"One message to {found.members:,} members in process, with a send that does nothing: by hand"
            f" {found.by_hand_us:.0f} µs, by a channel {found.channel_us:.0f} µs. The median of neighbouring slices is"
            f" {found.ratio:.2f} times the loop by hand.\n"
        )
    if figures.fanout:
        yield f"### A message to {figures.clients} sockets\n\n{_FANOUT_NOTE.format(clients=figures.clients)}"
        yield _fanout(figures.fanout)
    if figures.soak:
        yield f"### Clients that stand still\n\n{_SOAK_NOTE.format(members=figures.soak[0].members)}"
        yield _soak(figures.soak)
    if figures.idle:
        yield "### Sockets that say nothing\n"
        yield _idle(figures.idle)
    if figures.engines:
        yield "### From one process to another\n\nFrom client to client, 100 messages a second, all on two cores.\n"
        yield _engines(figures.engines)
    yield stamp(figures.date, f"Python {figures.python}", figures.versions)


def _fanout(found: Iterable[Fanout]) -> str:
    head = ("", "messages/s", "ratio", "by processor time", "p99 under load, ms", "ratio", "p99 at one pace, ms")
    rows = [
        (
            each.framework,
            f"{each.rate:.0f}",
            cell(each.rate_ratio),
            cell(each.cpu_ratio),
            cell(each.busy_p99_ms),
            cell(each.busy_p99_ratio),
            cell(each.p99_ms),
            cell(each.p99_ratio),
            str(each.lost),
        )
        for each in found
    ]
    return table((*head, "ratio", "lost"), rows)


def _soak(found: Iterable[Soak]) -> str:
    head = ("", "without them, ms", "with them, ms", "longest of all, ms", "growth, MiB a minute", "lost")
    rows = [
        (
            each.framework,
            cell(each.calm_p999_ms),
            cell(each.p999_ms),
            cell(each.max_ms),
            f"{each.growth_mib:+.2f}",
            str(each.lost),
        )
        for each in found
    ]
    return table(head, rows)


def _idle(found: Iterable[Idle]) -> str:
    rows = [(each.framework, f"{each.sockets:,}", f"{each.bytes_each:,.0f}") for each in found]
    return table(("", "sockets", "bytes of the server for each"), rows)


def _engines(found: Iterable[Engine]) -> str:
    rows = [
        (
            "one process, no engine" if each.engine == "memory" else f"{each.engine} {each.version}",
            cell(each.p50_ms),
            cell(each.p99_ms),
            str(each.lost),
        )
        for each in found
    ]
    return table(("engine", "p50, ms", "p99, ms", "lost"), rows)
