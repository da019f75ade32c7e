"""Grants from what is wanted to what was decided, in one transaction: all of it is kept, or nothing (RFC 9396 §7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from bank_backend.errors import BankError

if TYPE_CHECKING:
    from bank_backend.database import Connection, Database
    from bank_backend.grants.ending import Ending
    from bank_backend.grants.making import Making
    from bank_backend.grants.views import Views
    from bank_backend.grants.wire import GrantRequest, GrantView
    from bank_backend.interactions.model import Interaction
    from bank_backend.interactions.service import Interactions
    from bank_backend.interactions.wire import HeadlessDecision

DECISION: Final = "decision"


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """What was made, the visit that is paid to it, and what was approved in that, as it stands; None where nothing was."""

    resource: str
    visit: Interaction | None = None
    view: GrantView | None = None

    @property
    def told(self) -> dict[str, Any] | None:
        """What was approved, in the Berlin Group's words."""
        return None if self.view is None else self.view.told

    @property
    def is_open(self) -> bool:
        """Whether somebody has still to decide on it, or to confirm that."""
        return self.visit is None or self.visit.is_pending or (self.view is not None and self.view.is_untouched)


class Granting:
    """Makes what a PSU is to grant, puts it before it, and decides in its place where that is wanted."""

    def __init__(self, *, database: Database, making: Making, ending: Ending, views: Views, interactions: Interactions) -> None:
        """Do it by these."""
        self._database = database
        self._making = making
        self._ending = ending
        self._views = views
        self._interactions = interactions

    def grant(self, wanted: GrantRequest) -> Granted:
        """Do it; raises what each of its parts raises, a refused decision as `refused`."""
        make = self._making.read(wanted)
        with self._database.writing() as connection:
            granted = self._put(connection, wanted, make(connection))
            if granted.is_open:
                self._ending.plan(connection, wanted.tenant, wanted.kind, granted.resource)
            return granted

    def _put(self, connection: Connection, wanted: GrantRequest, resource: str) -> Granted:
        visit = wanted.visit_to(resource)
        if visit is None:
            return Granted(resource=resource)
        begun = self._interactions.begin_first(connection, visit)
        if wanted.decision is None:
            return Granted(resource=resource, visit=begun)
        decided = self._decided(connection, begun, wanted.decision)
        return Granted(resource=resource, visit=decided, view=self._views.granted_by(decided, within=connection))

    def _decided(self, connection: Connection, begun: Interaction, decision: HeadlessDecision) -> Interaction:
        try:
            return self._interactions.decided(connection, begun, decision)
        except BankError as error:
            error.refused = DECISION
            raise
