"""Which providers are replaced, and for whom? For the whole app by assignment, for one context by a `with` block.

Overrides are an input of compile: an app compiles once more for each set of them, and no
request pays for the question.
"""

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Any, Final

from nexios._injection.depend import Provider
from nexios.errors import ConfigurationError
from nexios.places import calling_place

__all__ = ["Overrides", "check_replacements"]

_in_context: Final[ContextVar[tuple[tuple["Overrides", Mapping[Any, Provider]], ...]]] = ContextVar(
    "nexios_overrides", default=()
)
"""What the `with` blocks around the current code replace, outermost first, each with the app that it is for."""


class Overrides(MutableMapping[Any, Provider]):
    """`app.dependency_overrides`: from a provider, or a provided type, to what runs in its place.

    One per app. `on_change` is called after each change.

    Raises:
        ConfigurationError: A replacement cannot be called.
    """

    def __init__(self, on_change: Callable[[], object]) -> None:
        self._for_all: dict[Any, Provider] = {}
        self._on_change = on_change
        self.entered = 0
        """How many `with` blocks are open, in whatever context."""

    def in_force(self, of_engine: Mapping[Any, Provider]) -> dict[Any, Provider]:
        """Return what is replaced in the current context: what holds for less has the last word."""
        found = {**self._for_all, **of_engine}
        for owner, mapping in _in_context.get():
            if owner is self:
                found.update(mapping)
        return found

    def replacing(self, mapping: Mapping[Any, Provider]) -> AbstractContextManager[None]:
        """Replace providers for the code in the block, and for the tasks that it starts."""
        return self._replaced(check_replacements(mapping))

    @contextmanager
    def _replaced(self, given: Mapping[Any, Provider]) -> Iterator[None]:
        outer = _in_context.get()
        _in_context.set((*outer, (self, given)))
        self.entered += 1
        self._on_change()
        try:
            yield
        finally:
            self.entered -= 1
            _in_context.set(outer)
            self._on_change()

    def replace(self, mapping: Mapping[Any, Provider]) -> None:
        """Let these replacements, and no others, hold for the whole app."""
        self._for_all = check_replacements(mapping)
        self._on_change()

    def __getitem__(self, provider: Any) -> Provider:
        return self._for_all[provider]

    def __setitem__(self, provider: Any, replacement: Provider) -> None:
        self._for_all[provider] = _checked(provider, replacement)
        self._on_change()

    def __delitem__(self, provider: Any) -> None:
        del self._for_all[provider]
        self._on_change()

    def __iter__(self) -> Iterator[Any]:
        return iter(self._for_all)

    def __len__(self) -> int:
        return len(self._for_all)

    def __repr__(self) -> str:
        return f"<Overrides of {len(self)} providers>"


def check_replacements(mapping: Mapping[Any, Provider]) -> dict[Any, Provider]:
    """Return a copy. Raises `ConfigurationError` for a replacement that cannot be called."""
    return {key: _checked(key, value) for key, value in mapping.items()}


def _checked(provider: Any, replacement: Any) -> Provider:
    if not callable(replacement):
        raise ConfigurationError(
            f"{provider!r} is to be replaced by {replacement!r}, which cannot be called. For a value write:\n\n"
            f"    lambda: {replacement!r}\n\n  {calling_place()}"
        )
    return replacement  # type: ignore[no-any-return]
