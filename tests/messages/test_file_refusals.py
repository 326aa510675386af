"""A file that is not sent, because its conditions fail or no byte of the range exists: an error like the others."""

from pathlib import Path
from typing import Any

import pytest

from nexios import NexiosApp, Request, Response
from nexios.testing import call
from nexios.testing.raw import RawAnswer

BEYOND = (b"range", b"bytes=10-")
OTHER = (b"if-match", b'"another"')


@pytest.fixture
def digits(tmp_path: Path) -> Path:
    """A file of ten bytes."""
    path = tmp_path / "a.txt"
    path.write_text("0123456789")
    return path


async def asked(path: Path, *headers: tuple[bytes, bytes], done: list[str] | None = None, **options: Any) -> RawAnswer:
    """Ask for a file that the handler says much about."""
    app = NexiosApp()

    @app.get("/")
    async def handler(request: Request, response: Response) -> Response:
        response.set_header("cache-control", "public, max-age=31536000").set_header("content-language", "en")
        response.file(path, filename="digits.txt", media_type="text/csv")
        return response if done is None else response.add_background(done.append, "cleaned up")

    return await call(app, headers=list(headers), **options)


@pytest.mark.parametrize(
    ("header", "status", "title", "code"),
    [
        (BEYOND, 416, "Range Not Satisfiable", "range_not_satisfiable"),
        (OTHER, 412, "Precondition Failed", "precondition_failed"),
    ],
)
async def test_the_refusal_is_a_problem_document(
    digits: Path, header: tuple[bytes, bytes], status: int, title: str, code: str
) -> None:
    answer = await asked(digits, header)

    assert (answer.status, answer.header("content-type")) == (status, "application/problem+json")
    assert answer.json() == {"type": "about:blank", "title": title, "status": status, "detail": title, "code": code}
    assert answer.header("content-length") == str(len(answer.body))
    assert answer.header("x-content-type-options") == "nosniff"


async def test_a_range_beyond_the_end_is_told_the_size(digits: Path) -> None:
    """RFC 9110 section 15.5.17."""
    answer = await asked(digits, BEYOND)

    assert (answer.header("content-range"), answer.header("accept-ranges")) == ("bytes */10", "bytes")


async def test_a_failed_condition_is_told_the_current_version(digits: Path) -> None:
    answer = await asked(digits, OTHER)

    assert answer.header("etag") == (await asked(digits)).header("etag")
    assert answer.header("last-modified") is not None


@pytest.mark.parametrize("header", [BEYOND, OTHER])
async def test_what_was_said_of_the_file_is_not_said_of_the_refusal(digits: Path, header: tuple[bytes, bytes]) -> None:
    """A cache that kept a 416 for a year would give it to those who want the whole file."""
    answer = await asked(digits, header)

    assert [answer.header(name) for name in ("cache-control", "content-language", "content-disposition")] == [None] * 3


async def test_head_has_the_status_and_the_length_of_the_refusal_alone(digits: Path) -> None:
    get, head = [await asked(digits, OTHER, method=method) for method in ("GET", "HEAD")]

    assert (head.status, head.body, head.header("content-length")) == (412, b"", str(len(get.body)))


@pytest.mark.parametrize("header", [BEYOND, OTHER])
async def test_background_calls_run_after_a_refusal_too(digits: Path, header: tuple[bytes, bytes]) -> None:
    """One of them may remove a file that was made for this answer."""
    done: list[str] = []

    await asked(digits, header, done=done)

    assert done == ["cleaned up"]


async def test_middleware_sees_the_error(digits: Path) -> None:
    app, seen = NexiosApp(), list[str]()
    app.add_route("/", lambda request, response: response.file(digits))

    async def look(request: Request, response: Response, call_next: Any) -> Response:
        answer: Response = await call_next()
        seen.append(repr(answer.error))
        return answer

    app.add_middleware(look)
    await call(app, headers=[BEYOND])

    assert seen == ["RangeNotSatisfiable('416 Range Not Satisfiable')"]
