"""Bodies: what a client may send, in the media types that are read."""

from typing import Annotated, Any

import msgspec
import pytest

from nexios import Body, File, Form
from nexios.messages.upload import UploadFile
from nexios.models.patch import Patch
from nexios.routing.router import Router
from tests.openapi.documents import document_of, only_operation

BINARY = {"type": "string", "format": "binary", "contentMediaType": "application/octet-stream"}


class Item(msgspec.Struct):
    name: str
    price: float = 1.0


class Key(msgspec.Struct):
    key: str


def body_of(handler: Any, method: str = "POST") -> dict[str, Any]:
    router = Router()
    router.add_route("/", handler, methods=[method])
    found: dict[str, Any] = only_operation(router)["requestBody"]
    return found


def test_a_field_of_a_form_is_left_out_and_never_null() -> None:
    async def create(
        request: Any,
        response: Any,
        age: int | None = Form(None, description="In years"),
        either: int | bool | None = Form(None),
        name: str | None = Form(),
    ) -> None: ...

    schema = body_of(create)["content"]["multipart/form-data"]["schema"]

    assert schema["properties"] == {
        "age": {"type": "integer", "description": "In years"},
        "either": {"anyOf": [{"type": "integer"}, {"type": "boolean"}]},
        "name": {"type": "string"},
    }
    assert schema["required"] == ["name"]


def test_a_model_is_read_as_json_and_messagepack() -> None:
    async def create(request: Any, response: Any, item: Item) -> None: ...

    assert body_of(create) == {
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/Item"}},
            "application/msgpack": {"schema": {"$ref": "#/components/schemas/Item"}},
        },
        "required": True,
    }


def test_a_body_with_a_default_is_not_required() -> None:
    async def create(request: Any, response: Any, item: Item | None = None) -> None: ...

    assert "required" not in body_of(create)


def test_a_marker_names_the_media_type_and_the_words() -> None:
    async def create(
        request: Any, response: Any, item: Item = Body(media_type="application/vnd.item+json", description="An item")
    ) -> None: ...

    assert body_of(create) == {
        "description": "An item",
        "content": {"application/vnd.item+json": {"schema": {"$ref": "#/components/schemas/Item"}}},
        "required": True,
    }


def test_a_patch_is_read_as_a_merge_patch() -> None:
    async def change(request: Any, response: Any, patch: Patch[Item]) -> None: ...

    content = body_of(change, "PATCH")["content"]

    assert list(content) == ["application/merge-patch+json", "application/json"]
    assert content["application/json"] == content["application/merge-patch+json"]


@pytest.mark.parametrize(
    ("annotation", "content"),
    [
        (Annotated[bytes, Body()], {"*/*": {}}),
        (Annotated[bytes, Body(media_type="image/*")], {"image/*": {}}),
        (Annotated[str, Body(media_type="text/plain")], {"text/plain": {"schema": {"type": "string"}}}),
    ],
)
def test_a_body_as_it_came_has_the_schema_of_its_bytes(annotation: Any, content: dict[str, Any]) -> None:
    async def create(request: Any, response: Any, given: Any) -> None: ...

    create.__annotations__["given"] = annotation

    assert body_of(create)["content"] == content


def test_several_bodies_are_the_keys_of_an_object_without_a_name() -> None:
    """Names such as Body_create_items_post are what generators turned into unreadable classes."""

    async def create(
        request: Any, response: Any, item: Item, key: Key, note: str = Body("", embed=True, description="Said")
    ) -> None: ...

    assert body_of(create)["content"]["application/json"]["schema"] == {
        "type": "object",
        "properties": {
            "item": {"$ref": "#/components/schemas/Item"},
            "key": {"$ref": "#/components/schemas/Key"},
            "note": {"type": "string", "default": "", "description": "Said"},
        },
        "required": ["item", "key"],
    }


def test_fields_of_a_form_are_read_in_both_encodings() -> None:
    async def create(
        request: Any, response: Any, name: str = Form(min_length=1), ages: list[int] = Form([], alias="age")
    ) -> None: ...

    schema = {
        "type": "object",
        "properties": {
            "name": {"type": "string", "minLength": 1},
            "age": {"type": "array", "items": {"type": "integer"}, "default": []},
        },
        "required": ["name"],
    }

    assert body_of(create) == {
        "content": {
            "application/x-www-form-urlencoded": {"schema": schema},
            "multipart/form-data": {"schema": schema},
        },
        "required": True,
    }


def test_a_model_of_a_form_is_a_component() -> None:
    async def create(request: Any, response: Any, key: Annotated[Key, Form()]) -> None: ...

    assert body_of(create)["content"]["multipart/form-data"] == {"schema": {"$ref": "#/components/schemas/Key"}}


def test_files_are_binary_parts_of_a_multipart_form() -> None:
    async def create(
        request: Any,
        response: Any,
        photo: UploadFile = File(max_size=1000, content_types=["image/png", "image/jpeg"]),
        others: list[UploadFile] = File([], max_length=3, description="More"),
        title: str = Form(""),
    ) -> None: ...

    assert body_of(create) == {
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "photo": {**BINARY, "maxLength": 1000},
                        "others": {"type": "array", "items": BINARY, "maxItems": 3, "description": "More"},
                        "title": {"type": "string", "default": ""},
                    },
                    "required": ["photo"],
                },
                "encoding": {
                    "photo": {"contentType": "image/png, image/jpeg"},
                    "others": {"contentType": "application/octet-stream"},
                },
            }
        },
        "required": True,
    }


def test_a_model_and_fields_of_one_form_are_both_there() -> None:
    async def create(request: Any, response: Any, key: Annotated[Key, Form()], photo: UploadFile) -> None: ...

    schema = body_of(create)["content"]["multipart/form-data"]["schema"]

    assert schema["allOf"][0] == {"$ref": "#/components/schemas/Key"}
    assert schema["allOf"][1]["required"] == ["photo"]


def test_a_method_without_a_body_has_none() -> None:
    async def items(request: Any, response: Any, item: Item | None = None) -> None: ...

    router = Router()
    router.add_route("/", items, methods=["GET", "PUT"])
    item = document_of(router)["paths"]["/"]

    assert "requestBody" not in item["get"]
    assert "413" not in item["get"]["responses"]
    assert "requestBody" in item["put"]
    assert "413" in item["put"]["responses"]


def test_a_field_that_nobody_should_send_any_more_says_so() -> None:
    async def create(request: Any, response: Any, name: Annotated[str, Form(deprecated=True)] = "") -> None: ...

    properties = body_of(create)["content"]["multipart/form-data"]["schema"]["properties"]

    assert properties == {"name": {"type": "string", "default": "", "deprecated": True}}
