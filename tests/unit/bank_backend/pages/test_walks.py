"""The PSU's walk through the pages, form by form, for each kind of request, and every way out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.bank_core import ANNA, TENANT
from tests.support.bank_sca import CONSENTS, FUNDS, PAYMENTS, RETURN_URL
from tests.unit.bank_backend.pages.walking import at_code, heading, signed_in, status

if TYPE_CHECKING:
    from tests.support.bank_sca import BankDesk


def test_the_whole_walk_of_a_bank_offered_consent(desk: BankDesk) -> None:
    """Sign in, choose, review, code, done: each form answers 303, and the consent holds what was chosen."""
    consent = desk.consent()
    interaction = desk.begin("ais", consent)
    visit, browser = f"/psu/{interaction}", desk.browser()
    chosen = desk.bank.services.accounts.accounts_of(TENANT, ANNA)[1]

    assert heading(browser.get(visit)) == "Fintech Example asks to see your accounts"
    assert browser.post(f"{visit}/login", login=ANNA, password=desk.password).headers["Location"] == visit
    assert heading(browser.get(visit)) == "Which accounts may Fintech Example see?"
    assert browser.post(f"{visit}/accounts", account=chosen.id).status_code == 303
    review = browser.get(visit)
    assert heading(review) == "May Fintech Example see this?"
    assert chosen.name in review.text
    assert desk.bank.account(ANNA).name not in review.text
    assert browser.post(f"{visit}/send").status_code == 303
    assert heading(browser.get(visit)) == "Confirm with your one-time code"
    done = browser.post(f"{visit}/confirm", code=desk.code())

    assert (done.status_code, done.headers["Location"]) == (303, f"{visit}/done")
    body: Any = desk.tpp.get(f"{CONSENTS}/{consent}").json
    assert body["consentStatus"] == "valid"
    assert body["access"]["balances"] == [{"iban": chosen.iban, "currency": "EUR"}]
    assert status(desk, interaction) == "approved"
    assert not desk.bank.services.visits.interaction(interaction).headless


def test_the_last_page_leads_back(desk: BankDesk) -> None:
    """A refresh and a link to the gateway's address: no redirect, which form-action would forbid (CSP 3 §6.3.2)."""
    browser, visit = at_code(desk)
    browser.post(f"{visit}/confirm", code=desk.code())

    page = browser.get(f"{visit}/done")

    assert page.status_code == 200
    assert f'<meta http-equiv="refresh" content="0;url={RETURN_URL}">' in page.text
    assert f'href="{RETURN_URL}"' in page.text


def test_sca_status_follows_the_walk(desk: BankDesk) -> None:
    """received, psuAuthenticated, started, finalised (BG IG §14.15)."""
    payment = desk.payment()
    (authorisation,) = desk.tpp.get(f"{PAYMENTS}/{payment}/authorisations").json["authorisationIds"]  # type: ignore[index]
    seen = []

    def look() -> None:
        body: Any = desk.tpp.get(f"{PAYMENTS}/{payment}/authorisations/{authorisation}").json
        seen.append(body["scaStatus"])

    look()
    browser, visit = signed_in(desk, "pis", payment)
    look()
    browser.post(f"{visit}/send")
    look()
    browser.post(f"{visit}/confirm", code=desk.code())
    look()

    assert seen == ["received", "psuAuthenticated", "started", "finalised"]


def test_a_payments_review_shows_amount_payee_and_reference(desk: BankDesk) -> None:
    """What the PSU is about to approve, and who asks."""
    browser, visit = signed_in(desk, "pis", desk.payment(instructedAmount={"currency": "EUR", "amount": "1234.50"}))

    page = browser.get(visit).text

    for shown in (
        "1,234.50 EUR",
        "Buchhandlung am Markt",
        "DE02 1001 0010 9307 1186 03",
        "Rechnung 2026-4711",
        "Fintech Example",
        "Fintech App",
        TENANT,
        "Federal Financial Supervisory Authority (DE)",
        "Account information",
    ):
        assert shown in page, shown


def test_a_consents_review_says_how_long_and_how_often(desk: BankDesk) -> None:
    """Validity and frequency in words."""
    browser, visit = signed_in(desk, "ais", desk.consent(access={"balances": [{"iban": desk.iban()}]}))

    page = browser.get(visit).text

    assert "Until 17 May 2027" in page
    assert "up to 4 times a day without you" in page
    assert "Details and balance" in page


def test_a_payment_is_made_with_the_code(desk: BankDesk) -> None:
    """ACSC."""
    payment = desk.payment()
    browser, visit = signed_in(desk, "pis", payment)
    browser.post(f"{visit}/send")

    browser.post(f"{visit}/confirm", code=f" {desk.code()[:3]} {desk.code()[3:]} ")

    assert desk.tpp.get(f"{PAYMENTS}/{payment}/status").json == {"transactionStatus": "ACSC"}


def test_a_payment_that_is_not_covered_is_warned_of_and_then_explained(desk: BankDesk) -> None:
    """The review warns; after approval the last page says what happened and waits to be read."""
    browser, visit = signed_in(desk, "pis", desk.payment(instructedAmount={"currency": "EUR", "amount": "99999999"}))
    assert "does not cover this amount" in browser.get(visit).text
    browser.post(f"{visit}/send")

    browser.post(f"{visit}/confirm", code=desk.code())

    page = browser.get(f"{visit}/done")
    assert heading(page) == "Your payment was rejected"
    assert 'http-equiv="refresh"' not in page.text
    assert f'href="{RETURN_URL}"' in page.text


def test_a_funds_consent_is_approved(desk: BankDesk) -> None:
    """The third kind of request takes the same walk."""
    consent = desk.funds_consent(cardNumber="5409050000001234")
    browser, visit = signed_in(desk, "piis", consent)
    page = browser.get(visit).text
    assert "5409050000001234" not in page
    browser.post(f"{visit}/send")

    browser.post(f"{visit}/confirm", code=desk.code())

    assert desk.tpp.get(f"{FUNDS}/{consent}/status").json == {"consentStatus": "valid"}


@pytest.mark.parametrize("steps", [0, 1, 2, 3])
def test_refusing_is_possible_at_every_step(desk: BankDesk, steps: int) -> None:
    """Before the login, at the accounts, at the review, at the code: rejected, and back."""
    consent = desk.consent()
    interaction = desk.begin("ais", consent)
    visit, browser = f"/psu/{interaction}", desk.browser()
    walk = [
        lambda: browser.log_in(interaction, desk.password),
        lambda: browser.post(f"{visit}/accounts", account=desk.bank.account(ANNA).id),
        lambda: browser.post(f"{visit}/send"),
    ]
    browser.get(visit)
    for step in walk[:steps]:
        step()
    page = browser.get(visit)
    assert f'formaction="{visit}/refuse"' in page.text

    answer = browser.post(f"{visit}/refuse")

    assert answer.headers["Location"] == f"{visit}/done"
    assert status(desk, interaction) == "rejected"
    assert desk.tpp.get(f"{CONSENTS}/{consent}/status").json == {"consentStatus": "rejected"}
    assert f'href="{RETURN_URL}"' in browser.get(f"{visit}/done").text


def test_the_choice_can_be_changed_until_it_is_confirmed(desk: BankDesk) -> None:
    """Changed after the code was sent, the code is worth nothing: it was for another choice (RTS Art. 5)."""
    first, second = desk.bank.services.accounts.accounts_of(TENANT, ANNA)
    consent = desk.consent()
    browser, visit = signed_in(desk, "ais", consent)
    browser.post(f"{visit}/accounts", account=first.id)
    browser.post(f"{visit}/send")
    old = desk.code()
    browser.get(f"{visit}/accounts")
    browser.post(f"{visit}/accounts", account=[first.id, second.id])

    by_hand = browser.post(f"{visit}/confirm", code=old)
    browser.post(f"{visit}/send")
    with_old = browser.post(f"{visit}/confirm", code=old)

    assert by_hand.status_code == 409
    assert with_old.status_code == 422 or old == desk.code()
    assert desk.tpp.get(f"{CONSENTS}/{consent}/status").json == {"consentStatus": "received"}


def test_the_login_page_lists_personas_and_marks_the_holder(desk: BankDesk) -> None:
    """The sandbox's hint: who can sign in, with which password, and who holds the account that is asked for."""
    page = desk.browser().get(f"/psu/{desk.begin('pis', desk.payment())}?login={ANNA}").text

    assert desk.password in page
    marked = re.findall(r"\?login=([\w.]+)\">[^<]*</a>\s*<span class=\"tag\">", page)
    assert marked == [ANNA]
    assert f'value="{ANNA}"' in page


def test_the_inbox_is_the_signed_in_psus(desk: BankDesk) -> None:
    """With the code and what it is for."""
    browser, visit = at_code(desk)

    page = browser.get(f"/psu/inbox?interaction={visit.removeprefix('/psu/')}")

    assert heading(page) == "Anna Weber's inbox"
    assert f"your code is {desk.code()}" in page.text
    assert "12.50 EUR to Buchhandlung am Markt" in page.text


def test_a_request_that_the_tpp_withdrew_says_so(desk: BankDesk) -> None:
    """Deleted while the PSU reads: a page that explains it and leads back; so does the last page from then on."""
    consent = desk.consent()
    browser, visit = signed_in(desk, "ais", consent)
    desk.tpp.delete(f"{CONSENTS}/{consent}")

    page = browser.get(visit)

    assert page.status_code == 409
    assert "there is nothing to decide any more" in page.text
    assert f'href="{RETURN_URL}"' in page.text
    assert browser.get(visit).headers["Location"] == f"{visit}/done"
    assert f'href="{RETURN_URL}"' in browser.get(f"{visit}/done").text


def test_a_request_that_the_tpp_withdrew_before_the_login_says_so(desk: BankDesk) -> None:
    """The browser comes late: it reads why, and goes back."""
    consent = desk.consent()
    visit = f"/psu/{desk.begin('ais', consent)}"
    desk.tpp.delete(f"{CONSENTS}/{consent}")

    page = desk.browser().get(visit)

    assert page.status_code == 409
    assert f'href="{RETURN_URL}"' in page.text


def test_refusing_what_the_tpp_withdrew_leads_back(desk: BankDesk) -> None:
    """Deleted while the PSU reads, and the PSU refuses."""
    consent = desk.consent()
    browser, visit = signed_in(desk, "ais", consent)
    desk.tpp.delete(f"{CONSENTS}/{consent}")

    browser.post(f"{visit}/refuse")

    done = browser.get(f"{visit}/done")
    assert heading(done) == "You refused"
    assert f'href="{RETURN_URL}"' in done.text


def test_another_browser_does_not_end_a_withdrawn_visit(desk: BankDesk) -> None:
    """It learns neither why nor the way back."""
    consent = desk.consent()
    _, visit = signed_in(desk, "ais", consent)
    desk.tpp.delete(f"{CONSENTS}/{consent}")

    page = desk.browser().get(visit)

    assert page.status_code == 403
    assert RETURN_URL not in page.text
