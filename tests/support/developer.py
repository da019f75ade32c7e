"""A developer in a window of the portal, with a TPP that it has registered by the pages."""

from __future__ import annotations

import re
import secrets
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.support.pages import sign_up_and_in

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import BrowserContext, Page

    from tests.support.platform import RunningPlatform


@dataclass(frozen=True)
class Developer:
    """Somebody signed in, in a window, with a TPP."""

    platform: RunningPlatform
    page: Page
    name: str
    number: str

    def open(self, *segments: str) -> None:
        self.page.goto("/".join([self.platform.portal_url, "tpps", self.number, *segments]))

    def button(self, name: str | re.Pattern[str]) -> None:
        self.page.get_by_role("button", name=name, exact=isinstance(name, str)).click()

    def saved(self, folder: Path, name: str | re.Pattern[str], *, role: Any = "link") -> Path:
        """Save a download and return its file."""
        with self.page.expect_download() as download:
            self.page.get_by_role(role, name=name).click()
        path = folder / download.value.suggested_filename
        download.value.save_as(path)
        return path

    def call(self, certificate: Path, key: Path) -> tuple[int, str]:
        """Call the gateway with curl, and return status and body."""
        url = f"{self.platform.edge_url}/sandbox/v1/data"
        trusted = ("--cacert", str(self.platform.home.trust_bundle))
        presented = ("--cert", str(certificate), "--key", str(key))
        command = (
            "curl",
            "--silent",
            "--show-error",
            "--max-time",
            "20",
            "--write-out",
            "\n%{http_code}",
            *trusted,
            *presented,
        )
        done = subprocess.run([*command, url], check=True, capture_output=True, text=True, timeout=30)
        body, _, status = done.stdout.rpartition("\n")
        return int(status), body


def with_tpp(context: BrowserContext, platform: RunningPlatform) -> Developer:
    """Sign up, sign in, register a TPP, all by the pages."""
    page, name = context.new_page(), f"tpp-{secrets.token_hex(4)}"
    sign_up_and_in(page, platform.portal_url, f"{name}@acme.example", organisation=f"Acme {name}")
    page.get_by_role("link", name="Register a TPP").click()
    page.get_by_label("Name of the firm").fill("Acme & Söhne <GmbH>")
    page.get_by_label("Short name").fill(name)
    page.get_by_label("Home country").select_option("FR")
    page.get_by_label("Competent authority").select_option("FR-ACPR")
    page.get_by_role("textbox", name="Authorisation number").fill(name)
    page.get_by_role("checkbox", name=re.compile("^AISP")).check()
    page.get_by_label("Redirect URIs").fill("https://acme.example/callback")
    page.get_by_role("button", name="Register").click()
    page.wait_for_url(re.compile(r"/tpps/PSDFR-ACPR-"))
    return Developer(platform, page, name, f"PSDFR-ACPR-{name}")
