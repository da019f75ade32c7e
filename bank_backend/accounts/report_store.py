"""How far each TPP has been told of an account, and large reports waiting to be fetched, in SQL."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Protocol

from sqlalchemy import bindparam, delete, insert, select, text, update

from bank_backend.accounts.model import BookingStatus, Period, ReportFormat
from bank_backend.accounts.report_tables import report_downloads, report_marks
from psd2.ids import AccountId, ConsentId, TenantId

if TYPE_CHECKING:
    from bank_backend.database import Connection
    from psd2.ids import PsuId


class ReportMarks(Protocol):
    """How far a TPP has been told of each account of each PSU, by entry number (BG IG §6.5.4, `deltaList`)."""

    def standing(self, connection: Connection, tenant: TenantId, psu: PsuId, account_id: AccountId) -> int:
        """Return the number of the newest movement that was told; 0 where none was."""

    def advance(self, connection: Connection, tenant: TenantId, psu: PsuId, account_id: AccountId, number: int) -> None:
        """Note that movements were told up to a number; one that is lower than what stands changes nothing."""


_STANDING: Final = select(report_marks.c.number).where(
    report_marks.c.tenant == bindparam("tenant"),
    report_marks.c.psu == bindparam("psu"),
    report_marks.c.account_id == bindparam("account"),
)
_ADVANCE: Final = text(
    "INSERT INTO report_marks (tenant, psu, account_id, number) "
    "SELECT tenant, :psu, id, :number FROM accounts WHERE tenant = :tenant AND id = :account "
    "ON CONFLICT (tenant, psu, account_id) DO UPDATE SET number = excluded.number WHERE report_marks.number < excluded.number"
)


class SqlReportMarks:
    """Marks in the bank's database, inside the caller's transaction."""

    def standing(self, connection: Connection, tenant: TenantId, psu: PsuId, account_id: AccountId) -> int:
        """Return the number of the newest movement that was told; 0 where none was."""
        return connection.execute(_STANDING, {"tenant": tenant, "psu": psu, "account": account_id}).scalar() or 0

    def advance(self, connection: Connection, tenant: TenantId, psu: PsuId, account_id: AccountId, number: int) -> None:
        """Note that movements were told up to a number; one that is lower than what stands changes nothing."""
        connection.execute(_ADVANCE, {"tenant": tenant, "psu": psu, "account": account_id, "number": number})


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """A report that was too large for its answer. It holds what was booked when it was asked for, whenever it is fetched."""

    id: str
    tenant: TenantId
    consent_id: ConsentId
    account_id: str
    format: ReportFormat
    booking_status: BookingStatus
    period: Period
    after_number: int
    newest_number: int
    made_at: datetime
    expires_at: datetime
    fetched: int = 0


class DownloadStore(Protocol):
    """Where downloads are kept; each call works inside the caller's transaction."""

    def add(self, connection: Connection, download: Download) -> None:
        """Write a new one."""

    def find(self, connection: Connection, tenant: TenantId, download_id: str) -> Download | None:
        """Return the tenant's, or None."""

    def count_fetch(self, connection: Connection, tenant: TenantId, download_id: str, *, most: int) -> bool:
        """Count one fetching unless that would pass `most`; tell whether it was counted."""

    def drop_expired(self, connection: Connection, tenant: TenantId, now: datetime) -> None:
        """Remove those of the tenant whose time is over."""


_FIND: Final = select(report_downloads).where(
    report_downloads.c.tenant == bindparam("tenant"), report_downloads.c.id == bindparam("id")
)


class SqlDownloadStore:
    """Downloads in the bank's database."""

    def add(self, connection: Connection, download: Download) -> None:
        """Write a new one."""
        connection.execute(
            insert(report_downloads).values(
                id=download.id,
                tenant=download.tenant,
                consent=download.consent_id,
                account_id=download.account_id,
                format=download.format.name,
                booking_status=download.booking_status.value,
                since=download.period.since,
                until=download.period.until,
                after_number=download.after_number,
                newest_number=download.newest_number,
                made_at=download.made_at.timestamp(),
                expires_at=download.expires_at.timestamp(),
                fetched=download.fetched,
            )
        )

    def find(self, connection: Connection, tenant: TenantId, download_id: str) -> Download | None:
        """Return the tenant's, or None."""
        row = connection.execute(_FIND, {"tenant": tenant, "id": download_id}).first()
        if row is None:
            return None
        return Download(
            id=row.id,
            tenant=TenantId(row.tenant),
            consent_id=ConsentId(row.consent),
            account_id=row.account_id,
            format=ReportFormat[row.format],
            booking_status=BookingStatus(row.booking_status),
            period=Period(row.since, row.until),
            after_number=row.after_number,
            newest_number=row.newest_number,
            made_at=datetime.fromtimestamp(row.made_at, UTC),
            expires_at=datetime.fromtimestamp(row.expires_at, UTC),
            fetched=row.fetched,
        )

    def count_fetch(self, connection: Connection, tenant: TenantId, download_id: str, *, most: int) -> bool:
        """Count one fetching unless that would pass `most`; tell whether it was counted."""
        statement = (
            update(report_downloads)
            .where(report_downloads.c.tenant == tenant, report_downloads.c.id == download_id, report_downloads.c.fetched < most)
            .values(fetched=report_downloads.c.fetched + 1)
        )
        return connection.execute(statement).rowcount == 1

    def drop_expired(self, connection: Connection, tenant: TenantId, now: datetime) -> None:
        """Remove those of the tenant whose time is over."""
        connection.execute(
            delete(report_downloads).where(
                report_downloads.c.tenant == tenant, report_downloads.c.expires_at <= now.timestamp()
            )
        )
