"""Does a browser's own EventSource hear all of a channel, once and in order, whenever its connection ends?"""

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from tests.browser.headless import NEEDS_CHROMIUM, PATIENCE, headless
from tests.contract.servers import DEADLINE, SERVERS, Running, running

pytestmark = NEEDS_CHROMIUM

UVICORN = next(server for server in SERVERS if server.name == "uvicorn-h11")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(UVICORN, "tests.browser.event_source_app:app", tmp_path_factory.mktemp("news"), {}) as server:
        yield server


@pytest.fixture
def page(site: Running) -> Iterator[Any]:
    with headless() as browser:
        page = browser.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(f"{site.url}/")
        yield page


def test_what_is_published_while_it_is_away_arrives_once_and_in_order(site: Running, page: Any) -> None:
    """The first time it is away before it has got anything: it knows the number to go on from all the same."""

    def post(path: str, text: str) -> int:
        number: int = httpx2.post(f"{site.url}{path}", content=text, trust_env=False, timeout=DEADLINE).json()
        return number

    def wait_until(statement: str) -> None:
        page.wait_for_function(statement, polling=20)  # and not when a frame is drawn

    def wait_for_opening(times: int) -> None:
        wait_until(f"opened.textContent === '{times}'")

    wait_for_opening(1)
    expected: list[str] = []
    for number in range(4):
        assert post("/drop-and-say", f"away {number}") == 1
        wait_for_opening(number + 2)
        post("/say", f"here {number}")
        expected += [f"away {number}", f"said: here {number}"]
        wait_until(f"got.children.length >= {len(expected)}")

    assert page.locator("#got li").all_text_contents() == expected
