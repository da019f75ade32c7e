"""Wires what tests are made with: test data, snapshots, clock, faults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bank_backend.data import api as data_api
from bank_backend.data.service import DataParts, TestBank
from bank_backend.data.store import SqlDataStore
from bank_backend.faults import api as faults_api
from bank_backend.faults.service import Faults
from bank_backend.faults.store import SqlFaultStore
from bank_backend.ledger.own_accounts import own_account_id
from bank_backend.snapshots import api as snapshots_api
from bank_backend.snapshots.service import Snapshots
from bank_backend.snapshots.state_store import SqlStateStore
from bank_backend.snapshots.store import SqlSnapshotStore
from bank_backend.tenants import clock_api
from bank_backend.tenants.time import TenantTime
from bank_backend.tenants.wiring import hashed

if TYPE_CHECKING:
    from bank_backend.foundation import Foundation
    from bank_backend.tenants.service import Planner, TenantRegistry
    from bank_backend.tenants.time import Scheduler

WEB_MODULES: Final = (clock_api, faults_api, snapshots_api, data_api)


@dataclass(frozen=True, slots=True, kw_only=True)
class TestData:
    """What a TPP shapes its own bank with."""

    bank: TestBank
    time: TenantTime
    faults: Faults
    snapshots: Snapshots


def create_snapshots(base: Foundation) -> Snapshots:
    """Return the snapshots of all tenants."""
    return Snapshots(database=base.database, states=SqlStateStore(), store=SqlSnapshotStore(), clock=base.clock, real=base.real)


def create_test_data(
    base: Foundation, *, scheduler: Scheduler, tenants: TenantRegistry, planner: Planner, snapshots: Snapshots
) -> TestData:
    """Build it on the bank's database and clocks."""
    database, clocks, real = base.database, base.clock, base.real
    parts = DataParts(
        database=database,
        store=SqlDataStore(hash_password=hashed),
        tenants=tenants,
        planner=planner,
        clock=clocks,
        clocks=SqlSnapshotStore(),
        real=real,
        own_account=own_account_id,
    )
    return TestData(
        bank=TestBank(parts),
        time=TenantTime(database=database, clocks=clocks, scheduler=scheduler, real=real),
        faults=Faults(database=database, store=SqlFaultStore(), real=real),
        snapshots=snapshots,
    )
