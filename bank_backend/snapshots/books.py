"""What has to happen to a tenant's books so that they tell its seed, without reading them: they are only ever added to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from bank_backend.ledger.store import postings_behind
from bank_backend.ledger.tables import entries
from bank_backend.snapshots.difference import Difference

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bank_backend.database import Connection
    from bank_backend.ledger.model import Position
    from bank_backend.snapshots.rows import Row
    from psd2.ids import AccountId, TenantId

    # By table: of the books, both.
    BookChanges = Mapping[str, Difference]


def turned_back(
    connection: Connection, tenant: TenantId, positions: Mapping[AccountId, Position], added: Mapping[str, Sequence[Row]]
) -> BookChanges:
    """Return how the books get back to `positions`, and from there to what is added."""
    later = postings_behind(connection, tenant, positions)
    gone = {(entry,) for _, _, entry in later}
    return {
        "postings": Difference(gone=[row[:2] for row in later], changed=(), new=added.get("postings", ())),
        "entries": Difference(gone=list(gone), changed=(), new=added.get("entries", ())),
    }


def told_again(connection: Connection, tenant: TenantId, wanted: Mapping[str, Sequence[Row]]) -> BookChanges:
    """Return how books that tell the same story of an earlier month get to tell this one's.

    An entry of the story is the same whenever it is told, so that its id says all; what is booked for it is another balance.
    """
    place = [column.name for column in entries.columns].index("id")
    present = set(connection.execute(select(entries.c.id).where(entries.c.tenant == tenant)).scalars())
    told = {row[place]: row for row in wanted["entries"]}
    return {
        "postings": Difference(gone=(), changed=(), new=wanted["postings"], is_whole=True),
        "entries": Difference(
            gone=[(entry,) for entry in present - told.keys()],
            changed=(),
            new=[row for entry, row in told.items() if entry not in present],
        ),
    }
