"""A PSU's decision on a funds consent (XS2A-COFC 2.0); it ends no earlier consent."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bank_backend.authorisations.asks import FundsAsk
from bank_backend.consents.model import ConsentStatus
from bank_backend.errors import ResourceUnknown, StatusInvalid

if TYPE_CHECKING:
    from datetime import datetime

    from bank_backend.authorisations.asks import Approval
    from bank_backend.database import Connection
    from bank_backend.funds.model import FundsConsent
    from bank_backend.funds.service import FundsConsentStore
    from psd2.ids import TenantId


class FundsApproval:
    """Funds consents as something to approve: implements `bank_backend.authorisations.asks.Approvable`."""

    def __init__(self, store: FundsConsentStore) -> None:
        """Decide on the consents in `store`."""
        self._store = store

    def ask(self, connection: Connection, *, tenant: TenantId, resource: str, now: datetime) -> FundsAsk:
        """Return what is asked; raises `ResourceUnknown` or `StatusInvalid`."""
        # Not locked: pages ask too, inside a transaction that only reads. Approving looks again, under the lock.
        consent = _required(self._store.find(connection, tenant, resource), resource, now)
        if consent.status not in {ConsentStatus.RECEIVED, ConsentStatus.PARTIALLY_AUTHORISED}:
            raise StatusInvalid(f"the consent is {consent.status}: there is nothing to decide any more")
        return FundsAsk(
            references=(consent.account,),
            card_number=consent.card.number,
            card_information=consent.card.information,
            registration_information=consent.registration_information,
        )

    def approve(self, connection: Connection, approval: Approval) -> None:
        """Make the consent valid for the account: of several that share an IBAN the first is the default (BG IG §10.2)."""
        consent = self._require(connection, approval.tenant, approval.resource, approval.at)
        account = approval.accounts[0]
        valid = replace(consent.moved(ConsentStatus.VALID), psu=approval.psu, account_id=account.id)
        self._store.save(connection, valid)

    def partially_approve(self, connection: Connection, approval: Approval) -> None:
        """Note a signature of several."""
        consent = self._require(connection, approval.tenant, approval.resource, approval.at)
        if consent.status is not ConsentStatus.PARTIALLY_AUTHORISED:
            self._store.save(connection, consent.moved(ConsentStatus.PARTIALLY_AUTHORISED))

    def reject(self, connection: Connection, *, tenant: TenantId, resource: str, now: datetime) -> None:
        """Turn the consent down."""
        consent = self._require(connection, tenant, resource, now)
        self._store.save(connection, consent.moved(ConsentStatus.REJECTED))

    def setback(self, connection: Connection, *, tenant: TenantId, resource: str) -> str:  # noqa: ARG002 - a protocol's
        """Return nothing: an approved consent is a valid one."""
        return ""

    def _require(self, connection: Connection, tenant: TenantId, resource: str, now: datetime) -> FundsConsent:
        return _required(self._store.find_locked(connection, tenant, resource), resource, now)


def _required(found: FundsConsent | None, resource: str, now: datetime) -> FundsConsent:
    if found is None:
        raise ResourceUnknown(f"this TPP has no funds consent {resource[:40]!r}")
    return found.settled(now)
