"""What a WebSocket handler is called with, and which handlers are refused at compile."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from nexios import Depend, NexiosApp
from nexios._pipeline.websocket_arguments import WebSocketCall
from nexios.errors import ConfigurationError
from nexios.messages.request import Request
from nexios.messages.websocket import WebSocket
from tests.websockets.fake_transport import FakeTransport, compiled_call, make_route, make_websocket

Handler = Callable[..., Any]


def compile_handler(handler: Handler, template: str = "/ws") -> WebSocketCall:
    return compiled_call(make_route(template, handler))


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
    call = compile_handler(handler, "/ws/{room:int}")

    assert await call(websocket) == (websocket, 7)


async def test_a_parameter_that_nothing_fills_is_named_at_compile() -> None:
    async def chat(websocket: WebSocket, room: str, limit) -> None: ...  # type: ignore[no-untyped-def]

    with pytest.raises(ConfigurationError) as caught:
        compile_handler(chat, "/ws/{room}")

    text = str(caught.value)
    assert "WEBSOCKET /ws/{room} cannot be compiled: nothing fills the parameter 'limit' of" in text
    assert "app/chat.py:12" in text
    assert "A parameter after (websocket) is a path parameter of '/ws/{room}' (it has room)" in text
    assert "    limit: int                 the query parameter 'limit'\n" in text
    assert "    limit=Depend(get_limit)    what a provider makes\n" in text


async def test_a_handler_that_is_not_async_is_refused_at_compile() -> None:
    def chat(websocket: WebSocket) -> None: ...

    with pytest.raises(ConfigurationError, match=r"is no async function.*(\n.*)*async def .*chat\(websocket\)"):
        compile_handler(chat)


async def test_a_handler_without_a_websocket_is_refused_at_compile() -> None:
    async def chat(*, room: str) -> None: ...

    with pytest.raises(ConfigurationError, match="takes no WebSocket"):
        compile_handler(chat, "/ws/{room}")


async def test_a_handler_with_two_websockets_is_refused_at_compile() -> None:
    async def chat(first: WebSocket, websocket: WebSocket) -> None: ...

    with pytest.raises(ConfigurationError, match="takes two WebSockets, 'first' and 'websocket'"):
        compile_handler(chat)


async def http_pair(request, response) -> None: ...  # type: ignore[no-untyped-def]


async def http_beside(websocket: WebSocket, request: Request) -> None: ...


async def http_first(request: Request) -> None: ...


@pytest.mark.parametrize(
    ("handler", "name"), [(http_beside, "request"), (http_first, "request"), (http_pair, "response")]
)
async def test_a_handler_that_asks_for_a_request_is_told_where_its_parts_are(handler: Handler, name: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        compile_handler(handler)

    text = str(caught.value)
    assert f"asks for {name!r}, and a WebSocket has no request and no response." in text
    assert "websocket.headers" in text
    assert "query parameter" not in text
    assert ".." not in text.replace("...", "")


async def test_a_handler_that_asks_for_a_body_is_told_to_receive_it() -> None:
    app = NexiosApp()

    @app.websocket("/ws")
    async def serve(websocket: WebSocket, body: dict[str, int]) -> None: ...

    with pytest.raises(ConfigurationError) as caught:
        app.compile()

    text = str(caught.value)
    assert "body = await websocket.receive_as(dict[str, int])" in text
    assert "POST" not in text
    assert ".." not in text.replace("...", "")


async def test_what_a_provider_lacks_is_one_sentence() -> None:
    def unfilled(something):  # type: ignore[no-untyped-def]
        return something

    app = NexiosApp()

    @app.websocket("/ws")
    async def serve(websocket: WebSocket, value: Any = Depend(unfilled)) -> None: ...

    with pytest.raises(ConfigurationError, match="or a default") as caught:
        app.compile()

    assert ".." not in str(caught.value).replace("...", "")
