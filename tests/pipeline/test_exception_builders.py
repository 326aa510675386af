"""An exception handler that fills the response it is given and returns nothing, as a handler may."""

from collections.abc import Callable

import pytest

from nexios import HTTPException, NexiosApp, Request, Response
from nexios.testing import RawAnswer, call


async def answer_to(error: Exception, fill: Callable[[Response], object]) -> RawAnswer:
    async def on_error(request: Request, response: Response, exc: Exception) -> None:
        fill(response)

    app = NexiosApp(exception_handlers={type(error): on_error})

    @app.get("/")
    async def handler(request: Request, response: Response) -> None:
        raise error

    return await call(app)


async def test_a_redirect_is_an_answer() -> None:
    answer = await answer_to(LookupError(), lambda response: response.redirect("/login", 302))

    assert (answer.status, answer.header("location"), answer.body) == (302, "/login", b"")


async def test_a_status_is_an_answer() -> None:
    answer = await answer_to(LookupError(), lambda response: response.status(410))

    assert (answer.status, answer.body) == (410, b"")


async def test_a_header_is_an_answer_with_the_status_of_the_exception() -> None:
    answer = await answer_to(HTTPException(401), lambda response: response.set_header("www-authenticate", "Basic"))

    assert (answer.status, answer.header("www-authenticate"), answer.body) == (401, "Basic", b"")


async def test_content_is_an_answer() -> None:
    answer = await answer_to(LookupError(), lambda response: response.text("not here"))

    assert (answer.status, answer.body) == (500, b"not here")


async def test_empty_content_of_a_kind_is_an_answer() -> None:
    answer = await answer_to(HTTPException(401), lambda response: response.html(""))

    assert (answer.status, answer.header("content-type"), answer.body) == (401, "text/html; charset=utf-8", b"")


@pytest.mark.parametrize("fill", [lambda response: None, lambda response: response.status(500)], ids=["none", "same"])
async def test_nothing_is_no_answer(fill: Callable[[Response], object], caplog: pytest.LogCaptureFixture) -> None:
    """A constant 500, and the log says what is missing."""
    answer = await answer_to(LookupError(), fill)

    assert (answer.status, answer.json()["code"]) == (500, "internal_server_error")
    assert "returned None; return a response" in str(caplog.records[-1].exc_info)
