"""Who may use the bank app: signed in with a password, for five idle minutes, by forms of its own only."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bank_backend.bankapp.model import MOST_AGE, MOST_IDLE
from tests.support.bank_core import ANNA, JONAS, OTHER_TENANT, TENANT
from tests.unit.bank_backend.bankapp.app import APP, decoupled_consent, signed_in, the_one, waiting, words
from tests.unit.bank_backend.pages.walking import heading

if TYPE_CHECKING:
    from tests.support.bank_sca import BankDesk


def test_a_company_is_found_by_number_or_name(desk: BankDesk) -> None:
    """Logins repeat in every company's bank: which one comes first. A name that two go by needs the number."""
    browser = desk.browser()
    assert heading(browser.get(APP)) == "The bank app"

    assert browser.get(f"{APP}/bank?tpp=+{TENANT}+").headers["Location"] == f"{APP}/at/{TENANT}"
    several = browser.get(f"{APP}/bank?tpp=fintech+EXAMPLE")
    assert (several.status_code, "enter the authorisation number" in words(several)) == (422, True)
    unknown = browser.get(f"{APP}/bank?tpp=%25")
    assert (unknown.status_code, "no registered company" in words(unknown).lower()) == (422, True)
    assert browser.get(f"{APP}/at/PSDDE-BAFIN-999999").status_code == 404


def test_a_wrong_password_is_told_and_five_lock(desk: BankDesk) -> None:
    """The lock is the PSU's, wherever it signs in."""
    browser = desk.browser()
    browser.get(f"{APP}/at/{TENANT}")
    answers = [browser.post(f"{APP}/sign-in", tpp=TENANT, login=ANNA, password="wrong") for _ in range(5)]

    assert {answer.status_code for answer in answers} == {422}
    locked = browser.post(f"{APP}/sign-in", tpp=TENANT, login=ANNA, password=desk.password)
    assert "Locked after 5 wrong passwords" in words(locked)
    desk.bank.clock.advance(timedelta(minutes=15))
    assert browser.post(f"{APP}/sign-in", tpp=TENANT, login=ANNA, password=desk.password).status_code == 303


def test_the_password_of_one_company_opens_no_other(desk: BankDesk) -> None:
    """The same login, another bank."""
    browser = desk.browser()
    browser.get(f"{APP}/at/{OTHER_TENANT}")

    answer = browser.post(f"{APP}/sign-in", tpp=OTHER_TENANT, login=ANNA, password=desk.password)

    assert answer.status_code == 422


def test_a_session_ends_after_five_idle_minutes(desk: BankDesk) -> None:
    """RTS Art. 4 (3)(d); the list that renews itself is no activity, a click is."""
    app = signed_in(desk)
    desk.bank.clock.advance(MOST_IDLE - timedelta(seconds=1))
    assert app.get(f"{APP}/methods").status_code == 200
    desk.bank.clock.advance(MOST_IDLE - timedelta(seconds=1))
    assert app.get(f"{APP}/waiting?seen=").status_code == 200

    desk.bank.clock.advance(timedelta(seconds=1))

    assert app.get(f"{APP}/methods").headers["Location"] == APP
    assert heading(app.get(APP)) == "The bank app"
    news = app.get(f"{APP}/waiting?seen=")
    assert (news.status_code, news.headers["HX-Redirect"]) == (204, APP)


def test_no_session_lasts_for_ever(desk: BankDesk) -> None:
    """However busy."""
    app = signed_in(desk)
    for _ in range(int(MOST_AGE / timedelta(minutes=4))):
        desk.bank.clock.advance(timedelta(minutes=4))
        app.get(APP)

    assert app.get(f"{APP}/methods").status_code == 303


def test_signing_in_anew_makes_the_earlier_session_worthless(desk: BankDesk) -> None:
    """Nor does a secret that was there before signing in ever open anything (session fixation)."""
    app = signed_in(desk)
    before = app.client.get_cookie("__Host-psu-app", domain="localhost")
    app.post(f"{APP}/sign-in", tpp=TENANT, login=JONAS, password=desk.password)
    after = app.client.get_cookie("__Host-psu-app", domain="localhost")
    assert before is not None
    assert after is not None
    assert before.value != after.value

    thief = desk.browser()
    thief.client.set_cookie("__Host-psu-app", before.value, domain="localhost", secure=True)

    assert heading(thief.get(APP)) == "The bank app"


def test_signing_out_ends_it(desk: BankDesk) -> None:
    """At the bank, not in the browser only."""
    app = signed_in(desk)
    kept = app.client.get_cookie("__Host-psu-app", domain="localhost")
    assert kept is not None
    app.post(f"{APP}/sign-out")

    app.client.set_cookie("__Host-psu-app", kept.value, domain="localhost", secure=True)

    assert heading(app.get(APP)) == "The bank app"


@pytest.mark.parametrize("token", ["", "0" * 64])
@pytest.mark.parametrize("form", ["approve", "reject"])
def test_a_form_without_the_pages_token_is_refused(desk: BankDesk, form: str, token: str) -> None:
    """CSRF: another site's form approves nothing."""
    decoupled_consent(desk, access={"balances": [{"iban": desk.iban()}]})
    app = signed_in(desk)
    request, seal = the_one(app)

    answer = app.post(f"{request}/{form}", seal=seal, csrf=token)

    assert answer.status_code == 403
    assert waiting(app.get(APP))


@pytest.mark.parametrize("path", ["/methods/totp", "/methods/passkey", "/methods/totp/confirm", "/sign-out", "/sign-in"])
def test_every_other_form_needs_the_token_too(desk: BankDesk, path: str) -> None:
    """None is an exception."""
    app = signed_in(desk)

    assert app.post(f"{APP}{path}", csrf="0" * 64, tpp=TENANT).status_code == 403


@pytest.mark.parametrize("path", ["", "/methods", "/inbox", "/at/PSDDE-BAFIN-100001"])
def test_no_page_can_be_framed_or_kept(desk: BankDesk, path: str) -> None:
    """Clickjacking an approval; nothing inline runs, and the cookie is out of scripts' reach."""
    answer = signed_in(desk).get(f"{APP}{path}")

    policy = answer.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_cookie_is_bound_to_this_host(desk: BankDesk) -> None:
    """`__Host-`, Secure, HttpOnly, and gone with the browser."""
    browser = desk.browser()
    browser.get(f"{APP}/at/{TENANT}")

    cookie = browser.post(f"{APP}/sign-in", tpp=TENANT, login=ANNA, password=desk.password).headers["Set-Cookie"]

    assert cookie.startswith("__Host-psu-app=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; ")[1:])
    assert "Max-Age" not in cookie
    assert "Domain" not in cookie
