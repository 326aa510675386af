"""Is an exchange freed when it is over, not when garbage is collected? Granian waits with a connection for it."""

import asyncio
import gc
import platform
import weakref
from typing import Any

import pytest

from nexios import NexiosApp, Request, Response
from nexios.settings import Limits

pytestmark = pytest.mark.skipif(platform.python_implementation() != "CPython", reason="others do not count references")


class Server:
    """One exchange of which the client sends half the body, and no more."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self._asked = 0

    async def receive(self) -> dict[str, Any]:
        self._asked += 1
        if self._asked > 1:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": b"half", "more_body": True}

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.statuses.append(message["status"])


async def test_r10_an_exchange_with_a_body_that_stops_coming_is_freed_at_once() -> None:
    app = NexiosApp(openapi=None, limits=Limits(body_read_timeout=0.01))

    @app.post("/")
    async def read(request: Request, response: Response) -> int:
        return len(await request.body())

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/",
        "raw_path": b"/",
        "query_string": b"",
        "root_path": "",
        "headers": [(b"content-length", b"9")],
    }
    server = Server()
    freed = weakref.ref(server)
    statuses = server.statuses

    gc.disable()
    try:
        await app(scope, server.receive, server.send)
        del server
        await asyncio.sleep(0)  # the event loop forgets its timers

        assert (statuses, freed()) == ([408], None)
    finally:
        gc.enable()
