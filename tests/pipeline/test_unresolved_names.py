"""An annotation that names nothing may be an alias that hides a guard, so it is refused and never passed over."""

import logging
from typing import Annotated, Any

import pytest

from nexios import Depend, HTTPException, NexiosApp
from nexios.errors import ConfigurationError
from nexios.testing import call
from nexios.testing.raw import RawAnswer


def get_db() -> str:
    return "db"


def refusal_of(app: NexiosApp) -> str:
    with pytest.raises(ConfigurationError) as caught:
        app.compile()
    return str(caught.value)


def told(app: NexiosApp, name: str) -> bool:
    """Whether compile refuses the annotation, and names the function and its line."""
    text = refusal_of(app)
    says = "The annotation 'Nowhere' of 'user' names something that the module" in text
    return says and "test_unresolved_names.py:" in text and f"   {name}()" in text


async def optional_middleware(request, response, call_next, user: "Nowhere" = None): ...  # type: ignore  # noqa: F821
async def middleware_last(request, response, call_next, user: "Nowhere"): ...  # type: ignore  # noqa: F821
async def middleware_first(user: "Nowhere", request, response, call_next): ...  # type: ignore  # noqa: F821


@pytest.mark.parametrize("middleware", [optional_middleware, middleware_last, middleware_first])
@pytest.mark.parametrize("on_route", [False, True])
def test_an_annotation_that_names_nothing_is_refused_in_middleware(middleware: Any, on_route: bool) -> None:
    app = NexiosApp(middleware=[] if on_route else [middleware])
    app.get("/", middleware=[middleware] if on_route else [])(lambda request, response: None)

    assert told(app, middleware.__name__)


async def optional_layer(websocket, call_next, user: "Nowhere" = None): ...  # type: ignore  # noqa: F821
async def layer(websocket, call_next, user: "Nowhere"): ...  # type: ignore  # noqa: F821


@pytest.mark.parametrize("middleware", [optional_layer, layer])
def test_an_annotation_that_names_nothing_is_refused_in_middleware_of_websockets(middleware: Any) -> None:
    app = NexiosApp()
    app.add_websocket_middleware(middleware)

    assert told(app, middleware.__name__)


async def optional_handler(request, exc, user: "Nowhere" = None): ...  # type: ignore  # noqa: F821
async def handler_of_three(request, exc, user: "Nowhere"): ...  # type: ignore  # noqa: F821
async def handler_of_four(request, response, exc, user: "Nowhere"): ...  # type: ignore  # noqa: F821


@pytest.mark.parametrize("handler", [optional_handler, handler_of_three, handler_of_four])
@pytest.mark.parametrize("on_route", [False, True])
def test_an_annotation_that_names_nothing_is_refused_in_exception_handlers(handler: Any, on_route: bool) -> None:
    handlers = {ValueError: handler}
    app = NexiosApp(exception_handlers={} if on_route else handlers)
    app.get("/", exception_handlers=handlers if on_route else {})(lambda request, response: None)

    assert told(app, handler.__name__)


@pytest.mark.parametrize("event", ["startup", "request.finished", "order.paid"])
def test_an_annotation_that_names_nothing_is_refused_in_listeners(event: str) -> None:
    app = NexiosApp()

    @app.event_emitter.on(event)
    async def listener(order: Any, user: "Nowhere" = None) -> None: ...  # type: ignore[name-defined]  # noqa: F821

    assert told(app, "listener")


async def test_an_annotation_that_names_nothing_is_refused_in_a_listener_of_an_app_that_is_not_compiled_yet(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = NexiosApp()
    heard: list[str] = []

    @app.event_emitter.on("order.paid")
    async def listener(user: "Nowhere" = None) -> None:  # type: ignore[name-defined]  # noqa: F821
        heard.append("order.paid")

    with caplog.at_level(logging.ERROR, "nexios"):
        await app.event_emitter.emit("order.paid")

    assert heard == []
    assert "The annotation 'Nowhere' of 'user'" in caplog.text


@pytest.mark.parametrize("kind", ["on_startup", "on_shutdown"])
def test_an_annotation_that_names_nothing_is_refused_in_hooks(kind: str) -> None:
    app = NexiosApp()

    async def alone(user: "Nowhere"): ...  # type: ignore  # noqa: F821

    getattr(app, kind)(alone)

    assert told(app, "alone")


@pytest.mark.parametrize("kind", ["on_startup", "on_shutdown"])
def test_an_annotation_that_names_nothing_is_refused_in_hooks_beside_what_is_filled(kind: str) -> None:
    app = NexiosApp()

    async def beside(user: "Nowhere", db: str = Depend(get_db)): ...  # type: ignore  # noqa: F821

    getattr(app, kind)(beside)

    assert told(app, "beside")


async def test_an_annotation_that_names_nothing_is_refused_in_functions_that_are_injected_by_hand() -> None:
    app = NexiosApp()

    async def report(month: str, user: "Nowhere" = None) -> None: ...  # type: ignore[name-defined]  # noqa: F821

    async with app.running():
        with pytest.raises(ConfigurationError, match="The annotation 'Nowhere' of 'user'"):
            await app.inject(report, "march")


async def answer_of(app: NexiosApp) -> RawAnswer:
    @app.get("/")
    async def index() -> str:
        raise HTTPException(418)

    return await call(app)


async def test_what_the_caller_gives_may_have_a_name_for_type_checkers_alone() -> None:
    """As `if TYPE_CHECKING: from nexios import Request` leaves it."""

    async def passing(request: "Req", response: "Res", call_next: "Next"):  # type: ignore  # noqa: F821
        return await call_next()

    async def handler(request: "Request", response: "Response | None", exc: "Teapot"):  # type: ignore  # noqa: F821
        return "handled", 418

    async def listener(order: "Order") -> None: ...  # type: ignore[name-defined]  # noqa: F821

    app = NexiosApp(middleware=[passing], exception_handlers={418: handler})
    app.event_emitter.on("order.paid", listener)

    assert (await answer_of(app)).body == b"handled"


# An alias that is resolved works wherever it stands.

Db = Annotated[str, Depend(get_db)]


async def test_an_alias_that_is_found_is_injected_everywhere() -> None:
    seen: list[str] = []

    async def middleware(request: Any, response: Any, call_next: Any, db: "Db") -> Any:
        seen.append(f"middleware {db}")
        return await call_next()

    def handler(request: Any, exc: Any, db: "Db") -> str:
        seen.append(f"handler {db}")
        return "handled"

    async def listener(order: str, db: "Db") -> None:
        seen.append(f"listener {db}")

    app = NexiosApp(middleware=[middleware], exception_handlers={418: handler})
    app.event_emitter.on("order.paid", listener)
    await answer_of(app)
    await app.event_emitter.emit("order.paid", "order")

    assert seen == ["middleware db", "handler db", "listener db"]
