"""The tables of payments and of their executions."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    Row,
    String,
    Table,
    Text,
    UniqueConstraint,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from bank_backend.accounts.store import PAYMENT, accounts
from bank_backend.database import METADATA
from bank_backend.ledger.tables import entries
from bank_backend.payments.forms import instruction_as_json, instruction_from_json
from bank_backend.payments.model import Execution, Payment, TransactionStatus
from bank_backend.payments.orders import batch_origin
from bank_backend.payments.products import PRODUCTS
from bank_backend.payments.reasons import RejectionReason
from bank_backend.personalities.model import PaymentService
from psd2.ids import AccountId, PaymentId, PsuId, TenantId

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_backend.database import Connection

payments = Table(
    "payments",
    METADATA,
    Column("id", String(36), primary_key=True),
    Column("tenant", String(80), ForeignKey("tenants.id"), nullable=False),
    Column("service", String(20), nullable=False),
    Column("product", String(48), nullable=False),
    Column("x_request_id", String(36), nullable=False),
    Column("request_digest", String(64), nullable=False),
    Column("instruction", JSON, nullable=False),
    # The pain.001 message as it came, for those products.
    Column("document", Text),
    Column("waits_for_funds", Boolean, nullable=False),
    Column("status", String(4), nullable=False),
    Column("reason_code", String(4)),
    Column("reason_text", String(200)),
    Column("psu", String(64)),
    # The account that the approval chose; not before.
    Column("debtor", String(36)),
    Column("received_at", Float, nullable=False),
    # What makes a repeated request find the payment it made the first time.
    UniqueConstraint("tenant", "x_request_id"),
    # An account's standing orders.
    Index("ix_payments_debtor", "tenant", "debtor", "service", "status"),
)

executions = Table(
    "payment_executions",
    METADATA,
    Column("payment", String(36), ForeignKey("payments.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("tenant", String(80), ForeignKey("tenants.id"), nullable=False),
    Column("transfer", Integer, nullable=False),
    Column("day", Date, nullable=False),
    Column("status", String(4), nullable=False),
    Column("reason_code", String(4)),
    Column("reason_text", String(200)),
    # The ledger's entry once money has moved, its hold while money is promised.
    Column("entry", String(36)),
    Column("hold", String(36)),
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
        """Write the payment's new state over its old one; what was instructed never changes."""
        state = {name: value for name, value in _columns(payment).items() if name in _STATE}
        connection.execute(update(payments).where(payments.c.id == payment.id).values(state))

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

    def periodic_of(
        self, connection: Connection, tenant: TenantId, account: AccountId, states: Sequence[TransactionStatus]
    ) -> list[Payment]:
        """Return the account's periodic payments in these states, oldest first."""
        statement = (
            select(payments)
            .where(
                payments.c.tenant == tenant,
                payments.c.debtor == account,
                payments.c.service == PaymentService.PERIODIC.value,
                payments.c.status.in_([state.value for state in states]),
            )
            .order_by(payments.c.received_at, payments.c.id)
        )
        return [_payment(row) for row in connection.execute(statement)]

    def accounts_of_iban(self, connection: Connection, tenant: TenantId, iban: str) -> dict[AccountId, str]:
        """Return the currencies of this bank's accounts of an IBAN, by id, in the accounts' order."""
        statement = (
            select(accounts.c.id, accounts.c.currency)
            .where(accounts.c.tenant == tenant, accounts.c.kind == PAYMENT, accounts.c.iban == iban)
            .order_by(accounts.c.position, accounts.c.id)
        )
        return {AccountId(row.id): row.currency for row in connection.execute(statement)}

    def executions_of(self, connection: Connection, payment: Payment, *, most: int) -> list[Execution]:
        """Return the newest of a payment's executions, at most so many, oldest first."""
        statement = (
            select(executions).where(executions.c.payment == payment.id).order_by(executions.c.number.desc()).limit(most)
        )
        return [_execution(row) for row in reversed(connection.execute(statement).all())]

    def next_number(self, connection: Connection, payment: Payment) -> int:
        """Return the number of the payment's next execution."""
        statement = select(func.max(executions.c.number)).where(executions.c.payment == payment.id)
        newest = connection.execute(statement).scalar_one()
        return 0 if newest is None else newest + 1

    def has_booked(self, connection: Connection, payment: Payment) -> bool:
        """Tell whether any of the payment's executions has moved money."""
        statement = select(executions.c.number).where(executions.c.payment == payment.id, executions.c.entry.is_not(None))
        return connection.execute(statement.limit(1)).first() is not None

    def debit_of_batch(self, connection: Connection, payment: Payment) -> str | None:
        """Return the entry by which the debtor paid several of the payment's transfers at once; None where there is none."""
        of_batch = (entries.c.tenant == payment.tenant) & (entries.c.origin == batch_origin(payment))
        return connection.execute(select(entries.c.id).where(of_batch)).scalar_one_or_none()

    def put_executions(self, connection: Connection, changed: Sequence[Execution]) -> None:
        """Write executions, over what stood there under their numbers."""
        if not changed:
            return
        numbers = [each.number for each in changed]
        at_those = (executions.c.payment == changed[0].payment) & executions.c.number.in_(numbers)
        connection.execute(delete(executions).where(at_those))
        connection.execute(insert(executions), [_execution_columns(each) for each in changed])


_STATE = frozenset({"status", "reason_code", "reason_text", "psu", "debtor"})


def _columns(payment: Payment) -> dict[str, object]:
    return {
        "id": payment.id,
        "tenant": payment.tenant,
        "service": payment.service.value,
        "product": payment.product.name,
        "x_request_id": payment.x_request_id,
        "request_digest": payment.request_digest,
        "instruction": instruction_as_json(payment.instruction),
        "document": payment.document,
        "waits_for_funds": payment.waits_for_funds,
        "status": payment.status.value,
        **_reason_columns(payment.reason),
        "psu": payment.psu,
        "debtor": payment.debtor,
        "received_at": payment.received_at.timestamp(),
    }


def _payment(row: Row[tuple[object, ...]]) -> Payment:
    return Payment(
        id=PaymentId(row.id),
        tenant=TenantId(row.tenant),
        service=PaymentService(row.service),
        product=PRODUCTS[row.product],
        x_request_id=row.x_request_id,
        request_digest=row.request_digest,
        instruction=instruction_from_json(row.instruction),
        document=row.document,
        waits_for_funds=row.waits_for_funds,
        status=TransactionStatus(row.status),
        reason=_reason(row),
        psu=None if row.psu is None else PsuId(row.psu),
        debtor=None if row.debtor is None else AccountId(row.debtor),
        received_at=datetime.fromtimestamp(row.received_at, UTC),
    )


def _execution_columns(execution: Execution) -> dict[str, object]:
    return {
        "payment": execution.payment,
        "number": execution.number,
        "tenant": execution.tenant,
        "transfer": execution.transfer,
        "day": execution.day,
        "status": execution.status.value,
        **_reason_columns(execution.reason),
        "entry": execution.entry,
        "hold": execution.hold,
    }


def _execution(row: Row[tuple[object, ...]]) -> Execution:
    return Execution(
        payment=PaymentId(row.payment),
        tenant=TenantId(row.tenant),
        number=row.number,
        transfer=row.transfer,
        day=row.day,
        status=TransactionStatus(row.status),
        reason=_reason(row),
        entry=row.entry,
        hold=row.hold,
    )


def _reason_columns(reason: RejectionReason | None) -> dict[str, str | None]:
    if reason is None:
        return {"reason_code": None, "reason_text": None}
    return {"reason_code": reason.code, "reason_text": reason.text}


def _reason(row: Row[tuple[object, ...]]) -> RejectionReason | None:
    return None if row.reason_code is None else RejectionReason(code=row.reason_code, text=row.reason_text)
