"""The example `commons` in a real browser: two people in a room, a network that drops, and what is new on the board."""

import random
import re
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.browser.headless import NEEDS_CHROMIUM, PATIENCE, headless
from tests.contract.servers import DEADLINE
from tests.examples.commons_board import Board, running
from tests.examples.commons_steps import MODERATOR

pytestmark = NEEDS_CHROMIUM

NOTE_VIOLATIONS = """
globalThis.violations = [];
addEventListener("securitypolicyviolation", (event) => violations.push(event.violatedDirective));
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with headless() as browser:
        yield browser


@pytest.fixture(scope="module", params=["uvicorn", "granian"])
def board(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    with running(request.param, tmp_path_factory.mktemp("board")) as board:
        yield board


@pytest.fixture
def room(board: Board, request: pytest.FixtureRequest) -> str:
    return new_room(board, request.node.name[-60:])


@contextmanager
def person(browser: Any, url: str, name: str = "", **options: Any) -> Iterator[Any]:
    """Someone with a browser of their own, in a room. No error is reported meanwhile, but of a network that is gone."""
    errors: list[str] = []
    with browser.new_context(**options) as context:
        context.set_default_timeout(PATIENCE)
        context.add_init_script(NOTE_VIOLATIONS)
        context.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        context.on("weberror", lambda error: errors.append(str(error.error)))
        page = context.new_page()
        page.goto(url)
        if name:
            page.get_by_label("Your name").fill(name)
            page.get_by_label("Your name").blur()
            page.get_by_text(re.compile(f"Here: .*{name}")).wait_for()
        yield page
        assert page.evaluate("globalThis.violations ?? []") == []
    assert [error for error in errors if "WebSocket connection to" not in error] == []


def new_room(board: Board, name: str) -> str:
    """Open a room, and return where its page is."""
    response = httpx2.post(f"{board.url}/api/rooms", json={"name": name}, trust_env=False, timeout=DEADLINE)
    assert response.status_code == 201
    return f"{board.url}{response.headers['location'].removeprefix('/api')}"


def say(page: Any, text: str) -> None:
    page.get_by_label("Message", exact=True).fill(text)
    page.get_by_role("button", name="Post").click()


def said(page: Any) -> list[str]:
    """What the page shows, from top to bottom."""
    texts: list[str] = page.locator(".messages .text").all_inner_texts()
    return texts


def test_two_people_talk_and_see_each_other(browser: Any, room: str) -> None:
    with person(browser, room, "Ada") as ada:
        with person(browser, room, "Bob") as bob:
            ada.get_by_text("Here: Ada, Bob").wait_for()
            ada.get_by_label("Message", exact=True).press_sequentially("Hello")
            bob.get_by_text("Ada is writing").wait_for()
            say(ada, "<b>Hello</b> Bob")
            bob.get_by_text("<b>Hello</b> Bob").wait_for()
            bob.get_by_text("Ada is writing").wait_for(state="hidden")
            say(bob, "Hello Ada")
            ada.get_by_text("Hello Ada").wait_for()

            assert said(ada) == said(bob) == ["<b>Hello</b> Bob", "Hello Ada"]
            assert ada.get_by_label("Message", exact=True).input_value() == ""
            ada.get_by_text("2 messages").wait_for()
        ada.get_by_text("Here: Ada", exact=True).wait_for()


def test_a_page_that_is_loaded_again_shows_all_and_goes_on(browser: Any, room: str) -> None:
    with person(browser, room, "Ada") as ada, person(browser, room, "Bob") as bob:
        say(ada, "one")
        bob.get_by_text("one", exact=True).wait_for()
        bob.reload()
        bob.get_by_text("Here: Ada, Bob").wait_for()
        say(ada, "two")
        bob.get_by_text("two", exact=True).wait_for()

        assert said(bob) == ["one", "two"]


def test_a_network_that_drops_costs_nothing(browser: Any, room: str) -> None:
    """What was said meanwhile comes in order and once; what one wants to say waits for the network."""
    with person(browser, room, "Ada") as ada, person(browser, room, "Bob") as bob:
        say(bob, "before")
        ada.get_by_text("before").wait_for()
        ada.context.set_offline(True)
        ada.get_by_text("Not connected").wait_for()
        for text in ("while away", "and again"):
            say(bob, text)
            bob.locator(".messages").get_by_text(text).wait_for()
        say(ada, "from afar")
        ada.get_by_text("is sent as soon as you are").wait_for()
        ada.context.set_offline(False)
        ada.locator(".messages").get_by_text("from afar").wait_for()
        bob.locator(".messages").get_by_text("from afar").wait_for()

        assert said(ada) == said(bob) == ["before", "while away", "and again", "from afar"]
        ada.get_by_text("Connected", exact=True).wait_for()


def test_what_is_deleted_goes_from_all_pages(browser: Any, room: str) -> None:
    """Bob moderates: his browser shows the token of the board."""
    moderating = person(browser, room, "Bob", extra_http_headers=MODERATOR)
    with person(browser, room, "Ada") as ada, moderating as bob:
        say(ada, "a slip")
        bob.get_by_text("a slip").wait_for()
        bob.get_by_role("button", name="Delete the message of Ada").click()
        ada.get_by_text("a slip").wait_for(state="detached")
        assert said(bob) == said(ada) == []
        bob.get_by_text("Manage").click()
        bob.get_by_role("button", name="Delete this room").click()
        ada.get_by_text("This room was deleted.").wait_for()


def test_without_scripts_the_forms_work_and_live_pages_hear_of_it(browser: Any, room: str) -> None:
    with person(browser, room, "Ada") as ada, person(browser, room, java_script_enabled=False) as plain:
        plain.get_by_label("Your name").fill("Bob")
        say(plain, "by the form")
        plain.get_by_text("Your message is there").wait_for()
        ada.get_by_text("by the form").wait_for()

        assert said(plain) == said(ada) == ["by the form"]


def test_a_file_goes_by_the_form_and_comes_live(browser: Any, room: str) -> None:
    with person(browser, room, "Ada") as ada, person(browser, room, "Bob") as bob:
        bob.get_by_label("File").set_input_files({"name": "plan.txt", "mimeType": "text/plain", "buffer": b"roses"})
        bob.get_by_label("Caption").fill("The plan")
        say(bob, "See the plan")
        link = ada.get_by_role("link", name="The plan")
        link.wait_for()

        assert (
            httpx2.get(ada.evaluate("link => link.href", link.element_handle()), trust_env=False, timeout=DEADLINE).text
            == "roses"
        )


def test_the_first_page_shows_what_is_new_in_all_rooms(browser: Any, board: Board, room: str) -> None:
    with person(browser, board.url) as visitor, person(browser, room, "Ada") as ada:
        say(ada, "<i>news</i>")
        visitor.get_by_text("<i>news</i>").wait_for()
        visitor.reload()
        visitor.get_by_text("<i>news</i>").wait_for()
        visitor.locator("#activity a").first.click()
        visitor.get_by_text("Connected", exact=True).wait_for()

        assert visitor.url.startswith(f"{room}#message-")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_room_fits_a_small_phone(browser: Any, room: str, scheme: str) -> None:
    phone = {"viewport": {"width": 320, "height": 640}, "color_scheme": scheme}
    with person(browser, room, "Ada-with-a-name-that-is-quite-long", **phone) as ada:
        say(ada, "A-word-that-has-no-end-and-goes-on-and-on-and-on-and-on-and-on-and-on")
        ada.locator(".messages .text").wait_for()

        assert ada.evaluate("document.documentElement.scrollWidth <= innerWidth")


def quiet_port() -> int:
    """A port that is free, and stays so between two servers: no system gives one of these to whoever asks for any."""
    for port in random.sample(range(20_000, 30_000), 50):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError("there is no free port")


def test_a_server_that_starts_again_is_found_again(browser: Any, tmp_path: Path) -> None:
    """What was said is in the store; that the channels forgot it, in memory, is said on the page."""
    options = ["--port", str(quiet_port())]
    with running("uvicorn", tmp_path, options=options) as first:
        room = new_room(first, "Garden")
        with person(browser, room, "Ada") as ada:
            say(ada, "before")
            ada.locator(".messages").get_by_text("before").wait_for()
            first.end(signal.SIGTERM)
            ada.get_by_text("Not connected").wait_for()
            with running("uvicorn", tmp_path, options=options):
                ada.get_by_text("Connected", exact=True).wait_for()
                ada.get_by_role("link", name="Load the page again").click()
                ada.get_by_text("Here: Ada").wait_for()
                say(ada, "after")
                ada.locator(".messages").get_by_text("after").wait_for()

                assert said(ada) == ["before", "after"]
