"""From handshake to end: which handler is called, with what, and how the conversation ends."""

import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest

from nexios import Depend, HTTPException
from nexios.errors import ConfigurationError, DuplicateRoute
from nexios.messages.websocket import WebSocket
from nexios.settings import Limits
from tests.websockets.fake_transport import (
    FakeContext,
    FakeTransport,
    make_plans,
    make_route,
    plans_of,
    problem_of,
    serve,
)


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

    await make_plans(accepting, "/{name}").handle(transport, FakeContext())

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

    await make_plans(accepting, "/").handle(transport, FakeContext())

    assert transport.sent[0] == ("accept", None, [])


async def test_limits_of_the_route_are_those_of_its_websockets() -> None:
    seen: list[int] = []

    async def chat(websocket: WebSocket) -> None:
        seen.append(websocket.limits.max_message_size)

    compiled = plans_of(make_route("/ws", chat, limits=Limits(max_message_size=7)))
    await compiled.handle(FakeTransport("/ws"), FakeContext())

    assert seen == [7]


async def test_path_parameters_reach_the_handler_converted() -> None:
    seen: list[object] = []

    async def chat(websocket: WebSocket, room: int) -> None:
        seen.extend([room, websocket.path_params["room"]])

    await make_plans(chat, "/ws/{room:int}").handle(FakeTransport("/ws/7"), FakeContext())

    assert seen == [7, 7]


async def test_middleware_which_would_not_run_is_refused_at_compile() -> None:
    async def for_requests(request: object, response: object, call_next: Any) -> Any: ...

    with pytest.raises(ConfigurationError, match=r"middleware that is for requests: .*for_req"):
        plans_of(make_route("/ws", accepting, middleware=(for_requests,)))


async def test_a_dependency_that_refuses_answers_the_handshake() -> None:
    def guard(websocket: WebSocket) -> None:
        raise HTTPException(401)

    transport = FakeTransport("/ws")
    await plans_of(make_route("/ws", accepting, dependencies=(Depend(guard),))).handle(transport, FakeContext())

    assert transport.sent[0][:2] == ("deny", 401)


async def test_what_a_provider_opened_is_closed_when_the_handler_ends() -> None:
    events: list[str] = []

    async def session(websocket: WebSocket, room: int) -> AsyncIterator[str]:
        events.append(f"open {room}")
        yield "session"
        events.append("close")

    async def chat(websocket: WebSocket, page: int = 1, used: Any = Depend(session)) -> None:
        events.append(f"{used} {page}")

    await make_plans(chat, "/ws/{room:int}").handle(FakeTransport("/ws/7"), FakeContext())

    assert events == ["open 7", "session 1", "close"]


async def test_two_routes_of_one_shape_are_refused_at_compile() -> None:
    with pytest.raises(DuplicateRoute):
        plans_of(make_route("/{a}", accepting), make_route("/{b}", accepting))


async def test_returning_closes_with_1000() -> None:
    assert await serve(accepting) == [("accept", None, []), ("close", 1000, "")]


async def test_returning_without_accepting_denies_with_403() -> None:
    async def chat(websocket: WebSocket) -> None: ...

    assert await serve(chat) == [("deny", 403)]


async def test_a_foreign_origin_never_reaches_the_handler() -> None:
    called: list[WebSocket] = []

    async def chat(websocket: WebSocket) -> None:
        called.append(websocket)

    headers = [("host", "good.example"), ("origin", "https://evil.example"), ("cookie", "session=1")]
    transport = FakeTransport("/ws", headers=headers)

    assert await serve(chat, transport) == [("deny", 403)]
    assert problem_of(transport)["code"] == "foreign_origin"
    assert called == []


async def test_a_denied_origin_is_one_line_in_the_log_whatever_it_holds(caplog: pytest.LogCaptureFixture) -> None:
    """An operator who forgot `allowed_origins` has to see which one is missing."""
    caplog.set_level(logging.INFO, "nexios")
    headers = [("host", "good.example"), ("origin", "https://evil.example\x85forged: line" + "x" * 500)]

    await serve(accepting, FakeTransport("/ws", headers=headers))

    [record] = caplog.records
    assert (record.name, record.levelno) == ("nexios", logging.INFO)
    shown = "https://evil.example\\x85forged: line" + "x" * 167
    assert record.getMessage() == f"WebSocket /ws denied: it comes from the origin {shown}"


async def test_a_listed_origin_reaches_the_handler() -> None:
    transport = FakeTransport("/ws", headers=[("host", "api.example"), ("origin", "https://app.example")])

    await make_plans(accepting, allowed_origins=["https://app.example"]).handle(transport, FakeContext())

    assert transport.sent[0] == ("accept", None, [])
