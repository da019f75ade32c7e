"""Builds signing baskets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_backend.authorisations.model import ResourceKind
from bank_backend.baskets.approval import BasketApproval
from bank_backend.baskets.service import Baskets, Membership
from bank_backend.baskets.store import SqlBasketStore

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bank_backend.authorisations.asks import Approvable
    from bank_backend.authorisations.service import Authorisations
    from bank_backend.authorisations.signing import Signing
    from bank_backend.database import Database
    from bank_backend.tenants.clock import TenantClock

_GROUPED = (ResourceKind.PIS, ResourceKind.AIS)


def create_membership(clock: TenantClock) -> Membership:
    """Build what keeps members from being authorised on their own."""
    return Membership(store=SqlBasketStore(), clock=clock)


def with_baskets(approvables: Mapping[ResourceKind, Approvable], store: SqlBasketStore) -> dict[ResourceKind, Approvable]:
    """Return `approvables` with baskets of them."""
    members = {kind: approvables[kind] for kind in _GROUPED}
    return {**approvables, ResourceKind.BASKET: BasketApproval(store=store, members=members)}


def create_baskets(
    database: Database, store: SqlBasketStore, *, authorisations: Authorisations, signing: Signing, clock: TenantClock
) -> Baskets:
    """Build what TPPs do with baskets."""
    return Baskets(
        database=database,
        store=store,
        membership=create_membership(clock),
        authorisations=authorisations,
        signing=signing,
        clock=clock,
    )
