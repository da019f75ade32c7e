"""The bank app in a real Chromium: approving live, an authenticator app, a passkey, another way to confirm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from bank_backend.sca.totp import code_at, secret_of
from psd2.clock import SystemClock
from tests.browser.test_psu_pages import press, sign_in
from tests.support.bank_core import ANNA, TENANT, seed_bank
from tests.support.bank_front import FrontDesk, running_front
from tests.support.bank_sca import PAYMENTS
from tests.support.pages import LOOKS, assert_accessible, watched_context

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext, Page


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a seeded database file, made once."""
    file = tmp_path_factory.mktemp("bank") / "template.sqlite"
    seed_bank(f"sqlite:///{file}").database.engine.dispose()
    return file


@pytest.fixture
def desk(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FrontDesk]:
    """Lend a bank with its pages on loopback; its sealing key lies in the test's own folder."""
    monkeypatch.chdir(tmp_path)
    with running_front(template, tmp_path) as desk:
        yield desk


def window(chromium: Browser, **options: Any) -> AbstractContextManager[BrowserContext]:
    """Open a browser window of its own; the TPP that is arrived at has no icon (404)."""
    return watched_context(chromium, expected={404, 422}, **options)


def open_app(page: Page, desk: FrontDesk, psu: str = ANNA) -> None:
    page.goto(f"{desk.origin}/psu/app/at/{TENANT}")
    sign_in(page, desk, psu)
    expect(page.get_by_role("heading", level=1)).to_have_text("To confirm")


def review(page: Page, desk: FrontDesk, payment: str) -> None:
    page.goto(desk.open_visit("pis", payment))
    sign_in(page, desk)
    expect(page.get_by_role("heading", level=1)).to_have_text("Do you want to make this payment?")


def confirm_by(page: Page, name: str) -> None:
    page.get_by_text("Confirm in another way", exact=True).click()
    press(page, name)


def paid(desk: FrontDesk, payment: str) -> bool:
    return desk.tpp.get(f"{PAYMENTS}/{payment}/status").json == {"transactionStatus": "ACSC"}


def test_a_payment_waits_for_the_app_and_both_go_on_by_themselves(chromium: Browser, desk: FrontDesk) -> None:
    """The app is open already and shows it within seconds; the page that asked follows the yes back to the TPP."""
    payment = desk.payment()
    with window(chromium) as mine, window(chromium) as phone:
        page, app = mine.new_page(), phone.new_page()
        open_app(app, desk)
        expect(app.locator("#waiting")).to_contain_text("Nothing waits for you")
        review(page, desk, payment)

        confirm_by(page, "Bank app")
        number = page.locator(".number").inner_text()
        expect(app.locator(".request")).to_contain_text("12.50 EUR")
        expect(app.locator(".request")).to_contain_text("Buchhandlung am Markt")
        expect(app.locator(".request .number")).to_have_text(number)
        press(app, "Pay 12.50 EUR")

        page.wait_for_url(f"{desk.callback}?code=abc")
        expect(app.get_by_role("status").first).to_contain_text("Your payment has been made")
    assert paid(desk, payment)


def test_the_app_works_without_javascript(chromium: Browser, desk: FrontDesk) -> None:
    """By reloading; and so does the page that waits, by its link."""
    payment = desk.payment()
    with window(chromium, java_script_enabled=False) as context:
        page, app = context.new_page(), context.new_page()
        review(page, desk, payment)
        confirm_by(page, "Bank app")
        open_app(app, desk)

        press(app, "Pay 12.50 EUR")
        page.get_by_role("link", name="look now").click()

        page.wait_for_url(f"{desk.callback}?code=abc")
    assert paid(desk, payment)


def test_an_authenticator_app_is_set_up_and_confirms(chromium: Browser, desk: FrontDesk) -> None:
    """The QR code is drawn, the secret told once, and its codes pay."""
    payment, clock = desk.payment(), SystemClock()
    with window(chromium) as context:
        page = context.new_page()
        open_app(page, desk, "jonas.brandt")
        page.get_by_role("link", name="How I confirm").click()
        press(page, "Set up an authenticator app")
        picture = page.get_by_role("img", name="QR code").bounding_box()
        assert picture is not None
        assert picture["width"] > 150
        secret = secret_of(page.locator("#secret").inner_text().replace(" ", ""))
        page.get_by_label("Code that the app shows now").fill(code_at(secret, clock.now()))
        press(page, "Finish")
        expect(page.get_by_role("status").first).to_contain_text("Your authenticator app is set up")
        expect(page.locator("#methods")).to_contain_text("Authenticator app")

        review(page, desk, payment)
        confirm_by(page, "Authenticator app")
        told = desk.tpp.get(f"/sandbox/v1/sca-methods?psu={ANNA}").json
        anna = next(each["secret"] for each in told["methods"] if each["type"] == "totp")  # type: ignore[index]
        page.get_by_label("One-time code").fill(code_at(secret_of(anna), clock.now()))
        press(page, "Pay 12.50 EUR")
        page.wait_for_url(f"{desk.callback}?code=abc")
    assert paid(desk, payment)


def test_a_passkey_is_set_up_and_confirms(chromium: Browser, desk: FrontDesk) -> None:
    """A virtual authenticator of Chromium signs a challenge made of amount and payee (WebAuthn Level 3 §7.1, §7.2)."""
    payment = desk.payment()
    with window(chromium) as context:
        page = context.new_page()
        add_authenticator(page)
        open_app(page, desk)
        page.get_by_role("link", name="How I confirm").click()
        press(page, "Set up a passkey")
        page.get_by_label("Name").fill("Anna's laptop")
        press(page, "Make the passkey")
        expect(page.get_by_role("status").first).to_contain_text("Your passkey is set up")

        review(page, desk, payment)
        confirm_by(page, "Anna's laptop")
        expect(page.locator(".statement")).to_contain_text("12.50 EUR to Buchhandlung am Markt")
        press(page, "Pay 12.50 EUR")
        page.wait_for_url(f"{desk.callback}?code=abc")
    assert paid(desk, payment)


def test_a_passkey_that_is_not_there_leaves_the_other_ways(chromium: Browser, desk: FrontDesk) -> None:
    """Another device: the page says so, nothing is approved, and a code still can."""
    payment = desk.payment()
    with window(chromium) as context:
        page = context.new_page()
        authenticator = add_authenticator(page)
        open_app(page, desk)
        page.get_by_role("link", name="How I confirm").click()
        press(page, "Set up a passkey")
        press(page, "Make the passkey")
        expect(page.get_by_role("status").first).to_contain_text("Your passkey is set up")
        authenticator.send("WebAuthn.disable")
        add_authenticator(page)
        review(page, desk, payment)
        confirm_by(page, "Passkey")

        press(page, "Pay 12.50 EUR")

        expect(page.get_by_text("Your device has not confirmed it")).to_be_visible()
        confirm_by(page, "Text message")
        page.get_by_label("One-time code").fill(desk.code())
        press(page, "Pay 12.50 EUR")
        page.wait_for_url(f"{desk.callback}?code=abc")
    assert paid(desk, payment)


def add_authenticator(page: Page) -> Any:
    """Give the page a platform authenticator that says yes by itself; returns the protocol's session."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return session


@pytest.mark.parametrize(("viewport", "scheme"), LOOKS, ids=["phone-dark", "desktop-light"])
def test_axe_finds_nothing_on_any_page(chromium: Browser, desk: FrontDesk, viewport: Any, scheme: Any) -> None:
    """Nor has any to be scrolled sideways, from 360 pixels up, light or dark."""
    consent = desk.consent(access={"balances": [{"iban": desk.iban()}]})
    assert desk.decide(desk.begin("ais", consent, return_url=f"{desk.origin}/authorize/resume/it")).status_code == 200
    with window(chromium, viewport=viewport, color_scheme=scheme) as context:
        app, asking = context.new_page(), context.new_page()
        app.goto(f"{desk.origin}/psu/app")
        assert_accessible(app)
        app.goto(f"{desk.origin}/psu/app/at/{TENANT}")
        assert_accessible(app)
        open_app(app, desk)
        assert_accessible(app)
        review(asking, desk, desk.payment())
        assert_accessible(asking)
        confirm_by(asking, "Bank app")
        assert_accessible(asking)
        expect(app.locator(".request")).to_contain_text("12.50 EUR")
        assert_accessible(app)
        for name in ("Who sees my accounts", "Inbox", "How I confirm"):
            app.get_by_role("link", name=name).click()
            expect(app.get_by_role("heading", level=1)).to_have_text(name)
            assert_accessible(app)
        press(app, "Set up an authenticator app")
        assert_accessible(app)
        press(app, "Finish")
        assert_accessible(app)
