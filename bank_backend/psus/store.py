"""The table of PSUs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Column, Float, ForeignKey, Integer, Row, String, Table, bindparam, case, select, update

from bank_backend.database import METADATA
from bank_backend.psus.model import Credentials, Psu
from chassis.sql.statements import Query
from psd2.ids import PsuId, TenantId

if TYPE_CHECKING:
    from bank_backend.database import Connection, Database

psus = Table(
    "psus",
    METADATA,
    Column("tenant", String(80), ForeignKey("tenants.id"), primary_key=True),
    Column("login", String(64), primary_key=True),
    Column("name", String(70), nullable=False),
    Column("email", String(120), nullable=False),
    Column("phone", String(32), nullable=False),
    Column("purpose", String(200), nullable=False),
    Column("password_hash", String(160), nullable=False),
    Column("failures", Integer, nullable=False, default=0),
    Column("locked_until", Float),
)


_BY_LOGIN: Final = Query(select(psus).where(psus.c.tenant == bindparam("tenant"), psus.c.login == bindparam("login")))


class SqlPsuStore:
    """PSUs in the bank's database."""

    def __init__(self, database: Database) -> None:
        """Read and write `database`."""
        self._database = database

    def find(self, tenant: TenantId, login: str, connection: Connection | None = None) -> Psu | None:
        """Return the PSU, or None."""
        row = self._row(tenant, login) if connection is None else _row(connection, tenant, login)
        return None if row is None else psu_of_row(row)

    def credentials(self, tenant: TenantId, login: str) -> Credentials | None:
        """Return what a password is checked with, or None."""
        row = self._row(tenant, login)
        if row is None:
            return None
        until = None if row.locked_until is None else datetime.fromtimestamp(row.locked_until, UTC)
        return Credentials(psu=psu_of_row(row), password_hash=row.password_hash, failures=row.failures, locked_until=until)

    def note_failure(self, tenant: TenantId, login: str, *, locked_from: int, locked_until: datetime) -> None:
        """Count one failure more, atomically; at `locked_from` of them start over and lock until `locked_until`."""
        is_last = psus.c.failures + 1 >= locked_from
        # One statement, so that attempts made at the same time are all counted.
        statement = (
            update(psus)
            .where(psus.c.tenant == tenant, psus.c.login == login)
            .values(
                failures=case((is_last, 0), else_=psus.c.failures + 1),
                locked_until=case((is_last, locked_until.timestamp()), else_=psus.c.locked_until),
            )
        )
        with self._database.writing() as connection:
            connection.execute(statement)

    def note_success(self, tenant: TenantId, login: str) -> None:
        """Forget the failures."""
        statement = update(psus).where(psus.c.tenant == tenant, psus.c.login == login).values(failures=0, locked_until=None)
        with self._database.writing() as connection:
            connection.execute(statement)

    def _row(self, tenant: TenantId, login: str) -> Any:  # noqa: ANN401 - a row, or None
        with self._database.reading() as connection:
            return _row(connection, tenant, login)


def _row(connection: Connection, tenant: TenantId, login: str) -> Any:  # noqa: ANN401 - a row, or None
    return _BY_LOGIN.first(connection, tenant=tenant, login=login)


def psu_of_row(row: Row[tuple[object, ...]]) -> Psu:
    """Return the PSU that a row of `psus` holds."""
    return Psu(
        id=PsuId(row.login),
        tenant=TenantId(row.tenant),
        name=row.name,
        email=row.email,
        phone=row.phone,
        purpose=row.purpose,
    )
