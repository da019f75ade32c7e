"""The request log and the operator's pages in a real Chromium: calls explained, news by themselves, phones, screen readers."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.support.call_log import REFUSED
from tests.support.pages import LOOKS, assert_accessible, assert_fits, sign_in, sign_up_and_in, watched_context, watched_page
from tests.support.portal_server import ServedPortal, running_portal
from tests.support.register import NUMBER, ROOMY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext, Page

EMAIL, OPERATOR = "anna@acme.example", "operator@sandbox.example"
LOG = f"/tpps/{NUMBER}/requests"
CERTIFICATE = {
    "subject": "CN=acme.tpp.example,2.5.4.97=PSDDE-BAFIN-100001,O=Acme Payments GmbH,C=DE",
    "not_after": "2026-03-12T09:00:00+00:00",
    "sha256": "ab" * 32,
    "authorisation_number": NUMBER,
}


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory, chromium: Browser) -> Iterator[ServedPortal]:
    """Lend a portal with a developer whose TPP has called, and an operator."""
    with running_portal(tmp_path_factory.mktemp("portal")) as portal:
        portal.registered()
        for email in (EMAIL, OPERATOR):
            with watched_page(chromium) as page:
                sign_up_and_in(page, portal.origin, email)
        owner = next(organisation for developer, organisation in portal.developers.all() if developer.email == EMAIL)
        assert portal.world.store.claim(portal.world.register.require(NUMBER), owner.id, limits=ROOMY)
        portal.make_operator(OPERATOR)
        portal.world.clock.advance(timedelta(minutes=30))
        yield portal


def open_page(context: BrowserContext, portal: ServedPortal, path: str, *, email: str = EMAIL) -> Page:
    """Open a page, signed in."""
    page = context.new_page()
    page.goto(f"{portal.origin}/sign-in")
    sign_in(page, email)
    page.wait_for_url(f"{portal.origin}/")
    page.goto(f"{portal.origin}{path}")
    return page


def test_a_page_without_calls_waits_for_the_first_and_shows_it_by_itself(chromium: Browser, portal: ServedPortal) -> None:
    """Nobody has to load it again."""
    with watched_context(chromium) as context:
        page = open_page(context, portal, LOG)
        expect(page.get_by_role("link", name="Make the first call")).to_be_visible()
        assert_accessible(page)

        portal.call_log.add(NUMBER, path="/v1/consents", method="POST")

        expect(page.get_by_role("row", name="POST /v1/consents")).to_be_visible()
        expect(page.get_by_role("link", name="Make the first call")).to_be_hidden()
        assert_accessible(page)


def test_a_refused_call_is_found_opened_and_explained(chromium: Browser, portal: ServedPortal) -> None:
    """By the outcome's filter, a row, and the stages of its page; what helps is one click away."""
    portal.call_log.add(NUMBER, seconds_ago=30, certificate=CERTIFICATE, **REFUSED)
    with watched_context(chromium) as context:
        page = open_page(context, portal, LOG)
        page.get_by_label("Outcome").select_option("refused")
        page.get_by_role("button", name="Filter").click()
        rows = page.locator("table.calls tbody tr")
        expect(rows).to_have_count(1)
        expect(rows.first).to_contain_text("The client certificate has expired.")

        rows.first.get_by_role("link").click()

        expect(page.get_by_role("heading", name="The client certificate has expired.")).to_be_visible()
        ended = page.get_by_role("listitem").filter(has_text="ended here")
        expect(ended).to_have_count(1)
        expect(ended).to_contain_text("Certificate trusted")
        expect(ended).to_contain_text("RFC 5280")
        expect(page.get_by_role("listitem").filter(has_text="not reached").first).to_be_visible()
        help_ = page.get_by_role("link", name="Renew the certificate")
        assert str(help_.get_attribute("href")) == f"/tpps/{NUMBER}/certificates"


def test_the_chart_can_be_read_without_seeing_it(chromium: Browser, portal: ServedPortal) -> None:
    """It has a name and a description, and the same values in a table."""
    portal.call_log.add(NUMBER, seconds_ago=60)
    with watched_context(chromium) as context:
        page = open_page(context, portal, f"{LOG}?span=day")
        chart = page.get_by_role("img", name="Calls in the last 24 hours")
        expect(chart).to_be_visible()
        assert "calls in the last 24 hours" in str(chart.locator("desc").text_content())
        page.get_by_text("The same as a table").click()
        expect(page.get_by_role("columnheader", name="refused")).to_be_visible()


def test_a_call_is_looked_up_by_its_id(chromium: Browser, portal: ServedPortal) -> None:
    """Also one that was attributed to nobody."""
    call = portal.call_log.add(None, outcome="refused", status=401, reason="mtls.missing")
    with watched_context(chromium, expected={404}) as context:
        page = open_page(context, portal, LOG)
        page.get_by_label("Find a call by its id").fill(call)
        page.get_by_role("button", name="Find").click()
        expect(page.get_by_role("heading", name="No client certificate was presented.")).to_be_visible()

        page.goto(f"{portal.origin}/requests?id=nothing")
        expect(page.get_by_role("heading", level=1)).to_have_text("No such call")
        assert_accessible(page)


def test_a_page_that_nobody_looks_at_asks_for_nothing(chromium: Browser, portal: ServedPortal) -> None:
    """Until it is looked at again."""
    with watched_context(chromium) as context:
        page = open_page(context, portal, LOG)
        page.evaluate("Object.defineProperty(document, 'hidden', { value: true })")
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.wait_for_timeout(4_000)
        assert asked == []


def test_without_javascript_everything_is_there(chromium: Browser, portal: ServedPortal) -> None:
    """A link loads the page again."""
    with watched_context(chromium, java_script_enabled=False) as context:
        page = open_page(context, portal, LOG)
        call = portal.call_log.add(NUMBER, path="/v1/accounts/without-scripts")
        page.get_by_role("link", name="Refresh").click()
        page.get_by_role("row", name="without-scripts").get_by_role("link").click()
        expect(page.get_by_text(call)).to_have_count(2)


@pytest.mark.parametrize(("viewport", "scheme"), LOOKS, ids=["dark phone", "light desktop"])
def test_every_page_is_accessible(chromium: Browser, portal: ServedPortal, viewport: Any, scheme: Any) -> None:
    """With everything that can be unfolded open, and a path that does not end."""
    call = portal.call_log.add(NUMBER, path="/v1/" + "x" * 400, certificate=CERTIFICATE, **REFUSED)
    with watched_context(chromium, viewport=viewport, color_scheme=scheme) as context:
        page = open_page(context, portal, LOG, email=EMAIL)
        for path in (LOG, f"{LOG}?text=nothing", f"/requests/{call}"):
            page.goto(f"{portal.origin}{path}")
            page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
            assert_accessible(page)


@pytest.mark.parametrize(("viewport", "scheme"), LOOKS, ids=["dark phone", "light desktop"])
def test_the_operators_pages_are_accessible(chromium: Browser, portal: ServedPortal, viewport: Any, scheme: Any) -> None:
    """Lists, one TPP, the servers."""
    with watched_context(chromium, viewport=viewport, color_scheme=scheme) as context:
        page = open_page(context, portal, "/operator", email=OPERATOR)
        for path in ("/operator", f"/operator/tpps/{NUMBER}", "/operator/developers", "/operator/servers"):
            page.goto(f"{portal.origin}{path}")
            assert_accessible(page)


def test_the_operator_blocks_a_tpp_and_its_developer_reads_why(chromium: Browser, portal: ServedPortal) -> None:
    """A block without a reason is refused, at its field."""
    with watched_context(chromium) as context:
        page = open_page(context, portal, "/operator", email=OPERATOR)
        page.get_by_role("link", name=NUMBER).click()
        page.get_by_role("button", name="Block").click()
        expect(page).to_have_title("Error: Acme Payments GmbH · PSD2 sandbox")
        page.get_by_label("Reason").fill("tries every door")
        page.get_by_role("button", name="Block").click()
        expect(page.get_by_role("status")).to_contain_text("is blocked")
        assert_fits(page)

        with watched_context(chromium) as others:
            shown = open_page(others, portal, LOG)
            expect(shown.get_by_role("note")).to_contain_text("tries every door")

        page.get_by_role("button", name="Unblock").click()
        expect(page.get_by_role("status")).to_contain_text("may call again")
