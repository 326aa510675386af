"""A way to a server that a test can cut, close and open again, in a thread: nothing of it is in the test's loop."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

from tests.contract.channels.engines import PATIENCE

T = TypeVar("T")


class BreakableProxy:
    """Passes on what comes to 127.0.0.1 and `port`, which stays the same when it is opened again."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._serving: set[asyncio.Task[None]] = set()
        self._cuts = 0
        self.port = 0

    async def open(self) -> None:
        """Begin to take connections."""
        await self._in_thread(self._open())

    async def close(self) -> None:
        """Take none any more, and cut those that there are."""
        await self._in_thread(self._close())

    async def cut(self) -> None:
        """Break all connections."""
        await self._in_thread(self._cut())

    async def stop(self) -> None:
        """End it for good."""
        await self.close()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        self._loop.close()

    async def _in_thread(self, call: Coroutine[Any, Any, T]) -> T:
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(call, self._loop))

    async def _open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
        await self._cut()

    async def _cut(self) -> None:
        """Those too that are only being made: a client may come back while others are still cut off."""
        self._cuts += 1
        for writer in tuple(self._writers):
            writer.transport.abort()
        if self._serving:
            await asyncio.wait(self._serving)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        cuts = self._cuts
        try:
            there, to_server = await asyncio.open_connection(self._host, self._port)
        except OSError:
            writer.transport.abort()
        else:
            if cuts != self._cuts:
                writer.transport.abort()
                to_server.transport.abort()
            await asyncio.gather(self._copy(reader, to_server), self._copy(there, writer))
        self._serving.discard(task)

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        self._writers.discard(writer)
        writer.transport.abort()
