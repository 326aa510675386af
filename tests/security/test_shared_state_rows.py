"""Section M of the published faults: what does one request see of another? Each test is named after its row."""

import ast
import asyncio
import random
from collections.abc import AsyncIterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from nexios import Depend, NexiosApp, Request, Response, State, UploadFile
from nexios.auth import AuthBackend
from nexios.messages.connection import Connection
from nexios.messages.session import Session
from nexios.messages.websocket import WebSocket
from nexios.middleware import CallNext
from nexios.session import SessionMiddleware
from nexios.stores import MemoryStore
from nexios.testing import TestClient
from nexios.testing.raw import RawAnswer, call
from tests.security.kit import Cancelling

PACKAGE = Path(__file__).parents[2] / "nexios"
WHO: ContextVar[str] = ContextVar("who", default="nobody")


@dataclass
class Seen:
    """What was noted at the hooks of all requests: each entry of `mixed` is something that is another request's."""

    mixed: list[tuple[str, str, object]] = field(default_factory=list[tuple[str, str, object]])
    opened: list[str] = field(default_factory=list[str])
    closed: list[str] = field(default_factory=list[str])
    later: list[str] = field(default_factory=list[str])
    dice: random.Random = field(default_factory=lambda: random.Random(20261122))

    async def turns(self) -> None:
        """Let other requests go on, for another while each time and the same in every run."""
        for _ in range(self.dice.randrange(6)):
            await asyncio.sleep(0)

    async def expect(self, name: str, **found: object) -> None:
        """Note what is not of the request `name`, and give way."""
        self.mixed += [(name, where, one) for where, one in found.items() if one != name]
        await self.turns()


class ByHeader(AuthBackend):
    """The user is the header `x-user`."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen

    async def authenticate(self, request: Any) -> Any:
        name = request.headers.get("x-user")
        await self._seen.turns()
        return name


def make_site(seen: Seen) -> NexiosApp:
    """An app that gives way at every hook, and says at each whose request it is."""
    app = NexiosApp(openapi=None)
    app.auth_backend = ByHeader(seen)
    app.add_middleware(SessionMiddleware, store=MemoryStore())

    async def around(request: Request, response: Response, call_next: CallNext) -> Response:
        name = request.path[1:]
        WHO.set(name)
        request.state.name = name
        response.set_header("x-before", name)
        await seen.turns()
        answer = await call_next()
        await seen.expect(name, state=request.state.name, path=request.path_params.name, context=WHO.get())
        return answer.set_header("x-after", request.state.name)

    async def near(request: Request, response: Response, call_next: CallNext) -> Response:
        await seen.expect(request.state.name, user=request.user, context=WHO.get())
        return await call_next()

    async def provided(request: Request) -> AsyncIterator[str]:
        name = request.headers["x-user"]
        seen.opened.append(name)
        try:
            await seen.turns()
            yield name
            await seen.expect(name, context_of_cleanup=WHO.get())
        finally:
            seen.closed.append(name)

    async def later(name: str) -> None:
        await seen.expect(name, context_in_background=WHO.get())
        seen.later.append(name)

    @app.post("/{name}", middleware=[near])
    async def handler(request: Request, response: Response, name: str, own: str = Depend(provided)) -> Response:
        await seen.expect(name, state=request.state.name, user=request.user, dependency=own, context=WHO.get())
        await seen.expect(name, query=request.query_params["who"], body=await request.text())
        session = request.session
        session["visits"] = [*session.get("visits", []), name]
        await seen.expect(name, session="".join(sorted(set(session["visits"]))))
        return response.set_cookie("own", name).add_background(later, name).text(name)

    app.add_middleware(around)
    return app


async def visit(app: Any, name: str, cookie: str = "") -> RawAnswer:
    return await call(
        app,
        method="POST",
        path=f"/{name}",
        query=f"who={name}".encode(),
        headers=[(b"x-user", name.encode()), *([(b"cookie", cookie.encode())] if cookie else [])],
        chunks=[name[:1].encode(), name[1:].encode()],
        scope_extra={"scheme": "https"},
    )


def cookie_of(answer: RawAnswer) -> str:
    (made,) = [value for value in answer.header_all("set-cookie") if "session" in value]
    return made.partition(";")[0]


async def test_m1_two_hundred_requests_at_once_see_nothing_of_each_other() -> None:
    """CVE-2020-35681, CVE-2026-59896, CVE-2026-71850: user, session, dependencies, context, state, headers, tasks."""
    seen = Seen()
    app = make_site(seen)
    names = [f"user{number}" for number in range(200)]

    first = await asyncio.gather(*(visit(app, name) for name in names))
    second = await asyncio.gather(
        *(visit(app, name, cookie_of(one)) for name, one in zip(names, first, strict=True)),
    )

    await app.engine.background.drain(30)
    assert seen.mixed == []
    for name, answer in [*zip(names, first, strict=True), *zip(names, second, strict=True)]:
        assert (answer.status, answer.body.decode()) == (200, name)
        assert (answer.header("x-before"), answer.header("x-after")) == (name, name)
        assert [value.partition(";")[0] for value in answer.header_all("set-cookie")].count(f"own={name}") == 1
    assert len({cookie_of(answer) for answer in first}) == 200
    assert sorted(seen.later) == sorted(seen.opened) == sorted(seen.closed) == sorted(names * 2)


async def test_m1_requests_that_are_cancelled_leave_nothing_to_the_others() -> None:
    """Every third of them is, each where it waits for another time."""
    seen = Seen()
    app = make_site(seen)
    names = [f"user{number}" for number in range(200)]
    cut = [Cancelling(app, number % 17) for number in range(67)]
    apps = [cut[number // 3] if number % 3 == 0 else app for number in range(200)]

    answers = await asyncio.gather(*(visit(one, name) for one, name in zip(apps, names, strict=True)))

    await app.engine.background.drain(30)
    assert seen.mixed == []
    assert sum(one.cancelled for one in cut) > 30
    whole = [name for number, name in enumerate(names) if number % 3]
    assert [answer.body.decode() for number, answer in enumerate(answers) if number % 3] == whole
    assert set(whole) <= set(seen.later)
    assert sorted(seen.opened) == sorted(seen.closed)


async def test_m7_a_dependency_is_one_for_each_request() -> None:
    """A provider that was asked for by two requests at once gave them one value."""
    gate = asyncio.Barrier(2)
    made: list[list[str]] = []

    async def basket(request: Request) -> list[str]:
        made.append([])
        await gate.wait()
        return made[-1] if request.path == "/wrong" else made[int(request.query_params["n"])]

    async def twice(basket: list[str] = Depend(basket)) -> list[str]:
        return basket

    app = NexiosApp(openapi=None)

    @app.get("/")
    async def handler(
        request: Request, response: Response, one: list[str] = Depend(basket), two: list[str] = Depend(twice)
    ) -> dict[str, Any]:
        one.append(request.query_params["n"])
        await gate.wait()
        return {"same in one request": one is two, "holds": two}

    answers = await asyncio.gather(*(call(app, query=f"n={number}".encode()) for number in range(2)))

    assert [answer.json() for answer in answers] == [{"same in one request": True, "holds": [str(n)]} for n in range(2)]
    assert len(made) == 2


def test_m7_an_override_ends_with_the_client_or_the_block_it_was_made_for() -> None:
    def real() -> str:
        return "real"

    app = NexiosApp(openapi=None)

    @app.get("/")
    async def handler(request: Request, response: Response, value: str = Depend(real)) -> str:
        return value

    def ask(**options: Any) -> str:
        with TestClient(app, **options) as client:
            return str(client.get("/").text)

    assert ask(overrides={real: lambda: "fake"}) == "fake"
    assert ask() == "real"
    with app.override({real: lambda: "fake"}):
        assert ask() == "fake"
    assert ask() == "real"


CONTAINERS = (list, dict, set, bytearray)
MESSAGES = [Request, Response, WebSocket, Connection, Session, State, UploadFile, NexiosApp]


@pytest.mark.parametrize("kind", MESSAGES, ids=[kind.__name__ for kind in MESSAGES])
def test_m8_no_class_holds_a_list_or_a_dict_for_all_its_objects(kind: type) -> None:
    names = [
        f"{base.__name__}.{name}"
        for base in kind.__mro__[:-1]
        for name, value in vars(base).items()
        if isinstance(value, CONTAINERS) and not (name.startswith("__") and name.endswith("__"))
    ]

    assert names == []


def test_m8_no_function_has_a_mutable_default_and_no_class_a_mutable_attribute() -> None:
    """A list as a default is one list for all calls. A Struct is no such class: msgspec copies what is empty."""
    faults = []
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            where = f"{path.relative_to(PACKAGE)}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                defaults = [*node.args.defaults, *(one for one in node.args.kw_defaults if one is not None)]
                faults += [where for one in defaults if is_mutable(one)]
            elif isinstance(node, ast.ClassDef) and not is_struct(node):
                assigned = [part.value for part in node.body if isinstance(part, ast.Assign | ast.AnnAssign)]
                faults += [f"{where} {node.name}" for one in assigned if one is not None and is_mutable(one)]

    assert faults == []


def is_mutable(node: ast.expr) -> bool:
    made = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"list", "dict", "set"}
    return made or isinstance(node, ast.List | ast.Dict | ast.Set | ast.ListComp | ast.DictComp | ast.SetComp)


def is_struct(node: ast.ClassDef) -> bool:
    return any("Struct" in ast.unparse(base) for base in node.bases)
