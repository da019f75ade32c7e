"""A real Chromium for every test in a browser; where there is none, the tests say so and are skipped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.chromium import NoChromium, launched_chromium
from tests.support.pages import LONGEST_MILLISECONDS
from tests.support.platform import RunningPlatform, running_platform

if TYPE_CHECKING:
    from collections.abc import Iterator

expect.set_options(timeout=LONGEST_MILLISECONDS)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Lend one browser process to all tests of the session; each opens contexts of its own."""
    with sync_playwright() as playwright:
        try:
            with launched_chromium(playwright) as browser:
                yield browser
        except NoChromium as error:
            pytest.skip(f"NO BROWSER TESTS RUN: {error}")


@pytest.fixture(scope="session")
def platform() -> Iterator[RunningPlatform]:
    """Lend one running platform to all tests of the session; each registers TPPs of its own."""
    with running_platform() as running:
        yield running
