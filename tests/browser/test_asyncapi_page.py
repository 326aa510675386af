"""The AsyncAPI page in a real browser: does it show what there is, talk to it, and keep to itself?"""

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import pytest

from tests.browser.headless import NEEDS_CHROMIUM
from tests.browser.visits import Visit
from tests.contract.servers import SERVERS, Running, running

UVICORN = next(server for server in SERVERS if server.name == "uvicorn-h11")
PREFIXES = ["", "/inner"]

pytestmark = [
    *NEEDS_CHROMIUM,
    pytest.mark.skipif(find_spec("uvicorn") is None, reason="uvicorn is not installed"),
    pytest.mark.skipif(find_spec("websockets") is None, reason="uvicorn serves WebSockets with websockets"),
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(UVICORN, "tests.browser.asyncapi_app:app", tmp_path_factory.mktemp("asyncapi"), {}) as server:
        yield server


@pytest.fixture
def visit(browser: Any, site: Running) -> Iterator[Visit]:
    with browser.new_context(viewport={"width": 1300, "height": 900}, service_workers="block") as context:
        yield Visit(context, site.url)


class Console:
    """One channel of the page."""

    def __init__(self, visit: Visit, path: str, name: str) -> None:
        page = visit.go(path)
        self.section = page.locator(f"#channel-{name}")
        self.section.wait_for()
        self.log = self.section.get_by_role("log")

    def click(self, name: str) -> None:
        self.section.get_by_role("button", name=name, exact=True).click()

    def says(self, text: str) -> None:
        """Wait until the log has it."""
        self.log.get_by_text(text).first.wait_for()

    def is_in_state(self, text: str) -> None:
        self.section.get_by_role("status").get_by_text(text, exact=True).wait_for()

    def send(self, text: str) -> None:
        self.section.get_by_label("Text to send").fill(text)
        self.click("Send")


def test_the_page_shows_channels_messages_and_examples(visit: Visit) -> None:
    console = Console(visit, "/docs/asyncapi", "room")
    page = visit.page

    assert page.locator("h1").inner_text() == "Rooms 1.0"
    assert page.get_by_role("navigation").get_by_role("link").all_inner_texts() == ["/rooms/{room_id}", "/ticks"]
    assert console.section.locator("h3").all_inner_texts() == [
        "In the path",
        "In the query",
        "It receives",
        "It answers what does not fit",
        "It sends",
        "Try it",
    ]
    console.section.get_by_text("said", exact=True).first.click()
    console.section.get_by_text('"loud": true').first.wait_for()
    console.section.get_by_text("error", exact=True).first.click()
    console.section.get_by_text("Fields of MessageError").click()
    console.section.get_by_text("A JSON Pointer").wait_for()
    visit.expect_nothing_noted()


@pytest.mark.parametrize("prefix", PREFIXES)
def test_the_console_talks_to_a_websocket(visit: Visit, prefix: str) -> None:
    console = Console(visit, f"{prefix}/docs/asyncapi", "room")

    console.section.get_by_label("room_id (path)").fill("31")
    console.section.get_by_label("loud (query)").fill("true")
    assert console.section.locator(".address").inner_text().endswith(f"{prefix}/rooms/31?loud=true")
    console.click("Connect")
    console.is_in_state("Connected")
    assert '"text": "good morning"' in console.section.get_by_label("Text to send").input_value()
    console.click("Send")
    console.says('"room": 31')
    console.send('{"type": "say"}')
    console.says('"pointer": "/text"')
    console.send('{"type": "say", "text": "bye"}')
    console.says("4001")
    console.says("see you")

    console.is_in_state("Not connected")
    directions = console.log.locator("strong").all_inner_texts()
    assert directions == ["connecting", "opened", "sent", "received", "sent", "received", "sent", "closed"]
    assert all(time.count(":") == 2 for time in console.log.locator("time").all_inner_texts())
    visit.expect_nothing_noted()


def test_the_console_closes_and_connects_again(visit: Visit) -> None:
    console = Console(visit, "/docs/asyncapi", "room")

    for _ in range(2):
        console.click("Connect")
        console.is_in_state("Connected")
        console.click("Disconnect")
        console.is_in_state("Not connected")
    assert console.log.get_by_text("1000").count() == 2
    console.click("Clear")

    assert console.log.locator("li").count() == 0
    visit.expect_nothing_noted()


def test_an_empty_field_that_has_to_be_filled_in_is_marked_and_told(visit: Visit) -> None:
    console = Console(visit, "/docs/asyncapi", "room")
    field = console.section.get_by_label("room_id (path)")

    field.fill("")
    console.click("Connect")
    console.says("fill in room_id (path)")
    assert field.get_attribute("aria-invalid") == "true"
    assert field.evaluate("one => document.activeElement === one")
    console.is_in_state("Not connected")

    field.fill("31")
    assert field.get_attribute("aria-invalid") is None
    console.click("Connect")
    console.is_in_state("Connected")
    visit.expect_nothing_noted()


def test_what_is_denied_is_told(visit: Visit) -> None:
    console = Console(visit, "/docs/asyncapi", "room")

    console.section.get_by_label("room_id (path)").fill("nothing")
    console.click("Connect")
    console.says("1006: denied, or the connection broke")

    console.is_in_state("Not connected")
    assert visit.violations == []


@pytest.mark.parametrize("prefix", PREFIXES)
def test_the_console_follows_an_event_stream(visit: Visit, prefix: str) -> None:
    console = Console(visit, f"{prefix}/docs/asyncapi", "ticks")

    console.section.get_by_label("start (query)").fill("41")
    console.click("Connect")
    console.says("tick, id first")
    console.says("41")
    console.says("plain text")
    console.click("Disconnect")

    console.is_in_state("Not connected")
    assert console.section.get_by_label("Text to send").count() == 0
    visit.expect_nothing_noted()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone_and_works_by_keyboard(browser: Any, site: Running, scheme: str) -> None:
    phone = {"width": 360, "height": 740}
    with browser.new_context(viewport=phone, color_scheme=scheme, service_workers="block") as context:
        visit = Visit(context, site.url)
        console = Console(visit, "/docs/asyncapi", "room")
        page = visit.page

        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        console.section.get_by_label("room_id (path)").press("Enter")
        console.is_in_state("Connected")
        console.section.get_by_label("Text to send").press("Control+Enter")
        console.says("received")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        visit.expect_nothing_noted()


def test_every_field_and_button_has_a_name(visit: Visit) -> None:
    Console(visit, "/docs/asyncapi", "room")

    unnamed = "[...document.querySelectorAll('input, select, textarea')].filter((one) => !one.labels.length).length"
    assert visit.page.evaluate(unnamed) == 0
    assert visit.page.evaluate("document.documentElement.lang") == "en"
    assert visit.page.get_by_role("main").count() == 1


def test_no_text_of_a_document_runs_as_a_script(visit: Visit) -> None:
    console = Console(visit, "/hostile/docs/asyncapi", "socket")
    page = visit.page

    console.click("Connect")
    console.is_in_state("Connected")
    console.click("Send")
    console.says("sent")
    console.send('{"type": "<img src=x onerror=ran=1>"}')
    console.says("error")
    visit.an_hour_later()

    assert page.evaluate("typeof ran") == "undefined"
    assert page.locator("main img, main script").count() == 0
    assert "</script>" in page.evaluate("document.title")
    assert "<script>ran = 1</script>" in console.section.inner_text()
    visit.expect_nothing_noted()


def test_the_pages_of_openapi_lead_here(visit: Visit) -> None:
    page = visit.go("/inner/docs/swagger")

    page.get_by_role("link", name="WebSockets and event streams").click()
    page.locator("#channel-room").wait_for()

    assert page.evaluate("location.pathname") == "/inner/docs/asyncapi"
    visit.expect_nothing_noted()
