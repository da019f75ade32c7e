"""What goes wrong is said on the page, costs what it should, and ends where it must."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from tests.support.bank_core import ANNA, JONAS, TENANT
from tests.unit.bank_backend.pages.walking import at_code, heading, signed_in, status, wrong_code

if TYPE_CHECKING:
    from tests.support.bank_sca import BankDesk


def test_wrong_password_is_said_on_the_page(desk: BankDesk) -> None:
    """422 with an error summary that leads to the field; the user name stays typed."""
    interaction = desk.begin("ais", desk.consent())
    browser = desk.browser()
    browser.get(f"/psu/{interaction}")

    page = browser.post(f"/psu/{interaction}/login", login=ANNA, password="wrong")

    assert page.status_code == 422
    assert 'role="alert"' in page.text
    assert '<a href="#login">User name or password is wrong' in page.text
    assert f'value="{ANNA}"' in page.text
    assert "<title>Error: Sign in" in page.text


def test_five_wrong_passwords_lock_the_psu(desk: BankDesk) -> None:
    """And the page says until when."""
    interaction = desk.begin("ais", desk.consent())
    browser = desk.browser()
    browser.get(f"/psu/{interaction}")
    for _ in range(5):
        browser.post(f"/psu/{interaction}/login", login=ANNA, password="wrong")

    page = browser.post(f"/psu/{interaction}/login", login=ANNA, password=desk.password)

    assert "Locked after 5 wrong passwords in a row: try again after 10:41 UTC" in page.text


def test_eight_failed_logins_close_the_visit(desk: BankDesk) -> None:
    """Whatever the user names: passwords are not tried out through one link for ever."""
    consent = desk.consent()
    interaction = desk.begin("ais", consent)
    browser = desk.browser()
    browser.get(f"/psu/{interaction}")

    answers = [
        browser.post(f"/psu/{interaction}/login", login=f"somebody.{each}", password="wrong").status_code for each in range(8)
    ]

    assert answers == [422] * 7 + [303]
    assert status(desk, interaction) == "failed"
    assert heading(browser.get(f"/psu/{interaction}/done")) == "This request is closed"


def test_wrong_codes_are_counted_down_and_then_it_is_over(desk: BankDesk) -> None:
    """Two attempts left, one, none: failed, and nothing is paid, not even with the right code."""
    browser, visit = at_code(desk)
    right, wrong = desk.code(), wrong_code(desk)
    before = desk.bank.balances(desk.bank.account(ANNA))

    first, second = (browser.post(f"{visit}/confirm", code=wrong) for _ in range(2))
    third = browser.post(f"{visit}/confirm", code=wrong)
    browser.post(f"{visit}/confirm", code=right)

    assert [first.status_code, second.status_code, third.status_code] == [422, 422, 303]
    assert "2 attempts left" in first.text
    assert "1 attempt left" in second.text
    assert status(desk, visit.removeprefix("/psu/")) == "failed"
    assert "too many wrong attempts" in browser.get(f"{visit}/done").text
    assert desk.bank.balances(desk.bank.account(ANNA)) == before


def test_five_wrong_codes_in_a_row_lock_the_psus_codes(desk: BankDesk) -> None:
    """Three for one payment, two for the next: then none counts and none is sent, for any, for a quarter of an hour."""
    for attempts in (3, 2):
        browser, visit = at_code(desk)
        for _ in range(attempts):
            browser.post(f"{visit}/confirm", code=wrong_code(desk))

    refused = browser.post(f"{visit}/confirm", code=desk.code())
    other, other_visit = signed_in(desk, "pis", desk.payment())
    unsent = other.post(f"{other_visit}/send")
    desk.bank.clock.advance(timedelta(minutes=14, seconds=59))
    again, again_visit = signed_in(desk, "pis", desk.payment())
    still = again.post(f"{again_visit}/send")
    desk.bank.clock.advance(timedelta(seconds=1))
    again.post(f"{again_visit}/send")
    again.get(again_visit)
    passed = again.post(f"{again_visit}/confirm", code=desk.code())

    said = "Locked after 5 wrong codes in a row: try again after 10:41 UTC"
    assert [page.status_code for page in (refused, unsent, still, passed)] == [422, 422, 422, 303]
    assert all(said in page.text for page in (refused, unsent, still))
    assert status(desk, visit.removeprefix("/psu/")) == "expired"
    assert status(desk, again_visit.removeprefix("/psu/")) == "approved"


def test_a_right_code_ends_the_row(desk: BankDesk) -> None:
    """Two wrong ones now and then lock nobody."""
    for _ in range(3):
        browser, visit = at_code(desk)
        for _ in range(2):
            browser.post(f"{visit}/confirm", code=wrong_code(desk))
        browser.post(f"{visit}/confirm", code=desk.code())
        assert status(desk, visit.removeprefix("/psu/")) == "approved"


def test_wrong_codes_of_one_psu_lock_no_other(desk: BankDesk) -> None:
    """Neither in this tenant nor by name in another."""
    for attempts in (3, 2):
        browser, visit = at_code(desk)
        for _ in range(attempts):
            browser.post(f"{visit}/confirm", code=wrong_code(desk))

    jonas, consent_visit = signed_in(desk, psu=JONAS)
    jonas.get(f"{consent_visit}/accounts")
    accounts = [account.id for account in desk.bank.services.accounts.accounts_of(TENANT, JONAS)]
    jonas.post(f"{consent_visit}/accounts", account=accounts)

    assert jonas.post(f"{consent_visit}/send").status_code == 303


def test_what_can_not_be_a_code_costs_no_attempt(desk: BankDesk) -> None:
    """Five digits are a slip of the finger."""
    browser, visit = at_code(desk)

    pages = [browser.post(f"{visit}/confirm", code="12345").text for _ in range(4)]

    assert all("Enter the 6 digits of the code." in page for page in pages)
    assert browser.post(f"{visit}/confirm", code=desk.code()).headers["Location"] == f"{visit}/done"


def test_an_expired_code_is_said_and_a_new_one_works(desk: BankDesk) -> None:
    """Five minutes later."""
    browser, visit = at_code(desk)
    desk.bank.clock.advance(timedelta(minutes=5))

    page = browser.post(f"{visit}/confirm", code=desk.code())
    browser.post(f"{visit}/send")

    assert "has expired: ask for a new one" in page.text
    assert browser.post(f"{visit}/confirm", code=desk.code()).headers["Location"] == f"{visit}/done"


def test_an_expired_visit_says_so(desk: BankDesk) -> None:
    """Whatever is sent after fifteen minutes leads to the page that explains it."""
    browser, visit = at_code(desk)
    desk.bank.clock.advance(timedelta(minutes=15))

    answer = browser.post(f"{visit}/confirm", code=desk.code())

    assert answer.headers["Location"] == f"{visit}/done"
    assert heading(browser.get(f"{visit}/done")) == "This request has expired"


def test_an_account_of_somebody_else_can_not_be_approved(desk: BankDesk) -> None:
    """Jonas signs in for a payment from Anna's account: told so, no button, and no code by hand either."""
    browser, visit = signed_in(desk, "pis", desk.payment(), psu=JONAS)

    page = browser.get(visit)

    assert "Jonas Brandt does not hold" in page.text
    assert "send me a code" not in page.text
    assert browser.post(f"{visit}/send").status_code == 422
    assert desk.bank.services.inbox.messages(TENANT, JONAS) == []


def test_only_offered_accounts_can_be_chosen(desk: BankDesk) -> None:
    """Another customer's account id, put into the form by hand, is not taken; nor is no choice."""
    browser, visit = signed_in(desk)

    answers = [browser.post(f"{visit}/accounts", account=each) for each in (desk.bank.account(JONAS).id, [])]

    assert [answer.status_code for answer in answers] == [422, 422]
    assert "Choose at least one account" in answers[1].text


def test_an_unknown_visit_is_a_page(desk: BankDesk) -> None:
    """404 for people."""
    page = desk.browser().get("/psu/11111111-2222-4333-8444-555555555555")

    assert (page.status_code, heading(page)) == (404, "The request is unknown")
