"""The document as a whole: what is in it, in which order, and what is not."""

import json
from typing import Any

import msgspec
import pytest

from nexios.openapi.build import build_document, document_bytes
from nexios.openapi.config import OpenAPI
from nexios.openapi.model import Contact, ExternalDocs, License, Server, ServerVariable, Tag
from nexios.routing.router import Router
from tests.openapi.documents import document_of, only_operation, operations_of


class Item(msgspec.Struct):
    name: str
    price: float = 1.0


def test_an_application_without_routes_has_a_document_too() -> None:
    assert document_of(Router()) == {"openapi": "3.1.1", "info": {"title": "nexios", "version": "0.1.0"}, "paths": {}}


def test_a_small_document_is_what_it_is() -> None:
    router = Router(tags=["items"])

    @router.get("/items/{item_id:int}")
    async def show_item(request: Any, response: Any, item_id: int) -> Item:
        """Show one item.

        Prices are without tax,
        as everywhere.
        """
        raise NotImplementedError

    document = document_of(router, title="Shop", version="1.2")

    assert document["info"] == {"title": "Shop", "version": "1.2"}
    assert document["tags"] == [{"name": "items"}]
    assert document["paths"] == {
        "/items/{item_id}": {
            "get": {
                "tags": ["items"],
                "summary": "Show one item.",
                "description": "Prices are without tax,\nas everywhere.",
                "operationId": "show_item",
                "parameters": [{"name": "item_id", "in": "path", "required": True, "schema": {"type": "integer"}}],
                "responses": {
                    "200": {
                        "description": "OK",
                        "content": {
                            "application/json": {"schema": {"$ref": "#/components/schemas/Item"}},
                            "application/msgpack": {"schema": {"$ref": "#/components/schemas/Item"}},
                        },
                    },
                    "404": {"$ref": "#/components/responses/NotFound"},
                    "422": {"$ref": "#/components/responses/ValidationProblem"},
                    "default": {"$ref": "#/components/responses/Problem"},
                },
            }
        }
    }
    assert document["components"]["schemas"]["Item"] == {
        "title": "Item",
        "type": "object",
        "properties": {"name": {"type": "string"}, "price": {"type": "number", "default": 1.0}},
        "required": ["name", "price"],
    }
    assert list(document["components"]["schemas"]) == ["InputError", "Item", "Problem", "ValidationProblem"]
    assert list(document["components"]["responses"]) == ["NotFound", "Problem", "ValidationProblem"]
    assert document["components"]["responses"]["NotFound"] == {
        "description": "There is nothing at this path.",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


def test_the_settings_say_what_the_api_is() -> None:
    document = document_of(
        Router(),
        title="Shop",
        version="2.0",
        summary="A shop",
        description="Sells *things*.",
        terms_of_service="https://example.com/terms",
        contact=Contact(name="Ann", email="ann@example.com"),
        license=License(name="MIT", identifier="MIT"),
        servers=[
            Server(
                url="https://{region}.example.com",
                variables={"region": ServerVariable(default="eu", enum=("eu", "us"))},
            )
        ],
        external_docs=ExternalDocs(url="https://example.com/guide"),
    )

    assert document["info"] == {
        "title": "Shop",
        "version": "2.0",
        "summary": "A shop",
        "description": "Sells *things*.",
        "termsOfService": "https://example.com/terms",
        "contact": {"name": "Ann", "email": "ann@example.com"},
        "license": {"name": "MIT", "identifier": "MIT"},
    }
    assert document["servers"] == [
        {"url": "https://{region}.example.com", "variables": {"region": {"default": "eu", "enum": ["eu", "us"]}}}
    ]
    assert document["externalDocs"] == {"url": "https://example.com/guide"}


def test_the_root_path_is_the_server_unless_the_settings_name_one() -> None:
    named = document_of(Router(), root_path="/shop", servers=[Server(url="https://example.com")])

    assert document_of(Router(), root_path="/shop")["servers"] == [{"url": "/shop"}]
    assert named["servers"] == [{"url": "https://example.com"}]


def test_tags_of_the_settings_come_first_and_those_of_routers_follow() -> None:
    inner = Router(prefix="/inner", tags=["inner"])
    router = Router(tags=["outer"])

    @inner.get("/", tags=["own", "outer"])
    async def show(request: Any, response: Any) -> None: ...

    router.include_router(inner)
    document = document_of(router, tags=[Tag(name="own", description="Of the route"), Tag(name="unused")])

    assert document["paths"]["/inner/"]["get"]["tags"] == ["outer", "inner", "own"]
    assert document["tags"] == [
        {"name": "own", "description": "Of the route"},
        {"name": "unused"},
        {"name": "outer"},
        {"name": "inner"},
    ]


def test_a_hidden_route_and_a_hidden_router_are_absent() -> None:
    hidden = Router(prefix="/hidden", include_in_schema=False)
    router = Router()

    @hidden.get("/one")
    @router.get("/two", include_in_schema=False)
    async def show(request: Any, response: Any) -> None: ...

    router.include_router(hidden)

    assert document_of(router)["paths"] == {}


def test_a_hidden_model_is_absent_too() -> None:
    router = Router()

    @router.get("/secret", include_in_schema=False)
    async def secret(request: Any, response: Any) -> Item:
        raise NotImplementedError

    assert "components" not in document_of(router)


def test_several_documents_share_one_application() -> None:
    router = Router()

    @router.get("/public", tags=["public"])
    @router.get("/internal", tags=["internal"])
    async def show(request: Any, response: Any) -> None: ...

    document = document_of(router, include=lambda operation: "public" in operation.route.tags)

    assert list(document["paths"]) == ["/public"]
    assert document["tags"] == [{"name": "public"}]


def test_two_builds_are_the_same_bytes() -> None:
    router = Router()

    @router.post("/items")
    async def create(request: Any, response: Any, items: list[Item], labels: frozenset[str] = frozenset("abc")) -> Item:
        raise NotImplementedError

    first, second = (document_bytes(build_document(operations_of(router), OpenAPI())) for _ in range(2))

    assert first == second
    assert json.loads(first)["paths"]


def test_two_documents_share_nothing() -> None:
    """A document that somebody changes is no other application's."""
    router = Router()

    @router.get("/items")
    async def show(request: Any, response: Any) -> Item:
        raise NotImplementedError

    first = document_of(router)
    first["components"]["schemas"]["Problem"]["properties"]["type"]["type"] = "changed"
    first["paths"].clear()

    assert document_of(router)["components"]["schemas"]["Problem"]["properties"]["type"]["type"] == "string"
    assert list(document_of(router)["paths"]) == ["/items"]


def test_head_comes_with_get_and_is_not_listed() -> None:
    router = Router()

    @router.get("/items")
    async def show(request: Any, response: Any) -> None: ...

    assert list(document_of(router)["paths"]["/items"]) == ["get"]


def test_head_and_options_are_listed_where_a_route_is_for_them() -> None:
    router = Router()

    @router.route("/items", methods=["HEAD", "OPTIONS"])
    async def look(request: Any, response: Any) -> None: ...

    assert list(document_of(router)["paths"]["/items"]) == ["head", "options"]


@pytest.mark.parametrize(
    ("version", "item"),
    [("3.1", {"x-oai-additionalOperations": {"QUERY": "search"}}), ("3.2", {"query": "search"})],
)
def test_query_has_a_place_in_both_versions(version: str, item: dict[str, Any]) -> None:
    router = Router()

    @router.query("/items")
    async def search(request: Any, response: Any, wanted: Item) -> None: ...

    found = document_of(router, openapi_version=version)["paths"]["/items"]
    ids = {
        key: value["operationId"] if key == "query" else {name: one["operationId"] for name, one in value.items()}
        for key, value in found.items()
    }

    assert ids == item


def test_a_method_of_your_own_is_an_additional_operation() -> None:
    router = Router()

    @router.route("/cache", methods=["PURGE"])
    async def purge(request: Any, response: Any) -> None: ...

    item = document_of(router, openapi_version="3.2")["paths"]["/cache"]

    assert item["additionalOperations"]["PURGE"]["operationId"] == "purge"


def test_the_words_of_the_route_win_over_the_docstring() -> None:
    router = Router()

    @router.get("/items", summary="All", description="Really all.", deprecated=True)
    async def show(request: Any, response: Any) -> None:
        """Show items."""

    operation = only_operation(router)

    assert (operation["summary"], operation["description"], operation["deprecated"]) == ("All", "Really all.", True)


def test_without_a_docstring_the_name_is_the_summary() -> None:
    router = Router()

    @router.get("/items")
    async def list_all_items(request: Any, response: Any) -> None: ...

    assert only_operation(router)["summary"] == "List all items"
    assert "description" not in only_operation(router)


def test_extra_is_merged_last() -> None:
    router = Router()

    @router.get("/items", openapi_extra={"x-code": [1], "responses": {"200": {"description": "Mine"}}})
    async def show(request: Any, response: Any) -> dict[str, int]:
        raise NotImplementedError

    operation = only_operation(router)

    assert operation["x-code"] == [1]
    assert operation["responses"]["200"]["description"] == "Mine"
    assert "application/json" in operation["responses"]["200"]["content"]


def test_external_docs_of_a_route_are_listed() -> None:
    router = Router()

    @router.get("/items", external_docs={"url": "https://example.com/items"})
    async def show(request: Any, response: Any) -> None: ...

    assert only_operation(router)["externalDocs"] == {"url": "https://example.com/items"}


def test_what_only_3_2_knows_is_an_extension_in_3_1() -> None:
    settings: dict[str, Any] = {
        "servers": [Server(url="/", name="main")],
        "tags": [Tag(name="a", summary="A", parent="b", kind="nav")],
    }
    older, newer = (document_of(Router(), openapi_version=version, **settings) for version in ("3.1", "3.2"))

    assert older["tags"] == [{"name": "a", "x-oai-summary": "A", "x-oai-parent": "b", "x-oai-kind": "nav"}]
    assert older["servers"] == [{"url": "/", "x-oai-name": "main"}]
    assert newer["tags"] == [{"name": "a", "summary": "A", "parent": "b", "kind": "nav"}]
    assert newer["servers"] == [{"url": "/", "name": "main"}]
