"""Orders to make, for tests of the ledger."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bank_backend.ledger.orders import TransferOrder
from tests.support.bank_core import TENANT, SeededBank

if TYPE_CHECKING:
    from datetime import datetime

    from bank_backend.accounts.model import Account
    from bank_backend.ledger.orders import Booked
    from psd2.money import Money

OUTSIDE_IBAN = "DE75512108001245126199"


def order(debtor: Account, amount: Money, **changes: Any) -> TransferOrder:
    """Return an order to pay a merchant with another bank."""
    usual = TransferOrder(
        tenant=TENANT,
        debtor=debtor.id,
        creditor_iban=OUTSIDE_IBAN,
        creditor_name="Merchant Ltd",
        amount=amount,
        remittance="Order 7",
        end_to_end_id="E2E-7",
    )
    return replace(usual, **changes)


def book(bank: SeededBank, what: TransferOrder, *, hold: str | None = None, now: datetime | None = None) -> Booked:
    """Make a transfer in a transaction of its own."""
    with bank.database.writing() as connection:
        return bank.services.ledger.transfer(connection, what, now or bank.clock.now(), hold=hold)


def reserve(bank: SeededBank, what: TransferOrder) -> str:
    """Hold for a transfer in a transaction of its own; returns the hold's id."""
    with bank.database.writing() as connection:
        return bank.services.ledger.hold(connection, what, bank.clock.now())


def is_right(bank: SeededBank) -> bool:
    """Whether the bank's books reconcile."""
    with bank.database.reading() as connection:
        return bank.services.ledger.reconcile(connection).is_right
