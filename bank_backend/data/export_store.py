"""Taking test data out: the lines of each file, in an order that stays the same."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from bank_backend.accounts.store import CUSTOMERS, account_holders, accounts
from bank_backend.ledger.tables import entries, hold_ends, holds, postings
from bank_backend.psus.store import psus
from psd2.money import Money

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Row

    from bank_backend.database import Connection
    from psd2.ids import TenantId

Lines = dict[str, list[dict[str, Any]]]


class SqlExport:
    """Reads a tenant's people, accounts, movements and balances, inside the caller's transaction."""

    def lines(self, connection: Connection, tenant: TenantId) -> Lines:
        """Return the lines of each file."""
        owned = _accounts(connection, tenant)
        transactions = [*_booked(connection, tenant), *_pending(connection, tenant)]
        return {
            "psus": list(_psus(connection, tenant)),
            "accounts": [_account_line(row, owned) for row in owned.values()],
            "transactions": transactions,
            "balances": [_balance_line(row, connection) for row in owned.values()],
        }


def _psus(connection: Connection, tenant: TenantId) -> Iterable[dict[str, Any]]:
    statement = select(psus.c.login, psus.c.name, psus.c.email, psus.c.phone, psus.c.purpose).where(psus.c.tenant == tenant)
    for row in connection.execute(statement.order_by(psus.c.login)):
        yield {"psu": row.login, "name": row.name, "email": row.email, "phone": row.phone, "purpose": row.purpose}


def _accounts(connection: Connection, tenant: TenantId) -> dict[str, Any]:
    holders = (
        select(account_holders.c.account_id, account_holders.c.psu)
        .where(account_holders.c.tenant == tenant)
        .order_by(account_holders.c.psu)
    )
    held: dict[str, list[str]] = {}
    for row in connection.execute(holders):
        held.setdefault(row.account_id, []).append(row.psu)
    statement = (
        select(accounts)
        .where(accounts.c.tenant == tenant, accounts.c.kind.in_(CUSTOMERS))
        .order_by(accounts.c.position, accounts.c.id)
    )
    found = connection.execute(statement).mappings()
    return {str(row["id"]): {**row, "holders": held.get(row["id"], [])} for row in found}


def _account_line(row: dict[str, Any], owned: dict[str, Any]) -> dict[str, Any]:
    return {
        "iban": row["iban"] or "",
        "pan": row["pan"] or "",
        "currency": row["currency"],
        "name": row["name"],
        "product": row["product"],
        "ownerName": row["owner_name"],
        "holders": row["holders"],
        "bic": row["bic"],
        "cashAccountType": row["cash_account_type"],
        "status": row["status"],
        "usage": row["usage"],
        "creditLimit": Money(row["overdraft_minor"], row["currency"]).decimal,
        "displayName": row["display_name"],
        "details": row["details"],
        "signaturesRequired": row["signatures_required"],
        "billingDay": row["billing_day"],
        "settlesWith": owned[row["settles_with"]]["iban"] if row["settles_with"] else "",
    }


def _booked(connection: Connection, tenant: TenantId) -> Iterable[dict[str, Any]]:
    statement = (
        select(
            accounts.c.iban,
            accounts.c.pan,
            postings.c.currency,
            postings.c.amount_minor,
            postings.c.booking_date,
            postings.c.value_date,
            entries,
        )
        .join(accounts, accounts.c.id == postings.c.account_id)
        .join(entries, entries.c.id == postings.c.entry_id)
        .where(accounts.c.tenant == tenant, accounts.c.kind.in_(CUSTOMERS))
        .order_by(accounts.c.position, accounts.c.id, postings.c.number)
    )
    for row in connection.execute(statement):
        yield _transaction_line(row, "booked", row.booking_date.isoformat()) | {"exchange": _exchange(row)}


def _pending(connection: Connection, tenant: TenantId) -> Iterable[dict[str, Any]]:
    statement = (
        select(accounts.c.iban, accounts.c.pan, holds)
        .join(accounts, accounts.c.id == holds.c.account_id)
        .outerjoin(hold_ends, hold_ends.c.hold_id == holds.c.id)
        .where(accounts.c.tenant == tenant, hold_ends.c.hold_id.is_(None))
        .order_by(accounts.c.position, accounts.c.id, holds.c.at, holds.c.id)
    )
    for row in connection.execute(statement):
        yield _transaction_line(row, "pending", None) | {"exchange": None}


def _transaction_line(row: Row[*tuple[Any, ...]], status: str, booking_date: str | None) -> dict[str, Any]:
    return {
        "account": row.iban or row.pan,
        "currency": row.currency,
        "amount": Money(row.amount_minor, row.currency).decimal,
        "status": status,
        "bookingDate": booking_date,
        "valueDate": row.value_date.isoformat(),
        "at": datetime.fromtimestamp(row.at, UTC).isoformat(),
        "id": row.id,
        "debtorName": row.debtor_name,
        "debtorIban": row.debtor_iban,
        "creditorName": row.creditor_name,
        "creditorIban": row.creditor_iban,
        "remittance": row.remittance,
        "code": row.code,
        "endToEndId": row.end_to_end_id,
        "mandateId": row.mandate_id,
        "creditorId": row.creditor_id,
        "particulars": row.particulars,
    }


def _exchange(row: Row[*tuple[Any, ...]]) -> dict[str, Any] | None:
    if row.source_currency is None:
        return None
    return {
        "sourceCurrency": row.source_currency,
        "targetCurrency": row.target_currency,
        "rateE8": row.exchange_rate_e8,
        "quotationDate": row.quotation_date.isoformat(),
        "contract": row.contract,
    }


def _balance_line(row: dict[str, Any], connection: Connection) -> dict[str, Any]:
    newest = select(postings.c.balance_minor).where(postings.c.account_id == row["id"]).order_by(postings.c.number.desc())
    booked = connection.execute(newest.limit(1)).scalar() or 0
    held = (
        select(func.sum(holds.c.amount_minor))
        .outerjoin(hold_ends, hold_ends.c.hold_id == holds.c.id)
        .where(holds.c.account_id == row["id"], holds.c.amount_minor < 0, hold_ends.c.hold_id.is_(None))
    )
    available = booked + int(connection.execute(held).scalar() or 0) + row["overdraft_minor"]
    return {
        "account": row["iban"] or row["pan"],
        "currency": row["currency"],
        "booked": Money(booked, row["currency"]).decimal,
        "available": Money(available, row["currency"]).decimal,
    }
