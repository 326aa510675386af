"""Section I of the security notes, R8, R11 and R12, and attacks of our own, for channels and their event streams."""

import asyncio
import logging
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import unquote

import pytest

from nexios import Depend, NexiosApp, Request, Response
from nexios.messages.websocket import WebSocket
from nexios.messages.websocket_state import WebSocketDisconnect
from nexios.serialization import decode_json
from nexios.testing.client import TestClient
from nexios.testing.raw import call
from nexios.testing.websocket import WebSocketDenied
from nexios.websockets import (
    Channel,
    HistoryLimits,
    Hub,
    ManualClock,
    MemoryBackend,
    MemoryEngine,
    OutboxLimits,
    WebSocketConsumer,
    on,
)
from tests.security.kit import KIB, MIB, Cancelling, heartbeat, peak, until
from tests.websockets.channels.room_kit import SlowBackend

Message = MutableMapping[str, Any]


class Client:
    """A client of a raw ASGI app: `says` is what it sends, `got` what came; it takes nothing while `stuck` is set."""

    def __init__(self, app: Any, path: str, **head: Any) -> None:
        self.got: list[Message] = []
        self.stuck = False
        self._app = app
        self._go = asyncio.Event()
        self._incoming: asyncio.Queue[Message] = asyncio.Queue()
        self._incoming.put_nowait({"type": "websocket.connect"})
        self.scope = {
            "type": "websocket",
            "path": path,
            "headers": [(b"host", b"good.com")],
            "subprotocols": [],
            **head,
        }
        self.task = asyncio.ensure_future(app(self.scope, self._incoming.get, self._send))

    async def _send(self, message: Message) -> None:
        if self.stuck and message["type"] == "websocket.send":
            await self._go.wait()
            raise OSError("the connection is broken")
        self.got.append(message)

    def says(self, text: str) -> None:
        self._incoming.put_nowait({"type": "websocket.receive", "text": text})

    @property
    def texts(self) -> list[str]:
        return [message["text"] for message in self.got if message["type"] == "websocket.send"]

    @property
    def closed(self) -> tuple[int, str] | None:
        found = [(one.get("code", 0), one.get("reason", "")) for one in self.got if one["type"] == "websocket.close"]
        return found[0] if found else None

    async def leaves(self) -> None:
        self._go.set()
        self._incoming.put_nowait({"type": "websocket.disconnect", "code": 1006})
        await asyncio.wait((self.task,))


class Rooms(NexiosApp):
    """An app whose clients choose everything: rooms, names, what they tell of themselves, and events."""

    def __init__(self, hub: Hub | None = None) -> None:
        super().__init__(channels=hub or Hub(clock=ManualClock()))
        self.add_websocket("/rooms/{name}", self.room)
        self.add_websocket("/many", self.many)

    async def room(self, websocket: WebSocket, name: str) -> None:
        channel, query = Channel(name), websocket.query_params
        user, seen = query.get("user", ""), query.get("last_seen")
        await channel.connect(websocket, user=user, last_seen=seen, envelope=True if "envelope" in query else None)
        while True:
            said = await websocket.receive_json()
            await channel.broadcast(said, event=said.get("event", "") if isinstance(said, dict) else "")

    async def many(self, websocket: WebSocket) -> None:
        await websocket.accept()
        async for name in websocket:
            try:
                await Channel(str(name)).connect(websocket)
            except Exception as exc:
                await websocket.send_json({"error": getattr(exc, "code", "unknown")})

    @asynccontextmanager
    async def with_clients(self, *paths: str, **head: Any) -> AsyncIterator[list[Client]]:
        """Clients that were let in."""
        clients = []
        for path in paths:
            path, _, query = path.partition("?")
            client = Client(self, path, query_string=query.encode(), **head)
            clients.append(client)
            await until(lambda client=client: client.got)  # type: ignore[misc]
        try:
            await turns()
            yield clients
        finally:
            for client in clients:
                await client.leaves()
            await self.hub.stop()


async def turns(number: int = 20) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


# I6: what a connection may hold


async def test_i6_a_connection_is_in_a_hundred_channels_at_most_and_out_of_all_when_it_ends() -> None:
    """CVE-2026-35526: unbounded subscriptions and tasks for one connection."""
    app = Rooms()
    tasks = len(asyncio.all_tasks())
    async with app.with_clients("/many") as (client,):
        for number in range(100_000):
            client.says(f"room:{number}")
        client.says("end*")
        await until(lambda: client.texts and "bad_channel_name" in client.texts[-1])

        assert len(client.texts) == 100_001 - 100
        assert {decode_json(text.encode(), max_depth=2)["error"] for text in client.texts[:-1]} == {"too_many_channels"}
        assert len(app.hub.channels) == 100
        assert len(asyncio.all_tasks()) <= tasks + 4

        await client.leaves()
        await until(lambda: app.hub.channels == ())
        engine = app.hub.backend.engine  # type: ignore[attr-defined]
        assert {channel for channel in engine.receivers if channel != "*"} == set()
    assert len(asyncio.all_tasks()) == tasks


@pytest.mark.parametrize(
    "name", ["", "x" * 201, "x" * MIB, "a*", "*", "a\r\nb", "\x00", "\u202eevil", "\ud800", "a\u2028b", "\x1b[2J"]
)
async def test_i6_a_name_is_short_text_that_a_log_can_show(name: str) -> None:
    app = Rooms()
    async with app.with_clients("/many") as (client,):
        client.says(name)
        await until(lambda: client.texts)

        assert client.texts == ['{"error":"bad_channel_name"}']
        assert app.hub.channels == ()


# I7: there is no long poll; the sizes of the streams that there are


async def test_i7_a_reader_of_events_is_one_stream_that_ends_with_its_client() -> None:
    """CVE-2026-32689, CVE-2026-59725, CVE-2020-36048: nothing is split, and no session outlives its connection."""
    app = Rooms()

    @app.get("/events")
    async def events(request: Request, response: Response) -> Response:
        return response.sse(Channel("news").events(request, user="reader"))

    async with TestClient(app) as client:
        for _ in range(50):
            async with client.stream_events("GET", "/events"):
                await until(lambda: app.hub.channels == ("news",))
            await until(lambda: app.hub.channels == ())
        assert await app.channel("news").presence() == ()


# I8: names of clients are keys of dicts and nothing else


@pytest.mark.parametrize("name", ["__class__", "__dict__", "__proto__", "constructor", "../x", "a:b", "%s%n", "{0}"])
async def test_i8_a_name_of_a_client_is_a_plain_key(name: str) -> None:
    """CVE-2026-59724: the id `__proto__`."""
    app = Rooms()
    path = f"/rooms/{name.replace('/', '|')}"
    async with app.with_clients(f"{path}?user={name}&envelope=1", path) as (_, other):
        other.says("[1]")
        await until(lambda: other.texts)

        assert app.hub.channels == (name.replace("/", "|"),)
        assert [entry.user for entry in await app.channel(app.hub.channels[0]).presence()] == [name]
        assert other.texts == ["[1]"]


@pytest.mark.parametrize("user", ["x" * MIB, "x" * 201, "%ED%A0%80", "%00", "%0a", "%E2%80%AE", "~", "~x"])
async def test_i8_an_odd_name_of_a_user_is_a_plain_key_or_nobody_comes_in(user: str) -> None:
    """CVE-2026-59724: 1 MiB, surrogates and control characters."""
    app = Rooms()
    client = Client(app, "/rooms/1", query_string=f"user={user}".encode())
    await until(lambda: client.got)
    await turns()

    if client.got[0]["type"] == "websocket.accept":
        assert [entry.user for entry in await app.channel("1").presence()] == [unquote(user)]
    else:
        assert app.hub.channels == ()
    assert len(user) < KIB or client.got[0]["type"] == "websocket.close"
    await client.leaves()
    assert app.hub.channels == ()
    await app.hub.stop()


@pytest.mark.parametrize("name", ["x" * MIB, "x" * 201, "\ud800", "a\0b", "a\r\nb"])
async def test_i8_nor_does_anybody_by_an_odd_name_of_a_channel(name: str) -> None:
    """CVE-2026-59724."""
    app = Rooms()
    client = Client(app, f"/rooms/{name}")
    await until(lambda: client.got)

    assert client.got[0]["type"] == "websocket.close"
    assert app.hub.channels == ()
    await client.leaves()
    await app.hub.stop()


async def test_i8_a_user_cannot_take_the_id_of_a_member() -> None:
    """It would get what is sent to that member, and be shown in its place; ids are known to all who are here."""
    app = Rooms()
    async with app.with_clients("/rooms/1?user=victim") as (victim,):
        (entry,) = await app.channel("1").presence()
        thief = Client(app, "/rooms/1", query_string=f"user={entry.id}".encode())
        await until(lambda: thief.got)
        await app.channel("1").send_to(entry.id, "for you alone")
        await until(lambda: victim.texts)

        assert thief.got[0]["type"] == "websocket.close"
        assert victim.texts == ["for you alone"]
        await thief.leaves()


async def test_i8_neither_can_a_reader_of_events() -> None:
    app = Rooms()

    @app.get("/events")
    async def events(request: Request, response: Response) -> Response:
        return response.sse(Channel("1").events(request, user=request.query_params["user"]))

    for user in ("~0123456789abcdef", "~"):
        answer = await call(app, path="/events", query=f"user={user}".encode())
        assert (answer.status, answer.json()["code"]) == (400, "bad_user_name")


@pytest.mark.parametrize("event", ["presence", "gap", "\ud800"])
async def test_i8_a_client_that_names_events_cannot_speak_for_nexios(event: str) -> None:
    """Else one could tell the others who is here, or that they missed something."""
    app = Rooms()
    async with app.with_clients("/rooms/1?envelope=1&user=ada") as (ada,):
        await until(lambda: ada.texts)
        for publish in (app.channel("1").publish, app.channels("*").publish):
            with pytest.raises(Exception) as failure:
                await publish({"joins": []}, event=event)
            assert getattr(failure.value, "code", None) == "bad_event_name"
        await turns()

        assert len(ada.texts) == 1


async def test_i8_the_empty_name_is_that_of_nobody() -> None:
    """It is no name for all who have none: they are neither sent to, left out nor put out by it."""
    app = Rooms()
    async with app.with_clients("/rooms/1", "/rooms/1") as clients:
        await app.channel("1").send_to("", "to nobody")
        await app.channel("1").expel("")
        await app.channel("1").publish("to all", exclude="")
        await until(lambda: all(client.texts for client in clients))

        assert [(client.texts, client.closed) for client in clients] == [(["to all"], None)] * 2


# Who may read what


@asynccontextmanager
async def guarded() -> AsyncIterator[tuple[NexiosApp, TestClient]]:
    """A channel that only the cookie of ada opens, by every way in that a client has."""
    app = NexiosApp()

    @app.hub.guard("private:*")
    async def may_join(client: Any, channel: str) -> bool:
        return bool(client.cookies.get("user") == "ada")

    @app.websocket("/{name}")
    async def join(websocket: WebSocket, name: str) -> None:
        last_seen = websocket.query_params.get("last_seen")
        await Channel(name).connect(websocket, last_seen=last_seen, envelope=True, user="x", metadata={})
        async for _ in websocket:
            pass

    @app.websocket("/accepted/{name}")
    async def accepted(websocket: WebSocket, name: str) -> None:
        await websocket.accept()
        await Channel(name).connect(websocket, last_seen=0)

    @app.get("/events/{name}")
    async def events(request: Request, response: Response, name: str) -> Response:
        return response.sse(Channel(name).events(request, last_seen=0, user="x"))

    @app.get("/sse/{name}")
    async def sse(request: Request, response: Response, name: str) -> Response:
        return Channel(name).sse(request, last_seen=0)

    async with TestClient(app) as client:
        await app.channel("private:1").publish("a secret")
        yield app, client


@pytest.mark.parametrize("last_seen", ["", "?last_seen=0", "?last_seen=1", "?last_seen=-1", "?last_seen=x"])
async def test_i3_a_guard_stands_before_history_and_presence(last_seen: str) -> None:
    """A stranger with any `last_seen` is neither let in nor shown to others, and hears nothing."""
    async with guarded() as (app, client):
        with pytest.raises(WebSocketDenied, match="channel_forbidden"):
            async with client.websocket_connect(f"/private:1{last_seen}", cookies={"user": "eve"}):
                pass
        async with client.websocket_connect("/accepted/private:1", cookies={"user": "eve"}) as ws:
            assert (await ws.wait_closed())[0] == 1008
        assert (app.hub.channels, await app.channel("private:1").presence()) == ((), ())


@pytest.mark.parametrize("path", ["/events/private:1", "/sse/private:1"])
@pytest.mark.parametrize("seen", [None, "0", "1", "9007199254740991", "x\x00", "-1", "1e9"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_i3_f19_last_event_id_is_no_way_around_a_guard(path: str, seen: str | None, method: str) -> None:
    async with guarded() as (app, _):
        headers = [] if seen is None else [(b"last-event-id", seen.encode())]
        answer = await call(app, method=method, path=path, headers=[(b"cookie", b"user=eve"), *headers])

        assert (answer.status, b"secret" in answer.body) == (403, False)
        assert app.hub.channels == ()


async def test_i3_groups_and_direct_messages_pass_no_guard_either() -> None:
    async with guarded() as (app, client):
        async with client.websocket_connect("/private:1?last_seen=0", cookies={"user": "ada"}) as ada:
            async with client.websocket_connect("/public", cookies={"user": "eve"}) as eve:
                await app.channels("private:*").publish("to all of the group")
                await app.channel("private:1").send_to("x", "to every x that may be there")
                await app.channel("public").publish("to all")
                heard = []
                while (message := await eve.receive_json()).get("data") != "to all":
                    heard.append(message["event"])
                assert set(heard) == {"presence"}
            assert [one.get("data") for one in [await ada.receive_json() for _ in range(4)] if "event" not in one] == [
                "a secret",
                "to all of the group",
                "to every x that may be there",
            ]


@pytest.mark.parametrize("answer", [1, "yes", None, object(), ["x"]])
async def test_i3_a_guard_that_says_anything_but_true_says_no(answer: object) -> None:
    app = Rooms()
    app.hub.guard("*")(lambda client, channel: answer)  # type: ignore[type-var]

    client = Client(app, "/rooms/1", extensions={"websocket.http.response": {}})
    await asyncio.wait((client.task,))

    assert client.got[0]["status"] == 403


async def test_i3_a_guard_that_fails_keeps_out_and_its_words_stay_here(caplog: pytest.LogCaptureFixture) -> None:
    app = Rooms()

    @app.hub.guard("*")
    def broken(client: object, channel: str) -> bool:
        raise RuntimeError("postgres://user:canary@db")

    with caplog.at_level(logging.CRITICAL, "nexios"):
        client = Client(app, "/rooms/1", extensions={"websocket.http.response": {}})
        await asyncio.wait((client.task,))

    assert (client.got[0]["status"], "canary" in str(client.got)) == (500, False)
    assert app.hub.channels == ()


# I12 and R8: one slow client


async def test_i12_a_client_that_reads_nothing_delays_nobody_and_is_closed_with_1013() -> None:
    """1 stuck and 99 fast ones, 10,000 messages: the fast ones get all, the memory is that of its outbox."""
    app = Rooms()
    async with app.with_clients(*["/rooms/1"] * 100) as clients:
        slow, fast = clients[0], clients[1:]
        slow.stuck = True
        with heartbeat() as heart:
            for number in range(10_000):
                await app.channel("1").publish(number)
                if not number % 500:
                    for client in fast:
                        client.got.clear()
        await until(lambda: all(client.texts[-1:] == ["9999"] for client in fast))

        assert [len(client.texts) for client in fast] == [499] * 99
        assert heart.stall < 0.5
        assert len(app.channel("1").members()) == 99
        assert slow.closed == (1013, "too slow")
        assert app.hub.counters.delivered == 99 * 10_000


async def test_r8_what_waits_for_a_client_is_bounded_by_bytes() -> None:
    app = Rooms(Hub(clock=ManualClock(), history=HistoryLimits(count=0)))
    async with app.with_clients(*["/rooms/1"] * 50) as clients:
        for client in clients:
            client.stuck = True
        with peak() as spent:
            for number in range(200):
                await app.channel("1").publish(f"{number}" + "x" * 64 * KIB)
        assert spent.bytes < 4 * MIB, "one encoding for all, and each outbox within its mebibyte"


async def test_r8_a_client_that_takes_nothing_of_the_history_is_closed_after_the_send_timeout() -> None:
    """A quiet room: nothing else would ever fill its outbox, and its task would wait for ever."""
    clock = ManualClock()
    app = Rooms(Hub(clock=clock, outbox=OutboxLimits(send_timeout=10.0)))
    for number in range(3):
        await app.channel("1").publish(number)
    client = Client(app, "/rooms/1", query_string=b"last_seen=0")
    client.stuck = True
    await until(lambda: client.got)
    await clock.advance(9.0)
    assert (client.closed, len(app.channel("1").members())) == (None, 1)
    await clock.advance(1.5)
    await asyncio.wait((client.task,))

    assert client.closed == (1013, "too slow")
    assert app.channel("1").members() == ()
    assert app.hub.counters.waiting == 0
    await app.hub.stop()


async def test_r8_the_history_of_channels_that_clients_name_is_bounded_as_a_whole() -> None:
    engine = MemoryEngine(max_size=4 * MIB, max_channels=1000)
    app = Rooms(Hub(MemoryBackend(engine), history=HistoryLimits(size=MIB)))
    with peak() as spent:
        for number in range(5000):
            await app.channel(f"room:{number}").publish("x" * 8 * KIB)
    assert len(engine.channels) <= 1001
    assert spent.bytes < 8 * MIB
    await app.hub.stop()


# R11 and R12: leaving, and being cancelled


@pytest.mark.parametrize("leaves_after", range(6))
async def test_r11_a_reader_may_leave_at_any_event(leaves_after: int, caplog: pytest.LogCaptureFixture) -> None:
    app = Rooms()

    @app.get("/events")
    async def events(request: Request, response: Response) -> Response:
        return Channel("1").sse(request, last_seen=0)

    for number in range(4):
        await app.channel("1").publish(number)
    taken, left = 0, asyncio.Event()
    if not leaves_after:
        left.set()
    asked = False

    async def receive() -> Message:
        nonlocal asked
        if not asked:
            asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        nonlocal taken
        taken += 1
        if taken >= leaves_after:
            left.set()

    scope = {"type": "http", "method": "GET", "path": "/events", "headers": [], "query_string": b"", "extensions": {}}
    with caplog.at_level(logging.INFO, "nexios"):
        await app(scope, receive, send)
    await turns()

    assert (app.hub.channels, len(app.engine.streams), caplog.records) == ((), 0, [])
    await app.hub.stop()


async def test_r12_wherever_a_conversation_is_cancelled_nothing_of_it_is_left() -> None:
    """Provider, middleware, class, channel and presence: each that began has ended, once."""
    step, was_cancelled = 0, True
    while was_cancelled:
        app = _conversing()
        notes: list[str] = []
        app.state.notes = notes
        waiting: list[Message] = [{"type": "websocket.connect"}, {"type": "websocket.receive", "text": '{"type":"a"}'}]

        async def receive(waiting: list[Message] = waiting) -> Message:
            await asyncio.sleep(0)
            return waiting.pop(0) if waiting else {"type": "websocket.disconnect", "code": 1000}

        async def send(message: Message) -> None:
            await asyncio.sleep(0)

        cancelling = Cancelling(app, step)
        scope = {"type": "websocket", "path": "/ws", "headers": [(b"host", b"good.com")], "subprotocols": []}
        task = asyncio.ensure_future(cancelling(scope, receive, send))
        await asyncio.wait((task,))
        await turns(40)

        begun = [note.removeprefix("+") for note in notes if note.startswith("+")]
        ended = [note.removeprefix("-") for note in notes if note.startswith("-")]
        assert sorted(ended) == sorted(begun), (step, notes)
        assert (app.hub.channels, await app.channel("1").presence()) == ((), ()), step
        assert len(app.engine.websockets.sockets) == 0
        await app.hub.stop()
        step, was_cancelled = step + 1, cancelling.cancelled
    assert step > 10


def _conversing() -> NexiosApp:
    async def around(websocket: WebSocket, call_next: Any) -> None:
        notes: list[str] = websocket.app.state.notes
        notes.append("+middleware")
        try:
            await call_next()
        finally:
            notes.append("-middleware")

    async def provider(websocket: WebSocket) -> AsyncIterator[None]:
        notes: list[str] = websocket.app.state.notes
        notes.append("+provider")
        try:
            yield
        finally:
            notes.append("-provider")

    app = NexiosApp(websocket_middleware=[around], channels=Hub(SlowBackend(MemoryEngine())))

    @app.websocket("/ws", dependencies=[Depend(provider)])
    class Room(WebSocketConsumer):
        async def on_connect(self, websocket: WebSocket) -> None:
            await Channel("1").connect(websocket, user="ada", envelope=True)
            websocket.app.state.notes.append("+class")

        @on("a")
        async def a(self, websocket: WebSocket, message: Any) -> None:
            await Channel("1").connect(websocket)
            await websocket.app.channel("1").publish(message)

        async def on_disconnect(self, websocket: WebSocket, code: int) -> None:
            websocket.app.state.notes.append("-class")

    return app


# What is told, to whom


async def test_n1_the_reason_of_a_client_is_one_line_wherever_it_is_shown() -> None:
    """A disconnect that some task of the application logs must not write lines of its own."""
    disconnect = WebSocketDisconnect(1000, "bye\r\n2026-01-01 CRITICAL all is lost\x1b[2J")

    assert str(disconnect).isprintable()
    assert disconnect.reason.startswith("bye\r\n")


async def test_i9_metadata_that_cannot_be_told_changes_nothing_and_ends_no_heartbeat() -> None:
    """Presence of a whole process stood still once one member had been given a value without a JSON form."""
    clock = ManualClock()
    app = NexiosApp(channels=Hub(clock=clock))
    raised: list[type[BaseException]] = []

    @app.websocket("/ws")
    async def ws(websocket: WebSocket) -> None:
        channel = Channel("1")
        await channel.connect(websocket, user="ada", metadata={"mood": "good"}, envelope=True)
        for bad in ("\ud800", object()):
            try:
                await channel.update(websocket, {"mood": bad})
            except (TypeError, ValueError) as exc:
                raised.append(type(exc))
        async for _ in websocket:
            pass

    client = Client(app, "/ws")
    await until(lambda: len(raised) == 2)
    await clock.advance(120.0)

    (entry,) = await app.channel("1").presence()
    assert (entry.metadata, raised) == ({"mood": "good"}, [UnicodeEncodeError, TypeError])
    await client.leaves()
    await app.hub.stop()
