"""How does compile leave out what most types never need? With a function that is made when it is first called."""

from collections.abc import Callable
from typing import Generic, ParamSpec, TypeVar

__all__ = ["Later"]

Given = ParamSpec("Given")
Result = TypeVar("Result")


class Later(Generic[Given, Result]):
    """A function that `make` makes when it is first called. Shared by all requests, from any thread.

    It is for what is rare: explaining a refusal, formats that few ask for. Two threads at once may make it twice.

    >>> def make():
    ...     print("made")
    ...     return int
    >>> read = Later(make)
    >>> read("1") + read("2")
    made
    3
    """

    __slots__ = ("_made", "_make")

    def __init__(self, make: Callable[[], Callable[Given, Result]]) -> None:
        self._make = make
        self._made: Callable[Given, Result] | None = None

    def __call__(self, *given: Given.args, **named: Given.kwargs) -> Result:
        """Call the function."""
        made = self._made
        if made is None:
            made = self._made = self._make()
        return made(*given, **named)
