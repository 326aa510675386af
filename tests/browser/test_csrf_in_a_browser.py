"""Is what a real browser sends for pages of other sites refused? Two origins, and two sites, on loopback."""

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from tests.browser.headless import NEEDS_CHROMIUM
from tests.contract.servers import DEADLINE, SERVERS, Running, eventually, running

pytestmark = NEEDS_CHROMIUM

UVICORN = next(server for server in SERVERS if server.name == "uvicorn-h11")
FORMS = ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"]
SANDBOXED_FORM = """(target) => {
  const frame = document.createElement("iframe");
  frame.sandbox = "allow-forms allow-scripts";
  frame.srcdoc = `<form method="post" action="${target}"></form><script>document.forms[0].submit()</script>`;
  document.body.append(frame);
}"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(UVICORN, "tests.browser.csrf_app:app", tmp_path_factory.mktemp("shop"), {}) as server:
        yield server


@pytest.fixture(scope="module")
def other_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(UVICORN, "tests.browser.csrf_app:app", tmp_path_factory.mktemp("other"), {}) as server:
        yield server


def saved(shop: Running) -> int:
    number: int = httpx2.get(f"{shop.url}/saved", trust_env=False, timeout=DEADLINE).json()
    return number


def answers_to(shop: Running, origin: str) -> list[int]:
    """The statuses of what came from there to /save."""
    answers: list[tuple[str, int]] = httpx2.get(f"{shop.url}/answers", trust_env=False, timeout=DEADLINE).json()
    return [status for asked_by, status in answers if asked_by == origin]


def sent_with(page: Any, button: str) -> int:
    """Click, and return the status of the page that comes."""
    with page.expect_navigation() as arrival:
        page.get_by_role("button", name=button).click()
    status: int = arrival.value.status
    return status


@pytest.mark.parametrize("enctype", FORMS)
def test_a_form_and_a_script_of_our_own_are_let_through(shop: Running, page: Any, enctype: str) -> None:
    before = saved(shop)
    page.goto(f"{shop.url}/?enctype={enctype}")

    by_script = page.evaluate("fetch('/save', {method: 'POST'}).then((answer) => answer.status)")

    assert (by_script, sent_with(page, "Save")) == (200, 200)
    assert saved(shop) == before + 2


@pytest.mark.parametrize("enctype", FORMS)
@pytest.mark.parametrize("kind", ["another site", "another port"])
def test_a_form_of_elsewhere_is_refused(shop: Running, other_port: Running, page: Any, kind: str, enctype: str) -> None:
    before = saved(shop)
    page.goto(f"{shop.url}/?enctype={enctype}")  # the visitor has a session here
    elsewhere = shop.url.replace("127.0.0.1", "localhost") if kind == "another site" else other_port.url
    page.goto(f"{elsewhere}/attack?enctype={enctype}&target={shop.url}/save")

    assert sent_with(page, "Win") == 403
    assert "csrf_failed" in page.content()
    assert saved(shop) == before


@pytest.mark.parametrize("kind", ["another site", "another port"])
def test_a_script_of_elsewhere_is_refused(shop: Running, other_port: Running, page: Any, kind: str) -> None:
    before = saved(shop)
    elsewhere = shop.url.replace("127.0.0.1", "localhost") if kind == "another site" else other_port.url
    page.goto(f"{elsewhere}/?enctype={FORMS[0]}")

    kinds = page.evaluate(
        """(url) => Promise.all(["a=b", new FormData(), new Blob(["{}"])].map(async (body) =>
          (await fetch(url, {method: "POST", mode: "no-cors", credentials: "include", body})).type))""",
        f"{shop.url}/save",
    )

    assert kinds == ["opaque"] * 3
    assert saved(shop) == before


def test_a_sandboxed_frame_of_our_own_page_is_refused(shop: Running, page: Any) -> None:
    """Its Origin is "null", which is nobody's."""
    before = saved(shop)
    page.goto(f"{shop.url}/?enctype={FORMS[0]}")

    page.evaluate(SANDBOXED_FORM, f"{shop.url}/save")

    # The server is asked, and not the frame: a frame that is out of view is perhaps never drawn.
    answers = eventually(lambda: answers_to(shop, "null"), "the form of the frame")
    assert answers == [403]
    assert saved(shop) == before
