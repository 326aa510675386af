"""`parameters_of`: the parameters of whatever can be called, with their annotations resolved."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Generic, NamedTuple, TypeVar

import msgspec
import pytest

from nexios._injection.signature import EMPTY, parameters_of, returns_of

T = TypeVar("T")


def described(fn: Callable[..., Any]) -> list[tuple[str, Any, Any]]:
    return [(one.name, one.annotation, one.default) for one in parameters_of(fn)]


def function(text: str, number: "int" = 5) -> None: ...


class Plain:
    """Classes and methods."""

    def __init__(self, text: str, number: "int" = 5) -> None: ...

    def method(self, text: str, number: "int" = 5) -> None: ...

    @classmethod
    def class_method(cls, text: str, number: "int" = 5) -> None: ...

    @staticmethod
    def static_method(text: str, number: "int" = 5) -> None: ...

    def __call__(self, text: str, number: "int" = 5) -> None: ...


class New:
    """Made by `__new__`."""

    def __new__(cls, text: str, number: "int" = 5) -> "New":
        return super().__new__(cls)


@dataclass
class Data:
    """A dataclass."""

    text: str
    number: "int" = 5


class Struct(msgspec.Struct):
    """A Struct."""

    text: str
    number: "int" = 5


class Pair(NamedTuple):
    """A named tuple."""

    text: str
    number: "int" = 5


class Of(Generic[T]):
    """A generic class."""

    def __init__(self, text: str, number: "int" = 5) -> None: ...


def wrapped(fn: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(fn)
    def wrapper(*args: Any, **kwargs: Any) -> Any: ...

    return wrapper


@pytest.mark.parametrize(
    "fn",
    [
        function,
        Plain,
        Plain("").method,
        Plain.class_method,
        Plain.static_method,
        Plain(""),
        New,
        Data,
        Struct,
        Pair,
        Of[int],
        wrapped(function),
        functools.partial(function),
        functools.partial(wrapped(function)),
        functools.partial(Plain),
    ],
    ids=lambda one: str(one).partition(" at 0x")[0],
)
def test_whatever_can_be_called_tells_its_parameters(fn: Callable[..., Any]) -> None:
    assert described(fn) == [("text", str, EMPTY), ("number", int, 5)]


def test_what_a_partial_has_bound_is_no_parameter() -> None:
    assert described(functools.partial(function, "x")) == [("number", int, 5)]
    assert described(functools.partial(function, number=7)) == [("text", str, EMPTY)]
    assert described(functools.partial(functools.partial(function, number=7), "x")) == []
    assert described(functools.partial(Plain, text="x")) == [("number", int, 5)]


def test_metadata_stands_beside_the_type() -> None:
    def fn(a: Annotated[int, "one", 2], b: "Annotated[str, 3]", c: Annotated[int | None, 4] = None) -> None: ...

    assert [(one.annotation, one.metadata) for one in parameters_of(fn)] == [
        (int, ("one", 2)),
        (str, (3,)),
        (int | None, (4,)),
    ]


def test_a_name_that_cannot_be_found_stays_a_text_and_hides_no_other() -> None:
    def fn(a: "Nowhere", b: "int", c: "Annotated[str, 1]", d, *e: "Nowhere") -> "Nowhere": ...  # type: ignore # noqa

    assert [(one.name, one.annotation, one.metadata) for one in parameters_of(fn)] == [
        ("a", "Nowhere", ()),
        ("b", int, ()),
        ("c", str, (1,)),
        ("d", EMPTY, ()),
        ("e", "Nowhere", ()),
    ]
    assert returns_of(fn) == "Nowhere"


def test_the_kinds_of_parameters_are_kept() -> None:
    def fn(a: int, /, b: int, *c: int, d: int, **e: int) -> None: ...

    parameters = parameters_of(fn)

    assert [one.kind.name for one in parameters] == [
        *("POSITIONAL_ONLY", "POSITIONAL_OR_KEYWORD", "VAR_POSITIONAL", "KEYWORD_ONLY", "VAR_KEYWORD")
    ]
    assert [one.name for one in parameters if one.is_variadic] == ["c", "e"]
    assert [one.name for one in parameters if one.is_keyword_only] == ["d"]


def test_an_optional_default_does_not_change_the_annotation() -> None:
    def fn(a: int = None) -> None: ...  # type: ignore[assignment]  # noqa: RUF013

    assert described(fn) == [("a", int, None)]


@pytest.mark.parametrize("builtin", [dict, int, iter])
def test_a_builtin_that_tells_nothing_is_a_value_error(builtin: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match="no signature"):
        parameters_of(builtin)


@pytest.mark.parametrize(
    ("fn", "returns"), [(function, type(None)), (lambda: 1, EMPTY), (Plain("").method, type(None))]
)
def test_what_a_function_returns_is_told(fn: Callable[..., Any], returns: Any) -> None:
    assert returns_of(fn) in (returns, None if returns is type(None) else returns)
