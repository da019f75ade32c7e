"""The table of payments."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import JSON, Column, Float, ForeignKey, Row, String, Table, UniqueConstraint, insert, select, update
from sqlalchemy.exc import IntegrityError

from bank_backend.database import METADATA
from bank_backend.payments.model import Payment, RejectionReason, TransactionStatus
from bank_backend.payments.wire import instruction_as_json, instruction_from_json
from psd2.ids import PaymentId, PsuId, TenantId

if TYPE_CHECKING:
    from bank_backend.database import Connection

payments = Table(
    "payments",
    METADATA,
    Column("id", String(36), primary_key=True),
    Column("tenant", String(80), ForeignKey("tenants.id"), nullable=False),
    Column("x_request_id", String(36), nullable=False),
    Column("request_digest", String(64), nullable=False),
    Column("instruction", JSON, nullable=False),
    Column("status", String(4), nullable=False),
    Column("reason_code", String(4)),
    Column("reason_text", String(200)),
    Column("psu", String(64)),
    # The ledger's entry, once the money has moved.
    Column("transaction", String(36)),
    Column("received_at", Float, nullable=False),
    # What makes a repeated request find the payment it made the first time.
    UniqueConstraint("tenant", "x_request_id"),
)


class SqlPaymentStore:
    """Payments in the bank's database, inside the caller's transaction."""

    def add(self, connection: Connection, payment: Payment) -> bool:
        """Write a new payment, unless its request has made one already; tell whether it was written."""
        try:
            # In a savepoint: PostgreSQL lets a transaction go on after a failed statement only from there.
            with connection.begin_nested():
                connection.execute(insert(payments).values(_columns(payment)))
        except IntegrityError:
            if self.of_request(connection, payment.tenant, payment.x_request_id) is None:
                raise
            return False
        return True

    def save(self, connection: Connection, payment: Payment) -> None:
        """Write the payment's new state over its old one."""
        connection.execute(update(payments).where(payments.c.id == payment.id).values(_columns(payment)))

    def find(self, connection: Connection, tenant: TenantId, payment_id: str) -> Payment | None:
        """Return the tenant's payment, or None."""
        row = connection.execute(select(payments).where(payments.c.tenant == tenant, payments.c.id == payment_id)).first()
        return None if row is None else _payment(row)

    def find_locked(self, connection: Connection, tenant: TenantId, payment_id: str) -> Payment | None:
        """Return the tenant's payment, locked until the transaction ends, or None."""
        statement = select(payments).where(payments.c.tenant == tenant, payments.c.id == payment_id).with_for_update()
        row = connection.execute(statement).first()
        return None if row is None else _payment(row)

    def of_request(self, connection: Connection, tenant: TenantId, x_request_id: str) -> Payment | None:
        """Return the payment that a request made, or None."""
        statement = select(payments).where(payments.c.tenant == tenant, payments.c.x_request_id == x_request_id)
        row = connection.execute(statement).first()
        return None if row is None else _payment(row)


def _columns(payment: Payment) -> dict[str, object]:
    return {
        "id": payment.id,
        "tenant": payment.tenant,
        "x_request_id": payment.x_request_id,
        "request_digest": payment.request_digest,
        "instruction": instruction_as_json(payment.instruction),
        "status": payment.status.value,
        "reason_code": None if payment.reason is None else payment.reason.code,
        "reason_text": None if payment.reason is None else payment.reason.text,
        "psu": payment.psu,
        "transaction": payment.transaction,
        "received_at": payment.received_at.timestamp(),
    }


def _payment(row: Row[tuple[object, ...]]) -> Payment:
    reason = None if row.reason_code is None else RejectionReason(code=row.reason_code, text=row.reason_text)
    return Payment(
        id=PaymentId(row.id),
        tenant=TenantId(row.tenant),
        x_request_id=row.x_request_id,
        request_digest=row.request_digest,
        instruction=instruction_from_json(row.instruction),
        status=TransactionStatus(row.status),
        reason=reason,
        psu=None if row.psu is None else PsuId(row.psu),
        transaction=row.transaction,
        received_at=datetime.fromtimestamp(row.received_at, UTC),
    )
