"""Which events does a request make, what do they carry, and what can a listener not break?"""

from typing import Any

import pytest

from nexios import HTTPException, NexiosApp, Request, Response
from nexios.testing.raw import call


def heard_by(app: NexiosApp, *names: str) -> list[tuple[Any, ...]]:
    heard: list[tuple[Any, ...]] = []
    for name in names:

        def listen(*payload: object, name: str = name) -> None:
            heard.append((name, *payload))

        app.event_emitter.on(name, listen)
    return heard


def make_app(**options: Any) -> NexiosApp:
    app = NexiosApp(**options)

    @app.get("/")
    async def handler(request: Request, response: Response) -> str:
        return "fine"

    @app.get("/boom")
    async def boom(request: Request, response: Response) -> None:
        raise ValueError("inside")

    @app.get("/forbidden")
    async def forbidden(request: Request, response: Response) -> None:
        raise HTTPException(403)

    return app


EVENTS = ("request.started", "request.finished", "request.failed", "error")


async def test_a_request_that_goes_well_is_started_and_finished() -> None:
    app = make_app()
    heard = heard_by(app, *EVENTS)

    await call(app)

    (started, request), (finished, same_request, response) = heard
    assert (started, finished) == ("request.started", "request.finished")
    assert isinstance(request, Request)
    assert same_request is request
    assert isinstance(response, Response)
    assert response.status_code == 200


async def test_an_error_is_told_before_its_answer() -> None:
    app = make_app()
    heard = heard_by(app, *EVENTS)

    await call(app, path="/boom")

    assert [event[0] for event in heard] == ["request.started", "error", "request.failed"]
    (_, request), (_, in_error, error), (_, _, response) = heard
    assert in_error is request
    assert (type(error), str(error), response.status_code, response.error) == (ValueError, "inside", 500, error)


async def test_an_answer_that_was_raised_is_a_finished_request_and_no_error() -> None:
    app = make_app()
    heard = heard_by(app, *EVENTS)

    await call(app, path="/forbidden")
    await call(app, path="/none")

    assert [event[0] for event in heard] == ["request.started", "request.finished"] * 2


async def test_an_error_that_a_handler_expects_is_no_error_event_and_one_for_everything_is() -> None:
    expected = make_app(exception_handlers={ValueError: lambda request, exc: ("handled", 409)})
    heard = heard_by(expected, "error")
    await call(expected, path="/boom")
    assert heard == []

    everything = make_app(exception_handlers={Exception: lambda request, exc: ("sorry", 500)})
    heard = heard_by(everything, "error")
    await call(everything, path="/boom")
    assert len(heard) == 1


async def test_request_means_all_three() -> None:
    app = make_app()
    heard = heard_by(app, "request")

    await call(app)
    await call(app, path="/boom")

    assert [len(event) - 1 for event in heard] == [1, 2, 1, 2]


async def test_a_listener_may_be_added_and_removed_while_the_app_serves() -> None:
    app = make_app()
    await call(app)
    heard: list[object] = []

    app.event_emitter.on("request.started", heard.append)
    await call(app)
    app.event_emitter.off("request.started", heard.append)
    await call(app)

    assert len(heard) == 1


async def test_a_listener_that_fails_is_logged_and_the_others_and_the_request_go_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = make_app()

    @app.event_emitter.on("request", priority=1)
    async def fails(*payload: object) -> None:
        raise RuntimeError

    heard = heard_by(app, "request.started", "request.finished")

    answer = await call(app)

    assert (answer.status, len(heard), len(caplog.records)) == (200, 2, 2)


async def test_an_error_listener_that_fails_hides_nothing(caplog: pytest.LogCaptureFixture) -> None:
    app = make_app()

    @app.event_emitter.on("error")
    async def fails(*payload: object) -> None:
        raise RuntimeError

    @app.event_emitter.on("error", strict=True)
    async def fails_strictly(*payload: object) -> None:
        raise RuntimeError

    answer = await call(app, path="/boom")

    assert (answer.status, answer.error) == (500, None)
    first, second, third = caplog.messages
    assert first.startswith("unhandled error: GET /boom")
    assert second.endswith("fails of event 'error' failed")
    assert third.startswith("a listener of the error event failed: GET /boom")


@pytest.mark.parametrize("name", ["request.started", "request.finished"])
async def test_a_strict_listener_that_fails_is_a_500(name: str, caplog: pytest.LogCaptureFixture) -> None:
    app = make_app()

    @app.event_emitter.on(name, strict=True)
    async def fails(*payload: object) -> None:
        raise RuntimeError

    answer = await call(app)

    assert (answer.status, answer.error) == (500, None)


async def test_an_error_event_that_leads_to_itself_ends(caplog: pytest.LogCaptureFixture) -> None:
    app = make_app()

    @app.event_emitter.on("error")
    async def again(request: Request, exc: Exception) -> None:
        await app.event_emitter.emit("error", request, exc)

    assert (await call(app, path="/boom")).status == 500


async def test_two_apps_hear_nothing_of_each_other() -> None:
    one, other = make_app(), make_app()
    heard = heard_by(one, "request", "error", "startup")

    await call(other, path="/boom")
    await other.engine.start()
    await other.engine.stop()

    assert heard == []


async def test_events_of_ones_own_are_emitted_by_hand() -> None:
    app = NexiosApp()
    heard = heard_by(app, "order.paid")

    @app.post("/orders")
    async def pay(request: Request, response: Response) -> None:
        await request.app.event_emitter.emit("order.paid", 7)

    assert (await call(app, method="POST", path="/orders")).status == 204
    assert heard == [("order.paid", 7)]
    assert app.events is app.event_emitter
