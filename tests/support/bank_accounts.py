"""Opening accounts at a seeded bank and booking on them, on any day, as a test needs it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert

from bank_backend.accounts.model import Account, AccountKind
from bank_backend.accounts.store import account_holders, accounts, row_of_account
from bank_backend.ledger.model import Details, Entry, Journal, Party
from bank_backend.ledger.own_accounts import OwnAccount, own_account_id
from bank_backend.ledger.store import SqlLedgerStore
from psd2.ids import AccountId, PsuId, new_uuid
from psd2.money import Money
from tests.support.bank_core import ANNA, TENANT, SeededBank

if TYPE_CHECKING:
    from bank_backend.ledger.particulars import Particulars

PAN = "9999410000003249"


def open_account(bank: SeededBank, like: Account, *, psu: PsuId = ANNA, **changes: Any) -> Account:
    """Open one more account of a PSU, like another one but for what is changed."""
    account = replace(like, id=AccountId(new_uuid()), **changes)
    with bank.database.writing() as connection:
        connection.execute(insert(accounts).values(row_of_account(account, position=90)))
        connection.execute(insert(account_holders).values(tenant=TENANT, psu=psu, account_id=account.id))
    return account


def open_card(bank: SeededBank, *, limit_minor: int = 500_000, pan: str = PAN, billing_day: int = 10) -> Account:
    """Open a card account that settles with Anna's first account."""
    current = bank.account(ANNA)
    return open_account(
        bank,
        current,
        kind=AccountKind.CARD,
        iban="",
        pan=pan,
        name="Gold Card",
        product="Credit Card Gold",
        cash_account_type="CARD",
        overdraft_minor=limit_minor,
        billing_day=billing_day,
        settles_with=current.id,
    )


def open_dollars(bank: SeededBank) -> Account:
    """Open a dollar account under the IBAN of Anna's first account: together they are a multi-currency account."""
    return open_account(bank, bank.account(ANNA), currency="USD", name="US Dollar Account", overdraft_minor=0)


def book_movements(
    bank: SeededBank,
    account: Account,
    amounts: list[int],
    *,
    day: date,
    remittance: str = "Test movement",
    code: str = "PMNT-CCRD-POSD",
    particulars: Particulars | None = None,
) -> list[str]:
    """Book movements with the outside world on a day, in minor units; returns their transaction ids."""
    store, outside = SqlLedgerStore(), own_account_id(TENANT, account.currency)
    at = datetime.combine(day, time(12), tzinfo=UTC)
    with bank.database.writing() as connection:
        store.ensure(connection, TENANT, {outside: (account.currency, OwnAccount.SETTLEMENT)})
        locked = store.lock(connection, TENANT, [account.id, outside])
        journal = Journal(positions={one.id: one.position for one in locked})
        for minor in amounts:
            details = Details(
                debtor=Party("Customer"), creditor=Party("Shop"), remittance=remittance, code=code, particulars=particulars
            )
            amount = Money(minor, account.currency)
            journal.post(
                Entry(
                    id=new_uuid(),
                    tenant=TENANT,
                    at=at,
                    booking_date=day,
                    value_date=day,
                    details=details,
                    lines=((account.id, amount), (outside, -amount)),
                )
            )
        store.append(connection, journal, at=at)
    return [entry.id for entry in journal.entries]
