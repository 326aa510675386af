"""Bodies that are made while they are read, both ways, and clients that leave in the middle."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from nexios import NexiosApp
from nexios.errors import ClientDisconnect
from nexios.testing import TestClient

INTERFACES = pytest.mark.parametrize("interface", ["memory", "asgi"])


class Site:
    """An app, and what happened in it."""

    def __init__(self) -> None:
        self.app = NexiosApp()
        self.got: list[bytes] = []
        self.sent: list[int] = []
        self.ended: list[str] = []
        self.app.add_route("/numbers", self.numbers)
        self.app.add_route("/upload", self.upload, methods=["POST"])
        self.app.add_route("/both", self.both, methods=["POST"])

    async def numbers(self, request: Any, response: Any) -> Any:
        async def each() -> AsyncIterator[str]:
            try:
                for number in range(1000):
                    self.sent.append(number)
                    yield f"{number}\n"
            finally:
                self.ended.append("stream")

        return response.stream(each(), "text/plain")

    async def upload(self, request: Any, response: Any) -> Any:
        try:
            async for chunk in request.stream():
                self.got.append(chunk)
        except ClientDisconnect:
            self.ended.append("left")
            raise
        return response.text("whole")

    async def both(self, request: Any, response: Any) -> Any:
        async def echo() -> AsyncIterator[bytes]:
            async for chunk in request.stream():
                yield chunk.upper()

        return response.stream(echo(), "text/plain")


@INTERFACES
async def test_a_response_is_read_while_it_is_made(interface: Any) -> None:
    site = Site()
    async with TestClient(site.app, interface=interface) as client:
        async with client.stream("GET", "/numbers") as response:
            lines = response.aiter_lines()
            assert [await anext(lines), await anext(lines)] == ["0", "1"]
            assert len(site.sent) < 10
            assert response.status_code == 200


@INTERFACES
async def test_leaving_the_block_is_a_client_that_goes_away(interface: Any) -> None:
    site = Site()
    async with TestClient(site.app, interface=interface) as client:
        async with client.stream("GET", "/numbers"):
            pass
        assert site.ended == ["stream"]
        assert len(site.sent) < 10


@INTERFACES
async def test_both_bodies_at_once(interface: Any) -> None:
    site = Site()
    heard = asyncio.Event()

    async def talk() -> AsyncIterator[bytes]:
        yield b"a"
        await heard.wait()
        yield b"b"

    async with TestClient(site.app, interface=interface) as client:
        async with client.stream("POST", "/both", content=talk()) as response:
            chunks = response.aiter_raw()
            assert await anext(chunks) == b"A"
            heard.set()
            assert [chunk async for chunk in chunks] == [b"B"]


@INTERFACES
async def test_a_client_that_leaves_in_the_middle_of_its_body(interface: Any) -> None:
    site = Site()
    async with TestClient(site.app, interface=interface) as client:
        got = await client.disconnect_after("POST", "/upload", sent=5, content=[b"abc", b"def", b"ghi"])
    assert got == b""
    assert (site.got, site.ended) == ([b"abc", b"de"], ["left"])


@INTERFACES
async def test_a_client_that_leaves_in_the_middle_of_the_response(interface: Any) -> None:
    site = Site()
    async with TestClient(site.app, interface=interface) as client:
        assert await client.disconnect_after("GET", "/numbers", received=3) == b"0\n1"
    assert site.ended == ["stream"]
    assert len(site.sent) < 10


async def test_a_client_that_is_slower_than_the_app_gets_the_whole_response() -> None:
    site = Site()
    async with TestClient(site.app) as client:
        assert await client.disconnect_after("POST", "/upload", sent=100, content=b"abc") == b"whole"
    assert site.ended == []


async def test_a_body_that_fails_raises_its_own_exception() -> None:
    site = Site()

    async def failing() -> AsyncIterator[bytes]:
        yield b"a"
        raise LookupError("the test's own")

    async with TestClient(site.app) as client:
        with pytest.raises(LookupError, match="the test's own"):
            await client.post("/upload", content=failing())
    assert site.ended == ["left"]


async def test_a_stream_that_is_open_ends_with_the_client() -> None:
    site = Site()
    async with TestClient(site.app) as client:
        response = await client.stream("GET", "/numbers").__aenter__()
        assert response.status_code == 200
    assert site.ended == ["stream"]


async def test_a_stream_needs_a_client_that_is_entered() -> None:
    site = Site()
    with pytest.raises(RuntimeError, match="enter the client first"):
        async with TestClient(site.app).stream("GET", "/numbers"):
            raise AssertionError("not reached")
    with pytest.raises(RuntimeError, match="enter the client first"):
        with TestClient(site.app).stream("GET", "/numbers"):
            raise AssertionError("not reached")


def test_a_synchronous_test_reads_a_response_while_it_is_made() -> None:
    site = Site()
    with TestClient(site.app) as client:
        with client.stream("GET", "/numbers") as response:
            lines = response.iter_lines()
            assert [next(lines), next(lines)] == ["0", "1"]
            assert len(site.sent) < 10
        assert site.ended == ["stream"]


def test_a_synchronous_test_sends_chunks() -> None:
    site = Site()
    with TestClient(site.app) as client:
        assert client.post("/upload", content=iter((b"a", b"b"))).text == "whole"
        assert client.disconnect_after("POST", "/upload", sent=1, content=b"abc") == b""
    assert site.got == [b"a", b"b", b"a"]


async def test_no_task_is_left_behind() -> None:
    site = Site()
    before = asyncio.all_tasks()
    async with TestClient(site.app) as client:
        await client.get("/numbers")
        await client.disconnect_after("GET", "/numbers", received=1)
        await client.disconnect_after("POST", "/upload", sent=1, content=b"abc")
    for _ in range(3):
        await asyncio.sleep(0)
    assert asyncio.all_tasks() == before
