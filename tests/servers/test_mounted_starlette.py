"""Does a Starlette application, lifespan and all, work below a prefix of ours?"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request as StarletteRequest
from starlette.responses import JSONResponse, PlainTextResponse, StreamingResponse
from starlette.responses import Response as StarletteResponse
from starlette.routing import Route
from starlette.staticfiles import StaticFiles

from nexios._servers.mounted_asgi import MountedASGI
from nexios.errors import BadRequest, ContentTooLarge
from nexios.settings import Limits
from tests.servers.mounted_fakes import Client


def starlette(tmp_path: Path, log: list[str]) -> Starlette:
    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[dict[str, str]]:
        log.append("open")
        yield {"greeting": "hello"}
        log.append("closed")

    async def hello(request: StarletteRequest) -> JSONResponse:
        response = JSONResponse(
            {
                "says": request.state.greeting,
                "name": request.path_params["name"],
                "url": str(request.url_for("hello", name="x")),
            }
        )
        response.set_cookie("a", "1")
        response.set_cookie("b", "2")
        return response

    async def count(request: StarletteRequest) -> StreamingResponse:
        async def numbers() -> AsyncIterator[str]:
            for number in range(3):
                yield f"{number};"

        return StreamingResponse(numbers(), background=BackgroundTask(log.append, "background"))

    async def upload(request: StarletteRequest) -> PlainTextResponse:
        return PlainTextResponse(str(len(await request.body())))

    async def fail(request: StarletteRequest) -> StarletteResponse:
        raise LookupError("broken")

    (tmp_path / "style.css").write_text("a{}" * 50_000)
    app = Starlette(
        lifespan=lifespan,
        routes=[
            Route("/hello/{name}", hello, name="hello"),
            Route("/count", count),
            Route("/upload", upload, methods=["POST"]),
            Route("/fail", fail),
        ],
    )
    app.mount("/static", StaticFiles(directory=tmp_path))
    return app


@pytest.fixture
def log() -> list[str]:
    return []


@pytest.fixture
async def mounted(tmp_path: Path, log: list[str]) -> AsyncIterator[MountedASGI]:
    mounted = MountedASGI(starlette(tmp_path, log))
    await mounted.start()
    yield mounted
    await mounted.stop()
    assert log[0] == "open"
    assert log[-1] == "closed"


async def test_starlette_answers_below_its_prefix(mounted: MountedASGI) -> None:
    answer = await Client(path="/legacy/hello/ada", fields=[("host", "a.example")]).ask(mounted)

    assert answer.content == b'{"says":"hello","name":"ada","url":"http://a.example/legacy/hello/x"}'
    assert len(answer.header("set-cookie")) == 2
    assert answer.header("content-length") == [str(len(answer.content))]


async def test_starlette_streams_and_runs_its_background_task(mounted: MountedASGI, log: list[str]) -> None:
    answer = await Client(path="/legacy/count").ask(mounted)
    await mounted.stop()
    await mounted.start()

    assert answer.chunks_received == [b"0;", b"1;", b"2;"]
    assert "background" in log


async def test_starlette_says_404_for_what_it_has_not(mounted: MountedASGI) -> None:
    answer = await Client(path="/legacy/nowhere").ask(mounted)

    assert answer.status == 404
    assert answer.content == b"Not Found"


async def test_starlette_serves_files(mounted: MountedASGI) -> None:
    whole = await Client(path="/legacy/static/style.css").ask(mounted)
    part = await Client(path="/legacy/static/style.css", fields=[("range", "bytes=0-2")]).ask(mounted)
    again = await Client(path="/legacy/static/style.css", fields=[("if-none-match", whole.header("etag")[0])]).ask(
        mounted
    )
    head = await Client(path="/legacy/static/style.css", method="HEAD").ask(mounted)

    assert whole.content == b"a{}" * 50_000
    assert (part.status, part.content) == (206, b"a{}")
    assert (again.status, again.content) == (304, b"")
    assert (head.status, head.content) == (200, b"")


async def test_starlette_reads_bodies_within_our_limits(mounted: MountedASGI) -> None:
    answer = await Client(path="/legacy/upload", method="POST", body=[b"x" * 1000] * 3).ask(mounted)
    with pytest.raises(ContentTooLarge):
        await Client(path="/legacy/upload", method="POST", body=[b"x" * 1000] * 3).ask(
            mounted, Limits(max_body_size=10)
        )
    with pytest.raises(BadRequest):
        await Client(path="/legacy/upload", method="POST", fields=[("content-length", "x")]).ask(mounted)

    assert answer.content == b"3000"


async def test_starlette_answers_its_own_errors(mounted: MountedASGI, caplog: pytest.LogCaptureFixture) -> None:
    """It raises them too, after its answer, for the server's log."""
    answer = await Client(path="/legacy/fail").ask(mounted)
    await asyncio.wait(mounted._calls) if mounted._calls else None

    assert answer.status == 500
    assert answer.content == b"Internal Server Error"
    assert [record.levelno for record in caplog.records if record.name == "nexios"] == [logging.ERROR]
