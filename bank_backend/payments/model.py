"""A SEPA credit transfer that a TPP initiates, and its states (BG IG 1.3.8 §4.14.1, §11.1, §14.13)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from bank_backend.states import StateMachine

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bank_backend.references import AccountReference
    from psd2.ids import PaymentId, PsuId, TenantId
    from psd2.money import Money

# What no PSU has approved by then is rejected (XS2A 1.3.11, paymentInitiationStatusResponse).
AUTHORISATION_WINDOW = timedelta(hours=24)
PRODUCT = "sepa-credit-transfers"
# EPC SCT rulebook: 0.01 to 999 999 999.99 EUR.
MOST_MINOR = 99_999_999_999


class TransactionStatus(StrEnum):
    """The ISO 20022 codes that a booked-at-once credit transfer passes (BG IG §14.13)."""

    RCVD = "RCVD"
    PATC = "PATC"
    ACTC = "ACTC"
    ACSC = "ACSC"
    RJCT = "RJCT"


_S = TransactionStatus
PAYMENT_STATES: StateMachine[TransactionStatus] = StateMachine(
    "payment",
    {
        _S.RCVD: frozenset({_S.PATC, _S.ACTC, _S.RJCT}),
        _S.PATC: frozenset({_S.PATC, _S.ACTC, _S.RJCT}),
        _S.ACTC: frozenset({_S.ACSC, _S.RJCT}),
        _S.ACSC: frozenset(),
        _S.RJCT: frozenset(),
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectionReason:
    """Why a payment was rejected: an ISO 20022 status reason code and a sentence."""

    code: str
    text: str


REFUSED = RejectionReason(code="CUST", text="the PSU did not approve the payment")
NOT_AUTHORISED_IN_TIME = RejectionReason(code="TM01", text="no PSU approved the payment within 24 hours")
INSUFFICIENT_FUNDS = RejectionReason(code="AM04", text="the debtor account does not cover the amount")
SAME_ACCOUNT = RejectionReason(code="AC03", text="debtor and creditor are the same account")
CREDITOR_CURRENCY = RejectionReason(code="AC03", text="the creditor account is not kept in euro")


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """What is to be paid. `creditor_address` is kept as the TPP wrote it: the bank only repeats it."""

    debtor: AccountReference
    creditor: AccountReference
    creditor_name: str
    amount: Money
    remittance: str | None = None
    end_to_end_id: str | None = None
    creditor_agent: str | None = None
    creditor_agent_name: str | None = None
    creditor_address: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """A payment. `request_digest` tells a repeated request from a different one under the same X-Request-ID."""

    id: PaymentId
    tenant: TenantId
    x_request_id: str
    request_digest: str
    instruction: Instruction
    status: TransactionStatus
    reason: RejectionReason | None
    psu: PsuId | None
    transaction: str | None
    received_at: datetime

    def moved(self, to: TransactionStatus) -> Payment:
        """Return the payment in its next state; raises `IllegalMove`."""
        PAYMENT_STATES.require_move(self.status, to=to)
        return replace(self, status=to)

    def rejected(self, reason: RejectionReason) -> Payment:
        """Return the payment rejected; raises `IllegalMove`."""
        return replace(self.moved(TransactionStatus.RJCT), reason=reason)

    def settled(self, now: datetime) -> Payment:
        """Return the payment as time alone has made it: rejected when nobody approved it."""
        if self.status is TransactionStatus.RCVD and now > self.received_at + AUTHORISATION_WINDOW:
            return self.rejected(NOT_AUTHORISED_IN_TIME)
        return self
