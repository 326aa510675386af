"""Paths of the document: no converters, and no two that differ in names alone where that can be helped."""

from typing import Any

import pytest

from nexios.routing.converters import Converter
from nexios.routing.registry import ConverterRegistry
from nexios.routing.router import Router
from tests.openapi.documents import document_of, only_operation


async def answer(request: Any, response: Any) -> None: ...


def parameters_of(operation: Any) -> list[str]:
    return [parameter["name"] for parameter in operation["parameters"]]


def test_converters_are_no_part_of_a_path() -> None:
    router = Router()
    router.add_route("/{year:int}-{slug:slug}.html/{rest:path}", answer)

    assert list(document_of(router)["paths"]) == ["/{year}-{slug}.html/{rest}"]


def test_a_prefix_with_parameters_is_in_the_path() -> None:
    inner, router = Router(prefix="/users/{user_id:uuid}"), Router(prefix="/api")
    inner.add_route("/orders", answer)
    router.include_router(inner)

    (path,) = document_of(router)["paths"]

    assert path == "/api/users/{user_id}/orders"


def test_methods_of_one_path_are_in_one_item_even_with_other_names() -> None:
    router = Router()
    router.add_route("/items/{id:int}", answer)
    router.add_route("/items/{item_id:int}", answer, methods=["DELETE"])

    paths = document_of(router)["paths"]

    assert list(paths) == ["/items/{id}"]
    assert parameters_of(paths["/items/{id}"]["delete"]) == ["id"]


def test_two_converters_for_one_method_make_two_paths() -> None:
    router = Router()
    router.add_route("/items/{id:int}", answer)
    router.add_route("/items/{id:slug}", answer)
    router.add_route("/items/{name:uuid}", answer)

    paths = document_of(router)["paths"]

    assert list(paths) == ["/items/{id}", "/items/{id_slug}", "/items/{name}"]
    assert [parameters_of(item["get"]) for item in paths.values()] == [["id"], ["id_slug"], ["name"]]


@pytest.mark.parametrize(
    ("converter", "schema"),
    [
        ("str", {"type": "string"}),
        ("int", {"type": "integer"}),
        ("float", {"type": "number"}),
        ("uuid", {"type": "string", "format": "uuid"}),
        ("date", {"type": "string", "format": "date"}),
        ("datetime", {"type": "string", "format": "date-time"}),
        ("slug", {"type": "string", "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$"}),
        ("path", {"type": "string"}),
    ],
)
def test_a_converter_has_a_schema(converter: str, schema: dict[str, str]) -> None:
    router = Router()
    router.add_route(f"/{{value:{converter}}}", answer)

    (parameter,) = only_operation(router)["parameters"]

    assert parameter == {"name": "value", "in": "path", "required": True, "schema": schema}


def test_a_path_parameter_may_hold_slashes_in_3_2() -> None:
    router = Router()
    router.add_route("/{rest:path}", answer)

    assert only_operation(router, openapi_version="3.2")["parameters"][0]["allowReserved"] is True


def test_a_converter_of_your_own_says_its_schema() -> None:
    class Colour(Converter[str]):
        schema = {"type": "string", "enum": ["red", "blue"]}  # noqa: RUF012

        def convert(self, text: str) -> str:
            return text

        def format(self, value: str) -> str:
            return value

    registry = ConverterRegistry()
    registry.register("colour", Colour)
    router = Router()
    router.add_route("/{name:colour}", answer)

    (item,) = document_of(router, registry)["paths"].values()

    assert item["get"]["parameters"][0]["schema"] == {"type": "string", "enum": ["red", "blue"]}


def test_a_converter_that_this_document_does_not_know_takes_text() -> None:
    router = Router()
    router.add_route("/{name:strange}", answer)

    assert only_operation(router)["parameters"][0]["schema"] == {"type": "string"}
