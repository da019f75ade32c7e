"""What waits in the bank app, and the PSU's answer: shown whole, bound to what was shown, given once."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bank_backend.bankapp import requests
from bank_backend.sca.model import CODE_LOCK, PUSH_LIFETIME, WrongCodes
from bank_backend.sca.store import SqlWrongCodeStore
from bank_backend.tenants.clock import TenantClocks
from bank_backend.tenants.clock_store import SqlOffsets
from tests.support.bank_core import ANNA, JONAS, OTHER_TENANT, TENANT
from tests.support.bank_sca import CONSENTS, PAYMENTS, RETURN_URL
from tests.unit.bank_backend.bankapp.app import APP, ask_for_push, decoupled_consent, signed_in, the_one, waiting, words
from tests.unit.bank_backend.pages.walking import heading, status
from tests.unit.bank_backend.pages.walking import signed_in as visiting

if TYPE_CHECKING:
    import pytest

    from tests.support.bank_sca import BankDesk


def test_a_visit_waits_for_the_app_and_goes_on_by_itself(desk: BankDesk) -> None:
    """Amount, payee, account, company and the number of the page; after the yes the page leads back, and money has moved."""
    payment = desk.payment()
    page, visit = visiting(desk, "pis", payment)
    ask_for_push(desk, page, visit)
    app = signed_in(desk)

    shown = words(app.get(APP))
    for fact in (
        "12.50 EUR",
        "Buchhandlung am Markt",
        "DE02 1001 0010 9307 1186 03",
        "Fintech Example",
        TENANT,
        "Rechnung 2026-4711",
    ):
        assert fact in shown, fact
    request, seal = the_one(app)
    assert app.post(f"{request}/approve", seal=seal).headers["Location"] == APP

    assert "Your payment has been made." in words(app.get(APP))
    assert waiting(app.get(APP)) == []
    assert page.get(f"{visit}/waiting").headers["Location"] == f"{visit}/done"
    assert f'href="{RETURN_URL}"' in page.get(f"{visit}/done").text
    assert desk.tpp.get(f"{PAYMENTS}/{payment}/status").json == {"transactionStatus": "ACSC"}


def test_the_same_number_stands_on_both(desk: BankDesk) -> None:
    """So that the PSU approves its own request and nobody else's."""
    page, visit = visiting(desk, "pis", desk.payment())
    ask_for_push(desk, page, visit)
    with desk.bank.database.reading() as connection:
        authorisation = desk.bank.services.visits.interaction(visit.removeprefix("/psu/")).authorisation
        push = desk.bank.services.sca.standing(connection, authorisation)

    assert push is not None
    assert f">{push.number}</p>" in page.get(visit).text
    assert f">{push.number}</p>" in signed_in(desk).get(APP).text


def test_a_no_in_the_app_ends_the_visit(desk: BankDesk) -> None:
    """The payment is rejected, and the page says so."""
    payment = desk.payment()
    page, visit = visiting(desk, "pis", payment)
    ask_for_push(desk, page, visit)
    app = signed_in(desk)
    request, _ = the_one(app)

    app.post(f"{request}/reject")

    assert "No money has moved." in words(app.get(APP))
    assert heading(page.get(f"{visit}/done")) == "You refused"
    assert desk.tpp.get(f"{PAYMENTS}/{payment}/status").json["transactionStatus"] == "RJCT"  # type: ignore[index]


def test_a_decoupled_consent_is_given_for_the_accounts_that_are_chosen(desk: BankDesk) -> None:
    """Nobody has a page open: the PSU chooses in the app, and the TPP follows the status (BG IG §5.1.3)."""
    consent = decoupled_consent(desk)
    account = desk.bank.services.accounts.accounts_of(TENANT, ANNA)[1]
    app = signed_in(desk)
    request, seal = the_one(app)

    nothing = app.post(f"{request}/approve", seal=seal)
    assert nothing.status_code == 422
    assert "choose at least one account" in words(nothing)
    app.post(f"{request}/approve", seal=seal, account=account.id)

    body = desk.tpp.get(f"{CONSENTS}/{consent}").json
    assert body["consentStatus"] == "valid"  # type: ignore[index]
    assert body["access"]["balances"] == [{"iban": account.iban, "currency": "EUR"}]  # type: ignore[index]


def test_a_page_holds_so_many_and_no_more(desk: BankDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many a company asks for: the oldest first, and the next one as soon as one is answered."""
    monkeypatch.setattr(requests, "MOST_SHOWN", 2)
    for _ in range(4):
        decoupled_consent(desk)
        desk.bank.clock.advance(timedelta(seconds=1))
    app = signed_in(desk)

    first, second = waiting(app.get(APP))
    app.post(f"{APP}/requests/{first[0]}/reject")

    assert waiting(app.get(APP))[0] == second
    assert len(waiting(app.get(APP))) == 2


def test_an_approval_is_for_what_was_shown(desk: BankDesk) -> None:
    """A seal of something else approves nothing, and the list is shown again (RTS Art. 5 (1)(d))."""
    consent = decoupled_consent(desk, access={"balances": [{"iban": desk.iban()}]})
    app = signed_in(desk)
    request, seal = the_one(app)

    for wrong in ("", "\N{LOCK}"):
        assert app.post(f"{request}/approve", seal=wrong).status_code == 422
    answer = app.post(f"{request}/approve", seal=seal[::-1])

    assert answer.status_code == 422
    assert "no longer what you were shown" in words(answer)
    assert desk.tpp.get(f"{CONSENTS}/{consent}/status").json == {"consentStatus": "received"}


def test_nothing_is_approved_twice(desk: BankDesk) -> None:
    """Nor rejected after it was approved: the second answer finds nothing."""
    payment = desk.payment()
    page, visit = visiting(desk, "pis", payment)
    ask_for_push(desk, page, visit)
    app = signed_in(desk)
    request, seal = the_one(app)
    app.post(f"{request}/approve", seal=seal)

    for again in (app.post(f"{request}/approve", seal=seal), app.post(f"{request}/reject")):
        assert again.status_code == 422
        assert "does not wait for you any more" in words(again)
    assert status(desk, visit.removeprefix("/psu/")) == "approved"


def test_a_push_expires_by_the_tenants_time(desk: BankDesk) -> None:
    """It is no longer listed, and a page that still shows it approves nothing."""
    page, visit = visiting(desk, "pis", desk.payment())
    ask_for_push(desk, page, visit)
    app = signed_in(desk)
    request, seal = the_one(app)

    desk.bank.clock.advance(timedelta(minutes=4))
    app.get(APP)
    clocks = TenantClocks(real=desk.bank.clock, offsets=SqlOffsets(desk.bank.database))
    with desk.bank.database.writing() as connection:
        clocks.advance(connection, TENANT, PUSH_LIFETIME)

    assert waiting(app.get(APP)) == []
    assert app.post(f"{request}/approve", seal=seal).status_code == 422


def test_another_psu_neither_sees_nor_answers_it(desk: BankDesk) -> None:
    """Not at the same bank, and not the same login at another TPP's bank."""
    decoupled_consent(desk, access={"balances": [{"iban": desk.iban()}]})
    request, seal = the_one(signed_in(desk))

    for stranger in (signed_in(desk, JONAS), signed_in(desk, ANNA, tenant=OTHER_TENANT)):
        assert waiting(stranger.get(APP)) == []
        assert stranger.post(f"{request}/approve", seal=seal).status_code == 422
        assert stranger.post(f"{request}/reject").status_code == 422
    assert waiting(signed_in(desk).get(APP))


def test_who_is_locked_approves_nothing(desk: BankDesk) -> None:
    """Wrong codes elsewhere lock the app too, with their own words."""
    decoupled_consent(desk, access={"balances": [{"iban": desk.iban()}]})
    app = signed_in(desk)
    request, seal = the_one(app)
    with desk.bank.database.writing() as connection:
        store = SqlWrongCodeStore()
        store.of_psu(connection, TENANT, ANNA)
        store.save(connection, TENANT, ANNA, WrongCodes(0, desk.bank.clock.now() + CODE_LOCK))

    answer = app.post(f"{request}/approve", seal=seal)

    assert answer.status_code == 422
    assert "Locked after 5 wrong codes in a row" in words(answer)


def test_what_the_tpp_withdraws_waits_no_longer(desk: BankDesk) -> None:
    """Deleted by the TPP while it stood in the list."""
    consent = decoupled_consent(desk, access={"balances": [{"iban": desk.iban()}]})
    app = signed_in(desk)
    request, seal = the_one(app)

    desk.tpp.delete(f"{CONSENTS}/{consent}")

    assert waiting(app.get(APP)) == []
    assert app.post(f"{request}/approve", seal=seal).status_code == 422


def test_a_request_about_a_strangers_account_waits_for_nobody(desk: BankDesk) -> None:
    """Neither for the PSU that the TPP has named, nor for the account's holder, whom nobody has asked."""
    decoupled_consent(desk, access={"balances": [{"iban": desk.iban(JONAS)}]})

    assert waiting(signed_in(desk).get(APP)) == []
    assert waiting(signed_in(desk, JONAS).get(APP)) == []


def test_the_list_asks_for_news_and_is_told_nothing_while_there_is_none(desk: BankDesk) -> None:
    """204 while it is as shown, so that a choice stays chosen; the whole list once something has come."""
    app = signed_in(desk)
    page = app.get(APP).text
    news = page.partition('hx-get="')[2].partition('"')[0]
    assert news.startswith("/psu/app/waiting?seen=")
    assert app.get(news).status_code == 204

    decoupled_consent(desk)

    fragment = app.get(news)
    assert fragment.status_code == 200
    assert len(waiting(fragment)) == 1
    assert "<html" not in fragment.text
