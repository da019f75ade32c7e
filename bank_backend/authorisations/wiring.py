"""Builds what authorises: which resources, by which approach, signed by whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bank_backend.authorisations.allowance import AskAllowance, BoundedAnnouncer
from bank_backend.authorisations.ask_store import SqlAskStore
from bank_backend.authorisations.confirmations import Confirmations
from bank_backend.authorisations.decoupled import Decoupled
from bank_backend.authorisations.embedded import Embedded
from bank_backend.authorisations.expiry import AuthorisationExpiry
from bank_backend.authorisations.holders import SqlHolderStore
from bank_backend.authorisations.opening_store import SqlOpeningStore
from bank_backend.authorisations.openings import Openings
from bank_backend.authorisations.service import Authorisations
from bank_backend.authorisations.signing import Signing
from bank_backend.authorisations.standing import Standing
from bank_backend.authorisations.updates import Updates
from bank_backend.backchannel.service import Backchannel
from bank_backend.notifications.watched import WatchedAuthorisationStore
from bank_backend.repeats.store import SqlRepeatStore
from bank_backend.schedule.model import TaskKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bank_backend.authorisations.asks import Approvable
    from bank_backend.authorisations.model import ResourceKind
    from bank_backend.authorisations.service import RequireFree
    from bank_backend.authorisations.signing import Announcer
    from bank_backend.foundation import Foundation
    from bank_backend.sca.service import ScaMethods
    from bank_backend.schedule.model import Task
    from psd2.ids import TenantId


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorising:
    """Everything that begins, furthers and ends authorisations."""

    authorisations: Authorisations
    signing: Signing
    openings: Openings
    updates: Updates
    backchannel: Backchannel
    tasks: Mapping[TaskKind, Task]


def create_authorising(
    base: Foundation,
    approvables: Mapping[ResourceKind, Approvable],
    *,
    sca: ScaMethods,
    require_free: RequireFree,
    redirect_uris: Callable[[TenantId], Sequence[str]],
) -> Authorising:
    """Build it; `approvables` are decided on, and `require_free` is asked before an authorisation is started.

    PSUs are sent to the `redirect_uris` that a TPP has registered, beside what its QWAC names.
    """
    authorisations = Authorisations(WatchedAuthorisationStore(base.changes), require_free=require_free)
    decoupled = Decoupled(sca=sca, authorisations=authorisations, holders=SqlHolderStore(), clock=base.clock)
    signing = Signing(
        authorisations=authorisations,
        approvables=approvables,
        holders=SqlHolderStore(),
        announcer=decoupled,
        personalities=base.personalities,
        clock=base.clock,
    )
    # What a TPP asks for. A co-holder is asked by the bank, and the authorization server has a bound of its own.
    allowance = AskAllowance(store=SqlAskStore(), asks=base.settings.decoupled_asks, clock=base.clock)
    bounded = BoundedAnnouncer(decoupled, allowance)
    return Authorising(
        authorisations=authorisations,
        signing=signing,
        openings=_openings(base, authorisations, signing, bounded, redirect_uris),
        updates=_updates(base, authorisations, signing, bounded, sca),
        backchannel=Backchannel(
            database=base.database,
            authorisations=authorisations,
            signing=signing,
            announcer=decoupled,
            psus=base.psus,
            personalities=base.personalities,
            clock=base.clock,
        ),
        tasks={TaskKind.EXPIRE_AUTHORISATION: AuthorisationExpiry(authorisations).run},
    )


def _openings(
    base: Foundation,
    authorisations: Authorisations,
    signing: Signing,
    announcer: Announcer,
    redirect_uris: Callable[[TenantId], Sequence[str]],
) -> Openings:
    return Openings(
        database=base.database,
        store=SqlOpeningStore(),
        authorisations=authorisations,
        signing=signing,
        announcer=announcer,
        psus=base.psus,
        repeats=SqlRepeatStore(),
        redirect_uris=redirect_uris,
        personalities=base.personalities,
        clock=base.clock,
    )


def _updates(
    base: Foundation, authorisations: Authorisations, signing: Signing, announcer: Announcer, sca: ScaMethods
) -> Updates:
    standing = Standing(database=base.database, authorisations=authorisations, clock=base.clock)
    embedded = Embedded(
        database=base.database,
        authorisations=authorisations,
        standing=standing,
        signing=signing,
        holders=SqlHolderStore(),
        passwords=base.psus,
        sca=sca,
        personalities=base.personalities,
        clock=base.clock,
    )
    return Updates(
        database=base.database,
        authorisations=authorisations,
        standing=standing,
        signing=signing,
        announcer=announcer,
        psus=base.psus,
        embedded=embedded,
        confirmations=Confirmations(
            database=base.database, standing=standing, signing=signing, accounts=base.accounts, clock=base.clock
        ),
    )
