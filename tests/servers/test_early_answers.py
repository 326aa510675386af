"""An answer that comes before the request is whole: what a server is told, and for how long the rest is taken."""

import asyncio
from collections.abc import Callable, MutableMapping
from typing import Any

import pytest

from nexios import Depend, Limits, NexiosApp, Request, Response

Message = MutableMapping[str, Any]


class Exchange:
    """One raw ASGI exchange, whose server ends the connection with the response, as Hypercorn does."""

    def __init__(self, method: str = "POST", *headers: tuple[bytes, bytes], version: str = "1.1", **scope: Any) -> None:
        self.scope = {
            "type": "http",
            "method": method,
            "path": "/",
            "query_string": b"",
            "headers": [(b"host", b"a.test"), *headers],
            "http_version": version,
            **scope,
        }
        self.messages: asyncio.Queue[Message] = asyncio.Queue()
        self.sent: list[Message] = []
        self.reads = 0

    def arrives(self, body: bytes, *, more: bool) -> None:
        self.messages.put_nowait({"type": "http.request", "body": body, "more_body": more})

    async def receive(self) -> Message:
        self.reads += 1
        return await self.messages.get()

    async def send(self, message: Message) -> None:
        self.sent.append(message)

    async def run(self, app: NexiosApp) -> None:
        await app(self.scope, self.receive, self.send)

    @property
    def bodies(self) -> list[tuple[bytes, bool]]:
        return [(sent["body"], sent.get("more_body", False)) for sent in self.sent[1:]]


LONG = (b"content-length", b"5000")


async def settle(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  what is looked at has no event
            await asyncio.sleep(0)


@pytest.fixture
def app() -> NexiosApp:
    app = NexiosApp(limits=Limits(max_body_size=1000))

    @app.route("/", methods=["GET", "POST"])
    async def unread(request: Request) -> str:
        return "answer"

    @app.put("/")
    async def read(request: Request) -> bytes:
        return await request.body()

    return app


async def test_the_answer_is_whole_before_the_rest_is_read_and_ended_after_it(app: NexiosApp) -> None:
    exchange = Exchange("POST", LONG)
    running = asyncio.ensure_future(exchange.run(app))
    await settle(lambda: exchange.reads)
    assert exchange.bodies == [(b"answer", True)]

    exchange.arrives(b"x" * 2500, more=True)
    exchange.arrives(b"x" * 2500, more=False)
    await running

    assert exchange.bodies == [(b"answer", True), (b"", False)]


async def test_a_refusal_is_ended_after_the_rest_too(app: NexiosApp) -> None:
    exchange = Exchange("PUT", LONG)
    exchange.arrives(b"x" * 5000, more=False)
    await exchange.run(app)

    assert exchange.sent[0]["status"] == 413
    assert [more for _, more in exchange.bodies] == [True, False]


async def test_a_server_that_counts_bytes_gets_the_last_one_at_the_end(app: NexiosApp) -> None:
    exchange = Exchange("POST", LONG, extensions={"http.response.pathsend": {}})
    exchange.arrives(b"x" * 5000, more=False)
    await exchange.run(app)

    assert exchange.bodies == [(b"answe", True), (b"r", False)]


@pytest.mark.parametrize(
    ("method", "headers"),
    [("GET", ()), ("POST", ()), ("POST", ((b"content-length", b"0"),))],
)
async def test_a_request_without_a_body_is_answered_in_one_piece(
    app: NexiosApp, method: str, headers: tuple[tuple[bytes, bytes], ...]
) -> None:
    exchange = Exchange(method, *headers)
    await exchange.run(app)

    assert exchange.bodies == [(b"answer", False)]
    assert exchange.reads == 0


async def test_a_body_that_was_read_is_answered_in_one_piece(app: NexiosApp) -> None:
    exchange = Exchange("PUT", (b"content-length", b"3"))
    exchange.arrives(b"abc", more=False)
    await exchange.run(app)

    assert exchange.bodies == [(b"abc", False)]
    assert exchange.reads == 1


async def test_a_body_without_a_length_is_waited_for_too(app: NexiosApp) -> None:
    for exchange in (Exchange("POST", (b"transfer-encoding", b"chunked")), Exchange("POST", version="2")):
        exchange.arrives(b"", more=False)
        await exchange.run(app)

        assert exchange.reads == 1


async def test_a_client_that_leaves_is_not_waited_for(app: NexiosApp) -> None:
    exchange = Exchange("POST", LONG)
    exchange.messages.put_nowait({"type": "http.disconnect"})
    await exchange.run(app)

    assert exchange.reads == 1


async def test_a_client_that_falls_silent_is_waited_for_no_longer_than_for_a_body() -> None:
    app = NexiosApp(limits=Limits(body_read_timeout=0.01))

    @app.post("/")
    async def unread(request: Request) -> str:
        return "answer"

    exchange = Exchange("POST", LONG)
    await exchange.run(app)

    assert exchange.bodies == [(b"answer", True), (b"", False)]


async def test_what_a_handler_depends_on_is_closed_before_the_rest_is_waited_for() -> None:
    app = NexiosApp()
    events: list[str] = []

    async def session() -> Any:
        yield "session"
        events.append("closed")

    @app.post("/")
    async def unread(request: Request, held: str = Depend(session, scope="request")) -> str:
        return held

    exchange = Exchange("POST", LONG)
    running = asyncio.ensure_future(exchange.run(app))
    await settle(lambda: exchange.reads)
    assert events == ["closed"]
    exchange.arrives(b"", more=False)
    await running


async def test_a_stream_that_ends_early_waits_for_the_rest_and_counts_what_was_read_ahead() -> None:
    app = NexiosApp()

    @app.post("/")
    async def streamed(request: Request, response: Response) -> Response:
        async def chunks() -> Any:
            yield b"one"

        return response.stream(chunks())

    exchange = Exchange("POST", LONG)
    running = asyncio.ensure_future(exchange.run(app))
    await settle(lambda: (b"one", True) in exchange.bodies)
    for _ in range(20):
        await asyncio.sleep(0)
    assert (b"", False) not in exchange.bodies
    exchange.arrives(b"x", more=False)
    await running

    assert exchange.bodies == [(b"one", True), (b"", False)]
