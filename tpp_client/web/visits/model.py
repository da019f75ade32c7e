"""A visit: everything remembered of one browser, as frozen values. Its tokens never leave the server."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from enum import StrEnum

MOST_SPENT, MOST_PAYMENTS, MOST_UNSEEN_CALLS = 8, 20, 24
# As long as the bank gives a PSU to decide; an answer later than that belongs to nothing that somebody still remembers.
ATTEMPT_SECONDS = 900.0
_REFRESH_AHEAD_SECONDS = 20.0


class Purpose(StrEnum):
    """What the PSU was sent to the bank for."""

    ACCOUNTS = "accounts"
    PAYMENT = "payment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """The one authorization under way: what to compare the bank's answer with. Times are epoch seconds."""

    purpose: Purpose
    resource: str
    client_id: str
    redirect_uri: str
    scope: str
    state: str = field(repr=False)
    verifier: str = field(repr=False)
    begun_at: float

    def is_over(self, now: float) -> bool:
        """Answer whether nobody waits for its answer any more."""
        return now - self.begun_at > ATTEMPT_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """The right to read a PSU's accounts, until the consent ends. Times are epoch seconds."""

    consent_id: str
    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    expires_at: float
    since: float
    day: str = ""
    readings: int = 0

    def needs_refresh(self, now: float) -> bool:
        """Answer whether the access token has run out, or will while it is on its way."""
        return now > self.expires_at - _REFRESH_AHEAD_SECONDS

    def counted(self, day: str, readings: int) -> Connection:
        """Return it with so many more readings today."""
        before = self.readings if self.day == day else 0
        return replace(self, day=day, readings=before + readings)

    def readings_on(self, day: str) -> int:
        """Return how often the bank was asked for account data on that day."""
        return self.readings if self.day == day else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRecord:
    """A payment that this browser has initiated; `status` is what the bank said last (ISO 20022)."""

    payment_id: str
    debtor_iban: str
    creditor_iban: str
    creditor_name: str
    amount: str
    currency: str
    remittance: str
    request_id: str
    status: str
    made_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WireCall:
    """One call to the bank, fit to be shown: it holds no whole secret. `status` is None where no answer came."""

    method: str
    url: str
    status: int | None
    milliseconds: int
    request_id: str | None = None
    gateway_id: str | None = None
    token: str | None = None
    asked: dict[str, str] = field(default_factory=dict)
    answered: dict[str, str] = field(default_factory=dict)
    failure: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One browser. `spent` are digests of states that were answered; `ended` says why the last connection is no more."""

    attempt: Attempt | None = None
    spent: tuple[str, ...] = ()
    connection: Connection | None = None
    ended: str | None = None
    payments: tuple[PaymentRecord, ...] = ()
    unseen_calls: tuple[WireCall, ...] = ()

    def began(self, attempt: Attempt) -> Visit:
        """Return it with a new attempt, which takes the place of an earlier one."""
        return replace(self, attempt=attempt)

    def spent_attempt(self) -> Visit:
        """Return it without the attempt, whose state is never taken again."""
        if self.attempt is None:
            return self
        return replace(self, attempt=None, spent=(*self.spent, _digest(self.attempt.state))[-MOST_SPENT:])

    def has_spent(self, state: str) -> bool:
        """Answer whether an answer with this state was taken already."""
        return _digest(state) in self.spent

    def connected(self, connection: Connection) -> Visit:
        """Return it with a connection, in place of any other."""
        return replace(self, connection=connection, ended=None)

    def disconnected(self, why: str | None) -> Visit:
        """Return it without connection and without its tokens."""
        return replace(self, connection=None, ended=why)

    def with_payment(self, payment: PaymentRecord) -> Visit:
        """Return it with this payment first, new or anew."""
        others = tuple(other for other in self.payments if other.payment_id != payment.payment_id)
        return replace(self, payments=(payment, *others)[:MOST_PAYMENTS])

    def with_status(self, payment_id: str, status: str) -> Visit:
        """Return it with what the bank says of a payment now."""
        moved = (replace(one, status=status) if one.payment_id == payment_id else one for one in self.payments)
        return replace(self, payments=tuple(moved))

    def payment(self, payment_id: str) -> PaymentRecord | None:
        """Return one of this browser's own payments; of anybody else's nothing is known here."""
        return next((one for one in self.payments if one.payment_id == payment_id), None)

    def with_unseen(self, calls: tuple[WireCall, ...]) -> Visit:
        """Return it with calls to be shown on the next page, for the page that made them was a redirect."""
        return replace(self, unseen_calls=(*self.unseen_calls, *calls)[-MOST_UNSEEN_CALLS:])

    def without_calls(self, seen: tuple[WireCall, ...]) -> Visit:
        """Return it without calls that have been shown."""
        return replace(self, unseen_calls=tuple(call for call in self.unseen_calls if call not in seen))


def _digest(state: str) -> str:
    return hashlib.sha256(state.encode()).hexdigest()
