"""Parameters: every source, with its schema, default, words and constraints."""

from datetime import date
from enum import Enum
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
import pytest

from nexios import Cookie, Header, Path, Query
from nexios._pipeline.inputs.input import Input
from nexios.openapi.build import build_document
from nexios.openapi.config import OpenAPI
from nexios.openapi.parameters import default_of
from nexios.routing.router import Router
from tests.openapi.documents import only_operation, operations_of


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Filters(msgspec.Struct):
    """What to look for."""

    text: Annotated[str, msgspec.Meta(min_length=1, description="Words")]
    limit: Annotated[int, msgspec.Meta(ge=1, le=100)] = 20
    tags: list[str] = []


class Trace(msgspec.Struct):
    x_request_id: str
    x_hops: int = 0


def parameters_of(handler: Any, path: str = "/", **settings: Any) -> list[dict[str, Any]]:
    router = Router()
    router.add_route(path, handler)
    found: list[dict[str, Any]] = only_operation(router, **settings)["parameters"]
    return found


def test_a_query_parameter_has_its_type_default_and_words() -> None:
    async def search(
        request: Any,
        response: Any,
        q: Annotated[str, Query(min_length=2, max_length=9, title="Words", description="To find", examples=["ab"])],
        limit: int = Query(20, ge=1, le=100, deprecated=True),
        page: int = 1,
    ) -> None: ...

    assert parameters_of(search) == [
        {
            "name": "q",
            "in": "query",
            "description": "To find",
            "required": True,
            "schema": {"type": "string", "minLength": 2, "maxLength": 9, "title": "Words", "examples": ["ab"]},
        },
        {
            "name": "limit",
            "in": "query",
            "deprecated": True,
            "schema": {"type": "integer", "minimum": 1, "maximum": 100, "default": 20},
        },
        {"name": "page", "in": "query", "schema": {"type": "integer", "default": 1}},
    ]


def test_a_pattern_is_the_one_that_was_written() -> None:
    async def search(request: Any, response: Any, code: str = Query(pattern="^[a-z]+$")) -> None: ...

    assert parameters_of(search)[0]["schema"] == {"type": "string", "pattern": "^[a-z]+$"}


def test_a_default_is_written_as_json_has_it() -> None:
    async def search(
        request: Any, response: Any, day: date = date(2024, 1, 31), colour: Colour = Colour.RED, x: int | None = None
    ) -> None: ...

    day, colour, x = parameters_of(search)

    assert day["schema"] == {"type": "string", "format": "date", "default": "2024-01-31"}
    assert colour["schema"] == {"$ref": "#/components/schemas/Colour", "default": "red"}
    assert x["schema"] == {"anyOf": [{"type": "integer"}, {"type": "null"}]}


def test_a_list_in_a_query_is_repeated() -> None:
    async def search(request: Any, response: Any, tag: list[str] = Query([])) -> None: ...

    assert parameters_of(search) == [
        {
            "name": "tag",
            "in": "query",
            "style": "form",
            "explode": True,
            "schema": {"type": "array", "items": {"type": "string"}, "default": []},
        }
    ]


def test_a_list_of_headers_says_how_it_is_sent() -> None:
    async def search(request: Any, response: Any, x_tag: list[str] = Header(description="Tags")) -> None: ...

    assert parameters_of(search) == [
        {
            "name": "x-tag",
            "in": "header",
            "description": "Tags",
            "required": True,
            "style": "simple",
            "explode": False,
            "schema": {"type": "array", "items": {"type": "string"}},
        }
    ]


def test_headers_and_cookies_have_the_names_of_the_wire() -> None:
    async def search(
        request: Any,
        response: Any,
        x_request_id: UUID = Header(),
        token: str | None = Header(None, alias="X-Token"),
        theme: Literal["light", "dark"] = Cookie("light"),
    ) -> None: ...

    assert [(one["name"], one["in"], one.get("required", False)) for one in parameters_of(search)] == [
        ("x-request-id", "header", True),
        ("x-token", "header", False),
        ("theme", "cookie", False),
    ]


def test_a_model_of_the_query_is_one_parameter_a_field() -> None:
    async def search(request: Any, response: Any, filters: Annotated[Filters, Query()]) -> None: ...

    assert parameters_of(search) == [
        {
            "name": "text",
            "in": "query",
            "description": "Words",
            "required": True,
            "schema": {"type": "string", "minLength": 1},
        },
        {
            "name": "limit",
            "in": "query",
            "schema": {"type": "integer", "minimum": 1, "maximum": 100, "default": 20},
        },
        {
            "name": "tags",
            "in": "query",
            "style": "form",
            "explode": True,
            "schema": {"type": "array", "items": {"type": "string"}, "default": []},
        },
    ]


def test_a_model_that_is_only_parameters_is_no_component() -> None:
    async def search(request: Any, response: Any, filters: Annotated[Filters, Query()]) -> None: ...

    router = Router()
    router.add_route("/", search)

    assert "Filters" not in build_document(operations_of(router), OpenAPI())["components"]["schemas"]


def test_nothing_of_an_optional_model_is_required() -> None:
    async def search(request: Any, response: Any, filters: Annotated[Filters | None, Query()] = None) -> None: ...

    assert [(one["name"], one.get("required", False)) for one in parameters_of(search)] == [
        ("text", False),
        ("limit", False),
        ("tags", False),
    ]


def test_a_model_of_the_headers_has_hyphens() -> None:
    async def search(request: Any, response: Any, trace: Annotated[Trace, Header()]) -> None: ...

    assert [(one["name"], one["in"], one.get("required", False)) for one in parameters_of(search)] == [
        ("x-request-id", "header", True),
        ("x-hops", "header", False),
    ]


def test_a_dict_of_the_query_stands_for_any_names() -> None:
    async def search(request: Any, response: Any, rest: Annotated[dict[str, int], Query()]) -> None: ...

    assert parameters_of(search) == [
        {
            "name": "rest",
            "in": "query",
            "style": "form",
            "explode": True,
            "schema": {"type": "object", "additionalProperties": {"type": "integer"}},
        }
    ]


def test_an_input_may_be_left_out_of_the_document() -> None:
    async def search(request: Any, response: Any, debug: bool = Query(False, include_in_schema=False)) -> None: ...

    router = Router()
    router.add_route("/", search)

    assert "parameters" not in only_operation(router)


@pytest.mark.parametrize(
    ("path", "annotation", "schema"),
    [
        ("/{value}", int, {"type": "integer"}),
        ("/{value}", UUID, {"type": "string", "format": "uuid"}),
        ("/{value:uuid}", str, {"type": "string", "format": "uuid"}),
        ("/{value:int}", str, {"type": "string"}),
        ("/{value:int}", Annotated[int, Path(ge=1)], {"type": "integer", "minimum": 1}),
        ("/{value}", Annotated[str, Path(max_length=5)], {"type": "string", "maxLength": 5}),
    ],
)
def test_a_path_parameter_is_as_strict_as_annotation_and_converter(
    path: str, annotation: Any, schema: dict[str, Any]
) -> None:
    async def show(request: Any, response: Any, value: Any) -> None: ...

    show.__annotations__["value"] = annotation

    assert parameters_of(show, path) == [{"name": "value", "in": "path", "required": True, "schema": schema}]


def test_a_path_parameter_of_a_type_without_a_schema_has_that_of_its_converter() -> None:
    """A converter of your own may make anything of a text."""

    class Thing: ...

    async def show(request: Any, response: Any, value: Thing) -> None: ...

    router = Router()
    router.add_route("/{value:slug}", show)

    assert only_operation(router)["parameters"][0]["schema"]["type"] == "string"


def test_path_parameters_come_first_in_the_order_of_the_template() -> None:
    async def show(request: Any, response: Any, page: int = 1, b: str = "", a: str = "") -> None: ...

    assert [one["name"] for one in parameters_of(show, "/{a}/{b}")] == ["a", "b", "page"]


def test_what_two_functions_read_is_one_parameter_and_required_if_one_needs_it() -> None:
    async def show(
        request: Any,
        response: Any,
        page: int = 1,
        other: Annotated[int, Query(alias="page")] = 2,
        x_token: Annotated[str | None, Header()] = None,
        *,
        token: Annotated[str, Header(alias="X-Token")],
    ) -> None: ...

    found = parameters_of(show)

    assert [(one["name"], one["in"], one.get("required", False)) for one in found] == [
        ("page", "query", False),
        ("x-token", "header", True),
    ]
    assert found[0]["schema"]["default"] == 1


def test_a_default_that_json_cannot_hold_is_left_out() -> None:
    """Another library's model may be a default, and only that library can write it."""
    assert default_of(Input("query", "x", "x", int, default=object())) is None
    assert default_of(Input("query", "x", "x", int)) is None
    assert default_of(Input("query", "x", "x", int, default=3)) == 3
