"""Where do middleware and handlers leave things for each other? On `request.state` and `app.state`."""

from collections.abc import Iterator
from typing import Any

__all__ = ["PathParams", "State"]


class State:
    """Named values, set and read as attributes or items.

    One per request (`request.state`) and one per app (`app.state`); the two are strangers.
    Reading a name that was never set is an AttributeError that lists the names there are.

    >>> state = State()
    >>> state.user = "ada"
    >>> state["user"], "role" in state
    ('ada', False)
    """

    __slots__ = ("_values",)
    _values: dict[str, Any]

    def __init__(self, /, **values: Any) -> None:
        object.__setattr__(self, "_values", values)

    def __getattr__(self, name: str) -> Any:
        try:
            return self._values[name]
        except KeyError:
            known = ", ".join(sorted(self._values)) or "nothing yet"
            raise AttributeError(f"state has no {name!r}; it holds: {known}", name=name, obj=self) from None

    def __setattr__(self, name: str, value: Any) -> None:
        if hasattr(State, name):
            raise AttributeError(f"state.{name} is a method, so a value of that name is an item: state[{name!r}]")
        self._values[name] = value

    def __delattr__(self, name: str) -> None:
        if name not in self._values:
            raise AttributeError(f"state has no {name!r}", name=name, obj=self)
        del self._values[name]

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self._values[name] = value

    def __delitem__(self, name: str) -> None:
        del self._values[name]

    def __contains__(self, name: object) -> bool:
        return name in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def get(self, name: str, default: Any = None) -> Any:
        """Return the value of `name`, or `default` when it was never set."""
        return self._values.get(name, default)

    def update(self, /, **values: Any) -> None:
        """Set several names at once."""
        self._values.update(values)

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy has values of its own; without this, copying would ask `__getattr__` for what is not there yet."""
        return _restored, (dict(self._values),)

    def __repr__(self) -> str:
        """Names only: values may be secrets."""
        return f"State({', '.join(sorted(self._values))})"


def _restored(values: dict[str, Any]) -> State:
    return State(**values)


class PathParams(dict[str, Any]):
    """The converted path parameters: `path_params["id"]` or `path_params.id`.

    A parameter wins over a dict method of the same name, so `{items}` and `{keys}` work.

    >>> PathParams(id=7, items="x").items
    'x'
    """

    __slots__ = ()

    def __getattribute__(self, name: str) -> Any:
        if name in self:
            return self[name]
        return super().__getattribute__(name)

    def __getattr__(self, name: str) -> Any:
        known = ", ".join(sorted(self)) or "none"
        raise AttributeError(f"the path has no parameter {name!r}; it has: {known}", name=name, obj=self)
