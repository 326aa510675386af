"""Does a process that serves for long grow? R23: fifty thousand requests of every kind leave nothing, each of its own.

No path, query, header, cookie or error text comes twice, so whatever is kept for one of them would be kept fifty
thousand times. What is counted is exact: objects by their type, and blocks of memory. The size of the process itself
has a limit far over what such counts cannot see.
"""

import asyncio
import gc
import itertools
import json
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import pytest

from nexios._injection.depend import Depend
from nexios._pipeline.inputs.markers import Query
from nexios.application import NexiosApp
from nexios.errors import HTTPException
from nexios.messages.request import Request
from nexios.messages.response import Response
from nexios.messages.websocket import WebSocket
from nexios.session.middleware import SessionMiddleware
from tests.security.kit import MIB, http_scope, raw_websocket
from tests.security.reading_app import END, MULTIPART, field, upload

REQUESTS: Final = 50_000
WARM_UP: Final = 6_000
"""Requests until every cache that has a bound is full."""

KEPT_OBJECTS: Final = 100
"""Of one type: what a loop or a logger has in its hands for a moment."""

KEPT_BLOCKS: Final = 1_500
"""Fewer than there are requests of the rarest kind."""

KEPT_BYTES: Final = 24 * MIB
"""500 bytes for each request; what an allocator keeps for the next time is a fraction of it."""


class Order(msgspec.Struct):
    number: int
    note: str = ""


class Trouble(Exception):
    """Has a handler."""


def site() -> NexiosApp:
    """An app with a bit of everything."""

    async def opened() -> AsyncIterator[list[int]]:
        yield []

    async def handler(
        request: Request, response: Response, name: str, value: Annotated[list[int], Depend(opened)]
    ) -> Any:
        return {"name": name, "query": request.query_params.get("q"), "id": request.id}

    async def order(request: Request, response: Response, body: Order) -> Order:
        return body

    async def search(request: Request, response: Response, page: Annotated[int, Query()]) -> int:
        return page

    async def fails(request: Request, response: Response) -> None:
        raise ERRORS[request.query_params["kind"]](request.id)

    async def form(request: Request, response: Response) -> list[str]:
        sent = await request.form()
        return [one.filename for one in sent.files.values()]

    async def session(request: Request, response: Response) -> str:
        request.session["path"] = request.id
        return "kept"

    async def stream(request: Request, response: Response) -> Response:
        return response.stream(iter([request.id, "end"])).add_background(request.cookies.get, "a")

    async def waits(request: Request, response: Response) -> None:
        await asyncio.Event().wait()

    async def echo(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text(await websocket.receive_text())

    app = NexiosApp(exception_handlers={Trouble: troubled})
    app.add_middleware(SessionMiddleware, secret_key="xWlZ9nTfS4v1cQ0kR7b2mJ6uYhE3oAqD")
    for path, endpoint in (("/fails", fails), ("/session", session), ("/stream", stream), ("/waits", waits)):
        app.add_route(path, endpoint)
    app.add_route("/name/{name}", handler)
    app.add_route("/search", search)
    app.add_route("/order", order, ["POST"])
    app.add_route("/form", form, ["POST"])
    app.add_route("/thread/{name}", lambda request, response, name: name)
    app.add_websocket("/ws", echo)
    return app


def denied(text: str) -> HTTPException:
    return HTTPException(403, text)


ERRORS: Final[dict[str, Callable[[str], Exception]]] = {"trouble": Trouble, "refused": denied, "error": ValueError}


async def troubled(request: Request, response: Response, exc: Exception) -> Response:
    return response.status(409).text(str(exc))


Ask = Callable[[NexiosApp, int], Awaitable[int]]


async def get(app: NexiosApp, path: str, query: str = "", cookie: str = "a=1") -> int:
    return await send(app, "GET", path, query, b"", cookie=cookie)


async def send(
    app: NexiosApp, method: str, path: str, query: str, body: bytes, *, content_type: str = "", cookie: str = ""
) -> int:
    """Serve one request; return its status."""
    told = f"{path}{query}".replace("/", "-")[-40:]
    headers = [(b"host", b"good.com"), (b"x-request-id", told.encode()), (b"cookie", cookie.encode())]
    if content_type:
        headers.append((b"content-type", content_type.encode()))
    status = 0

    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    async def take(message: Any) -> None:
        nonlocal status
        status = message.get("status", status)

    await app(http_scope(method, path, headers, query_string=query.encode()), receive, take)
    return status


async def cancelled(app: NexiosApp, number: int) -> int:
    task = asyncio.ensure_future(get(app, "/waits", f"n={number}"))
    for _ in range(1 + number % 3):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task})
    return 0


async def conversation(app: NexiosApp, number: int) -> int:
    message = {"type": "websocket.receive", "text": f"text {number}"}
    sent = await raw_websocket(app, message, headers=[(b"host", f"h{number}.good.com".encode())])
    return 101 if sent[0]["type"] == "websocket.accept" else 0


def form_of(number: int) -> bytes:
    return field(f"f{number}") + upload(f"{number}.txt", body=b"x" * 100) + END


KINDS: Final[dict[str, tuple[int, Ask]]] = {
    "a path": (200, lambda app, n: get(app, f"/name/n{n}", f"q={n}")),
    "a path that nobody has": (404, lambda app, n: get(app, f"/nowhere/{n}")),
    "a longer path that nobody has": (404, lambda app, n: get(app, f"/name/{n}/{n}/{n}")),
    "a method that is not allowed": (405, lambda app, n: send(app, "POST", f"/name/n{n}", "", b"")),
    "a method that nobody knows": (501, lambda app, n: send(app, f"M{n}", "/order", "", b"")),
    "a query that does not fit": (422, lambda app, n: get(app, "/search", f"page=p{n}")),
    "a body": (200, lambda app, n: posted(app, "/order", {"number": n, "note": f"note {n}"})),
    "a body that does not fit": (422, lambda app, n: posted(app, "/order", {"number": f"n{n}"})),
    "a body that is no JSON": (400, lambda app, n: send(app, "POST", "/order", "", b"{%d" % n, content_type=JSON)),
    "a form": (200, lambda app, n: send(app, "POST", "/form", "", form_of(n), content_type=MULTIPART)),
    "an error with a handler": (409, lambda app, n: get(app, "/fails", f"kind=trouble&n={n}")),
    "a refusal": (403, lambda app, n: get(app, "/fails", f"kind=refused&n={n}")),
    "an error": (500, lambda app, n: get(app, "/fails", f"kind=error&n={n}")),
    "a session": (200, lambda app, n: get(app, "/session", f"n={n}")),
    "a session that is forged": (200, lambda app, n: get(app, "/session", f"n={n}", f"__Host-session=forged{n}.a.b")),
    "a stream": (200, lambda app, n: get(app, "/stream", f"n={n}", f"c{n}={n}")),
    "a thread": (200, lambda app, n: get(app, f"/thread/n{n}")),
    "a request that is cancelled": (0, cancelled),
    "a conversation": (101, conversation),
}

JSON: Final = "application/json"


async def posted(app: NexiosApp, path: str, value: object) -> int:
    return await send(app, "POST", path, "", json.dumps(value).encode(), content_type=JSON)


async def visit(app: NexiosApp, numbers: Iterator[int], count: int) -> Counter[tuple[str, int]]:
    """Ask as often, each kind in its turn; return how often each had which status."""
    seen: Counter[tuple[str, int]] = Counter()
    for (name, (_, ask)), number in zip(itertools.cycle(KINDS.items()), itertools.islice(numbers, count), strict=False):
        seen[name, await ask(app, number)] += 1
    await app.engine.background.drain(5)
    return seen


def objects() -> Counter[str]:
    gc.collect()
    return Counter(f"{type(one).__module__}.{type(one).__qualname__}" for one in gc.get_objects())


def resident() -> int:
    """Bytes of memory that the process has; 0 where the system does not say."""
    told = Path("/proc/self/statm")
    return int(told.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") if told.exists() else 0


@pytest.fixture
def no_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """The log of the tests keeps every record, with its error; the log of a server does not."""
    monkeypatch.setattr("nexios._pipeline.errors.logger.disabled", True)


@pytest.mark.timeout(240)  # it takes a few seconds on a machine that does nothing else
async def test_r23_fifty_thousand_requests_of_every_kind_leave_nothing(no_log: None) -> None:
    app, numbers = site(), itertools.count()
    await visit(app, numbers, WARM_UP)
    before, blocks, size = objects(), sys.getallocatedblocks(), resident()

    seen = await visit(app, numbers, REQUESTS)

    gc.collect()
    kept_blocks, kept_bytes = sys.getallocatedblocks() - blocks, resident() - size
    after = objects()
    grown = {name: count - before[name] for name, count in after.items() if count - before[name] > KEPT_OBJECTS}
    assert grown == {}
    assert kept_blocks < KEPT_BLOCKS
    assert kept_bytes < KEPT_BYTES
    assert dict(seen.keys()) == {name: status for name, (status, _) in KINDS.items()}
    assert len(seen) == len(KINDS)
    assert min(seen.values()) > KEPT_BLOCKS
