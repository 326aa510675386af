"""Do foreign applications work where users put them: below a prefix of an app, behind its middleware?"""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request as StarletteRequest
from starlette.responses import JSONResponse
from starlette.routing import Route

from nexios.application import NexiosApp
from nexios.messages.request import Request
from nexios.messages.response import Response

user: ContextVar[str] = ContextVar("user", default="nobody")


async def name_user(request: Request, response: Response, call_next: Any) -> Any:
    user.set("ada")
    answer = await call_next()
    answer.set_header("x-seen", "yes")
    return answer


def wsgi(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{user.get()} {environ['SCRIPT_NAME']} {environ['PATH_INFO']}".encode()]


def broken(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    raise LookupError("broken")


@pytest.fixture
def log() -> list[str]:
    return []


@pytest.fixture
def app(log: list[str]) -> NexiosApp:
    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        log.append("open")
        yield
        log.append("closed")

    async def where(request: StarletteRequest) -> JSONResponse:
        return JSONResponse([user.get(), request.scope["root_path"], request.scope["path"]])

    app = NexiosApp(middleware=[name_user])
    app.mount("/new", Starlette(routes=[Route("/page", where)], lifespan=lifespan))
    app.mount("/old", wsgi)
    app.mount("/broken", broken)
    return app


async def get(app: NexiosApp, path: str) -> tuple[int, bytes, dict[bytes, bytes]]:
    sent: list[Any] = []
    incoming = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Any:
        return incoming.pop(0) if incoming else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": [], "scheme": "http"}
    await app(scope, receive, send)
    return sent[0]["status"], b"".join(message["body"] for message in sent[1:]), dict(sent[0]["headers"])


async def test_an_asgi_application_sees_the_context_and_its_prefix(app: NexiosApp) -> None:
    status, body, headers = await get(app, "/new/page")

    assert (status, body) == (200, b'["ada","/new","/new/page"]')
    assert headers[b"x-seen"] == b"yes"


@pytest.mark.parametrize(
    ("path", "words"), [("/old/a/b", b"ada /old /a/b"), ("/old", b"ada /old "), ("/old/", b"ada /old /")]
)
async def test_a_wsgi_application_sees_the_context_and_its_prefix(app: NexiosApp, path: str, words: bytes) -> None:
    status, body, headers = await get(app, path)

    assert (status, body) == (200, words)
    assert headers[b"x-seen"] == b"yes"


async def test_the_errors_of_a_mounted_application_are_answered_by_us(
    app: NexiosApp, caplog: pytest.LogCaptureFixture
) -> None:
    status, body, headers = await get(app, "/broken")

    assert status == 500
    assert b"broken" not in body
    assert headers[b"content-type"] == b"application/problem+json"
    assert headers[b"x-seen"] == b"yes"
    assert len(caplog.records) == 1


async def test_a_mounted_application_starts_and_stops_with_ours(app: NexiosApp, log: list[str]) -> None:
    await app.engine.start()
    await app.engine.stop()

    assert log == ["open", "closed"]
