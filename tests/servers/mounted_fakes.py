"""A client of a mounted application: requests that come from a script, answers that are kept."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nexios.concurrency import Threads
from nexios.errors import ClientDisconnect
from nexios.messages.request import Request
from nexios.messages.response import Response
from nexios.messages.send import send_response
from nexios.messages.transport import Address, Pairs
from nexios.settings import Limits

Mounted = Callable[[Request, Response], Awaitable[Response]]

CLIENT = Address("192.0.2.7", 5000)
SERVER = Address("192.0.2.1", 8000)


@dataclass
class Client:
    """One exchange: what is asked, and what came back."""

    method: str = "GET"
    path: str = "/legacy/page"
    root_path: str = "/legacy"
    query_string: str = ""
    fields: Sequence[tuple[str, str]] = ()
    body: Sequence[bytes] = ()
    leaves_early: bool = False
    scheme: str = "http"
    http_version: str = "1.1"
    client: Address | None = CLIENT
    server: Address | None = SERVER
    server_name: str = "fake"

    status: int = 0
    received: list[tuple[str, str]] = field(default_factory=list)
    chunks_received: list[bytes] = field(default_factory=list)
    streamed: bool = False
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    on_chunk: Callable[[bytes], None] | None = None
    unread: list[bytes] | None = None

    @property
    def content(self) -> bytes:
        return b"".join(self.chunks_received)

    def header(self, name: str) -> list[str]:
        return [value for key, value in self.received if key == name]

    def headers(self) -> Pairs:
        return self.fields

    def arrived(self) -> bytes | None:
        return None

    def json_at_hand(self, limit: int | None) -> bytes | None:
        return None

    def body_fields(self) -> tuple[Sequence[str], Sequence[str], Sequence[str]]:
        values = self.header_values
        return values("content-type"), values("content-length"), values("content-encoding")

    def header_values(self, name: str) -> Sequence[str]:
        return [value for key, value in self.fields if key == name]

    async def next_chunk(self) -> bytes | None:
        if self.unread is None:
            self.unread = list(self.body)
        if self.unread:
            return self.unread.pop(0)
        if self.leaves_early:
            self.gone.set()
            raise ClientDisconnect("left early")
        return None

    async def disconnected(self) -> None:
        await self.gone.wait()

    def stop_reading(self) -> None:
        pass

    async def send_empty(self, status: int, headers: Pairs) -> None:
        self.status, self.received = status, list(headers)

    async def send_bytes(self, status: int, headers: Pairs, body: bytes) -> None:
        self.status, self.received, self.chunks_received = status, list(headers), [body]

    async def send_file(self, status: int, headers: Pairs, path: str, start: int, stop: int, *, whole: bool) -> bool:
        return False

    async def send_stream(self, status: int, headers: Pairs, chunks: AsyncIterator[bytes]) -> None:
        self.status, self.received, self.streamed = status, list(headers), True
        async for chunk in chunks:
            self.chunks_received.append(chunk)
            if self.on_chunk is not None:
                self.on_chunk(chunk)

    def request(self, limits: Limits | None = None) -> Request:
        request = Request(self, Context(limits or Limits()), self.method, self.path, self.path)
        request.root_path = self.root_path
        return request

    async def ask(self, mounted: Mounted, limits: Limits | None = None) -> "Client":
        """Make the request, and receive the whole answer."""
        request = self.request(limits)
        response = await mounted(request, Response())
        await send_response(self, request, response)
        return self


@dataclass
class Context:
    """An application without routes."""

    limits: Limits
    app: Any = None
    threads: Threads = field(default_factory=lambda: Threads(4))
    streams: Any = None

    def route_of(self, request: Request) -> None:
        return None

    def preflights_of(self, request: Request) -> None:
        return None

    def limits_of(self, request: Request) -> Limits:
        return self.limits

    def url_path_for(self, name: str, params: Mapping[str, Any]) -> str:
        raise NotImplementedError
