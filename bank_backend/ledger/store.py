"""Reading and writing the books in SQL, inside the caller's transaction."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, func, insert, select
from sqlalchemy.exc import IntegrityError

from bank_backend.accounts.model import AccountStatus
from bank_backend.accounts.store import PAYMENT, SETTLEMENT, accounts
from bank_backend.ledger.balances import read_balances
from bank_backend.ledger.model import BookAccount, Position
from bank_backend.ledger.own_accounts import OwnAccount, own_account_id, own_account_name
from bank_backend.ledger.particulars import particulars_as_json
from bank_backend.ledger.planning import AccountFacts
from bank_backend.ledger.products import PRODUCTS
from bank_backend.ledger.reconciliation import reconcile
from bank_backend.ledger.refusals import AlreadyBooked, UnknownHold
from bank_backend.ledger.tables import entries, hold_ends, holds, postings
from psd2.ids import AccountId

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from sqlalchemy import Row

    from bank_backend.database import Connection
    from bank_backend.ledger.model import Balances, Details, Entry, Hold, Journal, Posting
    from bank_backend.ledger.reconciliation import Reconciliation
    from psd2.ids import TenantId

# Built once: putting such a statement together takes longer than running it.
_CUSTOMERS: Final = select(
    accounts.c.id, accounts.c.iban, accounts.c.owner_name, accounts.c.currency, accounts.c.position
).where(accounts.c.tenant == bindparam("tenant"), accounts.c.kind == PAYMENT)
_FACTS: Final = _CUSTOMERS.where(accounts.c.id == bindparam("id"))
_FACTS_OF_IBAN: Final = _CUSTOMERS.where(accounts.c.iban == bindparam("iban"))
_LOCKED: Final = (
    select(
        accounts.c.id,
        accounts.c.iban,
        accounts.c.owner_name,
        accounts.c.currency,
        accounts.c.overdraft_minor,
        accounts.c.status,
        accounts.c.transfer_limit_minor,
        accounts.c.daily_limit_minor,
    )
    .where(accounts.c.tenant == bindparam("tenant"), accounts.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(accounts.c.id)
    .with_for_update()
)
_NEWEST: Final = (
    select(postings.c.number, postings.c.balance_minor)
    .where(postings.c.account_id == bindparam("account"))
    .order_by(postings.c.number.desc())
    .limit(1)
)
_ACCOUNTS: Final = select(accounts.c.id).where(accounts.c.tenant == bindparam("tenant"))
_BEHIND: Final = select(postings.c.account_id, postings.c.number, postings.c.entry_id).where(
    postings.c.account_id == bindparam("account"), postings.c.number > bindparam("number")
)
_OPEN: Final = holds.outerjoin(hold_ends, hold_ends.c.hold_id == holds.c.id)
_OPEN_HOLD: Final = (
    select(holds.c.amount_minor)
    .select_from(_OPEN)
    .where(holds.c.tenant == bindparam("tenant"), holds.c.id == bindparam("id"), hold_ends.c.hold_id.is_(None))
)
_HELD: Final = (
    select(func.coalesce(func.sum(-holds.c.amount_minor), 0))
    .select_from(_OPEN)
    .where(holds.c.account_id == bindparam("account"), holds.c.amount_minor < 0, hold_ends.c.hold_id.is_(None))
)
_TRANSFER_CODES: Final = tuple(product.code for product in PRODUCTS.values())
_HELD_TO_SEND: Final = _HELD.where(holds.c.code.in_(_TRANSFER_CODES))
_SENT: Final = (
    select(func.coalesce(func.sum(-postings.c.amount_minor), 0))
    .join(entries, entries.c.id == postings.c.entry_id)
    .where(
        postings.c.account_id == bindparam("account"),
        postings.c.booking_date == bindparam("day"),
        postings.c.amount_minor < 0,
        entries.c.code.in_(_TRANSFER_CODES),
    )
)


class SqlLedgerStore:
    """The books in the bank's database, inside the caller's transaction."""

    def facts(self, connection: Connection, tenant: TenantId, account_id: AccountId) -> AccountFacts | None:
        """Return what never changes of a customer's account, or None."""
        row = connection.execute(_FACTS, {"tenant": tenant, "id": account_id}).first()
        return None if row is None else _facts(row)

    def facts_of_iban(self, connection: Connection, tenant: TenantId, iban: str, currency: str) -> AccountFacts | None:
        """Return the same for an IBAN, of its several accounts the one in this currency; None where it isn't this bank's."""
        rows = connection.execute(_FACTS_OF_IBAN, {"tenant": tenant, "iban": iban}).all()
        return _facts(min(rows, key=lambda row: (row.currency != currency, row.position))) if rows else None

    def ensure(self, connection: Connection, tenant: TenantId, own: Mapping[AccountId, tuple[str, OwnAccount]]) -> None:
        """Make those of the bank's own accounts that are missing."""
        found = connection.execute(select(accounts.c.id).where(accounts.c.id.in_(own))).scalars() if own else ()
        # In one order: two that make the same accounts wait for one another, account by account.
        for account_id in sorted(own.keys() - set(found)):
            currency, purpose = own[account_id]
            # In a savepoint: another payment may make it at the same moment, and this one goes on with that.
            with suppress(IntegrityError), connection.begin_nested():
                connection.execute(insert(accounts).values(**own_account_row(tenant, currency, purpose)))

    def lock(self, connection: Connection, tenant: TenantId, account_ids: Sequence[AccountId]) -> list[BookAccount]:
        """Return the accounts as they stand, locked until the transaction ends; unknown ones are left out."""
        # In one order, so that two transfers crossing each other don't wait for one another. SQLite has the whole
        # database locked by now and knows no FOR UPDATE; SQLAlchemy leaves it out there.
        rows = connection.execute(_LOCKED, {"tenant": tenant, "ids": account_ids}).all()
        # What was read before the lock may have changed: the books are read under it only.
        return [_book_account(connection, row) for row in rows]

    def sent(self, connection: Connection, account_id: AccountId, day: date) -> int:
        """Return how much the account has sent on a day by credit transfers, in minor units, with what is held for some."""
        booked = connection.execute(_SENT, {"account": account_id, "day": day}).scalar_one()
        held = connection.execute(_HELD_TO_SEND, {"account": account_id}).scalar_one()
        return int(booked) + int(held)

    def open_hold(self, connection: Connection, tenant: TenantId, account_id: AccountId, hold_id: str) -> int:
        """Return how much an open hold of this account reserves; raises `UnknownHold`."""
        statement = _OPEN_HOLD.where(holds.c.account_id == account_id)
        amount = connection.execute(statement, {"tenant": tenant, "id": hold_id}).scalar_one_or_none()
        if amount is None:
            raise UnknownHold(hold_id)
        return max(0, -int(amount))

    def append(self, connection: Connection, journal: Journal, *, at: datetime, settled: Sequence[str] = ()) -> None:
        """Write the journal, and the end of the holds that its first entry settles.

        All of it or, raising `AlreadyBooked` or `UnknownHold`, nothing.
        """
        # In a savepoint, from which the caller's transaction can go on after a refusal.
        with connection.begin_nested():
            for hold_id in settled:
                _end_hold(connection, hold_id, at=at, entry_id=journal.entries[0].id)
            _insert_entries(connection, journal)
            write_postings(connection, journal)

    def open_holds(self, connection: Connection, opened: Sequence[Hold]) -> None:
        """Write holds."""
        if opened:
            connection.execute(insert(holds), [row_of_hold(hold) for hold in opened])

    def close_hold(self, connection: Connection, tenant: TenantId, hold_id: str, *, at: datetime) -> None:
        """Release an open hold; raises `UnknownHold`."""
        if connection.execute(_OPEN_HOLD, {"tenant": tenant, "id": hold_id}).first() is None:
            raise UnknownHold(hold_id)
        _end_hold(connection, hold_id, at=at, entry_id=None)

    def balances(
        self, connection: Connection, tenant: TenantId, account_ids: Sequence[AccountId], today: date
    ) -> dict[AccountId, Balances]:
        """Return what each account has; unknown accounts are left out."""
        return read_balances(connection, tenant, account_ids, today)

    def reconcile(self, connection: Connection) -> Reconciliation:
        """Look through the books of all tenants."""
        return reconcile(connection)


def postings_behind(
    connection: Connection, tenant: TenantId, positions: Mapping[AccountId, Position]
) -> list[tuple[str, int, str]]:
    """Return account, number and entry of a tenant's postings that came after `positions`, found along the books' keys."""
    start = Position(0, 0)
    found: list[tuple[str, int, str]] = []
    for account in connection.execute(_ACCOUNTS, {"tenant": tenant}).scalars().all():
        after = positions.get(AccountId(account), start).number
        rows = connection.execute(_BEHIND, {"account": account, "number": after})
        found.extend((row.account_id, row.number, row.entry_id) for row in rows)
    return found


def own_account_row(tenant: TenantId, currency: str, purpose: OwnAccount = OwnAccount.SETTLEMENT) -> dict[str, object]:
    """Return the row of an account of the bank's own: without IBAN, without limit."""
    return {
        "id": own_account_id(tenant, currency, purpose),
        "tenant": tenant,
        "kind": SETTLEMENT,
        "currency": currency,
        "name": own_account_name(currency, purpose),
        "product": purpose.value,
    }


def write_postings(connection: Connection, journal: Journal) -> None:
    """Write the postings of entries that are there."""
    connection.execute(insert(postings), [row_of_posting(posting) for posting in journal.postings])


def _insert_entries(connection: Connection, journal: Journal) -> None:
    try:
        connection.execute(insert(entries), [row_of_entry(entry) for entry in journal.entries])
    except IntegrityError as error:
        origins = ", ".join(entry.origin for entry in journal.entries if entry.origin)
        if not origins:
            raise
        msg = f"executed already: {origins}"
        raise AlreadyBooked(msg) from error


def _end_hold(connection: Connection, hold_id: str, *, at: datetime, entry_id: str | None) -> None:
    try:
        # In a savepoint: of two that end it at once, the second learns here that he is late.
        with connection.begin_nested():
            connection.execute(insert(hold_ends).values(hold_id=hold_id, at=at.timestamp(), entry_id=entry_id))
    except IntegrityError as error:
        raise UnknownHold(hold_id) from error


def _facts(row: Row[*tuple[Any, ...]]) -> AccountFacts:
    return AccountFacts(AccountId(row.id), row.iban, row.owner_name, row.currency)


def _book_account(connection: Connection, row: Row[*tuple[Any, ...]]) -> BookAccount:
    return BookAccount(
        id=AccountId(row.id),
        iban=row.iban or "",
        owner_name=row.owner_name,
        currency=row.currency,
        position=_position(connection, row.id),
        # Nobody holds funds of the bank's own accounts.
        held_minor=0 if row.overdraft_minor is None else _held(connection, row.id),
        overdraft_minor=row.overdraft_minor,
        is_blocked=row.status == AccountStatus.BLOCKED,
        is_closed=row.status == AccountStatus.DELETED,
        transfer_limit_minor=row.transfer_limit_minor,
        daily_limit_minor=row.daily_limit_minor,
    )


def _position(connection: Connection, account_id: str) -> Position:
    row = connection.execute(_NEWEST, {"account": account_id}).first()
    return Position(0, 0) if row is None else Position(row.number, row.balance_minor)


def _held(connection: Connection, account_id: str) -> int:
    return int(connection.execute(_HELD, {"account": account_id}).scalar_one())


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


def row_of_entry(entry: Entry) -> dict[str, object]:
    """Return the row of an entry."""
    exchange = entry.exchange
    return {
        "id": entry.id,
        "tenant": entry.tenant,
        "at": entry.at.timestamp(),
        **_details_row(entry.details),
        "origin": entry.origin,
        "charge_of": entry.charge_of,
        "source_currency": None if exchange is None else exchange.source_currency,
        "target_currency": None if exchange is None else exchange.target_currency,
        "exchange_rate_e8": None if exchange is None else exchange.rate_e8,
        "quotation_date": None if exchange is None else exchange.quotation_date,
        "contract": None if exchange is None else exchange.contract,
    }


def row_of_posting(posting: Posting) -> dict[str, object]:
    """Return the row of a posting."""
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


def row_of_hold(hold: Hold) -> dict[str, object]:
    """Return the row of a hold."""
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
