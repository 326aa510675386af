"""One browser for the tests of a module."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.headless import PATIENCE, headless


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """For the module and no longer: while Playwright runs, no test in this thread can run an event loop."""
    with headless() as browser:
        yield browser


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A page of somebody who was nowhere before."""
    with browser.new_context() as context:
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        yield page
