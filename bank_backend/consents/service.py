"""Consents from receipt to their end, as TPPs and PSUs see them (BG IG 1.3.8 §6.3, §6.4, §9)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from bank_backend.authorisations.model import ResourceKind
from bank_backend.consents.listing import PAGE_CONSENTS, ConsentPage, page_of
from bank_backend.consents.model import Consent, ConsentStatus
from bank_backend.errors import (
    ConsentExpired,
    ConsentInvalid,
    ConsentUnknown,
    HeaderConsentUnknown,
    ResourceUnknown,
    TokenInvalid,
)
from psd2.ids import ConsentId, new_uuid

if TYPE_CHECKING:
    from datetime import datetime

    from bank_backend.calls import TppCall
    from bank_backend.consents.expiry import ConsentExpiry
    from bank_backend.consents.listing import ConsentPlace
    from bank_backend.consents.requests import ConsentRequest
    from bank_backend.database import Connection, Database
    from bank_backend.repeats.model import MakingRequest
    from bank_backend.tenants.clock import TenantClock
    from psd2.ids import PsuId, TenantId


class ConsentStore(Protocol):
    """Where consents are kept; each call works inside the caller's transaction."""

    def add(self, connection: Connection, consent: Consent) -> None:
        """Write a new consent."""

    def save(self, connection: Connection, consent: Consent) -> None:
        """Write the consent's new state over its old one."""

    def find(self, connection: Connection, tenant: TenantId, consent_id: str) -> Consent | None:
        """Return the tenant's consent, or None."""

    def find_locked(self, connection: Connection, tenant: TenantId, consent_id: str) -> Consent | None:
        """Return the tenant's consent, locked until the transaction ends, or None."""

    def of_psu(
        self, connection: Connection, tenant: TenantId, psu: PsuId, *, after: ConsentPlace | None, limit: int
    ) -> list[Consent]:
        """Return so many of the consents that this PSU has signed, open ones first, then the newest, behind a place."""

    def valid_recurring(self, connection: Connection, tenant: TenantId, psu: PsuId) -> list[Consent]:
        """Return the recurring consents of this PSU for this TPP that are valid; one caller at a time for a PSU."""

    def count_use(self, connection: Connection, consent_id: ConsentId, reading: str, *, day: str, most: int) -> bool:
        """Count one reading unless that would pass `most`; tell whether it was counted."""

    def readings(self, connection: Connection, consent_id: ConsentId, *, day: str) -> set[str]:
        """Return what has been read under one day's count."""


class OpenAuthorisations(Protocol):
    """The part of the authorisations that the end of a consent needs."""

    def end_open_of(self, connection: Connection, *, tenant: TenantId, kind: ResourceKind, resource: str) -> None:
        """Let those of a resource that wait for a PSU fail."""


class Repeats(Protocol):
    """What requests have made, inside the caller's transaction."""

    def first(self, connection: Connection, request: MakingRequest) -> str | None:
        """Return what this request has made already, or None; raises `FormatError` where it asked for something else."""

    def note(self, connection: Connection, request: MakingRequest, resource: str) -> None:
        """Write what the request has made."""


class Consents:
    """What TPPs and PSUs do with consents; approving them is `consents.approval`'s."""

    def __init__(
        self,
        *,
        database: Database,
        store: ConsentStore,
        expiry: ConsentExpiry,
        authorisations: OpenAuthorisations,
        repeats: Repeats,
        clock: TenantClock,
    ) -> None:
        """Keep consents in `store`, in transactions of `database`; what ends takes its open `authorisations` along."""
        self._database = database
        self._store = store
        self._repeats = repeats
        self._expiry = expiry
        self._authorisations = authorisations
        self._clock = clock

    def create(
        self,
        tenant: TenantId,
        request: ConsentRequest,
        *,
        asked: MakingRequest | None = None,
        within: Connection | None = None,
    ) -> Consent:
        """Receive a consent; `asked` again returns the one that it made. Raises `FormatError` where it asked for another."""
        with self._database.writing(within) as connection:
            now = self._clock.now(tenant, connection)
            first = None if asked is None else self._repeats.first(connection, asked)
            if first is not None:
                return require_consent(self._store.find(connection, tenant, first), first).settled(now)
            consent = _new(tenant, request, now)
            self._store.add(connection, consent)
            self._expiry.plan(connection, consent)
            if asked is not None:
                self._repeats.note(connection, asked, consent.id)
        return consent

    def consent(self, tenant: TenantId, consent_id: str, *, within: Connection | None = None) -> Consent:
        """Return the TPP's consent as it stands now; raises `ConsentUnknown`."""
        with self._database.reading(within) as connection:
            found = require_consent(self._store.find(connection, tenant, consent_id), consent_id)
            return found.settled(self._clock.now(tenant, connection))

    def terminate(self, tenant: TenantId, consent_id: str) -> None:
        """End a consent at the TPP's wish; a second time changes nothing. Raises `ConsentUnknown`, `IllegalMove`."""
        with self._database.writing() as connection:
            # First, as whoever approves does: two that lock in different order would wait for each other.
            self._authorisations.end_open_of(connection, tenant=tenant, kind=ResourceKind.AIS, resource=consent_id)
            now = self._clock.now(tenant, connection)
            found = require_consent(self._store.find_locked(connection, tenant, consent_id), consent_id).settled(now)
            if found.status is not ConsentStatus.TERMINATED_BY_TPP:
                self._store.save(connection, found.moved(ConsentStatus.TERMINATED_BY_TPP, on=now.date()))

    def consents_of(self, tenant: TenantId, psu: PsuId, *, after: ConsentPlace | None = None) -> ConsentPage[Consent]:
        """Return a page of what the PSU has agreed to, as it stands now: what is still open first, then the newest."""
        with self._database.reading() as connection:
            now = self._clock.now(tenant, connection)
            found = self._store.of_psu(connection, tenant, psu, after=after, limit=PAGE_CONSENTS + 1)
        return page_of(found, lambda consent: consent.settled(now))

    def revoke_by_psu(self, tenant: TenantId, psu: PsuId, consent_id: str) -> Consent:
        """End a consent at its PSU's wish; a second time changes nothing.

        Raises `ResourceUnknown` for one that this PSU has not given, `IllegalMove` for one that has ended otherwise.
        """
        with self._database.writing() as connection:
            now = self._clock.now(tenant, connection)
            found = self._store.find_locked(connection, tenant, consent_id)
            if found is None or found.psu != psu:
                raise ResourceUnknown(f"you have given no consent {consent_id[:40]!r}")
            consent = found.settled(now)
            if consent.status is ConsentStatus.REVOKED_BY_PSU:
                return consent
            revoked = consent.moved(ConsentStatus.REVOKED_BY_PSU, on=now.date())
            self._store.save(connection, revoked)
            return revoked

    def session_psu(self, connection: Connection, call: TppCall, consent_id: str) -> PsuId:
        """Return whose session a payment with this Consent-ID continues (BG IG §9).

        Raises `HeaderConsentUnknown`, `ConsentExpired`, and `ConsentInvalid` for a consent that is not valid, or was asked
        for without `combinedServiceIndicator`; `TokenInvalid` where a token is another PSU's.
        """
        found = require_header_consent(self._store.find(connection, call.tenant, consent_id), consent_id)
        psu = require_valid(found.settled(self._clock.now(call.tenant, connection)))
        if not found.combined:
            text = "the consent was asked for without combinedServiceIndicator: it starts no session that a payment could join"
            raise ConsentInvalid(text, path="Consent-ID")
        require_subject(call, psu)
        return psu


def _new(tenant: TenantId, request: ConsentRequest, now: datetime) -> Consent:
    return Consent(
        id=ConsentId(new_uuid()),
        tenant=tenant,
        access=request.access,
        recurring=request.recurring,
        valid_until=request.valid_until,
        frequency_per_day=request.frequency_per_day,
        status=ConsentStatus.RECEIVED,
        psu=None,
        rights=None,
        received_at=now,
        last_action=now.date(),
        combined=request.combined,
    )


def require_consent(found: Consent | None, consent_id: str) -> Consent:
    """Raise `ConsentUnknown` for no consent: another TPP's is as unknown as one never made."""
    if found is None:
        raise ConsentUnknown(f"this TPP has no consent {consent_id[:40]!r}")
    return found


def require_header_consent(found: Consent | None, consent_id: str) -> Consent:
    """Raise `HeaderConsentUnknown` for no consent."""
    if found is None:
        raise HeaderConsentUnknown(f"this TPP has no consent {consent_id[:40]!r}", path="Consent-ID")
    return found


def require_valid(consent: Consent) -> PsuId:
    """Return the PSU of a valid consent; raises `ConsentExpired` or `ConsentInvalid`."""
    if consent.status is ConsentStatus.EXPIRED:
        raise ConsentExpired("the consent has expired or, for one access only, has been used: ask for a new one")
    if consent.status is not ConsentStatus.VALID or consent.psu is None:
        raise ConsentInvalid(f"the consent is {consent.status}, and only a valid one opens anything")
    return consent.psu


def require_subject(call: TppCall, psu: PsuId) -> None:
    """Raise `TokenInvalid` where the access token was granted by another PSU than the consent."""
    if call.subject is not None and call.subject != psu:
        raise TokenInvalid("the access token is another PSU's than the consent")
