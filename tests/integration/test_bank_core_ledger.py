"""The ledger on real SQLite and PostgreSQL: concurrent payments, rows that can't be changed, and books that are checked."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from bank_backend.ledger.orders import TransferOrder
from bank_backend.ledger.refusals import InsufficientFunds
from psd2.money import Money
from tests.support.bank_core import ANNA, JONAS, TENANT, SeededBank, lent_bank

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bank_backend.ledger.reconciliation import Reconciliation
    from tests.support.databases import Databases

THREADS = 6


@pytest.fixture
def bank(databases: Databases) -> Iterator[SeededBank]:
    """Lend a seeded bank on each engine."""
    bank = lent_bank(databases)
    yield bank
    bank.database.engine.dispose()


def pay(bank: SeededBank, amount: Money, *, from_anna: bool = True) -> bool:
    """Pay from one to the other; tells whether the funds sufficed."""
    payer, payee = (ANNA, JONAS) if from_anna else (JONAS, ANNA)
    order = TransferOrder(
        tenant=TENANT,
        debtor=bank.account(payer).id,
        creditor_iban=bank.account(payee).iban,
        creditor_name="Somebody",
        amount=amount,
    )
    with suppress(InsufficientFunds), bank.database.writing() as connection:
        bank.services.ledger.transfer(connection, order, bank.clock.now())
        return True
    return False


def test_payments_at_the_same_time_never_overdraw(bank: SeededBank) -> None:
    """Of six payments that ask for all there is at once, one is made."""
    account = bank.account(ANNA)
    available = bank.balances(account).interim_available

    with ThreadPoolExecutor(THREADS) as pool:
        made = list(pool.map(lambda _: pay(bank, available), range(THREADS)))

    assert made.count(True) == 1
    assert bank.balances(account).interim_available == Money(0, "EUR")
    with bank.database.reading() as connection:
        assert bank.services.ledger.reconcile(connection).is_right


def test_payments_that_cross_each_other_are_all_made(bank: SeededBank) -> None:
    """A pays B while B pays A: both lock both accounts, in the same order, so nobody waits for ever."""
    before = bank.balances(bank.account(ANNA)).interim_booked

    with ThreadPoolExecutor(THREADS) as pool:
        made = list(pool.map(lambda number: pay(bank, Money(100, "EUR"), from_anna=number % 2 == 0), range(40)))

    assert all(made)
    assert bank.balances(bank.account(ANNA)).interim_booked == before
    with bank.database.reading() as connection:
        assert bank.services.ledger.reconcile(connection).is_right


def test_what_is_written_stays_as_it_is(bank: SeededBank) -> None:
    """The database itself refuses to change or delete a row of the ledger, one that no other row refers to as well."""
    lone = {"hold_ends": _end_a_hold(bank), "entries": _lone_row(bank, "entries"), "holds": _lone_row(bank, "holds")}
    lone["postings"] = f"account_id = '{bank.account(ANNA).id}'"
    column = {"hold_ends": "at", "entries": "at", "postings": "amount_minor", "holds": "amount_minor"}

    for table, name in column.items():
        for change in (f"UPDATE {table} SET {name} = 0", f"DELETE FROM {table} WHERE {lone[table]}"):  # noqa: S608 - names of this test
            with pytest.raises(DBAPIError, match=f"{table} is append-only"), bank.database.writing() as connection:
                connection.execute(text(change))


def test_reconciliation_finds_what_is_wrong(bank: SeededBank) -> None:
    """Somebody who gets past the guards is found out: an unbalanced entry, a drifting balance, an overdrawn account."""
    account = bank.account(ANNA)
    _drop_guards(bank)
    with bank.database.writing() as connection:
        connection.execute(
            text(
                "UPDATE postings SET amount_minor = amount_minor - 100000000, balance_minor = balance_minor - 100000000 "
                "WHERE account_id = :account AND number = (SELECT MAX(number) FROM postings WHERE account_id = :account)"
            ),
            {"account": account.id},
        )
        connection.execute(
            text("UPDATE postings SET balance_minor = balance_minor + 1 WHERE account_id = :account AND number = 3"),
            {"account": bank.account(JONAS).id},
        )

    with bank.database.reading() as connection:
        found = bank.services.ledger.reconcile(connection)

    assert not found.is_right
    assert len(_breaking(found, "entry-balanced")) == 1
    assert _breaking(found, "balances-carried") == [bank.account(JONAS).id]
    assert _breaking(found, "within-limit") == [account.id]


def _breaking(found: Reconciliation, rule: str) -> list[str]:
    return [finding.subject for finding in found.findings if finding.rule == rule]


def _end_a_hold(bank: SeededBank) -> str:
    """End a hold; returns the condition that finds its end."""
    with bank.database.writing() as connection:
        connection.execute(text("INSERT INTO hold_ends (hold_id, at) SELECT id, 0 FROM holds LIMIT 1"))
    return "hold_id IN (SELECT id FROM holds)"


def _lone_row(bank: SeededBank, table: str) -> str:
    """Write a copy of a row that nothing refers to, so that no foreign key but the guard alone is in a deletion's way."""
    with bank.database.writing() as connection:
        row = connection.execute(text(f"SELECT * FROM {table} LIMIT 1")).mappings().one()  # noqa: S608 - a name of this test
        copy = dict(row) | {"id": "lone"} | ({"origin": None} if "origin" in row else {})
        names, values = ", ".join(copy), ", ".join(f":{name}" for name in copy)
        connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({values})"), copy)  # noqa: S608 - names of this test
    return "id = 'lone'"


def _drop_guards(bank: SeededBank) -> None:
    with bank.database.writing() as connection:
        is_postgresql = connection.dialect.name == "postgresql"
        connection.execute(
            text("DROP TRIGGER postings_append_only ON postings" if is_postgresql else "DROP TRIGGER postings_no_update")
        )
