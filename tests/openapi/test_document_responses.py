"""Responses: the result, what is declared, and the errors that a route can give."""

from typing import Annotated, Any

import msgspec
import pytest

from nexios import Query
from nexios.errors import ConfigurationError, HTTPException, InvalidInput, NotFound
from nexios.messages.response import Response
from nexios.openapi.model import MediaTypeObject, ResponseObject
from nexios.routing.router import Router
from tests.openapi.documents import document_of, only_operation


class Item(msgspec.Struct):
    name: str


class Refusal(msgspec.Struct):
    reason: str


class SoldOut(HTTPException):
    """The last one is gone.

    This line is for developers.
    """


def responses_of(handler: Any, path: str = "/", **options: Any) -> dict[str, Any]:
    router = Router()
    router.add_route(path, handler, **options)
    found: dict[str, Any] = only_operation(router)["responses"]
    return found


def answering(returns: Any) -> Any:
    async def handler(request: Any, response: Any) -> Any: ...

    handler.__annotations__["return"] = returns
    return handler


async def silent(request: Any, response: Any): ...  # type: ignore[no-untyped-def]


@pytest.mark.parametrize(
    ("returns", "status", "content"),
    [
        (None, "204", None),
        (str, "200", {"text/plain": {"schema": {"type": "string"}}}),
        (bytes, "200", {"application/octet-stream": {}}),
        (list, "200", {"application/json": {"schema": {"type": "array", "items": {}}}}),
        (
            dict[str, Any],
            "200",
            {"application/json": {"schema": {"type": "object", "additionalProperties": {}}}},
        ),
        (Any, "200", None),
        (Response, "200", None),
        (
            Item | None,
            "200",
            {
                media_type: {"schema": {"anyOf": [{"$ref": "#/components/schemas/Item"}, {"type": "null"}]}}
                for media_type in ("application/json", "application/msgpack")
            },
        ),
        (
            tuple[Item, int],
            "200",
            {
                media_type: {"schema": {"$ref": "#/components/schemas/Item"}}
                for media_type in ("application/json", "application/msgpack")
            },
        ),
    ],
)
def test_the_success_is_what_the_handler_returns(returns: Any, status: str, content: Any) -> None:
    responses = responses_of(answering(returns))

    assert next(iter(responses)) == status
    assert responses[status].get("content") == content


def test_an_annotation_that_nothing_can_describe_says_nothing() -> None:
    class Stream: ...

    assert responses_of(answering(Stream))["200"] == {"description": "OK"}


def test_a_response_model_that_nothing_can_describe_is_an_error() -> None:
    class Stream: ...

    with pytest.raises(ConfigurationError, match=r"Stream.* has no JSON Schema"):
        responses_of(silent, response_model=Stream)


def test_without_an_annotation_the_content_is_open() -> None:
    assert responses_of(silent) == {
        "200": {"description": "OK"},
        "default": {"$ref": "#/components/responses/Problem"},
    }


def test_the_response_model_wins_over_the_annotation() -> None:
    responses = responses_of(answering(dict), response_model=list[Item], status_code=201)

    assert responses["201"]["content"]["application/json"]["schema"] == {
        "type": "array",
        "items": {"$ref": "#/components/schemas/Item"},
    }
    assert "200" not in responses


def test_errors_are_listed_where_they_can_happen() -> None:
    async def create(request: Any, response: Any, id: int, item: Item) -> None: ...

    async def search(request: Any, response: Any, q: str = Query()) -> None: ...

    assert list(responses_of(create, "/{id}", methods=["POST"])) == [
        "204",
        "400",
        "404",
        "413",
        "415",
        "422",
        "default",
    ]
    assert list(responses_of(search)) == ["204", "422", "default"]


def test_a_declared_type_is_a_model() -> None:
    assert responses_of(silent, responses={409: Refusal, 202: None, "4XX": str}) == {
        "200": {"description": "OK"},
        "202": {"description": "Accepted"},
        "409": {
            "description": "Conflict",
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}},
        },
        "4XX": {"description": "4XX", "content": {"text/plain": {"schema": {"type": "string"}}}},
        "default": {"$ref": "#/components/responses/Problem"},
    }


def test_a_declared_exception_is_a_problem_document() -> None:
    responses = responses_of(silent, responses={404: NotFound, 410: SoldOut, 422: InvalidInput})

    def problem(description: str, name: str = "Problem") -> dict[str, Any]:
        schema = {"$ref": f"#/components/schemas/{name}"}
        return {"description": description, "content": {"application/problem+json": {"schema": schema}}}

    assert responses["404"] == problem("Not Found")
    assert responses["410"] == problem("The last one is gone.")
    assert responses["422"]["content"] == problem("", "ValidationProblem")["content"]


def test_a_declared_text_describes_what_there_is() -> None:
    responses = responses_of(answering(Item), responses={200: "The item", 404: "No such item"})

    assert responses["200"]["description"] == "The item"
    assert "application/json" in responses["200"]["content"]
    assert responses["404"]["description"] == "No such item"


def test_a_text_for_an_error_that_is_listed_keeps_its_problem_document() -> None:
    async def show(request: Any, response: Any, id: int) -> None: ...

    responses = responses_of(show, "/{id}", responses={404: "No such item", 422: "Not a number"})

    assert responses["404"] == {
        "description": "No such item",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    assert responses["422"]["content"] == {
        "application/problem+json": {"schema": {"$ref": "#/components/schemas/ValidationProblem"}}
    }


def test_a_mapping_says_all_of_a_response() -> None:
    given = {
        "model": Refusal,
        "description": "Refused",
        "media_type": "application/vnd.refusal+json",
        "content": {"text/plain": str, "text/html": {"schema": {"type": "string"}, "example": "<p>No</p>"}},
        "headers": {"retry-after": {"schema": {"type": "integer"}}},
        "links": {"again": {"operationId": "silent"}},
    }

    assert responses_of(silent, responses={503: given})["503"] == {
        "description": "Refused",
        "headers": {"retry-after": {"schema": {"type": "integer"}}},
        "content": {
            "application/vnd.refusal+json": {"schema": {"$ref": "#/components/schemas/Refusal"}},
            "text/plain": {"schema": {"type": "string"}},
            "text/html": {"schema": {"type": "string"}, "example": "<p>No</p>"},
        },
        "links": {"again": {"operationId": "silent"}},
    }


@pytest.mark.parametrize(("version", "word"), [("3.1", "x-oai-itemSchema"), ("3.2", "itemSchema")])
def test_a_stream_says_what_its_items_are(version: str, word: str) -> None:
    router = Router()
    router.add_route("/", silent, responses={200: {"content": {"text/event-stream": {"item_schema": Item}}}})

    document = document_of(router, openapi_version=version)

    assert document["paths"]["/"]["get"]["responses"]["200"]["content"] == {
        "text/event-stream": {word: {"$ref": "#/components/schemas/Item"}}
    }
    assert "Item" in document["components"]["schemas"]


@pytest.mark.parametrize(("version", "word"), [("3.1", "x-oai-itemSchema"), ("3.2", "itemSchema")])
def test_a_route_with_sends_says_what_its_events_are(version: str, word: str) -> None:
    router = Router()
    router.add_route("/", silent, sends={"item": Item, "note": str})

    document = document_of(router, openapi_version=version)

    content = {"type": "string", "contentMediaType": "application/json"}
    item = {**content, "contentSchema": {"$ref": "#/components/schemas/Item"}}
    assert document["paths"]["/"]["get"]["responses"]["200"]["content"]["text/event-stream"][word] == {
        "anyOf": [
            {"type": "object", "properties": {"event": {"const": name}, "data": data}, "required": ["event", "data"]}
            for name, data in [("item", item), ("note", {"type": "string"})]
        ]
    }
    assert "Item" in document["components"]["schemas"]


@pytest.mark.parametrize("status", [99, 600, "ok", "2xx", "²00", ""])
def test_a_response_for_no_status_is_an_error_with_the_place(status: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"(?s)is no status.*test_document_responses\.py"):
        responses_of(silent, responses={status: None})


def test_an_unknown_word_in_a_response_is_an_error() -> None:
    with pytest.raises(ConfigurationError, match=r"'modell'; it may have content, description"):
        responses_of(silent, responses={200: {"modell": Item}})
    with pytest.raises(ConfigurationError, match=r"'shema'; it may have encoding, example"):
        responses_of(silent, responses={200: {"content": {"text/plain": {"shema": {}}}}})


def test_what_has_no_json_form_is_an_error_with_the_place() -> None:
    with pytest.raises(ConfigurationError, match=r"(?s)GET / is no JSON.*test_document_responses\.py"):
        responses_of(silent, openapi_extra={"x-thing": object()})


def test_a_model_with_the_name_of_a_problem_document_keeps_it() -> None:
    class Problem(msgspec.Struct):
        mine: Annotated[int, msgspec.Meta(ge=1)]

    router = Router()
    router.add_route("/{id:int}", answering(Problem))
    document = document_of(router)
    schemas, responses = document["components"]["schemas"], document["components"]["responses"]

    assert list(schemas["Problem"]["properties"]) == ["mine"]
    assert "status" in schemas["ProblemDocument"]["properties"]
    assert responses["NotFound"]["content"]["application/problem+json"] == {
        "schema": {"$ref": "#/components/schemas/ProblemDocument"}
    }


def test_a_declared_success_replaces_what_the_handler_returns() -> None:
    ready = ResponseObject(description="Ready", content={"text/csv": MediaTypeObject()})
    mapped = {"content": {"text/csv": MediaTypeObject(), "image/png": bytes}}

    assert responses_of(answering(Item), responses={200: ready})["200"] == {
        "description": "Ready",
        "content": {"text/csv": {}},
    }
    assert responses_of(answering(Item), responses={200: bytes})["200"] == {
        "description": "OK",
        "content": {"application/octet-stream": {}},
    }
    assert responses_of(silent, responses={"200": mapped})["200"]["content"] == {"text/csv": {}, "image/png": {}}


def test_a_problem_document_in_a_mapping_keeps_its_media_type() -> None:
    response = responses_of(silent, responses={404: {"model": NotFound, "description": "No item"}})["404"]

    assert list(response["content"]) == ["application/problem+json"]


def test_an_error_of_the_handler_does_not_hide_that_of_the_path() -> None:
    """A path parameter that does not fit is a 404 before the handler is asked."""

    async def show(request: Any, response: Any, id: int) -> None: ...

    with_model = responses_of(show, "/{id}", responses={404: Refusal})["404"]
    said_whole = responses_of(show, "/{id}", responses={404: ResponseObject(description="No")})["404"]

    assert list(with_model["content"]) == ["application/json", "application/problem+json"]
    assert said_whole == {"description": "No"}
