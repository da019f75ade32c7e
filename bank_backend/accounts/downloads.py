"""Statements in camt and MT94x: at once, or as a link to fetch a large one by (BG IG 1.3.8 §6.5.4, `download`)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from bank_backend.accounts.camt import report_xml, statement_xml
from bank_backend.accounts.errors import DownloadUsedUp, ResourceExpired
from bank_backend.accounts.model import AccessKind, AccountKind, ReportFormat, TransactionsQuery
from bank_backend.accounts.report_store import Download
from bank_backend.accounts.reports import MOST_AT_ONCE, Scope
from bank_backend.accounts.swift import mt940, mt942
from bank_backend.errors import ConsentInvalid, PathResourceUnknown, PeriodInvalid
from bank_backend.personalities.model import Service
from psd2.ids import new_uuid

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from bank_backend.accounts.information import AccountInformation, AccountView, Entrance
    from bank_backend.accounts.report_store import DownloadStore, ReportMarks
    from bank_backend.accounts.reports import AccountReports, AccountStatement
    from bank_backend.calls import TppCall
    from bank_backend.database import Connection, Database
    from bank_backend.personalities.model import Personality

# By the tenant's time. Fetching is not repeated for ever either: a broken connection may be tried again, no more.
_LIFETIME: Final = timedelta(minutes=15)
MOST_FETCHED: Final = 3


class AccountStatements:
    """Answers lists of transactions in the formats of statements."""

    def __init__(
        self,
        *,
        information: AccountInformation,
        reports: AccountReports,
        marks: ReportMarks,
        store: DownloadStore,
        database: Database,
    ) -> None:
        """Let calls in as `information` does, write what `reports` finds; what waits to be fetched is in `store`."""
        self._information = information
        self._reports = reports
        self._marks = marks
        self._store = store
        self._database = database

    def statement(
        self,
        call: TppCall,
        account_id: str,
        query: TransactionsQuery,
        report_format: ReportFormat,
        *,
        consent_id: str,
        personality: Personality,
    ) -> bytes | Download:
        """Return the statement, or the download that a large one becomes; raises as `AccountReports.transactions`."""
        entering = self._information.entered(call, AccessKind.TRANSACTIONS, account_id, consent_id=consent_id)
        with entering as entrance:
            view = self._information.view(entrance, AccountKind.PAYMENT, account_id)
            _require_balances(view, report_format)
            scope = self._reports.scope(entrance, view, query, personality)
            if scope.size <= MOST_AT_ONCE:
                statements = self._reports.statements(entrance, scope, query)
                told: bytes | Download = _written(
                    statements, query, report_format, message=call.x_request_id, at=entrance.granted.now
                )
                newest = self._newest_told(entrance, scope, query, today=entrance.today)
            else:
                _require_download(scope, personality)
                told, newest = _download(entrance, scope, query, report_format), None
        if newest is None and not isinstance(told, Download):
            return told
        with self._database.writing() as connection:
            self._note_told(connection, entrance, scope.view, newest)
            if isinstance(told, Download):
                self._store.drop_expired(connection, told.tenant, told.made_at)
                self._store.add(connection, told)
        return told

    def fetch(self, call: TppCall, account_id: str, download_id: str, *, consent_id: str) -> tuple[bytes, ReportFormat]:
        """Return a statement that was too large at once.

        Raises what `AccountAccess` raises, `PathResourceUnknown` for a download of another TPP, consent or account,
        `ResourceExpired` when its time is over, and `DownloadUsedUp` when it has been fetched often enough.
        """
        entering = self._information.entered(call, AccessKind.TRANSACTIONS, account_id, consent_id=consent_id, page=download_id)
        with entering as entrance:
            download = self._store.find(entrance.connection, call.tenant, download_id)
            if download is None or (download.account_id, download.consent_id) != (account_id, entrance.granted.consent_id):
                text = "there is no such download of this account under this consent: take the link from the transaction list"
                raise PathResourceUnknown(text, path="downloadId")
            if entrance.granted.now >= download.expires_at:
                raise ResourceExpired("the download's time is over: ask for the transaction list again", path="downloadId")
            scope, query = self._scope(entrance, download), TransactionsQuery(booking_status=download.booking_status)
            statements = self._reports.statements(entrance, scope, query)
            body = _written(statements, query, download.format, message=download.id, at=download.made_at)
            newest = self._newest_told(entrance, scope, query, today=download.made_at.date())
        with self._database.writing() as connection:
            self._note_told(connection, entrance, scope.view, newest)
            if not self._store.count_fetch(connection, call.tenant, download_id, most=MOST_FETCHED):
                text = f"the download has been fetched {MOST_FETCHED} times: ask for the transaction list again"
                raise DownloadUsedUp(text, path="downloadId")
        return body, download.format

    def _scope(self, entrance: Entrance, download: Download) -> Scope:
        view = self._information.view(entrance, AccountKind.PAYMENT, download.account_id)
        return Scope(view, download.period, download.after_number, download.newest_number, 0)

    def _newest_told(self, entrance: Entrance, scope: Scope, query: TransactionsQuery, *, today: date) -> int | None:
        """Return the number up to which this TPP has been told of the account, where that has changed (`deltaList`)."""
        if not query.booking_status.has_booked or scope.period.until != today or len(scope.view.members) > 1:
            return None
        granted = entrance.granted
        standing = self._marks.standing(entrance.connection, granted.tenant, granted.psu, scope.view.account.id)
        return scope.newest_number if scope.newest_number > standing else None

    def _note_told(self, connection: Connection, entrance: Entrance, view: AccountView, newest: int | None) -> None:
        if newest is not None:
            granted = entrance.granted
            self._marks.advance(connection, granted.tenant, granted.psu, view.account.id, newest)


def _require_balances(view: AccountView, report_format: ReportFormat) -> None:
    if report_format is ReportFormat.CAMT_053 and not view.rights.balances:
        text = "a camt.053 tells balances, and the consent does not grant them on this account: ask for a camt.052, or for JSON"
        raise ConsentInvalid(text)


def _require_download(scope: Scope, personality: Personality) -> None:
    if not personality.offers(Service.DOWNLOADS) or len(scope.view.members) > 1:
        text = f"a statement holds up to {MOST_AT_ONCE} movements, and the period has more: ask for a shorter one, or for JSON"
        raise PeriodInvalid(text, path="dateFrom")


def _download(entrance: Entrance, scope: Scope, query: TransactionsQuery, report_format: ReportFormat) -> Download:
    granted = entrance.granted
    return Download(
        id=new_uuid(),
        tenant=granted.tenant,
        consent_id=granted.consent_id,
        account_id=scope.view.account.id,
        format=report_format,
        booking_status=query.booking_status,
        period=scope.period,
        after_number=scope.after_number,
        newest_number=scope.newest_number,
        made_at=granted.now,
        expires_at=granted.now + _LIFETIME,
    )


def _written(
    statements: Sequence[AccountStatement],
    query: TransactionsQuery,
    report_format: ReportFormat,
    *,
    message: str,
    at: datetime,
) -> bytes:
    """Write the statements: interim where something is pending (BG IG §6.5.4), or where the consent grants no balances."""
    is_interim = query.booking_status.has_pending or any(one.opening is None for one in statements)
    if report_format is ReportFormat.TEXT:
        return mt942(statements, at=at) if is_interim else mt940(statements)
    identification = message.replace("-", "")
    if is_interim or report_format is ReportFormat.CAMT_052:
        return report_xml(statements, message=identification, at=at)
    return statement_xml(statements, message=identification, at=at)
