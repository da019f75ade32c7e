"""Wires what tests are made with: test data, snapshots, clock, faults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bank_backend.faults import api as faults_api
from bank_backend.faults.service import Faults
from bank_backend.faults.store import SqlFaultStore
from bank_backend.snapshots import api as snapshots_api
from bank_backend.snapshots.service import Snapshots
from bank_backend.snapshots.state_store import SqlStateStore
from bank_backend.snapshots.store import SqlSnapshotStore
from bank_backend.tenants import clock_api
from bank_backend.tenants.time import TenantTime

if TYPE_CHECKING:
    from bank_backend.database import Database
    from bank_backend.tenants.clock import TenantClocks
    from bank_backend.tenants.time import Scheduler
    from psd2.clock import Clock

WEB_MODULES: Final = (clock_api, faults_api, snapshots_api)


@dataclass(frozen=True, slots=True, kw_only=True)
class TestData:
    """What a TPP shapes its own bank with."""

    time: TenantTime
    faults: Faults
    snapshots: Snapshots


def create_test_data(database: Database, clocks: TenantClocks, real: Clock, *, scheduler: Scheduler) -> TestData:
    """Build it on the bank's database and clocks."""
    return TestData(
        time=TenantTime(database=database, clocks=clocks, scheduler=scheduler, real=real),
        faults=Faults(database=database, store=SqlFaultStore(), real=real),
        snapshots=Snapshots(database=database, states=SqlStateStore(), store=SqlSnapshotStore(), clock=clocks, real=real),
    )
