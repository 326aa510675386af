"""Which pages may open a WebSocket here."""

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexios import NexiosApp
from nexios._pipeline.websocket_origin import OriginPolicy
from nexios.errors import ConfigurationError
from nexios.messages.websocket import WebSocket
from tests.websockets.fake_transport import FakeTransport, make_websocket


def allows(*origins: str, host: str = "good.example", scheme: str = "ws", allowed: Iterable[str] = ()) -> bool:
    headers = [("host", host), *(("origin", origin) for origin in origins)]
    return OriginPolicy(allowed).allows(make_websocket(FakeTransport(headers=headers, scheme=scheme)))


def test_a_client_that_is_no_browser_sends_no_origin_and_comes_in() -> None:
    assert allows()


@pytest.mark.parametrize(
    ("origin", "host", "scheme"),
    [
        ("http://good.example", "good.example", "ws"),
        ("http://GOOD.example", "Good.Example", "ws"),
        ("http://good.example", "good.example:80", "ws"),
        ("http://good.example:8000", "good.example:8000", "ws"),
        ("https://good.example", "good.example", "wss"),
        ("https://good.example", "good.example:443", "wss"),
        ("https://good.example", "good.example", "ws"),
        ("http://[::1]:8000", "[::1]:8000", "ws"),
        ("http://127.0.0.1:8000", "127.0.0.1:8000", "ws"),
    ],
)
def test_our_own_pages_come_in(origin: str, host: str, scheme: str) -> None:
    """An https page behind a proxy that ends TLS opens what we see as ws."""
    assert allows(origin, host=host, scheme=scheme)


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "http://good.example.evil.example",
        "http://evilgood.example",
        "http://sub.good.example",
        "http://good.example:8080",
        "http://good.example@evil.example",
        "http://evil.example/good.example",
        "http://good.example/",
        "http://good.example/path",
        "http://good.example?",
        "http://good.example#",
        "ftp://good.example",
        "ws://good.example",
        "good.example",
        "null",
        "",
        "*",
        "http://good.example, http://evil.example",
        "http://good.example http://evil.example",
        "https://good.example:80",
    ],
)
def test_foreign_and_malformed_origins_stay_out(origin: str) -> None:
    assert not allows(origin)


def test_an_insecure_page_does_not_open_a_secure_websocket() -> None:
    assert not allows("http://good.example", scheme="wss")


def test_two_origins_stay_out() -> None:
    assert not allows("http://good.example", "http://good.example")


@pytest.mark.parametrize("hosts", [[], ["good.example", "good.example"], ["good.example/"], [""]])
def test_without_one_valid_host_no_page_is_ours(hosts: list[str]) -> None:
    headers = [*(("host", host) for host in hosts), ("origin", "http://good.example")]

    assert not OriginPolicy().allows(make_websocket(FakeTransport(headers=headers)))


def test_listed_origins_come_in_beside_our_own() -> None:
    listed = ["https://App.example", "http://localhost:5173"]

    assert allows("https://app.example", allowed=listed)
    assert allows("https://app.example:443", allowed=listed)
    assert allows("http://localhost:5173", allowed=listed)
    assert allows("http://good.example", allowed=listed)
    assert not allows("http://app.example", allowed=listed)
    assert not allows("http://localhost:5174", allowed=listed)
    assert not allows("https://sub.app.example", allowed=listed)
    assert not allows("null", allowed=listed)


def test_a_star_lets_every_page_in() -> None:
    assert allows("https://evil.example", allowed=["*"])
    assert allows("null", allowed=["*"])


@pytest.mark.parametrize("text", ["app.example", "https://app.example/", "https://*.app.example", "null", ""])
def test_what_is_no_origin_cannot_be_listed(text: str) -> None:
    with pytest.raises(ConfigurationError, match="is no origin"):
        OriginPolicy([text])


def test_one_text_is_no_list_of_origins() -> None:
    with pytest.raises(ConfigurationError, match=r"allowed_origins=\['https://app\.example'\]"):
        OriginPolicy("https://app.example")


@pytest.mark.parametrize(
    ("origin", "sent"),
    [
        ("https://app.example", "websocket.accept"),
        ("https://evil.example", "websocket.close"),
        (None, "websocket.accept"),
    ],
)
async def test_an_app_lets_in_the_origins_of_its_settings(origin: str | None, sent: str) -> None:
    app = NexiosApp(allowed_origins=["https://app.example"])

    @app.websocket("/ws")
    async def chat(websocket: WebSocket) -> None:
        await websocket.accept()

    assert (await handshake(app, origin))[0] == sent


async def handshake(app: NexiosApp, origin: str | None) -> list[str]:
    """The types of the messages that the app sends to a page of `origin`."""
    types: list[str] = []

    async def receive() -> dict[str, str]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        types.append(message["type"])

    headers = [(b"host", b"api.example"), *([(b"origin", origin.encode())] if origin is not None else [])]
    await app({"type": "websocket", "path": "/ws", "query_string": b"", "headers": headers}, receive, send)
    return types


def test_a_host_that_is_none_is_refused_when_the_app_compiles() -> None:
    """Settings look at the form alone; that a host is no host is seen here."""
    with pytest.raises(ConfigurationError, match=r"'https://a\.\.example:port' is no origin"):
        NexiosApp(allowed_origins=["https://a..example:port"]).compile()


@given(st.text(), st.text())
def test_no_origin_and_no_host_is_an_exception(origin: str, host: str) -> None:
    assert allows(origin, host=host) in (True, False)
