"""What a backend of another's making may do wrong is still an answer, and no crash."""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Annotated, Any

import pytest

from nexios._injection.signature import parameters_of
from nexios._pipeline.inputs.bounds import bounded
from nexios._pipeline.inputs.formats import Decoders, Format
from nexios._pipeline.inputs.input import Input, input_of
from nexios._pipeline.inputs.located import Located, errors_of, joined, one_error
from nexios._pipeline.inputs.markers import Query
from nexios.errors import BadRequest
from nexios.models.problems import Invalid

Read = Callable[..., Awaitable[Any]]


def decimal_input(marker: Any) -> Input:
    """A Decimal of the query."""
    return Input(source="query", parameter="a", name="a", kind=Decimal, marker=marker)


@pytest.mark.parametrize("value", ["NaN", "sNaN", "-NaN"])
def test_not_a_number_is_within_no_bounds(value: str) -> None:
    """Comparing it would be an error of the machine."""
    with pytest.raises(Invalid) as caught:
        bounded(Decimal, decimal_input(Query(ge=1)))(value)

    assert caught.value.problems[0].code == "format"


def test_without_bounds_nothing_is_put_behind_a_converter() -> None:
    for marker in (None, Query(), Query(alias="b")):
        assert bounded(Decimal, decimal_input(marker)) is Decimal


@pytest.mark.parametrize(("format_", "code"), [("json", "json_too_deep"), ("msgpack", "malformed_msgpack")])
def test_a_decoder_that_recurses_too_deeply_means_a_bad_request(format_: Format, code: str) -> None:
    def recurse(body: bytes) -> Any:
        return recurse(body)

    with pytest.raises(BadRequest) as caught:
        Decoders(recurse, recurse).decode(b"\x01", format_, 100)

    assert caught.value.code == code


def test_errors_are_told_once_and_a_hundred_at_most() -> None:
    once = one_error("query", "a", "missing", "is required")
    many = Located({"in": "body", "pointer": f"/{index}", "code": "type", "detail": "x"} for index in range(150))

    assert joined([once, once]).errors == once.errors
    assert len(errors_of([once, many, once]).errors) == 100
    assert errors_of([once, many]).errors[0]["pointer"] == "/a"


def test_variadic_parameters_are_no_inputs() -> None:
    def handler(*args: int, **kwargs: int) -> None: ...

    assert [input_of(one, path_names=(), methods=("GET",)) for one in parameters_of(handler)] == [None, None]


def test_a_type_alias_is_what_it_stands_for() -> None:
    alias = pytest.importorskip("typing_extensions").TypeAliasType("Ids", list[int])

    async def handler(a: Any) -> None: ...

    handler.__annotations__ = {"a": alias}
    (parameter,) = parameters_of(handler)
    found = input_of(parameter, path_names=(), methods=("GET",))

    assert found is not None
    assert found.source == "query"


async def test_a_default_without_a_plain_form_is_the_developers_own_business(read: Read) -> None:
    nothing = object()

    async def handler(a: int = Query(nothing)) -> None: ...

    assert await read(handler) is nothing


async def test_a_dict_of_anything_takes_the_first_of_each_name(read: Read) -> None:
    async def handler(a: Annotated[dict[Any, Any], Query()]) -> None: ...

    assert await read(handler, query="x=1&y=") == {"x": "1", "y": ""}
