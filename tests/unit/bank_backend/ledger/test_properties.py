"""Whatever is transferred, held, settled and released: money is conserved and nobody is below his limit."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, TypeAlias

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bank_backend.ledger.refusals import LedgerError
from psd2.money import Money
from tests.support.bank_core import ANNA, JONAS, KARL, TENANT, TOM, SeededBank, copy_of
from tests.support.sizes import sized
from tests.unit.bank_backend.ledger.test_transfer import hold, pay

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

# What to do, the payer's and the payee's place in PSUS, minor units.
Move: TypeAlias = tuple[str, int, int, int]
PSUS = (ANNA, JONAS, KARL, TOM)
# Up to more than anybody has.
amounts = st.integers(min_value=1, max_value=3_000_000)
moves = st.tuples(
    st.sampled_from(["pay", "pay out", "hold", "settle", "release"]), st.integers(0, 3), st.integers(0, 3), amounts
)


@settings(max_examples=sized(15, full=300), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plan=st.lists(moves, min_size=5, max_size=30))
def test_money_is_conserved_and_limits_hold(
    plan: list[Move], bank_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A ledger that took any sequence of movements still reconciles, and customers and outside together have as much."""
    bank = copy_of(bank_template, tmp_path_factory.mktemp("plan"))
    held: list[tuple[str, int]] = []
    for move in plan:
        with suppress(LedgerError):
            _move(bank, held, move)

    with bank.database.reading() as connection:
        assert bank.services.ledger.reconcile(connection).is_right
        assert _total(bank) == 0
    for psu in PSUS:
        assert bank.balances(bank.account(psu)).interim_available.minor >= 0
    bank.database.engine.dispose()


def _move(bank: SeededBank, held: list[tuple[str, int]], move: Move) -> None:
    what, payer, payee, minor = move
    account, amount = bank.account(PSUS[payer]), Money(minor, "EUR")
    if what == "pay":
        pay(bank, account, amount, iban=bank.account(PSUS[payee]).iban)
    elif what == "pay out":
        pay(bank, account, amount)
    elif what == "hold":
        held.append((hold(bank, account, amount), payer))
    elif held:
        hold_id, holder = held[minor % len(held)]
        if what == "settle":
            pay(bank, bank.account(PSUS[holder]), amount, hold=hold_id)
        else:
            with bank.database.writing() as connection:
                bank.services.ledger.release(connection, tenant=TENANT, hold=hold_id, now=bank.clock.now())


def _total(bank: SeededBank) -> int:
    with bank.database.reading() as connection:
        return int(connection.exec_driver_sql("SELECT SUM(amount_minor) FROM postings").scalar_one())
