"""How does a test follow server-sent events? In a block, with a patience of some seconds for each event.

    async with client.stream_events("GET", "/feed") as events:
        async for event in events:
            assert event.json() == {"text": "hello"}
            break

In a synchronous test the same without `async`. What waits too long is an `EventTimeout`, which says
what the source waits for meanwhile.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from types import TracebackType
from typing import Any, Final, Protocol, Self, TypeVar, cast

from nexios.messages.live import LiveStream
from nexios.testing.event_reader import EventReader, ReceivedEvent
from nexios.testing.exchange import Exchange
from nexios.testing.library import Response
from nexios.testing.portal import Portal
from nexios.testing.waiting import waiting_for

__all__ = ["EventStream", "EventTimeout", "NoEventStream", "SyncEventStream"]

_T = TypeVar("_T")
_MEDIA_TYPE: Final = "text/event-stream"


class NoEventStream(Exception):
    """The app answered with something else; `response` is what."""

    def __init__(self, response: Response) -> None:
        self.response = response
        kind = response.headers.get("content-type", "nothing")
        super().__init__(f"the app answered {response.status_code} with {kind}: {response.text[:200]}")

    @property
    def status_code(self) -> int:
        """The status of the response."""
        return self.response.status_code


class EventTimeout(TimeoutError):
    """No event came in time; the text says what the source does instead."""


class EventStream:
    """The client's end of one event stream: iterate it, or take `next`. It leaves with its block.

    The iteration ends with the response. What the app raised and did not handle is raised in the test.
    `timeout` is in seconds, for each event; None waits as long as it takes.
    """

    __test__ = False

    def __init__(
        self,
        send: Callable[[list[Exchange]], Coroutine[Any, Any, Response]],
        streams: Callable[[], list[LiveStream]],
        *,
        portal: Portal | None,
        timeout: float | None,
    ) -> None:
        self._send = send
        self._streams = streams
        self._portal = portal
        self._timeout = timeout
        self._exchanges: list[Exchange] = []
        self._response: Response | None = None
        self._chunks: AsyncIterator[bytes] | None = None
        self._reading: asyncio.Future[bytes | None] | None = None
        self._events: deque[ReceivedEvent] = deque()
        self._reader = EventReader()

    @property
    def response(self) -> Response:
        """The response, for its status and headers; its body is what is iterated."""
        if self._response is None:
            raise RuntimeError("enter the stream first: async with client.stream_events('GET', path) as events: ...")
        return self._response

    @property
    def last_event_id(self) -> str:
        """The id that a client sends as Last-Event-ID when it comes back."""
        return self._reader.last_event_id

    @property
    def retry(self) -> int | None:
        """Milliseconds after which the app wants it back."""
        return self._reader.retry

    @property
    def comments(self) -> list[str]:
        """The comments so far, empty ones too: signs of life."""
        return self._reader.comments

    def next(self, timeout: float | None = None) -> Coroutine[Any, Any, ReceivedEvent]:
        """Return the next event.

        Raises:
            EventTimeout: None came; the text says where the source stands.
            EOFError: The stream has ended.
            Exception: What the app raised and did not handle.
        """
        return self._call(self._next(timeout))

    def next_comment(self, timeout: float | None = None) -> Coroutine[Any, Any, str]:
        """Wait for one more comment, such as a sign of life, and return it. Events that come before it are kept."""
        return self._call(self._next_comment(timeout))

    async def _next(self, timeout: float | None) -> ReceivedEvent:
        while not self._events:
            if not await self._more("sent no event", timeout):
                raise EOFError("the event stream has ended")
        return self._events.popleft()

    async def _next_comment(self, timeout: float | None) -> str:
        seen = len(self.comments)
        while len(self.comments) == seen:
            if not await self._more("sent no comment", timeout):
                raise EOFError("the event stream has ended")
        return self.comments[seen]

    async def _more(self, what: str, timeout: float | None) -> bool:
        """Read one chunk more; False at the end."""
        if self._chunks is None:
            self._chunks = self.response.aiter_raw()
        if self._reading is None:
            self._reading = asyncio.ensure_future(anext(self._chunks, None))
        chunk = await self._patiently(self._reading, what, timeout)
        self._reading = None
        if chunk is None:
            return False
        self._events.extend(self._reader.feed(chunk))
        return True

    async def _patiently(self, step: "asyncio.Future[_T]", what: str, timeout: float | None) -> _T:
        seconds = self._timeout if timeout is None else timeout
        await asyncio.wait((step,), timeout=seconds)
        if not step.done():
            raise EventTimeout(f"the app {what} for {seconds:g} s: {self._standing()}")
        return step.result()

    def _standing(self) -> str:
        """Where the source stands, or the handler while there is no source yet."""
        if not self._exchanges:
            return "the request has not reached it"
        task = self._exchanges[-1].task
        streams = self._streams()
        own = [stream for stream in streams if stream.owner is task] or streams
        if self._response is not None and len(own) == 1 and own[0].pump is not None:
            return waiting_for(own[0].pump, "the source of the events")
        return waiting_for(task, "its handler")

    async def _open(self) -> None:
        sending = asyncio.ensure_future(self._send(self._exchanges))
        try:
            self._response = await self._patiently(sending, "did not answer", None)
        except BaseException:
            sending.cancel()
            await asyncio.wait((sending,))
            raise
        if self.response.headers.get("content-type", "").partition(";")[0] != _MEDIA_TYPE:
            await self.response.aread()
            raise NoEventStream(self.response)

    async def _leave(self) -> None:
        reading, self._reading = self._reading, None
        if reading is not None:
            reading.cancel()
            await asyncio.wait((reading,))
        await self.response.aclose()

    def _call(self, coroutine: Coroutine[Any, Any, _T]) -> Coroutine[Any, Any, _T]:
        """Give the awaitable to a test that awaits, and the result to one that does not."""
        if self._portal is None:
            return coroutine
        return cast("Coroutine[Any, Any, _T]", self._portal.run(coroutine))

    async def __aenter__(self) -> Self:
        """Send the request. Raises `NoEventStream`, `EventTimeout`, or what the app raised."""
        await self._open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Leave: the app sees a client that has gone, unless the stream has ended."""
        await self._leave()

    def __enter__(self) -> "SyncEventStream":
        """Send the request from a synchronous test."""
        if self._portal is None:
            raise RuntimeError("enter the client first: with TestClient(app) as client: ...")
        self._portal.run(self._open())
        return cast("SyncEventStream", self)

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Leave, as at the end of an `async with`."""
        if self._portal is not None:
            self._portal.run(self._leave())

    async def __aiter__(self) -> AsyncIterator[ReceivedEvent]:
        """Yield each event until the stream ends."""
        while (event := await _unless_over(self._next(None))) is not None:
            yield event

    def __iter__(self) -> Iterator[ReceivedEvent]:
        """Yield each event until the stream ends, in a synchronous test."""
        if self._portal is None:
            raise TypeError("iterate with async for, or enter the client with: with TestClient(app) as client: ...")
        while (event := self._portal.run(_unless_over(self._next(None)))) is not None:
            yield event


async def _unless_over(step: Awaitable[_T]) -> _T | None:
    try:
        return await step
    except EOFError:
        return None


class SyncEventStream(Protocol):
    """What `with client.stream_events(method, path) as events:` gives in a synchronous test."""

    @property
    def response(self) -> Response:
        """The response, for its status and headers."""

    @property
    def last_event_id(self) -> str:
        """The id that a client sends as Last-Event-ID when it comes back."""

    @property
    def retry(self) -> int | None:
        """Milliseconds after which the app wants it back."""

    @property
    def comments(self) -> list[str]:
        """The comments so far."""

    def next(self, timeout: float | None = None) -> ReceivedEvent:
        """Return the next event."""

    def next_comment(self, timeout: float | None = None) -> str:
        """Wait for one more comment, and return it."""

    def __iter__(self) -> Iterator[ReceivedEvent]:
        """Yield each event until the stream ends."""
