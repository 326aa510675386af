"""What a test sees of an app that fails."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from nexios import NexiosApp
from nexios.errors import HTTPException
from nexios.testing import TestClient

INTERFACES = pytest.mark.parametrize("interface", ["memory", "asgi"])


def failing_app() -> NexiosApp:
    app = NexiosApp()

    @app.get("/boom")
    async def boom(request: Any, response: Any) -> Any:
        raise KeyError("mine")

    @app.get("/refused")
    async def refused(request: Any, response: Any) -> Any:
        raise HTTPException(418)

    @app.get("/known")
    async def known(request: Any, response: Any) -> Any:
        raise ZeroDivisionError

    @app.get("/badly")
    async def badly(request: Any, response: Any) -> Any:
        raise ArithmeticError

    @app.get("/half")
    async def half(request: Any, response: Any) -> Any:
        async def chunks() -> AsyncIterator[str]:
            yield "half"
            raise KeyError("mine")

        return response.stream(chunks(), "text/plain")

    @app.exception_handler(ZeroDivisionError)
    async def on_division(request: Any, response: Any, exc: Exception) -> Any:
        return response.text("handled", 409)

    @app.exception_handler(ArithmeticError)
    async def on_arithmetic(request: Any, response: Any, exc: Exception) -> Any:
        raise LookupError("the handler's own")

    return app


@INTERFACES
async def test_an_unhandled_exception_is_raised_with_its_own_traceback(interface: Any) -> None:
    async with TestClient(failing_app(), interface=interface) as client:
        with pytest.raises(KeyError, match="mine") as caught:
            await client.get("/boom")
        assert caught.traceback[-1].name == "boom"
        assert (await client.get("/refused")).status_code == 418


@INTERFACES
async def test_without_raising_there_is_the_500(interface: Any) -> None:
    async with TestClient(failing_app(), interface=interface, raise_app_exceptions=False) as client:
        response = await client.get("/boom")
        assert response.status_code == 500
        assert "mine" not in response.text


@INTERFACES
async def test_a_handled_exception_and_an_http_error_are_responses(interface: Any) -> None:
    async with TestClient(failing_app(), interface=interface) as client:
        assert (await client.get("/refused")).status_code == 418
        assert (await client.get("/known")).text == "handled"
        assert (await client.get("/nothing")).status_code == 404


@INTERFACES
async def test_an_exception_handler_that_fails_is_told_of(interface: Any) -> None:
    async with TestClient(failing_app(), interface=interface) as client:
        with pytest.raises(LookupError, match="the handler's own"):
            await client.get("/badly")


async def test_the_page_for_the_unexpected_is_seen_without_raising() -> None:
    app = failing_app()

    @app.exception_handler(Exception)
    async def on_anything(request: Any, response: Any, exc: Exception) -> Any:
        return response.text("sorry", 500)

    async with TestClient(app, raise_app_exceptions=False) as client:
        assert (await client.get("/boom")).text == "sorry"
    async with TestClient(app) as client:
        with pytest.raises(KeyError, match="mine"):
            await client.get("/boom")


@INTERFACES
async def test_a_response_that_breaks_off_is_no_response(interface: Any) -> None:
    async with TestClient(failing_app(), interface=interface) as client:
        with pytest.raises(KeyError, match="mine"):
            await client.get("/half")
    async with TestClient(failing_app(), interface=interface, raise_app_exceptions=False) as client:
        with pytest.raises(httpx2.RemoteProtocolError, match="broke off"):
            await client.get("/half")


async def test_errors_of_a_mounted_app_are_raised_too() -> None:
    outer = NexiosApp()
    outer.mount("/inner", failing_app())
    async with TestClient(outer) as client:
        with pytest.raises(KeyError, match="mine"):
            await client.get("/inner/boom")


async def test_each_client_hears_of_its_own_errors() -> None:
    app = failing_app()
    async with TestClient(app) as one, TestClient(app, raise_app_exceptions=False) as two:
        results = await asyncio.gather(one.get("/boom"), two.get("/boom"), one.get("/known"), return_exceptions=True)
    assert isinstance(results[0], KeyError)
    assert [result.status_code for result in results[1:]] == [500, 409]  # type: ignore[union-attr]
    assert not app.event_emitter.has_listeners("error")


async def test_a_client_hears_of_errors_after_another_has_left() -> None:
    app = failing_app()
    async with TestClient(app) as one:
        async with TestClient(app):
            pass
        with pytest.raises(KeyError, match="mine"):
            await one.get("/boom")


async def test_a_page_for_the_unexpected_may_be_a_stream() -> None:
    app = failing_app()

    @app.exception_handler(500)
    async def on_anything(request: Any, response: Any, exc: Exception) -> Any:
        async def chunks() -> AsyncIterator[str]:
            for _ in range(10):
                await asyncio.sleep(0)
                yield "sorry"

        return response.stream(chunks(), "text/plain").status(500)

    async with TestClient(app, raise_app_exceptions=False) as client:
        assert (await client.get("/boom")).text == "sorry" * 10


async def test_an_app_that_does_nothing_is_a_timeout() -> None:
    app = NexiosApp()
    cancelled: list[bool] = []

    @app.get("/")
    async def wait(request: Any, response: Any) -> Any:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.append(True)

    async with TestClient(app, timeout=0.01) as client:
        with pytest.raises(httpx2.ReadTimeout, match=r"0\.01"):
            await client.get("/")
    assert cancelled == [True]
