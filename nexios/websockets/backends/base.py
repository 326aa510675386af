"""What does a channel backend have to do, so that channels reach over processes?

A backend carries bytes between the hubs of several processes, gives every kept message its number, remembers
messages for a while, and knows who is present. It never looks into a body. Everything else (members, fan-out,
outboxes, resume, diffs of presence) is the hub's work and the same for all backends.

A new backend is right when it passes `tests/contract/channels/`.
"""

from collections.abc import Mapping
from typing import Protocol

from nexios.errors import ServiceUnavailable
from nexios.websockets.history import HistoryLimits, Replay

__all__ = ["BackendUnavailable", "ChannelBackend", "Receiver", "shown"]


class BackendUnavailable(ServiceUnavailable):
    """The engine behind the channels cannot be reached now: 503 in a handler that does not catch it.

    What was published may or may not have arrived: a backend does not publish twice on its own. `explanation` is
    for the developer, who finds it in the log; a client sees the status alone.
    """

    def __init__(self, explanation: str = "", *, retry_after: int = 1) -> None:
        super().__init__(retry_after=retry_after)
        self.explanation: str = explanation

    def __str__(self) -> str:
        return self.explanation or super().__str__()


def shown(url: str) -> str:
    """Return where a URL leads, without user, password and options: for logs. When in doubt, its scheme alone.

    >>> shown("redis://ada:secret@engine:6379/0?password=secret")
    'redis://engine:6379/0'
    """
    scheme, _, rest = url.rpartition("://")
    before, _, place = rest.rpartition("@")
    if "?" in before or "#" in before or "://" in scheme:
        return f"{scheme.partition(':')[0]}://..."
    place = place.partition("?")[0].partition("#")[0]
    return f"{scheme}://{place}" if scheme else place


class Receiver(Protocol):
    """What a backend calls: the hub. Only from the event loop's thread; no method blocks or raises."""

    def receive(self, channel: str, sequence: int, body: bytes) -> None:
        """A message of a subscribed channel has come, from this process or another one.

        Once for each message, and those of one channel in the order of their numbers; `sequence` is 0 for a
        message that is not kept. A message that comes twice (after a reconnect) or for a channel that
        is not subscribed any more does no harm.
        """

    def lost(self, error: BaseException) -> None:
        """The connection to the engine broke: call it once for each break, before anything else is received.

        From now on the hub holds back what it receives, until `restored`.
        """

    def restored(self) -> None:
        """The connection works again and every channel is subscribed again.

        The hub then asks `history` for what it missed of each channel.
        """


class ChannelBackend(Protocol):
    """The way between the hubs of several processes. One per hub, for one event loop at a time.

    Channels are texts of 1 to 200 characters without control characters and lone surrogates, compared exactly;
    any other character may occur (spaces, dots, slashes, quotes, all of Unicode): encode them where the
    engine is narrower. The hub also uses the channel `*`, by which processes talk to all others.

    Bodies are bytes of any content, up to some MiB; an engine with a smaller limit must find a way.

    Sequence numbers are integers from 1 to 2**53 - 1 that grow strictly within a channel, over all processes,
    and also when the engine was restarted and forgot everything (start them from the time in microseconds). Holes
    are allowed; `replay_of` in history.py answers for backends that leave none.

    Every method but `start` and `stop` waits a few seconds for a connection that is being
    restored, and raises `BackendUnavailable` after that, or when the connection breaks while it
    waits for an answer. After a break the backend connects again by itself, with exponential backoff and
    jitter, subscribes again, and says so to its receiver. Cancellation at any point leaves it usable.
    """

    @property
    def name(self) -> str:
        """The engine, for logs: "memory", "redis", ..."""

    async def start(self, receiver: Receiver, *, node: str) -> None:
        """Connect; `node` names this process among the others, anew at each start.

        Raises:
            BackendUnavailable: The engine cannot be reached: a wrong address should stop the start of an app.
        """

    async def stop(self) -> None:
        """End everything: no task, timer or connection of it is left, and what this process has in presence is gone.

        Never raises because of the engine. It can be started again. Stopping twice, or what never started, does
        nothing.
        """

    async def subscribe(self, channel: str) -> int:
        """Begin to receive a channel. Return the number of its last kept message; 0 when it never had one.

        Whatever is published after this returned is received. Subscribing again does no harm.
        """

    async def unsubscribe(self, channel: str) -> None:
        """Stop receiving a channel, and forget about it. One that is not subscribed does no harm."""

    async def publish(self, channel: str, body: bytes, *, keep: HistoryLimits | None) -> int:
        """Give a message to all who have subscribed, this process included, and return its number.

        With `keep` it is numbered and kept within these limits; without, nothing is kept and the number
        is 0. One who receives a kept message finds it in `history` too. Lets other tasks run once at least,
        so that a loop of publishing cannot starve those who write to sockets.
        """

    async def history(self, channel: str, *, after: int, keep: HistoryLimits) -> Replay:
        """Return the kept messages after the number `after` (0: all), oldest first, within these limits.

        `complete` is False when any message between may be gone: when in doubt, False. `last` is at least the number
        of every message that was received before the call.
        """

    async def renew(self, lease: float) -> bool:
        """Hold the lease of this process for `lease` seconds from now. False when it had run out, or is the first.

        By the clock of the engine where it has one. When the lease runs out, everything that this process has in
        `present` is gone for all others.
        """

    async def join(self, channel: str, member: str, body: bytes) -> None:
        """Put a member of this process into the presence of a channel, or replace what is there under its id."""

    async def leave(self, channel: str, member: str) -> None:
        """Take a member of this process out again. One that is not there does no harm."""

    async def present(self, channel: str) -> Mapping[str, bytes]:
        """Return who is present in a channel, of all processes whose lease holds: member id to body."""
