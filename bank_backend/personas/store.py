"""Writing a seed: a handful of bulk inserts, inside the caller's transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_backend.accounts.invoices import next_payment
from bank_backend.accounts.store import account_holders, accounts, row_of_account
from bank_backend.bulk_rows import write_rows
from bank_backend.ledger.clearing import cleared_at
from bank_backend.ledger.store import own_account_row, row_of_entry, row_of_hold, row_of_posting
from bank_backend.ledger.tables import entries, holds, postings
from bank_backend.personas.bookmark_store import bookmarks, row_of_bookmark
from bank_backend.psus.store import psus
from bank_backend.sca.seeding import rows_of_methods
from bank_backend.sca.tables import methods
from bank_backend.schedule.model import ScheduledTask, TaskKind
from bank_backend.schedule.store import row_of_task, scheduled_tasks

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import Table

    from bank_backend.database import Connection
    from bank_backend.personas.service import Seed
    from psd2.ids import TenantId

    # Rows of a table that name the same columns each.
    NamedRows = tuple[Table, Sequence[Mapping[str, object]]]


def write_seed(connection: Connection, tenant: TenantId, seed: Seed, *, password_hash: str, first_position: int = 0) -> None:
    """Write everything of a seed but the tenant itself; accounts are listed from `first_position` on."""
    for table, rows in rows_of_seed(tenant, seed, password_hash=password_hash, first_position=first_position):
        write_rows(connection, table, rows)


def rows_of_seed(tenant: TenantId, seed: Seed, *, password_hash: str, first_position: int = 0) -> Iterable[NamedRows]:
    """Return the rows of a seed, those referred to first.

    All personas of a tenant share one password and so one hash: a hash each would cost 30 ms a head, and the password is
    published test data.
    """
    yield psus, _psus(tenant, seed, password_hash)
    yield methods, rows_of_methods(tenant, [psu.id for psu in seed.psus], seed=seed.password)
    yield accounts, [own_account_row(tenant, currency) for currency in seed.settlements]
    listed = [
        row_of_account(account, position=position) for position, account in enumerate(seed.accounts, start=first_position)
    ]
    # Cards last: they settle with accounts that have to be there.
    yield accounts, sorted(listed, key=lambda row: row["settles_with"] is not None)
    yield account_holders, [{"tenant": tenant, "psu": login, "account_id": account_id} for login, account_id in seed.holders]
    yield scheduled_tasks, [*_card_payments(seed), *_clearings(seed)]
    yield entries, [row_of_entry(entry) for entry in seed.journal.entries]
    yield postings, [row_of_posting(posting) for posting in seed.journal.postings]
    yield holds, [row_of_hold(hold) for hold in seed.holds]
    yield bookmarks, [row_of_bookmark(tenant, seed.bookmark)] if seed.bookmark else []


def _psus(tenant: TenantId, seed: Seed, password_hash: str) -> list[dict[str, object]]:
    return [
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
    ]


def _card_payments(seed: Seed) -> list[dict[str, object]]:
    """Have the next invoice of each card account paid when its time comes."""
    return [
        row_of_task(
            ScheduledTask(
                tenant=account.tenant,
                kind=TaskKind.SETTLE_CARD.value,
                resource=account.id,
                due=next_payment(seed.planned_at, account),
            )
        )
        for account in seed.accounts
        if account.is_card
    ]


def _clearings(seed: Seed) -> list[dict[str, object]]:
    """Have what is pending booked when its day has come."""
    return [
        row_of_task(
            ScheduledTask(
                tenant=hold.tenant,
                kind=TaskKind.BOOK_PENDING.value,
                resource=hold.id,
                due=cleared_at(hold, planned_at=seed.planned_at),
            )
        )
        for hold in seed.holds
    ]
