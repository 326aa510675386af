"""Who is told that listeners came or went? Engines that live; an emitter keeps none of them alive."""

import gc
import weakref

from nexios import NexiosApp, Request, Response
from nexios.events.emitter import EventEmitter
from nexios.testing import TestClient


class Told:
    """Counts how often it was told."""

    def __init__(self) -> None:
        self.times = 0

    def tell(self) -> None:
        self.times += 1


def listener() -> None: ...


async def test_an_engine_goes_with_the_client_that_made_it() -> None:
    """A test suite makes one for each test, all of the same app."""
    app = NexiosApp()

    async def serve_once() -> weakref.ref[object]:
        async with TestClient(app) as client:
            await client.get("/")
            return weakref.ref(client.engine)

    engine = await serve_once()
    gc.collect()

    assert engine() is None


async def test_an_engine_that_lives_hears_of_a_listener_that_comes_late() -> None:
    app, heard = NexiosApp(), list[str]()

    @app.get("/")
    async def handler(request: Request, response: Response) -> str:
        return "x"

    async with TestClient(app) as client:
        gc.collect()
        app.events.on("request.started", lambda request: heard.append(request.path))
        await client.get("/")

    assert heard == ["/"]


def test_an_object_is_told_as_long_as_it_lives() -> None:
    events, told = EventEmitter(), Told()
    events.on_change(told.tell)
    gc.collect()

    events.on("x", listener)
    events.off("x", listener)

    assert told.times == 2


def test_an_emitter_keeps_no_object_alive() -> None:
    events, told = EventEmitter(), Told()
    events.on_change(told.tell)
    alive = weakref.ref(told)
    del told
    gc.collect()

    assert alive() is None


def test_the_others_are_told_when_one_has_gone() -> None:
    events, first, second, third = EventEmitter(), Told(), Told(), Told()
    for told in (first, second, third):
        events.on_change(told.tell)
    del second, told
    gc.collect()

    events.on("x", listener)

    assert (first.times, third.times) == (1, 1)


def test_one_that_goes_while_they_are_told_disturbs_nobody() -> None:
    events, last = EventEmitter(), Told()
    kept = {"goes": Told()}

    class Drops(Told):
        def tell(self) -> None:
            kept.clear()
            gc.collect()

    drops = Drops()
    for told in (drops, kept["goes"], last):
        events.on_change(told.tell)
    del told

    events.on("x", listener)

    assert last.times == 1
