"""What TPPs do with payments: initiate, read, follow (BG IG 1.3.8 §5.3 to §5.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn, Protocol

from bank_backend.authorisations.model import ResourceKind
from bank_backend.errors import CancellationInvalid, FormatError, PathResourceUnknown
from bank_backend.payments.model import Payment, TransactionStatus
from bank_backend.payments.wire import instruction_digest
from psd2.ids import PaymentId, new_uuid

if TYPE_CHECKING:
    from bank_backend.authorisations.model import Authorisation
    from bank_backend.authorisations.service import Authorisations
    from bank_backend.database import Connection, Database
    from bank_backend.payments.model import Instruction
    from bank_backend.tenants.clock import TenantClock
    from psd2.ids import TenantId


class PaymentStore(Protocol):
    """Where payments are kept; each call works inside the caller's transaction."""

    def add(self, connection: Connection, payment: Payment) -> bool:
        """Write a new payment, unless its request has made one already; tell whether it was written."""

    def save(self, connection: Connection, payment: Payment) -> None:
        """Write the payment's new state over its old one."""

    def find(self, connection: Connection, tenant: TenantId, payment_id: str) -> Payment | None:
        """Return the tenant's payment, or None."""

    def find_locked(self, connection: Connection, tenant: TenantId, payment_id: str) -> Payment | None:
        """Return the tenant's payment, locked until the transaction ends, or None."""

    def of_request(self, connection: Connection, tenant: TenantId, x_request_id: str) -> Payment | None:
        """Return the payment that a request made, or None."""


class Payments:
    """Payments as TPPs see them; approving them is `payments.approval`'s."""

    def __init__(self, *, database: Database, store: PaymentStore, authorisations: Authorisations, clock: TenantClock) -> None:
        """Keep payments in `store`, in transactions of `database`."""
        self._database = database
        self._store = store
        self._authorisations = authorisations
        self._clock = clock

    def initiate(
        self, tenant: TenantId, instruction: Instruction, *, x_request_id: str, start_authorisation: bool
    ) -> tuple[Payment, Authorisation | None]:
        """Receive a payment. The same request again returns the payment it made: nothing is paid twice.

        Raises `FormatError` where the X-Request-ID was used for another payment.
        """
        payment = self._new(tenant, instruction, x_request_id)
        with self._database.writing() as connection:
            if not self._store.add(connection, payment):
                return self._repeated(connection, payment)
            if not start_authorisation:
                return payment, None
            return payment, self._authorisations.start(
                connection, tenant=tenant, kind=ResourceKind.PIS, resource=payment.id, now=payment.received_at
            )

    def payment(self, tenant: TenantId, payment_id: str) -> Payment:
        """Return the TPP's payment as it stands now; raises `PathResourceUnknown`."""
        with self._database.reading() as connection:
            found = self._store.find(connection, tenant, payment_id)
        return require_payment(found, payment_id).settled(self._clock.now(tenant))

    def refuse_cancellation(self, tenant: TenantId, payment_id: str) -> NoReturn:
        """Raise `CancellationInvalid`: what is booked as soon as it is approved leaves nothing to cancel (BG IG §5.6)."""
        status = self.payment(tenant, payment_id).status
        text = f"the payment is {status}: this bank books at once on approval, so that no payment can be cancelled"
        raise CancellationInvalid(text)

    def _new(self, tenant: TenantId, instruction: Instruction, x_request_id: str) -> Payment:
        return Payment(
            id=PaymentId(new_uuid()),
            tenant=tenant,
            # A UUID's hexadecimal digits mean the same in either case.
            x_request_id=x_request_id.lower(),
            request_digest=instruction_digest(instruction),
            instruction=instruction,
            status=TransactionStatus.RCVD,
            reason=None,
            psu=None,
            transaction=None,
            received_at=self._clock.now(tenant),
        )

    def _repeated(self, connection: Connection, payment: Payment) -> tuple[Payment, Authorisation | None]:
        first = self._store.of_request(connection, payment.tenant, payment.x_request_id)
        if first is None or first.request_digest != payment.request_digest:
            text = "this X-Request-ID has initiated another payment already: send each payment under a new UUID"
            raise FormatError(text, path="X-Request-ID")
        now = self._clock.now(payment.tenant, connection)
        started = self._authorisations.of_resource(
            connection, tenant=first.tenant, kind=ResourceKind.PIS, resource=first.id, now=now
        )
        return first.settled(now), started[0] if started else None


def require_payment(found: Payment | None, payment_id: str) -> Payment:
    """Raise `PathResourceUnknown` for no payment: another TPP's is as unknown as one never made."""
    if found is None:
        raise PathResourceUnknown(f"this TPP has no payment {payment_id[:40]!r}")
    return found
