"""The application that every server serves in the contract tests.

A test gives its requests a key of its own, leaves `note`s under it, and lets the server wait
for signals: so nothing here depends on time or on the order of the tests.
"""

import asyncio
import hashlib
import os
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from nexios import NexiosApp
from nexios.messages.request import Request
from nexios.messages.response import Response
from nexios.routing.router import Router
from nexios.settings import Limits

__all__ = ["app", "make_app"]

CHUNK = b"x" * 65536
HASTY = Limits(body_read_timeout=0.2, send_timeout=0.2)

inherited: ContextVar[str] = ContextVar("inherited", default="nothing")


class Backstage:
    """What tests and handlers tell each other, by key."""

    def __init__(self) -> None:
        self._notes: dict[str, list[str]] = defaultdict(list)
        self._signals: dict[str, asyncio.Event] = defaultdict(asyncio.Event)

    def note(self, key: str, text: str) -> None:
        """Leave a note; from any thread."""
        self._notes[key].append(text)

    async def signal(self, key: str) -> None:
        """Wait until the test gives the signal."""
        await self._signals[key].wait()

    def routes(self) -> Router:
        """What the test uses."""
        router = Router("/backstage")

        @router.get("/notes/{key}")
        async def notes(request: Request, response: Response, key: str) -> Any:
            return self._notes[key]

        @router.post("/signal/{key}")
        async def signal(request: Request, response: Response, key: str) -> None:
            self._signals[key].set()

        return router


def make_app(files: Path) -> NexiosApp:
    """Return the application, serving the files of a directory."""
    app = NexiosApp()
    backstage = Backstage()
    app.include_router(backstage.routes())
    app.include_router(_plain(files))
    app.include_router(_bodies(backstage))
    app.include_router(_streams(backstage))
    app.include_router(_lives(backstage))
    app.include_router(_context())
    app.mount("/mounted", _mounted())
    return app


def _about(request: Request) -> dict[str, Any]:
    return {
        "method": request.method,
        "path": request.path,
        "root_path": request.root_path,
        "query_string": request.query_string,
        "query": dict(request.query_params.items()),
        "url": str(request.url),
        "scheme": request.scheme,
        "http_version": request.http_version,
        "client": None if request.client is None else [request.client.host, request.client.port],
        "headers": [list(pair) for pair in request.headers.pairs],
    }


def _plain(files: Path) -> Router:
    router = Router()

    @router.get("/text")
    async def text(request: Request, response: Response) -> Response:
        return response.text("Hello, wörld!")

    @router.get("/json")
    async def json(request: Request, response: Response) -> Any:
        return {"message": "Hello, wörld!"}

    @router.get("/long")
    async def long(request: Request, response: Response) -> Response:
        return response.binary(b"x" * 1_000_000)

    @router.get("/empty")
    async def empty(request: Request, response: Response) -> None:
        return None

    @router.get("/nothing")
    async def nothing(request: Request, response: Response) -> Response:
        return response.text("")

    @router.get("/status/{code:int}")
    async def status(request: Request, response: Response, code: int) -> Response:
        return response.text("content", code)

    @router.get("/boom")
    async def boom(request: Request, response: Response) -> None:
        raise ValueError("a secret")

    @router.get("/redirect")
    async def redirect(request: Request, response: Response) -> Response:
        return response.redirect("/text?from=ü")

    @router.get("/headers")
    async def headers(request: Request, response: Response) -> Response:
        response.set_cookie("a", "1").set_cookie("b", "2").set_header("X-Mixed-Case", "Kept As It Is")
        return response.text("")

    @router.get("/headers/latin-1")
    async def latin_1(request: Request, response: Response) -> Response:
        return response.set_header("x-name", "café").text("")

    @router.route("/about/{rest:path}", ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "PURGE"])
    async def about(request: Request, response: Response, rest: str) -> Any:
        return {**_about(request), "rest": rest}

    @router.get("/items/{name}")
    async def item(request: Request, response: Response, name: str) -> Any:
        return {"path": request.path, "name": name}

    @router.get("/files/{name}")
    async def file(request: Request, response: Response, name: str) -> Response:
        return response.file(files / name)

    @router.get("/download")
    async def download(request: Request, response: Response) -> Response:
        return response.file(files / "digits.txt", filename="zahl €.txt")

    return router


def _bodies(backstage: Backstage) -> Router:
    router = Router("/body")

    async def summary(request: Request) -> dict[str, Any]:
        body = await request.body()
        return {"size": len(body), "sha256": hashlib.sha256(body).hexdigest()}

    @router.post("/whole")
    async def whole(request: Request, response: Response) -> Any:
        return await summary(request)

    @router.post("/small", max_body_size=1000)
    async def small(request: Request, response: Response) -> Any:
        return await summary(request)

    @router.post("/hasty", limits=HASTY)
    async def hasty(request: Request, response: Response) -> Any:
        return await summary(request)

    @router.post("/unread")
    async def unread(request: Request, response: Response) -> Any:
        return "not read"

    @router.post("/steps/{key}")
    async def steps(request: Request, response: Response, key: str) -> Any:
        try:
            async for chunk in request.stream():
                backstage.note(key, chunk.decode())
        except Exception as exc:
            backstage.note(key, type(exc).__name__)
            raise
        return "whole"

    @router.post("/asking/{key}")
    async def asking(request: Request, response: Response, key: str) -> Any:
        """Look for a disconnect before each chunk: that must not take any of the body away."""
        body = b""
        gone = await request.is_disconnected()
        async for chunk in request.stream():
            body += chunk
            gone = gone or await request.is_disconnected()
            backstage.note(key, str(len(body)))
        return {"body": body.decode(), "gone": gone}

    @router.post("/cancellable", on_disconnect="cancel")
    async def cancellable(request: Request, response: Response) -> Any:
        return await summary(request)

    @router.post("/echo")
    async def echo(request: Request, response: Response) -> Response:
        return response.stream(request.stream())

    @router.post("/streamed-answer/{key}")
    async def streamed_answer(request: Request, response: Response, key: str) -> Response:
        """Never reads the body."""

        async def chunks() -> AsyncIterator[str]:
            try:
                yield "first"
                await backstage.signal(key)
                yield "second"
            finally:
                backstage.note(key, "closed")

        return response.stream(chunks())

    return router


def _streams(backstage: Backstage) -> Router:
    router = Router("/stream")

    @router.get("/steps/{key}")
    async def steps(request: Request, response: Response, key: str) -> Response:
        async def chunks() -> AsyncIterator[str]:
            yield "first"
            await backstage.signal(key)
            yield "second"

        return response.stream(chunks(), "text/plain")

    @router.get("/waiting/{key}")
    async def waiting(request: Request, response: Response, key: str) -> Response:
        """One chunk, and then never another one."""

        async def chunks() -> AsyncIterator[str]:
            try:
                yield "first"
                await asyncio.Event().wait()
            finally:
                backstage.note(key, "closed")

        return response.stream(chunks())

    async def endless(key: str) -> AsyncIterator[bytes]:
        made = 0
        try:
            while made < 4096:
                made += 1
                yield CHUNK
        finally:
            backstage.note(key, "ran to its end" if made == 4096 else "closed")

    @router.get("/endless/{key}")
    async def endless_async(request: Request, response: Response, key: str) -> Response:
        return response.stream(endless(key))

    @router.get("/hasty/{key}", limits=HASTY)
    async def endless_hasty(request: Request, response: Response, key: str) -> Response:
        return response.stream(endless(key))

    @router.get("/long/{key}", limits=HASTY)
    async def long(request: Request, response: Response, key: str) -> Response:
        return response.binary(CHUNK * 1024).add_background(backstage.note, key, "over")

    @router.get("/threaded/{key}")
    async def threaded(request: Request, response: Response, key: str) -> Response:
        def chunks() -> Iterator[bytes]:
            made = 0
            try:
                while made < 4096:
                    made += 1
                    yield CHUNK
            finally:
                backstage.note(key, "ran to its end" if made == 4096 else "closed")

        return response.stream(chunks())

    @router.get("/broken/{key}")
    async def broken(request: Request, response: Response, key: str) -> Response:
        async def chunks() -> AsyncIterator[str]:
            yield "first"
            await backstage.signal(key)
            raise ValueError("a secret")

        return response.stream(chunks())

    return router


def _lives(backstage: Backstage) -> Router:
    router = Router("/life")

    async def until_signal(key: str) -> str:
        backstage.note(key, "begun")
        try:
            await backstage.signal(key)
        except asyncio.CancelledError:
            backstage.note(key, "cancelled")
            raise
        backstage.note(key, "finished")
        return "done"

    @router.get("/finish/{key}")
    async def finish(request: Request, response: Response, key: str) -> Any:
        return await until_signal(key)

    @router.get("/cancel/{key}", on_disconnect="cancel")
    async def cancel(request: Request, response: Response, key: str) -> Any:
        return await until_signal(key)

    @router.get("/watch/{key}")
    async def watch(request: Request, response: Response, key: str) -> Any:
        backstage.note(key, f"disconnected: {await request.is_disconnected()}")
        while not await request.is_disconnected():  # noqa: ASYNC110 - looking again is what is tried here
            await asyncio.sleep(0.005)
        backstage.note(key, "disconnected: True")
        return "done"

    @router.get("/background/{key}")
    async def background(request: Request, response: Response, key: str) -> Response:
        response.add_background(until_signal, key)
        response.add_background(lambda: backstage.note(key, "thread" if _in_thread() else "loop"))
        return response.text("sent")

    return router


def _in_thread() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return True
    return False


def _context() -> Router:
    router = Router("/context")

    async def setting(request: Request, response: Response, call_next: Any) -> Response:
        before = inherited.get()
        inherited.set("middleware")
        answer: Response = await call_next()
        return answer.set_header("x-before", before).set_header("x-after", inherited.get())

    @router.get("/async", middleware=[setting])
    async def asynchronous(request: Request, response: Response) -> Any:
        seen = inherited.get()
        inherited.set("handler")
        return {"seen": seen, "thread": _in_thread()}

    @router.get("/sync", middleware=[setting])
    def synchronous(request: Request, response: Response) -> Any:
        seen = inherited.get()
        inherited.set("handler")
        return {"seen": seen, "thread": _in_thread()}

    return router


def _mounted() -> NexiosApp:
    app = NexiosApp()

    @app.get("/about/{rest:path}")
    async def about(request: Request, response: Response, rest: str) -> Any:
        return {**_about(request), "rest": rest}

    return app


app = make_app(Path(os.environ.get("NEXIOS_CONTRACT_FILES", ".")))
