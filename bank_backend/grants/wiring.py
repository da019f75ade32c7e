"""Builds what the authorization server makes, reads and ends at the bank."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bank_backend.authorisations.model import ResourceKind
from bank_backend.authorisations.service import Authorisations
from bank_backend.grants.ending import Ending
from bank_backend.grants.granting import Granting
from bank_backend.grants.making import Making
from bank_backend.grants.views import Views
from bank_backend.notifications.watched import WatchedAuthorisationStore

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bank_backend.authorisations.asks import Approvable
    from bank_backend.consents.service import Consents
    from bank_backend.foundation import Foundation
    from bank_backend.funds.service import FundsConsents
    from bank_backend.interactions.service import Interactions
    from bank_backend.payments.service import Payments


@dataclass(frozen=True, slots=True, kw_only=True)
class Grants:
    """Making, telling and ending them."""

    making: Making
    views: Views
    ending: Ending


def create_grants(
    base: Foundation,
    approvables: Mapping[ResourceKind, Approvable],
    *,
    consents: Consents,
    payments: Payments,
    funds: FundsConsents,
) -> Grants:
    """Build them on the services that TPPs use themselves."""
    ending = Ending(
        database=base.database,
        authorisations=Authorisations(WatchedAuthorisationStore(base.changes)),
        approvables=approvables,
        terminating={ResourceKind.AIS: consents, ResourceKind.PIIS: funds},
        schedule=base.schedule,
        clock=base.clock,
    )
    making = Making(consents=consents, payments=payments, funds=funds, personalities=base.personalities, clock=base.clock)
    return Grants(making=making, views=Views(consents=consents, payments=payments, funds=funds), ending=ending)


def create_granting(base: Foundation, grants: Grants, interactions: Interactions) -> Granting:
    """Build what does all of it in one transaction."""
    return Granting(
        database=base.database, making=grants.making, ending=grants.ending, views=grants.views, interactions=interactions
    )
