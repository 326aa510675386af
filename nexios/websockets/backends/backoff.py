"""How long does one wait before connecting again? Longer each time, and not all processes at once."""

import random

__all__ = ["Backoff"]


class Backoff:
    """Waiting times in seconds: each up to twice the last, from `first` to `most`, with jitter.

    The jitter is of half the time, so that processes that lost one server do not come back in one moment.

    >>> backoff = Backoff(first=1, most=3)
    >>> [0.5 <= backoff.next() <= 1, 1 <= backoff.next() <= 2, 1.5 <= backoff.next() <= 3, 1.5 <= backoff.next() <= 3]
    [True, True, True, True]
    """

    __slots__ = ("_first", "_most", "_next")

    def __init__(self, first: float = 0.05, most: float = 10.0) -> None:
        self._first = self._next = first
        self._most = most

    def next(self) -> float:
        """Return how long to wait now."""
        seconds = min(self._next, self._most)
        self._next = seconds * 2
        return seconds * random.uniform(0.5, 1.0)

    def reset(self) -> None:
        """Begin again with the first time: it worked."""
        self._next = self._first
