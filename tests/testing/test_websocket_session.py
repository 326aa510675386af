"""How a test talks over a WebSocket: in memory and over ASGI, awaited or not."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Literal

import pytest

from nexios import HTTPException, NexiosApp
from nexios.messages.response import Response
from nexios.messages.websocket import WebSocket, WebSocketDisconnect
from nexios.testing.client import TestClient
from nexios.testing.websocket import WebSocketDenied, WebSocketSession, WebSocketTimeout

INTERFACES: list[Literal["memory", "asgi"]] = ["memory", "asgi"]


def make_app() -> NexiosApp:
    app = NexiosApp()

    @app.websocket("/echo/{room:int}")
    async def echo(websocket: WebSocket, room: int) -> None:
        offered = websocket.subprotocols
        await websocket.accept(offered[-1] if offered else None, headers=[("x-room", str(room))])
        async for message in websocket:
            if isinstance(message, str):
                await websocket.send_text(message)
            else:
                await websocket.send_bytes(message)
        app.state.left = (websocket.close_code, websocket.close_reason)

    @app.websocket("/head")
    async def head(websocket: WebSocket) -> None:
        await websocket.accept()
        found = {name: websocket.headers.get(name, "") for name in ("host", "x-one", "upgrade", "origin")}
        await websocket.send_json(
            {**found, "cookies": websocket.cookies, "scheme": websocket.scheme, "q": websocket.query_params.get("q")}
        )

    @app.websocket("/login")
    async def login(websocket: WebSocket) -> None:
        raise HTTPException(401, "Log in first.", headers={"www-authenticate": "Bearer"})

    @app.websocket("/fails")
    async def fails(websocket: WebSocket) -> None:
        await websocket.accept()
        raise RuntimeError("a fault of the handler")

    @app.websocket("/closes")
    async def closes(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text("last words")
        await websocket.close(4001, "enough")

    @app.websocket("/silent")
    async def silent(websocket: WebSocket) -> None:
        await websocket.accept()
        await asyncio.Event().wait()

    @app.websocket("/undecided")
    async def undecided(websocket: WebSocket) -> None:
        await asyncio.Event().wait()

    return app


@pytest.fixture(params=INTERFACES)
async def client(request: pytest.FixtureRequest) -> AsyncIterator[TestClient]:
    async with TestClient(make_app(), interface=request.param) as client:
        yield client


async def test_messages_of_each_kind_go_both_ways(client: TestClient) -> None:
    async with client.websocket_connect("/echo/7") as ws:
        await ws.send_text("a")
        await ws.send_bytes(b"b")
        await ws.send_json({"c": [1]})

        assert await ws.receive_text() == "a"
        assert await ws.receive_bytes() == b"b"
        assert await ws.receive_json() == {"c": [1]}


async def test_what_the_app_accepted_with_is_seen(client: TestClient) -> None:
    async with client.websocket_connect("/echo/7", subprotocols=["v1", "v2"]) as ws:
        assert (ws.subprotocol, list(ws.headers)) == ("v2", [("x-room", "7")])


async def test_the_head_of_the_client_goes_with_the_handshake(client: TestClient) -> None:
    client.cookies["session"] = "ada"
    client.headers["x-one"] = "1"

    async with client.websocket_connect("/head", params={"q": "a b"}, headers={"origin": "https://testserver"}) as ws:
        assert await ws.receive_json() == {
            "host": "testserver",
            "x-one": "1",
            "upgrade": "websocket",
            "origin": "https://testserver",
            "cookies": {"session": "ada"},
            "scheme": "wss",
            "q": "a b",
        }


async def test_a_denial_is_a_response(client: TestClient) -> None:
    with pytest.raises(WebSocketDenied) as caught:
        async with client.websocket_connect("/login"):
            pass

    response = caught.value.response
    assert (caught.value.status_code, response.headers["www-authenticate"]) == (401, "Bearer")
    assert response.json()["detail"] == "Log in first."


async def test_a_foreign_origin_and_an_unknown_path_are_denied_too(client: TestClient) -> None:
    with pytest.raises(WebSocketDenied, match="403"):
        async with client.websocket_connect("/head", headers={"origin": "https://evil.example"}):
            pass
    with pytest.raises(WebSocketDenied, match="404"):
        async with client.websocket_connect("/nothing"):
            pass


async def test_a_close_of_the_app_has_its_code_and_reason(client: TestClient) -> None:
    async with client.websocket_connect("/closes") as ws:
        assert await ws.receive() == "last words"
        with pytest.raises(WebSocketDisconnect) as caught:
            await ws.receive()
        with pytest.raises(WebSocketDisconnect):
            await ws.send_text("too late")

    assert (caught.value.code, caught.value.reason, caught.value.initiator) == (4001, "enough", "server")
    assert (ws.close_code, ws.close_reason) == (4001, "enough")


async def test_a_test_can_wait_for_the_close_alone(client: TestClient) -> None:
    async with client.websocket_connect("/closes") as ws:
        assert await ws.wait_closed() == (4001, "enough")


async def test_iterating_ends_with_the_close(client: TestClient) -> None:
    async with client.websocket_connect("/closes") as ws:
        assert [message async for message in ws] == ["last words"]


async def test_the_app_learns_how_the_client_left(client: TestClient) -> None:
    seen: list[Any] = []
    for leave in (lambda ws: ws.close(4005, "bye"), WebSocketSession.abort, None):
        async with client.websocket_connect("/echo/1") as ws:
            if leave is not None:
                await leave(ws)
        seen.append(client.app.state.left)

    assert seen == [(4005, "bye"), (1006, ""), (1000, "")]


async def test_what_the_handler_raises_is_raised_in_the_test(client: TestClient) -> None:
    with pytest.raises(RuntimeError, match="a fault of the handler"):
        async with client.websocket_connect("/fails") as ws:
            await ws.receive()


async def test_it_is_raised_too_where_the_test_sends_first(client: TestClient) -> None:
    with pytest.raises(RuntimeError, match="a fault of the handler"):
        async with client.websocket_connect("/fails") as ws:
            await ws.send_text("hello")


def test_it_is_raised_in_a_synchronous_test_that_sends_first() -> None:
    with TestClient(make_app()) as client:
        with pytest.raises(RuntimeError, match="a fault of the handler"):
            with client.websocket_connect("/fails") as ws:
                ws.send_text("hello")


async def test_sending_to_what_failed_is_a_disconnect_for_a_client_that_does_not_raise() -> None:
    async with TestClient(make_app(), raise_app_exceptions=False) as client:
        async with client.websocket_connect("/fails") as ws:
            with pytest.raises(WebSocketDisconnect) as caught:
                await ws.send_text("hello")

    assert caught.value.code == 1011


async def test_it_is_a_close_with_1011_for_a_client_that_does_not_raise() -> None:
    async with TestClient(make_app(), raise_app_exceptions=False) as client:
        async with client.websocket_connect("/fails") as ws:
            assert await ws.wait_closed() == (1011, "")


async def test_waiting_too_long_says_where_the_handler_waits(client: TestClient) -> None:
    """Elsewhere such a test hangs until the build is cancelled."""
    async with client.websocket_connect("/echo/1", timeout=0.05) as ws:
        with pytest.raises(WebSocketTimeout) as reading:
            await ws.receive_json()
    async with client.websocket_connect("/silent") as ws:
        with pytest.raises(WebSocketTimeout) as elsewhere:
            await ws.receive(timeout=0.05)
        ws._running.cancel()

    lines = str(reading.value).splitlines()
    assert lines[0].startswith("the app sent nothing for 0.05 s: its handler waits for a message from the client, at /")
    assert "test_websocket_session.py:" in lines[0]
    assert lines[0].endswith(" in echo():")
    assert lines[-1].strip() == "async for message in websocket:"
    assert "its handler waits in Event.wait(), at" in str(elsewhere.value)
    assert str(elsewhere.value).endswith("    await asyncio.Event().wait()")


async def test_a_handshake_that_nobody_answers_says_so(client: TestClient) -> None:
    with pytest.raises(WebSocketTimeout, match=r"did not answer the handshake for .* its handler waits in Event"):
        async with client.websocket_connect("/undecided", timeout=0.05):
            pass


async def test_another_host_is_refused(client: TestClient) -> None:
    with pytest.raises(Exception, match="no request leaves the process"):
        async with client.websocket_connect("wss://elsewhere.example/echo/1"):
            pass


@pytest.mark.parametrize("interface", INTERFACES)
def test_a_synchronous_test_does_the_same_without_awaiting(interface: Literal["memory", "asgi"]) -> None:
    with TestClient(make_app(), interface=interface) as client:
        with client.websocket_connect("/echo/7", subprotocols=["v1"]) as ws:
            ws.send_json({"a": 1})
            assert ws.receive_json() == {"a": 1}
            assert ws.subprotocol == "v1"
        with client.websocket_connect("/closes") as ws:
            assert list(ws) == ["last words"]
            assert ws.close_code == 4001
        with pytest.raises(WebSocketDenied, match="401"), client.websocket_connect("/login"):
            pass
        with client.websocket_connect("/echo/7", timeout=0.05) as ws, pytest.raises(WebSocketTimeout):
            ws.receive()


async def test_a_message_of_the_other_kind_is_a_failed_assertion(client: TestClient) -> None:
    async with client.websocket_connect("/echo/1") as ws:
        await ws.send_text("a")
        with pytest.raises(AssertionError, match="the app sent 'a', which is not bytes"):
            await ws.receive_bytes()


async def test_sockets_that_are_open_when_the_app_stops_get_1001() -> None:
    async with TestClient(make_app()) as client:
        ws = client.websocket_connect("/echo/1")
        await ws.__aenter__()

    assert (ws.close_code, ws.close_reason) == (1001, "the server stops")


async def test_outside_of_its_block_it_says_how_to_enter() -> None:
    async with TestClient(make_app()) as client:
        with pytest.raises(RuntimeError, match="enter the WebSocket first"):
            await client.websocket_connect("/echo/1").send_text("a")
    with pytest.raises(RuntimeError, match="enter the client first"):
        async with client.websocket_connect("/echo/1"):
            pass


async def test_http_goes_on_beside_it(client: TestClient) -> None:
    async with client.websocket_connect("/echo/1") as ws:
        response = await client.get("/nothing")
        await ws.send_text("still here")
        assert (response.status_code, await ws.receive()) == (404, "still here")


def test_the_response_of_a_denial_is_a_page_where_the_app_says_so() -> None:
    app = NexiosApp()

    @app.exception_handler(404)
    async def not_found(request: Any, response: Response, exc: Exception) -> Response:
        return response.html("<p>nothing here</p>")

    with TestClient(app) as client:
        with pytest.raises(WebSocketDenied) as caught, client.websocket_connect("/nothing"):
            pass

    assert (caught.value.status_code, caught.value.response.text) == (404, "<p>nothing here</p>")
