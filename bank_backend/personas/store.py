"""Writing a seed: a handful of bulk inserts, inside the caller's transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_backend.accounts.invoices import next_payment
from bank_backend.accounts.store import account_holders, accounts, row_of_account
from bank_backend.bulk_rows import write_rows
from bank_backend.ledger.store import SqlLedgerStore, own_account_row, write_journal
from bank_backend.psus.store import psus
from bank_backend.sca.seeding import write_methods
from bank_backend.schedule.model import TaskKind
from bank_backend.schedule.wiring import create_schedule

if TYPE_CHECKING:
    from bank_backend.database import Connection
    from bank_backend.personas.service import Seed
    from psd2.ids import TenantId


def write_seed(connection: Connection, tenant: TenantId, seed: Seed, *, password_hash: str, first_position: int = 0) -> None:
    """Write everything of a seed but the tenant itself; accounts are listed from `first_position` on.

    All personas of a tenant share one password and so one hash: a hash each would cost 30 ms a head, and the password is
    published test data.
    """
    write_rows(
        connection,
        psus,
        [
            {
                "tenant": tenant,
                "login": psu.id,
                "name": psu.name,
                "email": psu.email,
                "phone": psu.phone,
                "purpose": psu.purpose,
                "password_hash": password_hash,
            }
            for psu in seed.psus
        ],
    )
    write_rows(connection, accounts, [own_account_row(tenant, currency) for currency in seed.settlements])
    write_methods(connection, tenant, [psu.id for psu in seed.psus], seed=seed.password)
    rows = [row_of_account(account, position=position) for position, account in enumerate(seed.accounts, start=first_position)]
    # Cards last: they settle with accounts that have to be there.
    write_rows(connection, accounts, sorted(rows, key=lambda row: row["settles_with"] is not None))
    write_rows(
        connection,
        account_holders,
        [{"tenant": tenant, "psu": login, "account_id": account_id} for login, account_id in seed.holders],
    )
    _arrange_cards(connection, seed)
    write_journal(connection, seed.journal)
    SqlLedgerStore().open_holds(connection, seed.holds)


def _arrange_cards(connection: Connection, seed: Seed) -> None:
    """Have the next invoice of each card account paid when its time comes."""
    schedule = create_schedule()
    for account in seed.accounts:
        if account.is_card:
            due = next_payment(seed.planned_at, account)
            schedule.add(connection, tenant=account.tenant, kind=TaskKind.SETTLE_CARD, resource=account.id, due=due)
