"""Promises about the beginning and the end of an app, and about its events: R18 and R20."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

import pytest

from nexios._injection.depend import Depend
from nexios.application import NexiosApp
from nexios.events.emitter import MAX_DEPTH, MAX_LISTENERS, EventEmitter
from nexios.messages.request import Request
from nexios.messages.response import Response
from nexios.testing.raw import call

# R18: the k-th of n fails

PARTS: Final = ["context 1", "context 2", "mounted", "of the app", "hook 1", "hook 2", "hook 3", "event"]
"""What starts, in its order."""

UNDONE: Final = {
    # what fails: what is undone after it, in this order
    "context 1": "",
    "context 2": "context 1",
    "mounted": "context 2, context 1",
    "of the app": "mounted, context 2, context 1",
    "hook 1": "last, first, of the app, mounted, context 2, context 1",
    "hook 2": "last, first, of the app, mounted, context 2, context 1",
    "hook 3": "last, first, of the app, mounted, context 2, context 1",
    "event": "last, first, of the app, mounted, context 2, context 1",
}
"""Shutdown hooks ("first" and "last", as they were added) run as soon as one startup hook might have begun."""


class NotReady(Exception):
    """What a part raises."""


class Life:
    """An app that notes what of it began and ended, and of which some parts fail."""

    def __init__(self, starting: str = "", stopping: tuple[str, ...] = ()) -> None:
        self.starting = starting
        self.stopping = stopping
        self.began: list[str] = []
        self.ended: list[str] = []

    def begin(self, part: str) -> None:
        if part == self.starting:
            raise NotReady(part)
        self.began.append(part)

    def end(self, part: str) -> None:
        self.ended.append(part)
        if part in self.stopping:
            raise NotReady(part)

    def context(self, part: str) -> Callable[[Any], Any]:
        @asynccontextmanager
        async def context(app: Any) -> AsyncIterator[dict[str, str]]:
            self.begin(part)
            try:
                yield {part.replace(" ", "_"): "is open"}
            finally:
                self.end(part)

        return context

    async def of_the_app(self) -> AsyncIterator[str]:
        self.begin("of the app")
        try:
            yield "made once"
        finally:
            self.end("of the app")

    def app(self) -> NexiosApp:
        app = NexiosApp(lifespan=[self.context("context 1"), self.context("context 2")])
        app.mount("/mounted", NexiosApp(lifespan=self.context("mounted")))
        pool = Depend(self.of_the_app, scope="app")

        async def handler(request: Request, response: Response, value: str = pool) -> list[str]:
            return [request.app.state.context_1, request.app.state.context_2, value]

        app.get("/")(handler)
        for number in (1, 2, 3):
            app.on_startup(self.hook(f"hook {number}"))
        app.event_emitter.on("startup", lambda app: self.begin("event"), strict=True)
        app.on_shutdown(lambda: self.end("first"))
        app.on_shutdown(lambda: self.end("last"))
        return app

    def hook(self, part: str) -> Callable[[], None]:
        return lambda: self.begin(part)


async def lifespan(app: NexiosApp, *asked: str) -> list[str]:
    """What the app answers to a server that asks for this, and is gone then."""
    sent: list[str] = []
    waiting = [{"type": f"lifespan.{one}"} for one in asked]

    async def receive() -> Any:
        if not waiting:
            raise EOFError
        return waiting.pop(0)

    async def send(message: Any) -> None:
        sent.append(message["type"].removeprefix("lifespan."))

    try:
        await app({"type": "lifespan", "asgi": {"version": "3.0"}}, receive, send)
    except EOFError:
        pass
    return sent


@pytest.mark.parametrize("part", PARTS)
async def test_r18_when_the_kth_part_fails_to_start_those_before_it_are_undone_in_reverse(
    part: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The server is told, the log has it once, and nothing after it began."""
    life = Life(starting=part)

    assert await lifespan(life.app(), "startup") == ["startup.failed"]

    assert life.began == PARTS[: PARTS.index(part)]
    assert life.ended == [name for name in UNDONE[part].split(", ") if name]
    assert caplog.messages == ["the application did not start"]


ENDS: Final = ["last", "first", "of the app", "mounted", "context 2", "context 1"]


@pytest.mark.parametrize("failing", [*((one,) for one in ENDS), tuple(ENDS)], ids=[*ENDS, "all"])
async def test_r18_whatever_fails_to_stop_the_rest_is_stopped_all_the_same(
    failing: tuple[str, ...], caplog: pytest.LogCaptureFixture
) -> None:
    life = Life(stopping=failing)

    assert await lifespan(life.app(), "startup", "shutdown") == ["startup.complete", "shutdown.complete"]

    assert (life.began, life.ended) == (PARTS, ENDS)
    assert caplog.records != []
    assert {record.levelno for record in caplog.records} == {logging.ERROR}


SEQUENCES: Final = {
    # what a server asks: (what the app answers, how often a context began, how often it ended)
    "startup, shutdown": ("startup.complete, shutdown.complete", 1, 1),
    "startup": ("startup.complete", 1, 0),
    "shutdown": ("shutdown.complete", 0, 0),
    "startup, startup": ("startup.complete, startup.failed", 1, 0),
    "startup, shutdown | shutdown": ("startup.complete, shutdown.complete, shutdown.complete", 1, 1),
    "startup | startup": ("startup.complete, startup.failed", 1, 0),
    "startup | startup | shutdown": ("startup.complete, startup.failed, shutdown.complete", 1, 1),
    "startup, shutdown | startup, shutdown": (
        "startup.complete, shutdown.complete, startup.complete, shutdown.complete", 2, 2,
    ),
    "shutdown | startup, shutdown": ("shutdown.complete, startup.complete, shutdown.complete", 1, 1),
}  # fmt: skip


@pytest.mark.parametrize("asked", SEQUENCES)
async def test_r18_whatever_order_a_server_asks_in_the_app_has_one_life_at_a_time(asked: str) -> None:
    """`|` is a new connection of the lifespan."""
    answers, began, ended = SEQUENCES[asked]
    life = Life()
    app = life.app()

    said = [answer for part in asked.split(" | ") for answer in await lifespan(app, *part.split(", "))]

    assert ", ".join(said) == answers
    assert (life.began.count("context 1"), life.ended.count("context 1")) == (began, ended)


@pytest.mark.parametrize("step", range(6))
async def test_r18_a_start_that_is_cancelled_anywhere_is_undone(step: int) -> None:
    """Each part that began ends, whichever of them was waiting."""
    life = Life()
    reached, names = asyncio.Event(), ["context 1", "context 2", "mounted", "of the app"]
    app = life.app()

    async def wait_here() -> None:
        reached.set()
        await asyncio.Event().wait()

    waits = wait_here if step == 0 else later(step, reached)
    app.on_startup(waits)
    start = asyncio.create_task(lifespan(app, "startup"))
    await reached.wait()

    start.cancel()
    with pytest.raises(asyncio.CancelledError):
        await start

    assert life.began == [*names, "hook 1", "hook 2", "hook 3"]
    assert life.ended == ENDS


def later(turns: int, reached: asyncio.Event) -> Callable[[], Any]:
    """A hook that is cancelled after some turns of the loop."""

    async def hook() -> None:
        for turn in range(turns + 1):
            if turn == turns:
                reached.set()
                await asyncio.Event().wait()
            await asyncio.sleep(0)

    return hook


async def test_r18_requests_see_what_the_contexts_gave_to_the_state() -> None:
    life = Life()
    app = life.app()
    await lifespan(app, "startup")

    answer = await call(app)

    assert answer.json() == ["is open", "is open", "made once"]
    await lifespan(app, "shutdown")


async def test_r18_without_a_lifespan_the_app_answers() -> None:
    """Some servers have none; what needs it says so, and nothing else does."""
    app = NexiosApp()
    app.get("/")(lambda request, response: "served")

    assert (await call(app)).body == b"served"


# R20: events


class Heard:
    """Listeners that note what they hear, and fail or go as the table says."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.events = EventEmitter()

    async def hear(self, behaviour: str) -> None:
        """Emit "x" to three listeners, of which the second behaves like that."""
        self.events.on("x", self.listener("one"))
        self.events.on("x", getattr(self, behaviour), strict=behaviour == "is_strict")
        self.events.on("x", self.listener("three"))
        try:
            await self.events.emit("x")
        except Exception as exc:
            self.notes.append(type(exc).__name__)

    def listener(self, name: str) -> Callable[[], None]:
        return lambda: self.notes.append(name)

    def is_quiet(self) -> None:
        self.notes.append("two")

    async def waits(self) -> None:
        await asyncio.sleep(0)
        self.notes.append("two")

    def fails(self) -> None:
        raise KeyError

    async def fails_late(self) -> None:
        await asyncio.sleep(0)
        raise KeyError

    def is_strict(self) -> None:
        raise KeyError

    def removes_itself(self) -> None:
        self.notes.append(f"two was there: {self.events.off('x', self.removes_itself)}")

    def removes_the_third(self) -> None:
        third = self.events.listeners[2]
        self.notes.append(f"three was there: {self.events.off('x', third)}")

    def adds_another(self) -> None:
        self.events.on("x", self.listener("four"))
        self.notes.append("two")

    async def emits_itself(self) -> None:
        self.notes.append("again")
        await self.events.emit("x")

    async def emits_another(self) -> None:
        self.events.on("y", self.listener("y"))
        await self.events.emit("y")


DEEP: Final = ["one", "again"] * MAX_DEPTH

EVENTS: Final[dict[str, tuple[list[str], int]]] = {
    # what the second of three listeners does: (what is noted, how many records are logged)
    "is_quiet": (["one", "two", "three"], 0),
    "waits": (["one", "two", "three"], 0),
    "fails": (["one", "three"], 1),
    "fails_late": (["one", "three"], 1),
    "is_strict": (["one", "KeyError"], 0),
    "removes_itself": (["one", "two was there: True", "three"], 0),
    "removes_the_third": (["one", "three was there: True"], 0),
    "adds_another": (["one", "two", "three"], 0),
    "emits_another": (["one", "y", "three"], 0),
    "emits_itself": ([*DEEP, "three"], 1),
}


@pytest.mark.parametrize("behaviour", EVENTS)
async def test_r20_one_listener_does_nothing_to_the_others_but_what_the_table_says(
    behaviour: str, caplog: pytest.LogCaptureFixture
) -> None:
    heard, (notes, records) = Heard(), EVENTS[behaviour]

    await heard.hear(behaviour)

    assert heard.notes == notes
    assert [record.levelno for record in caplog.records] == [logging.ERROR] * records


EVENTS_OF_A_REQUEST: Final = ["request.started", "request.finished", "request.failed", "error", "request"]


@pytest.mark.parametrize("name", EVENTS_OF_A_REQUEST)
@pytest.mark.parametrize("path", ["/", "/fails", "/nowhere"])
async def test_r20_a_listener_that_fails_changes_no_answer(
    name: str, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(request: Request, response: Response) -> None:
        raise ValueError

    def listener(*told: object) -> None:
        raise KeyError(name)

    app = NexiosApp()
    app.get("/")(lambda request, response: "whole")
    app.get("/fails")(fail)
    plain = [(await call(app, path=one)).status for one in ("/", "/fails", "/nowhere")]
    app.event_emitter.on(name, listener)

    answer = await call(app, path=path)

    assert plain == [200, 500, 404]
    assert answer.status == {"/": 200, "/fails": 500, "/nowhere": 404}[path]
    assert answer.error is None


async def test_r20_a_listener_that_is_added_again_and_again_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    events = EventEmitter()
    for _ in range(2 * MAX_LISTENERS):
        events.on("x", lambda: None)

    assert [record.levelno for record in caplog.records] == [logging.WARNING]
