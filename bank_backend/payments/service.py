"""What TPPs do with payments: initiate, read, follow, cancel (BG IG 1.3.8 §5.3 to §5.6)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from bank_backend.errors import FormatError, PathResourceUnknown
from bank_backend.payments.bodies import MOST_PAYMENTS
from bank_backend.payments.errors import CancellationInvalid
from bank_backend.payments.forms import instruction_as_json
from bank_backend.payments.model import UNDER_WAY, Execution, Payment, TransactionStatus
from bank_backend.payments.rules import require_rules
from psd2.ids import PaymentId, new_uuid

if TYPE_CHECKING:
    from datetime import datetime

    from bank_backend.database import Connection, Database
    from bank_backend.payments.costs import Costs, Quotes
    from bank_backend.payments.execution import Executions
    from bank_backend.payments.instruction import Instruction
    from bank_backend.payments.ports import PaymentStore
    from bank_backend.payments.products import Product
    from bank_backend.payments.rules import Places
    from bank_backend.personalities.model import PaymentService, Personality
    from bank_backend.tenants.clock import TenantClock
    from psd2.ids import TenantId


@dataclass(frozen=True, slots=True, kw_only=True)
class Initiation:
    """A TPP's request to initiate a payment, read and judged. `document` is its pain.001 message where it has one."""

    tenant: TenantId
    x_request_id: str
    service: PaymentService
    product: Product
    instruction: Instruction
    places: Places
    document: str | None = None
    waits_for_funds: bool = False

    @property
    def digest(self) -> str:
        """A digest that is equal for two requests that ask for the same, however their JSON is spaced."""
        instruction = orjson.dumps(instruction_as_json(self.instruction), option=orjson.OPT_SORT_KEYS)
        asked = [self.service, self.product.name, self.document or "", str(self.waits_for_funds)]
        return hashlib.sha256(b"\0".join([instruction, *(part.encode() for part in asked)])).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a TPP looks for a payment: the path's parameters, of its own tenant."""

    tenant: TenantId
    service: str
    product: str
    payment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentView:
    """A payment as it stands now, with the newest of its executions; `funds_available` None: not judged.

    `batch_debit` is the movement that the debtor's statement has for those that were booked together.
    """

    payment: Payment
    executions: tuple[Execution, ...]
    now: datetime
    funds_available: bool | None = None
    batch_debit: str | None = None


class Payments:
    """Payments as TPPs see them; approving them is `payments.approval`'s."""

    def __init__(
        self, *, database: Database, store: PaymentStore, executions: Executions, quotes: Quotes, clock: TenantClock
    ) -> None:
        """Keep payments in `store`, in transactions of `database`."""
        self._database = database
        self._store = store
        self._executions = executions
        self._quotes = quotes
        self._clock = clock

    def initiate(self, initiation: Initiation, *, within: Connection | None = None) -> tuple[Payment, Costs | None]:
        """Receive a payment. The same request again returns the payment it made: nothing is paid twice.

        Raises `FormatError` where the X-Request-ID was used for another payment, or where a rule of the product is broken.
        """
        with self._database.writing(within) as connection:
            now = self._clock.now(initiation.tenant, connection)
            payment = self._received(connection, initiation, now).settled(now)
            return payment, self._quotes.costs(connection, payment, now)

    def payment(self, place: Place) -> Payment:
        """Return the TPP's payment as it stands now; raises `PathResourceUnknown`."""
        with self._database.reading() as connection:
            now = self._clock.now(place.tenant, connection)
            return required(self._store.find(connection, place.tenant, place.payment), place).settled(now)

    def of_tenant(self, tenant: TenantId, payment_id: str, *, within: Connection | None = None) -> Payment:
        """Return the TPP's payment as it stands now, whatever its service and product; raises `PathResourceUnknown`."""
        with self._database.reading(within) as connection:
            found = self._store.find(connection, tenant, payment_id)
            if found is None:
                raise PathResourceUnknown(f"this TPP has no payment {payment_id[:40]!r}")
            return found.settled(self._clock.now(tenant, connection))

    def view(self, place: Place) -> PaymentView:
        """Return the payment with what came of it so far; raises `PathResourceUnknown`."""
        with self._database.reading() as connection:
            now = self._clock.now(place.tenant, connection)
            payment = required(self._store.find(connection, place.tenant, place.payment), place).settled(now)
            executions = self._store.executions_of(connection, payment, most=MOST_PAYMENTS)
            # BG IG §5.4: with these statuses only.
            is_judged = payment.status is TransactionStatus.ACTC
            funds = self._quotes.funds_suffice(connection, payment, now) if is_judged else None
            debit = self._store.debit_of_batch(connection, payment) if payment.instruction.batch_booking else None
        return PaymentView(payment=payment, executions=tuple(executions), now=now, funds_available=funds, batch_debit=debit)

    def cancel(self, place: Place, personality: Personality) -> Payment:
        """Cancel the payment, or return it as it stands where its PSU has to agree first (BG IG §5.6).

        Raises `PathResourceUnknown`, and `CancellationInvalid` where it is too late.
        """
        with self._database.writing() as connection:
            now = self._clock.now(place.tenant, connection)
            payment = required(self._store.find_locked(connection, place.tenant, place.payment), place).settled(now)
            if payment.status is TransactionStatus.CANC:
                return payment
            if payment.status in UNDER_WAY and personality.cancellation_needs_authorisation:
                return payment
            if payment.is_final:
                raise CancellationInvalid(f"the payment is {payment.status}: there is nothing left to cancel")
            cancelled = self._executions.cancelled(connection, payment, now)
            self._store.save(connection, cancelled)
            return cancelled

    def _received(self, connection: Connection, initiation: Initiation, now: datetime) -> Payment:
        payment = _new(initiation, now)
        # Before the rules: a day that was to come when the request was sent first may be past when it is repeated.
        first = self._store.of_request(connection, payment.tenant, payment.x_request_id)
        if first is None:
            require_rules(initiation.instruction, initiation.product.scheme, initiation.places, now)
            if self._store.add(connection, payment):
                self._executions.received(connection, payment)
                return payment
            # The same request came in twice at once, and the other one was faster.
            first = self._store.of_request(connection, payment.tenant, payment.x_request_id)
        if first is None or first.request_digest != payment.request_digest:
            text = "this X-Request-ID has initiated another payment already: send each payment under a new UUID"
            raise FormatError(text, path="X-Request-ID")
        return first


def _new(initiation: Initiation, now: datetime) -> Payment:
    return Payment(
        id=PaymentId(new_uuid()),
        tenant=initiation.tenant,
        service=initiation.service,
        product=initiation.product,
        # A UUID's hexadecimal digits mean the same in either case.
        x_request_id=initiation.x_request_id.lower(),
        request_digest=initiation.digest,
        instruction=initiation.instruction,
        document=initiation.document,
        waits_for_funds=initiation.waits_for_funds,
        status=TransactionStatus.RCVD,
        reason=None,
        psu=None,
        debtor=None,
        received_at=now,
    )


def required(found: Payment | None, place: Place) -> Payment:
    """Return the payment; raises `PathResourceUnknown` for none, or one of another service or product (BG IG §5.4).

    Another TPP's is as unknown as one never made.
    """
    if found is None or (found.service, found.product.name) != (place.service, place.product):
        text = f"this TPP has no payment {place.payment[:40]!r} under {place.service[:20]}/{place.product[:60]}"
        raise PathResourceUnknown(text)
    return found
