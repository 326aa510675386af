"""Constraints written for another library: checked where they can be, refused where they would be passed over."""

import datetime
from typing import Annotated, Any, Generic, TypeVar

import annotated_types as at
import msgspec
import pydantic
import pytest

from nexios.errors import ConfigurationError
from nexios.models.adapter import adapt
from nexios.models.msgspec_backend import MsgspecBackend
from nexios.models.problems import Invalid

Item = TypeVar("Item")


class Box(msgspec.Struct, Generic[Item]):
    item: Item


@pytest.mark.parametrize(
    ("kind", "good", "bad", "code"),
    [
        (Annotated[int, at.Gt(1)], b"2", b"1", "too_small"),
        (Annotated[int, at.Ge(1)], b"1", b"0", "too_small"),
        (Annotated[int, at.Lt(1)], b"0", b"1", "too_large"),
        (Annotated[int, at.Le(1)], b"1", b"2", "too_large"),
        (Annotated[int, at.Ge(1), at.Le(2)], b"1", b"3", "too_large"),
        (Annotated[int, at.Interval(ge=1, lt=3)], b"2", b"3", "too_large"),
        (Annotated[int, at.MultipleOf(5)], b"5", b"4", "multiple_of"),
        (Annotated[str, at.MinLen(1)], b'"a"', b'""', "too_short"),
        (Annotated[str, at.MaxLen(1)], b'"a"', b'"ab"', "too_long"),
        (Annotated[list[int], at.Len(1, 2)], b"[1]", b"[]", "too_short"),
        (Annotated[list[int], at.Len(0, 1)], b"[]", b"[1,2]", "too_long"),
        (list[Annotated[int, at.Ge(1)]], b"[1]", b"[0]", "too_small"),
        (dict[str, Annotated[int, at.Ge(1)]], b'{"a":1}', b'{"a":0}', "too_small"),
        (Annotated[int, at.Ge(1)] | None, b"null", b"0", "too_small"),
        (tuple[Annotated[int, at.Ge(1)], str], b'[1,""]', b'[0,""]', "too_small"),
        (Box[Annotated[int, at.Ge(1)]], b'{"item":1}', b'{"item":0}', "too_small"),
        (Annotated[datetime.time, at.Timezone(None)], b'"10:00:00"', b'"10:00:00Z"', "format"),
        (Annotated[int, pydantic.Field(ge=1)], b"1", b"0", "too_small"),
        (Annotated[int, msgspec.Meta(le=5), at.Ge(1)], b"5", b"0", "too_small"),
    ],
    ids=str,
)
def test_a_constraint_of_annotated_types_is_checked(kind: Any, good: bytes, bad: bytes, code: str) -> None:
    adapter = adapt(kind)

    adapter.decode_json(good)
    with pytest.raises(Invalid) as caught:
        adapter.decode_json(bad)

    assert [problem.code for problem in caught.value.problems] == [code]


def test_a_constraint_is_in_the_schema() -> None:
    schema, _ = adapt(list[Annotated[int, at.Interval(ge=1, lt=3)]]).schema(mode="input", ref_template="{name}")

    assert schema["items"] == {"type": "integer", "minimum": 1, "exclusiveMaximum": 3}


def test_a_constraint_that_msgspec_has_no_word_for_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="cannot be checked here"):
        adapt(Annotated[int, at.Predicate(bool)])


def test_a_constraint_that_does_not_go_with_its_type_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="numeric type"):
        adapt(Annotated[str, at.Ge(1)])


def test_a_constraint_inside_a_class_that_would_not_be_checked_is_refused() -> None:
    """msgspec passes over what it does not know, so a limit would be believed in that is none."""

    class Order(msgspec.Struct):
        count: list[Annotated[int, at.Ge(1)]]

    with pytest.raises(ConfigurationError) as caught:
        adapt(list[Order])

    assert "Order.count would not be checked" in str(caught.value)
    assert "msgspec.Meta(ge=1)" in str(caught.value)


def test_documentation_of_annotated_types_is_no_constraint() -> None:
    assert adapt(Annotated[int, at.doc("A number.")]).decode_json(b"1") == 1


def test_a_field_of_pydantic_in_a_type_without_models_is_a_constraint_for_msgspec_too() -> None:
    backends = (MsgspecBackend(),)

    with pytest.raises(Invalid):
        adapt(list[Annotated[int, pydantic.Field(ge=1)]], backends).decode_json(b"[0]")
