"""From handshake to end: which handler is called, with what, and how the conversation ends."""

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from tests.websockets.fake_transport import GONE, FakeContext, FakeTransport, make_websocket

from nexios._pipeline.websocket import WebSocketPlans
from nexios._pipeline.websocket_arguments import compile_websocket_call
from nexios.errors import ConfigurationError, DuplicateRoute, HTTPException, NexiosError
from nexios.messages.websocket import BadMessage, WebSocket, WebSocketDisconnect
from nexios.routing.place import Location, Place
from nexios.routing.route import WebSocketRoute
from nexios.serialization import decode_json
from nexios.settings import Limits

Handler = Callable[..., Any]


def route(template: str, handler: Handler, **fields: Any) -> WebSocketRoute:
    location = Location(Place("app/chat.py", 12), Place("app/main.py", 3))
    return WebSocketRoute(template, handler, "chat", location, **fields)


def plans(handler: Handler, template: str = "/ws", **options: Any) -> WebSocketPlans:
    return WebSocketPlans([route(template, handler)], **{"limits": Limits(), **options})


async def serve(handler: Handler, transport: FakeTransport | None = None) -> list[tuple[Any, ...]]:
    """Return all that was done to the transport."""
    transport = FakeTransport("/ws") if transport is None else transport
    await plans(handler).handle(transport, FakeContext())
    return transport.sent


def problem_of(transport: FakeTransport) -> Any:
    headers, body = transport.denied_with
    assert ("content-type", "application/problem+json") in headers
    return decode_json(body, max_depth=2)


async def accepting(websocket: WebSocket) -> None:
    await websocket.accept()


async def test_an_echo_is_one_loop() -> None:
    async def echo(websocket: WebSocket) -> None:
        await websocket.accept()
        async for message in websocket:
            await websocket.send_text(f"got {message!s}")

    transport = FakeTransport("/ws", incoming=["a", "b", (1000, "")])

    assert await serve(echo, transport) == [("accept", None, []), ("text", "got a"), ("text", "got b")]


async def test_a_path_without_a_route_is_denied_with_404() -> None:
    transport = FakeTransport("/nothing")

    assert await serve(accepting, transport) == [("deny", 404)]
    assert problem_of(transport)["code"] == "not_found"


@pytest.mark.parametrize("path", ["/a\nb", "/a\x00", "/\x7f", "/" + "a" * 9000])
async def test_a_path_that_http_would_refuse_is_denied_with_404(path: str) -> None:
    transport = FakeTransport(path)

    await plans(accepting, "/{name}").handle(transport, FakeContext())

    assert transport.sent == [("deny", 404)]


@pytest.mark.parametrize(
    ("root", "path", "expected"),
    [
        ("/v1", "/v1/ws", "accept"),
        ("/v1", "/ws", "accept"),
        ("/v1", "/v1ws", "deny"),
        ("/ws", "/ws/ws", "accept"),
        ("/v1", "/v1", "deny"),
    ],
)
async def test_routes_match_below_the_prefix_of_the_server(root: str, path: str, expected: str) -> None:
    transport = FakeTransport(path)
    transport.root_path = root

    sent = await serve(accepting, transport)

    assert sent[0][0] == expected


async def test_the_root_itself_matches_a_route_of_the_root() -> None:
    transport = FakeTransport("/v1")
    transport.root_path = "/v1"

    await plans(accepting, "/").handle(transport, FakeContext())

    assert transport.sent[0] == ("accept", None, [])


async def test_limits_of_the_route_are_those_of_its_websockets() -> None:
    seen: list[int] = []

    async def chat(websocket: WebSocket) -> None:
        seen.append(websocket.limits.max_message_size)

    compiled = WebSocketPlans([route("/ws", chat, limits=Limits(max_message_size=7))], limits=Limits())
    await compiled.handle(FakeTransport("/ws"), FakeContext())

    assert seen == [7]


async def first_parameter(conn: Any, room: int) -> tuple[Any, int]:
    return conn, room


async def by_name(room: int, websocket: Any) -> tuple[Any, int]:
    return websocket, room


async def by_annotation(room: int, peer: WebSocket) -> tuple[Any, int]:
    return peer, room


async def by_written_annotation(room: int, peer: "WebSocket") -> tuple[Any, int]:
    return peer, room


async def keywords_only(*, ws: Any, room: int, limit: int = 3) -> tuple[Any, int]:
    return ws, room


async def all_the_rest(ws: Any, *rest: Any, **params: Any) -> tuple[Any, int]:
    return ws, params["room"]


async def not_asked_for(ws: Any, /, page: int = 1) -> tuple[Any, int]:
    return ws, 7


class Callable_:
    async def __call__(self, websocket: WebSocket, room: int) -> tuple[Any, int]:
        return websocket, room


async def given_twice(ws: Any, extra: str, room: int) -> tuple[Any, int]:
    return ws, room


@pytest.mark.parametrize(
    "handler",
    [
        first_parameter,
        by_name,
        by_annotation,
        by_written_annotation,
        keywords_only,
        all_the_rest,
        not_asked_for,
        Callable_(),
        partial(given_twice, extra="x"),
    ],
    ids=lambda handler: getattr(handler, "__name__", type(handler).__name__),
)
async def test_a_handler_gets_the_websocket_and_the_path_parameters_it_names(handler: Handler) -> None:
    websocket = make_websocket(FakeTransport("/ws/7"), room=7)
    call = compile_websocket_call(route("/ws/{room:int}", handler), ("room",))

    assert await call(websocket) == (websocket, 7)


async def test_a_parameter_that_nothing_fills_is_named_at_compile() -> None:
    async def chat(websocket: WebSocket, room: str, limit: int) -> None: ...

    with pytest.raises(ConfigurationError) as caught:
        plans(chat, "/ws/{room}")

    text = str(caught.value)
    assert "WEBSOCKET /ws/{room} cannot be compiled: nothing fills the parameter 'limit' of" in text
    assert "app/chat.py:12" in text
    assert "A parameter after (websocket) must be a path parameter of '/ws/{room}' (it has room)" in text
    assert 'limit = websocket.query_params.get("limit")' in text


async def test_a_handler_that_is_not_async_is_refused_at_compile() -> None:
    def chat(websocket: WebSocket) -> None: ...

    with pytest.raises(ConfigurationError, match=r"is no async function.*(\n.*)*async def .*chat\(websocket\)"):
        plans(chat)


async def test_a_handler_without_a_websocket_is_refused_at_compile() -> None:
    async def chat(*, room: str) -> None: ...

    with pytest.raises(ConfigurationError, match="takes no WebSocket"):
        plans(chat, "/ws/{room}")


async def test_a_handler_with_two_websockets_is_refused_at_compile() -> None:
    async def chat(first: Any, websocket: WebSocket) -> None: ...

    with pytest.raises(ConfigurationError, match="takes two WebSockets, 'first' and 'websocket'"):
        plans(chat)


async def test_path_parameters_reach_the_handler_converted() -> None:
    seen: list[object] = []

    async def chat(websocket: WebSocket, room: int) -> None:
        seen.extend([room, websocket.path_params["room"]])

    await plans(chat, "/ws/{room:int}").handle(FakeTransport("/ws/7"), FakeContext())

    assert seen == [7, 7]


@pytest.mark.parametrize("field", ["middleware", "dependencies"])
async def test_what_would_not_run_is_refused_at_compile(field: str) -> None:
    guarded = route("/ws", accepting, **{field: (object(),)})

    with pytest.raises(ConfigurationError, match=f"a router around it has {field}"):
        WebSocketPlans([guarded], limits=Limits())


async def test_two_routes_of_one_shape_are_refused_at_compile() -> None:
    with pytest.raises(DuplicateRoute):
        WebSocketPlans([route("/{a}", accepting), route("/{b}", accepting)], limits=Limits())


async def test_returning_closes_with_1000() -> None:
    assert await serve(accepting) == [("accept", None, []), ("close", 1000, "")]


async def test_returning_without_accepting_denies_with_403() -> None:
    async def chat(websocket: WebSocket) -> None: ...

    assert await serve(chat) == [("deny", 403)]


async def test_an_exception_before_accepting_denies_with_500(caplog: pytest.LogCaptureFixture) -> None:
    async def chat(websocket: WebSocket) -> None:
        raise KeyError("secret")

    transport = FakeTransport("/ws")

    assert await serve(chat, transport) == [("deny", 500)]
    assert problem_of(transport)["detail"] == "Internal Server Error"
    assert b"secret" not in transport.denied_with[1]
    assert [record.getMessage() for record in caplog.records] == ["unhandled error: WEBSOCKET /ws"]


async def test_an_http_exception_before_accepting_denies_with_its_status(caplog: pytest.LogCaptureFixture) -> None:
    async def chat(websocket: WebSocket) -> None:
        raise HTTPException(401, "Log in first.", headers={"WWW-Authenticate": "Bearer"})

    transport = FakeTransport("/ws")

    assert await serve(chat, transport) == [("deny", 401)]
    assert problem_of(transport)["detail"] == "Log in first."
    assert ("www-authenticate", "Bearer") in transport.denied_with[0]
    assert caplog.records == []


async def test_headers_over_the_limit_deny_with_431() -> None:
    transport = FakeTransport("/ws", headers=[("x", "y")] * 2000)

    assert await serve(accepting, transport) == [("deny", 431)]


@pytest.mark.parametrize(
    ("exc", "closing", "is_logged"),
    [
        (ValueError("secret"), ("close", 1011, ""), True),
        (NexiosError("secret"), ("close", 1011, ""), True),
        (HTTPException(403, "no " * 100), ("close", 1008, ("no " * 100)[:123]), False),
        (HTTPException(503), ("close", 1011, "Service Unavailable"), False),
        (BadMessage("The message is not valid JSON."), ("close", 1007, "The message is not valid JSON."), False),
        (WebSocketDisconnect(1000), ("close", 1011, ""), True),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_an_exception_after_accepting_closes_and_a_fault_of_ours_is_logged_once(
    exc: Exception, closing: tuple[Any, ...], is_logged: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """A disconnect of another WebSocket, which this one was writing to, is a mistake like any other."""

    async def chat(websocket: WebSocket) -> None:
        await websocket.accept()
        raise exc

    with caplog.at_level(logging.DEBUG, "nexios"):
        sent = await serve(chat)

    assert sent == [("accept", None, []), closing]
    assert len(caplog.records) == is_logged


async def test_a_message_that_is_not_json_closes_with_1007_unless_it_is_caught() -> None:
    async def chat(websocket: WebSocket) -> None:
        await websocket.accept()
        try:
            await websocket.receive_json()
        except BadMessage as exc:
            await websocket.send_json({"error": str(exc)})
        await websocket.receive_json()

    sent = await serve(chat, FakeTransport("/ws", incoming=["{", "{"]))

    assert sent[1] == ("text", '{"error":"The message is not valid JSON."}')
    assert sent[2][:2] == ("close", 1007)


@pytest.mark.parametrize("end", [(1000, ""), (4001, "bye"), GONE])
async def test_a_disconnect_that_the_handler_lets_pass_is_no_error(
    end: object, caplog: pytest.LogCaptureFixture
) -> None:
    async def chat(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.receive_text()

    with caplog.at_level(logging.DEBUG, "nexios"):
        sent = await serve(chat, FakeTransport("/ws", incoming=[end]))

    assert sent == [("accept", None, [])]
    assert caplog.records == []


async def test_a_message_over_the_limit_ends_quietly_with_1009(caplog: pytest.LogCaptureFixture) -> None:
    async def chat(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.receive_text()

    sent = await serve(chat, FakeTransport("/ws", incoming=["x" * (1024 * 1024 + 1)]))

    assert sent[1][:2] == ("close", 1009)
    assert caplog.records == []


async def test_an_error_after_the_client_left_is_logged_and_nothing_is_sent(caplog: pytest.LogCaptureFixture) -> None:
    async def chat(websocket: WebSocket) -> None:
        await websocket.accept()
        try:
            await websocket.receive_text()
        finally:
            raise KeyError("cleaning up failed")

    sent = await serve(chat, FakeTransport("/ws", incoming=[(1001, "")]))

    assert sent == [("accept", None, [])]
    assert len(caplog.records) == 1


async def test_a_client_that_leaves_while_we_close_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    async def chat(websocket: WebSocket) -> None:
        await websocket.accept()
        transport.client_is_gone = True

    transport = FakeTransport("/ws")

    assert await serve(chat, transport) == [("accept", None, [])]
    assert caplog.records == []


async def test_a_server_that_fails_to_close_does_not_bring_the_app_down(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(FakeTransport):
        async def close(self, code: int, reason: str) -> None:
            raise RuntimeError("Unexpected ASGI message")

    with caplog.at_level(logging.DEBUG, "nexios"):
        sent = await serve(accepting, Broken("/ws"))

    assert sent == [("accept", None, [])]
    assert [record.levelname for record in caplog.records] == ["DEBUG"]


async def test_cancellation_closes_with_1001_and_goes_on() -> None:
    async def chat(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.receive_text()

    transport = FakeTransport("/ws")
    task = asyncio.create_task(plans(chat).handle(transport, FakeContext()))
    await transport.reading.wait()

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert transport.sent == [("accept", None, []), ("close", 1001, "")]


async def test_cancellation_before_accepting_denies_with_503() -> None:
    started = asyncio.Event()

    async def chat(websocket: WebSocket) -> None:
        started.set()
        await asyncio.Event().wait()

    transport = FakeTransport("/ws")
    task = asyncio.create_task(plans(chat).handle(transport, FakeContext()))
    await started.wait()

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert transport.sent == [("deny", 503)]


async def test_a_foreign_origin_never_reaches_the_handler() -> None:
    called: list[WebSocket] = []

    async def chat(websocket: WebSocket) -> None:
        called.append(websocket)

    headers = [("host", "good.example"), ("origin", "https://evil.example"), ("cookie", "session=1")]
    transport = FakeTransport("/ws", headers=headers)

    assert await serve(chat, transport) == [("deny", 403)]
    assert problem_of(transport)["code"] == "foreign_origin"
    assert called == []


async def test_a_listed_origin_reaches_the_handler() -> None:
    transport = FakeTransport("/ws", headers=[("host", "api.example"), ("origin", "https://app.example")])

    await plans(accepting, allowed_origins=["https://app.example"]).handle(transport, FakeContext())

    assert transport.sent[0] == ("accept", None, [])
