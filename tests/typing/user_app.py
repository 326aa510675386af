"""An application as a user of nexios writes it, with annotations throughout.

`test_user_code.py` runs it, and `test_type_checkers.py` has the checkers look at it in their strict modes.
"""

import datetime
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from nexios import (
    FormData,
    HTTPException,
    Limits,
    NexiosApp,
    Request,
    Response,
    Router,
    Settings,
    register_path_converter,
)
from nexios.errors import NotFound
from nexios.middleware import BaseMiddleware, CallNext
from nexios.routing import Converter
from nexios.testing import TestClient
from nexios.websockets import WebSocket, WebSocketDisconnect


@dataclass
class Note:
    """What the application keeps."""

    text: str
    written: datetime.date


class Empty(ValueError):
    """A note without text."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


class Level(Converter[int]):
    """`level-3` is 3."""

    max_length = 10

    def convert(self, text: str) -> int:
        return int(text.removeprefix("level-"))

    def format(self, value: int) -> str:
        return f"level-{value}"


def to_year(text: str) -> int:
    return int(text)


# middleware, as a function and as a class


async def no_store(request: Request, response: Response, call_next: CallNext) -> Response:
    answer = await call_next()
    answer.headers.setdefault("cache-control", "no-store")
    return answer


class Stamp(BaseMiddleware):
    def __init__(self, text: str = "nexios") -> None:
        self.text = text

    async def __call__(self, request: Request, response: Response, call_next: CallNext) -> Response:
        request.state.stamped = True
        answer = await call_next()
        return answer.set_header("x-stamp", self.text)


class Signed(BaseMiddleware):
    requires = (Stamp,)

    async def __call__(self, request: Request, response: Response, call_next: CallNext) -> object:
        return await call_next() if request.headers.get("x-name") else (response.text("who are you?"), 401)


# exception handlers, for classes and statuses


async def empty(request: Request, response: Response, exc: Empty) -> Response:
    return response.json({"empty": exc.field}, 422)


def wrong(request: Request, exc: ValueError) -> tuple[dict[str, str], int]:
    return {"wrong": str(exc)}, 400


async def nowhere(request: Request, response: Response, exc: HTTPException) -> Response:
    return response.text(exc.detail or "nothing")


by_class = {Empty: empty}
by_status = {404: nowhere}
tight = Router(prefix="/tight", exception_handlers=by_status, limits=Limits(max_form_fields=1), max_body_size=16)
notes = Router(prefix="/notes", name="notes", exception_handlers=by_class, middleware=[no_store], tags=["notes"])


@notes.get("/{written:date}")
async def show(request: Request, response: Response, written: datetime.date) -> Note:
    return Note("hello", written)


@notes.post("", max_body_size=1024, exception_handlers={KeyError: wrong, 413: nowhere})
async def write(request: Request, response: Response) -> Response:
    form: FormData = await request.form()
    text = form.fields.get("text", "")
    if (upload := form.files.get("file")) is not None:
        text += (await upload.read()).decode()
    if not text:
        raise Empty("text")
    response.add_background(print, "written", sep="")
    return response.status(201).json({"text": text}).set_cookie("last", text)


@notes.get("/by-id/{note_id:uuid}", metadata={"staff": True})
def by_id(request: Request, response: Response, note_id: UUID) -> dict[str, object]:
    route = request.route
    return {"id": note_id, "staff": route is not None and route.metadata.get("staff")}


@tight.post("/")
async def small(request: Request, response: Response) -> dict[str, int]:
    return {"size": len(await request.body())}


@tight.get("/lines")
def lines(request: Request, response: Response) -> Response:
    def each() -> Iterator[str]:
        yield "one"
        yield "two"

    return response.stream(each(), "text/plain")


class Shelf:
    """A class for a path: one method for each verb."""

    async def get(self, request: Request, response: Response, level: int) -> dict[str, int]:
        return {"level": level}

    async def delete(self, request: Request, response: Response, level: int) -> Response:
        return response.empty()


@asynccontextmanager
async def open_book(app: NexiosApp) -> AsyncGenerator[None, None]:
    app.state.book = list[str]()
    yield


def create_app() -> NexiosApp:
    """Put everything together."""
    handlers = {ValueError: wrong}
    app = NexiosApp(
        settings=Settings(title="Notes", limits=Limits(max_json_depth=10)),
        lifespan=open_book,
        middleware=[no_store],
        exception_handlers=handlers,
    )
    app.add_middleware(Stamp, text="notes")
    app.register_path_converter("level", Level)
    app.register_path_converter("year", regex="[0-9]{4}", convert=to_year, to_string=str)
    app.include_router(notes)
    app.mount_router(tight)
    app.add_route("/shelf/{level:level}", Shelf)
    app.add_exception_handler(404, nowhere)

    with app.group("/group", exception_handlers={404: nowhere, LookupError: wrong}, middleware=[Signed()]) as group:

        @group.get("/{year:year}", name="year")
        async def in_year(request: Request, response: Response, year: int) -> str:
            return request.url_for("notes:show", written=datetime.date(year, 1, 31))

    @app.websocket("/echo/{name}")
    async def echo(websocket: WebSocket, name: str) -> None:
        await websocket.accept()
        try:
            async for message in websocket:
                await websocket.send_text(f"{name}: {message!r}")
        except WebSocketDisconnect as gone:
            app.logger.info("gone with %d", gone.code)

    @app.exception_handler(NotFound)
    async def missing(request: Request, response: Response, exc: NotFound) -> Response:
        return response.text("missing")

    @app.on_startup
    async def prepare() -> None:
        app.state.book.append("first")

    @app.on_shutdown()
    def forget() -> None:
        app.state.book.clear()

    @app.events.on("request_finished")
    async def count(request: Request, response: Response) -> None:
        app.state.book.append(f"{request.method} {response.status_code}")

    return app


def register_shared() -> None:
    """Register converters for every application of the process."""
    register_path_converter("shared_level", Level())
    register_path_converter("shared_year", regex="[0-9]{4}", convert=to_year)


def visit(app: NexiosApp) -> dict[str, object]:
    """Use the client as a plain test does."""
    with TestClient(app, headers={"x-name": "Ada"}) as client:
        written = client.post("/notes", data={"text": "hello"})
        cookie: str = client.cookies["last"]
        return {
            "written": (written.status_code, written.json(), cookie),
            "year": client.get("/group/2024").text,
            "path": client.url_for("notes:by_id", note_id=UUID(int=7)),
        }


async def visit_async(app: NexiosApp) -> dict[str, object]:
    """Use the client as an async test does, through the ASGI side of the application."""
    async with TestClient(app, interface="asgi", settings={"debug": True}) as client:
        answer = await client.get("/notes/2024-01-31", params={"full": "yes"})
        refused = await client.post("/notes", data={"text": ""})
        async with client.stream("GET", "/tight/lines") as stream:
            lines = [line async for line in stream.aiter_text()]
        return {
            "note": answer.json(),
            "stamp": answer.headers["x-stamp"],
            "refused": (refused.status_code, refused.json()),
            "lines": "".join(lines),
            "shelf": (await client.delete("/shelf/level-3")).status_code,
        }
