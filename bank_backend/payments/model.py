"""A payment of any service and product, its executions, and its states (BG IG 1.3.8 §4.14.1, §14.13)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from bank_backend.payments.reasons import NOT_AUTHORISED_IN_TIME
from bank_backend.states import StateMachine

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date, datetime

    from bank_backend.payments.instruction import Instruction
    from bank_backend.payments.products import Product
    from bank_backend.payments.reasons import RejectionReason
    from bank_backend.payments.recurrence import RecurrenceRule
    from bank_backend.personalities.model import PaymentService
    from psd2.ids import AccountId, PaymentId, PsuId, TenantId

# What is not approved by then is rejected (XS2A 1.3.11, paymentInitiationStatusResponse).
AUTHORISATION_WINDOW: Final = timedelta(hours=24)


class TransactionStatus(StrEnum):
    """The ISO 20022 codes that this bank's payments pass (BG IG §14.13)."""

    RCVD = "RCVD"
    PATC = "PATC"
    ACTC = "ACTC"
    PDNG = "PDNG"
    ACSP = "ACSP"
    ACSC = "ACSC"
    ACCC = "ACCC"
    PART = "PART"
    RJCT = "RJCT"
    CANC = "CANC"


_S = TransactionStatus
# Where an accepted payment ends: debited, credited too, in part, or not at all.
_SETTLED: Final = frozenset({_S.ACSC, _S.ACCC, _S.PART, _S.RJCT})
PAYMENT_STATES: StateMachine[TransactionStatus] = StateMachine(
    "payment",
    {
        _S.RCVD: frozenset({_S.PATC, _S.ACTC, _S.RJCT, _S.CANC}),
        # Further signatures leave it where it is until the last one.
        _S.PATC: frozenset({_S.PATC, _S.ACTC, _S.RJCT, _S.CANC}),
        # Rests here until its day; ACSP: money is promised (held), or a standing order has begun to pay.
        _S.ACTC: _SETTLED | {_S.ACSP, _S.PDNG, _S.CANC},
        # Waits for funds, from one attempt to the next.
        _S.PDNG: _SETTLED | {_S.PDNG, _S.CANC},
        _S.ACSP: _SETTLED | {_S.ACSP, _S.CANC},
        _S.ACSC: frozenset(),
        _S.ACCC: frozenset(),
        _S.PART: frozenset(),
        _S.RJCT: frozenset(),
        _S.CANC: frozenset(),
    },
)
UNDECIDED: Final = frozenset({_S.RCVD, _S.PATC})
# Accepted, and not executed to the end: cancelling such a payment needs the PSU (BG IG §5.6).
UNDER_WAY: Final = frozenset({_S.ACTC, _S.PDNG, _S.ACSP})
BOOKED: Final = frozenset({_S.ACSC, _S.ACCC})


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """One transfer of a payment on one day: what came of it. `number` counts a payment's executions from 0.

    `transfer` is the transfer's place in the instruction; `entry` the ledger's entry; `hold` what is reserved until then.
    """

    payment: PaymentId
    tenant: TenantId
    number: int
    transfer: int
    day: date
    status: TransactionStatus
    reason: RejectionReason | None = None
    entry: str | None = None
    hold: str | None = None


def concluded(executions: Collection[Execution]) -> tuple[TransactionStatus, RejectionReason | None]:
    """Return the status that transfers give together; the first reason where none was made (BG IG §4.14.1: PART for bulks)."""
    statuses = {each.status for each in executions}
    for still_open in (_S.PDNG, _S.ACSP):
        if still_open in statuses:
            return still_open, None
    if statuses == {_S.RJCT}:
        first = min(executions, key=lambda each: each.number)
        return _S.RJCT, first.reason
    if _S.RJCT in statuses:
        return _S.PART, None
    return (_S.ACCC if statuses == {_S.ACCC} else _S.ACSC), None


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """A payment. `request_digest` tells a repeated request from a different one under the same X-Request-ID.

    `document` is the pain.001 message where there is one; `debtor` the account that the approval chose.
    """

    id: PaymentId
    tenant: TenantId
    service: PaymentService
    product: Product
    x_request_id: str
    request_digest: str
    instruction: Instruction
    document: str | None
    waits_for_funds: bool
    status: TransactionStatus
    reason: RejectionReason | None
    psu: PsuId | None
    debtor: AccountId | None
    received_at: datetime

    @property
    def path(self) -> str:
        """Where the payment is found."""
        return f"{self.collection}/{self.id}"

    @property
    def collection(self) -> str:
        """Where payments of its service and product are initiated."""
        return f"/v1/{self.service}/{self.product.name}"

    @property
    def required_debtor(self) -> AccountId:
        """The account that an approved payment is paid from."""
        if self.debtor is None:
            msg = f"payment {self.id} has not been approved: it has no account"
            raise ValueError(msg)
        return self.debtor

    @property
    def required_rule(self) -> RecurrenceRule:
        """The calendar of a periodic payment."""
        if self.instruction.rule is None:
            msg = f"payment {self.id} is not periodic"
            raise ValueError(msg)
        return self.instruction.rule

    @property
    def is_undecided(self) -> bool:
        """Whether it waits for a PSU."""
        return self.status in UNDECIDED

    @property
    def is_final(self) -> bool:
        """Whether nothing can happen to it any more."""
        return PAYMENT_STATES.is_final(self.status)

    @property
    def decide_by(self) -> datetime:
        """Until when it can be approved."""
        return self.received_at + AUTHORISATION_WINDOW

    def moved(self, to: TransactionStatus) -> Payment:
        """Return the payment in its next state; raises `IllegalMove`."""
        PAYMENT_STATES.require_move(self.status, to=to)
        return replace(self, status=to)

    def rejected(self, reason: RejectionReason) -> Payment:
        """Return the payment rejected; raises `IllegalMove`."""
        return replace(self.moved(TransactionStatus.RJCT), reason=reason)

    def settled(self, now: datetime) -> Payment:
        """Return the payment as time alone has made it: rejected when nobody approved it."""
        if self.is_undecided and now >= self.decide_by:
            return self.rejected(NOT_AUTHORISED_IN_TIME)
        return self
