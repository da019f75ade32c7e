"""Clicking twice, going back, coming late: harmless, whichever page it happens on; and every page says who asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bank_backend.interactions.model import INTERACTION_LIFETIME
from tests.support.bank_core import ANNA, JONAS, TENANT
from tests.support.bank_sca import CONSENTS
from tests.unit.bank_backend.pages.walking import at_code, heading, signed_in, status

if TYPE_CHECKING:
    from tests.support.bank_sca import BankDesk


def test_every_page_says_who_asks(desk: BankDesk) -> None:
    """Name, authorisation number, supervisor and licences, before the login and after it; what for and how long."""
    browser, interaction = desk.browser(), desk.begin("ais", desk.consent())
    visit = f"/psu/{interaction}"
    pages = [browser.get(visit).text]
    browser.log_in(interaction, desk.password)
    pages.append(browser.get(visit).text)
    browser.post(f"{visit}/accounts", account=desk.bank.account(ANNA).id)
    pages.append(browser.get(visit).text)
    browser.post(f"{visit}/send")
    pages.append(browser.get(visit).text)

    said = ("Fintech Example", TENANT, "Federal Financial Supervisory Authority", "Account information", "Payment initiation")
    assert [[each for each in said if each not in page] for page in pages] == [[]] * 4
    assert "How long" in pages[2]


def test_signing_in_twice(desk: BankDesk) -> None:
    """The browser has thrown the first answer away, and the new cookie with it: the second one lets it in."""
    interaction = desk.begin("ais", desk.consent())
    browser, impatient = desk.browser(), desk.browser()
    browser.get(f"/psu/{interaction}")
    cookie = browser.client.get_cookie(f"__Host-psu-{interaction}")
    assert cookie is not None
    impatient.client.set_cookie(cookie.key, cookie.value)
    impatient.csrf = browser.csrf

    clicks = [each.post(f"/psu/{interaction}/login", login=ANNA, password=desk.password) for each in (browser, impatient)]

    assert [click.status_code for click in clicks] == [303, 303]
    assert heading(impatient.get(f"/psu/{interaction}")).startswith("Which accounts")
    assert browser.get(f"/psu/{interaction}").status_code == 403


def test_nobody_signs_in_again_while_a_code_is_awaited(desk: BankDesk) -> None:
    """Not even the same PSU: the browser that confirms is the one that read what is asked."""
    browser, visit = at_code(desk)
    other = desk.browser()
    cookie = browser.client.get_cookie(f"__Host-psu-{visit[5:]}")
    assert cookie is not None
    other.client.set_cookie(cookie.key, cookie.value)
    other.csrf = browser.csrf

    assert other.post(f"{visit}/login", login=ANNA, password=desk.password).status_code == 403
    assert browser.post(f"{visit}/confirm", code=desk.code()).status_code == 303


def test_another_psu_does_not_sign_in_over_the_first(desk: BankDesk) -> None:
    """With its own right password, before anything was chosen."""
    browser, visit = signed_in(desk)

    assert browser.post(f"{visit}/login", login=JONAS, password=desk.password).status_code == 403
    assert "signed in as Anna Weber" in browser.get(visit).text


@pytest.mark.parametrize("page", ["confirm", "refuse"])
def test_deciding_twice(desk: BankDesk, page: str) -> None:
    """The second click finds the decision made, and leads to the same last page."""
    browser, visit = at_code(desk)
    code = desk.code()

    answers = [browser.post(f"{visit}/{page}", code=code) for _ in range(2)]

    assert [answer.headers["Location"] for answer in answers] == [f"{visit}/done"] * 2
    assert status(desk, visit[5:]) == {"confirm": "approved", "refuse": "rejected"}[page]


def test_choosing_twice(desk: BankDesk) -> None:
    """The same choice, the same review."""
    browser, visit = signed_in(desk)
    account = desk.bank.account(ANNA).id

    answers = [browser.post(f"{visit}/accounts", account=account) for _ in range(2)]

    assert [answer.headers["Location"] for answer in answers] == [visit] * 2
    assert heading(browser.get(visit)) == "May Fintech Example see this?"


def test_asking_for_a_code_twice(desk: BankDesk) -> None:
    """The newest counts, and it is enough."""
    browser, visit = at_code(desk)

    browser.post(f"{visit}/send")
    browser.post(f"{visit}/confirm", code=desk.code())

    assert status(desk, visit[5:]) == "approved"


@pytest.mark.parametrize("page", ["", "/accounts", "/done"])
def test_going_back_after_the_decision(desk: BankDesk, page: str) -> None:
    """Whichever page the browser goes back to, it ends on the last one; nothing is decided anew."""
    consent = desk.consent()
    browser, visit = signed_in(desk, "ais", consent)
    browser.post(f"{visit}/accounts", account=desk.bank.account(ANNA).id)
    browser.post(f"{visit}/send")
    browser.post(f"{visit}/confirm", code=desk.code())

    answer = browser.get(f"{visit}{page}")
    sent = [browser.post(f"{visit}/{form}", account=desk.bank.account(ANNA).id) for form in ("accounts", "send")]

    assert (answer.status_code, answer.headers.get("Location")) in {(200, None), (303, f"{visit}/done")}
    assert [each.headers["Location"] for each in sent] == [f"{visit}/done"] * 2
    assert desk.tpp.get(f"{CONSENTS}/{consent}/status").json == {"consentStatus": "valid"}


@pytest.mark.parametrize("form", ["login", "accounts", "send", "confirm", "refuse"])
def test_coming_late(desk: BankDesk, form: str) -> None:
    """After fifteen minutes every form leads to the page that says so."""
    browser, visit = signed_in(desk)
    desk.bank.clock.advance(INTERACTION_LIFETIME)

    answer = browser.post(f"{visit}/{form}", login=ANNA, password=desk.password, code="123456", account="x")

    assert answer.headers["Location"] == f"{visit}/done"
    assert heading(browser.get(f"{visit}/done")) == "This request has expired"
