"""What can a response body be? Nothing, bytes, a file, or a stream."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterable, Iterator
from contextvars import copy_context
from functools import partial
from inspect import isawaitable
from typing import Any, Protocol, TypeVar

import msgspec

from nexios.concurrency import Threads
from nexios.http.ranges import ByteRange
from nexios.messages.clock import Clock
from nexios.messages.file import FileSource
from nexios.messages.thread_io import finish, finish_in_thread

__all__ = [
    "Content",
    "EndlessStream",
    "FileContent",
    "FileParts",
    "LiveContent",
    "LiveSource",
    "StreamContent",
    "as_bytes",
    "as_chunks",
    "close_source",
    "in_threads",
]

Chunk = bytes | str
_T = TypeVar("_T")


class FileContent(msgspec.Struct, frozen=True):
    """A file that is opened when the response is sent.

    `path` is ours or the handler's, never the client's. `filename` is what a download
    is called; `inline` lets a browser show it instead of saving it.
    """

    path: str
    filename: str | None = None
    inline: bool = False


class FileParts(msgspec.Struct, frozen=True):
    """A file that was found, and what of it is sent: ranges, and bytes between them."""

    source: FileSource
    parts: tuple[ByteRange | bytes, ...]


class StreamContent(msgspec.Struct, frozen=True):
    """Chunks made while they are sent; text chunks are UTF-8.

    `length` is the number of bytes they will be, when that is certain beforehand: it becomes Content-Length.
    """

    chunks: AsyncIterable[Chunk] | Iterable[Chunk]
    length: int | None = None


class LiveSource:
    """A source with something to settle before the response begins, while it can still be an error."""

    async def admit(self) -> None:
        """Raise an `HTTPException` when this client may not have it. May be called again, and is harmless then."""


class EndlessStream(Protocol):
    """A live stream that is being sent, for whoever may put an end to it."""

    @property
    def is_over(self) -> bool:
        """Whether somebody did."""

    @property
    def clock(self) -> Clock:
        """What its time goes by."""

    def end(self) -> None:
        """Let it end with a word of farewell."""


class LiveContent(msgspec.Struct, frozen=True):
    """A body that is made of items while it is sent, for as long as the client listens.

    `encode` makes bytes of an item. `opening` is sent at once, and `beat` after each `keep_alive` seconds in which
    nothing else was. With a `farewell` its client knows what it has got, and comes back: such a stream ends with
    it when the app stops. `watches` are told of the stream when it begins; what they return is called when it is over.
    """

    source: AsyncIterable[Any] | Iterable[Any]
    encode: Callable[[Any], bytes]
    opening: bytes = b""
    keep_alive: float | None = None
    beat: bytes = b""
    farewell: Callable[[], bytes] | None = None
    watches: tuple[Callable[["EndlessStream"], Callable[[], None]], ...] = ()

    async def admit(self) -> None:
        """Settle what is to be settled first. Raises `HTTPException`."""
        if isinstance(self.source, LiveSource):
            await self.source.admit()


Content = bytes | FileContent | FileParts | StreamContent | LiveContent


async def as_chunks(source: AsyncIterable[Chunk] | Iterable[Chunk], threads: Threads) -> AsyncGenerator[bytes, None]:
    """Return the chunks of `source` as bytes; a synchronous source runs in the app's worker threads.

    Not in those that read files: a source that blocks must not keep others from being served.

    Closing this generator closes the source, whatever way the response ends. Between two
    chunks the event loop gets a turn, so that a fast source cannot starve a disconnect.
    """
    iterator = aiter(source) if isinstance(source, AsyncIterable) else in_threads(iter(source), threads)
    try:
        async for chunk in iterator:
            if data := chunk.encode() if isinstance(chunk, str) else as_bytes(chunk):
                yield data
            await asyncio.sleep(0)
    finally:
        close = getattr(iterator, "aclose", None)
        if close is not None:
            await close()


async def close_source(source: object) -> None:
    """Close a source of chunks, if it can be closed and was not; a synchronous one in a worker thread."""
    aclose, close = getattr(source, "aclose", None), getattr(source, "close", None)
    if aclose is not None:
        await aclose()
    elif close is not None:
        closing = await finish_in_thread(close)
        if isawaitable(closing):
            await closing


def as_bytes(data: object) -> bytes:
    """Return bytes, a bytearray or a memoryview as bytes; `bytes(5)` would be five zeros.

    Raises:
        TypeError: It is something else.
    """
    if isinstance(data, bytes | bytearray | memoryview):
        return data if type(data) is bytes else bytes(data)
    raise TypeError(f"a body is made of bytes or str, not {type(data).__name__}; for JSON: response.json(data)")


_END: Any = object()


async def in_threads(iterator: Iterator[_T], threads: Threads) -> AsyncGenerator[_T, None]:
    """Yield what a synchronous iterator makes, which runs in worker threads, and close it.

    A call that runs always ends before the next, for a generator cannot be closed while it makes an item.
    """
    context, next_item = copy_context(), partial(next, iterator, _END)
    try:
        while (item := await finish(threads.begin(partial(context.run, next_item)))) is not _END:
            yield item
    finally:
        close = getattr(iterator, "close", None)
        if close is not None:
            await finish(threads.begin(partial(context.run, close)))
