"""Query, path, header and cookie parameters: what a handler gets, and what the client hears."""

# ruff: noqa: B008  (a marker is meant to be a default)

import datetime
import decimal
import enum
import uuid
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nexios._pipeline.inputs.compile import CompiledInputs, Located
from nexios._pipeline.inputs.markers import Cookie, Header, Path, Query
from nexios.errors import HTTPException

Read = Callable[..., Awaitable[Any]]
Refused = Callable[..., Awaitable[list[tuple[str, str, str]]]]

NUMBER = uuid.UUID("12345678-1234-5678-1234-567812345678")


class Colour(enum.Enum):
    RED = "red"


class Filters(msgspec.Struct):
    limit: int = 10
    tags: list[str] = []
    word: str | None = None
    numbers: list[int] | None = None


class Strict(msgspec.Struct, forbid_unknown_fields=True):
    page: int = 1


class Heads(msgspec.Struct):
    x_request_id: str
    x_tag: list[str] = []
    x_level: int = 0


class Crumbs(msgspec.Struct):
    theme: str = "light"
    visits: int = 0


@pytest.mark.parametrize(
    ("kind", "query", "value"),
    [
        (str, "a=x+y", "x y"),
        (str, "a=", ""),
        (str, "a", ""),
        (int, "a=-5", -5),
        (float, "a=1.5", 1.5),
        (bool, "a=true", True),
        (bool, "a=0", False),
        (uuid.UUID, f"a={NUMBER}", NUMBER),
        (datetime.date, "a=2024-01-31", datetime.date(2024, 1, 31)),
        (Colour, "a=red", Colour.RED),
        (Literal["x", "y"], "a=y", "y"),
        (int | None, "a=5", 5),
        (list[int], "a=1&b=0&a=2", [1, 2]),
        (set[str], "a=x&a=x&a=y", {"x", "y"}),
        (tuple[int, str], "a=1&a=1", (1, "1")),
        (list[str] | None, "a=1%2C2", ["1,2"]),
    ],
)
async def test_a_query_parameter_is_converted_to_its_type(read: Read, kind: Any, query: str, value: object) -> None:
    async def handler(a): ...  # type: ignore[no-untyped-def]

    handler.__annotations__ = {"a": kind}

    assert await read(handler, query=query, methods=("GET",)) == value


async def test_a_list_takes_all_values_also_on_a_route_with_a_body(read: Read) -> None:
    async def handler(tags: Annotated[list[str], Query(alias="tag")]) -> None: ...

    assert await read(handler, query="tag=a&tag=b") == ["a", "b"]


async def test_a_missing_parameter_has_its_own_code_and_no_value(read: Read) -> None:
    async def handler(limit: int) -> None: ...

    with pytest.raises(Located) as caught:
        await read(handler, query="limits=5")

    assert caught.value.errors == ({"in": "query", "pointer": "/limit", "code": "missing", "detail": "is required"},)


async def test_a_scalar_that_is_given_twice_is_an_error_even_with_one_value(read: Read) -> None:
    """HTTP parameter pollution: whoever stands before us may have read the other one."""

    async def handler(role: str) -> None: ...

    for query in ("role=user&role=admin", "role=user&role=user", "role=user&rol%65=user"):
        with pytest.raises(Located) as caught:
            await read(handler, query=query)
        assert caught.value.errors == (
            {"in": "query", "pointer": "/role", "code": "type", "detail": "must be given once"},
        )


async def test_a_default_stands_for_what_is_missing_and_nothing_else(read: Read, refused: Refused) -> None:
    async def handler(limit: int = Query(20, ge=1)) -> None: ...

    assert await read(handler) == 20
    assert await refused(handler, query="limit=") == [("query", "/limit", "type")]


async def test_a_mutable_default_is_a_copy_for_each_request(
    compiled_inputs: Callable[..., CompiledInputs], read_compiled: Read
) -> None:
    default: dict[str, list[str]] = {"x": []}

    async def handler(tags: list[str] = Query(["a"]), more: dict[str, list[str]] = Query(default)) -> None: ...

    inputs = compiled_inputs(handler, (), ("GET",))
    first = await read_compiled(inputs)
    first["tags"].append("b")
    first["more"]["x"].append("b")

    assert await read_compiled(inputs) == {"tags": ["a"], "more": {"x": []}}
    assert default == {"x": []}


@pytest.mark.parametrize(
    ("marker", "kind", "text", "code"),
    [
        (Query(ge=1), int, "0", "too_small"),
        (Query(gt=1), int | None, "1", "too_small"),
        (Query(le=5), float, "5.5", "too_large"),
        (Query(lt=5), int, "5", "too_large"),
        (Query(multiple_of=5), int, "7", "multiple_of"),
        (Query(min_length=2), str, "a", "too_short"),
        (Query(max_length=2), str | None, "abc", "too_long"),
        (Query(pattern="^[a-z]+$"), str, "a1", "pattern"),
        (Query(pattern="^[a-z]+$"), str, "a%0A", "pattern"),
        (Query(min_length=2), list[str], "abc", "too_short"),
    ],
)
async def test_a_constraint_is_checked(refused: Refused, marker: Any, kind: Any, text: str, code: str) -> None:
    """A trailing line break passes no pattern that ends in `$`."""

    async def handler(a): ...  # type: ignore[no-untyped-def]

    handler.__annotations__ = {"a": Annotated[kind, marker]}

    assert await refused(handler, query=f"a={text}") == [("query", "/a", code)]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("0", "too_small"),
        ("0.1", "too_small"),
        ("2.01", "too_large"),
        ("3", "too_large"),
        ("x", "format"),
        ("NaN", "format"),
    ],
)
async def test_bounds_of_a_decimal_are_exact(read: Read, refused: Refused, text: str, code: str) -> None:
    async def handler(price: Annotated[decimal.Decimal | None, Query(gt=0.1, le=2)] = None) -> None: ...
    async def half_open(price: decimal.Decimal = Query(ge=0.2, lt=3)) -> None: ...

    assert await refused(handler, query=f"price={text}") == [("query", "/price", code)]
    assert await read(handler, query="price=2.00") == decimal.Decimal("2.00")
    assert await read(half_open, query="price=0.2") == decimal.Decimal("0.2")
    assert await refused(half_open, query="price=3") == [("query", "/price", "too_large")]
    assert await refused(half_open, query="price=0.1999") == [("query", "/price", "too_small")]


@pytest.mark.parametrize("kind", [int, float, bool, uuid.UUID, datetime.date, Colour, Literal["x"], list[int]])
async def test_a_value_of_another_type_is_refused_without_being_repeated(read: Read, kind: Any) -> None:
    async def handler(a): ...  # type: ignore[no-untyped-def]

    handler.__annotations__ = {"a": kind}

    with pytest.raises(Located) as caught:
        await read(handler, query="a=<script>", methods=("GET",))

    (error,) = caught.value.errors
    assert error["in"] == "query"
    assert error["pointer"] in ("/a", "/a/0")
    assert "script" not in str(error)


async def test_a_pointer_escapes_what_a_name_may_hold(refused: Refused) -> None:
    """RFC 6901 section 3."""

    async def handler(a: int = Query(alias="x/y~z")) -> None: ...

    assert await refused(handler) == [("query", "/x~1y~0z", "missing")]


async def test_a_model_reads_the_whole_query_with_every_value_of_a_list(read: Read) -> None:
    async def handler(filters: Annotated[Filters, Query()]) -> None: ...

    assert await read(handler, query="limit=5&tags=a&tags=b&unknown=1&unknown=2&numbers=7") == Filters(
        5, ["a", "b"], None, [7]
    )
    assert await read(handler) == Filters()


async def test_all_errors_of_a_model_are_told(refused: Refused) -> None:
    async def handler(filters: Annotated[Filters, Query()]) -> None: ...

    found = await refused(handler, query="limit=x&word=a&word=b&numbers=1&numbers=y")

    assert sorted(found) == [("query", "/limit", "type"), ("query", "/numbers/1", "type"), ("query", "/word", "type")]


async def test_unknown_parameters_are_refused_by_a_model_that_forbids_them(read: Read, refused: Refused) -> None:
    async def handler(page: Annotated[Strict, Query()]) -> None: ...

    assert await read(handler, query="page=2") == Strict(2)
    assert await refused(handler, query="page=2&is_admin=1") == [("query", "/is_admin", "unknown_field")]


async def test_the_default_of_a_model_is_for_an_empty_query(read: Read) -> None:
    async def handler(filters: Annotated[Filters | None, Query()] = None) -> None: ...

    assert await read(handler) is None
    assert await read(handler, query="limit=1") == Filters(1)


async def test_a_dict_takes_every_parameter(read: Read, refused: Refused) -> None:
    async def one(a: dict[str, int] = Query()) -> None: ...
    async def many(a: dict[str, list[int]] = Query()) -> None: ...

    assert await read(one, query="x=1&y=2") == {"x": 1, "y": 2}
    assert await refused(one, query="x=1&x=2") == [("query", "/x", "type")]
    assert await read(many, query="x=1&x=2") == {"x": [1, 2]}


async def test_the_query_is_read_as_text_names_with_brackets_too(read: Read) -> None:
    async def handler(a: str = Query(alias="a[b]"), c: str = Query(alias="__proto__")) -> None: ...

    assert await read(handler, query="a[b]=1&__proto__=2") == {"a": "1", "c": "2"}


async def test_a_path_parameter_that_is_converted_already_is_taken_as_it_is(read: Read) -> None:
    async def handler(id: int) -> None: ...

    assert await read(handler, path={"id": 7}) == 7
    assert await read(handler, path={"id": "7"}) == 7


async def test_a_path_parameter_is_converted_when_the_annotation_differs(read: Read, refused: Refused) -> None:
    async def number(id: uuid.UUID) -> None: ...
    async def text(id: str) -> None: ...
    async def fraction(id: float) -> None: ...
    async def small(id: Annotated[int, Path(le=5)]) -> None: ...

    assert await read(number, path={"id": str(NUMBER)}) == NUMBER
    assert await refused(number, path={"id": "x"}) == [("path", "/id", "format")]
    assert await read(text, path={"id": 7}) == "7"
    assert await read(fraction, path={"id": 7}) == 7.0
    assert await refused(small, path={"id": 6}) == [("path", "/id", "too_large")]


async def test_a_path_parameter_of_a_type_of_its_own_is_left_alone(read: Read) -> None:
    """The converter of the app made it."""

    class Point:
        pass

    point = Point()

    async def handler(a: Point) -> None: ...

    handler.__annotations__["a"] = Point
    assert await read(handler, path={"a": point}) is point


async def test_a_header_is_named_with_hyphens_and_found_in_any_case(read: Read) -> None:
    async def handler(x_request_id: str = Header(), level: int = Header(alias="X_Level")) -> None: ...

    assert await read(handler, headers=[("x-request-id", "a"), ("x_level", "3")]) == {"x_request_id": "a", "level": 3}


async def test_an_underscore_in_a_header_that_is_sent_is_not_a_hyphen(refused: Refused) -> None:
    """A proxy that strips X-User does not strip X_User."""

    async def handler(x_user: str = Header()) -> None: ...

    assert await refused(handler, headers=[("x_user", "root")]) == [("header", "/x-user", "missing")]


async def test_repeated_headers_are_a_list_or_one_joined_value(read: Read, refused: Refused) -> None:
    """RFC 9110 section 5.3."""
    headers = [("x-tag", "a"), ("x-tag", "b,c"), ("x-level", "1"), ("x-level", "2")]

    async def apart(x_tag: list[str] = Header()) -> None: ...
    async def together(x_tag: str = Header()) -> None: ...
    async def number(x_level: int = Header()) -> None: ...

    assert await read(apart, headers=headers) == ["a", "b", "c"]
    assert await read(together, headers=headers) == "a, b,c"
    assert await refused(number, headers=headers) == [("header", "/x-level", "type")]


@pytest.mark.parametrize(
    ("fields", "elements"),
    [
        (["1, 2", "3"], [1, 2, 3]),
        (["1,2,3"], [1, 2, 3]),
        (["1", "2", "3"], [1, 2, 3]),
        ([" 1 ,\t2,, ,3,"], [1, 2, 3]),
        ([""], []),
    ],
)
async def test_a_list_of_headers_is_the_same_however_its_fields_were_joined(
    read: Read, fields: list[str], elements: list[int]
) -> None:
    """RFC 9110 sections 5.3 and 5.6.1; OpenAPI 3.1.1, style `simple`."""

    class Whole(msgspec.Struct):
        x_tag: list[int] = []

    async def one(x_tag: list[int] = Header()) -> None: ...
    async def model(heads: Annotated[Whole, Header()]) -> None: ...

    headers = [("x-tag", field) for field in fields]

    assert await read(one, headers=headers) == elements
    assert await read(model, headers=headers) == Whole(elements)


async def test_a_comma_in_quotes_separates_nothing(read: Read, refused: Refused) -> None:
    async def handler(if_match: list[str] = Header()) -> None: ...
    async def few(x_tag: list[str] = Header(min_length=2)) -> None: ...

    assert await read(handler, headers=[("if-match", 'W/"a,b", "c"')]) == ['W/"a,b"', '"c"']
    assert await refused(few, headers=[("x-tag", "a,")]) == [("header", "/x-tag", "too_short")]


async def test_a_model_reads_the_headers_of_its_fields(read: Read, refused: Refused) -> None:
    async def handler(heads: Annotated[Heads, Header()]) -> None: ...

    headers = [("x-request-id", "1"), ("x-tag", "a"), ("x-tag", "b"), ("accept", "*/*")]

    assert await read(handler, headers=headers) == Heads("1", ["a", "b"])
    assert sorted(await refused(handler, headers=[("x-level", "x")])) == [
        ("header", "/x-level", "type"),
        ("header", "/x-request-id", "missing"),
    ]


async def test_cookies_are_read_one_by_one_or_as_a_model(read: Read, refused: Refused) -> None:
    headers = [("cookie", "theme=dark; visits=3; theme=light")]

    async def one(theme: str = Cookie("light")) -> None: ...
    async def model(crumbs: Annotated[Crumbs, Cookie()]) -> None: ...

    assert await read(one, headers=headers) == "dark"
    assert await read(one) == "light"
    assert await read(model, headers=headers) == Crumbs("dark", 3)
    assert await refused(model, headers=[("cookie", "visits=x")]) == [("cookie", "/visits", "type")]


async def test_the_errors_of_all_inputs_are_told_together(refused: Refused) -> None:
    async def handler(a: int, b: int = Header(), c: int = Cookie(), d: int = Path(ge=1)) -> None: ...

    assert await refused(handler, path={"d": 0}, query="a=x") == [
        ("query", "/a", "type"),
        ("header", "/b", "missing"),
        ("cookie", "/c", "missing"),
        ("path", "/d", "too_small"),
    ]


KINDS: list[Any] = [
    str, int, float, bool, uuid.UUID, datetime.date, datetime.datetime, datetime.time, datetime.timedelta,
    Colour, Literal["x", 1], int | None, list[int], set[float], Filters, Strict, dict[str, int],
]  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from(KINDS),
    query=st.text(st.characters(max_codepoint=255), max_size=30) | st.just("9" * 5000) | st.just("1e999999"),
    name=st.sampled_from(["a", "limit", "tags", "numbers", "page"]),
)
async def test_no_query_header_or_cookie_raises_anything_else(read: Read, kind: Any, query: str, name: str) -> None:
    for marker in (Query(), Header(), Cookie()):
        if marker.source == "cookie" and kind in (list[int], set[float]):
            continue
        if marker.source == "header" and kind == dict[str, int]:
            continue

        async def handler(a): ...  # type: ignore[no-untyped-def]

        handler.__annotations__ = {"a": Annotated[kind, marker]}
        headers = [("a", query), ("limit", query), ("cookie", f"{name}={query}")]
        try:
            await read(handler, query=f"{name}={query}", headers=headers)
        except Located as exc:
            assert all(set(error) == {"in", "pointer", "code", "detail"} for error in exc.errors)
        except HTTPException as exc:
            assert exc.status_code in (400, 413, 415)


async def test_the_default_of_a_model_is_for_no_cookies_or_headers(read: Read) -> None:
    async def cookies(crumbs: Annotated[Crumbs | None, Cookie()] = None) -> None: ...
    async def headers(heads: Annotated[Heads | None, Header()] = None) -> None: ...

    assert await read(cookies) is None
    assert await read(headers) is None


async def test_a_default_that_is_a_model_is_copied(read: Read) -> None:
    default = Filters()

    async def handler(filters: Annotated[Filters, Query()] = default) -> None: ...

    (await read(handler)).tags.append("x")

    assert default.tags == []


async def test_an_error_of_the_whole_headers_points_to_all_of_them(refused: Refused) -> None:
    class Pair(msgspec.Struct):
        x_low: int
        x_high: int

        def __post_init__(self) -> None:
            if self.x_low > self.x_high:
                raise ValueError("x-low is above x-high")

    async def handler(pair: Any) -> None: ...

    handler.__annotations__["pair"] = Annotated[Pair, Header()]

    assert await refused(handler, headers=[("x-low", "2"), ("x-high", "1")]) == [("header", "", "invalid")]
