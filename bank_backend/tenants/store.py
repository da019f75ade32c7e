"""Tenants in the bank's database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from bank_backend.accounts.store import CUSTOMERS, account_holders, account_of_row, accounts
from bank_backend.bulk_rows import nothing_collected
from bank_backend.personas.store import write_seed
from bank_backend.psus.store import psu_of_row, psus
from bank_backend.tenants.model import Tenant
from bank_backend.tenants.tables import tenants
from psd2.ids import PsuId, TenantId
from psd2.roles import format_roles, read_roles

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import Row

    from bank_backend.accounts.model import Account
    from bank_backend.database import Connection, Database
    from bank_backend.personas.service import Seed
    from bank_backend.psus.model import Psu
    from bank_backend.tenants.model import Registration


class SqlTenantStore:
    """Tenants in the bank's database."""

    def __init__(self, database: Database, *, hash_password: Callable[[str], str]) -> None:
        """Read and write `database`; `hash_password` turns the personas' password into what is kept of it."""
        self._database = database
        self._hash_password = hash_password

    def find(self, tenant: TenantId) -> Tenant | None:
        """Return the tenant, or None."""
        with self._database.reading() as connection:
            row = connection.execute(select(tenants).where(tenants.c.id == tenant)).first()
        return None if row is None else tenant_of_row(row)

    def open(self, tenant: Tenant, seed: Seed, *, at: datetime) -> bool:
        """Write tenant and seed whole; False, and nothing written, where somebody else has opened it meanwhile."""
        password_hash = self._hash_password(seed.password)
        with nothing_collected(), self._database.writing() as connection:
            if not _insert_tenant(connection, tenant, at=at):
                return False
            write_seed(connection, tenant.id, seed, password_hash=password_hash)
        return True

    def amend(self, registration: Registration) -> None:
        """Take over name, roles and redirect URIs from the register."""
        values = {
            "name": registration.name,
            "roles": format_roles(registration.roles),
            "redirect_uris": list(registration.redirect_uris),
        }
        with self._database.writing() as connection:
            connection.execute(update(tenants).where(tenants.c.id == registration.tenant).values(values))

    def psus(self, tenant: TenantId) -> list[Psu]:
        """Return the tenant's PSUs by login."""
        with self._database.reading() as connection:
            rows = connection.execute(select(psus).where(psus.c.tenant == tenant).order_by(psus.c.login))
            return [psu_of_row(row) for row in rows]

    def accounts_by_holder(self, tenant: TenantId) -> list[tuple[PsuId, Account]]:
        """Return who holds which account, in the accounts' order."""
        statement = (
            select(account_holders.c.psu, accounts)
            .join(accounts, accounts.c.id == account_holders.c.account_id)
            .where(account_holders.c.tenant == tenant, accounts.c.tenant == tenant, accounts.c.kind.in_(CUSTOMERS))
            .order_by(accounts.c.position, accounts.c.id)
        )
        with self._database.reading() as connection:
            return [(PsuId(row.psu), account_of_row(row)) for row in connection.execute(statement)]


def tenant_of_row(row: Row[tuple[object, ...]]) -> Tenant:
    """Return the tenant that a row of `tenants` holds."""
    return Tenant(
        id=TenantId(row.id),
        name=row.name,
        country=row.country,
        roles=read_roles(row.roles),
        seed=row.seed,
        persona_password=row.persona_password,
        redirect_uris=tuple(row.redirect_uris),
    )


def _insert_tenant(connection: Connection, tenant: Tenant, *, at: datetime) -> bool:
    row = {
        "id": tenant.id,
        "name": tenant.name,
        "country": tenant.country,
        "roles": format_roles(tenant.roles),
        "seed": tenant.seed,
        "persona_password": tenant.persona_password,
        "redirect_uris": list(tenant.redirect_uris),
        "created_at": at.timestamp(),
    }
    try:
        # A savepoint, so that a lost race leaves the transaction usable.
        with connection.begin_nested():
            connection.execute(insert(tenants).values(row))
    except IntegrityError:
        return False
    return True
