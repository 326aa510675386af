"""What was measured of real time, as values that are kept beside the report."""

import msgspec

__all__ = ["Broadcast", "Engine", "Fanout", "Idle", "RealTime", "Soak"]


class Broadcast(msgspec.Struct, frozen=True):
    """One message to `members` in process: microseconds of the best slice by hand and by a channel.

    `ratio` is the median over neighbouring slices.
    """

    members: int
    slices: int
    by_hand_us: float
    channel_us: float
    ratio: float


class Fanout(msgspec.Struct, frozen=True):
    """One framework with a room full of sockets.

    `rate` is deliveries a second of wall time when one message follows the other, and `busy_p99_ms` how late 99 of
    100 of them are at most. `p99_ms` is when 99 of 100 members have a message, at a pace that is the same for all:
    the median over `messages`. The ratios are medians of those to the loop by hand on Starlette in the same
    slice, or at the message beside it; `cpu_ratio` by processor time of the server. `lost` deliveries never came.
    """

    framework: str
    messages: int
    rate: float
    rate_ratio: float
    cpu_ratio: float
    p99_ms: float
    p99_ratio: float
    busy_p99_ms: float
    busy_p99_ratio: float
    lost: int


class Soak(msgspec.Struct, frozen=True):
    """A room at `rate` messages a second for so long, while one client after the other stands still.

    `p999_ms` is how late 999 of 1,000 deliveries to the others are at most; `calm_p999_ms` without those clients.
    `growth_mib` is how much the server grew in `seconds`, by a straight line through `resident_mib`.
    """

    framework: str
    members: int
    rate: float
    seconds: float
    deliveries: int
    lost: int
    calm_p999_ms: float
    calm_max_ms: float
    p999_ms: float
    max_ms: float
    growth_mib: float
    resident_mib: tuple[float, ...]

    @property
    def delay_ms(self) -> float:
        """How much later the others get their messages."""
        return self.p999_ms - self.calm_p999_ms


class Idle(msgspec.Struct, frozen=True):
    """So many sockets that say nothing: bytes of the server for each."""

    framework: str
    sockets: int
    bytes_each: float


class Engine(msgspec.Struct, frozen=True):
    """From a client of one process to the clients of another: milliseconds; `engine` "memory" is one process."""

    engine: str
    version: str
    messages: int
    lost: int
    p50_ms: float
    p99_ms: float


class RealTime(msgspec.Struct, frozen=True):
    """The figures of one day. None, and what is not in a list, could not be measured."""

    date: str
    python: str
    clients: int
    versions: dict[str, str]
    broadcast: Broadcast | None = None
    fanout: tuple[Fanout, ...] = ()
    soak: tuple[Soak, ...] = ()
    idle: tuple[Idle, ...] = ()
    engines: tuple[Engine, ...] = ()

    def fanout_of(self, framework: str) -> Fanout | None:
        return next((found for found in self.fanout if found.framework == framework), None)

    def soak_of(self, framework: str) -> Soak | None:
        return next((found for found in self.soak if found.framework == framework), None)

    def idle_of(self, framework: str) -> Idle | None:
        return next((found for found in self.idle if found.framework == framework), None)
