"""Open holds as the whole movements that they will become."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from sqlalchemy import bindparam, select

from bank_backend.ledger.model import Details, Hold, Party
from bank_backend.ledger.particulars import particulars_from_json
from bank_backend.ledger.tables import hold_ends, holds
from psd2.money import Money

if TYPE_CHECKING:
    from bank_backend.database import Connection
    from psd2.ids import TenantId

_ONE: Final = (
    select(holds)
    .outerjoin(hold_ends, hold_ends.c.hold_id == holds.c.id)
    .where(holds.c.tenant == bindparam("tenant"), holds.c.id == bindparam("id"), hold_ends.c.hold_id.is_(None))
)


class SqlPendingStore:
    """Implements `bank_backend.ledger.clearing.PendingStore`."""

    def pending(self, connection: Connection, tenant: TenantId, hold_id: str) -> Hold | None:
        """Return an open hold; None where it has ended, or never was."""
        row = connection.execute(_ONE, {"tenant": tenant, "id": hold_id}).first()
        if row is None:
            return None
        return Hold(
            id=row.id,
            tenant=row.tenant,
            account_id=row.account_id,
            amount=Money(row.amount_minor, row.currency),
            at=datetime.fromtimestamp(row.at, UTC),
            value_date=row.value_date,
            details=Details(
                debtor=Party(row.debtor_name, row.debtor_iban),
                creditor=Party(row.creditor_name, row.creditor_iban),
                remittance=row.remittance,
                code=row.code,
                end_to_end_id=row.end_to_end_id,
                mandate_id=row.mandate_id,
                creditor_id=row.creditor_id,
                particulars=particulars_from_json(row.particulars),
            ),
        )
