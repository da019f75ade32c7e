"""The journal: balanced entries only, numbered without gaps."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from bank_backend.ledger.model import Details, Entry, Journal, Party, Position
from bank_backend.ledger.refusals import UnbalancedEntry
from psd2.ids import AccountId, TenantId
from psd2.money import Money

A, B = AccountId("a"), AccountId("b")


def entry(*lines: tuple[AccountId, Money]) -> Entry:
    return Entry(
        id="e",
        tenant=TenantId("PSDDE-BAFIN-1"),
        at=datetime(2026, 1, 2, tzinfo=UTC),
        booking_date=date(2026, 1, 2),
        value_date=date(2026, 1, 2),
        details=Details(debtor=Party("A"), creditor=Party("B"), remittance="x", code="PMNT-ICDT-ESCT"),
        lines=lines,
    )


def test_balances_are_carried_forward_and_numbers_have_no_gap() -> None:
    """Each posting knows its place in its account's book and what the book holds after it."""
    journal = Journal(positions={A: Position(7, 1_000)})

    journal.post(entry((A, Money(-300, "EUR")), (B, Money(300, "EUR"))))
    journal.post(entry((A, Money(50, "EUR")), (B, Money(-50, "EUR"))))

    assert [(posting.account_id, posting.number, posting.balance_minor) for posting in journal.postings] == [
        (A, 8, 700),
        (B, 1, 300),
        (A, 9, 750),
        (B, 2, 250),
    ]


@pytest.mark.parametrize(
    "lines",
    [
        ((A, Money(-300, "EUR")), (B, Money(299, "EUR"))),
        ((A, Money(-300, "EUR")), (B, Money(300, "USD"))),
        ((A, Money(0, "EUR")),),
    ],
    ids=["a cent is missing", "two currencies", "one side"],
)
def test_an_entry_that_does_not_balance_is_never_posted(lines: tuple[tuple[AccountId, Money], ...]) -> None:
    """Sums are zero in every currency, or nothing happens."""
    journal = Journal(positions={})

    with pytest.raises(UnbalancedEntry):
        journal.post(entry(*lines))

    assert not journal.entries
    assert not journal.postings
