"""Chromium without a window, for the tests that need a real browser; they are skipped where there is none."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

__all__ = ["NEEDS_CHROMIUM", "PATIENCE", "headless"]

NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
PATIENCE = 20_000
"""Milliseconds until something that must be seen is missed."""

NEEDS_CHROMIUM = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="browsers are started as on Linux"),
    pytest.mark.skipif(CHROMIUM is None, reason=f"none of {', '.join(NAMES)} is installed"),
]


@contextmanager
def headless() -> Iterator[Any]:
    """Start one for a block. While Playwright runs, no test in this thread can run an event loop."""
    sync_api: Any = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()
