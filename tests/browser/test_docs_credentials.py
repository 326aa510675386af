"""The documentation pages in a real browser: can a reader enter credentials there, and try what they are asked for?

Under the policy of the pages, which lets them ask this site and nobody else.
"""

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import httpx2
import pytest

from tests.browser.guarded_docs_app import BEARER, PASSWORD
from tests.browser.headless import NEEDS_CHROMIUM
from tests.browser.visits import Visit
from tests.contract.servers import DEADLINE, SERVERS, Running, running

UVICORN = next(server for server in SERVERS if server.name == "uvicorn-h11")

pytestmark = [
    *NEEDS_CHROMIUM,
    pytest.mark.skipif(find_spec("uvicorn") is None, reason="uvicorn is not installed"),
]

DOORS = ["token", "password", "key"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(UVICORN, "tests.browser.guarded_docs_app:app", tmp_path_factory.mktemp("guarded"), {}) as server:
        yield server


@pytest.fixture
def visit(browser: Any, site: Running) -> Iterator[Visit]:
    with browser.new_context(viewport={"width": 1300, "height": 900}, service_workers="block") as context:
        yield Visit(context, site.url)


def credentials_of(site: Running, door: str) -> tuple[str, ...]:
    """What a reader writes into the fields, in their order."""
    if door == "key":
        return (str(httpx2.post(f"{site.url}/keys", trust_env=False, timeout=DEADLINE).json()["text"]),)
    return (BEARER,) if door == "token" else ("ada", PASSWORD)


IN_SWAGGER_UI = {
    "token": ("#auth-bearer-value",),
    "password": ("#auth-basic-username", "#auth-basic-password"),
    "key": ("#api_key_value",),
}
SECRET_OF_SCALAR = ".scalar-password-input"
IN_SCALAR = {
    "token": (SECRET_OF_SCALAR,),
    "password": ("[data-placeholder=janedoe]", SECRET_OF_SCALAR),
    "key": (SECRET_OF_SCALAR,),
}


@pytest.mark.parametrize("door", DOORS)
def test_swagger_ui_takes_credentials_and_a_guarded_route_lets_them_in(visit: Visit, site: Running, door: str) -> None:
    page = visit.go("/docs/swagger")
    page.get_by_role("button", name="Authorize").first.click()
    for field, value in zip(IN_SWAGGER_UI[door], credentials_of(site, door), strict=True):
        page.locator(field).fill(value)
    page.locator(IN_SWAGGER_UI[door][-1]).press("Enter")
    page.locator(".close-modal").click()

    page.get_by_text(f"Enter by {door}").click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    page.get_by_text(f"let-in-by-{door}: ada").first.wait_for()

    visit.expect_nothing_noted()


@pytest.mark.parametrize("door", DOORS)
def test_scalar_takes_credentials_and_a_guarded_route_lets_them_in(visit: Visit, site: Running, door: str) -> None:
    page = visit.go("/docs")
    page.get_by_role("button", name="Test Request").nth(DOORS.index(door)).click()
    dialog = page.get_by_role("dialog")
    for field, value in zip(IN_SCALAR[door], credentials_of(site, door), strict=True):
        dialog.locator(field).fill(value)
    dialog.get_by_role("button", name="Send").first.click()
    page.get_by_text(f"let-in-by-{door}: ada").first.wait_for()

    visit.expect_nothing_noted()


def test_without_credentials_a_guarded_route_lets_nobody_in(visit: Visit) -> None:
    page = visit.go("/docs/swagger")
    page.get_by_text("Enter by token").click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    page.get_by_text("Sign in to do this.").first.wait_for()

    assert (visit.foreign, visit.violations) == ([], [])
