"""Handlers whose request and response are positional-only: called so, or refused before the first request."""

from typing import Any

import pytest

from nexios import NexiosApp, Request, Response
from nexios.errors import ConfigurationError
from nexios.testing import call


async def asynchronous(request: Request, response: Response, /) -> str:
    return "called"


def plain(request: Request, response: Response, /) -> str:
    return "called"


class Asynchronous:
    async def __call__(self, request: Request, response: Response, /) -> str:
        return "called"


class Plain:
    def __call__(self, request: Request, response: Response, /) -> str:
        return "called"


@pytest.mark.parametrize("handler", [asynchronous, Asynchronous()], ids=["function", "object"])
async def test_an_async_one_is_called(handler: Any) -> None:
    app = NexiosApp()
    app.add_route("/", handler)

    assert (await call(app)).body == b"called"


@pytest.mark.parametrize("handler", [plain, Plain()], ids=["function", "object"])
async def test_a_plain_one_is_called(handler: Any) -> None:
    app = NexiosApp()
    app.add_route("/", handler)

    assert (await call(app)).body == b"called"


def test_one_that_cannot_be_given_its_arguments_by_position_is_refused() -> None:
    async def show(request: Request, page: Any = None, item_id: int = 0, /) -> None: ...

    app = NexiosApp()
    app.add_route("/items/{item_id:int}", show)

    with pytest.raises(ConfigurationError) as caught:
        app.compile()

    assert "is positional-only, and one before it is left to its default." in str(caught.value)
    assert str(caught.value).endswith("Take the '/' out of it.\n")
