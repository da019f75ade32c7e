"""A seeded bank for tests: seeded once, copied for each test that wants one."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import TYPE_CHECKING
from unittest.mock import patch

from bank_backend.bootstrap import create_services
from bank_backend.config import BankSettings
from bank_backend.database import Database
from bank_backend.personas.service import plan_seed
from bank_backend.psus import passwords
from bank_backend.tenants import wiring
from bank_backend.tenants.model import Registration
from chassis.sql.database import migrate, open_engine
from psd2.clock import FixedClock
from psd2.ids import PsuId, TenantId
from psd2.roles import PspRole

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine

    from bank_backend.accounts.model import Account
    from bank_backend.ledger.model import Balances
    from bank_backend.services import Services
    from tests.support.databases import Databases

# A Wednesday, so that yesterday and tomorrow are days of the bank too.
NOW = datetime(2026, 11, 18, 10, 26, tzinfo=UTC)
TENANT = TenantId("PSDDE-BAFIN-100001")
OTHER_TENANT = TenantId("PSDFR-ACPR-100002")
ANNA, JONAS, KARL, HELGA, TOM, NORA = (
    PsuId(login) for login in ("anna.weber", "jonas.brandt", "karl.lindner", "helga.lindner", "tom.becker", "nora.novak")
)
COMPANY = PsuId("nordlicht.gmbh")


@dataclass(frozen=True)
class SeededBank:
    """A bank with two tenants, on a clock that stands still."""

    services: Services
    clock: FixedClock

    @property
    def database(self) -> Database:
        return self.services.database

    def account(self, psu: PsuId, *, tenant: TenantId = TENANT) -> Account:
        """Return the PSU's first account."""
        return self.services.accounts.accounts_of(tenant, psu)[0]

    def balances(self, account: Account) -> Balances:
        with self.database.reading() as connection:
            return self.services.ledger.balances(connection, account.tenant, account.id, today=self.clock.now().date())


def registration(tenant: TenantId = TENANT, *, country: str = "DE", seed: int | None = None) -> Registration:
    """Return a TPP's registration."""
    return Registration(
        tenant=tenant, name="Fintech Example", country=country, roles=frozenset({PspRole.AI, PspRole.PI}), seed=seed
    )


def open_bank(url: str, engine: Engine | None = None) -> SeededBank:
    """Open the bank of a migrated database."""
    clock = FixedClock(NOW)
    settings = BankSettings.model_validate({"database": url, "large_account": False})
    return SeededBank(create_services(settings, Database(engine or open_engine(url)), clock), clock)


@lru_cache(maxsize=64)
def _lasting_engine(url: str) -> Engine:
    """Return the engine of an address; lent again, it still knows how the bank's statements read in SQL."""
    return open_engine(url)


def seed_bank(url: str) -> SeededBank:
    """Migrate an empty database and open two tenants in it; the other one has but two months to look back at.

    What is kept of their passwords says itself how it was made: so cheaply that signing in costs tests nothing.
    """
    engine = open_engine(url)
    migrate(engine, "bank_backend")
    engine.dispose()
    bank = open_bank(url)
    with patch.multiple(passwords, _ITERATIONS=1, _MEMORY_KIB=8):
        bank.services.tenants.register(registration())
        with patch.object(wiring, "plan_seed", partial(plan_seed, months=2)):
            bank.services.tenants.register(registration(OTHER_TENANT, country="FR"))
    return bank


def lent_bank(databases: Databases, *, is_lasting: bool = False) -> SeededBank:
    """Open a copy of a seeded bank on one of the two engines; seeded once for all who ask.

    `is_lasting`: the engine goes on to the next who is lent the same place; whoever tries its pool takes one of his own.
    """
    url = databases.prepared("seeded bank", lambda url: seed_bank(url).database.engine.dispose())
    return open_bank(url, _lasting_engine(url) if is_lasting else None)


def copy_of(template: Path, folder: Path) -> SeededBank:
    """Open a copy of a seeded database file."""
    target = folder / "bank.sqlite"
    shutil.copyfile(template, target)
    return open_bank(f"sqlite:///{target}")
