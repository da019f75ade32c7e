"""Consents from receipt to their end, and the door they keep in front of account data (BG IG 1.3.8 §6)."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from bank_backend.accounts.model import AccessKind, GrantedAccess
from bank_backend.authorisations.model import ResourceKind
from bank_backend.consents.model import Consent, ConsentStatus
from bank_backend.errors import (
    AccessExceeded,
    ConsentExpired,
    ConsentInvalid,
    ConsentUnknown,
    HeaderConsentUnknown,
    ResourceUnknown,
    TokenInvalid,
)
from psd2.ids import ConsentId, new_uuid

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bank_backend.accounts.model import Account, AccountRights
    from bank_backend.authorisations.model import Authorisation
    from bank_backend.authorisations.service import Authorisations
    from bank_backend.calls import TppCall
    from bank_backend.consents.wire import ConsentRequest
    from bank_backend.database import Connection, Database
    from bank_backend.tenants.clock import TenantClock
    from psd2.ids import PsuId, TenantId

_ONCE = "once"


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

    def valid_recurring(self, connection: Connection, tenant: TenantId, psu: PsuId) -> list[Consent]:
        """Return the recurring consents of this PSU for this TPP that are valid; one caller at a time for a PSU."""

    def count_use(self, connection: Connection, consent_id: ConsentId, reading: str, *, day: str, most: int) -> bool:
        """Count one reading unless that would pass `most`; tell whether it was counted."""

    def readings(self, connection: Connection, consent_id: ConsentId, *, day: str) -> set[str]:
        """Return what has been read under one day's count."""


class AccountsOfPsu(Protocol):
    """The part of the account directory that consents need."""

    def accounts_of(self, tenant: TenantId, psu: PsuId) -> Sequence[Account]:
        """Return the accounts this PSU holds, in a stable order."""

    def account(self, tenant: TenantId, account_id: str) -> Account | None:
        """Return one account of the tenant, or None."""


class Consents:
    """What TPPs do with consents; approving them is `consents.approval`'s."""

    def __init__(self, *, database: Database, store: ConsentStore, authorisations: Authorisations, clock: TenantClock) -> None:
        """Keep consents in `store`, in transactions of `database`."""
        self._database = database
        self._store = store
        self._authorisations = authorisations
        self._clock = clock

    def create(
        self, tenant: TenantId, request: ConsentRequest, *, start_authorisation: bool
    ) -> tuple[Consent, Authorisation | None]:
        """Receive a consent; its authorisation is started along with it unless the TPP prefers to start it itself."""
        now = self._clock.now(tenant)
        consent = Consent(
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
        )
        with self._database.writing() as connection:
            self._store.add(connection, consent)
            if not start_authorisation:
                return consent, None
            return consent, self._authorisations.start(
                connection, tenant=tenant, kind=ResourceKind.AIS, resource=consent.id, now=now
            )

    def consent(self, tenant: TenantId, consent_id: str) -> Consent:
        """Return the TPP's consent as it stands now; raises `ConsentUnknown`."""
        with self._database.reading() as connection:
            found = require_consent(self._store.find(connection, tenant, consent_id), consent_id)
            return found.settled(self._clock.now(tenant, connection))

    def terminate(self, tenant: TenantId, consent_id: str) -> None:
        """End a consent at the TPP's wish; a second time changes nothing. Raises `ConsentUnknown`, `IllegalMove`."""
        now = self._clock.now(tenant)
        with self._database.writing() as connection:
            found = require_consent(self._store.find_locked(connection, tenant, consent_id), consent_id).settled(now)
            if found.status is not ConsentStatus.TERMINATED_BY_TPP:
                self._store.save(connection, found.moved(ConsentStatus.TERMINATED_BY_TPP, on=now.date()))


def require_consent(found: Consent | None, consent_id: str) -> Consent:
    """Raise `ConsentUnknown` for no consent: another TPP's is as unknown as one never made."""
    if found is None:
        raise ConsentUnknown(f"this TPP has no consent {consent_id[:40]!r}")
    return found


class ConsentAccess:
    """The door in front of account data: implements `bank_backend.accounts.service.AccountAccess`."""

    def __init__(self, *, database: Database, store: ConsentStore, accounts: AccountsOfPsu, clock: TenantClock) -> None:
        """Judge by the consents in `store`."""
        self._database = database
        self._store = store
        self._accounts = accounts
        self._clock = clock

    def require_access(
        self, call: TppCall, *, consent_id: str, access: AccessKind, account_id: str | None, page: str | None = None
    ) -> GrantedAccess:
        """Return what the consent grants, and count the access; raises as `AccountAccess` says."""
        now = self._clock.now(call.tenant)
        reading = f"{access}:{account_id or ''}"
        with self._database.reading() as connection:
            consent = _require_presentable(self._store.find(connection, call.tenant, consent_id), call, consent_id)
            valid = consent.settled(now)
            if page is not None and reading in self._store.readings(connection, valid.id, day=_day(valid, now)):
                reading = f"{reading}:{_short(page)}"
                valid = _open_for_pages(valid, now)
        psu = require_valid(valid)
        _require_subject(call, psu)
        granted = GrantedAccess(consent_id=valid.id, psu=psu, rights=self._rights(valid, psu))
        self._require_covered(call.tenant, granted, access, account_id)
        if not (valid.recurring and call.psu_present):
            self._count(valid, granted, reading, now)
        return granted

    def _rights(self, consent: Consent, psu: PsuId) -> tuple[AccountRights, ...]:
        if consent.rights is not None:
            return consent.rights
        return tuple(consent.access.rights_on(account) for account in self._accounts.accounts_of(consent.tenant, psu))

    def _require_covered(self, tenant: TenantId, granted: GrantedAccess, access: AccessKind, account_id: str | None) -> None:
        if account_id is None:
            return
        right = granted.on(account_id)
        if right is None and self._accounts.account(tenant, account_id) is None:
            raise ResourceUnknown(f"there is no account {account_id[:40]!r}")
        if right is None or not _allows(right, access):
            raise ConsentInvalid(f"this consent does not cover {access} of this account")

    def _count(self, consent: Consent, granted: GrantedAccess, reading: str, now: datetime) -> None:
        """Count the access; what nobody is watching is limited (BG IG §6.5), and a one-off consent is used once."""
        with self._database.writing() as connection:
            if not consent.recurring:
                # One reading at a time: two different last ones must not each take the other for still to come.
                self._store.find_locked(connection, consent.tenant, consent.id)
            counted = self._store.count_use(
                connection, consent.id, reading, day=_day(consent, now), most=consent.frequency_per_day
            )
            if not counted:
                raise AccessExceeded(_exceeded(consent, reading))
            if not consent.recurring and self._is_used_up(connection, granted):
                self._expire(connection, consent, now)

    def _is_used_up(self, connection: Connection, granted: GrantedAccess) -> bool:
        return _all_readings(granted) <= self._store.readings(connection, granted.consent_id, day=_ONCE)

    def _expire(self, connection: Connection, consent: Consent, now: datetime) -> None:
        locked = self._store.find_locked(connection, consent.tenant, consent.id)
        if locked is not None and locked.status is ConsentStatus.VALID:
            self._store.save(connection, locked.moved(ConsentStatus.EXPIRED, on=now.date()))


def _require_presentable(consent: Consent | None, call: TppCall, consent_id: str) -> Consent:
    """Raise unless the consent is this TPP's and the one that the token was granted for (BG IG §13.1)."""
    if consent is None:
        raise HeaderConsentUnknown(f"this TPP has no consent {consent_id[:40]!r}", path="Consent-ID")
    if not call.is_granted(f"AIS:{consent.id}"):
        text = "the access token was granted for another consent: present the token of the consent in Consent-ID"
        raise TokenInvalid(text, path="Consent-ID")
    return consent


def require_valid(consent: Consent) -> PsuId:
    """Return the PSU of a valid consent; raises `ConsentExpired` or `ConsentInvalid`."""
    if consent.status is ConsentStatus.EXPIRED:
        raise ConsentExpired("the consent has expired or, for one access only, has been used: ask for a new one")
    if consent.status is not ConsentStatus.VALID or consent.psu is None:
        raise ConsentInvalid(f"the consent is {consent.status}, and only a valid one opens anything")
    return consent.psu


def _day(consent: Consent, now: datetime) -> str:
    return now.date().isoformat() if consent.recurring else _ONCE


def _short(page: str) -> str:
    return hashlib.sha256(page.encode()).hexdigest()[:32]


def _open_for_pages(consent: Consent, now: datetime) -> Consent:
    """Return a one-off consent that its last list used up today as still valid: pages belong to their list (BG IG §6)."""
    is_used_up_today = consent.status is ConsentStatus.EXPIRED and consent.last_action == now.date() <= consent.valid_until
    return replace(consent, status=ConsentStatus.VALID) if is_used_up_today and not consent.recurring else consent


def _require_subject(call: TppCall, psu: PsuId) -> None:
    if call.subject is not None and call.subject != psu:
        raise TokenInvalid("the access token is another PSU's than the consent")


def _allows(right: AccountRights, access: AccessKind) -> bool:
    if access is AccessKind.BALANCES:
        return right.balances
    return right.transactions if access is AccessKind.TRANSACTIONS else True


def _all_readings(granted: GrantedAccess) -> set[str]:
    """Return every reading a one-off consent is good for; a bare list of accounts is one reading."""
    balances = {f"{AccessKind.BALANCES}:{right.account_id}" for right in granted.rights if right.balances}
    transactions = {f"{AccessKind.TRANSACTIONS}:{right.account_id}" for right in granted.rights if right.transactions}
    return (balances | transactions) or {f"{AccessKind.ACCOUNTS}:"}


def _exceeded(consent: Consent, reading: str) -> str:
    what = reading.split(":", maxsplit=1)[0]
    if not consent.recurring:
        return f"this consent is for one access, and its {what} have been read"
    times = f"{consent.frequency_per_day} a day"
    return (
        f"the {what} have been read {times} without the PSU, as consented: wait for tomorrow (UTC) or read with PSU-IP-Address"
    )
