"""A member of the example `commons` in a real browser: from signing up to what is left after signing out."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.browser.headless import NEEDS_CHROMIUM, PATIENCE, headless
from tests.contract.servers import DEADLINE
from tests.examples.commons_board import Board, running
from tests.examples.commons_people import PASSWORD, picture
from tests.examples.commons_steps import MODERATOR

pytestmark = NEEDS_CHROMIUM


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with headless() as browser:
        yield browser


@pytest.fixture(params=["uvicorn", "granian"])
def board(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Board]:
    with running(request.param, tmp_path) as board:
        yield board


@pytest.fixture
def page(browser: Any, board: Board, request: pytest.FixtureRequest) -> Iterator[Any]:
    """Of someone with a browser of their own. What its policy forbids is an error, and there is none."""
    errors: list[str] = []
    with browser.new_context(base_url=board.url) as context:
        context.set_default_timeout(PATIENCE)
        context.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        context.on("weberror", lambda error: errors.append(str(error.error)))
        yield context.new_page()
    assert [error for error in errors if "401 (Unauthorized)" not in error] == []


def fill_in(page: Any, name: str, button: str) -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.locator("main").get_by_role("button", name=button).click()


def become_member(page: Any, name: str) -> None:
    page.goto("/sign-up")
    fill_in(page, name, "Sign up")
    page.get_by_text("If nobody had this name, it is yours now").wait_for()
    fill_in(page, name, "Sign in")
    page.get_by_text(f"Welcome, {name}.").wait_for()


def guest_says(board: Board, text: str) -> None:
    """Open a room, and say something in it under the name that members know."""
    with httpx2.Client(base_url=board.url, trust_env=False, timeout=DEADLINE) as guest:
        assert guest.post("/api/rooms", json={"name": "Garden"}).status_code == 201
        assert guest.post("/api/rooms/1/messages", json={"author": "Gus", "text": text}).status_code == 201


def test_a_member_from_signing_up_to_signing_out(page: Any, board: Board) -> None:
    """The first one of a board, so an editor as well. No page of theirs is left when they are gone."""
    guest_says(board, "Helo")
    become_member(page, "Ada")

    page.get_by_role("link", name="Ada").click()
    page.get_by_label("Choose one").set_input_files({"name": "me", "mimeType": "text/plain", "buffer": picture()})
    page.get_by_role("button", name="Use this picture").click()
    page.get_by_text("This is your picture now.").wait_for()
    assert page.locator("main img.avatar").evaluate("image => image.decode().then(() => image.naturalWidth)") == 8

    page.goto("/rooms/1")
    page.get_by_text("Here: Ada", exact=True).wait_for()
    page.get_by_label("Message", exact=True).fill("Hello Gus")
    page.get_by_role("button", name="Post").click()
    own = page.locator(".messages li", has_text="Hello Gus")
    own.get_by_role("link", name="Edit the message of Ada").wait_for()
    assert own.locator("img.avatar").evaluate("image => image.decode().then(() => image.naturalWidth)") == 8

    page.get_by_role("link", name="Edit the message of Gus").click()
    page.get_by_label("What Gus says").fill("Hello")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("The message says something else now.").wait_for()
    assert page.locator(".messages .text").all_inner_texts() == ["Hello", "Hello Gus"]

    page.goto("/account")
    page.get_by_role("button", name="Sign out").click()
    page.get_by_text("You have signed out.").wait_for()
    page.go_back()
    page.get_by_text("This is for members.").wait_for()
    assert "Your picture" not in page.content()
    assert page.get_by_role("button", name="Sign out").count() == 0
    page.goto("/rooms/1")
    page.get_by_label("Your name").wait_for()
    assert page.get_by_role("link", name="Edit").count() == 0


def test_an_open_room_of_somebody_who_signs_out_is_a_guests(page: Any, board: Board) -> None:
    guest_says(board, "Hello")
    become_member(page, "Ada")
    page.goto("/rooms/1")
    page.get_by_text("Here: Ada", exact=True).wait_for()
    other = page.context.new_page()
    other.goto("/")
    with page.expect_websocket(timeout=PATIENCE):
        other.get_by_role("button", name="Sign out").click()
    page.get_by_label("Message", exact=True).fill("Is this me?")
    page.get_by_role("button", name="Post").click()
    said = page.locator(".messages li", has_text="Is this me?")
    said.get_by_text("guest", exact=True).wait_for()

    answer = httpx2.get(
        f"{board.url}/api/rooms/1/messages", headers=MODERATOR, trust_env=False, timeout=DEADLINE
    ).json()
    assert answer["messages"][0]["member"] is None


def test_everything_works_with_the_keyboard_and_without_scripts(browser: Any, board: Board) -> None:
    with browser.new_context(base_url=board.url, java_script_enabled=False) as context:
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.goto("/sign-up")
        for heading in ("Sign up", "Sign in"):
            page.get_by_role("heading", name=heading).wait_for()
            page.locator("#name:focus").wait_for()
            page.keyboard.type("Ada")
            page.keyboard.press("Tab")
            page.keyboard.type(PASSWORD)
            page.keyboard.press("Tab")
            page.keyboard.press("Enter")
        page.get_by_text("Welcome, Ada.").wait_for()

        assert page.get_by_role("navigation", name="Account").get_by_role("link").count() == 2


def test_the_pages_of_members_fit_a_small_phone(page: Any, browser: Any, board: Board) -> None:
    become_member(page, "Ada-with-a-name-that-is-quite-long")
    cookies = page.context.storage_state()
    phone = {"viewport": {"width": 320, "height": 640}, "storage_state": cookies, "base_url": board.url}
    for scheme in ("light", "dark"):
        with browser.new_context(color_scheme=scheme, **phone) as context:
            context.set_default_timeout(PATIENCE)
            small = context.new_page()
            for path in ("/sign-up", "/sign-in", "/account", "/members"):
                small.goto(path)

                assert small.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
