"""Paying a card account's invoices from the account it settles with, month after month, by the schedule."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from bank_backend.accounts.invoices import INVOICE_PAYMENT, PAYMENT_TERM, next_payment
from bank_backend.accounts.model import AccountStatus
from bank_backend.ledger.model import Details, Party
from bank_backend.ledger.refusals import LedgerError
from bank_backend.schedule.model import TaskKind
from psd2.money import Money

if TYPE_CHECKING:
    from datetime import date, datetime

    from bank_backend.accounts.card_books import CardBooks
    from bank_backend.accounts.model import Account
    from bank_backend.accounts.service import AccountDirectory
    from bank_backend.database import Connection
    from bank_backend.ledger.service import Ledger
    from bank_backend.schedule.model import Task
    from psd2.ids import TenantId


class Reminders(Protocol):
    """The part of the schedule that is needed here."""

    def add(self, connection: Connection, *, tenant: TenantId, kind: TaskKind, resource: str, due: datetime) -> None:
        """Have a task done at `due` of the tenant's time; the same one twice is one."""


class CardSettlements:
    """Pays invoices; `run` is the schedule's task."""

    def __init__(self, *, accounts: AccountDirectory, books: CardBooks, ledger: Ledger, schedule: Reminders) -> None:
        """Find accounts and what they owe, move money by `ledger`, come back by `schedule`."""
        self._accounts = accounts
        self._books = books
        self._ledger = ledger
        self._schedule = schedule

    @property
    def tasks(self) -> dict[TaskKind, Task]:
        """What the schedule does of it."""
        return {TaskKind.SETTLE_CARD: self.run}

    def arrange(self, connection: Connection, account: Account, now: datetime) -> None:
        """Have the next invoice of a card account paid when its time comes."""
        due = next_payment(now, account)
        self._schedule.add(connection, tenant=account.tenant, kind=TaskKind.SETTLE_CARD, resource=account.id, due=due)

    def run(self, connection: Connection, tenant: TenantId, resource: str, due: datetime) -> None:
        """Pay what was invoiced ten days ago and is still owed; what can't be paid stays owed until the next time."""
        account = self._accounts.account(tenant, resource, connection)
        if account is None or account.status is AccountStatus.DELETED:
            return
        billed_on = (due - PAYMENT_TERM).date()
        owed = -self._books.owed(connection, account, billed_on)
        if owed > 0:
            with suppress(LedgerError):
                self._pay(connection, account, Money(owed, account.currency), billed_on, due)
        self.arrange(connection, account, due)

    def _pay(self, connection: Connection, card: Account, amount: Money, billed_on: date, now: datetime) -> None:
        if card.settles_with is None:
            return
        payer = self._accounts.account(card.tenant, card.settles_with, connection)
        details = Details(
            debtor=Party(card.owner_name, "" if payer is None else payer.iban),
            creditor=Party(card.product or card.name),
            remittance=f"Card invoice of {billed_on.isoformat()}, {card.masked_pan}",
            code=INVOICE_PAYMENT,
        )
        self._ledger.move(
            connection,
            tenant=card.tenant,
            debtor=card.settles_with,
            creditor=card.id,
            amount=amount,
            details=details,
            now=now,
            # An invoice is paid once, whoever is killed when.
            origin=f"card:{card.id}:{billed_on.isoformat()}",
        )
