"""A real Chromium for every test in a browser; where there is none, the tests say so and are skipped."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Lend one browser process to all tests of the session; each opens contexts of its own."""
    executable = next((found for found in map(shutil.which, _NAMES) if found), None)
    if executable is None:
        pytest.skip(f"NO BROWSER TESTS RUN: none of {', '.join(_NAMES)} is installed")
    with sync_playwright() as playwright:
        # The sandbox of Chromium does not start as root, as in most containers; the pages are our own.
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        yield browser
        browser.close()
