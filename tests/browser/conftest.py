"""One browser for the tests of a module."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.headless import headless


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """For the module and no longer: while Playwright runs, no test in this thread can run an event loop."""
    with headless() as browser:
        yield browser
