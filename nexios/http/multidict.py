"""How do we keep names that may come several times, as in `?tag=a&tag=b`?

`MultiDict` is the read-only shape that query parameters and forms share.
"""

from collections.abc import ItemsView, Iterable, Iterator, Mapping
from typing import TypeVar, cast

from nexios.http.secret_names import is_secret_name

__all__ = ["MultiDict"]

V = TypeVar("V")


class MultiDict(Mapping[str, V]):
    """Names and values in the order they came; a name may come more than once.

    As a mapping it shows the *first* value of each name: `d[k]`, `get`, `items()`,
    `values()` and `dict(d)` agree on that. `get_all(k)` and `multi_items()` show
    every value. Read-only, so it may be shared.

    >>> tags = MultiDict([("tag", "a"), ("tag", "b")])
    >>> tags["tag"], tags.get_all("tag"), len(tags)
    ('a', ['a', 'b'], 1)
    """

    __slots__ = ("_first", "_grouped", "_pairs")

    def __init__(self, pairs: Iterable[tuple[str, V]] = ()) -> None:
        self._pairs = tuple(pairs)
        self._first: dict[str, V] | None = None
        self._grouped: dict[str, list[V]] | None = None

    def __getitem__(self, name: str) -> V:
        return self._firsts()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._firsts())

    def __len__(self) -> int:
        return len(self._firsts())

    def __contains__(self, name: object) -> bool:
        return name in self._firsts()

    def __eq__(self, other: object) -> bool:
        """Against another `MultiDict`: every pair, in order. Against a plain mapping: equal when no name repeats."""
        if isinstance(other, MultiDict):
            return self._pairs == cast("MultiDict[object]", other)._pairs
        if isinstance(other, Mapping):
            return len(self) == len(self._pairs) and self._firsts() == dict(cast("Mapping[object, object]", other))
        return NotImplemented

    __hash__ = None  # type: ignore[assignment]  # it equals plain dicts, which have no hash

    def __repr__(self) -> str:
        """The values of what is a secret by its name, as a password is, are hidden."""
        shown: list[tuple[str, object]] = [(n, "***" if is_secret_name(n) else value) for n, value in self._pairs]
        return f"{type(self).__name__}({shown!r})"

    def items(self) -> ItemsView[str, V]:
        """Each name once, with its first value."""
        return self._firsts().items()

    def get_all(self, name: str) -> list[V]:
        """Every value of `name` in the order they came; an empty list when there is none."""
        if self._grouped is None:
            grouped: dict[str, list[V]] = {}
            for key, value in self._pairs:
                grouped.setdefault(key, []).append(value)
            self._grouped = grouped
        return list(self._grouped.get(name, ()))

    def multi_items(self) -> list[tuple[str, V]]:
        """Every pair, in the order they came."""
        return list(self._pairs)

    def _firsts(self) -> dict[str, V]:
        if self._first is None:
            first: dict[str, V] = dict(self._pairs)
            if len(first) != len(self._pairs):  # a name repeats and dict() kept the last value
                first.clear()
                for name, value in self._pairs:
                    first.setdefault(name, value)
            self._first = first
        return self._first
