"""Finding accounts, and the door that a consent keeps in front of them (BG IG 1.3.8 §6.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_backend.accounts.model import AccessKind, Account, GrantedAccess
    from bank_backend.calls import TppCall
    from psd2.ids import AccountId, PsuId, TenantId


class AccountStore(Protocol):
    """Where accounts are kept. Every question names its tenant: another tenant's account is not there."""

    def held_by(self, tenant: TenantId, psu: PsuId) -> list[Account]:
        """Return the accounts this PSU holds, alone or with others, in a stable order."""

    def by_id(self, tenant: TenantId, account_id: str) -> Account | None:
        """Return one account, or None."""

    def by_ids(self, tenant: TenantId, account_ids: Sequence[str]) -> list[Account]:
        """Return those of the accounts that exist."""


class AccountAccess(Protocol):
    """What a consent says to a call. Implemented by `bank_backend.consents.service.ConsentAccess`."""

    def require_access(
        self, call: TppCall, *, consent_id: str, access: AccessKind, account_id: str | None, page: str | None = None
    ) -> GrantedAccess:
        """Return what the consent grants and count the access against `frequencyPerDay`.

        `account_id` is None for the list of accounts. `page` names a further page of a list whose first page was counted:
        it is counted for itself, not as another reading of the list, and a one-off consent stays open for it that day
        (BG IG §6.3: pages are one transaction).

        Raises `HeaderConsentUnknown` (no such consent of this TPP), `TokenInvalid` (not the token's), `ConsentInvalid` (not
        valid, or it doesn't cover `access` on `account_id`), `ConsentExpired`, `AccessExceeded`, and `ResourceUnknown` where
        the tenant has no account `account_id`.
        """


class AccountDirectory:
    """The accounts of every tenant; each question names the tenant it is about."""

    def __init__(self, store: AccountStore) -> None:
        """Look into `store`."""
        self._store = store

    def accounts_of(self, tenant: TenantId, psu: PsuId) -> list[Account]:
        """Return the accounts this PSU holds, in a stable order."""
        return self._store.held_by(tenant, psu)

    def account(self, tenant: TenantId, account_id: str) -> Account | None:
        """Return one account of the tenant, or None: ids of other tenants are not known here."""
        return self._store.by_id(tenant, account_id)

    def accounts(self, tenant: TenantId, account_ids: Sequence[AccountId]) -> list[Account]:
        """Return the accounts of these ids, in their order, without those that don't exist."""
        found = {account.id: account for account in self._store.by_ids(tenant, account_ids)}
        return [found[account_id] for account_id in account_ids if account_id in found]
