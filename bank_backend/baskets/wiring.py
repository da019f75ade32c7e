"""Builds signing baskets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_backend.authorisations.model import ResourceKind
from bank_backend.baskets.approval import BasketApproval
from bank_backend.baskets.expiry import BasketExpiry
from bank_backend.baskets.service import Baskets, Membership
from bank_backend.baskets.store import SqlBasketStore
from bank_backend.notifications.watched import WatchedBasketStore

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bank_backend.authorisations.asks import Approvable
    from bank_backend.authorisations.wiring import Authorising
    from bank_backend.baskets.approval import AccountLock
    from bank_backend.foundation import Foundation
    from bank_backend.tenants.clock import TenantClock

_GROUPED = (ResourceKind.PIS, ResourceKind.AIS)


def create_membership(clock: TenantClock) -> Membership:
    """Build what keeps members from being authorised on their own."""
    return Membership(store=SqlBasketStore(), clock=clock)


def with_baskets(
    base: Foundation, approvables: Mapping[ResourceKind, Approvable], lock_accounts: AccountLock
) -> dict[ResourceKind, Approvable]:
    """Return `approvables` with baskets of them; `lock_accounts` locks those of several payments in the one order."""
    members = {kind: approvables[kind] for kind in _GROUPED}
    baskets = BasketApproval(store=WatchedBasketStore(base.changes), members=members, lock_accounts=lock_accounts)
    return {**approvables, ResourceKind.BASKET: baskets}


def create_basket_expiry(base: Foundation) -> BasketExpiry:
    """Build what ends baskets that nobody decides on."""
    return BasketExpiry(WatchedBasketStore(base.changes), schedule=base.schedule)


def create_baskets(base: Foundation, authorising: Authorising, expiry: BasketExpiry) -> Baskets:
    """Build what TPPs do with baskets."""
    return Baskets(
        database=base.database,
        store=WatchedBasketStore(base.changes),
        expiry=expiry,
        membership=create_membership(base.clock),
        authorisations=authorising.authorisations,
        signing=authorising.signing,
        clock=base.clock,
    )
