"""Dependencies as a user of nexios declares them, with annotations throughout.

`test_typed_user_code.py` runs it, and `test_type_checkers.py` has the checkers look at it in their strict modes.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Annotated

from nexios import Depend, Header, HTTPException, NexiosApp, Query, Request, Response, Router
from nexios.middleware import CallNext
from nexios.testing import TestClient
from nexios.websockets import WebSocket


@dataclass
class Database:
    """What most handlers need."""

    url: str
    rows: list[str] = field(default_factory=list[str])
    is_open: bool = True

    async def find(self, text: str) -> list[str]:
        return [row for row in self.rows if text in row]


@dataclass
class Clock:
    """Tells the time; provided by its type."""

    time: int = 1_700_000_000

    def now(self) -> int:
        return self.time


@dataclass
class Page:
    """Provided by a decorated function."""

    number: int


@dataclass
class User:
    """Who asks."""

    name: str
    is_admin: bool = False


class Paging:
    """A class is a provider too; what it is made from comes out of the query."""

    def __init__(self, page: int = 1, size: Annotated[int, Query(ge=1, le=100)] = 20) -> None:
        self.page = page
        self.size = size


closed: list[str] = []

# providers: functions, generators, context managers, a class, a callable object


def get_url() -> str:
    return "memory://"


async def get_database(url: Annotated[str, Depend(get_url, scope="app")]) -> AsyncIterator[Database]:
    database = Database(url, ["one", "two"])
    yield database
    database.is_open = False
    closed.append("database")


Rows = Annotated[Database, Depend(get_database)]


async def get_user(database: Rows, x_user: str | None = Header(None)) -> User:
    if x_user is None:
        raise HTTPException(401)
    return User(x_user, is_admin=x_user == database.url)


CurrentUser = Annotated[User, Depend(get_user)]


def get_lines() -> Iterator[list[str]]:
    yield ["a", "b"]
    closed.append("lines")


@asynccontextmanager
async def transaction(database: Rows) -> AsyncGenerator[list[str], None]:
    written: list[str] = []
    yield written
    database.rows.extend(written)


class Greeting:
    """An object with `__call__` is a provider with settings of its own."""

    def __init__(self, word: str) -> None:
        self.word = word

    async def __call__(self, user: CurrentUser) -> str:
        return f"{self.word}, {user.name}"


def get_clock() -> Clock:
    return Clock()


async def require_token(token: str = Query()) -> None:
    if token != "secret":
        raise HTTPException(403)


# handlers

rows = Router(prefix="/rows", dependencies=[Depend(require_token)])


@rows.get("")
async def list_rows(
    request: Request, response: Response, database: Rows, paging: Annotated[Paging, Depend()]
) -> Response:
    return response.json(database.rows[: paging.size])


@rows.post("", dependencies=[Depend(get_user)])
async def add_row(
    request: Request,
    response: Response,
    name: Annotated[str, Query(min_length=1)],
    written: Annotated[list[str], Depend(transaction, scope="handler")],
    user: User = Depend(get_user),
) -> tuple[dict[str, str], int]:
    written.append(name)
    return {"by": user.name}, 201


async def greet(
    word: str = Depend(Greeting("Hello")),
    again: str = Depend(Greeting("Hello"), cache=False),
    lines: list[str] = Depend(get_lines, thread=True, limit=2, wait=0.5),
) -> dict[str, str | int]:
    return {"word": word, "again": again, "lines": len(lines)}


async def now(clock: Clock) -> dict[str, int]:
    return {"now": clock.now()}


def blocking(clock: Clock, database: Database = Depend(get_database)) -> list[str]:
    return [*database.rows, str(clock.now())]


async def talk(websocket: WebSocket, user: CurrentUser) -> None:
    await websocket.accept()
    await websocket.send_text(user.name)


async def time_of(clock: Clock) -> int:
    return clock.now()


async def count(text: str, *, database: Rows, clock: Clock) -> int:
    """Called with `app.inject`, which fills what is not given."""
    return len(await database.find(text)) + clock.now()


async def stamp(request: Request, response: Response, call_next: CallNext, clock: Clock) -> Response:
    """Middleware asks for what it needs, as handlers do."""
    answer = await call_next()
    return answer.set_header("x-time", str(clock.now()))


async def spoken(language: str = Header("en", alias="accept-language")) -> None:
    if not language.startswith("en"):
        raise HTTPException(406)


def create_app() -> NexiosApp:
    """Put everything together."""
    app = NexiosApp(dependencies=[Depend(spoken)])
    app.provide(Clock, get_clock, scope="app")
    app.add_middleware(stamp)

    @app.provide(Page, cache=False)
    def first_page() -> Page:
        return Page(1)

    @app.on_startup
    async def prepare() -> None:
        app.state.started = await app.inject(time_of)

    @app.get("/page")
    async def page(page: Page) -> dict[str, object]:
        return {"page": page.number, "started": app.state.started}

    app.include_router(rows)
    app.add_route("/greet", greet)
    app.get("/now")(now)
    app.get("/blocking")(blocking)
    app.websocket("/talk")(talk)
    return app


# overrides: on the app, for a while, and for one client


def fixed_clock() -> Clock:
    return Clock(7)


async def anybody() -> User:
    return User("anybody")


def visit_with_overrides(app: NexiosApp) -> dict[str, object]:
    app.dependency_overrides[get_clock] = fixed_clock
    with TestClient(app) as client:
        fixed = client.get("/now").json()
    del app.dependency_overrides[get_clock]
    with app.override({get_clock: fixed_clock, get_user: anybody}):
        with TestClient(app) as client:
            overridden = client.get("/greet").json()
    with TestClient(app, overrides={get_user: anybody}) as client:
        one_client = client.get("/greet").json()
    return {"fixed": fixed, "overridden": overridden, "one client": one_client}


def visit(app: NexiosApp) -> dict[str, object]:
    with TestClient(app, headers={"x-user": "Ada"}) as client:
        return {
            "rows": client.get("/rows", params={"token": "secret", "size": 1}).json(),
            "refused": client.get("/rows").status_code,
            "added": client.post("/rows", params={"token": "secret", "name": "three"}).json(),
            "greet": client.get("/greet").json(),
            "blocking": client.get("/blocking").json(),
            "page": client.get("/page").json(),
            "time": client.get("/page").headers["x-time"],
        }


async def visit_without_a_request(app: NexiosApp) -> int:
    async with TestClient(app):
        found: int = await app.inject(count, "one")
        return found + await app.inject(count, text="two")
