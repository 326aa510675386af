"""Promises about what blocks: synchronous code has threads, and the event loop's own opens no file (R22, R24).

Calls are counted, and never timed: a thread that is blocked stays so until the test lets it go.
"""

import asyncio
import os
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest

from nexios._injection.depend import Depend
from nexios.application import NexiosApp
from nexios.errors import HTTPException
from nexios.messages.request import Request
from nexios.messages.response import Response
from nexios.session.middleware import SessionMiddleware
from nexios.static.files import StaticFiles
from nexios.stores.sqlite import SQLiteStore
from nexios.testing.raw import RawAnswer, call
from tests.security.kit import MIB, Cancelling, in_chunks, post, until
from tests.security.reading_app import END, MULTIPART, upload

# R22: synchronous handlers

CALLER: ContextVar[str] = ContextVar("caller", default="nobody")


@dataclass
class Gate:
    """Blocks whoever comes, in whatever thread, until it opens; counts them."""

    opened: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)
    inside: int = 0
    most: int = 0
    entered: int = 0
    threads: set[int] = field(default_factory=set[int])

    def wait(self) -> None:
        with self.lock:
            self.inside += 1
            self.entered += 1
            self.most = max(self.most, self.inside)
            self.threads.add(threading.get_ident())
        self.opened.wait()
        with self.lock:
            self.inside -= 1


@pytest.fixture
def gate() -> Iterator[Gate]:
    """It is open in the end, however the test ends: a thread that waits for good would keep the process."""
    gate = Gate()
    yield gate
    gate.opened.set()


def blocking_app(gate: Gate) -> NexiosApp:
    def block(request: Request, response: Response) -> str:
        gate.wait()
        return CALLER.get()

    def provider() -> str:
        gate.wait()
        return CALLER.get()

    async def depends(request: Request, response: Response, value: str = Depend(provider, thread=True)) -> str:
        return value

    async def at_once(request: Request, response: Response) -> str:
        return "at once"

    app = NexiosApp()
    app.get("/handler")(block)
    app.get("/provider")(depends)
    app.get("/async")(at_once)
    return app


@pytest.mark.parametrize("path", ["/handler", "/provider"])
async def test_r22_two_hundred_that_block_have_as_many_threads_as_the_limit_and_the_loop_goes_on(
    path: str, gate: Gate
) -> None:
    """While all threads are blocked the loop answers others; then everyone is served, by the same threads."""
    app = blocking_app(gate)
    limit = app.settings.thread_limit

    blocked = [asyncio.ensure_future(asked(app, path, str(number))) for number in range(200)]
    await until(lambda: gate.inside == limit)
    meanwhile = [(await call(app, path="/async")).body for _ in range(20)]
    still_blocked = sum(not one.done() for one in blocked)
    gate.opened.set()
    bodies = await asyncio.gather(*blocked)

    assert (limit, meanwhile, still_blocked) == (min(40, 4 * (os.cpu_count() or 1)), [b"at once"] * 20, 200)
    assert bodies == [str(number).encode() for number in range(200)]
    assert (gate.most, gate.entered, gate.inside) == (limit, 200, 0)
    assert len(gate.threads) <= limit
    assert threading.get_ident() not in gate.threads


async def asked(app: NexiosApp, path: str, caller: str) -> bytes:
    """The body of an answer, asked for in a context of its own."""
    CALLER.set(caller)
    return (await call(app, path=path)).body


async def test_r22_what_waits_for_a_thread_and_is_cancelled_never_runs(gate: Gate) -> None:
    app = blocking_app(gate)
    limit = app.settings.thread_limit
    blocked = [asyncio.ensure_future(call(app, path="/handler")) for _ in range(limit)]
    await until(lambda: gate.inside == limit)

    waiting = [Cancelling(app, 0) for _ in range(50)]
    answers = await asyncio.gather(*(call(one, path="/handler") for one in waiting))
    gate.opened.set()
    await asyncio.gather(*blocked)

    assert all(one.cancelled for one in waiting)
    assert all(isinstance(answer.error, asyncio.CancelledError) for answer in answers)
    assert gate.entered == limit


@pytest.mark.parametrize("kind", ["handler", "provider", "background task"])
@pytest.mark.parametrize(
    ("error", "status"), [(HTTPException(409), 409), (KeyError("inside"), 500)], ids=["409", "500"]
)
async def test_r22_an_exception_arrives_as_it_was_raised(
    kind: str, error: Exception, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    """No wrapper around it, so that the handler for its class is found."""
    seen: list[Exception] = []

    def fails() -> None:
        raise error

    def handler(request: Request, response: Response) -> Response:
        if kind == "handler":
            fails()
        return response.add_background(fails).text("whole")

    async def depends(request: Request, response: Response, value: None = Depend(fails, thread=True)) -> str:
        return "never"

    async def note(request: Request, response: Response, exc: Exception) -> Response:
        seen.append(exc)
        return response.text("noted")

    app = NexiosApp(exception_handlers={type(error): note})
    app.get("/")(depends if kind == "provider" else handler)

    answer = await call(app)

    assert seen == ([] if kind == "background task" else [error])
    assert answer.status == (200 if kind == "background task" else status)
    assert [record.exc_info[1] for record in caplog.records if record.exc_info] == [error] * (kind == "background task")


# R24: what blocks is not done on the loop's thread

BLOCKING: Final = frozenset(
    {
        "open", "os.listdir", "os.scandir", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.truncate", "os.link",
        "shutil.copyfile", "shutil.move", "sqlite3.connect", "subprocess.Popen", "os.system", "socket.connect",
        "socket.getaddrinfo", "socket.gethostbyname", "time.sleep", "tempfile.mkstemp", "tempfile.mkdtemp", "glob.glob",
        "urllib.Request", "fcntl.flock",
    }
)  # fmt: skip
"""Events of `sys.audit` that tell of a call which may wait for a disk, a network, another process or a clock."""

Ask = Callable[[NexiosApp], Awaitable[RawAnswer]]

_watchers: list[tuple[int, list[str]]] = []


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    """Hears all that the interpreter audits, for the rest of its life: hooks cannot be taken away."""
    if _watchers and event in BLOCKING:
        thread, heard = _watchers[-1]
        if threading.get_ident() == thread and not _is_of_python(arguments):
            heard.append(f"{event} {arguments[:2]!r}")


def _is_of_python(arguments: tuple[Any, ...]) -> bool:
    """Modules that are imported late, and the lines of a traceback."""
    return bool(arguments) and str(arguments[0]).endswith((".py", ".pyc", ".so"))


@pytest.fixture(scope="session")
def auditing() -> None:
    sys.addaudithook(_hear)


@contextmanager
def blocking_calls() -> Iterator[list[str]]:
    """Collect the calls of this thread that may block."""
    heard: list[str] = []
    _watchers.append((threading.get_ident(), heard))
    try:
        yield heard
    finally:
        _watchers.pop()


async def test_r24_the_watcher_hears_what_blocks(auditing: None, tmp_path: Path) -> None:
    path = tmp_path / "file"
    with blocking_calls() as heard:
        path.write_text("here")
        await asyncio.to_thread(path.write_text, "elsewhere")

    assert len(heard) == 1


def a_file(app: NexiosApp, folder: Path) -> Ask:
    app.get("/")(lambda request, response: response.file(folder / "large"))
    return call


def ranges_of_a_file(app: NexiosApp, folder: Path) -> Ask:
    app.get("/")(lambda request, response: response.file(folder / "large"))
    return partial(call, headers=[(b"range", b"bytes=0-9,20-29")])


def a_download(app: NexiosApp, folder: Path) -> Ask:
    app.get("/")(lambda request, response: response.file(folder / "large", filename="é.txt"))
    return call


def a_missing_file(app: NexiosApp, folder: Path) -> Ask:
    app.get("/")(lambda request, response: response.file(folder / "nowhere"))
    return call


def a_static_file(app: NexiosApp, folder: Path) -> Ask:
    app.mount("/static", StaticFiles(directory=folder))
    return partial(call, path="/static/large", headers=[(b"accept-encoding", b"br, gzip")])


def a_missing_static_file(app: NexiosApp, folder: Path) -> Ask:
    app.mount("/static", StaticFiles(directory=folder))
    return partial(call, path="/static/nowhere/at/all")


def uploads(app: NexiosApp, folder: Path) -> Ask:
    """Larger than what stays in memory."""

    async def handler(request: Request, response: Response) -> str:
        form = await request.form()
        for one in form.files.values():
            await one.save(folder)
            await one.seek(0)
            await one.read()
        return "kept"

    app.post("/")(handler)
    body = upload(body=b"x" * 4 * MIB) + upload("b.txt", body=b"x" * 4 * MIB, name="g") + END
    return partial(post, body=in_chunks(body), content_type=MULTIPART)


def a_session(app: NexiosApp, folder: Path) -> Ask:
    """In a store, whose file is opened at the first use."""

    async def handler(request: Request, response: Response) -> str:
        request.session["visits"] = request.session.get("visits", 0) + 1
        return str(request.session["visits"])

    async def ask_twice(app: NexiosApp) -> RawAnswer:
        cookie = ((await call(app)).header("set-cookie") or "").split(";")[0]
        return await call(app, headers=[(b"cookie", cookie.encode())])

    app.add_middleware(SessionMiddleware, store=SQLiteStore(str(folder / "sessions.db")))
    app.get("/")(handler)
    return ask_twice


def a_synchronous_stream(app: NexiosApp, folder: Path) -> Ask:
    def lines() -> Iterator[str]:
        with (folder / "large").open() as file:
            yield file.read(10)

    app.get("/")(lambda request, response: response.stream(lines()))
    return call


def a_synchronous_background_task(app: NexiosApp, folder: Path) -> Ask:
    path = folder / "written"
    app.get("/")(lambda request, response: response.add_background(path.write_text, "later").text("first"))
    return call


def an_error(app: NexiosApp, folder: Path) -> Ask:
    def fail(request: Request, response: Response) -> None:
        raise ValueError

    app.get("/")(fail)
    return call


WORK: Final[dict[Callable[[NexiosApp, Path], Ask], int]] = {
    a_file: 200,
    ranges_of_a_file: 206,
    a_download: 200,
    a_missing_file: 404,
    a_static_file: 200,
    a_missing_static_file: 404,
    uploads: 200,
    a_session: 200,
    a_synchronous_stream: 200,
    a_synchronous_background_task: 200,
    an_error: 500,
}


@pytest.mark.parametrize("work", WORK, ids=lambda work: work.__name__)
async def test_r24_nothing_that_may_block_is_called_on_the_thread_of_the_loop(
    work: Callable[[NexiosApp, Path], Ask], auditing: None, tmp_path: Path
) -> None:
    """From the start of a compiled app to its end."""
    (tmp_path / "large").write_bytes(b"x" * MIB)
    app = NexiosApp()
    ask = work(app, tmp_path)
    app.compile()

    with blocking_calls() as heard:
        await app.engine.start()
        answer = await ask(app)
        await app.engine.stop()

    assert (answer.status, heard) == (WORK[work], [])
