"""Making the accounts' table anew (revision 0005) on books that are in use: nothing is lost, nothing dangles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from chassis.sql.database import migrate, open_engine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine

    from tests.support.databases import Databases

_TENANT = (
    "INSERT INTO tenants (id, name, country, roles, seed, persona_password, created_at, clock_offset_seconds, personality) "
    "VALUES ('PSDDE-X-1', 'X', 'DE', 'PSP_AI', 1, 'p', 0, 0, 'standard')"
)
_ACCOUNT = (
    "INSERT INTO accounts (id, tenant, kind, position, iban, bic, currency, name, product, owner_name, cash_account_type, "
    "status, usage, overdraft_minor) VALUES "
    "('a', 'PSDDE-X-1', 'payment', 0, 'DE1', 'B', 'EUR', 'Main', '', 'Anna', 'CACC', 'enabled', 'PRIV', 500), "
    "('s', 'PSDDE-X-1', 'settlement', 0, NULL, '', 'EUR', 'S', '', '', 'CACC', 'enabled', 'PRIV', NULL)"
)
_ENTRY = (
    "INSERT INTO entries (id, tenant, at, debtor_name, debtor_iban, creditor_name, creditor_iban, remittance, code, "
    "end_to_end_id, mandate_id, creditor_id) VALUES ('e', 'PSDDE-X-1', 0, '', '', '', '', '', 'PMNT', '', '', '')"
)
_POSTINGS = (
    "INSERT INTO postings (account_id, number, entry_id, tenant, amount_minor, currency, balance_minor, booking_date, "
    "value_date) VALUES ('a', 1, 'e', 'PSDDE-X-1', 100, 'EUR', 100, '2026-01-01', '2026-01-01'), "
    "('s', 1, 'e', 'PSDDE-X-1', -100, 'EUR', -100, '2026-01-01', '2026-01-01')"
)


@pytest.fixture
def before(databases: Databases) -> Iterator[Engine]:
    """Lend a database of revision 0004 with an account, its holder's money and the bank's own account."""
    engine = open_engine(databases.empty())
    with engine.begin() as connection:
        _to_revision(connection, "0004")
        for statement in (_TENANT, _ACCOUNT, _ENTRY, _POSTINGS):
            connection.execute(text(statement))
    yield engine
    engine.dispose()


def _to_revision(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", "bank_backend/migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def test_accounts_and_what_refers_to_them_are_kept(before: Engine) -> None:
    """Rows are the same, and postings still refer to accounts that are there."""
    migrate(before, "bank_backend")

    with before.begin() as connection:
        kept = connection.execute(text("SELECT id, iban, overdraft_minor, pan FROM accounts ORDER BY id")).all()
        joined = connection.execute(text("SELECT count(*) FROM postings JOIN accounts ON accounts.id = account_id")).scalar()
    assert [tuple(row) for row in kept] == [("a", "DE1", 500, None), ("s", None, None, None)]
    assert joined == 2


def test_references_are_still_enforced(before: Engine) -> None:
    """The new table is what postings refer to: an account with a book can't go, and a book needs an account."""
    migrate(before, "bank_backend")

    with pytest.raises(IntegrityError), before.begin() as connection:
        connection.execute(text("DELETE FROM accounts WHERE id = 'a'"))
    with pytest.raises(IntegrityError), before.begin() as connection:
        connection.execute(text(_POSTINGS.replace("'a', 1", "'nobody', 1").replace("'s', 1", "'s', 2")))


def test_an_iban_may_be_shared_by_currencies_only(before: Engine) -> None:
    """Sub-accounts differ in their currency (BG IG §4.5)."""
    migrate(before, "bank_backend")
    again = _ACCOUNT.partition("('s'")[0].rstrip(", ").replace("('a'", "('b'")

    with before.begin() as connection:
        connection.execute(text(again.replace("'EUR'", "'USD'")))
    with pytest.raises(IntegrityError), before.begin() as connection:
        connection.execute(text(again.replace("('b'", "('c'")))
