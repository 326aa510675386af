"""The WebSocket snippet of the founding document, under every server, with Chromium as its client."""

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from tests.browser.headless import NEEDS_CHROMIUM, headless
from tests.contract.servers import DEADLINE, Running, eventually

pytestmark = NEEDS_CHROMIUM

OPEN = """
([url, name]) => new Promise((opened) => {
  const socket = (globalThis[name] = new WebSocket(url));
  socket.got = [];
  socket.onmessage = ({ data }) => socket.got.push(JSON.parse(data));
  socket.onopen = opened;
})
"""
GOT = "([name, count]) => globalThis[name].got.length >= count && globalThis[name].got"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with headless() as browser:
        yield browser


def test_two_pages_in_a_room_hear_each_other(browser: Any, site: Running) -> None:
    with browser.new_context() as context:
        url = f"{site.url.replace('http', 'ws', 1)}/ws/browser"
        pages = [context.new_page() for _ in range(2)]
        for page in pages:
            page.goto(site.url)
            page.evaluate(OPEN, [url, "socket"])
        until(site, "browser", 2)
        pages[0].evaluate("socket.send(JSON.stringify({ text: 'from one' }))")
        pages[1].wait_for_function(GOT, arg=["socket", 1])
        pages[1].evaluate("socket.send(JSON.stringify({ text: 'from two' }))")
        got = [page.wait_for_function(GOT, arg=["socket", 2]).json_value() for page in pages]
        pages[1].close()
        until(site, "browser", 1)

    assert got == [[{"text": "from one"}, {"text": "from two"}]] * 2


def test_a_page_of_another_origin_is_kept_out(browser: Any, site: Running) -> None:
    """The browser says where the page is from; localhost is another host than 127.0.0.1."""
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(site.url.replace("127.0.0.1", "localhost"))
        url = f"{site.url.replace('http', 'ws', 1)}/ws/foreign"
        code = page.evaluate("url => new Promise((told) => (new WebSocket(url).onclose = (e) => told(e.code)))", url)

    assert code == 1006


def until(site: Running, room: str, number: int) -> None:
    """Wait until so many are in a room: a server tells its application of an end after the client knows."""
    eventually(
        lambda: httpx2.get(f"{site.url}/members/{room}", trust_env=False, timeout=DEADLINE).json() == number,
        f"{number} in {room}",
    )
