"""Messages on a WebSocket: sent, received, refused."""

import asyncio
from typing import Any

import pytest

from nexios.errors import BadRequest, HeadersTooLarge, InvalidHeader
from nexios.messages.websocket import BadMessage, WebSocket, WebSocketDisconnect
from nexios.messages.websocket_state import SocketState, WebSocketStateError
from nexios.settings import Limits
from tests.websockets.fake_transport import GONE, FakeTransport, make_websocket


async def opened(*incoming: object, limits: Limits | None = None) -> tuple[WebSocket, FakeTransport]:
    transport = FakeTransport(incoming=incoming)
    websocket = make_websocket(transport, limits)
    await websocket.accept()
    transport.sent.clear()
    return websocket, transport


async def test_the_head_of_the_handshake_can_be_read() -> None:
    headers = [("host", "shop.example"), ("cookie", "a=1"), ("x-request-id", "abc")]
    transport = FakeTransport("/ws/7", headers=headers, query_string="q=x", scheme="wss", subprotocols=["chat"])
    websocket = make_websocket(transport, room=7)

    assert websocket.path == "/ws/7"
    assert websocket.path_params.room == 7
    assert websocket.headers["Host"] == "shop.example"
    assert websocket.cookies == {"a": "1"}
    assert websocket.query_params["q"] == "x"
    assert str(websocket.url) == "wss://shop.example/ws/7?q=x"
    assert websocket.client is not None
    assert websocket.client.host == "10.0.0.1"
    assert websocket.subprotocols == ["chat"]
    assert websocket.app == "the app"
    assert websocket.id == "abc"
    assert (websocket.scheme, websocket.http_version, websocket.query_string) == ("wss", "1.1", "q=x")
    assert websocket.url_for("item", a=1) == "/item/1"


async def test_a_host_that_is_missing_or_no_host_is_the_server_itself() -> None:
    invalid = make_websocket(FakeTransport(headers=[("host", "evil/..")]))
    unknown = FakeTransport(headers=[])
    unknown.server = None

    assert str(invalid.host) == "127.0.0.1:8000"
    assert str(make_websocket(unknown).host) == "localhost"


async def test_two_hosts_are_a_bad_request() -> None:
    websocket = make_websocket(FakeTransport(headers=[("host", "a"), ("host", "a")]))

    with pytest.raises(BadRequest, match="more than one Host"):
        _ = websocket.host


async def test_each_part_of_the_head_is_parsed_once() -> None:
    websocket = make_websocket(FakeTransport(headers=[("host", "a.example")]))
    websocket.state.user = "ada"

    assert websocket.headers is websocket.headers
    assert websocket.cookies is websocket.cookies
    assert websocket.query_params is websocket.query_params
    assert websocket.url is websocket.url
    assert websocket.id == websocket.id
    assert websocket.state.user == "ada"


async def test_more_headers_than_the_limit_are_not_read() -> None:
    websocket = make_websocket(FakeTransport(headers=[("a", "b")] * 3), Limits(max_headers=2))

    with pytest.raises(HeadersTooLarge):
        _ = websocket.headers
    with pytest.raises(HeadersTooLarge):
        _ = make_websocket(FakeTransport(headers=[("a", "b" * 9)]), Limits(max_header_size=9)).headers


async def test_text_bytes_and_json_are_received_as_they_are_asked_for() -> None:
    websocket, _ = await opened("hello", b"\x00\xff", '{"a": 1}', b"[2]")

    assert await websocket.receive_text() == "hello"
    assert await websocket.receive_bytes() == b"\x00\xff"
    assert await websocket.receive_json() == {"a": 1}
    assert await websocket.receive_json() == [2]


async def test_text_bytes_and_json_are_sent() -> None:
    websocket, transport = await opened()

    await websocket.send_text("h\u00e9llo")
    await websocket.send_bytes(b"\x00")
    await websocket.send_json({"a": [1, None]})

    assert transport.sent == [("text", "h\u00e9llo"), ("bytes", b"\x00"), ("text", '{"a":[1,null]}')]


async def test_text_is_sent_as_text_and_bytes_as_bytes_only() -> None:
    websocket, transport = await opened()

    with pytest.raises(TypeError, match="send_text\\(\\) takes str, not bytes"):
        await websocket.send_text(b"x")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="send_bytes\\(\\) takes bytes, not str"):
        await websocket.send_bytes("x")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="no JSON form"):
        await websocket.send_json(object())

    assert transport.sent == []


async def test_a_message_of_the_other_kind_is_a_bad_message_and_the_websocket_stays_open() -> None:
    websocket, _ = await opened(b"x", "y", "z")
    websocket.bad_messages = "raise"

    with pytest.raises(BadMessage, match="text was expected") as binary:
        await websocket.receive_text()
    with pytest.raises(BadMessage, match="binary was expected") as text:
        await websocket.receive_bytes()

    assert (binary.value.code, text.value.code) == (1003, 1003)
    assert await websocket.receive_text() == "z"


@pytest.mark.parametrize("message", ["{", b"\xff", "NaN", "", "\ud800", '{"a":1} x'])
async def test_a_message_that_is_not_json_is_a_bad_message(message: str | bytes) -> None:
    websocket, _ = await opened(message, "1")
    websocket.bad_messages = "raise"

    with pytest.raises(BadMessage, match="not valid JSON") as caught:
        await websocket.receive_json()

    assert caught.value.code == 1007
    assert await websocket.receive_json() == 1


async def test_json_that_nests_too_deeply_is_a_bad_message() -> None:
    websocket, _ = await opened("[[[]]]", limits=Limits(max_json_depth=2))
    websocket.bad_messages = "raise"

    with pytest.raises(BadMessage, match="too deeply"):
        await websocket.receive_json()


@pytest.mark.parametrize("message", ["x" * 11, b"x" * 11, "\u00e9" * 6, "\U0001f600" * 3])
async def test_a_message_over_the_limit_closes_with_1009(message: str | bytes) -> None:
    """Text counts as its bytes of UTF-8."""
    websocket, transport = await opened(message, "next", limits=Limits(max_message_size=10))

    with pytest.raises(WebSocketDisconnect) as caught:
        await websocket.receive()

    assert (caught.value.code, caught.value.initiator) == (1009, "server")
    assert transport.sent == [("close", 1009, "the message is too big")]


@pytest.mark.parametrize("message", ["x" * 10, b"x" * 10, "\u00e9" * 5])
async def test_a_message_of_the_limit_is_received(message: str | bytes) -> None:
    websocket, _ = await opened(message, limits=Limits(max_message_size=10))

    assert await websocket.receive() == message


async def test_iteration_gives_the_messages_and_ends_with_the_conversation() -> None:
    websocket, _ = await opened("a", b"b", (4001, "bye"))

    assert [message async for message in websocket] == ["a", b"b"]
    assert (websocket.close_code, websocket.close_reason) == (4001, "bye")
    assert [message async for message in websocket] == []


async def test_iteration_needs_an_accepted_websocket() -> None:
    websocket = make_websocket(FakeTransport())

    with pytest.raises(WebSocketStateError, match=r"await websocket\.accept\(\)"):
        async for _ in websocket:
            pass


async def test_a_disconnect_says_code_reason_and_who() -> None:
    websocket, transport = await opened((4001, "bye"))

    for _ in range(2):
        with pytest.raises(WebSocketDisconnect) as caught:
            await websocket.receive_text()
        assert (caught.value.code, caught.value.reason, caught.value.initiator) == (4001, "bye", "client")
    with pytest.raises(WebSocketDisconnect):
        await websocket.send_text("x")
    await websocket.close()

    assert transport.sent == []
    assert str(caught.value) == "the client closed the WebSocket: 4001 bye"


async def test_a_broken_connection_is_a_disconnect_with_1006() -> None:
    websocket, transport = await opened(GONE)

    with pytest.raises(WebSocketDisconnect) as caught:
        await websocket.receive()

    assert caught.value.code == 1006
    assert transport.sent == []


@pytest.mark.parametrize("verb", [("send_text", "x"), ("send_bytes", b"x"), ("send_json", 1)])
async def test_sending_to_a_client_that_is_gone_is_a_disconnect(verb: tuple[str, Any]) -> None:
    websocket, transport = await opened()
    transport.client_is_gone = True

    with pytest.raises(WebSocketDisconnect) as caught:
        await getattr(websocket, verb[0])(verb[1])

    assert caught.value.code == 1006
    assert websocket.connection_state is SocketState.LEFT


async def test_closing_wakes_the_task_that_reads() -> None:
    """Granian never ends a receive that waits while we close."""
    websocket, transport = await opened()
    reader = asyncio.create_task(websocket.receive())
    await transport.reading.wait()

    await websocket.close(4000, "enough")

    with pytest.raises(WebSocketDisconnect) as caught:
        await reader
    assert (caught.value.code, caught.value.initiator) == (4000, "server")
    assert not reader.cancelled()


async def test_a_receive_is_over_before_the_close_begins() -> None:
    """Granian's ASGI does not close while a receive is pending."""
    websocket, transport = await opened()
    transport.may_close.clear()
    reader = asyncio.create_task(websocket.receive())
    await transport.reading.wait()
    closer = asyncio.create_task(websocket.close(4000))

    with pytest.raises(WebSocketDisconnect):
        await reader

    assert transport.sent == []
    transport.may_close.set()
    await closer
    assert transport.sent == [("close", 4000, "")]


async def test_closing_again_waits_for_the_first_close() -> None:
    websocket, transport = await opened()
    transport.may_close.clear()
    first = asyncio.create_task(websocket.close(4000))
    second = asyncio.create_task(websocket.close(4001))
    done, _ = await asyncio.wait([first, second], timeout=0)
    assert done == set()

    transport.may_close.set()
    await asyncio.gather(first, second)

    assert transport.sent == [("close", 4000, "")]


async def test_a_reader_that_is_cancelled_is_cancelled() -> None:
    websocket, transport = await opened()
    reader = asyncio.create_task(websocket.receive())
    await transport.reading.wait()

    reader.cancel()

    with pytest.raises(asyncio.CancelledError):
        await reader
    assert websocket.is_open


async def test_a_reader_that_is_cancelled_while_we_close_is_cancelled() -> None:
    websocket, transport = await opened()
    reader = asyncio.create_task(websocket.receive())
    await transport.reading.wait()

    await websocket.close()
    reader.cancel()

    with pytest.raises(asyncio.CancelledError):
        await reader


async def test_a_second_reader_is_a_mistake() -> None:
    websocket, transport = await opened()
    reader = asyncio.create_task(websocket.receive())
    await transport.reading.wait()

    with pytest.raises(WebSocketStateError, match="one task read"):
        await websocket.receive()

    await websocket.close()
    with pytest.raises(WebSocketDisconnect):
        await reader


async def test_a_subprotocol_is_one_that_the_client_offered() -> None:
    transport = FakeTransport(subprotocols=["v1", "v2"])
    websocket = make_websocket(transport)

    with pytest.raises(ValueError, match="did not offer the subprotocol 'v3'"):
        await websocket.accept("v3")
    await websocket.accept("v2", headers=[("X-Extra", "1")])

    assert transport.sent == [("accept", "v2", [("x-extra", "1")])]
    assert websocket.subprotocol == "v2"


@pytest.mark.parametrize(
    "pair",
    [("x-a", "a\r\nset-cookie: b"), ("x a", "b"), ("Sec-WebSocket-Protocol", "v1"), ("upgrade", "x"), ("x", "\u20ac")],
)
async def test_a_header_of_the_handshake_is_checked(pair: tuple[str, str]) -> None:
    transport = FakeTransport()
    websocket = make_websocket(transport)

    with pytest.raises(InvalidHeader):
        await websocket.accept(headers=[pair])
    with pytest.raises(InvalidHeader):
        await websocket.deny(headers=[pair])

    assert transport.sent == []


async def test_repr_shows_path_and_state() -> None:
    websocket, _ = await opened()

    assert repr(websocket) == "<WebSocket '/' open>"
