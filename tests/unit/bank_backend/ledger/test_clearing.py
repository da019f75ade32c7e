"""What is pending becomes booked on its value date, by the schedule (BG IG 1.3.8 §14.23)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bank_backend.ledger.clearing import cleared_at
from bank_backend.ledger.model import Details, Hold, Party
from bank_backend.schedule.model import TaskKind
from psd2.ids import AccountId, PsuId
from psd2.money import Money
from tests.support.bank_core import NOW, TENANT
from tests.support.bank_payments import Till

if TYPE_CHECKING:
    from tests.support.bank_sca import BankDesk


LUCIA, CLARA = PsuId("lucia.moretti"), PsuId("clara.fontaine")


def told(desk: BankDesk, psu: str, path: str, name: str) -> dict[str, list[dict[str, Any]]]:
    """Return booked and pending movements of the PSU's account."""
    consent = desk.approved_consent(psu=psu, access={"allPsd2": "allAccounts"})
    reader = replace(desk.reader(consent), subject=psu)
    listed: Any = reader.get(f"{path}?bookingStatus=both&dateFrom=2026-11-01", Consent_ID=consent)
    assert listed.status_code == 200, listed.text
    return dict(listed.json[name])


def test_what_was_pending_is_booked_the_next_days(desk: BankDesk) -> None:
    """Same amounts, same shops; what can be spent stays, what is in the book follows."""
    account = desk.bank.account(LUCIA)
    path = f"/v1/accounts/{account.id}/transactions"
    before, balances = told(desk, LUCIA, path, "transactions"), desk.bank.balances(account)
    assert before["pending"]

    Till(desk, LUCIA).pass_time(timedelta(days=4))

    after = told(desk, LUCIA, path, "transactions")
    assert after["pending"] == []
    fresh = after["booked"][: -len(before["booked"])]
    names = ("transactionAmount", "creditorName", "valueDate")
    assert sorted(str([each.get(name) for name in names]) for each in fresh) == sorted(
        str([each.get(name) for name in names]) for each in before["pending"]
    )
    now = desk.bank.balances(account)
    assert now.interim_available == balances.interim_available == now.interim_booked
    assert Till(desk, LUCIA).is_reconciled()


def test_a_card_purchase_keeps_when_and_where_it_was_made(desk: BankDesk) -> None:
    """Only now it has a booking date."""
    cards = [one for one in desk.bank.services.accounts.accounts_of(TENANT, CLARA) if one.is_card]
    path = f"/v1/card-accounts/{cards[0].id}/transactions"
    before = told(desk, CLARA, path, "cardTransactions")["pending"]

    Till(desk, CLARA).pass_time(timedelta(days=4))

    booked = {each["acceptorTransactionDateTime"]: each for each in told(desk, CLARA, path, "cardTransactions")["booked"]}
    for purchase in before:
        kept = booked[purchase["acceptorTransactionDateTime"]]
        assert kept["bookingDate"] == purchase["valueDate"]
        assert kept["transactionAmount"] == purchase["transactionAmount"]
        assert kept.get("merchantCategoryCode") == purchase.get("merchantCategoryCode")


def test_what_has_ended_is_not_booked(desk: BankDesk) -> None:
    """Released meanwhile: the task finds nothing."""
    bank, account = desk.bank, desk.bank.account(LUCIA)
    before = bank.balances(account)
    with bank.database.writing() as connection:
        waiting = [one for one in bank.services.schedule.upcoming(connection, TENANT) if one.kind == TaskKind.BOOK_PENDING]
        for one in waiting:
            bank.services.ledger.release(connection, tenant=TENANT, hold=one.resource, now=NOW)

    Till(desk, LUCIA).pass_time(timedelta(days=4))

    assert waiting
    assert bank.balances(account).interim_booked == before.interim_booked


@pytest.mark.parametrize(("days", "expected"), [(-3, 1), (0, 1), (2, 2)])
def test_what_is_brought_in_late_is_pending_until_the_next_morning(days: int, expected: int) -> None:
    """Whatever value date it names."""
    hold = Hold(
        id="h",
        tenant=TENANT,
        account_id=AccountId("a"),
        amount=Money(-1, "EUR"),
        at=NOW,
        value_date=NOW.date() + timedelta(days=days),
        details=Details(debtor=Party("A"), creditor=Party("B"), remittance="", code="PMNT-CCRD-POSD"),
    )

    assert cleared_at(hold, planned_at=NOW).date() == NOW.date() + timedelta(days=expected)
