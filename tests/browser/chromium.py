"""Finding and starting the machine's Chromium."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class NoChromium(RuntimeError):
    """None of the names by which a Chromium is called is a program of this machine."""

    def __init__(self) -> None:
        super().__init__(f"none of {', '.join(NAMES)} is installed")


@contextmanager
def launched_chromium(playwright: Playwright) -> Iterator[Browser]:
    """Lend a browser process; raises `NoChromium`."""
    executable = next((found for found in map(shutil.which, NAMES) if found), None)
    if executable is None:
        raise NoChromium
    # The sandbox of Chromium does not start as root, as in most containers; the pages are our own.
    browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
    try:
        yield browser
    finally:
        browser.close()
