"""Promises about clients that leave and tasks that are cancelled: R11 and R12."""

import ast
import asyncio
import itertools
import logging
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import nexios.errors
from nexios.application import NexiosApp
from nexios.messages.request import Request
from nexios.messages.response import Response
from nexios.messages.upload import UploadFile
from nexios.settings import Limits
from nexios.testing.raw import call
from tests.security.kit import KIB, Cancelling, Peer, http_scope, in_chunks, open_files, post, until
from tests.security.reading_app import END, MULTIPART, field, upload

PACKAGE = Path(nexios.errors.__file__).parent


class Counted:
    """Resources that a test hands out, and gets back."""

    def __init__(self) -> None:
        self.opened = self.closed = 0

    async def asynchronous(self, count: int = 5) -> AsyncIterator[bytes]:
        self.opened += 1
        try:
            for _ in range(count):
                await asyncio.sleep(0)
                yield b"x" * KIB
        finally:
            try:
                await asyncio.sleep(0)
            finally:  # it waits while it cleans up, and may be cancelled there too
                self.closed += 1

    def synchronous(self, count: int = 5) -> Iterator[bytes]:
        self.opened += 1
        try:
            for _ in range(count):
                yield b"x" * KIB
        finally:
            self.closed += 1


Filling = Callable[[Response, Counted, Path], Response]
ANSWERS: dict[str, Filling] = {
    "bytes": lambda response, source, path: response.text("x" * KIB),
    "nothing": lambda response, source, path: response.empty(),
    "asynchronous stream": lambda response, source, path: response.stream(source.asynchronous()),
    "synchronous stream": lambda response, source, path: response.stream(source.synchronous()),
    "file": lambda response, source, path: response.file(path),
}
RANGES = {
    "whole": [],
    "one range": [(b"range", b"bytes=1000-199999")],
    "two ranges": [(b"range", b"bytes=0-99999,100001-150000")],
}
CASES = [(kind, "whole") for kind in ANSWERS] + [("file", "one range"), ("file", "two ranges")]


@pytest.fixture
def large(tmp_path: Path) -> Path:
    path = tmp_path / "large"
    path.write_bytes(b"x" * 200 * KIB)
    return path


def answering(kind: str, source: Counted, path: Path, background: list[str] | None = None) -> NexiosApp:
    app = NexiosApp()

    async def answer(request: Request, response: Response) -> Response:
        ANSWERS[kind](response, source, path)
        return response if background is None else response.add_background(background.append, "ran")

    app.get("/")(answer)
    return app


@pytest.mark.parametrize("how", ["breaks_at", "leaves_at"])
@pytest.mark.parametrize(("kind", "ranges"), CASES)
async def test_r11_a_client_may_leave_at_any_message(
    kind: str, ranges: str, how: str, large: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """By OSError from a send or by `http.disconnect`: sources are closed, background tasks run, nobody is alarmed."""
    caplog.set_level(logging.INFO, "nexios")
    source, background = Counted(), list[str]()
    app = answering(kind, source, large, background)
    before = open_files()

    for message in itertools.count():
        client = Peer(**{how: message})  # type: ignore[arg-type]
        await app(http_scope(headers=RANGES[ranges]), client.receive, client.send)
        await until(lambda: len(background) > message)  # noqa: B023 - awaited at once
        assert source.opened == source.closed
        assert open_files() == before
        if client.sends < message:
            break
    else:
        message = 0

    assert message >= 2
    assert caplog.records == []


@pytest.mark.parametrize("kind", ["asynchronous", "synchronous"])
@pytest.mark.parametrize("message", [0, 1, 2, 10])
async def test_r11_a_stream_without_end_stops_when_the_client_leaves(kind: str, message: int) -> None:
    """Within the few turns of the event loop that the news takes; a source that never waits makes a chunk in each."""
    source = Counted()
    app = NexiosApp()
    app.get("/")(lambda request, response: response.stream(getattr(source, kind)(10**9)))
    client = Peer(leaves_at=message)

    await app(http_scope(), client.receive, client.send)

    assert (source.opened, source.closed) in ((1, 1), (0, 0))
    assert client.sends <= message + 6
    assert not client.complete


async def test_r11_a_handler_can_ask_whether_the_client_is_there() -> None:
    """Without losing what arrived of the body."""
    app, seen = NexiosApp(), list[object]()

    async def ask(request: Request, response: Response) -> Response:
        seen.append(await request.is_disconnected())
        seen.append(await request.body())
        seen.append(await request.is_disconnected())
        return response

    app.post("/")(ask)

    await post(app, [b"a", b"b"])

    assert seen == [False, b"ab", False]


# R12: cancelled wherever it waits


class Temporary:
    """Counts the temporary files that are made and closed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.made: list[Any] = []
        make = tempfile.TemporaryFile

        def counted() -> Any:
            self.made.append(make())
            return self.made[-1]

        monkeypatch.setattr(tempfile, "TemporaryFile", counted)

    @property
    def open(self) -> int:
        return sum(not file.closed for file in self.made)


async def at_every_step(run: Callable[[Cancelling], Any], app: NexiosApp, check: Callable[[int], None]) -> int:
    """Run again and again, cancelled one step later each time, until it ends before that. Return the steps."""
    for step in itertools.count():
        cancelling = Cancelling(app, step)
        answer = await run(cancelling)
        check(step)
        if not cancelling.cancelled:
            return step
        if not isinstance(answer.error, asyncio.CancelledError):
            raise AssertionError(f"the cancellation at step {step} was swallowed: {answer}")
    raise AssertionError("endless")


async def test_r12_an_upload_cleans_up_wherever_it_is_cancelled(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Three files on disk, one of them saved: none is open afterwards, and no half copy stays."""
    temporary, saved = Temporary(monkeypatch), list[Path]()
    app = NexiosApp(limits=Limits(spool_size=10))

    async def store(request: Request, response: Response) -> Response:
        form = await request.form()
        file = form["f"]
        assert isinstance(file, UploadFile)
        await file.read(10)
        saved.append(await file.save(tmp_path))
        return response.json(len(form))

    app.post("/")(store)
    body = in_chunks(upload(body=b"x" * 100) * 3 + field() + END, 100)

    def check(step: int) -> None:
        assert temporary.open == 0, step
        assert set(tmp_path.iterdir()) == set(saved), step

    steps = await at_every_step(lambda cancelling: post(cancelling, body, MULTIPART), app, check)

    assert steps >= 8
    assert len(temporary.made) >= 3 * (steps - 3)


@pytest.mark.parametrize(("kind", "ranges"), [case for case in CASES if case[0] not in ("bytes", "nothing")])
async def test_r12_an_answer_cleans_up_wherever_it_is_cancelled(kind: str, ranges: str, large: Path) -> None:
    """As many closed as opened, generators and files."""
    source, before = Counted(), open_files()
    app = answering(kind, source, large)

    def check(step: int) -> None:
        assert source.opened == source.closed, step
        assert open_files() == before, step

    steps = await at_every_step(lambda cancelling: call(cancelling, headers=RANGES[ranges]), app, check)

    assert steps >= 4
    assert source.opened == (0 if kind == "file" else source.closed)


async def test_r12_a_synchronous_stream_is_closed_when_the_chunk_it_makes_is_done() -> None:
    """A thread cannot be interrupted, and a generator that runs cannot be closed."""
    entered, release, closed = threading.Event(), threading.Event(), threading.Event()

    def chunks() -> Iterator[bytes]:
        try:
            entered.set()
            release.wait(5)
            yield b"x"
        finally:
            closed.set()

    app, client = NexiosApp(), Peer()
    app.get("/")(lambda request, response: response.stream(chunks()))
    task = asyncio.ensure_future(app(http_scope(), client.receive, client.send))
    await until(entered.is_set)

    task.cancel()
    for _ in range(10):
        await asyncio.sleep(0)
    release.set()
    await asyncio.wait([task])

    assert (task.cancelled(), closed.is_set()) == (True, True)


async def test_r12_a_form_cleans_up_when_its_last_file_is_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client is slow, and the task is cancelled while it waits for more."""
    temporary = Temporary(monkeypatch)
    app = NexiosApp(limits=Limits(spool_size=10))

    async def read(request: Request, response: Response) -> Response:
        await request.form()
        return response

    app.post("/")(read)
    client = Peer(chunks=iter([upload(body=b"x" * 64 * KIB) * 2]), ends=False)
    task = asyncio.ensure_future(app(http_scope("POST", "/", FORM), client.receive, client.send))
    await until(lambda: client.received == 2)

    task.cancel()
    await asyncio.wait([task])

    assert task.cancelled()
    assert len(temporary.made) >= 1
    assert temporary.open == 0


FORM = [(b"content-type", MULTIPART.encode())]

MAY_CATCH = {
    "_injection/exits.py": "raises it again when all exits have run",
    "concurrency.py": "raises it again when what it shields is over",
    "messages/patience.py": "gives what it caught to the coroutine that it drives",
    "messages/form.py": "raises it again when every upload is closed",
    "messages/thread_io.py": "raises it again when the thread is done",
    "messages/websocket.py": "takes back a cancellation of its own",
    "websockets/backends/postgres_line.py": "is the task of the connection, whose end it tells to whoever asked",
    "_pipeline/lifespan.py": "raises it again when what was started is unwound",
}


def test_r12_no_cancellation_is_swallowed() -> None:
    """Whoever catches everything raises it again."""
    found = [
        f"{path.relative_to(PACKAGE).as_posix()}:{node.lineno}"
        for path in PACKAGE.rglob("*.py")
        if path.relative_to(PACKAGE).as_posix() not in MAY_CATCH and "testing" not in path.parts
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ExceptHandler) and _catches_cancellation(node) and not _raises(node)
    ]

    assert found == []


def _catches_cancellation(node: ast.ExceptHandler) -> bool:
    text = "" if node.type is None else ast.unparse(node.type)
    return node.type is None or "BaseException" in text or "CancelledError" in text


def _raises(node: ast.ExceptHandler) -> bool:
    return any(isinstance(one, ast.Raise) for one in ast.walk(node))
