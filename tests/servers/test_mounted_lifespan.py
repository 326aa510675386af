"""Does a mounted ASGI application start and stop with us?"""

import asyncio
from typing import Any

import pytest

from nexios._servers.mounted_asgi import MountedASGI
from tests.servers.mounted_fakes import Client


class Lifespan:
    """An application with a lifespan, that plays a part."""

    def __init__(self, *answers: dict[str, Any] | BaseException) -> None:
        self.answers = list(answers)
        self.received: list[str] = []
        self.state: dict[str, Any] = {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            self.state = scope["state"]
            await send({"type": "http.response.start", "status": 200})
            await send({"type": "http.response.body"})
            return
        scope["state"]["pool"] = "open"
        for answer in self.answers:
            self.received.append((await receive())["type"])
            if isinstance(answer, BaseException):
                raise answer
            await send(answer)


COMPLETE = {"type": "lifespan.startup.complete"}
STOPPED = {"type": "lifespan.shutdown.complete"}


async def test_the_lifespan_of_the_application_runs() -> None:
    app = Lifespan(COMPLETE, STOPPED)
    mounted = MountedASGI(app)

    await mounted.start()
    before = list(app.received)
    await mounted.stop()

    assert before == ["lifespan.startup"]
    assert app.received == ["lifespan.startup", "lifespan.shutdown"]


async def test_it_can_start_again_after_it_has_stopped() -> None:
    app = Lifespan(COMPLETE, STOPPED)
    mounted = MountedASGI(app)

    for _ in range(2):
        await mounted.start()
        await mounted.stop()

    assert len(app.received) == 4


async def test_a_request_gets_a_copy_of_the_lifespan_state() -> None:
    app = Lifespan(COMPLETE, STOPPED)
    mounted = MountedASGI(app)
    await mounted.start()

    await Client().ask(mounted)
    app.state["pool"] = "changed"
    await Client().ask(mounted)
    await mounted.stop()

    assert app.state == {"pool": "open"}


async def test_a_failed_startup_is_raised() -> None:
    mounted = MountedASGI(Lifespan({"type": "lifespan.startup.failed", "message": "no database"}))

    with pytest.raises(RuntimeError, match="no database"):
        await mounted.start()
    await mounted.stop()


@pytest.mark.parametrize("app", [Lifespan(), Lifespan(ValueError("unknown scope"))], ids=["returns", "raises"])
async def test_an_application_without_lifespan_is_fine(app: Lifespan) -> None:
    mounted = MountedASGI(app)

    await mounted.start()
    answer = await Client().ask(mounted)
    await mounted.stop()

    assert answer.status == 200


@pytest.mark.parametrize(
    ("answer", "error"),
    [({"type": "lifespan.shutdown.failed", "message": "stuck"}, RuntimeError), (LookupError("broken"), LookupError)],
)
async def test_a_failed_shutdown_is_raised(answer: Any, error: type[Exception]) -> None:
    mounted = MountedASGI(Lifespan(COMPLETE, answer))
    await mounted.start()

    with pytest.raises(error):
        await mounted.stop()


async def test_a_start_that_is_cancelled_ends_the_application() -> None:
    starting, ended = asyncio.Event(), []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        starting.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("yes")

    start = asyncio.ensure_future(MountedASGI(app).start())
    await starting.wait()
    start.cancel()
    with pytest.raises(asyncio.CancelledError):
        await start

    assert ended == ["yes"]


async def test_stopping_what_never_started_does_nothing() -> None:
    app = Lifespan(COMPLETE, STOPPED)

    await MountedASGI(app).stop()

    assert app.received == []
