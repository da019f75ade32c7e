"""The demo app in a real Chromium: from connecting a bank to a payment and back, as a person does it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.support.demo_app import origin_of
from tests.support.pages import LOOKS, PHONE, assert_accessible, watched_context, watched_page

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.support.platform import RunningPlatform

ANNA, JONAS = "anna.weber", "jonas.brandt"
_CODE = re.compile(r"\b(\d{6})\b")


@pytest.fixture(scope="module")
def origin(platform: RunningPlatform) -> str:
    return origin_of(platform)


def press(page: Page, name: str | re.Pattern[str]) -> None:
    page.get_by_role("button", name=name).click()


def sign_in(page: Page, psu: str) -> None:
    """Sign in at the bank, with the password that its page tells."""
    page.get_by_label("User name").fill(psu)
    page.get_by_label("Password").fill(page.locator("section.hint code").inner_text())
    press(page, "Sign in")


def confirm(page: Page, button: str | re.Pattern[str]) -> None:
    """Confirm with the code that arrives in the PSU's inbox, in another window."""
    with page.context.expect_page() as opened:
        page.get_by_role("link", name=re.compile("inbox")).click()
    inbox = opened.value
    found = _CODE.search(inbox.locator(".message").first.inner_text())
    inbox.close()
    assert found is not None
    page.get_by_label("One-time code").fill(found[1])
    press(page, button)


def open_tab(page: Page, name: str) -> None:
    page.get_by_role("navigation", name="Main").get_by_role("link", name=name).click()


def connect(page: Page, origin: str, psu: str) -> None:
    """Go from the start page to the bank and back; every account is allowed."""
    page.goto(f"{origin}/")
    press(page, re.compile("^Connect"))
    sign_in(page, psu)
    for box in page.get_by_role("checkbox").all():
        box.check()
    press(page, "Continue to review")
    press(page, re.compile("send me a code"))
    confirm(page, "Confirm")
    page.wait_for_url(f"{origin}/accounts")


def approve_payment(page: Page, origin: str, psu: str) -> None:
    sign_in(page, psu)
    press(page, re.compile("send me a code"))
    confirm(page, re.compile("^Pay"))
    page.wait_for_url(f"{origin}/payments/*")


def fill_payment(page: Page, *, to: str, amount: str) -> None:
    page.get_by_label("From").select_option(index=1)
    page.get_by_label("To", exact=True).fill(to)
    page.get_by_label("IBAN", exact=True).fill(iban_of_somebody(page))
    page.get_by_label("Amount").fill(amount)
    page.get_by_label("Message").fill("Lunch, with thanks")


def iban_of_somebody(page: Page) -> str:
    """Return an account that the page suggests, of another person."""
    page.locator("details.people summary").click()
    return str(page.locator(".people li", has_not_text="Anna").locator("code").first.inner_text())


def first_balance(page: Page) -> int:
    """Return the cents on the first account of the overview."""
    return int(re.sub(r"\D", "", page.locator(".account-amount").first.inner_text()))


def pay_looking_at_each_page(page: Page, origin: str) -> None:
    """Send the form empty, then filled in, approve, and see the payment settled and listed."""
    open_tab(page, "Payments")
    assert_accessible(page)
    page.get_by_role("link", name="Pay somebody").click()
    assert_accessible(page)
    press(page, "Continue to the bank")
    expect(page).to_have_title(re.compile("^Error: "))
    assert_accessible(page)
    fill_payment(page, to="Max <b>Frei</b>", amount="12.34")
    press(page, "Continue to the bank")
    approve_payment(page, origin, ANNA)
    expect(page.get_by_text("ACCC", exact=True)).to_be_visible()
    assert_accessible(page)
    open_tab(page, "Payments")
    assert_accessible(page)


@pytest.mark.parametrize(("viewport", "scheme"), LOOKS)
def test_from_connecting_to_a_payment_and_back(chromium: Browser, origin: str, viewport: dict[str, int], scheme: Any) -> None:
    """Connect, look, pay, see the balance changed, disconnect; axe finds nothing on any page on the way."""
    with watched_page(chromium, viewport=viewport, color_scheme=scheme) as page:
        page.goto(f"{origin}/")
        assert_accessible(page)
        connect(page, origin, ANNA)
        page.locator("details.wire summary").click()
        expect(page.locator(".wire-call").first).to_contain_text("/v1/consents")
        assert_accessible(page)
        before = first_balance(page)

        page.locator(".account-tile a").first.click()
        expect(page.locator(".chart-drawing")).to_have_count(2)
        page.locator(".chart-data summary").first.click()
        assert_accessible(page)
        page.locator("nav.months a").first.click()
        page.get_by_label(re.compile("^Search")).fill("nobody at all")
        press(page, "Show")
        expect(page.get_by_text("matches", exact=False)).to_be_visible()
        assert_accessible(page)

        pay_looking_at_each_page(page, origin)

        open_tab(page, "Accounts")
        assert before - first_balance(page) == 1234
        open_tab(page, "Connection")
        assert_accessible(page)
        press(page, "Disconnect Musterbank")
        expect(page.get_by_role("heading", name="Disconnected")).to_be_visible()
        assert_accessible(page)
        page.goto(f"{origin}/accounts")
        expect(page).to_have_url(f"{origin}/")


def test_a_refused_consent_leads_back_and_leaves_nothing(chromium: Browser, origin: str) -> None:
    """The page says that nothing was granted, and one may begin again; without JavaScript, on a phone."""
    with watched_page(chromium, viewport=PHONE, java_script_enabled=False) as page:
        page.goto(f"{origin}/")
        press(page, "Connect Musterbank")
        press(page, "Cancel and go back")
        page.wait_for_url(f"{origin}/callback*")
        expect(page.get_by_role("heading", name="You said no at the bank")).to_be_visible()
        page.goto(f"{origin}/accounts")
        expect(page).to_have_url(f"{origin}/")
        connect(page, origin, JONAS)
        expect(page.get_by_role("heading", name="Your accounts")).to_be_visible()


def test_two_browsers_at_once_are_two_people(chromium: Browser, origin: str) -> None:
    """Neither the other's callback nor its accounts nor its payments open anything."""
    with (
        watched_context(chromium, expected={400, 404}) as annas,
        watched_context(chromium, expected={400, 404}) as jonases,
    ):
        anna, jonas = annas.new_page(), jonases.new_page()
        sent_back: list[str] = []
        anna.on("request", lambda request: sent_back.append(request.url) if "/callback?" in request.url else None)
        connect(anna, origin, ANNA)
        connect(jonas, origin, JONAS)
        names = anna.locator(".account-tile .mono").all_inner_texts(), jonas.locator(".account-tile .mono").all_inner_texts()
        assert not set(names[0]) & set(names[1])

        jonas.goto(sent_back[0])
        expect(jonas.get_by_role("heading", name="This answer belongs to no question of yours")).to_be_visible()
        assert_accessible(jonas)
        anna.locator(".account-tile a").first.click()
        jonas.goto(anna.url)
        expect(jonas.get_by_role("heading", name="There is no such page")).to_be_visible()
        jonas.goto(f"{origin}/accounts")
        assert jonas.locator(".account-tile .mono").all_inner_texts() == names[1]


def test_an_open_payment_page_learns_of_the_approval_by_itself(chromium: Browser, origin: str) -> None:
    """Approved in another window, the first one shows it without being reloaded."""
    with watched_context(chromium) as context:
        page = context.new_page()
        connect(page, origin, ANNA)
        page.goto(f"{origin}/payments/new")
        fill_payment(page, to="Max Frei", amount="1.00")
        press(page, "Continue to the bank")
        expect(page.get_by_label("User name")).to_be_visible()
        page.goto(f"{origin}/payments")
        page.get_by_role("link", name="Max Frei").click()
        expect(page.get_by_text("waits for your approval")).to_be_visible()
        assert_accessible(page)

        other = context.new_page()
        other.goto(page.url)
        press(other, "Approve it at the bank")
        approve_payment(other, origin, ANNA)
        expect(page.get_by_text("ACCC", exact=True)).to_be_visible()
