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
def test_a_plain_one_is_refused_when_the_app_compiles(handler: Any) -> None:
    """Its arguments are given by name, so every request would be a 500."""
    app = NexiosApp()
    app.add_route("/", handler)

    with pytest.raises(ConfigurationError) as caught:
        app.compile()

    text = str(caught.value)
    assert "is positional-only, and arguments are given by name." in text
    assert text.endswith("Take the '/' out of it.\n")
