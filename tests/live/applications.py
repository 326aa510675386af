"""Applications that believe different proxies, in one process: a request names the one that it is for in X-App.

A test gives its requests a key of its own; every application notes, under it, what it was asked for.
"""

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Any, Literal

from nexios import NexiosApp, Request, Response, Router, Settings
from nexios.middleware import CallNext, HTTPSRedirect, ProxyHeaders
from nexios.session import SessionMiddleware
from nexios.settings import Limits
from nexios.websockets import WebSocket

__all__ = ["app"]

Believed = Literal["for", "proto", "host", "prefix"]
OF_FORWARDED: tuple[Believed, ...] = ("for", "proto", "host")
EVERYTHING: tuple[Believed, ...] = (*OF_FORWARDED, "prefix")
NGINX, OUTER_NGINX = "127.0.0.1", "127.0.0.5"
HASTY = Limits(body_read_timeout=0.2, send_timeout=0.2)
PIECE = b"x" * 65536

notes: defaultdict[str, list[str]] = defaultdict(list)
signals: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)


async def note_all(request: Request, response: Response, call_next: CallNext) -> Response:
    if key := request.headers.get("x-key"):
        notes[key].append(f"{request.method} {request.path}")
    return await call_next()


def new_app(*middleware: object) -> NexiosApp:
    app = NexiosApp(settings=Settings(secret_key="tU9mYcXfR3kqWbN5zS8hLpV2dGjA7eQo"), openapi=None)
    app.add_middleware(note_all)
    for one in middleware:
        app.add_middleware(one)
    return app


# --- what a request looks like from outside


async def tell(request: Request, response: Response) -> dict[str, object]:
    return {
        "client": request.client and request.client.host,
        "url": str(request.url),
        "link": request.url_for("item", number=7),
        "host": request.headers.get("host"),
    }


async def item(request: Request, response: Response, number: int) -> int:
    return number


async def login(request: Request, response: Response) -> str:
    request.session["user"] = "ada"
    return "welcome"


async def hear(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_json([str(websocket.url), websocket.client and websocket.client.host])
    async for message in websocket:
        await websocket.send_text(str(message))


def telling(*middleware: object) -> NexiosApp:
    app = new_app(*middleware)
    app.get("/tell")(tell)
    app.get("/items/{number:int}", name="item")(item)
    app.get("/folder/")(item_list)
    app.websocket("/hear")(hear)
    return app


async def item_list(request: Request, response: Response) -> str:
    return "items"


def with_sessions() -> NexiosApp:
    app = telling(ProxyHeaders(trusted=[NGINX]), HTTPSRedirect(), SessionMiddleware())
    app.get("/login")(login)
    return app


# --- paths that a proxy guards


def guarded() -> NexiosApp:
    """All below /admin says so; the rest is for everybody."""

    async def secret(request: Request, response: Response) -> str:
        return f"secret {request.path}"

    async def public(request: Request, response: Response) -> str:
        return f"public {request.path}"

    inner = NexiosApp(openapi=None)
    inner.get("/")(secret)
    inner.get("/{rest:path}")(secret)
    app = new_app()
    for path in ("/admin", "/admin/users/{name}", "/admin/{page}/edit", "/admin/files/{rest:path}"):
        app.get(path)(secret)
    app.mount("/admin/app", inner)
    for path in ("/", "/public", "/{name}", "/public/{rest:path}"):
        app.get(path)(public)
    return app


# --- bodies, streams and the control of the tests


async def read(request: Request, response: Response) -> dict[str, object]:
    body = await request.body()
    return {"size": len(body), "sha256": hashlib.sha256(body).hexdigest()}


async def ticks(request: Request, response: Response, key: str) -> Response:
    async def events() -> AsyncIterator[str]:
        for number in range(3):
            yield f"tick {number}"
            await signals[f"{key}-{number}"].wait()

    return response.sse(events())


async def endless(request: Request, response: Response, key: str) -> Response:
    async def pieces() -> AsyncIterator[bytes]:
        try:
            while True:
                yield PIECE
        finally:
            notes[key].append("given up")

    return response.stream(pieces())


async def notes_of(request: Request, response: Response, key: str) -> Any:
    return notes[key]


async def signal(request: Request, response: Response, key: str) -> None:
    signals[key].set()


def home() -> NexiosApp:
    app = telling()
    app.post("/read")(read)
    app.post("/read/little", limits=Limits(max_body_size=1000))(read)
    app.get("/ticks/{key}")(ticks)
    app.include_router(hasty())
    app.get("/backstage/notes/{key}")(notes_of)
    app.post("/backstage/signals/{key}")(signal)
    return app


def hasty() -> Router:
    router = Router("/hasty", limits=HASTY)
    router.post("/read")(read)
    router.get("/endless/{key}")(endless)
    return router


class Chooser:
    """The application that a request names, over ASGI and RSGI. None of them needs a lifespan."""

    def __init__(self, home: NexiosApp, **named: NexiosApp) -> None:
        self._home = home
        self._named = {name.encode(): app for name, app in named.items()}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        names = [value for name, value in scope.get("headers", ()) if name == b"x-app"]
        await self._app(names[0] if names else b"")(scope, receive, send)

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        await self._app((scope.headers.get("x-app") or "").encode()).__rsgi__(scope, protocol)

    def _app(self, name: bytes) -> Any:
        return self._named[name] if name else self._home


app = Chooser(
    home(),
    guarded=guarded(),
    sessions=with_sessions(),
    one=telling(ProxyHeaders(trusted=[NGINX], believe=EVERYTHING)),
    network=telling(ProxyHeaders(trusted=["127.0.0.0/30"], believe=EVERYTHING)),
    others=telling(ProxyHeaders(trusted=["10.0.0.0/8"], believe=EVERYTHING)),
    two=telling(ProxyHeaders(trusted=[NGINX, OUTER_NGINX], hops=2)),
    rfc7239=telling(ProxyHeaders(trusted=[NGINX], header="forwarded", believe=OF_FORWARDED)),
    unix=telling(ProxyHeaders(trusted=["unix"], believe=EVERYTHING)),
)
