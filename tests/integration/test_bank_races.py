"""What the bank's calls do to each other at the same instant: on each engine as if one had come after the other."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from bank_backend.interactions.store import interactions
from bank_backend.ledger.orders import TransferOrder
from bank_backend.ledger.own_accounts import OwnAccount, own_account_id
from bank_backend.ledger.refusals import UnknownHold
from bank_backend.ledger.store import SqlLedgerStore
from psd2.money import Money
from tests.support.at_once import at_once
from tests.support.bank_core import ANNA, TENANT, SeededBank, lent_bank, registration
from tests.support.bank_sca import BankDesk, Tpp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.databases import Databases

THREADS, ROUNDS = 6, 12
OUTSIDE = "FR7630006000011234567890189"


@pytest.fixture
def desk(databases: Databases) -> Iterator[BankDesk]:
    """Lend a bank on each engine with everybody around it."""
    bank = lent_bank(databases)
    yield BankDesk(bank)
    bank.database.engine.dispose()


def test_visits_that_begin_together_leave_one_open(desk: BankDesk) -> None:
    """A resource is decided in one place: each visit ends those that were open (architecture §3.2)."""
    for _ in range(ROUNDS):
        consent = desk.consent()

        begun = at_once(*[lambda consent=consent: desk.begin("ais", consent)] * THREADS)

        assert {type(each) for each in begun} == {str}
        with desk.bank.database.reading() as connection:
            standing = connection.execute(select(interactions.c.status).where(interactions.c.resource == consent)).scalars()
            assert Counter(standing) == {"pending": 1, "expired": THREADS - 1}


def test_the_last_readings_of_a_one_off_consent_use_it_up_together(desk: BankDesk) -> None:
    """Balances and transactions, each the last that the other waits for: afterwards the consent has expired (BG IG §6.5)."""
    account = {"iban": desk.iban()}
    for _ in range(ROUNDS):
        consent = desk.approved_consent(
            access={"balances": [account], "transactions": [account]}, recurringIndicator=False, frequencyPerDay=1
        )
        account_id, reader = desk.bank.account(ANNA).id, desk.reader(consent)

        def read(what: str, consent: str = consent, account_id: str = account_id, reader: Tpp = reader) -> int:
            return reader.get(f"/v1/accounts/{account_id}/{what}", Consent_ID=consent).status_code

        answers = at_once(partial(read, "balances"), partial(read, "transactions?bookingStatus=booked&dateFrom=2026-11-01"))

        assert answers == [200, 200]
        assert desk.bank.services.consents.consent(TENANT, consent).status == "expired"


def test_a_hold_is_ended_once(desk: BankDesk) -> None:
    """Settled by several at the same time: the money moves once, and the others are told."""
    bank = desk.bank
    for _ in range(ROUNDS):
        hold = _hold(bank)
        before = bank.balances(bank.account(ANNA)).interim_booked

        ended = at_once(*[lambda hold=hold: _settle(bank, hold)] * THREADS)

        assert Counter(type(each) for each in ended) == {str: 1, UnknownHold: THREADS - 1}
        assert before - bank.balances(bank.account(ANNA)).interim_booked == Money(100, "EUR")
    with bank.database.reading() as connection:
        assert bank.services.ledger.reconcile(connection).is_right


def test_the_first_payments_in_a_currency_share_its_settlement_account(desk: BankDesk) -> None:
    """Each finds no such account and would make it: one is made, and all go on with that."""
    for number in range(ROUNDS):
        currency = f"X{number:02}"

        found = at_once(*[partial(_settlement, desk.bank, currency)] * THREADS)

        assert set(found) == {own_account_id(TENANT, currency)}


def test_a_tenant_that_is_opened_by_several_at_once_is_opened_once(desk: BankDesk) -> None:
    """Seeded once: the others find it made."""
    tenants = desk.bank.services.tenants
    wanted = registration(type(TENANT)("PSDES-BDE-100009"), country="ES")

    opened = at_once(*[lambda: tenants.register(wanted)[1]] * 3)

    assert Counter(opened) == {True: 1, False: 2}
    assert len(tenants.residents(wanted.tenant)) == len(tenants.residents(TENANT))


def _hold(bank: SeededBank) -> str:
    with bank.database.writing() as connection:
        return bank.services.ledger.hold(connection, _order(bank), bank.clock.now())


def _settle(bank: SeededBank, hold: str) -> str:
    with bank.database.writing() as connection:
        return bank.services.ledger.transfer(connection, _order(bank), bank.clock.now(), hold=hold).entry


def _settlement(bank: SeededBank, currency: str) -> str:
    wanted = own_account_id(TENANT, currency)
    with bank.database.writing() as connection:
        SqlLedgerStore().ensure(connection, TENANT, {wanted: (currency, OwnAccount.SETTLEMENT)})
        return SqlLedgerStore().lock(connection, TENANT, [wanted])[0].id


def _order(bank: SeededBank) -> TransferOrder:
    return TransferOrder(
        tenant=TENANT,
        debtor=bank.account(ANNA).id,
        creditor_iban=OUTSIDE,
        creditor_name="Somebody",
        amount=Money(100, "EUR"),
    )
