"""Builds consents: what TPPs do with them, what they open, what PSUs decide, what ends them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bank_backend.authorisations.model import ResourceKind
from bank_backend.authorisations.service import Authorisations
from bank_backend.consents.access import ConsentAccess
from bank_backend.consents.approval import ConsentApproval
from bank_backend.consents.expiry import ConsentExpiry
from bank_backend.consents.service import Consents
from bank_backend.notifications.watched import WatchedAuthorisationStore, WatchedConsentStore
from bank_backend.repeats.store import SqlRepeatStore
from bank_backend.schedule.model import TaskKind

if TYPE_CHECKING:
    from bank_backend.authorisations.asks import Approvable
    from bank_backend.foundation import Foundation
    from bank_backend.schedule.model import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentParts:
    """All that the bank has of consents to account information."""

    consents: Consents
    access: ConsentAccess
    approvables: dict[ResourceKind, Approvable]
    tasks: dict[TaskKind, Task]


def create_consents(base: Foundation) -> ConsentParts:
    """Build them, in transactions of the bank's database."""
    store = WatchedConsentStore(base.changes)
    expiry = ConsentExpiry(store, schedule=base.schedule)
    return ConsentParts(
        consents=Consents(
            database=base.database,
            store=store,
            expiry=expiry,
            authorisations=Authorisations(WatchedAuthorisationStore(base.changes)),
            repeats=SqlRepeatStore(),
            clock=base.clock,
        ),
        access=ConsentAccess(database=base.database, store=store, accounts=base.accounts, clock=base.clock),
        approvables={ResourceKind.AIS: ConsentApproval(store, expiry=expiry)},
        tasks={TaskKind.EXPIRE_CONSENT: expiry.run},
    )
