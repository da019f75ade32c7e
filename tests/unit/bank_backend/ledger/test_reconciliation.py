"""Each rule of the books finds who breaks it, and nobody else: with the guards gone, since they let nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from bank_backend.ledger.own_accounts import OwnAccount, own_account_id
from bank_backend.ledger.products import PRODUCTS
from bank_backend.ledger.reconcile import reconcile_bank
from psd2.money import Money
from tests.support.bank_core import ANNA, JONAS, OTHER_TENANT, TENANT, SeededBank
from tests.support.bank_payments import Till
from tests.support.bank_sca import BankDesk
from tests.unit.bank_backend.ledger.orders import book, order, reserve

if TYPE_CHECKING:
    from bank_backend.ledger.reconciliation import Finding

TEN = Money(10_00, "EUR")
GUARDED = ("entries", "postings", "holds", "hold_ends")


def findings(bank: SeededBank) -> list[Finding]:
    with bank.database.reading() as connection:
        return list(reconcile_bank(connection).findings)


def tamper(bank: SeededBank, statement: str, **values: object) -> None:
    """Change what the database's guards would not let anybody change."""
    with bank.database.writing() as connection:
        postgresql = connection.dialect.name == "postgresql"
        for table in GUARDED:
            for guard in ("append_only", "kept", "no_update", "no_delete"):
                where = f" ON {table}" if postgresql else ""
                connection.execute(text(f"DROP TRIGGER IF EXISTS {table}_{guard}{where}"))
        connection.execute(text(statement), values)


def test_a_seeded_bank_is_right(bank: SeededBank) -> None:
    """And so it is after a movement of each kind."""
    assert findings(bank) == []

    payer, payee = bank.account(ANNA), bank.account(JONAS)
    book(bank, order(payer, TEN, creditor_iban=payee.iban))
    book(bank, order(payer, Money(50_00, "USD"), code=PRODUCTS["cross-border-credit-transfers"].code))
    book(bank, order(payer, TEN), hold=reserve(bank, order(payer, TEN)))

    assert findings(bank) == []


def test_an_unbalanced_entry_is_found(bank: SeededBank) -> None:
    """A cent that came from nowhere, though all balances follow."""
    entry = book(bank, order(bank.account(ANNA), TEN)).entry
    account = bank.account(ANNA).id

    tamper(
        bank,
        "UPDATE postings SET amount_minor = amount_minor + 1, balance_minor = balance_minor + 1 "
        "WHERE account_id = :account AND number = (SELECT MAX(number) FROM postings WHERE account_id = :account)",
        account=account,
    )

    assert rules(bank) == {"entry-balanced": [entry]}


def test_an_entry_without_postings_is_found(bank: SeededBank) -> None:
    """It moves nothing, and so stands for nothing."""
    entry = book(bank, order(bank.account(ANNA), TEN)).entry

    tamper(bank, "DELETE FROM postings WHERE entry_id = :entry", entry=entry)

    assert rules(bank) == {"entry-balanced": [entry]}


def test_a_balance_that_does_not_follow_is_found(bank: SeededBank) -> None:
    """One cent more from one posting on."""
    account = bank.account(ANNA).id

    tamper(
        bank,
        "UPDATE postings SET balance_minor = balance_minor + 1 WHERE account_id = :account AND number = 3",
        account=account,
    )

    assert rules(bank) == {"balances-carried": [account]}


def test_a_posting_of_another_tenant_is_found(bank: SeededBank) -> None:
    """Money never crosses into another TPP's bank."""
    entry = book(bank, order(bank.account(ANNA), TEN)).entry

    tamper(bank, "UPDATE postings SET tenant = :tenant WHERE entry_id = :entry", tenant=OTHER_TENANT, entry=entry)

    assert set(rules(bank)) == {"posting-at-home"}


def test_an_account_below_its_limit_is_found(bank: SeededBank) -> None:
    """What is held counts."""
    account = bank.account(ANNA)
    reserve(bank, order(account, bank.balances(account).interim_available))

    tamper(
        bank,
        "UPDATE holds SET amount_minor = amount_minor - 1 WHERE account_id = :account AND amount_minor < -100000",
        account=account.id,
    )

    assert rules(bank) == {"within-limit": [account.id]}


def test_a_hold_settled_by_nothing_is_found(bank: SeededBank) -> None:
    """Its end names an entry that took nothing from its account."""
    held = reserve(bank, order(bank.account(ANNA), TEN))
    others = book(bank, order(bank.account(JONAS), TEN)).entry

    tamper(bank, "INSERT INTO hold_ends (hold_id, at, entry_id) VALUES (:held, 0, :others)", held=held, others=others)

    assert rules(bank) == {"hold-settled": [held]}


def test_an_exchange_at_another_rate_is_found(bank: SeededBank) -> None:
    """The amounts follow from the rate that is kept with them, or they don't."""
    entry = book(bank, order(bank.account(ANNA), Money(50_00, "USD"))).entry

    tamper(bank, "UPDATE entries SET exchange_rate_e8 = exchange_rate_e8 + 100000 WHERE id = :entry", entry=entry)

    assert rules(bank) == {"exchange-at-rate": [entry]}


def test_an_exchange_past_the_bank_is_found(bank: SeededBank) -> None:
    """Currencies are crossed through the bank's own accounts only."""
    entry = book(bank, order(bank.account(ANNA), Money(50_00, "USD"), origin="payment:0")).entry

    tamper(bank, "UPDATE accounts SET product = '' WHERE product = :product", product=OwnAccount.EXCHANGE.value)

    assert rules(bank) == {"exchange-through-bank": [entry]}


def test_a_fee_of_nothing_is_found(bank: SeededBank) -> None:
    """Each fee names the transfer that it is for."""
    booked = book(bank, order(bank.account(ANNA), TEN, code=PRODUCTS["target-2-payments"].code))

    tamper(bank, "UPDATE entries SET charge_of = 'nothing' WHERE id = :fee", fee=booked.fee_entry)

    assert rules(bank) == {"fee-of-transfer": [booked.fee_entry]}


def test_a_batch_that_is_not_spread_is_found(bank: SeededBank) -> None:
    """What waits in transit was taken from somebody and given to nobody."""
    payer = bank.account(ANNA)
    with bank.database.writing() as connection:
        bank.services.ledger.transfer_batch(connection, [order(payer, TEN)], bank.clock.now())
    transit = own_account_id(TENANT, "EUR", OwnAccount.TRANSIT)

    tamper(bank, "DELETE FROM postings WHERE account_id = :transit AND number = 2", transit=transit)

    assert set(rules(bank)) == {"entry-balanced", "batch-spread"}


@pytest.fixture
def paid(bank: SeededBank) -> tuple[str, str]:
    """Return the ids of a payment that was executed and of its entry."""
    till = Till(BankDesk(bank))
    path = till.single()
    assert till.approved(path) == "ACSC"
    assert findings(bank) == []
    payment = path.rpartition("/")[2]
    with bank.database.reading() as connection:
        return payment, connection.execute(text("SELECT entry FROM payment_executions")).scalar_one()


def test_an_execution_without_entry_is_found(bank: SeededBank, paid: tuple[str, str]) -> None:
    """It says that money has moved, and the entry it names is another's."""
    payment, _ = paid
    others = book(bank, order(bank.account(ANNA), TEN)).entry

    tamper(bank, "UPDATE payment_executions SET entry = :others", others=others)

    assert rules(bank) == {"execution-booked": [payment], "entry-of-execution": [paid[1]]}


@pytest.mark.parametrize("status", ["RJCT", "ACTC"])
def test_an_entry_of_what_was_not_executed_is_found(bank: SeededBank, paid: tuple[str, str], status: str) -> None:
    """Money that moved for an execution that is said to have failed, or to be still ahead."""
    tamper(bank, "UPDATE payment_executions SET status = :status", status=status)

    assert rules(bank) == {"entry-of-execution": [paid[1]], "payment-executed": [paid[0]]}


def test_an_entry_of_a_payment_that_is_not_there_is_found(bank: SeededBank) -> None:
    """An origin that looks like an execution's has to be one's."""
    entry = book(bank, order(bank.account(ANNA), TEN, origin="b1c7d2e0-0000-4000-8000-000000000001:2")).entry

    assert rules(bank) == {"entry-of-execution": [entry]}


def test_a_promise_without_hold_is_found(bank: SeededBank, paid: tuple[str, str]) -> None:
    """Funds that are said to be reserved, and were given back."""
    held = reserve(bank, order(bank.account(ANNA), TEN))
    tamper(bank, "UPDATE payment_executions SET hold = :held", held=held)
    assert findings(bank) == []

    with bank.database.writing() as connection:
        bank.services.ledger.release(connection, tenant=TENANT, hold=held, now=bank.clock.now())

    assert rules(bank) == {"promise-held": [paid[0]]}


def rules(bank: SeededBank) -> dict[str, list[str]]:
    """Return who breaks which rule."""
    found: dict[str, list[str]] = {}
    for finding in findings(bank):
        found.setdefault(finding.rule, []).append(finding.subject)
    return found
