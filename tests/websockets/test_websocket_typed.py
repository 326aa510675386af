"""Messages as values of a type, and what becomes of those that are none."""

from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexios.errors import ConfigurationError
from nexios.messages.websocket import BadMessage, WebSocket, WebSocketDisconnect
from nexios.messages.websocket_messages import read_as, read_json, size_of
from nexios.messages.websocket_state import InvalidMessage
from nexios.serialization import decode_json
from nexios.settings import Limits
from tests.websockets.fake_transport import FakeTransport, make_websocket


class Said(msgspec.Struct, tag="said"):
    text: Annotated[str, msgspec.Meta(max_length=5)]


class Left(msgspec.Struct, tag="left"):
    room: int


@dataclass
class Point:
    x: int
    secret: str = "kept"


async def opened(*incoming: Any, limits: Limits | None = None) -> tuple[WebSocket, FakeTransport]:
    transport = FakeTransport(incoming=incoming)
    websocket = make_websocket(transport, limits)
    await websocket.accept()
    transport.sent.clear()
    return websocket, transport


def answers(transport: FakeTransport) -> list[Any]:
    return [decode_json(text.encode(), max_depth=5) for _, text in transport.sent]


async def test_the_tag_of_a_message_says_which_of_a_union_it_is() -> None:
    websocket, _ = await opened('{"type":"left","room":7}', b'{"type":"said","text":"hi"}')

    assert await websocket.receive_as(Said | Left) == Left(7)
    assert await websocket.receive_as(Said | Left) == Said("hi")


async def test_any_type_that_a_body_can_be_is_read() -> None:
    websocket, _ = await opened('{"x":1}', "[1,2]", '"a"')

    assert await websocket.receive_as(Point) == Point(1)
    assert await websocket.receive_as(list[int]) == [1, 2]
    assert await websocket.receive_as(str) == "a"


async def test_a_pydantic_model_is_read_and_written() -> None:
    pydantic = pytest.importorskip("pydantic")
    user = pydantic.create_model("User", name=(str, ...))
    websocket, transport = await opened('{"name":1}', '{"name":"ada"}')

    found = await websocket.receive_as(user)
    await websocket.send_as(found)

    assert answers(transport)[0]["errors"][0]["pointer"] == "/name"
    assert transport.sent[1:] == [("text", '{"name":"ada"}')]


@pytest.mark.parametrize(
    ("message", "code", "errors"),
    [
        ("{", "malformed_json", []),
        (b"\xff", "malformed_json", []),
        ('{"type":"nobody"}', "invalid_message", [("/type", "unknown_tag")]),
        ('{"type":"said"}', "invalid_message", [("/text", "missing")]),
        ('{"type":"said","text":"longer"}', "invalid_message", [("/text", "too_long")]),
        ("[" * 5000, "json_too_deep", []),
    ],
)
async def test_a_bad_message_is_an_answer_and_the_socket_stays(
    message: Any, code: str, errors: list[tuple[str, str]]
) -> None:
    """Elsewhere one bad message kills the socket, and the reason of the close is no text."""
    websocket, transport = await opened(message, '{"type":"said","text":"hi"}')

    assert await websocket.receive_as(Said | Left) == Said("hi")

    [answer] = answers(transport)
    assert (answer["type"], answer["code"]) == ("error", code)
    assert [(error["pointer"], error["code"]) for error in answer["errors"]] == errors
    assert websocket.is_open


async def test_json_text_and_bytes_are_answered_in_the_same_way() -> None:
    websocket, transport = await opened("{", "1", b"x", "text", "no", b"yes")

    assert await websocket.receive_json() == 1
    assert await websocket.receive_text() == "text"
    assert await websocket.receive_bytes() == b"yes"
    assert [answer["code"] for answer in answers(transport)] == ["malformed_json", "wrong_kind", "wrong_kind"]


async def test_the_handler_is_told_instead_where_it_asks_for_that() -> None:
    websocket, transport = await opened('{"type":"said"}', "{")
    websocket.bad_messages = "raise"

    with pytest.raises(InvalidMessage) as invalid:
        await websocket.receive_as(Said)
    with pytest.raises(BadMessage, match="not valid JSON") as malformed:
        await websocket.receive_as(Said)

    assert (invalid.value.code, malformed.value.code) == (1007, 1007)
    assert invalid.value.errors == ({"pointer": "/text", "code": "missing", "detail": "is required"},)
    assert transport.sent == []


async def test_a_message_nests_no_deeper_than_the_limit_whatever_reads_it() -> None:
    websocket, transport = await opened("[[[1]]]", "[[[1]]]", "[[1]]", limits=Limits(max_json_depth=2))

    found: Any = await websocket.receive_as(Any)
    assert found == [[1]]
    assert [answer["code"] for answer in answers(transport)] == ["json_too_deep", "json_too_deep"]


async def test_a_type_that_nothing_reads_is_the_mistake_of_the_handler() -> None:
    websocket, _ = await opened("{}")

    with pytest.raises(ConfigurationError, match="no type backend handles"):
        await websocket.receive_as(BaseException)


async def test_what_is_sent_has_the_declared_fields_alone() -> None:
    class Public(msgspec.Struct):
        name: str

    class Private(Public):
        password: str

    websocket, transport = await opened()
    await websocket.send_as(Private("ada", "secret"), Public)
    await websocket.send_as(Said("hi"), Said | Left)
    await websocket.send_as([1, 2])

    assert [text for _, text in transport.sent] == ['{"name":"ada"}', '{"type":"said","text":"hi"}', "[1,2]"]
    with pytest.raises(TypeError, match="the message is no Left"):
        await websocket.send_as(Said("hi"), Left)


async def test_a_function_of_ones_own_reads_by_the_same_rules() -> None:
    def even(message: Any, least: int) -> int:
        if int(message) % 2 or int(message) < least:
            raise BadMessage("An even number is needed.", error="odd")
        return int(message)

    websocket, transport = await opened("1", "2", "4")

    assert await websocket.receive_by(even, 3) == 4
    assert [answer["code"] for answer in answers(transport)] == ["odd", "odd"]


async def test_an_intercept_sees_each_message_first() -> None:
    websocket, _ = await opened("pong", "a", "pong", "b")
    websocket.intercept(lambda message: None if message == "pong" else message)
    websocket.intercept(lambda message: f"<{message!s}>")

    assert [await websocket.receive(), await websocket.receive_text()] == ["<a>", "<b>"]


async def test_a_client_that_leaves_instead_of_a_good_message_is_a_disconnect() -> None:
    websocket, transport = await opened("{", (4001, "bye"))

    with pytest.raises(WebSocketDisconnect) as caught:
        await websocket.receive_as(Said)

    assert (caught.value.code, caught.value.reason) == (4001, "bye")
    assert len(transport.sent) == 1


@given(st.one_of(st.text(), st.binary()))
def test_reading_any_message_gives_a_value_or_a_bad_message(message: str | bytes) -> None:
    for kind in (None, Said | Left, Any):
        try:
            read_json(message, 3) if kind is None else read_as(message, 3, kind)
        except BadMessage as exc:
            assert exc.error in ("malformed_json", "json_too_deep", "invalid_message")


@given(st.text())
def test_the_size_of_a_text_is_that_of_its_utf_8(text: str) -> None:
    assert size_of(text) == len(text.encode("utf-8", "surrogatepass"))
