"""Accounts in a real Chromium: in, about, and out again; without JavaScript; for screen readers, phones and the dark."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.support.pages import (
    LOOKS,
    PASSWORD,
    assert_accessible,
    sign_in,
    sign_up_and_in,
    watched_context,
    watched_page,
)
from tests.support.portal_server import ServedPortal, running_portal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedPortal]:
    """Lend one portal to all tests of the module; each signs up people of its own."""
    with running_portal(tmp_path_factory.mktemp("portal")) as portal:
        yield portal


@pytest.mark.parametrize("scripts", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_sign_up_sign_in_and_out(chromium: Browser, portal: ServedPortal, *, scripts: bool) -> None:
    with watched_page(chromium, java_script_enabled=scripts) as page:
        email = f"walk-{scripts}@acme.example"
        sign_up_and_in(page, portal.origin, email)
        expect(page.get_by_role("heading", level=1)).to_have_text("TPPs")

        page.get_by_role("button", name="Sign out").click()

        expect(page.get_by_role("status")).to_have_text("You are signed out.")
        page.goto(f"{portal.origin}/account")
        page.wait_for_url(f"{portal.origin}/sign-in?next=%2Faccount")
        sign_in(page, email)
        page.wait_for_url(f"{portal.origin}/account")


@pytest.mark.parametrize(("viewport", "scheme"), LOOKS, ids=["dark phone", "light desktop"])
def test_every_page_is_accessible(chromium: Browser, portal: ServedPortal, viewport: Any, scheme: Any) -> None:
    """Forms with their faults, empty states and problem pages as well."""
    with watched_page(chromium, viewport=viewport, color_scheme=scheme, expected={401, 404, 422}) as page:
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
        page.goto(f"{portal.origin}/organisation")
        assert_accessible(page)
        page.get_by_role("button", name="Make an invitation link").click()
        assert_accessible(page)
        page.goto(page.locator(".invitation-link").inner_text())
        assert_accessible(page)
        page.goto(f"{portal.origin}/account")
        assert_accessible(page)
        page.get_by_role("button", name="Change the password").click()
        assert_accessible(page)
        portal.owned_tpp_of(
            f"{scheme}@acme.example", name=f"tpp-{scheme}", authorisation_number=f"PSDDE-BAFIN-{scheme.upper()}"
        )
        page.goto(f"{portal.origin}/")
        expect(page.get_by_role("link", name="Make a call")).to_be_visible()
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


@pytest.mark.parametrize("scripts", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_the_account_page_ends_what_another_browser_has(chromium: Browser, portal: ServedPortal, *, scripts: bool) -> None:
    """A laptop left on a train: its session is listed, ended, and opens nothing any more."""
    email = f"train-{scripts}@acme.example"
    with (
        watched_page(chromium, java_script_enabled=scripts) as laptop,
        watched_page(chromium, java_script_enabled=scripts) as page,
    ):
        sign_up_and_in(laptop, portal.origin, email)
        page.goto(f"{portal.origin}/sign-in?next=/account")
        sign_in(page, email)
        expect(page.get_by_role("row")).to_have_count(3)

        page.get_by_role("row").get_by_role("button", name="Sign out").click()

        expect(page.get_by_role("status")).to_have_text("That browser is signed out.")
        expect(page.get_by_role("row")).to_have_count(2)
        laptop.goto(f"{portal.origin}/account")
        expect(laptop.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_a_colleague_joins_by_the_link(chromium: Browser, portal: ServedPortal) -> None:
    """Without JavaScript: the link is made, opened by a stranger, and leads into the organisation."""
    with (
        watched_page(chromium, java_script_enabled=False) as page,
        watched_page(chromium, java_script_enabled=False, expected={410}) as colleague,
    ):
        sign_up_and_in(page, portal.origin, "host@acme.example", organisation="Hosts & Sons")
        page.goto(f"{portal.origin}/organisation")
        page.get_by_role("button", name="Make an invitation link").click()
        link = page.locator(".invitation-link").inner_text()

        colleague.goto(link)
        expect(colleague.get_by_role("heading", level=1)).to_have_text("Join Hosts & Sons")
        colleague.get_by_label("Your name").fill("Carol King")
        colleague.get_by_label("E-mail address").fill("carol@acme.example")
        colleague.get_by_label("Password").fill(PASSWORD)
        colleague.get_by_role("button", name="Sign up and join").click()
        sign_in(colleague, "carol@acme.example")

        page.reload()
        page.goto(f"{portal.origin}/organisation")
        expect(page.get_by_role("listitem").filter(has_text="Carol King")).to_be_visible()
        colleague.goto(link)
        expect(colleague.get_by_role("heading", level=1)).to_have_text("This invitation is not open")


def test_a_form_on_another_port_of_this_host_can_not_act(chromium: Browser, portal: ServedPortal, tmp_path: Path) -> None:
    """The browser sends the session's cookie along, for another port is the same site: the portal refuses all the same."""
    with running_portal(tmp_path) as neighbour, watched_context(chromium, expected={400}) as context:
        page = context.new_page()
        sign_up_and_in(page, portal.origin, "neighbour@acme.example")
        sent: list[dict[str, str]] = []
        context.on("request", lambda request: sent.append(request.all_headers()) if request.method == "POST" else None)
        attack = f"""() => {{
          const form = document.createElement("form");
          form.method = "post";
          form.action = "{portal.origin}/sign-out";
          document.body.append(form);
          form.submit();
        }}"""
        context.route(
            f"{neighbour.origin}/attack", lambda route: route.fulfill(body="<title>x</title>", content_type="text/html")
        )
        page.goto(f"{neighbour.origin}/attack")
        with page.expect_navigation():
            page.evaluate(attack)

        expect(page.get_by_role("heading", level=1)).to_have_text("This form can't be taken")
        assert "__Host-portal=" in sent[-1]["cookie"]
        assert sent[-1]["origin"] == neighbour.origin
        page.goto(f"{portal.origin}/account")
        expect(page.get_by_role("heading", level=1)).to_have_text("Account")
