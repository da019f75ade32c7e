"""Finding and starting the machine's Chromium."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# What hangs from the address bar, which nobody sees here, is pages too: every window would load them anew.
_UNSEEN = ("PreloadTopChromeWebUI", "WebUIOmniboxPopup", "WebUIOmniboxAimPopup")
# Only the last list of a command line counts, so that Playwright's own has to be said again (its chromiumSwitches.ts).
_PLAYWRIGHTS = (
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsUpgrades",
    "HttpsFirstBalancedModeAutoEnable",
    "LensOverlay",
    "MediaRouter",
    "PaintHolding",
    "ThirdPartyStoragePartitioning",
    "AvoidCorsURLLoaderRestartOnRedirect",
    "OptimizationHints",
    "NetworkTimeServiceQuerying",
    "AimEnabled",
    "PreconnectToSearch",
)
# The sandbox of Chromium does not start as root, as in most containers; the pages are our own. There is no graphics card,
# and none is imitated.
_SWITCHES = ("--no-sandbox", "--disable-gpu", f"--disable-features={','.join((*_PLAYWRIGHTS, *_UNSEEN))}")


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
    browser = playwright.chromium.launch(executable_path=executable, args=_SWITCHES)
    try:
        yield browser
    finally:
        browser.close()
