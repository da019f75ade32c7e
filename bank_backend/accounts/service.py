"""Finding accounts, and the door that a consent keeps in front of them (BG IG 1.3.8 §6.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from bank_backend.accounts.collections import Collection, shared_ibans
from bank_backend.accounts.model import AccountKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_backend.accounts.model import AccessKind, Account, GrantedAccess
    from bank_backend.calls import TppCall
    from bank_backend.database import Connection, Database
    from psd2.ids import AccountId, PsuId, TenantId


class AccountStore(Protocol):
    """Where accounts are kept. Every question names its tenant: another tenant's account is not there."""

    def held_by(self, connection: Connection, tenant: TenantId, psu: PsuId) -> list[Account]:
        """Return the accounts this PSU holds, alone or with others, in a stable order."""

    def by_ids(self, connection: Connection, tenant: TenantId, account_ids: Sequence[str]) -> list[Account]:
        """Return those of the accounts that exist."""

    def by_iban(self, connection: Connection, tenant: TenantId, iban: str) -> list[Account]:
        """Return the accounts of this IBAN: none, one, or the sub-accounts of a multi-currency account."""


class AccountAccess(Protocol):
    """What a consent says to a call. Implemented by `bank_backend.consents.access.ConsentAccess`."""

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
        """Return what the consent grants. It only reads; `count` then counts the access, before anything is told.

        `account_id` is None for the list of the accounts of a kind (`listed`). `page` names a further page of a list whose
        first page was counted: it is counted for itself, not as another reading of the list, and a one-off consent stays
        open for it that day (BG IG §6.3: pages are one transaction).

        Raises `HeaderConsentUnknown` (no such consent of this TPP), `TokenInvalid` (not the token's), `ConsentInvalid` (not
        valid, or it doesn't cover `access` on `account_id`), `ConsentExpired`, and `ResourceUnknown` where the tenant has
        no account `account_id`.
        """

    def count(self, granted: GrantedAccess) -> None:
        """Count the access against `frequencyPerDay`, outside of other transactions; raises `AccessExceeded`."""


class AccountDirectory:
    """The accounts of every tenant; each question names the tenant it is about.

    Inside a transaction pass its connection, so that no second one is taken.
    """

    def __init__(self, store: AccountStore, database: Database) -> None:
        """Look into `store`, in transactions of `database` where the caller has none."""
        self._store = store
        self._database = database

    def accounts_of(self, tenant: TenantId, psu: PsuId, connection: Connection | None = None) -> list[Account]:
        """Return the accounts this PSU holds, in a stable order."""
        if connection is not None:
            return self._store.held_by(connection, tenant, psu)
        with self._database.reading() as own:
            return self._store.held_by(own, tenant, psu)

    def account(self, tenant: TenantId, account_id: str, connection: Connection | None = None) -> Account | None:
        """Return one account of the tenant, or None: ids of other tenants are not known here."""
        return next(iter(self._by_ids(tenant, [account_id], connection)), None)

    def accounts(
        self, tenant: TenantId, account_ids: Sequence[AccountId], connection: Connection | None = None
    ) -> list[Account]:
        """Return the accounts of these ids, in their order, without those that don't exist."""
        found = {account.id: account for account in self._by_ids(tenant, account_ids, connection)}
        return [found[account_id] for account_id in account_ids if account_id in found]

    def collections(self, connection: Connection, tenant: TenantId, accounts: Sequence[Account]) -> list[Collection]:
        """Return the multi-currency accounts whose sub-accounts are all among these (BG IG §6.2)."""
        ids = {account.id for account in accounts}
        found = [self._store.by_iban(connection, tenant, iban) for iban in shared_ibans(accounts)]
        return [Collection(tuple(members)) for members in found if ids.issuperset(member.id for member in members)]

    def of_iban(self, connection: Connection, tenant: TenantId, iban: str) -> list[Account]:
        """Return the accounts of this IBAN: none, one, or the sub-accounts of a multi-currency account."""
        return self._store.by_iban(connection, tenant, iban)

    def _by_ids(self, tenant: TenantId, account_ids: Sequence[str], connection: Connection | None) -> list[Account]:
        if connection is not None:
            return self._store.by_ids(connection, tenant, account_ids)
        with self._database.reading() as own:
            return self._store.by_ids(own, tenant, account_ids)
