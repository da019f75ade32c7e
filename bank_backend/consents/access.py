"""The door that consents keep in front of account data: valid, covered, not too often (BG IG 1.3.8 §6.5, §13.1)."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Protocol

from bank_backend.accounts.model import AccessKind, AccountKind, GrantedAccess, Tally
from bank_backend.consents.errors import OneAccessUsed
from bank_backend.consents.model import Consent, ConsentStatus
from bank_backend.consents.service import require_header_consent, require_subject, require_valid
from bank_backend.errors import AccessExceeded, ConsentInvalid, ResourceUnknown, TokenInvalid

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bank_backend.accounts.collections import Collection
    from bank_backend.accounts.model import Account, AccountRights
    from bank_backend.calls import TppCall
    from bank_backend.consents.service import ConsentStore
    from bank_backend.database import Connection, Database
    from bank_backend.tenants.clock import TenantClock
    from psd2.ids import AccountId, PsuId, TenantId

_ONCE = "once"
# What the list of each kind of accounts is counted as: two lists, at two addresses.
_LISTS: Final = {AccountKind.PAYMENT: "", AccountKind.CARD: "cards"}


class AccountsOfPsu(Protocol):
    """The part of the account directory that consents need."""

    def accounts_of(self, tenant: TenantId, psu: PsuId, connection: Connection | None = None) -> Sequence[Account]:
        """Return the accounts this PSU holds, in a stable order."""

    def account(self, tenant: TenantId, account_id: str, connection: Connection | None = None) -> Account | None:
        """Return one account of the tenant, or None."""

    def accounts(
        self, tenant: TenantId, account_ids: Sequence[AccountId], connection: Connection | None = None
    ) -> Sequence[Account]:
        """Return the accounts of these ids."""

    def collections(self, connection: Connection, tenant: TenantId, accounts: Sequence[Account]) -> Sequence[Collection]:
        """Return the multi-currency accounts whose sub-accounts are all among these."""


class ConsentAccess:
    """Judges calls by consents: implements `bank_backend.accounts.service.AccountAccess`."""

    def __init__(
        self,
        *,
        database: Database,
        store: ConsentStore,
        accounts: AccountsOfPsu,
        clock: TenantClock,
    ) -> None:
        """Judge by the consents in `store`."""
        self._database = database
        self._store = store
        self._accounts = accounts
        self._clock = clock

    def require_access(
        self,
        connection: Connection,
        call: TppCall,
        *,
        consent_id: str,
        access: AccessKind,
        account_id: str | None,
        page: str | None = None,
        listed: AccountKind = AccountKind.PAYMENT,
    ) -> GrantedAccess:
        """Return what the consent grants; raises as `AccountAccess` says."""
        now = self._clock.now(call.tenant, connection)
        consent = require_header_consent(self._store.find(connection, call.tenant, consent_id), consent_id)
        _require_token(call, consent)
        _require_not_narrowed(call, access)
        valid, reading = consent.settled(now), f"{access}:{account_id or _LISTS[listed]}"
        if page is not None and reading in self._store.readings(connection, valid.id, day=_day(valid, now)):
            reading = f"{reading}:{_short(page)}"
            valid = _open_for_pages(valid, now)
        psu = require_valid(valid)
        require_subject(call, psu)
        rights = _narrowed(call, self._rights(connection, valid, psu))
        granted = GrantedAccess(consent_id=valid.id, tenant=call.tenant, psu=psu, rights=rights, now=now)
        if account_id is not None and granted.on(account_id) is None:
            granted = self._with_collections(connection, granted)
        self._require_covered(connection, granted, access, account_id)
        is_free = valid.recurring and call.psu_present
        return granted if is_free else replace(granted, tally=_tally(valid, granted, reading))

    def count(self, granted: GrantedAccess) -> None:
        """Count the access; what nobody is watching is limited (BG IG §6.5), and a one-off consent is used once."""
        tally = granted.tally
        if tally is None:
            return
        with self._database.writing() as connection:
            if not tally.recurring:
                # One reading at a time: two different last ones must not each take the other for still to come.
                self._store.find_locked(connection, granted.tenant, granted.consent_id)
            if not self._store.count_use(connection, granted.consent_id, tally.reading, day=tally.day, most=tally.most):
                raise _exceeded(tally)
            if not tally.recurring and self._is_used_up(connection, granted):
                self._expire(connection, granted)

    def _rights(self, connection: Connection, consent: Consent, psu: PsuId) -> tuple[AccountRights, ...]:
        if consent.rights is not None:
            return consent.rights
        access, held = consent.access, self._accounts.accounts_of(consent.tenant, psu, connection)
        return tuple(access.rights_on(account) for account in held if access.admits(account))

    def _with_collections(self, connection: Connection, granted: GrantedAccess) -> GrantedAccess:
        """Return the access with that on the multi-currency accounts whose every sub-account is covered (BG IG §6.2)."""
        covered = self._accounts.accounts(granted.tenant, [right.account_id for right in granted.rights], connection)
        whole = self._accounts.collections(connection, granted.tenant, covered)
        return replace(granted, rights=(*granted.rights, *(one.rights(granted.rights) for one in whole)))

    def _require_covered(
        self, connection: Connection, granted: GrantedAccess, access: AccessKind, account_id: str | None
    ) -> None:
        if account_id is None:
            return
        right = granted.on(account_id)
        if right is None and self._accounts.account(granted.tenant, account_id, connection) is None:
            raise ResourceUnknown(f"there is no account {account_id[:40]!r}")
        if right is None or not right.cover(access):
            raise ConsentInvalid(f"this consent does not cover {access} of this account")

    def _is_used_up(self, connection: Connection, granted: GrantedAccess) -> bool:
        listed = self._accounts.accounts(granted.tenant, [right.account_id for right in granted.rights], connection)
        wanted = _all_readings(granted, {account.kind for account in listed})
        return wanted <= self._store.readings(connection, granted.consent_id, day=_ONCE)

    def _expire(self, connection: Connection, granted: GrantedAccess) -> None:
        locked = self._store.find_locked(connection, granted.tenant, granted.consent_id)
        if locked is not None and locked.status is ConsentStatus.VALID:
            self._store.save(connection, locked.moved(ConsentStatus.EXPIRED, on=granted.now.date()))


def _require_token(call: TppCall, consent: Consent) -> None:
    """Raise `TokenInvalid` unless the token is for this consent, or none came where none is needed (BG IG §13.1)."""
    if not call.is_granted(f"AIS:{consent.id}"):
        text = "the access token was granted for another consent: present the token of the consent in Consent-ID"
        raise TokenInvalid(text, path="Consent-ID")


def _require_not_narrowed(call: TppCall, access: AccessKind) -> None:
    """Raise `TokenInvalid` for what the consent may grant and the token's own client did not want (RFC 9396 §6)."""
    kinds = call.narrowed_to
    if kinds is not None and access is not AccessKind.ACCOUNTS and access not in kinds:
        raise TokenInvalid(f"the access token was narrowed to {', '.join(sorted(kinds))}: fetch another for {access}")


def _narrowed(call: TppCall, rights: tuple[AccountRights, ...]) -> tuple[AccountRights, ...]:
    """Return what is left of the consent's rights under this token, also where data comes along with other data."""
    kinds = call.narrowed_to
    if kinds is None:
        return rights
    balances, transactions = AccessKind.BALANCES in kinds, AccessKind.TRANSACTIONS in kinds
    return tuple(
        replace(each, balances=each.balances and balances, transactions=each.transactions and transactions) for each in rights
    )


def _tally(consent: Consent, granted: GrantedAccess, reading: str) -> Tally:
    day = _day(consent, granted.now)
    return Tally(reading=reading, day=day, most=consent.frequency_per_day, recurring=consent.recurring)


def _day(consent: Consent, now: datetime) -> str:
    return now.date().isoformat() if consent.recurring else _ONCE


def _short(page: str) -> str:
    return hashlib.sha256(page.encode()).hexdigest()[:32]


def _open_for_pages(consent: Consent, now: datetime) -> Consent:
    """Return a one-off consent that its last list used up today as still valid: pages belong to their list (BG IG §6)."""
    is_used_up_today = consent.status is ConsentStatus.EXPIRED and consent.last_action == now.date() <= consent.valid_until
    return replace(consent, status=ConsentStatus.VALID) if is_used_up_today and not consent.recurring else consent


def _all_readings(granted: GrantedAccess, kinds: set[AccountKind]) -> set[str]:
    """Return every reading a one-off consent is good for; of bare lists that of each kind of accounts that there is."""
    balances = {f"{AccessKind.BALANCES}:{right.account_id}" for right in granted.rights if right.balances}
    transactions = {f"{AccessKind.TRANSACTIONS}:{right.account_id}" for right in granted.rights if right.transactions}
    lists = {f"{AccessKind.ACCOUNTS}:{_LISTS[kind]}" for kind in kinds or {AccountKind.PAYMENT}}
    return (balances | transactions) or lists


def _exceeded(tally: Tally) -> AccessExceeded:
    what = tally.reading.split(":", maxsplit=1)[0]
    if not tally.recurring:
        return OneAccessUsed(f"this consent is for one access, and its {what} have been read")
    times = f"{tally.most} a day"
    return AccessExceeded(
        f"the {what} have been read {times} without the PSU, as consented: wait for tomorrow (UTC) or read with PSU-IP-Address"
    )
