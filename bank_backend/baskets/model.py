"""A signing basket: what it groups, and its states (BG IG 1.3.8 §8, §14.13)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from bank_backend.states import StateMachine

if TYPE_CHECKING:
    from datetime import datetime

    from bank_backend.authorisations.model import ResourceKind
    from psd2.ids import PsuId, TenantId

# What no PSU has authorised by then is rejected, as its members are.
AUTHORISATION_WINDOW = timedelta(hours=24)
# A PSU reads all of it, and a message holds it.
MOST_MEMBERS = 20


class BasketStatus(StrEnum):
    """The ISO 20022 codes that a basket passes (BG IG §8.3)."""

    RCVD = "RCVD"
    PATC = "PATC"
    ACTC = "ACTC"
    RJCT = "RJCT"
    CANC = "CANC"


_S = BasketStatus
BASKET_STATES: StateMachine[BasketStatus] = StateMachine(
    "signing basket",
    {
        _S.RCVD: frozenset({_S.PATC, _S.ACTC, _S.RJCT, _S.CANC}),
        # A basket that has been signed by one of several can't be deleted any more (BG IG §8.5).
        _S.PATC: frozenset({_S.PATC, _S.ACTC, _S.RJCT}),
        _S.ACTC: frozenset(),
        _S.RJCT: frozenset(),
        _S.CANC: frozenset(),
    },
)


@dataclass(frozen=True, slots=True)
class Member:
    """A payment or a consent in a basket."""

    kind: ResourceKind
    resource: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Basket:
    """A basket; `members` in the order in which the TPP named them, payments first."""

    id: str
    tenant: TenantId
    x_request_id: str
    request_digest: str
    members: tuple[Member, ...]
    status: BasketStatus
    psu: PsuId | None
    received_at: datetime

    @property
    def decide_by(self) -> datetime:
        """From when on it is too late to authorise it."""
        return self.received_at + AUTHORISATION_WINDOW

    @property
    def is_undecided(self) -> bool:
        """Whether it still waits for a PSU."""
        return not BASKET_STATES.is_final(self.status)

    def of_kind(self, kind: ResourceKind) -> list[str]:
        """Return the ids of its members of one kind."""
        return [member.resource for member in self.members if member.kind is kind]

    def moved(self, to: BasketStatus) -> Basket:
        """Return the basket in its next state; raises `IllegalMove`."""
        BASKET_STATES.require_move(self.status, to=to)
        return replace(self, status=to)

    def settled(self, now: datetime) -> Basket:
        """Return the basket as time alone has made it: rejected when nobody authorised it."""
        is_late = self.is_undecided and now >= self.decide_by
        return self.moved(BasketStatus.RJCT) if is_late else self
