"""What a TPP may read of accounts and card accounts: the consent is asked first, then the books (BG IG 1.3.8 §6.5, §6.6)."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bank_backend.accounts.invoices import CardBalances, last_billing_day
from bank_backend.accounts.model import AccessKind, Account, AccountKind, AccountRights
from bank_backend.errors import ConsentInvalid, ResourceUnknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from bank_backend.accounts.card_books import CardBooks
    from bank_backend.accounts.model import GrantedAccess
    from bank_backend.accounts.service import AccountAccess, AccountDirectory
    from bank_backend.calls import TppCall
    from bank_backend.database import Connection, Database
    from bank_backend.ledger.model import Balances
    from bank_backend.ledger.service import Ledger
    from psd2.ids import AccountId


@dataclass(frozen=True, slots=True)
class AccountView:
    """An account as a consent shows it.

    `balances` is None where they were not asked for or not granted; a collection has several. `linked` are the accounts that
    belong to it and are shown beside it: the card accounts that are paid from it.
    """

    account: Account
    rights: AccountRights
    members: tuple[Account, ...]
    balances: tuple[Balances | CardBalances, ...] | None = None
    linked: tuple[Account, ...] = ()


@dataclass(frozen=True, slots=True)
class Entrance:
    """A call that a consent has let in: what is read for it is read in this transaction, by this time."""

    connection: Connection
    granted: GrantedAccess
    access: AccessKind

    @property
    def today(self) -> date:
        """The bank's day."""
        return self.granted.now.date()


class AccountInformation:
    """Answers what is asked of accounts, each question after asking the consent exactly once."""

    def __init__(
        self,
        *,
        access: AccountAccess,
        accounts: AccountDirectory,
        ledger: Ledger,
        card_books: CardBooks,
        database: Database,
    ) -> None:
        """Ask `access`, then read the others."""
        self._access = access
        self._accounts = accounts
        self._ledger = ledger
        self._card_books = card_books
        self._database = database

    def accounts(self, call: TppCall, kind: AccountKind, *, consent_id: str, with_balance: bool) -> list[AccountView]:
        """Return exactly the accounts of this kind that the consent covers; raises what `AccountAccess` raises."""
        with self.entered(call, AccessKind.ACCOUNTS, None, consent_id=consent_id, listed=kind) as entrance:
            views = self._views(entrance, kind)
            if not with_balance:
                return views
            balances = self._balances(entrance, [one for view in views if view.rights.balances for one in view.members])
        return [_with_balances(view, balances) for view in views]

    def account(self, call: TppCall, kind: AccountKind, account_id: str, *, consent_id: str, with_balance: bool) -> AccountView:
        """Return one account; raises what `AccountAccess` raises, and `ResourceUnknown`."""
        with self.entered(call, AccessKind.ACCOUNTS, account_id, consent_id=consent_id) as entrance:
            view = self.view(entrance, kind, account_id)
            if not (with_balance and view.rights.balances):
                return view
            return _with_balances(view, self._balances(entrance, view.members))

    def balances(self, call: TppCall, kind: AccountKind, account_id: str, *, consent_id: str) -> AccountView:
        """Return an account with its balances; raises what `AccountAccess` raises, and `ResourceUnknown`."""
        with self.entered(call, AccessKind.BALANCES, account_id, consent_id=consent_id) as entrance:
            view = self.view(entrance, kind, account_id)
            return self.with_balances(entrance, view)

    @contextmanager
    def entered(
        self,
        call: TppCall,
        access: AccessKind,
        account_id: str | None,
        *,
        consent_id: str,
        page: str | None = None,
        listed: AccountKind = AccountKind.PAYMENT,
    ) -> Iterator[Entrance]:
        """Let the call in to read; the access is counted when the block has ended well, before anything is told."""
        with self._database.reading() as connection:
            granted = self._access.require_access(
                connection, call, consent_id=consent_id, access=access, account_id=account_id, page=page, listed=listed
            )
            yield Entrance(connection, granted, access)
        self._access.count(granted)

    def view(self, entrance: Entrance, kind: AccountKind, account_id: str) -> AccountView:
        """Return the account that the call was let in for; raises `ResourceUnknown`, `ConsentInvalid`."""
        granted = entrance.granted
        account, rights = self._accounts.account(granted.tenant, account_id, entrance.connection), granted.on(account_id)
        if account is None and rights is not None:
            return self._collection_view(entrance, account_id)
        if account is None or account.kind is not kind:
            raise ResourceUnknown(f"account {account_id[:40]!r} is unknown here: take a resourceId from the account list")
        # The consent has said so already; nothing is read on the strength of one check only.
        if rights is None or not rights.cover(entrance.access):
            raise ConsentInvalid(f"the consent does not grant {entrance.access} on this account")
        return AccountView(account, rights, (account,))

    def with_balances(self, entrance: Entrance, view: AccountView) -> AccountView:
        """Return the view with its balances; raises `ConsentInvalid` where the consent does not grant them."""
        if not view.rights.balances:
            raise ConsentInvalid("the consent does not grant balances on this account")
        return _with_balances(view, self._balances(entrance, view.members))

    def _views(self, entrance: Entrance, kind: AccountKind) -> list[AccountView]:
        granted, connection = entrance.granted, entrance.connection
        rights = {right.account_id: right for right in granted.rights}
        covered = self._accounts.accounts(granted.tenant, list(rights), connection)
        shown = [account for account in covered if account.kind is kind]
        views = [AccountView(account, rights[account.id], (account,), linked=_linked(account, covered)) for account in shown]
        for collection in self._accounts.collections(connection, granted.tenant, shown):
            view = AccountView(collection.account, collection.rights(granted.rights), collection.members)
            place = next(place for place, one in enumerate(shown) if one.iban == view.account.iban)
            # The whole stands before its parts (BG IG §6.5.1, example 3).
            views.insert(place, view)
            shown.insert(place, view.account)
        return views

    def _collection_view(self, entrance: Entrance, collection_id: str) -> AccountView:
        granted, connection = entrance.granted, entrance.connection
        covered = self._accounts.accounts(granted.tenant, [right.account_id for right in granted.rights], connection)
        for collection in self._accounts.collections(connection, granted.tenant, covered):
            rights = collection.rights(granted.rights)
            if collection.account.id == collection_id and rights.cover(entrance.access):
                return AccountView(collection.account, rights, collection.members)
        raise ResourceUnknown(f"account {collection_id[:40]!r} is unknown here: take a resourceId from the account list")

    def _balances(self, entrance: Entrance, accounts: Sequence[Account]) -> Mapping[AccountId, Balances | CardBalances]:
        if not accounts:
            return {}
        connection, tenant, today = entrance.connection, entrance.granted.tenant, entrance.today
        ids = list(dict.fromkeys(account.id for account in accounts))
        books = self._ledger.balances_of(connection, tenant, ids, today=today)
        return {
            account.id: self._card_balances(entrance, account, books[account.id]) if account.is_card else books[account.id]
            for account in accounts
        }

    def _card_balances(self, entrance: Entrance, account: Account, book: Balances) -> CardBalances:
        invoiced_on = last_billing_day(entrance.today, account)
        owed = self._card_books.owed(entrance.connection, account, invoiced_on)
        return CardBalances(book=book, invoiced_on=invoiced_on, invoiced_minor=owed)


def _with_balances(view: AccountView, balances: Mapping[AccountId, Balances | CardBalances]) -> AccountView:
    if not view.rights.balances:
        return view
    of_members = tuple(balances[member.id] for member in view.members)
    return AccountView(view.account, view.rights, view.members, of_members, view.linked)


def _linked(account: Account, covered: Sequence[Account]) -> tuple[Account, ...]:
    return tuple(one for one in covered if one.settles_with == account.id)
