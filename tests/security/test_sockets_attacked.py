"""Rows I1, I3, I4, I5, L6 and R9 of the security notes once more, as an adversary would try them in one process."""

import asyncio
import gc
import json
import logging
import warnings
from collections.abc import AsyncIterator, MutableMapping
from typing import Any

import msgspec
import pytest

from nexios import Depend, HTTPException, NexiosApp
from nexios.errors import ConfigurationError
from nexios.messages.websocket import WebSocket
from nexios.messages.websocket_state import WebSocketDisconnect
from nexios.testing.client import TestClient
from nexios.websockets import Heartbeat, Listeners, WebSocketConsumer, on
from tests.security.kit import KIB, MIB, cpu_time, linear, peak, raw_websocket

Message = MutableMapping[str, Any]


# I1: messages that are small and cost much


class Say(msgspec.Struct, tag="say"):
    text: str
    more: Any = None


def listening() -> NexiosApp:
    app, chat = NexiosApp(), Listeners()

    @chat.on("say")
    async def say(websocket: WebSocket, message: Say) -> None:
        await websocket.send_text("said")

    @app.websocket("/listeners")
    async def listeners(websocket: WebSocket) -> None:
        await websocket.accept()
        await chat.listen(websocket)

    @app.websocket("/class")
    class Class(WebSocketConsumer):
        @on("say")
        async def say(self, websocket: WebSocket, message: Say) -> None:
            await websocket.send_text("said")

    @app.websocket("/typed")
    async def typed(websocket: WebSocket) -> None:
        await websocket.accept()
        while True:
            await websocket.receive_as(Say)
            await websocket.send_text("said")

    return app


BOMBS: dict[str, tuple[str | bytes, str]] = {
    "deep, unclosed": ('{"type":"say","text":"","more":' + "[" * 200_000, "json_too_deep"),
    "deep, closed": ('{"type":"say","text":"","more":' + "[" * 101 + "]" * 101 + "}", "json_too_deep"),
    "deep in an unknown field": ('{"type":"say","text":"","x":' + '{"a":' * 500 + "1" + "}" * 501, "json_too_deep"),
    "deep before the tag": ('{"x":' + "[" * 500 + "]" * 500 + ',"type":"say","text":""}', "json_too_deep"),
    "deep in the tag": ('{"type":' + "[" * 500 + "]" * 500 + "}", ""),
    "a long number": ('{"type":"say","text":"","more":' + "1" * 100_000 + "}", "malformed_json"),
    "a number without end": ('{"type":"say","text":"","more":1e99999}', "malformed_json"),
    "no number": ('{"type":"say","text":"","more":NaN}', "malformed_json"),
    "a lone surrogate": ('{"type":"say","text":"\\ud800"}', "malformed_json"),
    "text with one": ('{"type":"say","text":"\ud800"}', ""),
    "no UTF-8": (b'{"type":"say","text":"\xff"}', "malformed_json"),
    "UTF-16": ('{"type":"say","text":"x"}'.encode("utf-16"), "malformed_json"),
    "an overlong slash": (b'{"type":"say","text":"\xc0\xaf"}', "malformed_json"),
    "a list": ("[]", "invalid_message"),
    "a number": ("1", "invalid_message"),
    "nothing": ("", "malformed_json"),
    "a NUL": ("\0", "malformed_json"),
    "another tag": ('{"type":"__class__"}', "invalid_message"),
    "a long tag": (json.dumps({"type": "x" * 500_000}), "invalid_message"),
}


@pytest.mark.parametrize("path", ["/listeners", "/class", "/typed"])
@pytest.mark.parametrize("kind", BOMBS)
async def test_i1_a_hostile_message_is_an_answer_and_the_socket_stays(path: str, kind: str) -> None:
    bomb, code = BOMBS[kind]
    async with TestClient(listening()) as client, client.websocket_connect(path) as ws:
        await (ws.send_text(bomb) if isinstance(bomb, str) else ws.send_bytes(bomb))
        with cpu_time() as spent:
            answer = await ws.receive_text()
        if code:
            assert json.loads(answer)["code"] == code
        assert (len(answer) < KIB, spent.seconds < 1.0) == (True, True)
        await ws.send_json({"type": "say", "text": "still here"})
        assert await ws.receive_text() == "said"


def test_i1_many_small_messages_are_linear_in_their_number() -> None:
    app = listening()
    message = {"type": "websocket.receive", "text": '{"type":"say","text":"x"}'}
    loop = asyncio.new_event_loop()
    try:
        assert linear(lambda n: loop.run_until_complete(raw_websocket(app, *[message] * n, path="/typed")), 500)
    finally:
        loop.close()


async def test_i1_keys_that_collide_and_fields_without_number_are_refused_in_time() -> None:
    fields = ",".join(f'"k{number}":0' for number in range(60_000))
    bomb = {"type": "websocket.receive", "text": f'{{"type":"say","text":"","more":{{{fields}}}}}'}
    with cpu_time() as spent, peak() as held:
        await raw_websocket(listening(), bomb, path="/typed")
    assert (spent.seconds < 3.0, held.bytes < 64 * MIB) == (True, True)


@pytest.mark.parametrize("times", [1, 2, 10_000])
async def test_i1_pings_of_a_client_that_leaves_at_once_leave_nothing_behind(times: int) -> None:
    """Not a task, and not a coroutine that nobody awaits, of which Python would write a line each."""
    app = NexiosApp(websocket_middleware=[Heartbeat()])

    @app.websocket("/ws")
    async def ws(websocket: WebSocket) -> None:
        await websocket.accept()
        async for _ in websocket:
            pass

    tasks = len(asyncio.all_tasks())
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        await raw_websocket(app, *[{"type": "websocket.receive", "text": '{"type":"ping"}'}] * times)
        await asyncio.sleep(0)
        gc.collect()

    assert (len(asyncio.all_tasks()), [str(one.message) for one in warned]) == (tasks, [])


@pytest.mark.parametrize(
    "text",
    ['{"type":"pi ng"}', '{"type":"p\u00a0ing"}', '{"type":"ping","x":1}', '{"type":"ping"}{', '["type","ping"]'],
)
async def test_i4_what_only_looks_like_a_ping_is_a_message(text: str) -> None:
    app = NexiosApp(websocket_middleware=[Heartbeat()])

    @app.websocket("/ws")
    async def ws(websocket: WebSocket) -> None:
        await websocket.accept()
        async for message in websocket:
            await websocket.send_text(str(message))

    async with TestClient(app) as client, client.websocket_connect("/ws") as session:
        for sent in (text, ' { "type" :\n"ping" }'):
            await session.send_text(sent)
        assert [await session.receive_text(), await session.receive_text()] == [text, '{"type":"pong"}']


# I3: what lies before the Origin


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("https://[::1]:8443", "[::1]"),
        ("https://[::2]", "[::1]"),
        ("https://[fe80::1%25eth0]", "[fe80::1]"),
        ("https://127.1", "127.0.0.1"),
        ("https://2130706433", "127.0.0.1"),
        ("https://0x7f000001", "127.0.0.1"),
        ("https://good.com:0443", "good.com"),
        ("https://good.com:", "good.com"),
        ("https://good.com:443:443", "good.com"),
        ("https://good.com:\u0664\u0664\u0663".encode().decode("latin-1"), "good.com"),
        ("https://g%6fod.com", "good.com"),
        ("https://good.com%00.evil", "good.com"),
        ("https://good.com\\.evil", "good.com"),
        ("https:\\\\good.com", "good.com"),
        ("https:good.com", "good.com"),
        (" https://good.com.evil", "good.com"),
        ("https://user@good.com", "good.com"),
        ("https://good.com#@evil", "good.com"),
        ("https://good.com;evil", "good.com"),
        ("blob:https://good.com", "good.com"),
        ("chrome-extension://good.com", "good.com"),
        ("https://\u24d6ood.com".encode().decode("latin-1"), "good.com"),
        ("Null", "null"),
        ("null", "null"),
        ("https://good.com", "good.com,evil.com"),
        ("https://good.com", "good.com@evil.com"),
        ("https://good.com", "good.com/"),
        ("https://good.com", ""),
    ],
)
async def test_i3_an_origin_that_only_looks_like_ours_is_foreign(origin: str, host: str) -> None:
    app = NexiosApp()

    @app.websocket("/ws")
    async def ws(websocket: WebSocket) -> None:
        await websocket.accept()

    headers = [(b"host", host.encode()), (b"origin", origin.encode("latin-1")), (b"cookie", b"session=1")]
    assert (await raw_websocket(app, headers=headers, scheme="wss"))[0]["status"] == 403


@pytest.mark.parametrize("path", ["/inner/ws", "/inner/deep/ws", "/ws"])
async def test_i3_a_mounted_app_looks_at_the_origin_by_its_own_list(path: str) -> None:
    reached: list[str] = []

    async def handler(websocket: WebSocket) -> None:
        reached.append(websocket.path)
        await websocket.accept()

    deep, inner, app = NexiosApp(), NexiosApp(), NexiosApp(allowed_origins=["https://friend.com"])
    for one in (deep, inner, app):
        one.add_websocket("/ws", handler)
    inner.mount("/deep", deep)
    app.mount("/inner", inner)

    for origin, comes_in in [("https://evil.com", False), ("https://friend.com", path == "/ws"), ("null", False)]:
        reached.clear()
        sent = await raw_websocket(app, path=path, headers=[(b"host", b"good.com"), (b"origin", origin.encode())])
        assert (sent[0]["type"] == "websocket.accept", bool(reached)) == (comes_in, comes_in)


@pytest.mark.parametrize("listed", ["*.good.com", "https://*.good.com", "good.com", "null", "https://good.com/path"])
def test_i3_what_is_no_origin_cannot_be_let_in_by_mistake(listed: str) -> None:
    """CVE-2022-42975: a wildcard that matched more than it said. There is none."""
    with pytest.raises(ConfigurationError, match="expected origins as"):
        NexiosApp(allowed_origins=[listed])


# L6 and N1: what is told of errors


class Canary(Exception):
    """postgres://user:canary@db"""


def failing() -> NexiosApp:
    """Fails in every place that there is, before and after the handshake."""

    async def middleware(websocket: WebSocket, call_next: Any) -> None:
        if websocket.path == "/middleware":
            raise Canary("canary")
        await call_next()
        if websocket.path == "/after":
            raise Canary("canary")

    async def provider(websocket: WebSocket) -> AsyncIterator[None]:
        if websocket.path == "/provider":
            raise Canary("canary")
        yield
        if websocket.path == "/cleanup":
            raise Canary("canary")

    app = NexiosApp(websocket_middleware=[middleware], dependencies=[Depend(provider)])

    @app.websocket("/{place}")
    async def anywhere(websocket: WebSocket, place: str) -> None:
        if place == "early":
            raise Canary("canary")
        await websocket.accept()
        if place == "late":
            raise Canary("canary")
        if place == "chained":
            try:
                raise Canary("canary")
            except Canary as exc:
                raise HTTPException(403) from exc
        if place == "group":
            raise ExceptionGroup("canary", [Canary("canary")])
        if place == "json":
            await websocket.send_json({"x": Canary("canary")})
        if place == "other":
            raise WebSocketDisconnect(1000, "canary")

    return app


@pytest.mark.parametrize(
    "place", ["middleware", "after", "provider", "cleanup", "early", "late", "chained", "group", "json", "other"]
)
async def test_l6_no_word_of_an_error_reaches_the_client(place: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.CRITICAL, "nexios"):
        sent = await raw_websocket(failing(), path=f"/{place}")

    assert "canary" not in repr(sent).lower()
    assert sent[-1]["type"] in ("websocket.close", "websocket.http.response.body")


@pytest.mark.parametrize(
    "head",
    [
        {"path": "/ws\r\nFORGED"},
        {"path": "/\x1b[2J"},
        {"path": "/\u2028FORGED"},
        {"headers": [(b"host", b"a"), (b"origin", b"http://a\x1b[2J\r\nFORGED")]},
        {"headers": [(b"host", b"a\r\nFORGED"), (b"origin", b"null")]},
        {"subprotocols": ["a\r\nFORGED"]},
        {"query_string": b"a=%0d%0aFORGED"},
    ],
    ids=str,
)
async def test_n1_a_handshake_writes_no_lines_of_its_own(head: Any, caplog: pytest.LogCaptureFixture) -> None:
    app = NexiosApp()

    @app.websocket("/{any:path}")
    async def anything(websocket: WebSocket, any: str) -> None:
        await websocket.deny()

    with caplog.at_level(logging.DEBUG, "nexios"):
        await raw_websocket(app, **head)

    assert [record for record in caplog.records if not record.getMessage().isprintable()] == []
