"""Accounts in a real Chromium: in, about, and out again; without JavaScript; for screen readers, phones and the dark."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.support.pages import LOOKS, assert_accessible, sign_up_and_in, watched_page
from tests.support.portal_server import ServedPortal, running_portal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedPortal]:
    """Lend one portal to all tests of the module; each signs up people of its own."""
    with running_portal(tmp_path_factory.mktemp("portal")) as portal:
        yield portal


@pytest.mark.parametrize("scripts", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_sign_up_sign_in_and_out(chromium: Browser, portal: ServedPortal, *, scripts: bool) -> None:
    with watched_page(chromium, java_script_enabled=scripts) as page:
        sign_up_and_in(page, portal.origin, f"walk-{scripts}@acme.example")
        expect(page.get_by_role("heading", level=1)).to_have_text("TPPs")

        page.get_by_role("button", name="Sign out").click()

        expect(page.get_by_role("status")).to_have_text("You are signed out.")
        page.goto(f"{portal.origin}/account")
        page.wait_for_url(f"{portal.origin}/sign-in?next=%2Faccount")


@pytest.mark.parametrize(("viewport", "scheme"), LOOKS, ids=["dark phone", "light desktop"])
def test_every_page_is_accessible(chromium: Browser, portal: ServedPortal, viewport: Any, scheme: Any) -> None:
    """Forms with their faults, empty states and problem pages as well."""
    with watched_page(chromium, viewport=viewport, color_scheme=scheme, expected={404, 422}) as page:
        for path in ("/", "/sign-up", "/sign-in", "/no/such/page"):
            page.goto(f"{portal.origin}{path}")
            assert_accessible(page)
        for path, button in (("/sign-up", "Sign up"), ("/sign-in", "Sign in")):
            page.goto(f"{portal.origin}{path}")
            page.get_by_role("button", name=button).click()
            expect(page.get_by_role("alert")).to_be_visible()
            assert_accessible(page)
        sign_up_and_in(page, portal.origin, f"{scheme}@acme.example")
        assert_accessible(page)


def test_faults_lead_to_their_fields(chromium: Browser, portal: ServedPortal) -> None:
    """What was typed is kept, the password excepted; the title says that something is wrong."""
    with watched_page(chromium) as page:
        page.goto(f"{portal.origin}/sign-up")
        page.get_by_label("Your name").fill("Anna Weber")
        page.get_by_label("Password").fill("short")
        page.get_by_role("button", name="Sign up").click()

        expect(page).to_have_title("Error: Sign up · PSD2 sandbox")
        expect(page.get_by_label("Your name")).to_have_value("Anna Weber")
        expect(page.get_by_label("Password")).to_have_value("")
        expect(page.get_by_label("Password")).to_have_attribute("aria-describedby", "password-hint password-fault")
        page.get_by_role("alert").get_by_role("link", name="at least 12 characters").click()
        expect(page.get_by_label("Password")).to_be_focused()
