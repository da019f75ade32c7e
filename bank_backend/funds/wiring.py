"""Builds the confirmation of funds: its consents, what PSUs decide on them, what ends them, the answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bank_backend.authorisations.model import ResourceKind
from bank_backend.authorisations.service import Authorisations
from bank_backend.funds.approval import FundsApproval
from bank_backend.funds.service import FundsConfirmations, FundsConsents
from bank_backend.funds.store import SqlFundsConsentStore
from bank_backend.ledger.exchange import RATES
from bank_backend.notifications.watched import WatchedAuthorisationStore
from bank_backend.repeats.store import SqlRepeatStore
from bank_backend.schedule.model import TaskKind

if TYPE_CHECKING:
    from bank_backend.authorisations.asks import Approvable
    from bank_backend.foundation import Foundation
    from bank_backend.schedule.model import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class FundsParts:
    """All that the bank has of the confirmation of funds."""

    consents: FundsConsents
    confirmations: FundsConfirmations
    approvables: dict[ResourceKind, Approvable]
    tasks: dict[TaskKind, Task]


def create_funds(base: Foundation) -> FundsParts:
    """Build it, in transactions of the bank's database."""
    store = SqlFundsConsentStore()
    consents = FundsConsents(
        database=base.database,
        store=store,
        schedule=base.schedule,
        authorisations=Authorisations(WatchedAuthorisationStore(base.changes)),
        repeats=SqlRepeatStore(),
        clock=base.clock,
    )
    return FundsParts(
        consents=consents,
        confirmations=FundsConfirmations(
            database=base.database,
            store=store,
            accounts=base.accounts,
            ledger=base.ledger,
            rates=RATES,
            clock=base.clock,
        ),
        approvables={ResourceKind.PIIS: FundsApproval(store)},
        tasks={TaskKind.EXPIRE_FUNDS_CONSENT: consents.expire},
    )
