"""Reading and writing the books in SQL, inside the caller's transaction."""

from __future__ import annotations

import uuid
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError

from bank_backend.accounts.store import PAYMENT, SETTLEMENT, accounts
from bank_backend.ledger.balances import read_balances, reconcile
from bank_backend.ledger.model import BookAccount, Position, UnknownHold
from bank_backend.ledger.particulars import particulars_as_json
from bank_backend.ledger.tables import entries, hold_ends, holds, postings
from psd2.ids import AccountId

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from bank_backend.database import Connection
    from bank_backend.ledger.model import Balances, Details, Entry, Hold, Journal, Posting, Reconciliation
    from psd2.ids import TenantId

_SETTLEMENT_NAMES: Final = uuid.UUID("5f1c9a57-0d0b-4a40-9f0e-6a7c1f1d8a11")


class SqlLedgerStore:
    """The books in the bank's database, inside the caller's transaction."""

    def lock(self, connection: Connection, tenant: TenantId, account_ids: Sequence[AccountId]) -> list[BookAccount]:
        """Return the accounts as they stand, locked until the transaction ends; unknown ones are left out."""
        # In one order, so that two transfers crossing each other don't wait for one another. SQLite has the whole
        # database locked by now and knows no FOR UPDATE; SQLAlchemy leaves it out there.
        statement = (
            select(accounts.c.id, accounts.c.iban, accounts.c.owner_name, accounts.c.currency, accounts.c.overdraft_minor)
            .where(accounts.c.tenant == tenant, accounts.c.id.in_(account_ids))
            .order_by(accounts.c.id)
            .with_for_update()
        )
        return [
            BookAccount(
                id=row.id,
                iban=row.iban or "",
                owner_name=row.owner_name,
                currency=row.currency,
                # Only now, under the lock: what was read before it may have changed.
                position=_position(connection, row.id),
                held_minor=_held(connection, row.id),
                overdraft_minor=row.overdraft_minor,
            )
            for row in connection.execute(statement).all()
        ]

    def account_of_iban(self, connection: Connection, tenant: TenantId, iban: str) -> AccountId | None:
        """Return the tenant's account of this IBAN, or None."""
        statement = select(accounts.c.id).where(
            accounts.c.tenant == tenant, accounts.c.kind == PAYMENT, accounts.c.iban == iban
        )
        return connection.execute(statement).scalar_one_or_none()

    def settlement(self, connection: Connection, tenant: TenantId, currency: str) -> AccountId:
        """Return the bank's own account with the outside world in this currency, made where missing."""
        account_id = settlement_id(tenant, currency)
        if connection.execute(select(accounts.c.id).where(accounts.c.id == account_id)).first() is None:
            # In a savepoint: another payment may make it at the same moment, and this one goes on with that.
            with suppress(IntegrityError), connection.begin_nested():
                connection.execute(insert(accounts).values(**settlement_row(tenant, currency)))
        return account_id

    def append(self, connection: Connection, journal: Journal) -> None:
        """Write the journal's entries and postings."""
        if journal.entries:
            connection.execute(insert(entries), [_entry_row(entry) for entry in journal.entries])
            connection.execute(insert(postings), [_posting_row(posting) for posting in journal.postings])

    def open_holds(self, connection: Connection, opened: Sequence[Hold]) -> None:
        """Write holds."""
        if opened:
            connection.execute(insert(holds), [_hold_row(hold) for hold in opened])

    def close_hold(self, connection: Connection, tenant: TenantId, hold_id: str, *, at: datetime, entry_id: str | None) -> None:
        """Close an open hold, settled by an entry or released (None); raises `UnknownHold`."""
        statement = (
            select(holds.c.id)
            .outerjoin(hold_ends, hold_ends.c.hold_id == holds.c.id)
            .where(holds.c.tenant == tenant, holds.c.id == hold_id, hold_ends.c.hold_id.is_(None))
        )
        if connection.execute(statement).first() is None:
            raise UnknownHold(hold_id)
        try:
            # In a savepoint: of two that end it at once, the second learns here that he is late.
            with connection.begin_nested():
                connection.execute(insert(hold_ends).values(hold_id=hold_id, at=at.timestamp(), entry_id=entry_id))
        except IntegrityError as error:
            raise UnknownHold(hold_id) from error

    def balances(
        self, connection: Connection, tenant: TenantId, account_ids: Sequence[AccountId], today: date
    ) -> dict[AccountId, Balances]:
        """Return what each account has; unknown accounts are left out."""
        return read_balances(connection, tenant, account_ids, today)

    def reconcile(self, connection: Connection) -> Reconciliation:
        """Look through the whole ledger."""
        return reconcile(connection)


# A seed asks for it thousands of times.
@lru_cache(maxsize=256)
def settlement_id(tenant: TenantId, currency: str) -> AccountId:
    """Return the id of the tenant's settlement account in this currency; the same each time."""
    return AccountId(str(uuid.uuid5(_SETTLEMENT_NAMES, f"{tenant} {currency}")))


def settlement_row(tenant: TenantId, currency: str) -> dict[str, object]:
    """Return the row of a settlement account: what the outside world is owed or owes, without limit."""
    return {
        "id": settlement_id(tenant, currency),
        "tenant": tenant,
        "kind": SETTLEMENT,
        "currency": currency,
        "name": f"Settlement {currency}",
    }


def _position(connection: Connection, account_id: AccountId) -> Position:
    statement = (
        select(postings.c.number, postings.c.balance_minor)
        .where(postings.c.account_id == account_id)
        .order_by(postings.c.number.desc())
        .limit(1)
    )
    row = connection.execute(statement).first()
    return Position(0, 0) if row is None else Position(row.number, row.balance_minor)


def _held(connection: Connection, account_id: AccountId) -> int:
    statement = (
        select(func.coalesce(func.sum(-holds.c.amount_minor), 0))
        .outerjoin(hold_ends, hold_ends.c.hold_id == holds.c.id)
        .where(holds.c.account_id == account_id, holds.c.amount_minor < 0, hold_ends.c.hold_id.is_(None))
    )
    return int(connection.execute(statement).scalar_one())


def _details_row(details: Details) -> dict[str, object]:
    return {
        "debtor_name": details.debtor.name,
        "debtor_iban": details.debtor.iban,
        "creditor_name": details.creditor.name,
        "creditor_iban": details.creditor.iban,
        "remittance": details.remittance,
        "code": details.code,
        "end_to_end_id": details.end_to_end_id,
        "mandate_id": details.mandate_id,
        "creditor_id": details.creditor_id,
        "particulars": particulars_as_json(details.particulars),
    }


def _entry_row(entry: Entry) -> dict[str, object]:
    return {"id": entry.id, "tenant": entry.tenant, "at": entry.at.timestamp(), **_details_row(entry.details)}


def _posting_row(posting: Posting) -> dict[str, object]:
    return {
        "account_id": posting.account_id,
        "number": posting.number,
        "entry_id": posting.entry_id,
        "tenant": posting.tenant,
        "amount_minor": posting.amount.minor,
        "currency": posting.amount.currency,
        "balance_minor": posting.balance_minor,
        "booking_date": posting.booking_date,
        "value_date": posting.value_date,
    }


def _hold_row(hold: Hold) -> dict[str, object]:
    return {
        "id": hold.id,
        "tenant": hold.tenant,
        "account_id": hold.account_id,
        "at": hold.at.timestamp(),
        "amount_minor": hold.amount.minor,
        "currency": hold.amount.currency,
        "value_date": hold.value_date,
        **_details_row(hold.details),
    }
