"""A middleware answers with a file: it is looked for inside the chain, as the files of handlers are."""

from pathlib import Path
from typing import Any

import pytest

from nexios import NexiosApp, Request, Response, Router
from nexios._pipeline.middleware import CallNext
from nexios.testing import call


async def allow_origin(request: Request, response: Response, call_next: CallNext) -> Response:
    return (await call_next()).set_header("access-control-allow-origin", "*")


def file_of(path: Path) -> Any:
    async def answer(request: Request, response: Response, call_next: CallNext) -> Response:
        return response.file(path)

    return answer


async def handle(request: Request, response: Response) -> str:
    return "the handler"


async def test_a_missing_one_is_answered_by_the_handler_for_404(tmp_path: Path) -> None:
    app = NexiosApp(
        middleware=[file_of(tmp_path / "none")],
        exception_handlers={404: lambda request, exc: {"page": "ours"}},
    )
    app.add_route("/", handle)

    answer = await call(app)

    assert (answer.status, answer.json()) == (404, {"page": "ours"})


async def test_a_missing_one_has_the_headers_of_the_middleware_around_it(tmp_path: Path) -> None:
    app = NexiosApp(middleware=[allow_origin, file_of(tmp_path / "none")])
    app.add_route("/", handle)

    answer = await call(app)

    assert (answer.status, answer.header("access-control-allow-origin")) == (404, "*")


async def test_the_handler_nearest_to_a_routers_middleware_answers(tmp_path: Path) -> None:
    app = NexiosApp(exception_handlers={404: lambda request, exc: "the app's"})
    router = Router(middleware=[file_of(tmp_path / "none")])
    router.add_exception_handler(404, lambda request, exc: "the router's")
    router.add_route("/", handle)
    app.include_router(router)

    assert (await call(app)).body == b"the router's"


async def test_the_middleware_around_it_sees_how_the_answer_will_be_sent(tmp_path: Path) -> None:
    """What of a file is sent is settled before the answer travels outwards."""
    (tmp_path / "page.txt").write_text("hello world")
    seen: list[tuple[int, str | None]] = []

    async def look(request: Request, response: Response, call_next: CallNext) -> Response:
        answer = await call_next()
        seen.append((answer.status_code, answer.headers.get("content-range")))
        return answer

    app = NexiosApp(middleware=[look, file_of(tmp_path / "page.txt")])
    app.add_route("/", handle)

    answer = await call(app, headers=[(b"range", b"bytes=0-3")])

    assert seen == [(206, "bytes 0-3/11")]
    assert answer.body == b"hell"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_the_length_is_that_of_the_file_under_any_method(tmp_path: Path, method: str) -> None:
    (tmp_path / "page.txt").write_text("hello world")
    app = NexiosApp(middleware=[allow_origin, file_of(tmp_path / "page.txt")])
    app.add_route("/", handle)

    assert (await call(app, method=method)).header("content-length") == "11"
