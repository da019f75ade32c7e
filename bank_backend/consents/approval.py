"""A PSU's decision on a consent (BG IG 1.3.8 §6.3.1): who may approve what, and what that does to earlier consents."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bank_backend.authorisations.asks import AccountChoice, ConsentAsk
from bank_backend.consents.model import UNDECIDED, AccessModel, ConsentStatus
from bank_backend.errors import ResourceUnknown, StatusInvalid

if TYPE_CHECKING:
    from datetime import datetime

    from bank_backend.authorisations.asks import Approval
    from bank_backend.consents.expiry import ConsentExpiry
    from bank_backend.consents.model import Consent
    from bank_backend.consents.service import ConsentStore
    from bank_backend.database import Connection
    from psd2.ids import PsuId, TenantId

_CHOICES = {
    AccessModel.DEDICATED: AccountChoice.NAMED,
    AccessModel.BANK_OFFERED: AccountChoice.OFFERED,
    AccessModel.AVAILABLE_ACCOUNTS: AccountChoice.ALL,
    AccessModel.GLOBAL: AccountChoice.ALL,
}


class ConsentApproval:
    """Consents as something to approve: implements `bank_backend.authorisations.asks.Approvable`."""

    def __init__(self, store: ConsentStore, *, expiry: ConsentExpiry) -> None:
        """Decide on the consents in `store`; `expiry` ends them when their time has come."""
        self._store = store
        self._expiry = expiry

    def ask(self, connection: Connection, *, tenant: TenantId, resource: str, now: datetime) -> ConsentAsk:
        """Return what is asked; raises `ResourceUnknown` or `StatusInvalid`."""
        # Not locked: pages ask too, inside a transaction that only reads. Approving looks again, under the lock.
        consent = _required(self._store.find(connection, tenant, resource), resource, now)
        if consent.status not in UNDECIDED:
            raise StatusInvalid(f"the consent is {consent.status}: there is nothing to decide any more")
        return ConsentAsk(
            choice=_CHOICES[consent.access.model],
            access=consent.access,
            recurring=consent.recurring,
            valid_until=consent.valid_until,
            frequency_per_day=consent.frequency_per_day,
        )

    def approve(self, connection: Connection, approval: Approval) -> None:
        """Make the consent valid; a recurring one ends the PSU's earlier recurring ones for this TPP (§6.3.1.1)."""
        consent = self._require(connection, approval.tenant, approval.resource, approval.at)
        valid = replace(consent.moved(ConsentStatus.VALID, on=approval.at.date()), authorised_at=approval.at)
        if consent.recurring:
            self._terminate_earlier(connection, approval.tenant, approval.psu, approval.at)
        granted = _granted(valid, approval)
        self._store.save(connection, granted)
        self._expiry.plan_anew(connection, granted)

    def partially_approve(self, connection: Connection, approval: Approval) -> None:
        """Keep the first of several signatures: whose consent it is, and which accounts the others sign too."""
        consent = self._require(connection, approval.tenant, approval.resource, approval.at)
        if consent.status is ConsentStatus.PARTIALLY_AUTHORISED:
            return
        signed = consent.moved(ConsentStatus.PARTIALLY_AUTHORISED, on=approval.at.date())
        access = consent.access
        if access.model is AccessModel.BANK_OFFERED:
            access = access.with_choice(approval.accounts)
        self._store.save(connection, replace(signed, psu=approval.psu, access=access))

    def reject(self, connection: Connection, *, tenant: TenantId, resource: str, now: datetime) -> None:
        """Turn the consent down."""
        consent = self._require(connection, tenant, resource, now)
        self._store.save(connection, consent.moved(ConsentStatus.REJECTED, on=now.date()))

    def setback(self, connection: Connection, *, tenant: TenantId, resource: str) -> str:  # noqa: ARG002 - a protocol's
        """Return nothing: an approved consent is a valid one."""
        return ""

    def _require(self, connection: Connection, tenant: TenantId, resource: str, now: datetime) -> Consent:
        return _required(self._store.find_locked(connection, tenant, resource), resource, now)

    def _terminate_earlier(self, connection: Connection, tenant: TenantId, psu: PsuId, now: datetime) -> None:
        for earlier in self._store.valid_recurring(connection, tenant, psu):
            standing = earlier.settled(now)
            if standing.status is ConsentStatus.VALID:
                # BG IG §4.14.2: this side effect shows as terminatedByTpp.
                self._store.save(connection, standing.moved(ConsentStatus.TERMINATED_BY_TPP, on=now.date()))


def _granted(consent: Consent, approval: Approval) -> Consent:
    model = consent.access.model
    if model in {AccessModel.GLOBAL, AccessModel.AVAILABLE_ACCOUNTS}:
        return replace(consent, psu=approval.psu, rights=None)
    access = consent.access.with_choice(approval.accounts) if model is AccessModel.BANK_OFFERED else consent.access
    rights = tuple(access.rights_on(account) for account in approval.accounts)
    return replace(consent, psu=approval.psu, access=access.told(), rights=rights)


def _required(found: Consent | None, resource: str, now: datetime) -> Consent:
    if found is None:
        raise ResourceUnknown(f"this TPP has no consent {resource[:40]!r}")
    return found.settled(now)
