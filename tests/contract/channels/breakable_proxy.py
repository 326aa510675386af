"""A way to a server that a test can cut, close and open again, in a thread: nothing of it is in the test's loop.

The sockets are our own. A server of asyncio takes connections in a task of its own, and one that has come just when it
is closed is left open and complained of.
"""

import asyncio
import socket
import threading
from collections.abc import Coroutine
from functools import partial
from typing import Any, TypeVar

from tests.contract.channels.engines import PATIENCE

T = TypeVar("T")


class BreakableProxy:
    """Passes on what comes to 127.0.0.1 and `port`, which stays the same when it is opened again."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        self._listener: socket.socket | None = None
        self._serving: set[asyncio.Task[None]] = set()
        self.port = 0

    async def open(self) -> None:
        """Begin to take connections."""
        await self._in_thread(self._open())

    async def close(self) -> None:
        """Take none any more, and cut those that there are."""
        await self._in_thread(self._close())

    async def cut(self) -> None:
        """Break all connections, those too that are only being made."""
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
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self._listener.setblocking(False)
        self.port = self._listener.getsockname()[1]
        self._loop.add_reader(self._listener, self._accept, self._listener)

    async def _close(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            self._loop.remove_reader(listener)
            listener.close()
        await self._cut()

    async def _cut(self) -> None:
        for task in self._serving:
            task.cancel()
        if self._serving:
            await asyncio.wait(self._serving)

    def _accept(self, listener: socket.socket) -> None:
        try:
            client, _ = listener.accept()
        except OSError:  # the client has gone already
            return
        client.setblocking(False)
        task = self._loop.create_task(self._serve(client))
        self._serving.add(task)
        task.add_done_callback(partial(self._served, client))

    def _served(self, client: socket.socket, task: asyncio.Task[None]) -> None:
        """Also of what was cut before it had begun."""
        self._serving.discard(task)
        client.close()

    async def _serve(self, client: socket.socket) -> None:
        with socket.socket() as server:
            server.setblocking(False)
            try:
                await self._loop.sock_connect(server, self._target)
                async with asyncio.TaskGroup() as both:
                    both.create_task(self._copy(client, server))
                    both.create_task(self._copy(server, client))
            except* OSError:
                pass

    async def _copy(self, there: socket.socket, here: socket.socket) -> None:
        """Until one of the two is closed, which ends the other."""
        while data := await self._loop.sock_recv(there, 65536):
            await self._loop.sock_sendall(here, data)
        raise ConnectionResetError
