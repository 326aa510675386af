"""Does the client of the page on presence and resume do in a browser what the page says?"""

import re
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import httpx2
import pytest

from tests.browser.headless import NEEDS_CHROMIUM, PATIENCE
from tests.contract.servers import DEADLINE, SERVERS, Running, running

sync_api: Any = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

UVICORN = next(server for server in SERVERS if server.name == "uvicorn-h11")

pytestmark = [
    *NEEDS_CHROMIUM,
    pytest.mark.skipif(find_spec("websockets") is None, reason="uvicorn needs websockets"),
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("room")
    with running(UVICORN, "tests.browser.room_page_app:app", folder, {"ROOM_FOLDER": str(folder)}) as server:
        yield server


def enter(browser: Any, site: Running, user: str) -> Any:
    """Open the page as a user, in a browser of its own."""
    page = browser.new_context().new_page()
    page.set_default_timeout(PATIENCE)
    page.on("dialog", lambda dialog: dialog.accept(user))
    page.goto(f"{site.url}/")
    return page


def expect_text(page: Any, selector: str, text: str) -> None:
    """Wait until an element has a text."""
    sync_api.expect(page.locator(selector)).to_have_text(text, timeout=PATIENCE)


def test_two_windows_see_each_other_and_miss_nothing_when_the_network_drops(browser: Any, site: Running) -> None:
    ada = enter(browser, site, "ada")
    expect_text(ada, "#here", "ada")
    bob = enter(browser, site, "bob")
    expect_text(ada, "#here", "ada, bob")
    ada.locator("#text").fill("hello")
    ada.locator("#text").press("Enter")
    sync_api.expect(bob.locator("#said li")).to_have_text(["ada: hello"], timeout=PATIENCE)

    dropped = httpx2.post(f"{site.url}/drop", trust_env=False, timeout=DEADLINE).json()
    for number in range(5):
        httpx2.post(f"{site.url}/say/{number}", trust_env=False, timeout=DEADLINE)

    assert dropped == 2
    everything = ["ada: hello", *(f"server: {number}" for number in range(5))]
    for page in (ada, bob):
        expect_text(page, "#status", "open")
        sync_api.expect(page.locator("#said li")).to_have_text(everything, timeout=PATIENCE)
    sync_api.expect(bob.locator("#here")).to_have_text(re.compile("ada, bob|bob, ada"), timeout=PATIENCE)
    bob.context.close()
    expect_text(ada, "#here", "ada")
    ada.context.close()


def test_who_is_put_out_does_not_come_back(browser: Any, site: Running) -> None:
    ada = enter(browser, site, "ada")
    expect_text(ada, "#status", "open")

    httpx2.post(f"{site.url}/expel/ada", trust_env=False, timeout=DEADLINE).raise_for_status()

    expect_text(ada, "#status", "refused")
    ada.context.close()


def test_what_does_not_fit_is_told_and_is_no_message(browser: Any, site: Running) -> None:
    page = enter(browser, site, "ada")

    heard = page.evaluate(
        """async () => {
            const { joinRoom } = await import("/room-client.js");
            const heard = [];
            return await new Promise((resolve) => {
                const room = joinRoom("/typed/rooms/1?user=ada", {
                    onStatus: () => room.send({ type: "say", words: "hello" }),
                    onError({ errors }) {
                        heard.push(errors[0].pointer);
                        room.send({ type: "say", text: "hello" });
                    },
                    onMessage: ({ data }) => { heard.push(data.text); room.leave(); resolve(heard); },
                });
            });
        }"""
    )

    assert heard == ["/text", "hello"]
    page.context.close()


def test_a_handler_that_returns_at_once_is_asked_less_and_less_often(browser: Any, site: Running) -> None:
    page = enter(browser, site, "ada")

    waits = page.evaluate(
        """async () => {
            const { joinRoom } = await import("/room-client.js");
            const waits = [], later = window.setTimeout;
            return await new Promise((resolve) => {
                window.setTimeout = (call, wait) => { if (wait < 10_000) waits.push(wait); return later(call, wait); };
                const room = joinRoom("/quits?user=ada", {
                    onMessage() {},
                    onStatus: () => { if (waits.length >= 3) { room.leave(); resolve(waits); } },
                });
            });
        }"""
    )

    assert [low <= wait <= 2 * low for low, wait in zip((125, 250, 500), waits, strict=False)] == [True, True, True]
    page.context.close()
