"""A PSU's decision on a basket is one on each of its members, in one transaction (BG IG 1.3.8 §4.6, §8)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias

from bank_backend.authorisations.asks import Approval
from bank_backend.authorisations.model import ResourceKind
from bank_backend.baskets.ask import BasketAsk, accounts_of
from bank_backend.baskets.model import BasketStatus
from bank_backend.database import Connection
from bank_backend.errors import ResourceUnknown, StatusInvalid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bank_backend.accounts.model import Account
    from bank_backend.authorisations.asks import Approvable, Ask
    from bank_backend.baskets.model import Basket, Member
    from bank_backend.baskets.service import BasketStore
    from psd2.ids import TenantId

AccountLock: TypeAlias = Callable[[Connection, Sequence[Approval], datetime], None]


class BasketApproval:
    """Baskets as something to approve: implements `bank_backend.authorisations.asks.Approvable`."""

    def __init__(self, *, store: BasketStore, members: Mapping[ResourceKind, Approvable], lock_accounts: AccountLock) -> None:
        """Decide on the baskets in `store`, and with them on `members`, their payments' accounts locked before."""
        self._store = store
        self._members = members
        self._lock_accounts = lock_accounts

    def ask(self, connection: Connection, *, tenant: TenantId, resource: str, now: datetime) -> BasketAsk:
        """Return what is asked; raises `ResourceUnknown` or `StatusInvalid`."""
        basket = _required(self._store.find(connection, tenant, resource), resource, now)
        if not basket.is_undecided:
            raise StatusInvalid(f"the signing basket is {basket.status}: there is nothing to decide any more")
        waiting = self._waiting(connection, basket, now)
        if not waiting:
            raise StatusInvalid("nothing in the signing basket waits for a decision any more")
        return BasketAsk(tuple(ask for _, ask in waiting))

    def approve(self, connection: Connection, approval: Approval) -> None:
        """Approve each member that still waits; what then becomes of a payment is its own."""
        basket = self._require(connection, approval.tenant, approval.resource, approval.at)
        for kind, own in self._approvals(connection, basket, approval):
            self._members[kind].approve(connection, own)
        self._store.save(connection, replace(basket.moved(BasketStatus.ACTC), psu=approval.psu))

    def partially_approve(self, connection: Connection, approval: Approval) -> None:
        """Note a signature of several; a member that needs no more than these is approved with it (BG IG §4.6)."""
        basket = self._require(connection, approval.tenant, approval.resource, approval.at)
        for kind, own in self._approvals(connection, basket, approval):
            if len(approval.signatories) >= _signatures(own.accounts):
                self._members[kind].approve(connection, own)
            else:
                self._members[kind].partially_approve(connection, own)
        self._store.save(connection, replace(basket.moved(BasketStatus.PATC), psu=approval.psu))

    def reject(self, connection: Connection, *, tenant: TenantId, resource: str, now: datetime) -> None:
        """Turn the basket down, and with it whatever in it is undecided: the PSU has refused what it was shown."""
        basket = self._require(connection, tenant, resource, now)
        for member, _ in self._waiting(connection, basket, now):
            with suppress(StatusInvalid):
                self._members[member.kind].reject(connection, tenant=tenant, resource=member.resource, now=now)
        self._store.save(connection, basket.moved(BasketStatus.RJCT))

    def setback(self, connection: Connection, *, tenant: TenantId, resource: str) -> str:
        """Return why members that were approved came to nothing; empty where none did."""
        basket = self._store.find(connection, tenant, resource)
        texts = [
            self._members[member.kind].setback(connection, tenant=tenant, resource=member.resource)
            for member in (basket.members if basket is not None else ())
        ]
        return "; ".join(dict.fromkeys(text for text in texts if text))

    def _approvals(self, connection: Connection, basket: Basket, approval: Approval) -> list[tuple[ResourceKind, Approval]]:
        """Return the approval of each member that waits, the accounts of all payments locked.

        Each payment locks its own accounts in order: two baskets that pay back and forth would wait for each other.
        """
        waiting = self._waiting(connection, basket, approval.at)
        approvals = [(member.kind, _of_member(approval, member, ask)) for member, ask in waiting]
        payments = [own for kind, own in approvals if kind is ResourceKind.PIS]
        self._lock_accounts(connection, payments, approval.at)
        return approvals

    def _waiting(self, connection: Connection, basket: Basket, now: datetime) -> list[tuple[Member, Ask]]:
        """Return the members that wait for a PSU: a TPP may have withdrawn one, and one may have run out of time."""
        waiting: list[tuple[Member, Ask]] = []
        for member in basket.members:
            with suppress(StatusInvalid):
                approvable = self._members[member.kind]
                waiting.append((member, approvable.ask(connection, tenant=basket.tenant, resource=member.resource, now=now)))
        return waiting

    def _require(self, connection: Connection, tenant: TenantId, resource: str, now: datetime) -> Basket:
        return _required(self._store.find_locked(connection, tenant, resource), resource, now)


def _of_member(approval: Approval, member: Member, ask: Ask) -> Approval:
    return replace(approval, resource=member.resource, accounts=accounts_of(ask, approval.accounts))


def _signatures(accounts: Sequence[Account]) -> int:
    return max((account.signatures_required for account in accounts), default=1)


def _required(found: Basket | None, resource: str, now: datetime) -> Basket:
    if found is None:
        raise ResourceUnknown(f"this TPP has no signing basket {resource[:40]!r}")
    return found.settled(now)
