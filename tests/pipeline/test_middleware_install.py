"""What `add_middleware` is given: made once, in a working order, or refused with the lines to write."""

import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import pytest

from nexios import NexiosApp, Request, Response
from nexios._pipeline.middleware import BaseMiddleware, CallNext
from nexios.errors import ConfigurationError
from nexios.testing.raw import call


class Mark(BaseMiddleware):
    """Writes its name into a list on the way in and out."""

    def __init__(self, name: str, log: list[str] | None = None) -> None:
        self.name = name
        self.log = log if log is not None else []

    async def __call__(self, request: Request, response: Response, call_next: CallNext) -> Response:
        self.log.append(f"{self.name} in")
        answer: Response = await call_next()
        self.log.append(f"{self.name} out")
        return answer.set_header(f"x-{self.name}", "1")


async def handle(request: Request, response: Response) -> str:
    return "handled"


def app_with(*middleware: object, **options: Any) -> NexiosApp:
    app = NexiosApp(middleware=middleware, **options)
    app.add_route("/", handle)
    return app


class First(Mark):
    """Something that others need."""


class Second(Mark):
    requires = (First,)


async def test_a_requirement_that_is_met_earlier_is_fine() -> None:
    app = app_with(First("first"))
    app.add_route("/b", handle, middleware=[Second("second")])

    answer = await call(app, path="/b")

    assert (answer.header("x-first"), answer.header("x-second")) == ("1", "1")


def test_a_requirement_that_comes_later_is_refused_with_the_lines_to_swap() -> None:
    app = NexiosApp()
    app.add_middleware(Second, "second")
    app.add_middleware(First, "first")

    with pytest.raises(ConfigurationError) as caught:
        app.compile()

    assert str(caught.value) == (
        "The app cannot be compiled: Second needs First before it, and it is added after Second.\n"
        "\n"
        "Middleware runs in the order it is added. Put this line first:\n"
        "\n"
        "    add_middleware(First, ...)\n"
        "    add_middleware(Second, ...)\n"
    )


def test_a_requirement_that_is_never_met_is_refused() -> None:
    app = NexiosApp()
    app.add_route("/items", handle, middleware=[Second("second")])

    with pytest.raises(
        ConfigurationError, match="/items cannot be compiled: Second needs First before it, and it was never added"
    ):
        app.compile()


def test_an_option_that_the_class_does_not_know_is_refused() -> None:
    app = NexiosApp()
    app.add_middleware(Mark, "a", colour="red")

    with pytest.raises(ConfigurationError) as caught:
        app.compile()

    assert str(caught.value).startswith("Mark cannot be made: ")
    assert "unexpected keyword argument 'colour'" in str(caught.value)
    assert "Its options are: name, log." in str(caught.value)
    assert re.search(r"test_middleware_install\.py:\d+$", str(caught.value))


def test_options_for_what_is_no_class_are_refused() -> None:
    app = NexiosApp()
    app.add_middleware(Mark("a"), colour="red")

    with pytest.raises(ConfigurationError, match="Mark is no class, so it takes no options; pass it alone"):
        app.compile()


async def takes_two(request: Request, response: Response) -> Any: ...


def is_not_async(request: Request, response: Response, call_next: CallNext) -> Any: ...


class Abstract(BaseMiddleware):
    """Without a __call__."""


class NotCallable:
    """A class, and nothing else."""


@pytest.mark.parametrize(
    "given", [takes_two, is_not_async, NotCallable, NotCallable(), "text", None, 7, dict, int, type]
)
def test_what_is_no_middleware_is_refused_with_the_form_to_write(given: object) -> None:
    with pytest.raises(ConfigurationError) as caught:
        app_with(given).compile()

    text = str(caught.value)
    assert "is no middleware" in text or "cannot be made" in text


def test_the_form_to_write_is_shown() -> None:
    with pytest.raises(ConfigurationError) as caught:
        app_with(takes_two).compile()

    assert str(caught.value) == (
        f"{__name__}.takes_two is no middleware. Write it as:\n"
        "\n"
        "    async def middleware(request, response, call_next):\n"
        "        return await call_next()\n"
    )


def test_a_middleware_without_call_cannot_be_made() -> None:
    with pytest.raises(ConfigurationError, match=r"Abstract has no __call__\. Write it as:"):
        app_with(Abstract).compile()


def test_an_asgi_middleware_is_told_to_wrap_the_app() -> None:
    class GZip:
        def __init__(self, app: Callable[..., Awaitable[None]], minimum: int = 500) -> None: ...

        async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None: ...

    app = NexiosApp()
    app.add_middleware(GZip, minimum=1)

    with pytest.raises(ConfigurationError, match="GZip is an ASGI middleware, which wraps the app from outside:"):
        app.compile()
