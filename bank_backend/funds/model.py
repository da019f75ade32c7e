"""A PSU's consent that a card issuer may ask about its funds (XS2A-COFC 2.0); same states as account consents."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from bank_backend.consents.model import CONSENT_STATES, ConsentStatus

if TYPE_CHECKING:
    from datetime import date, datetime

    from bank_backend.references import AccountReference
    from psd2.ids import AccountId, ConsentId, PsuId, TenantId

# What no PSU has approved by then is rejected.
AUTHORISATION_WINDOW = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """The card that the answers are for; every field as the TPP wrote it, empty where it said nothing."""

    number: str = ""
    expiry: date | None = None
    information: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FundsConsent:
    """A consent for one account. It has no end date: it stands until it is revoked or terminated."""

    id: ConsentId
    tenant: TenantId
    account: AccountReference
    card: Card
    registration_information: str
    status: ConsentStatus
    psu: PsuId | None
    account_id: AccountId | None
    received_at: datetime

    def moved(self, to: ConsentStatus) -> FundsConsent:
        """Return the consent in its next state; raises `IllegalMove`."""
        CONSENT_STATES.require_move(self.status, to=to)
        return replace(self, status=to)

    def settled(self, now: datetime) -> FundsConsent:
        """Return the consent as time alone has made it: rejected when nobody approved it."""
        waits = self.status in {ConsentStatus.RECEIVED, ConsentStatus.PARTIALLY_AUTHORISED}
        return self.moved(ConsentStatus.REJECTED) if waits and now >= self.received_at + AUTHORISATION_WINDOW else self
