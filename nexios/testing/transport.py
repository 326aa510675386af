"""How does the core serve an exchange without a server? Over a transport in memory.

The third implementation of `HTTPTransport`. One side of it is the app's; the other is the
client's, which reads the response while it is made and may leave at any moment.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable
from pathlib import Path
from typing import Final, Literal

from nexios.errors import ClientDisconnect
from nexios.messages.transport import Address, Pairs

__all__ = ["MemoryTransport", "Verb"]

Verb = Literal["empty", "bytes", "file", "stream"]

CLIENT: Final = Address("127.0.0.1", 50000)
SERVER: Final = Address("testserver", 443)

_END: Final = None


class MemoryTransport:
    """One HTTP exchange in memory; belongs to one event loop.

    The head is given as a server would give it: `path` decoded, `query_string` raw, header
    names in lower case. `body` is taken chunk by chunk, when the app asks for it; the client
    leaves after `leave_after` bytes of it. With `sends_files` the app may name a file
    instead of reading it, as under a server that can send files.

    After the exchange `verb` says which of the four the app answered with, `file` which
    part of which file.

    >>> transport = MemoryTransport("POST", "/echo", body=[b"a", b"b"])
    >>> transport.verb is None
    True
    """

    server_name = "memory"

    def __init__(
        self,
        method: str = "GET",
        path: str = "/",
        *,
        headers: Pairs = (),
        body: Iterable[bytes] | AsyncIterable[bytes] = (),
        query_string: str = "",
        scheme: str = "https",
        root_path: str = "",
        http_version: str = "1.1",
        client: Address | None = CLIENT,
        server: Address | None = SERVER,
        leave_after: int | None = None,
        sends_files: bool = False,
    ) -> None:
        self.method = method
        self.path = path
        self.query_string = query_string
        self.scheme = scheme
        self.root_path = root_path
        self.http_version = http_version
        self.client = client
        self.server = server
        self.started: bool = False
        self.verb: Verb | None = None
        self.file: tuple[str, int, int] | None = None
        self.status: int = 0
        self.response_headers: list[tuple[str, str]] = []
        self.complete: bool = False
        """Whether the app has sent the whole response."""
        self.body_error: Exception | None = None
        """What `body` raised; for the app the client has left then."""
        self._headers = list(headers)
        self._source: AsyncIterator[bytes] = aiter(body) if isinstance(body, AsyncIterable) else _each(body)
        self._leave_after = leave_after
        self._sends_files = sends_files
        self._kept: deque[bytes] = deque()
        self._taken = 0
        self._body_ended = False
        self._reading: asyncio.Task[None] | None = None
        self._gone = asyncio.Event()
        self._over = asyncio.Event()
        self._begun = asyncio.Event()
        self._room = asyncio.Semaphore(1)
        self._out: asyncio.Queue[bytes | None] = asyncio.Queue()

    def headers(self) -> Pairs:
        """The header fields of the request."""
        return self._headers

    def header_values(self, name: str) -> list[str]:
        """The values of one header of the request, named in lower case."""
        return [value for key, value in self._headers if key == name]

    # The body of the request

    def body_fields(self) -> tuple[list[str], list[str], list[str]]:
        """The values of Content-Type, Content-Length and Content-Encoding."""
        values = self.header_values
        return values("content-type"), values("content-length"), values("content-encoding")

    def arrived(self) -> bytes | None:
        """Nothing is there before it is asked for."""
        return None

    def json_at_hand(self, limit: int | None) -> bytes | None:
        """Likewise."""
        return None

    async def next_chunk(self) -> bytes | None:
        """The next chunk, None after the last. Raises `ClientDisconnect`."""
        while True:
            if self._kept:
                return self._kept.popleft()
            if self._body_ended:
                return None
            if self.left:
                raise ClientDisconnect("the client left before the body was whole")
            await self._arrival()

    async def disconnected(self) -> None:
        """Return when the client has gone; what arrives of the body meanwhile is kept."""
        while not self.left:
            if self._body_ended:
                await self._gone.wait()
            else:
                await self._arrival()

    def stop_reading(self) -> None:
        """Ask the client for no more."""
        reading, self._reading = self._reading, None
        if reading is not None:
            reading.cancel()

    async def _arrival(self) -> None:
        """Wait for something from the client; a reader that stops waiting leaves the read to the next."""
        if self._reading is None:
            self._reading = asyncio.ensure_future(self._take_chunk())
        reading = self._reading
        gone = asyncio.ensure_future(self._gone.wait())
        try:
            await asyncio.wait({reading, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            gone.cancel()
        if reading.done() and self._reading is reading:
            self._reading = None

    async def _take_chunk(self) -> None:
        left = None if self._leave_after is None else self._leave_after - self._taken
        if left == 0:
            self.leave()
            return
        try:
            chunk = await anext(self._source, None)
        except Exception as exc:
            self.body_error = exc
            self.leave()
            return
        if chunk is None:
            self._body_ended = True
        elif chunk:
            chunk = chunk[:left]
            self._taken += len(chunk)
            self._kept.append(chunk)

    # The response, as the app sends it

    async def send_empty(self, status: int, headers: Pairs) -> None:
        """Answer without a body."""
        self.begin("empty", status, headers)
        self.end()

    async def send_bytes(self, status: int, headers: Pairs, body: bytes) -> None:
        """Answer with a body that is whole; it does not wait for the client to read it."""
        self.begin("bytes", status, headers)
        self._out.put_nowait(body)
        self.end()

    async def send_file(self, status: int, headers: Pairs, path: str, start: int, stop: int, *, whole: bool) -> bool:
        """Answer with a part of a file; False unless the transport `sends_files`."""
        if not self._sends_files:
            return False
        body = await asyncio.to_thread(_read, path, start, stop)
        self.begin("file", status, headers)
        self.file = (path, start, stop)
        self._out.put_nowait(body)
        self.end()
        return True

    async def send_stream(self, status: int, headers: Pairs, chunks: AsyncIterator[bytes]) -> None:
        """Answer with what `chunks` makes, never more than one chunk ahead of the client."""
        self.begin("stream", status, headers)
        async for chunk in chunks:
            await self.push(chunk)
        self.end()

    def begin(self, verb: Verb, status: int, headers: Pairs) -> None:
        """Take the head of the response.

        Raises:
            ClientDisconnect: The client has gone.
            RuntimeError: There was an answer already.
        """
        if self.started:
            raise RuntimeError("the app answers an exchange twice")
        if self.left:
            raise ClientDisconnect("the client left before the response was sent")
        self.started = True
        self.verb, self.status, self.response_headers = verb, status, list(headers)
        self._begun.set()

    async def push(self, chunk: bytes) -> None:
        """Take a part of the body; waits while the client has not read the one before. Raises `ClientDisconnect`."""
        await self._room.acquire()
        if self.left:
            self._room.release()
            raise ClientDisconnect("the client left before the response was sent")
        self._out.put_nowait(chunk)

    def end(self) -> None:
        """The response is whole."""
        self.complete = True
        self._out.put_nowait(_END)
        self._over.set()

    # The client's side

    @property
    def left(self) -> bool:
        """Whether the client has gone."""
        return self._gone.is_set()

    def leave(self) -> None:
        """Go, as a client does that closes its connection."""
        self._gone.set()
        self._over.set()
        self._room.release()

    async def close(self) -> None:
        """The app is done with the exchange: whoever still waits for something here waits no longer."""
        self._begun.set()
        self._out.put_nowait(_END)
        self.leave()
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait({self._reading})
        source: object = self._source
        if isinstance(source, AsyncGenerator):
            await source.aclose()

    async def answered(self) -> None:
        """Return when the response has begun, or never will (`started` is False then)."""
        await self._begun.wait()

    async def over(self) -> None:
        """Return when the response is whole, or the client has gone."""
        await self._over.wait()

    async def next_response_chunk(self) -> bytes | None:
        """The next part of the response's body; None when it is whole, or the app broke it off (`complete`)."""
        chunk = await self._out.get()
        if chunk is _END:
            self._out.put_nowait(_END)
            return None
        if self.verb == "stream":
            self._room.release()
        return chunk

    async def response_body(self) -> bytes:
        """The body of the response, read to its end."""
        return b"".join([chunk async for chunk in self])

    async def __aiter__(self) -> AsyncGenerator[bytes, None]:
        """The body of the response while the app makes it."""
        while (chunk := await self.next_response_chunk()) is not None:
            yield chunk

    def __repr__(self) -> str:
        return f"<MemoryTransport {self.method} {self.path!r}>"


async def _each(chunks: Iterable[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


def _read(path: str, start: int, stop: int) -> bytes:
    with Path(path).open("rb") as file:
        file.seek(start)
        return file.read(stop - start)
