"""No answer says what serves it, and in which version: whoever looks for a known hole learns nothing (ASVS 13.4.6)."""

from typing import Any

import pytest

from nexios import NexiosApp, Request, Response
from nexios.middleware import SecurityHeaders
from nexios.testing.raw import call

TELLING = {"server", "via", "x-powered-by", "x-aspnet-version", "x-generator"}


def make_app() -> NexiosApp:
    app = NexiosApp()
    app.add_middleware(SecurityHeaders)

    @app.get("/")
    async def home(request: Request, response: Response) -> Any:
        return {"hello": "world"}

    @app.get("/fails")
    async def fails(request: Request, response: Response) -> Any:
        raise RuntimeError("inside")

    return app


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("HEAD", "/", 200),
        ("OPTIONS", "/", 204),
        ("POST", "/", 405),
        ("TRACE", "/", 405),
        ("GET", "/missing", 404),
        ("GET", "/fails", 500),
    ],
)
async def test_an_answer_says_nothing_of_who_gives_it(method: str, path: str, status: int) -> None:
    answer = await call(make_app(), method=method, path=path)

    assert answer.status == status
    names = {name.decode() for name, _ in answer.headers}
    assert not names & TELLING
    told = b"\n".join(value for _, value in answer.headers).lower() + answer.body.lower()
    assert b"nexios" not in told
    assert b"python" not in told
    assert (b"x-content-type-options", b"nosniff") in answer.headers
