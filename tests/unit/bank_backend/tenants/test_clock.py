"""Each tenant's own time."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bank_backend.tenants.clock import ClockMovesBack, TenantClocks
from bank_backend.tenants.clock_store import SqlOffsets
from tests.support.bank_core import OTHER_TENANT, TENANT

if TYPE_CHECKING:
    from tests.support.bank_core import SeededBank


@pytest.fixture
def clocks(bank: SeededBank) -> TenantClocks:
    """Return the clocks of the bank's tenants."""
    return TenantClocks(real=bank.clock, offsets=SqlOffsets(bank.database))


def test_a_tenants_clock_is_moved_alone(bank: SeededBank, clocks: TenantClocks) -> None:
    """The other tenant's time, and the real one, stay; moves add up."""
    with bank.database.writing() as connection:
        clocks.advance(connection, TENANT, timedelta(days=2))
        told = clocks.advance(connection, TENANT, timedelta(hours=3, milliseconds=900))

    assert told == clocks.now(TENANT) == bank.clock.now() + timedelta(days=2, hours=3)
    assert clocks.now(OTHER_TENANT) == bank.clock.now()


def test_the_services_judge_by_the_tenants_time(bank: SeededBank, clocks: TenantClocks) -> None:
    """What the bank shows as its day is the tenant's."""
    with bank.database.writing() as connection:
        clocks.advance(connection, TENANT, timedelta(days=40))

    days = {tenant: bank.services.books.accounts(tenant)[0].balances.today for tenant in (TENANT, OTHER_TENANT)}
    assert days[TENANT] == (bank.clock.now() + timedelta(days=40)).date()
    assert days[OTHER_TENANT] == bank.clock.now().date()


def test_a_clock_never_moves_back(bank: SeededBank, clocks: TenantClocks) -> None:
    """What was booked stays in the past."""
    with pytest.raises(ClockMovesBack, match="restore a snapshot"), bank.database.writing() as connection:
        clocks.advance(connection, TENANT, timedelta(seconds=-1))

    assert clocks.now(TENANT) == bank.clock.now()


def test_inside_a_transaction_its_own_move_is_seen(bank: SeededBank, clocks: TenantClocks) -> None:
    """Before anybody else sees it."""
    with bank.database.writing() as connection:
        clocks.advance(connection, TENANT, timedelta(days=1))
        assert clocks.now(TENANT, connection) == bank.clock.now() + timedelta(days=1)
        assert clocks.now(TENANT) == bank.clock.now()
