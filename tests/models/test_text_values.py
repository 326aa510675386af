"""Text of queries, headers and forms: which text is a value, and which is none."""

import datetime
import decimal
import enum
import uuid
from typing import Annotated, Any, Literal, TypedDict

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta

from nexios.models.adapter import adapt
from nexios.models.problems import Invalid


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Color(enum.Enum):
    RED = "red"


class Search(msgspec.Struct, forbid_unknown_fields=True):
    term: str
    limit: Annotated[int, Meta(ge=1, le=100)] = 10
    tags: list[str] = []
    level: Level | None = None


TAKEN: list[tuple[Any, object, object]] = [
    (int, "5", 5),
    (int, "-5", -5),
    (int, "007", 7),
    (float, "1.5", 1.5),
    (float, "-1e3", -1000.0),
    (float, "5", 5.0),
    (bool, "true", True),
    (bool, "TRUE", True),
    (bool, "1", True),
    (bool, "On", True),
    (bool, "false", False),
    (bool, "0", False),
    (bool, "OFF", False),
    (str, "", ""),
    (str, " a ", " a "),
    (str, "5", "5"),
    (decimal.Decimal, "1.10", decimal.Decimal("1.10")),
    (uuid.UUID, "12345678-1234-5678-1234-567812345678", uuid.UUID("12345678-1234-5678-1234-567812345678")),
    (datetime.date, "2026-01-31", datetime.date(2026, 1, 31)),
    (datetime.datetime, "2026-01-31T10:00:00", datetime.datetime(2026, 1, 31, 10)),
    (datetime.timedelta, "PT5S", datetime.timedelta(seconds=5)),
    (bytes, "aGk=", b"hi"),
    (Color, "red", Color.RED),
    (Level, "2", Level.HIGH),
    (Literal["a", 1], "1", 1),
    (Literal["a", 1], "a", "a"),
    (int | None, "5", 5),
    (str | None, "", ""),
    (str | None, "null", "null"),
    (int | str, "5", 5),
    (int | str, "five", "five"),
    (int | float, "5.5", 5.5),
    (list[int], ["5", "6"], [5, 6]),
    (list[int], "5", [5]),
    (list[int], [], []),
    (list[int] | None, ["5"], [5]),
    (set[Level], ["1", "2", "1"], {Level.LOW, Level.HIGH}),
    (frozenset[str], ["a"], frozenset({"a"})),
    (tuple[int, ...], ["1"], (1,)),
    (tuple[int, str], ["1", "a"], (1, "a")),
    (int, ["5", "6"], 5),
    (Annotated[int, Meta(ge=1)], "1", 1),
    (dict[str, int], {"a": "1"}, {"a": 1}),
    (list[int] | int, ["5"], [5]),
    (list[int] | int, "5", 5),
]

REFUSED: list[tuple[Any, object]] = [
    *[(int, text) for text in ("", " 5", "5 ", "+5", "5.0", "1e3", "1_000", "0x5", "١", "--5", "-", "5\n", "9" * 401)],
    *[
        (float, text)
        for text in ("", "nan", "inf", "-Infinity", "1e400", " 1", "+1", ".5", "1.", "1_0", "١", "1e", "1\n")
    ],
    *[(bool, text) for text in ("", "yes", "2", " true", "y", "t", "ＴＲＵＥ")],
    *[(decimal.Decimal, text) for text in ("", "nan", "Infinity", " 1", "1_0", "١", "+1", "1e999999999")],
    *[(datetime.datetime, text) for text in ("1600000000", "1e9", "2026-01-31", "now")],
    *[(datetime.date, text) for text in ("infinity", "1e20", "2026-1-1", "2026-01-31T00:00:00")],
    *[(datetime.timedelta, text) for text in ("5", "5.5", "1:00")],
    *[(uuid.UUID, text) for text in ("{12345678-1234-5678-1234-567812345678}", "5")],
    *[(int | None, text) for text in ("", "null", "None")],
    *[(Level, text) for text in ("3", " 1", "LOW", "1.0")],
    *[(Color, text) for text in ("RED", "")],
    (Literal[1, 2], "3"),
    (list[int], ["5", "x"]),
    (tuple[int, str], ["1"]),
    (Annotated[int, Meta(ge=1)], "0"),
    (dict[str, int], "a"),
    (None, ""),
    (float | decimal.Decimal, " 1"),
    (Search, "x"),
    (tuple[int, str], "1"),
]


@pytest.mark.parametrize(("kind", "text", "value"), TAKEN, ids=lambda each: str(each)[:25])
def test_text_that_spells_a_value_becomes_it(kind: Any, text: object, value: object) -> None:
    converted = adapt(kind).convert_text(text)

    assert (converted, type(converted)) == (value, type(value))


@pytest.mark.parametrize(("kind", "text"), REFUSED, ids=lambda each: str(each)[:25])
def test_text_that_spells_none_is_refused(kind: Any, text: object) -> None:
    with pytest.raises(Invalid):
        adapt(kind).convert_text(text)


def test_a_whole_model_is_made_of_text() -> None:
    convert = adapt(Search).convert_text

    assert convert({"term": "a", "limit": "5", "tags": "x", "level": "2"}) == Search("a", 5, ["x"], Level.HIGH)
    assert convert({"term": ["a", "b"], "tags": ["x", "y"]}) == Search("a", tags=["x", "y"])


def test_all_problems_of_a_whole_model_are_told() -> None:
    with pytest.raises(Invalid) as caught:
        adapt(Search).convert_text({"limit": "0", "level": "", "more": "1"})

    assert [(problem.pointer, problem.code, problem.detail) for problem in caught.value.problems] == [
        ("/term", "missing", "is required"),
        ("/limit", "too_small", "must be at least 1"),
        ("/level", "enum", "must be one of 1, 2"),
        ("/more", "unknown_field", "is not a known field"),
    ]


def test_a_typed_dict_is_made_of_text() -> None:
    class Filter(TypedDict):
        limit: int
        inner: dict[str, bool]

    assert adapt(Filter).convert_text({"limit": "5", "inner": {"a": "on"}, "x": "y"}) == {
        "limit": 5,
        "inner": {"a": True},
    }


def test_text_of_a_model_that_holds_itself_is_read_level_by_level() -> None:
    class Node(msgspec.Struct):
        value: int
        child: "Node | None" = None

    globals()["Node"] = Node

    assert adapt(Node).convert_text({"value": "1", "child": {"value": "2"}}) == Node(1, Node(2))


def test_text_is_not_told_that_it_could_be_null() -> None:
    with pytest.raises(Invalid) as caught:
        adapt(int | None).convert_text("x")

    assert caught.value.problems[0].detail == "must be an integer"


KINDS = [
    int,
    float,
    bool,
    decimal.Decimal,
    Level,
    int | str,
    int | None,
    list[int],
    datetime.date,
    uuid.UUID,
    Literal[1],
]


@given(st.sampled_from(KINDS), st.text() | st.lists(st.text()) | st.from_regex(r"[-+0-9.eE_ ]{0,12}"))
def test_any_text_is_a_value_or_invalid(kind: Any, text: object) -> None:
    try:
        adapt(kind).convert_text(text)
    except Invalid as error:
        assert error.problems


@given(
    st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.booleans() | st.decimals(-1e9, 1e9, places=3)
)
def test_what_was_written_is_read_again(value: object) -> None:
    assert adapt(type(value)).convert_text(str(value)) == value
