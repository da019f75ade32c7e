"""What transfers do to each other at the same instant, on each engine: nobody waits for ever, and no page of a book shifts."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING

import pytest

from bank_backend.ledger.orders import IncomingTransfer, TransferOrder
from bank_backend.ledger.refusals import UnknownHold
from bank_backend.ledger.statement_store import SqlStatementStore
from bank_backend.ledger.statements import StatementQuery, Statements
from psd2.ids import PsuId
from psd2.money import Money
from tests.support.at_once import at_once
from tests.support.bank_core import ANNA, JONAS, KARL, TENANT, SeededBank, lent_bank

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bank_backend.accounts.model import Account
    from tests.support.databases import Databases

ROUNDS, OUTSIDE = 10, "FR7630006000011234567890189"


@pytest.fixture
def bank(databases: Databases) -> Iterator[SeededBank]:
    """Lend a seeded bank on each engine."""
    bank = lent_bank(databases)
    yield bank
    bank.database.engine.dispose()


def order(payer: Account, amount: Money, iban: str = OUTSIDE) -> TransferOrder:
    return TransferOrder(tenant=TENANT, debtor=payer.id, creditor_iban=iban, creditor_name="Somebody", amount=amount)


def pay(bank: SeededBank, *orders: TransferOrder, locks: bool = True) -> str:
    """Make these transfers in one transaction; returns the last one's id."""
    with bank.database.writing() as connection:
        if locks:
            bank.services.ledger.lock(connection, orders, bank.clock.now())
        return [bank.services.ledger.transfer(connection, one, bank.clock.now()).entry for one in orders][-1]


def is_right(bank: SeededBank) -> bool:
    with bank.database.reading() as connection:
        return bank.services.ledger.reconcile(connection).is_right


def test_exchanges_that_cross_each_other_are_all_made(bank: SeededBank) -> None:
    """Euros to dollars while dollars go to euros: customers' and the bank's own accounts are locked in one order."""
    euros = bank.account(ANNA)
    held = bank.services.accounts.accounts_of(TENANT, PsuId("lucia.moretti"))
    dollars = next(account for account in held if account.currency == "USD")
    for _ in range(ROUNDS):
        outcomes = at_once(
            *[partial(pay, bank, order(euros, Money(100, "EUR"), dollars.iban))] * 3,
            *[partial(pay, bank, order(dollars, Money(100, "USD"), euros.iban))] * 3,
        )

        assert {type(outcome) for outcome in outcomes} == {str}, outcomes
    assert is_right(bank)


def test_several_transfers_in_one_transaction_cross_others(bank: SeededBank) -> None:
    """Each pays the two others, in an order that would lock in a circle; locked before, they wait for one another."""
    anna, jonas, karl = (bank.account(psu) for psu in (ANNA, JONAS, KARL))
    circle = [(anna, jonas, karl), (jonas, karl, anna), (karl, anna, jonas)]
    for _ in range(ROUNDS):
        outcomes = at_once(
            *[
                partial(pay, bank, order(payer, Money(1, "EUR"), first.iban), order(payer, Money(1, "EUR"), second.iban))
                for payer, first, second in circle
            ]
        )

        assert {type(outcome) for outcome in outcomes} == {str}, outcomes
    assert is_right(bank)


def test_the_banks_own_accounts_are_made_by_many_at_once(bank: SeededBank) -> None:
    """First payments in a currency meet: exchange and settlement accounts come into being once."""
    currencies = ("CZK", "DKK", "HUF", "NOK", "PLN", "RON", "SEK", "ISK")
    for currency in currencies:
        outcomes = at_once(*[partial(pay, bank, order(bank.account(ANNA), Money(10_000, currency)))] * 4)

        assert {type(outcome) for outcome in outcomes} == {str}, outcomes
    assert is_right(bank)


def test_a_hold_is_either_settled_or_released(bank: SeededBank) -> None:
    """Asked for both at once, by some each: one of them happens, and the others are told."""
    account = bank.account(ANNA)
    for _ in range(ROUNDS):
        with bank.database.writing() as connection:
            held = bank.services.ledger.hold(connection, order(account, Money(100, "EUR")), bank.clock.now())
        before = bank.balances(account).interim_booked

        outcomes = at_once(*[partial(settle, bank, held)] * 2, *[partial(release, bank, held)] * 2)

        refused = [outcome for outcome in outcomes if isinstance(outcome, UnknownHold)]
        assert len(refused) == 3, outcomes
        moved = before - bank.balances(account).interim_booked
        assert moved == Money(100 if "settled" in outcomes else 0, "EUR")
    assert is_right(bank)


def settle(bank: SeededBank, hold: str) -> str:
    with bank.database.writing() as connection:
        bank.services.ledger.transfer(connection, order(bank.account(ANNA), Money(100, "EUR")), bank.clock.now(), hold=hold)
    return "settled"


def release(bank: SeededBank, hold: str) -> str:
    with bank.database.writing() as connection:
        bank.services.ledger.release(connection, tenant=TENANT, hold=hold, now=bank.clock.now())
    return "released"


def test_pages_are_whole_while_money_moves(bank: SeededBank) -> None:
    """Who reads page after page sees each movement of before once, whatever is booked meanwhile."""
    account, statements = bank.account(ANNA), Statements(SqlStatementStore())
    before = pages(bank, account, statements)
    stopped = threading.Event()

    def book() -> int:
        count = 0
        while not stopped.is_set():
            with bank.database.writing() as connection:
                what = IncomingTransfer(
                    tenant=TENANT, creditor_iban=account.iban, amount=Money(1, "EUR"), debtor_name="Somebody"
                )
                bank.services.ledger.receive(connection, what, bank.clock.now())
            count += 1
        return count

    def read() -> list[list[str]]:
        try:
            return [pages(bank, account, statements) for _ in range(5)]
        finally:
            stopped.set()

    booked, readings = at_once(book, read)

    assert isinstance(booked, int)
    assert isinstance(readings, list)
    assert booked > 0
    for reading in readings:
        assert len(reading) == len(set(reading))
        assert reading[-len(before) :] == before


def pages(bank: SeededBank, account: Account, statements: Statements) -> list[str]:
    """Read the account's book page by page, each in a transaction of its own; returns the transactions' ids."""
    today = bank.clock.now().date()
    query, found = StatementQuery(since=today.replace(year=today.year - 2), until=today), []
    while True:
        with bank.database.reading() as connection:
            page = statements.page(connection, TENANT, account.id, query)
        found += [line.transaction_id for line in page.lines]
        if page.older_than is None:
            return found
        query = StatementQuery(since=query.since, until=query.until, older_than=page.older_than)
