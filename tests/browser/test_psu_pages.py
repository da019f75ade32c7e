"""The PSU's pages in a real Chromium without JavaScript: whole walks, back to a TPP on another origin."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.support.bank_core import ANNA, seed_bank
from tests.support.bank_front import FrontDesk, running_front
from tests.support.bank_sca import CONSENTS, PAYMENTS
from tests.support.pages import LONGEST_MILLISECONDS, PHONE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext, Page


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a seeded database file, made once."""
    file = tmp_path_factory.mktemp("bank") / "template.sqlite"
    seed_bank(f"sqlite:///{file}").database.engine.dispose()
    return file


@pytest.fixture
def desk(template: Path, tmp_path: Path) -> Iterator[FrontDesk]:
    """Lend a bank with its pages on loopback."""
    with running_front(template, tmp_path) as desk:
        yield desk


@contextmanager
def window(chromium: Browser, **options: Any) -> Iterator[BrowserContext]:
    """Open a browser window of its own, without JavaScript."""
    context = chromium.new_context(ignore_https_errors=True, java_script_enabled=False, **options)
    context.set_default_timeout(LONGEST_MILLISECONDS)
    yield context
    context.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """Lend a page; what the content policy refused fails the test."""
    refused: list[str] = []
    with window(chromium) as context:
        page = context.new_page()
        page.on("console", lambda message: refused.append(message.text) if "Content Security Policy" in message.text else None)
        yield page
    assert refused == []


def sign_in(page: Page, desk: FrontDesk, psu: str = ANNA) -> None:
    page.get_by_label("User name").fill(psu)
    page.get_by_label("Password").fill(desk.password)
    page.get_by_role("button", name="Sign in").click()


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).click()


def choose(page: Page, account: str) -> None:
    page.get_by_role("checkbox", name=account).check()
    press(page, "Continue to review")


def test_a_consent_from_sign_in_back_to_the_tpp(page: Page, desk: FrontDesk) -> None:
    """Choose one account, confirm with the code from the inbox in a new tab, and arrive at the TPP."""
    consent = desk.consent()
    account = desk.bank.account(ANNA)

    page.goto(desk.open_visit("ais", consent))
    sign_in(page, desk)
    choose(page, account.name)
    expect(page.get_by_role("term").first).to_have_text(account.name)
    press(page, "Continue: send me a code")
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="inbox").click()
    code = re.search(r"your code is ([0-9]{6})", opened.value.get_by_role("listitem").first.inner_text())
    assert code is not None
    page.get_by_label("One-time code").fill(code[1])
    press(page, "Confirm")

    page.wait_for_url(f"{desk.callback}?code=abc")
    body: Any = desk.tpp.get(f"{CONSENTS}/{consent}").json
    assert body["consentStatus"] == "valid"
    assert body["access"]["balances"] == [{"iban": account.iban, "currency": "EUR"}]


def test_a_payment_by_keyboard_alone(page: Page, desk: FrontDesk) -> None:
    """Every field and button is reached by Tab, and Enter sends."""
    payment = desk.payment()
    page.goto(desk.open_visit("pis", payment))
    page.get_by_label("User name").focus()
    page.keyboard.type(ANNA)
    page.keyboard.press("Tab")
    page.keyboard.type(desk.password)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Do you want to make this payment?")
    button = page.get_by_role("button", name="Continue: send me a code")
    for _ in range(12):
        if button.evaluate("element => element === document.activeElement"):
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_label("One-time code").focus()
    page.keyboard.type(desk.code())
    page.keyboard.press("Enter")

    page.wait_for_url(f"{desk.callback}?code=abc")
    assert desk.tpp.get(f"{PAYMENTS}/{payment}/status").json == {"transactionStatus": "ACSC"}


def test_refusing_before_sign_in_leads_back(page: Page, desk: FrontDesk) -> None:
    """The first page has a way out too."""
    consent = desk.consent()
    page.goto(desk.open_visit("ais", consent))

    press(page, "Cancel and go back")

    page.wait_for_url(f"{desk.callback}?code=abc")
    assert desk.tpp.get(f"{CONSENTS}/{consent}/status").json == {"consentStatus": "rejected"}


def test_mistakes_are_announced_and_lead_to_their_field(page: Page, desk: FrontDesk) -> None:
    """Wrong password, no account, wrong code: an alert whose link goes to the field, and the field says it too."""
    page.goto(desk.open_visit("ais", desk.consent()))
    page.get_by_label("User name").fill(ANNA)
    page.get_by_label("Password").fill("wrong")
    press(page, "Sign in")
    expect(page.get_by_role("alert")).to_contain_text("User name or password is wrong")
    expect(page.get_by_label("User name")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("User name")).to_have_value(ANNA)

    page.get_by_label("Password").fill(desk.password)
    press(page, "Sign in")
    press(page, "Continue to review")
    expect(page.get_by_role("alert")).to_contain_text("Choose at least one account")

    choose(page, desk.bank.account(ANNA).name)
    press(page, "Continue: send me a code")
    for left in ("2 attempts left", "1 attempt left"):
        page.get_by_label("One-time code").fill("000000" if desk.code() != "000000" else "111111")
        press(page, "Confirm")
        expect(page.get_by_role("alert")).to_contain_text(left)
    page.get_by_label("One-time code").fill("000000" if desk.code() != "000000" else "111111")
    press(page, "Confirm")
    expect(page.get_by_role("heading", level=1)).to_have_text("This request is closed")


def test_two_visits_in_one_browser_do_not_mix(chromium: Browser, desk: FrontDesk) -> None:
    """Two tabs, two customers, two requests: each decides its own."""
    payment, consent = desk.payment(), desk.consent()
    with window(chromium) as context:
        first, second = context.new_page(), context.new_page()
        first.goto(desk.open_visit("pis", payment))
        second.goto(desk.open_visit("ais", consent))
        sign_in(first, desk)
        sign_in(second, desk, "jonas.brandt")
        first.reload()
        expect(first.locator("main")).to_contain_text("signed in as Anna Weber")
        expect(second.locator("main")).to_contain_text("signed in as Jonas Brandt")
        press(second, "Refuse")
        press(first, "Continue: send me a code")
        first.get_by_label("One-time code").fill(desk.code())
        press(first, "Pay 12.50 EUR")
        first.wait_for_url(f"{desk.callback}?code=abc")

    assert desk.tpp.get(f"{PAYMENTS}/{payment}/status").json == {"transactionStatus": "ACSC"}
    assert desk.tpp.get(f"{CONSENTS}/{consent}/status").json == {"consentStatus": "rejected"}


def test_another_browser_sees_nothing_of_a_visit(chromium: Browser, desk: FrontDesk) -> None:
    """The address alone opens nothing once somebody has signed in."""
    visit = desk.open_visit("pis", desk.payment())
    with window(chromium) as mine, window(chromium) as other:
        page, thief = mine.new_page(), other.new_page()
        page.goto(visit)
        sign_in(page, desk)

        thief.goto(visit)

        expect(thief.get_by_role("heading", level=1)).to_have_text("Please use the window you signed in with")
        expect(thief.locator("body")).not_to_contain_text("12.50")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_fits_a_phone_in_light_and_dark(chromium: Browser, desk: FrontDesk, scheme: Any) -> None:
    """At 360 pixels nothing has to be scrolled sideways; text stands out from its ground by 4.5 to 1 (WCAG 1.4.3)."""
    consent = desk.consent()
    with window(chromium, viewport=PHONE, color_scheme=scheme) as context:
        page = context.new_page()
        page.goto(desk.open_visit("ais", consent))
        require_legible(page)
        sign_in(page, desk)
        require_legible(page)
        choose(page, desk.bank.account(ANNA).name)
        require_legible(page)
        press(page, "Continue: send me a code")
        press(page, "Confirm")
        require_legible(page)


def require_legible(page: Page) -> None:
    page.wait_for_load_state()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], page.url
    worst = page.evaluate(_WORST_CONTRAST)
    assert worst["ratio"] >= 4.5, worst


# The contrast of every text with the nearest painted ground behind it; the worst one.
_WORST_CONTRAST = """() => {
  const channels = text => text.match(/[0-9.]+/g).map(Number);
  const light = ([red, green, blue]) => {
    const [r, g, b] = [red, green, blue].map(value => value / 255)
      .map(value => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = element => {
    for (let each = element; each; each = each.parentElement) {
      const colour = channels(getComputedStyle(each).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  let worst = {ratio: 21};
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].filter(node => node.nodeType === 3 && node.textContent.trim());
    if (!own.length || !element.getClientRects().length) continue;
    const [a, b] = [light(channels(getComputedStyle(element).color)), light(ground(element))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < worst.ratio) worst = {ratio, text: own[0].textContent.trim(), class: element.className};
  }
  return worst;
}"""
