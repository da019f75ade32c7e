"""What a developer does first, on a whole platform: from sign-up to a call of its own, and to a refusal that it understands."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.support.developer import Developer, with_tpp
from tests.support.pages import assert_accessible, watched_context
from tests.support.ports import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

    from tests.support.platform import RunningPlatform

IN_FORCE_SECONDS = 30


def test_from_sign_up_to_a_refusal_explained(chromium: Browser, platform: RunningPlatform, tmp_path: Path) -> None:
    """A call over mutual TLS stands in the log; after the revocation the same call does, and its page says what to do."""
    with watched_context(chromium) as context:
        developer = with_tpp(context, platform)
        developer.open("requests")
        expect(developer.page.get_by_role("link", name="Make the first call")).to_be_visible()
        pair = certificate_made_for(developer, tmp_path)
        assert developer.call(*pair)[0] == 200
        developer.open("requests")
        expect(developer.page.get_by_role("row", name=re.compile("GET .*data.*200"))).to_be_visible()

        revoke(developer)
        wait_until(lambda: developer.call(*pair)[0] == 401, seconds=IN_FORCE_SECONDS, what="the revocation is in force")
        developer.open("requests?outcome=refused&reason=mtls.revoked")
        developer.page.get_by_role("row", name=re.compile("401")).first.get_by_role("link").click()
        expect(developer.page.get_by_role("heading", name="The client certificate has been revoked.")).to_be_visible()
        expect(developer.page.get_by_text("RFC 5280 §6.3").first).to_be_visible()
        failed = developer.page.get_by_role("listitem").filter(has_text="ended here")
        expect(failed).to_contain_text("Certificate not revoked")
        assert_accessible(developer.page)

        developer.page.get_by_role("link", name="Have a new QWAC issued").click()
        developer.button("Make key and QWAC")
        assert developer.call(*saved_pair(developer, tmp_path / "new"))[0] == 200


def certificate_made_for(developer: Developer, folder: Path) -> tuple[Path, Path]:
    """Have key and QWAC made by the server, and save both."""
    developer.open("certificates", "new?kind=qwac")
    developer.button("Make key and QWAC")
    return saved_pair(developer, folder)


def saved_pair(developer: Developer, folder: Path) -> tuple[Path, Path]:
    """Save certificate and key from the page that shows them once."""
    certificate, key = (developer.saved(folder, re.compile(rf"\.{suffix}$")) for suffix in ("crt", "key"))
    return certificate, key


def revoke(developer: Developer) -> None:
    """Revoke the newest QWAC."""
    developer.open("certificates")
    developer.page.get_by_role("link", name=re.compile("^QWAC")).first.click()
    developer.page.get_by_role("link", name="Revoke…").click()
    developer.page.get_by_role("radio", name=re.compile("^superseded")).check()
    developer.button("Revoke it for good")
