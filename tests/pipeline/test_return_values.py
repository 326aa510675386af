"""Whatever a handler returns becomes a response, or an error that says what it should have been."""

import dataclasses
import enum
import logging
from collections import OrderedDict
from collections.abc import Callable
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec
import pytest

from nexios import NexiosApp, Request, Response
from nexios.testing.raw import RawAnswer, call

JSON = "application/json"
TEXT = "text/plain; charset=utf-8"
BYTES = "application/octet-stream"


@dataclasses.dataclass
class Book:
    title: str


class Item(msgspec.Struct):
    id: int


class Model:
    """Shaped as a pydantic model."""

    def model_dump(self, *, mode: str, by_alias: bool) -> dict[str, str]:
        return {"mode": mode}


class Text(str):
    __slots__ = ()


class Page(NamedTuple):
    number: int
    size: int


class Number(enum.IntEnum):
    SEVEN = 7


async def answer_to(fill: Callable[[Response], object], **options: Any) -> RawAnswer:
    """Answer of an app whose handler returns what `fill` does to the builder."""
    app = NexiosApp(**options)

    @app.get("/")
    async def handler(request: Request, response: Response) -> object:
        return fill(response)

    return await call(app)


CONVERSIONS: list[tuple[object, int, str | None, bytes]] = [
    ({"a": 1}, 200, JSON, b'{"a":1}'),
    ([1, 2], 200, JSON, b"[1,2]"),
    ({}, 200, JSON, b"{}"),
    ([], 200, JSON, b"[]"),
    (OrderedDict(a=1), 200, JSON, b'{"a":1}'),
    (MappingProxyType({"a": 1}), 200, JSON, b'{"a":1}'),
    (Book("Dune"), 200, JSON, b'{"title":"Dune"}'),
    (Item(7), 200, JSON, b'{"id":7}'),
    (Model(), 200, JSON, b'{"mode":"json"}'),
    (Page(1, 20), 200, JSON, b"[1,20]"),
    (7, 200, JSON, b"7"),
    (0, 200, JSON, b"0"),
    (7.5, 200, JSON, b"7.5"),
    (True, 200, JSON, b"true"),
    (False, 200, JSON, b"false"),
    (Number.SEVEN, 200, JSON, b"7"),
    (float("nan"), 200, JSON, b"null"),
    ("text", 200, TEXT, b"text"),
    ("é", 200, TEXT, "é".encode()),
    ("", 200, TEXT, b""),
    (Text("text"), 200, TEXT, b"text"),
    (b"bytes", 200, BYTES, b"bytes"),
    (b"", 200, BYTES, b""),
    (bytearray(b"bytes"), 200, BYTES, b"bytes"),
    (memoryview(b"bytes"), 200, BYTES, b"bytes"),
    (None, 204, None, b""),
    (({"a": 1}, 201), 201, JSON, b'{"a":1}'),
    (("gone", 410), 410, TEXT, b"gone"),
    ((b"x", 418), 418, BYTES, b"x"),
    ((None, 202), 202, None, b""),
    ((None, 304), 304, None, b""),
    (([1], 503), 503, JSON, b"[1]"),
    ((Response("own"), 201), 201, TEXT, b"own"),
    (Response("own", 202), 202, TEXT, b"own"),
    (Response(b"own", media_type="image/png"), 200, "image/png", b"own"),
    (Response(), 200, None, b""),
]


@pytest.mark.parametrize(("result", "status", "media_type", "body"), CONVERSIONS)
async def test_a_return_value_becomes_a_response(
    result: object, status: int, media_type: str | None, body: bytes
) -> None:
    answer = await answer_to(lambda response: result)

    assert (answer.status, answer.header("content-type"), answer.body) == (status, media_type, body)


async def test_a_third_member_of_a_tuple_holds_headers() -> None:
    answer = await answer_to(lambda response: ({"id": 7}, 201, {"location": "/items/7"}))

    assert (answer.status, answer.header("location"), answer.json()) == (201, "/items/7", {"id": 7})


async def test_headers_of_a_tuple_may_be_pairs_with_one_name_twice() -> None:
    answer = await answer_to(lambda response: ("x", 200, [("link", "</a>"), ("link", "</b>")]))

    assert answer.header_all("link") == ["</a>", "</b>"]


@pytest.mark.parametrize("fill", [
    lambda response: response.json({"a": 1}),
    lambda response: response.status(201).json({"a": 1}) and None,
    lambda response: response.json({"a": 1}, 201),
    lambda response: response.json({"a": 1}).status(201),
    lambda response: response.status(201) and {"a": 1},
])  # fmt: skip
async def test_the_builder_may_be_filled_returned_or_both(fill: Callable[[Response], object]) -> None:
    answer = await answer_to(fill)

    assert answer.status in (200, 201)
    assert answer.json() == {"a": 1}


async def test_a_status_that_was_set_first_stays() -> None:
    """`response.status(404)` before the content is not undone by it."""
    answer = await answer_to(lambda response: response.status(404).json({"error": "gone"}))

    assert (answer.status, answer.json()) == (404, {"error": "gone"})


async def test_headers_and_cookies_of_the_builder_go_with_a_returned_value() -> None:
    def fill(response: Response) -> object:
        response.set_header("x-total", "7").set_cookie("seen", "1", secure=False)
        return {"a": 1}

    answer = await answer_to(fill)

    assert (answer.header("x-total"), answer.json()) == ("7", {"a": 1})
    assert answer.header("set-cookie") == "seen=1; Path=/; HttpOnly; SameSite=Lax"


async def test_headers_may_be_set_before_there_is_a_body() -> None:
    answer = await answer_to(lambda response: response.set_header("x-a", "1").text("late"))

    assert (answer.header("x-a"), answer.body) == ("1", b"late")


@pytest.mark.parametrize("result", [{"a": 1}, "text", b"bytes", [1]])
async def test_a_content_type_that_the_handler_set_is_kept(result: object) -> None:
    answer = await answer_to(lambda response: response.set_header("content-type", "x-own/type") and result)

    assert answer.header("content-type") == "x-own/type"


async def test_a_returned_value_takes_the_place_of_an_earlier_content() -> None:
    answer = await answer_to(lambda response: response.text("draft").set_header("x-a", "1") and {"final": True})

    assert (answer.header("content-type"), answer.json()) == (JSON, {"final": True})


async def test_nothing_returned_and_nothing_filled_is_204() -> None:
    answer = await answer_to(lambda response: response.set_header("x-a", "1") and None)

    assert (answer.status, answer.header("x-a"), answer.header("content-length")) == (204, "1", None)


async def test_nothing_returned_after_a_status_keeps_the_status() -> None:
    answer = await answer_to(lambda response: response.status(202) and None)

    assert (answer.status, answer.header("content-length")) == (202, "0")


async def test_another_response_replaces_the_builder_whole(caplog: pytest.LogCaptureFixture) -> None:
    answer = await answer_to(lambda response: response.set_header("x-lost", "1") and Response("own"))

    assert (answer.header("x-lost"), answer.body, caplog.text) == (None, b"own", "")


async def test_in_debug_headers_lost_with_the_builder_are_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    await answer_to(lambda response: response.set_header("x-lost", "1") and Response("own"), debug=True)

    assert [(record.name, record.levelno) for record in caplog.records] == [("nexios", logging.WARNING)]
    assert caplog.messages == ["/ returned a response of its own, so these headers set on its builder are lost: x-lost"]


@pytest.mark.parametrize("result", [
    object(), {1, 2}, range(3), lambda: 0, Book, ("a",), (), ("a", "b"), ("a", True), ("a", 200, {}, 1), ("a", 99),
    ("a", 999), ("a", None), {"a": object()}, "\ud800", 3j, iter("ab"),
])  # fmt: skip
async def test_what_is_no_response_is_a_500_and_a_log_record(result: object, caplog: pytest.LogCaptureFixture) -> None:
    answer = await answer_to(lambda response: result)

    assert (answer.status, answer.header("content-type")) == (500, "application/problem+json")
    assert len(caplog.records) == 1


async def test_the_log_says_what_may_be_returned(caplog: pytest.LogCaptureFixture) -> None:
    await answer_to(lambda response: {1, 2})

    assert (
        "a handler returned builtins.set, which is no response.\n"
        "Return a Response, dict, list, str, bytes, None, a dataclass, Struct or model, or (body, status)."
    ) in caplog.text


async def test_an_error_in_a_returned_value_leaves_nothing_of_it_behind() -> None:
    """The builder had a status and headers; the 500 has its own."""
    answer = await answer_to(lambda response: response.status(201).set_header("x-a", "1") and {"a": object()})

    assert (answer.status, answer.header("x-a")) == (500, None)
