"""A typed answer depends on Accept, whatever the client asked for, and says so to caches (RFC 9110 section 12.5.5)."""

from typing import Any

import msgspec
import pytest

from nexios import NexiosApp, Request, Response
from nexios.testing import call


class Item(msgspec.Struct):
    name: str


async def plain(request: Request, response: Response) -> Item:
    return Item("pen")


async def with_headers(request: Request, response: Response) -> Item:
    response.set_header("vary", "origin")
    return Item("pen")


async def in_a_tuple(request: Request, response: Response) -> tuple[Item, int, dict[str, str]]:
    return Item("pen"), 201, {"x-tag": "a"}


async def filled_before(request: Request, response: Response) -> Item:
    response.text("draft")
    return Item("pen")


@pytest.mark.parametrize(
    ("handler", "vary"),
    [(plain, "accept"), (with_headers, "origin, accept"), (in_a_tuple, "accept"), (filled_before, "accept")],
)
@pytest.mark.parametrize(
    ("accept", "media_type"),
    [(None, "application/json"), ("*/*", "application/json"), ("application/msgpack", "application/msgpack")],
)
async def test_both_formats_vary_by_accept(handler: Any, vary: str, accept: str | None, media_type: str) -> None:
    app = NexiosApp()
    app.get("/")(handler)

    answer = await call(app, headers=[] if accept is None else [(b"accept", accept.encode())])

    assert [value for name, value in answer.headers if name == b"vary"] == [vary.encode()]
    assert [value for name, value in answer.headers if name == b"content-type"] == [media_type.encode()]


async def test_an_answer_that_is_in_one_format_alone_does_not_vary() -> None:
    app = NexiosApp()

    @app.get("/")
    async def index() -> dict[str, Any]:
        return {"a": 1}

    assert (await call(app)).header("vary") is None
