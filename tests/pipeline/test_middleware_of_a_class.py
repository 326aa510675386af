"""Middleware that is an instance, or a method of one: called as functions are, and named in what goes wrong."""

from typing import Any

import pytest

from nexios import NexiosApp, Request, Response
from nexios._pipeline.middleware import BaseMiddleware, CallNext
from nexios.testing.raw import call


class Forgetful(BaseMiddleware):
    async def __call__(self, request: Request, response: Response, call_next: CallNext) -> Any:
        await call_next()


class More(Forgetful):
    pass


class Guards:
    async def forgotten(self, request: Request, response: Response, call_next: CallNext) -> Any:
        await call_next()


async def handle(request: Request, response: Response) -> str:
    return "handled"


def app_with(middleware: object) -> NexiosApp:
    app = NexiosApp(middleware=[middleware])
    app.add_route("/", handle)
    return app


@pytest.mark.parametrize(
    ("middleware", "name"),
    [(Forgetful(), "Forgetful"), (More, "More"), (Guards().forgotten, "Guards.forgotten")],
)
async def test_a_forgotten_return_names_the_class_or_the_method(
    middleware: object, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await call(app_with(middleware))

    assert answer.status == 500
    assert f"test_middleware_of_a_class.{name} returned None." in caplog.text


async def test_a_file_that_a_middleware_answers_with_after_a_text_is_found_before_the_one_around_it(
    tmp_path: Any,
) -> None:
    """The outer one sees the status and the length that the client will see."""
    (tmp_path / "note.txt").write_text("a note")
    seen: list[object] = []

    async def watch(request: Request, response: Response, call_next: CallNext) -> Any:
        answer = await call_next()
        seen.append((answer.status_code, answer.headers.get("content-range")))
        return answer

    async def answers(request: Request, response: Response, call_next: CallNext) -> Any:
        answer = await call_next()
        return answer.file(tmp_path / "note.txt")

    app = NexiosApp(middleware=[watch, answers])
    app.add_route("/", handle)

    answer = await call(app, headers=[(b"range", b"bytes=0-0")])

    assert (answer.status, answer.body, seen) == (206, b"a", [(206, "bytes 0-0/6")])
