"""Bodies, event streams and WebSockets through nginx: do they arrive whole, at once, and both ways?"""

import hashlib
from importlib.util import find_spec
from typing import Any

import pytest

from tests.live.conftest import Live
from tests.live.nginx import NEEDS_NGINX
from tests.live.wires import CLIENT, wire

pytestmark = NEEDS_NGINX

MEBIBYTE = bytes(range(256)) * 4096
SHOP = "Host: shop.example"


def test_a_large_upload_arrives_whole(live: Live) -> None:
    answer = live.via_nginx("/read", SHOP, method="POST", body=6 * MEBIBYTE)

    assert answer.json() == {"size": 6 * len(MEBIBYTE), "sha256": hashlib.sha256(6 * MEBIBYTE).hexdigest()}


def test_r1_a_413_of_the_application_is_heard(live: Live) -> None:
    answer = live.via_nginx("/read/little", SHOP, method="POST", body=MEBIBYTE[:500_000])

    assert (answer.status, answer.one("content-type")) == (413, "application/problem+json")


def test_r1_a_body_over_the_limit_of_nginx_reaches_nobody(live: Live, key: str) -> None:
    fields = (SHOP, f"X-Key: {key}", "Content-Length: 10485761")
    answer = live.via_nginx("/read", *fields)

    assert answer.status == 413
    assert live.notes(key) == []


def test_events_are_not_held_back(live: Live, key: str) -> None:
    """Each is read before the application is told to make the next one."""
    with wire(live.nginx) as connection:
        connection.sendall(f"GET /ticks/{key} HTTP/1.1\r\n{SHOP}\r\nConnection: close\r\n\r\n".encode())
        received = b""
        for number in range(3):
            while f"data: tick {number}\n".encode() not in received:
                part = connection.recv(65536)
                assert part, received
                received += part
            live.signal(f"{key}-{number}")
        while part := connection.recv(65536):
            received += part

    assert b"\r\n0\r\n\r\n" in received or b"chunked" not in received.partition(b"\r\n\r\n")[0].lower()


def opened(live: Live, app: str, **options: Any) -> Any:
    client = pytest.importorskip("websockets.sync.client")
    return client.connect(
        "ws://shop.example/hear",
        sock=wire(live.nginx),
        additional_headers={"X-App": app, "X-Forwarded-For": "10.9.9.9"},
        proxy=None,
        open_timeout=20,
        close_timeout=20,
        **options,
    )


@pytest.mark.skipif(find_spec("websockets") is None, reason="websockets is not installed")
@pytest.mark.parametrize("origin", [None, "http://shop.example"])
def test_i3_a_websocket_goes_through_both_ways(live: Live, origin: str | None) -> None:
    with opened(live, "one", origin=origin) as websocket:
        assert websocket.recv(20) == f'["ws://shop.example/hear","{CLIENT}"]'
        for text in ("hello", "x" * 100_000):
            websocket.send(text)
            assert websocket.recv(20) == text


@pytest.mark.skipif(find_spec("websockets") is None, reason="websockets is not installed")
@pytest.mark.parametrize("origin", ["http://evil.example", "http://shop.example:8080", "http://app", "null"])
def test_i3_a_page_of_another_origin_opens_no_websocket_through_nginx(live: Live, origin: str) -> None:
    errors = pytest.importorskip("websockets.exceptions")
    with pytest.raises(errors.InvalidStatus) as caught:
        opened(live, "one", origin=origin)

    assert caught.value.response.status_code == 403
