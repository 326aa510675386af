"""Who may join a channel, and how much of it is kept? Rules for one channel, or for all that begin alike."""

import inspect
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from nexios.errors import ConfigurationError, HTTPException
from nexios.messages.request import Request
from nexios.messages.websocket import WebSocket
from nexios.places import calling_place, name_of, place_of
from nexios.websockets.history import HistoryLimits

__all__ = ["ChannelForbidden", "G", "Guard", "Rules", "TooManyChannels", "matches", "prefix_of"]

Guard = Callable[[Any, str], bool | Awaitable[bool]]
"""Takes the WebSocket, or the request of an event stream, and the name of the channel; only True lets it join."""

G = TypeVar("G", bound=Guard)


class ChannelForbidden(HTTPException):
    """A guard said no: the handshake is answered with 403, or the WebSocket closed with 1008."""

    def __init__(self) -> None:
        super().__init__(403, "This channel may not be joined.", code="channel_forbidden")


class TooManyChannels(HTTPException):
    """A WebSocket is in as many channels as it may be."""

    def __init__(self) -> None:
        super().__init__(429, "The WebSocket is in too many channels.", code="too_many_channels")


def prefix_of(pattern: str) -> str | None:
    """Return what the names of a group begin with, None for the name of one channel.

    Raises:
        ConfigurationError: It is no text, or there is a `*` anywhere but at the end.

    >>> prefix_of("room:*"), prefix_of("room:1")
    ('room:', None)
    """
    if not isinstance(pattern, str):
        given = name_of(pattern) if callable(pattern) else repr(pattern)
        raise ConfigurationError(f"A group of channels is a text, as app.channels('room:*'), not {given}.")
    if "*" not in pattern:
        return None
    if pattern.count("*") > 1 or not pattern.endswith("*"):
        raise ConfigurationError(f"{pattern!r} is no group of channels: '*' stands once, at the end, as in 'room:*'.")
    return pattern[:-1]


def matches(pattern: str, name: str) -> bool:
    """Tell whether a channel is meant by a pattern."""
    return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern


class Rules:
    """The guards and history limits of a hub. All guards that match have to agree; of limits the last match holds."""

    __slots__ = ("_default", "_guards", "_limits", "expulsions")

    def __init__(self, default: HistoryLimits) -> None:
        self._default = default
        self._guards: list[tuple[str, Guard]] = []
        self._limits: list[tuple[str, HistoryLimits]] = []
        self.expulsions: int = 0
        """How many times somebody was put out: what a guard said before may be true no more."""

    def guard(self, pattern: str) -> Callable[[G], G]:
        """Return the decorator that lets a function say who may join."""
        if not isinstance(pattern, str):
            given = f"the function {name_of(pattern)}()" if callable(pattern) else repr(pattern)
            raise ConfigurationError(
                f"guard() takes a pattern, not {given}.\n\n  {calling_place()}\n\n"
                'Write it as:\n\n    @app.hub.guard("staff:*")\n'
            )
        prefix_of(pattern)

        def register(guard: G) -> G:
            """Add the guard, and leave the function as it is."""
            _check_guard(pattern, guard)
            self._guards.append((pattern, guard))
            return guard

        return register

    def keep(self, pattern: str, limits: HistoryLimits) -> None:
        """Set how much is kept."""
        if not isinstance(pattern, str) or not isinstance(limits, HistoryLimits):
            group = pattern if isinstance(pattern, str) else "room:*"
            count = limits if isinstance(limits, int) else 1000
            raise ConfigurationError(
                f"keep() takes a pattern and HistoryLimits, not ({pattern!r}, {limits!r}).\n\n  {calling_place()}\n\n"
                f'Write it as:\n\n    app.hub.keep("{group}", HistoryLimits(count={count}))\n'
            )
        prefix_of(pattern)
        self._limits.append((pattern, limits))

    def history_of(self, name: str) -> HistoryLimits:
        """Return how much of a channel is kept."""
        for pattern, limits in reversed(self._limits):
            if matches(pattern, name):
                return limits
        return self._default

    async def admit(self, websocket: WebSocket | Request, name: str, asked: int | None = None) -> int:
        """Ask every guard; once more with what it returned, if somebody was put out since: it may be this one.

        Raises:
            ChannelForbidden: One did not say True.
        """
        while asked != self.expulsions:
            asked = self.expulsions
            for pattern, guard in self._guards:
                if matches(pattern, name):
                    answer = guard(websocket, name)
                    if inspect.isawaitable(answer):
                        answer = await answer
                    if answer is not True:
                        raise ChannelForbidden
        return asked


def _check_guard(pattern: str, guard: Guard) -> None:
    """Raise `ConfigurationError` for what cannot be called with (websocket, channel)."""
    if not callable(guard):
        raise ConfigurationError(f"The guard of {pattern!r} must be a function of (websocket, channel).")
    try:
        signature = inspect.signature(guard)
    except ValueError:
        return  # it does not tell
    try:
        signature.bind(None, "")
    except TypeError:
        name = name_of(guard)
        raise ConfigurationError(
            f"{name}() cannot guard {pattern!r}: it does not take (websocket, channel).\n\n"
            f"  {place_of(guard)}   {name}()\n\n"
            f'Write it as:\n\n    @app.hub.guard("{pattern}")\n    async def {name}(websocket, channel): ...\n'
        ) from None
