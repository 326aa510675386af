"""Does a real browser keep the policies that we send? Nonces, frames, and files that users have uploaded."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.headless import NEEDS_CHROMIUM, PATIENCE
from tests.contract.servers import SERVERS, Running, eventually, running

pytestmark = NEEDS_CHROMIUM

UVICORN = next(server for server in SERVERS if server.name == "uvicorn-h11")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("policies")
    with running(UVICORN, "tests.browser.two_sites_app:app", folder, {"UPLOADS": str(folder)}) as server:
        yield server


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    with browser.new_context(service_workers="block") as context:
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        yield page


class Complaints:
    """What goes to the console as an error from now on."""

    def __init__(self, page: Any) -> None:
        self._page = page
        self._texts: list[str] = []
        page.on("console", lambda message: self._texts.append(message.text) if message.type == "error" else None)

    def expect(self, words: str, times: int = 1) -> None:
        """Wait until as many have the words: they come by a way of their own, after what they are about."""

        def told() -> bool:
            self._page.evaluate("0")  # lets Playwright hear what has come
            return len([text for text in self._texts if words in text]) >= times

        eventually(told, f"{times} complaints of {words!r}")


def test_a_script_with_the_nonce_runs_and_no_other_does(site: Running, page: Any) -> None:
    """One has a nonce that was guessed, one has none, and one is in an attribute."""
    complaints = Complaints(page)
    nonces = set()
    for _ in range(2):
        answer = page.goto(f"{site.url}/guarded/page")
        nonces.add(answer.header_value("content-security-policy"))
        assert page.evaluate("document.documentElement.lang") == "en"
        # `goto` is over after `load`, so the picture has failed and its handler was asked for.
        assert page.title() == "still"

    assert len(nonces) == 2
    complaints.expect("Content Security Policy", times=6)


def test_a_text_is_not_taken_for_a_page(site: Running, page: Any) -> None:
    page.goto(f"{site.url}/guarded/plain")

    assert page.title() == ""
    assert page.evaluate("document.body.innerText").startswith("<script>")


FRAMED = """(url) => new Promise((resolve) => {
  const frame = document.createElement("iframe");
  frame.onload = () => resolve(frame.contentDocument ? frame.contentDocument.title : "another origin");
  frame.src = url;
  document.body.append(frame);
})"""


@pytest.mark.parametrize("path", ["/guarded/page", "/docs/swagger", "/docs/asyncapi"])
def test_a_page_that_nobody_may_frame_is_not_framed_by_its_own_site(site: Running, page: Any, path: str) -> None:
    """Where the browser refuses, an error page of its own is in the frame, which is another origin."""
    page.goto(f"{site.url}/blank")
    assert page.evaluate(FRAMED, f"{site.url}/blank") == "blank"
    complaints = Complaints(page)

    assert page.evaluate(FRAMED, f"{site.url}{path}") == "another origin"
    complaints.expect("frame-ancestors 'none'")


@pytest.mark.parametrize("path", ["/docs/swagger", "/docs/asyncapi"])
def test_a_script_that_gets_into_a_page_of_documentation_does_not_run(site: Running, page: Any, path: str) -> None:
    page.goto(f"{site.url}{path}")
    complaints = Complaints(page)

    page.evaluate(
        """() => {
          const script = document.createElement("script");
          script.textContent = "globalThis.ran = 1";
          document.head.append(script);
        }"""
    )

    assert page.evaluate("typeof ran") == "undefined"
    complaints.expect("Content Security Policy")


@pytest.mark.parametrize("name", ["page.html", "picture.svg"])
def test_an_upload_that_is_opened_is_a_download(site: Running, page: Any, name: str) -> None:
    page.goto(f"{site.url}/blank")

    with page.expect_download() as download:
        page.evaluate("(url) => { location.href = url; }", f"{site.url}/uploads/{name}")

    assert download.value.suggested_filename == name
    assert page.title() == "blank"


INSERTED = """([tag, name, url]) => new Promise((resolve) => {
  const element = document.createElement(tag);
  element.onload = () => resolve("shown");
  element.onerror = () => resolve("refused");
  element[name] = url;
  document.body.append(element);
})"""


def test_an_uploaded_picture_is_shown_and_runs_nothing(site: Running, page: Any) -> None:
    page.goto(f"{site.url}/blank")

    assert page.evaluate(INSERTED, ["img", "src", f"{site.url}/uploads/picture.svg"]) == "shown"
    assert page.title() == "blank"


def test_an_upload_in_a_folder_of_our_own_files_would_run(site: Running, page: Any) -> None:
    """So a folder that users fill is `untrusted`; this shows that the tests above can fail."""
    page.goto(f"{site.url}/careless/page.html")

    assert page.title() == "ran"
