"""What the tests of channels share: an app with a hub, and sockets in memory whose clients may be slow or gone."""

import asyncio
import json
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar

from nexios.messages.websocket import WebSocket
from nexios.settings import Limits
from nexios.websockets.backends.memory import MemoryBackend, MemoryEngine
from nexios.websockets.channel import Channel
from nexios.websockets.clock import ManualClock
from nexios.websockets.hub import Hub
from nexios.websockets.member import Member
from tests.websockets.fake_transport import FakeTransport

__all__ = ["Client", "Context", "Site", "SlowBackend", "cancelled_at_each_point", "turns"]

T = TypeVar("T")


class Client(FakeTransport):
    """The other end of a WebSocket. While `is_stuck`, it takes nothing that it is sent."""

    def __init__(self, **options: Any) -> None:
        super().__init__("/ws", **options)
        self.gate = asyncio.Event()
        self.gate.set()
        self.stops_closing = False

    @property
    def is_stuck(self) -> bool:
        return not self.gate.is_set()

    @is_stuck.setter
    def is_stuck(self, stuck: bool) -> None:
        if stuck:
            self.gate.clear()
        else:
            self.gate.set()

    async def send_text(self, text: str) -> None:
        await self.gate.wait()
        await super().send_text(text)

    async def send_bytes(self, data: bytes) -> None:
        await self.gate.wait()
        await super().send_bytes(data)

    async def close(self, code: int, reason: str) -> None:
        if self.stops_closing:
            await self.gate.wait()
        await super().close(code, reason)

    @property
    def got(self) -> list[Any]:
        """The messages, texts and bytes."""
        return [verb[1] for verb in self.sent if verb[0] in ("text", "bytes")]

    @property
    def envelopes(self) -> list[Any]:
        """The messages, as JSON."""
        return [json.loads(text) for text in self.got]

    @property
    def data(self) -> list[Any]:
        """What was in the envelopes of messages."""
        return [envelope["data"] for envelope in self.envelopes if "sequence" in envelope]

    @property
    def sequences(self) -> list[int]:
        """The numbers of the messages."""
        return [envelope["sequence"] for envelope in self.envelopes if "sequence" in envelope]

    @property
    def closed_with(self) -> tuple[int, str] | None:
        """The close frame."""
        return next(((verb[1], verb[2]) for verb in self.sent if verb[0] == "close"), None)


class Context:
    def __init__(self, app: Any) -> None:
        self.app = app

    def url_path_for(self, name: str, params: Mapping[str, Any]) -> str:
        return "/"


Socket: Any = WebSocket
"""For tests that change it: a subclass may have anything in place of what is there."""


class _App:
    hub: Hub


class Site:
    """One process with an app that has a hub."""

    def __init__(self, engine: MemoryEngine | None = None, *, clock: ManualClock | None = None, **options: Any) -> None:
        self.clock = clock or ManualClock()
        engine = MemoryEngine(clock=self.clock) if engine is None else engine
        backend = options.pop("backend", None) or MemoryBackend(engine)
        self.hub = Hub(backend, clock=self.clock, **options)
        self.app = _App()
        self.app.hub = self.hub

    def channel(self, name: str = "room:1") -> Channel:
        """A channel of this app."""
        return Channel(name, self.hub)

    def socket(self, **options: Any) -> tuple[WebSocket, Client]:
        """A WebSocket that nobody accepted, and its client."""
        client = Client(**options)
        return Socket(client, Context(self.app), Limits()), client

    async def join(self, name: str = "room:1", **options: Any) -> tuple[WebSocket, Client, Member]:
        """A WebSocket that is a member of a channel."""
        websocket, client = self.socket()
        member = await self.channel(name).connect(websocket, **options)
        return websocket, client, member


class SlowBackend(MemoryBackend):
    """A backend that takes some turns of the event loop for everything, before and after it is done."""

    __slots__ = ("turns",)

    def __init__(self, engine: MemoryEngine, turns: Callable[[], int] = lambda: 2) -> None:
        super().__init__(engine)
        self.turns = turns

    async def subscribe(self, channel: str) -> int:
        return await self._slowly(super().subscribe(channel))

    async def unsubscribe(self, channel: str) -> None:
        await self._slowly(super().unsubscribe(channel))

    async def publish(self, channel: str, body: bytes, *, keep: Any) -> int:
        return await self._slowly(super().publish(channel, body, keep=keep))

    async def history(self, channel: str, *, after: int, keep: Any) -> Any:
        return await self._slowly(super().history(channel, after=after, keep=keep))

    async def renew(self, lease: float) -> bool:
        return await self._slowly(super().renew(lease))

    async def join(self, channel: str, member: str, body: bytes) -> None:
        await self._slowly(super().join(channel, member, body))

    async def leave(self, channel: str, member: str) -> None:
        await self._slowly(super().leave(channel, member))

    async def present(self, channel: str) -> Any:
        return await self._slowly(super().present(channel))

    async def _slowly(self, call: Coroutine[Any, Any, T]) -> T:
        try:
            await turns(self.turns())
        except BaseException:
            call.close()
            raise
        result = await call
        await turns(self.turns())
        return result


async def turns(number: int = 5) -> None:
    """Let other tasks run so often."""
    for _ in range(number):
        await asyncio.sleep(0)


async def cancelled_at_each_point(make: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """Run it again and again, cancelled one turn later each time; yield after each, until it ends by itself."""
    for number in range(200):
        task = asyncio.ensure_future(make())
        await turns(number)
        ended = task.done()
        task.cancel()
        await asyncio.wait((task,))
        yield
        if ended:
            task.result()
            return
    raise TimeoutError("it never ends")
