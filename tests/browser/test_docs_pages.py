"""The documentation pages in a real browser, from a real server: do they show the API, call it, and keep to themselves?

Whatever a page asks of another site is refused and written down, and so is what its policy forbids and
what goes to the console as an error. The clock of a page is ours, so that an hour is over at once.
"""

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import httpx2
import pytest

from tests.browser.headless import NEEDS_CHROMIUM
from tests.browser.visits import Visit
from tests.contract.servers import DEADLINE, SERVERS, Running, running

UVICORN = next(server for server in SERVERS if server.name == "uvicorn-h11")

pytestmark = [
    *NEEDS_CHROMIUM,
    pytest.mark.skipif(find_spec("uvicorn") is None, reason="uvicorn is not installed"),
]

PREFIXES = ["", "/inner"]
UIS = ["scalar", "swagger", "redoc"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(UVICORN, "tests.browser.docs_app:app", tmp_path_factory.mktemp("docs"), {}) as server:
        yield server


@pytest.fixture
def visit(browser: Any, site: Running) -> Iterator[Visit]:
    with browser.new_context(viewport={"width": 1300, "height": 900}, service_workers="block") as context:
        yield Visit(context, site.url)


def asked_of(site: Running) -> list[str]:
    """The words that the server was asked for, by their paths."""
    asked: list[str] = httpx2.get(f"{site.url}/asked", trust_env=False, timeout=DEADLINE).json()
    return asked


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("ui", UIS)
def test_a_page_shows_the_operations_and_asks_nobody_else(visit: Visit, prefix: str, ui: str) -> None:
    visit.open(f"{prefix}/docs/{ui}")
    visit.an_hour_later()

    visit.expect_nothing_noted()


@pytest.mark.parametrize("prefix", PREFIXES)
def test_swagger_ui_calls_the_api(visit: Visit, site: Running, prefix: str) -> None:
    page = visit.open(f"{prefix}/docs/swagger")

    page.get_by_text("Show one word").click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_placeholder("id").fill("31")
    page.get_by_role("button", name="Execute").click()
    page.get_by_text("said-by-the-server").first.wait_for()

    assert f"{prefix}/words/31" in asked_of(site)
    visit.expect_nothing_noted()


@pytest.mark.parametrize("prefix", PREFIXES)
def test_scalar_calls_the_api(visit: Visit, site: Running, prefix: str) -> None:
    page = visit.open(f"{prefix}/docs")

    page.get_by_role("button", name="Test Request").first.click()
    page.get_by_role("button", name="Send").first.click()
    page.get_by_text("said-by-the-server").first.wait_for()

    assert f"{prefix}/words/7" in asked_of(site)
    visit.expect_nothing_noted()


def test_the_search_of_redoc_works_without_a_worker(visit: Visit) -> None:
    page = visit.open("/docs/redoc")

    page.get_by_text("Search").first.click()
    page.keyboard.type("show_word")
    visit.an_hour_later()

    page.get_by_text("/words/{id}").first.wait_for()
    visit.expect_nothing_noted()


@pytest.mark.parametrize("ui", UIS)
def test_no_text_of_a_document_runs_as_a_script(visit: Visit, ui: str) -> None:
    page = visit.go(f"/hostile/docs/{ui}")

    page.get_by_text("ran = 1").first.wait_for(state="attached")
    visit.an_hour_later()

    assert page.evaluate("typeof ran") == "undefined"
    assert "</script>" in page.evaluate("document.title")
    assert visit.foreign == []
