"""Takes the README's pictures from a platform of its own: `make screenshots`.

The story behind them is a developer's first quarter of an hour: sign up, register, call, be refused, and see how a person
connects the bank in the demo app.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

from tests.browser.chromium import launched_chromium
from tests.support.commands import run_command
from tests.support.pages import sign_up_and_in, watched_context
from tests.support.platform import RunningPlatform, running_platform

if TYPE_CHECKING:
    from playwright.sync_api import Browser, FloatRect, Page, ViewportSize

PICTURES = Path(__file__).parents[2] / "docs" / "images"
NAME, NUMBER = "acme-pay", "PSDDE-BAFIN-100042"
_WINDOW: ViewportSize = {"width": 1120, "height": 760}
_MOST_PIXELS = 1_400
# Consents, accounts and refusals enough for a log worth looking at.
_JOURNEYS = ("ais", "pis", "piis", "ais")
_IN_FORCE_MILLISECONDS = 2_000


@dataclass(frozen=True)
class Studio:
    """One browser window, and where its pictures go."""

    platform: RunningPlatform
    page: Page
    folder: Path

    def take(self, name: str) -> None:
        """Photograph the top of the page, as much of it as fits a README."""
        self.page.mouse.move(0, 0)
        height = min(self.page.evaluate("document.documentElement.scrollHeight"), _MOST_PIXELS)
        clip: FloatRect = {"x": 0, "y": 0, "width": _WINDOW["width"], "height": height}
        path = self.folder / f"{name}.png"
        self.page.screenshot(path=path, clip=clip, full_page=True, animations="disabled", caret="hide")

    def open(self, *segments: str) -> None:
        """Open a page of the TPP in the portal."""
        self.page.goto("/".join([self.platform.portal_url, "tpps", NUMBER, *segments]))

    def press(self, name: str | re.Pattern[str]) -> None:
        """Press a button."""
        self.page.get_by_role("button", name=name).click()


def take_all(folder: Path = PICTURES) -> None:
    """Start a platform, walk the story, leave the pictures in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    with running_platform() as platform, sync_playwright() as playwright, launched_chromium(playwright) as chromium:
        photograph_portal(platform, chromium, folder)
        photograph_demo(platform, chromium, folder)


def photograph_portal(platform: RunningPlatform, chromium: Browser, folder: Path) -> None:
    """Photograph the developer's side: certificates, calls, and a refusal explained."""
    with watched_context(chromium, viewport=_WINDOW, color_scheme="light") as context, tempfile.TemporaryDirectory() as home:
        studio = Studio(platform, context.new_page(), folder)
        register(studio)
        studio.open("certificates", "new?kind=qwac")
        studio.press("Make key and QWAC")
        unpack(studio, Path(home))
        for journey in _JOURNEYS:
            run_command("tpp_client.cli", "journey", journey, "--tpp", NAME, "--home", home)
        studio.open("first-call")
        studio.take("first-call")
        be_refused(studio, Path(home))
        studio.open("requests")
        studio.take("requests")
        studio.page.get_by_role("row", name=re.compile("revoked")).get_by_role("link").first.click()
        studio.page.wait_for_url(re.compile("/requests/[0-9a-f-]{36}$"))
        studio.take("refused-call")


def register(studio: Studio) -> None:
    """Sign up, and register a TPP by the form."""
    page = studio.page
    sign_up_and_in(page, studio.platform.portal_url, "anna@acme.example", organisation="Acme Payments GmbH")
    page.get_by_role("link", name="Register a TPP").click()
    page.get_by_label("Short name").fill(NAME)
    page.get_by_label("Home country").select_option("DE")
    page.get_by_label("Competent authority").select_option("DE-BAFIN")
    page.get_by_role("textbox", name="Authorisation number").fill(NUMBER.rpartition("-")[2])
    for role in ("AISP", "PISP", "CBPII"):
        page.get_by_role("checkbox", name=re.compile(f"^{role}")).check()
    page.get_by_label("Redirect URIs").fill(f"https://localhost:{studio.platform.ports.demo}/callback")
    studio.press("Register")
    page.wait_for_url(re.compile(f"/tpps/{NUMBER}"))


def unpack(studio: Studio, home: Path) -> None:
    """Save the kit with certificate and key, and unpack it."""
    with studio.page.expect_download() as download:
        studio.page.get_by_role("link", name=re.compile(r"\.zip$")).click()
    kit = home / "kit.zip"
    download.value.save_as(kit)
    zipfile.ZipFile(kit).extractall(home)


def be_refused(studio: Studio, home: Path) -> None:
    """Revoke the certificate, and call with it."""
    studio.open("certificates")
    studio.page.get_by_role("link", name=re.compile("^QWAC")).first.click()
    studio.page.get_by_role("link", name="Revoke…").click()
    studio.page.get_by_role("radio", name=re.compile("^superseded")).check()
    studio.press("Revoke it for good")
    studio.page.wait_for_timeout(_IN_FORCE_MILLISECONDS)
    pair = home / "certs" / "tpps" / NAME
    files = ("--cacert", studio.platform.home.trust_bundle, "--cert", pair / "qwac.crt", "--key", pair / "qwac.key")
    url = f"{studio.platform.edge_url}/sandbox/v1/data"
    subprocess.run(["curl", "--silent", "--max-time", "20", *files, url], check=True, capture_output=True, timeout=30)


def photograph_demo(platform: RunningPlatform, chromium: Browser, folder: Path) -> None:
    """Photograph the person's side: the bank's consent page, and the demo app with it."""
    with watched_context(chromium, viewport=_WINDOW, color_scheme="light") as context:
        studio = Studio(platform, context.new_page(), folder)
        page = studio.page
        page.goto(f"https://localhost:{platform.ports.demo}/")
        studio.press("Connect Musterbank")
        page.get_by_text("anna.weber").first.wait_for()
        password = page.locator(".hint code, .panel code").first.inner_text()
        page.get_by_label("User name").fill("anna.weber")
        page.get_by_label("Password").fill(password)
        studio.press("Sign in")
        for box in page.get_by_role("checkbox").all():
            box.check()
        studio.take("consent")
        studio.press("Continue to review")
        studio.press("Continue: send me a code")
        confirm_with_code(studio)
        page.wait_for_url(re.compile("/accounts"))
        page.locator(".account-tile a").first.click()
        studio.take("demo-app")


def confirm_with_code(studio: Studio) -> None:
    """Read the one-time code from the inbox in another tab, and type it in."""
    with studio.page.context.expect_page() as opened:
        studio.page.get_by_role("link", name="inbox").click()
    code = re.search(r"your code is ([0-9]{6})", opened.value.get_by_role("listitem").first.inner_text())
    if code is None:
        raise AssertionError("the inbox holds no code")
    opened.value.close()
    studio.page.get_by_label("One-time code").fill(code[1])
    studio.press("Confirm")


if __name__ == "__main__":
    take_all(*map(Path, sys.argv[1:]))
