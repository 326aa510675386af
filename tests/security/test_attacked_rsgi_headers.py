"""Headers that Granian hides, because they are not ASCII, were attacked: what is there is never taken for absent."""

from typing import Any

import pytest

from nexios import NexiosApp, Request, Response
from nexios._servers.rsgi import RSGITransport
from nexios._servers.rsgi_websocket import RSGIWebSocketTransport
from nexios.middleware import ProxyHeaders
from nexios.websockets import WebSocket
from tests.websockets.test_rsgi_websocket import FakeHeaders, FakeProtocol, scope_of


class Hiding(FakeHeaders):
    """As `RSGIHeaders` of Granian: names are all there, values only where they are ASCII."""

    def get_all(self, name: str) -> list[str]:
        return [value for value in super().get_all(name) if value.isascii()]


class Answering:
    """The protocol of one exchange, which keeps the answer."""

    status, body = 0, b""

    def response_bytes(self, status: int, headers: Any, body: bytes) -> None:
        self.status, self.body = status, body

    def response_empty(self, status: int, headers: Any) -> None:
        self.status = status


def _app() -> NexiosApp:
    app = NexiosApp(openapi=None)
    app.add_middleware(ProxyHeaders, trusted=["127.0.0.1"], believe=["for", "proto", "host", "prefix"])

    @app.get("/")
    async def index(request: Request, response: Response) -> str:
        return str(request.client.host if request.client else None)

    @app.websocket("/ws")
    async def talk(websocket: WebSocket) -> None:
        await websocket.accept()

    return app


async def _get(*headers: tuple[str, str]) -> Answering:
    protocol = Answering()
    scope = scope_of("/", headers=(), proto="http", method="GET")
    scope.headers = Hiding([("host", "good.com"), *headers])
    await _app().__rsgi__(scope, protocol)
    return protocol


@pytest.mark.parametrize("name", ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-forwarded-prefix"])
@pytest.mark.parametrize("value", ["\xff", "\xff, 203.0.113.9"])
async def test_b7_what_a_proxy_says_and_granian_hides_is_malformed_and_not_absent(name: str, value: str) -> None:
    """B7: a client that sent `X-Forwarded-For: \\xff` was taken for the proxy that added its address to it."""
    assert (await _get((name, value))).status == 400
    assert (await _get(("x-forwarded-for", "203.0.113.9"))).body == b"203.0.113.9"


async def test_b7_the_same_denies_the_handshake_of_a_websocket() -> None:
    protocol: Any = FakeProtocol()
    scope = scope_of("/ws")
    scope.headers = Hiding([("host", "good.com"), ("x-forwarded-for", "\xff, 203.0.113.9")])

    await _app().__rsgi__(scope, protocol)

    assert ("accept",) not in protocol.done


@pytest.mark.parametrize("transport", [RSGITransport, RSGIWebSocketTransport], ids=["request", "websocket"])
def test_a_header_that_granian_hides_is_in_the_headers(transport: Any) -> None:
    """Not its value, which nobody has."""
    scope = scope_of("/", headers=())
    scope.headers = Hiding([("x-a", "\xff"), ("x-b", "b"), ("x-b", "\xff")])

    assert transport(scope, Answering()).headers() == [("x-a", "\ufffd"), ("x-b", "b")]


def test_a_header_that_granian_hides_has_a_value_that_is_none() -> None:
    scope = scope_of("/", headers=())
    scope.headers = Hiding([("x-a", "\xff")])
    values = RSGITransport(scope, Answering()).header_values

    assert (values("x-a"), values("x-b")) == (["\ufffd"], [])
