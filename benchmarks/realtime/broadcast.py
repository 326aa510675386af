"""What does one message to a thousand members cost in process, next to a loop by hand?

Both encode once and await a `send` that does nothing, for each member: by hand that is all. A channel also keeps
the message, numbers it, and could bear members that stand still. Slices of both take turns in one process.

`python -m benchmarks.realtime.broadcast clients MEMBERS SLICES` prints one line of JSON.
"""

import asyncio
import gc
import importlib
import sys
import time
from collections.abc import Awaitable, Callable
from statistics import median
from typing import Any, Final

import msgspec

from benchmarks.asgi import Message, Scope, Send
from benchmarks.processes import WorkerProcess
from benchmarks.realtime.apps.nexios_app import build
from benchmarks.realtime.figures import Broadcast

__all__ = ["main", "measure"]

_MESSAGES: Final = 3
"""In each slice."""
_MESSAGE: Final = {"kind": "said", "from": "ada", "text": "hello, all of you", "number": 12}
_SCOPE: Final[Scope] = {
    "type": "websocket",
    "asgi": {"version": "3.0", "spec_version": "2.4"},
    "scheme": "ws",
    "path": "/ws",
    "raw_path": b"/ws",
    "query_string": b"",
    "root_path": "",
    "headers": [(b"host", b"127.0.0.1")],
    "client": ("127.0.0.1", 50000),
    "server": ("127.0.0.1", 8000),
    "subprotocols": [],
    "extensions": {},
}


def measure(core: int | None, *, members: int = 1000, slices: int = 300) -> Broadcast:
    """Measure in a process of its own. Raises `WorkerFailed`."""
    arguments = (str(members), str(slices))
    with WorkerProcess("broadcast", core=core, module="benchmarks.realtime.broadcast", arguments=arguments) as worker:
        return msgspec.convert(worker.ask("measure"), Broadcast)


async def _measure(members: int, slices: int) -> Broadcast:
    app: Any = build()
    sends: list[Send] = []
    clients = [asyncio.ensure_future(_member(app, sends)) for _ in range(members)]
    channel = app.channel("room:1")
    while len(channel.members()) < members:  # noqa: ASYNC110  they tell nothing
        await asyncio.sleep(0)
    encode = msgspec.json.Encoder().encode

    async def by_hand() -> None:
        event = {"type": "websocket.send", "text": encode(_MESSAGE).decode()}
        for send in sends:
            await send(event)

    async def by_channel() -> None:
        await channel.broadcast(_MESSAGE)

    await _seconds(by_hand), await _seconds(by_channel)
    gc.collect()
    pairs = [(await _seconds(by_hand), await _seconds(by_channel)) for _ in range(slices)]
    counted = app.hub.counters
    if counted.delivered != members * _MESSAGES * (slices + 1):
        raise RuntimeError(f"not every member got every message: {counted}")
    for client in clients:
        client.cancel()
    await asyncio.wait(clients)
    return Broadcast(
        members=members,
        slices=slices,
        by_hand_us=min(hand for hand, _ in pairs) / _MESSAGES * 1e6,
        channel_us=min(ours for _, ours in pairs) / _MESSAGES * 1e6,
        ratio=median(ours / hand for hand, ours in pairs),
    )


async def _seconds(broadcast: Callable[[], Awaitable[None]]) -> float:
    began = time.perf_counter()
    for _ in range(_MESSAGES):
        await broadcast()
    return time.perf_counter() - began


async def _member(app: Any, sends: list[Send]) -> None:
    """One member, whose client says nothing and takes everything."""
    coming: list[Message] = [{"type": "websocket.connect"}]

    async def receive() -> Message:
        return coming.pop() if coming else await asyncio.get_running_loop().create_future()

    async def send(message: Message) -> None:
        pass

    sends.append(send)
    await app({**_SCOPE}, receive, send)


def main(members: int, slices: int) -> None:
    """Measure once for each line that is read."""
    try:
        factory = importlib.import_module("uvloop").new_event_loop
    except ImportError:
        factory = None
    for _ in sys.stdin:
        with asyncio.Runner(loop_factory=factory) as runner:
            found = runner.run(_measure(members, slices))
        print(msgspec.json.encode(found).decode(), flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[2:4]))
