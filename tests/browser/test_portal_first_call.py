"""First call, inbox and test data in a real Chromium: copying, news without reloading, phones, the dark, screen readers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.support.pages import (
    LOOKS,
    assert_accessible,
    sign_up_and_in,
    watched_context,
    watched_page,
)
from tests.support.portal_server import ServedPortal, running_portal
from tests.support.register import NUMBER, ROOMY
from tests.support.tenant_data import message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, BrowserContext, Page

    Opened = Callable[[BrowserContext, str], Page]

TPP = f"/tpps/{NUMBER}"
POLL_MILLISECONDS = 3_000
PAGES = ["first-call", "inbox", "data", "data/1", "data/workbench"]


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedPortal]:
    """Lend one portal to all tests of the module."""
    with running_portal(tmp_path_factory.mktemp("portal")) as portal:
        portal.registered(redirect_uris=["https://tpp.example/one", "https://tpp.example/two"])
        yield portal


@pytest.fixture(scope="module")
def cookies(portal: ServedPortal, chromium: Browser) -> list[Any]:
    """Sign a developer up and in, once, and give the TPP to its organisation."""
    with watched_page(chromium) as page:
        sign_up_and_in(page, portal.origin, "anna@acme.example")
        cookies = page.context.cookies()
    owner = portal.developers.visitor(next(one["value"] for one in cookies if one["name"] == "__Host-portal"))
    assert owner is not None
    assert portal.world.store.claim(portal.world.register.require(NUMBER), owner.organisation.id, limits=ROOMY)
    return list(cookies)


@pytest.fixture
def opened(portal: ServedPortal, cookies: list[Any]) -> Opened:
    """Return how to open a page of the TPP in a window, signed in."""

    def open_page(context: BrowserContext, path: str) -> Page:
        context.add_cookies(cookies)
        page = context.new_page()
        page.goto(f"{portal.origin}{TPP}/{path}")
        return page

    return open_page


@pytest.mark.parametrize(("viewport", "scheme"), LOOKS, ids=["dark phone", "light desktop"])
def test_every_page_is_accessible(chromium: Browser, portal: ServedPortal, opened: Opened, viewport: Any, scheme: Any) -> None:
    """With messages and without, and with everything that can be unfolded open."""
    with watched_context(chromium, viewport=viewport, color_scheme=scheme) as context:
        portal.tenant_data.messages = []
        page = opened(context, "inbox")
        assert_accessible(page)
        portal.tenant_data.messages = [message("Musterbank: your code is 482915.")]
        for path in PAGES:
            page.goto(f"{portal.origin}{TPP}/{path}")
            page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
            assert_accessible(page)


@pytest.mark.parametrize("path", PAGES)
def test_without_javascript_everything_is_there(chromium: Browser, portal: ServedPortal, opened: Opened, path: str) -> None:
    """Buttons that only scripts can serve are not shown."""
    portal.tenant_data.messages = [message("Musterbank: your code is 482915.")]
    with watched_context(chromium, java_script_enabled=False) as context:
        page = opened(context, path)

        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page.locator("button.copy")).to_have_count(0)
        if path == "inbox":
            expect(page.get_by_text("482915", exact=True)).to_be_visible()


def test_a_block_is_copied_whole(chromium: Browser, opened: Opened) -> None:
    """What is in the clipboard is what was shown, and the page says that it is."""
    with watched_context(chromium, permissions=["clipboard-read", "clipboard-write"]) as context:
        page = opened(context, "first-call")
        block = page.locator("#consent .sample")

        block.get_by_role("button", name="Copy").click()

        expect(block.get_by_role("button")).to_have_text("Copied")
        assert page.evaluate("navigator.clipboard.readText()") == block.locator("code").text_content()


def test_a_browser_that_does_not_let_pages_copy_marks_the_text(chromium: Browser, opened: Opened) -> None:
    """Then the keyboard copies it."""
    with watched_context(chromium) as context:
        context.add_init_script(
            "if (navigator.clipboard) navigator.clipboard.writeText = () => Promise.reject(new Error('no'))"
        )
        page = opened(context, "first-call")
        block = page.locator("#consent .sample")

        block.get_by_role("button", name="Copy").click()

        expect(block.get_by_role("button")).to_have_text("Marked")
        assert page.evaluate("getSelection().toString()").startswith("ANSWER=$(curl")


def test_a_persona_is_chosen_by_a_form(chromium: Browser, opened: Opened) -> None:
    """Also without JavaScript: it is a plain form."""
    with watched_context(chromium, java_script_enabled=False) as context:
        page = opened(context, "first-call")

        page.get_by_label("Who plays the PSU").select_option("helga.lindner")
        page.get_by_label("Redirect URI").select_option("https://tpp.example/two")
        page.get_by_role("button", name="Fill in").click()

        expect(page.locator("#files .sample code")).to_contain_text("REDIRECT_URI='https://tpp.example/two'")
        expect(page.locator("#ais-headless .sample code")).to_contain_text('"psu": "helga.lindner"')


def test_a_message_appears_without_reloading(chromium: Browser, portal: ServedPortal, opened: Opened) -> None:
    """Whoever waits for a code only waits; once it is there and marked, it stays marked."""
    portal.tenant_data.messages = []
    with watched_context(chromium) as context:
        context.clock.install()
        page = opened(context, "inbox")
        expect(page.get_by_text("No messages yet")).to_be_visible()

        portal.tenant_data.messages = [message("Musterbank: your code is 482915.")]
        page.clock.run_for(POLL_MILLISECONDS)

        code = page.get_by_text("482915", exact=True)
        expect(code).to_be_visible()
        code.click()
        with page.expect_response(lambda answer: answer.status == 204):
            page.clock.run_for(POLL_MILLISECONDS)
        assert page.evaluate("getSelection().toString()") == "482915"


def test_nobody_is_asked_while_nobody_looks(chromium: Browser, portal: ServedPortal, opened: Opened) -> None:
    """A page in the background does not poll; it goes on when it is looked at again."""
    with watched_context(chromium) as context:
        context.clock.install()
        page = opened(context, "inbox")
        page.evaluate("Object.defineProperty(document, 'hidden', {get: () => window.isAway, configurable: true})")
        page.evaluate("window.isAway = true")
        before = len(portal.tenant_data.asked)
        page.clock.run_for(60_000)
        page.wait_for_load_state("networkidle")
        assert len(portal.tenant_data.asked) == before

        page.evaluate("window.isAway = false")
        with page.expect_response(lambda answer: "/inbox" in answer.url):
            page.clock.run_for(POLL_MILLISECONDS)


def test_a_bank_that_goes_down_is_said_and_what_is_shown_stays(chromium: Browser, portal: ServedPortal, opened: Opened) -> None:
    """The list is not replaced by a page of problems; when the bank is back, the note goes."""
    portal.tenant_data.messages = [message("Musterbank: your code is 482915.")]
    with watched_context(chromium, expected={503}) as context:
        context.clock.install()
        page = opened(context, "inbox")
        note = page.get_by_text("The bank does not answer at the moment")
        expect(note).to_be_hidden()
        try:
            portal.tenant_data.is_down = True
            page.clock.run_for(POLL_MILLISECONDS)
            expect(note).to_be_visible()
            expect(page.get_by_text("482915", exact=True)).to_be_visible()
        finally:
            portal.tenant_data.is_down = False
        page.clock.run_for(POLL_MILLISECONDS)
        expect(note).to_be_hidden()
