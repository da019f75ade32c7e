"""Card accounts: their resources, what is invoiced, and how invoices are paid (BG IG 1.3.8 §6.6, §14.20, §14.28)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from bank_backend.accounts.invoices import last_billing_day, next_payment
from bank_backend.ledger.particulars import CardPurchase, Particulars
from psd2.money import Money
from tests.support.bank_accounts import PAN, book_movements, open_card
from tests.support.bank_core import ANNA, TENANT
from tests.unit.bank_backend.accounts.test_accounts_api import refusal

if TYPE_CHECKING:
    from typing import Any

    from bank_backend.accounts.model import Account
    from tests.support.bank_core import SeededBank
    from tests.unit.bank_backend.accounts.conftest import Web

# Today is 18 November: what was booked by the 10th is invoiced, the rest is not.
INVOICED, LATER = date(2026, 11, 9), date(2026, 11, 12)
MASKED = "999941xxxxxx3249"
ABROAD = Particulars(
    card=CardPurchase(
        masked_pan=MASKED,
        merchant_category="5732",
        acceptor_id="M-4711",
        terminal_id="T-1",
        town="Stockholm",
        country="SE",
        phone="+999-555123",
        original=Money(249_900, "SEK"),
        markup_fee=Money(390, "EUR"),
        markup_percent=Decimal("1.75"),
    )
)


@pytest.fixture
def card(web: Web) -> Account:
    """Lend a card account of Anna's with one purchase on its invoice, and one abroad after it."""
    card = open_card(web.bank)
    book_movements(web.bank, card, [-10_000], day=INVOICED, remittance="Corner shop")
    book_movements(web.bank, card, [-22_690], day=LATER, remittance="Wifimarket", particulars=ABROAD)
    web.grant(ANNA)
    return card


def body(web: Web, path: str) -> Any:
    answer = web.get(path)
    assert answer.status_code == 200, answer.json
    return answer.json


def test_cards_and_accounts_are_listed_apart(web: Web, card: Account) -> None:
    """Each at its own address, and known at no other."""
    cards = body(web, "/v1/card-accounts")["cardAccounts"]
    accounts = body(web, "/v1/accounts")["accounts"]

    assert [one["resourceId"] for one in cards] == [card.id]
    assert card.id not in [one["resourceId"] for one in accounts]
    assert refusal(web.get(f"/v1/accounts/{card.id}")) == (404, "RESOURCE_UNKNOWN", None)
    assert refusal(web.get(f"/v1/card-accounts/{web.bank.account(ANNA).id}")) == (404, "RESOURCE_UNKNOWN", None)


def test_the_account_that_pays_names_its_cards(web: Web, card: Account) -> None:
    """`linkedAccounts`, where the consent covers both."""
    current, savings = body(web, "/v1/accounts")["accounts"]

    assert current["linkedAccounts"] == card.masked_pan == MASKED
    assert "linkedAccounts" not in savings
    web.access.rights = web.access.rights[:2]
    assert "linkedAccounts" not in body(web, "/v1/accounts")["accounts"][0]


def test_details_never_show_the_whole_number(web: Web, card: Account) -> None:
    """Masked PAN, limit and balances; the number itself is nowhere."""
    answer = web.get(f"/v1/card-accounts/{card.id}")

    told: Any = answer.json
    shown = told["cardAccount"]
    assert PAN not in answer.text
    assert shown["maskedPan"] == MASKED
    assert shown["creditLimit"] == {"currency": "EUR", "amount": "5000.00"}
    assert shown["_links"]["transactions"] == {"href": f"/v1/card-accounts/{card.id}/transactions"}


def test_balances_tell_the_invoice_from_what_comes_after(web: Web, card: Account) -> None:
    """`closingBooked` is invoiced and unpaid, `nonInvoiced` booked since (BG IG §14.21)."""
    listed = body(web, f"/v1/card-accounts/{card.id}/balances")["balances"]

    told = {one["balanceType"]: one["balanceAmount"]["amount"] for one in listed}
    assert told["interimBooked"] == "-326.90"
    assert told["closingBooked"] == "-100.00"
    assert told["nonInvoiced"] == "-226.90"
    assert told["interimAvailable"] == "4673.10"


def test_a_purchase_abroad_tells_all_of_it(web: Web, card: Account) -> None:
    """Merchant, original amount, markup, rate; whether it is invoiced."""
    path = f"/v1/card-accounts/{card.id}/transactions?bookingStatus=both&dateFrom=2026-11-01"
    abroad, home = body(web, path)["cardTransactions"]["booked"]

    assert abroad["transactionAmount"] == {"currency": "EUR", "amount": "-226.90"}
    assert abroad["originalAmount"] == {"currency": "SEK", "amount": "2499.00"}
    assert abroad["markupFee"] == {"currency": "EUR", "amount": "3.90"}
    assert abroad["markupFeePercentage"] == "1.75"
    assert abroad["cardAcceptorAddress"] == {"townName": "Stockholm", "country": "SE"}
    assert abroad["merchantCategoryCode"] == "5732"
    assert abroad["maskedPAN"] == MASKED
    assert abroad["currencyExchange"][0]["exchangeRate"] == "0.089236"
    assert (abroad["invoiced"], home["invoiced"]) == (False, True)


@pytest.mark.parametrize(
    ("parameters", "path"),
    [
        ("bookingStatus=information&dateFrom=2026-11-01", "bookingStatus"),
        ("bookingStatus=booked&dateFrom=2026-11-01&withBalance=true", "withBalance"),
    ],
)
def test_what_card_lists_do_not_have(web: Web, card: Account, parameters: str, path: str) -> None:
    """No standing orders, no balance flag (BG IG §6.6.4)."""
    answer = web.get(f"/v1/card-accounts/{card.id}/transactions?{parameters}")

    assert refusal(answer) == (400, "FORMAT_ERROR", path)


def test_the_consent_decides_for_cards_too(web: Web, card: Account) -> None:
    """Without transactions none are told."""
    web.grant(ANNA, transactions=False)

    answer = web.get(f"/v1/card-accounts/{card.id}/transactions?bookingStatus=booked&dateFrom=2026-11-01")

    assert refusal(answer) == (401, "CONSENT_INVALID", None)


def settle(bank: SeededBank, card: Account, due: datetime) -> None:
    with bank.database.writing() as connection:
        bank.services.cards.run(connection, TENANT, card.id, due)


def test_an_invoice_is_paid_once_from_the_account_it_settles_with(web: Web, card: Account) -> None:
    """What was invoiced, no more; a second run of the same task moves nothing."""
    bank, current = web.bank, web.bank.account(ANNA)
    before = bank.balances(current).interim_booked
    due = datetime(2026, 11, 20, 6, tzinfo=UTC)

    settle(bank, card, due)
    settle(bank, card, due)

    assert before - bank.balances(current).interim_booked == Money(10_000, "EUR")
    assert bank.balances(card).interim_booked == Money(-22_690, "EUR")
    with bank.database.reading() as connection:
        assert bank.services.ledger.reconcile(connection).is_right


def test_the_schedule_pays_month_after_month(web: Web, card: Account) -> None:
    """Each payment arranges the next; what comes later is on the next invoice."""
    bank = web.bank
    with bank.database.writing() as connection:
        bank.services.cards.arrange(connection, card, bank.clock.now())
    bank.clock.advance(timedelta(days=33))

    bank.services.scheduler.run_due(TENANT)

    assert bank.balances(card).interim_booked == Money(0, "EUR")
    with bank.database.reading() as connection:
        (task,) = [one for one in bank.services.schedule.upcoming(connection, TENANT) if one.resource == card.id]
    assert task.due == datetime(2027, 1, 20, 6, tzinfo=UTC)


def test_what_can_not_be_paid_stays_owed(web: Web) -> None:
    """And the next time is tried all the same."""
    bank = web.bank
    card = open_card(bank, limit_minor=90_000_000)
    book_movements(bank, card, [-80_000_000], day=INVOICED)

    settle(bank, card, datetime(2026, 11, 20, 6, tzinfo=UTC))

    assert bank.balances(card).interim_booked == Money(-80_000_000, "EUR")


def test_billing_days_follow_the_calendar(web: Web) -> None:
    """The day itself is over at its end; payment follows ten days later."""
    card = open_card(web.bank, billing_day=28, pan="9999410000003256")

    assert last_billing_day(date(2026, 3, 28), card) == date(2026, 2, 28)
    assert last_billing_day(date(2026, 3, 29), card) == date(2026, 3, 28)
    assert next_payment(datetime(2026, 1, 7, 6, tzinfo=UTC), card) == datetime(2026, 2, 7, 6, tzinfo=UTC)


def test_what_came_after_a_card_transaction_is_asked_by_its_id(web: Web, card: Account) -> None:
    """`entryReferenceFrom`: a card's list gives ids and no entry references; another account's are none of it."""
    path = f"/v1/card-accounts/{card.id}/transactions?bookingStatus=booked"
    newest, oldest = body(web, f"{path}&dateFrom=2026-11-01")["cardTransactions"]["booked"]
    foreign = book_movements(web.bank, web.bank.account(ANNA), [-1], day=LATER)[0].replace("-", "")

    after = body(web, f"{path}&entryReferenceFrom={oldest['cardTransactionId']}")["cardTransactions"]["booked"]

    assert after == [newest]
    for strange in (foreign, "0" * 32, oldest["cardTransactionId"].upper() + "0"):
        assert refusal(web.get(f"{path}&entryReferenceFrom={strange}")) == (400, "FORMAT_ERROR", "entryReferenceFrom")
