"""Test data in the bank's database, inside the caller's transaction."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from sqlalchemy import func, select, update

from bank_backend.accounts.store import account_holders, accounts
from bank_backend.bulk_rows import as_tuples
from bank_backend.data.export_store import SqlExport
from bank_backend.data.size import TenantSize
from bank_backend.database import METADATA
from bank_backend.ledger.model import Journal, Position
from bank_backend.ledger.own_accounts import own_account_id
from bank_backend.ledger.tables import entries, holds, postings
from bank_backend.personas.bookmark_store import read_bookmark
from bank_backend.personas.store import rows_of_seed, write_seed
from bank_backend.psus.store import psus
from bank_backend.snapshots.books import told_again, turned_back
from bank_backend.snapshots.columns import fitted
from bank_backend.snapshots.model import ReplacementKind, TableRows
from bank_backend.snapshots.ownership import owned_tables
from bank_backend.snapshots.state_store import SqlStateStore
from bank_backend.tenants.tables import tenants
from psd2.ids import AccountId

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import datetime

    from bank_backend.data.export_store import Lines
    from bank_backend.database import Connection
    from bank_backend.ledger.model import Posting
    from bank_backend.personas.bookmark import Bookmark
    from bank_backend.personas.service import Seed
    from bank_backend.snapshots.rows import Row
    from psd2.ids import TenantId

_A_FEW_AT_A_TIME: Final = 500
_NOTHING: Final = Position(0, 0)


class SqlDataStore:
    """Implements `bank_backend.data.service.DataStore`."""

    def __init__(self, *, hash_password: Callable[[str], str]) -> None:
        """`hash_password` turns the personas' password into what is kept of it."""
        self._hash_password = hash_password
        self._states = SqlStateStore()

    def replace(
        self, connection: Connection, tenant: TenantId, seed: Seed, *, kind: ReplacementKind, source: str, at: datetime
    ) -> tuple[int, int]:
        """Put a seed in the place of everything the tenant has; returns how many rows were removed and written."""
        wanted, before = self._rows(connection, tenant, seed), read_bookmark(connection, tenant)
        is_same = before is not None and seed.bookmark is not None and before.is_of_story(seed.bookmark)
        books = told_again(connection, tenant, wanted) if is_same else None
        counts = self._states.rewrite(connection, tenant, wanted, kind=kind, source=source, at=at, books=books)
        connection.execute(update(tenants).where(tenants.c.id == tenant).values(persona_password=seed.password))
        return counts

    def bookmark(self, connection: Connection, tenant: TenantId) -> Bookmark | None:
        """Return where the tenant's story can be gone on from, or None."""
        return read_bookmark(connection, tenant)

    def go_on(self, connection: Connection, tenant: TenantId, seed: Seed, *, source: str, at: datetime) -> tuple[int, int]:
        """Turn the books back to where the seed goes on from, and write what it adds; counts as `replace`."""
        added = self._rows(connection, tenant, seed)
        books = turned_back(connection, tenant, seed.after.positions if seed.after else {}, added)
        return self._states.rewrite(connection, tenant, added, kind=ReplacementKind.RESET, source=source, at=at, books=books)

    def _rows(self, connection: Connection, tenant: TenantId, seed: Seed) -> dict[str, list[Row]]:
        """Return a seed's rows by table, as the tables have them."""
        tables = {owned.name: owned for owned in owned_tables(METADATA)}
        rows: dict[str, list[Row]] = defaultdict(list)
        for table, named in rows_of_seed(tenant, seed, password_hash=self._hash_of(connection, tenant, seed.password)):
            if named:
                columns, tuples = as_tuples(table, named)
                rows[table.name] += fitted(tables[table.name], TableRows(tuple(each.name for each in columns), tuples))
        return rows

    def _hash_of(self, connection: Connection, tenant: TenantId, password: str) -> str:
        """Return what is kept of the personas' password: what is kept of it already, or it is made, which takes its time."""
        kept = select(psus.c.password_hash).join(tenants, tenants.c.id == psus.c.tenant)
        same = tenants.c.id == tenant, tenants.c.persona_password == password
        return connection.execute(kept.where(*same).limit(1)).scalar() or self._hash_password(password)

    def size(self, connection: Connection, tenant: TenantId) -> TenantSize:
        """Return how much the tenant holds, counted along indexes; what is pending is little."""
        held = select(func.count(func.distinct(account_holders.c.account_id))).where(account_holders.c.tenant == tenant)
        booked = select(func.count()).select_from(entries).where(entries.c.tenant == tenant)
        return TenantSize(accounts=connection.execute(held).scalar_one(), transactions=connection.execute(booked).scalar_one())

    def set_seed(self, connection: Connection, tenant: TenantId, number: int) -> None:
        """Remember by which seed the tenant was made."""
        connection.execute(update(tenants).where(tenants.c.id == tenant).values(seed=number))

    def add(self, connection: Connection, tenant: TenantId, seed: Seed) -> None:
        """Write a seed beside what the tenant has."""
        position = connection.execute(select(func.max(accounts.c.position)).where(accounts.c.tenant == tenant)).scalar()
        own = _own_accounts(connection, tenant, seed.settlements)
        books = {account: _position(connection, account) for account in own.values()}
        moved = [_behind(posting, books.get(posting.account_id, _NOTHING)) for posting in seed.journal.postings]
        journal = Journal(positions=seed.journal.positions, entries=seed.journal.entries, postings=moved)
        missing = tuple(currency for currency in seed.settlements if currency not in own)
        fitting = replace(seed, journal=journal, settlements=missing)
        write_seed(
            connection,
            tenant,
            fitting,
            password_hash=self._hash_password(seed.password),
            first_position=(position or 0) + 1,
        )

    def logins(self, connection: Connection, tenant: TenantId) -> set[str]:
        """Return who there is already."""
        return set(connection.execute(select(psus.c.login).where(psus.c.tenant == tenant)).scalars())

    def taken_elsewhere(self, connection: Connection, tenant: TenantId, ids: Collection[str]) -> set[str]:
        """Return which ids of movements another tenant has."""
        wanted, taken = list(ids), set()
        for start in range(0, len(wanted), _A_FEW_AT_A_TIME):
            some = wanted[start : start + _A_FEW_AT_A_TIME]
            for table in (entries, holds):
                found = select(table.c.id).where(table.c.id.in_(some), table.c.tenant != tenant)
                taken |= set(connection.execute(found).scalars())
        return taken

    def lines(self, connection: Connection, tenant: TenantId) -> Lines:
        """Return the tenant's data as lines."""
        return SqlExport().lines(connection, tenant)


def _own_accounts(connection: Connection, tenant: TenantId, currencies: Collection[str]) -> dict[str, AccountId]:
    """Return those of the bank's own accounts with the outside world that are there already, by currency."""
    wanted = {own_account_id(tenant, currency): currency for currency in currencies}
    found = connection.execute(select(accounts.c.id).where(accounts.c.id.in_(wanted))).scalars()
    return {wanted[AccountId(account)]: AccountId(account) for account in found}


def _position(connection: Connection, account: AccountId) -> Position:
    newest = select(postings.c.number, postings.c.balance_minor).where(postings.c.account_id == account)
    row = connection.execute(newest.order_by(postings.c.number.desc()).limit(1)).first()
    return _NOTHING if row is None else Position(row.number, row.balance_minor)


def _behind(posting: Posting, book: Position) -> Posting:
    """Return a posting behind those that its account has."""
    if book is _NOTHING:
        return posting
    return replace(posting, number=posting.number + book.number, balance_minor=posting.balance_minor + book.balance_minor)
