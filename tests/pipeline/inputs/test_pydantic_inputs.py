"""Pydantic models as inputs: the same places, codes and rules as for any other model."""

import datetime
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, ConfigDict, Field

from nexios._pipeline.inputs.markers import Body, Form, Query
from nexios.errors import BadRequest
from nexios.settings import Limits

Read = Callable[..., Awaitable[Any]]
Refused = Callable[..., Awaitable[list[tuple[str, str, str]]]]

JSON = "application/json"


class Filters(BaseModel):
    model_config = ConfigDict(extra="forbid")

    limit: int = Field(10, ge=1, alias="Limit")
    tags: list[str] = []
    since: datetime.date | None = None


class Item(BaseModel):
    name: str = Field(min_length=2)
    children: list["Item"] = []


async def test_a_pydantic_model_reads_the_query(read: Read, refused: Refused) -> None:
    async def handler(filters: Annotated[Filters, Query()]) -> None: ...

    found = await read(handler, query="Limit=5&tags=a&tags=b&since=2024-01-31")

    assert found.model_dump() == {"limit": 5, "tags": ["a", "b"], "since": datetime.date(2024, 1, 31)}
    assert sorted(await refused(handler, query="Limit=0&Limit=2&x=1&since=z")) == [
        ("query", "/Limit", "too_small"),
        ("query", "/Limit", "type"),
        ("query", "/since", "format"),
        ("query", "/x", "unknown_field"),
    ]


async def test_a_pydantic_model_reads_a_form_with_fields_left_empty(read: Read) -> None:
    async def handler(filters: Annotated[Filters, Form()]) -> None: ...

    sent = {"body": b"Limit=&tags=a&since=", "content_type": "application/x-www-form-urlencoded"}

    assert (await read(handler, **sent)).model_dump() == {"limit": 10, "tags": ["a"], "since": None}


async def test_a_pydantic_model_is_a_body_alone_in_a_list_and_among_others(read: Read, refused: Refused) -> None:
    async def alone(item: Item) -> None: ...
    async def several(items: Annotated[list[Item], Body(min_length=2)]) -> None: ...
    async def keys(a: Item, b: Item | None = None) -> None: ...

    ada = Item(name="Ada")

    assert await read(alone, body=b'{"name": "Ada"}', content_type=JSON) == ada
    assert await read(keys, body=b'{"a": {"name": "Ada"}}', content_type=JSON) == {"a": ada, "b": None}
    assert await refused(several, body=b'[{"name": "Ada"}]', content_type=JSON) == [("body", "", "too_short")]
    assert await refused(keys, body=b'{"a": {"name": "A"}}', content_type=JSON) == [("body", "/a/name", "too_short")]


@pytest.mark.parametrize("depth", [3, 101, 10_000])
async def test_a_pydantic_body_is_held_to_the_depth_too(read: Read, depth: int) -> None:
    async def handler(item: Item) -> None: ...

    body = b'{"name": "ab", "children": [' * depth + b"]}" * depth

    with pytest.raises(BadRequest) as caught:
        await read(handler, body=body, content_type=JSON, limits=Limits(max_json_depth=5))
    assert caught.value.code in ("json_too_deep", "malformed_json")
