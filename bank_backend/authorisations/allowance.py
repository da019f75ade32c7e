"""How often a TPP may have a PSU asked in its bank app: who does not say yes is not asked over and over until it does.

Each ask is a push. A yes gives it back, and so does time; more than the app's page shows never waits. Logins are one
TPP's own in its own bank, so nobody is kept from asking by what another TPP has asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from bank_backend.authorisations.errors import AskedTooOften
from bank_backend.sca.model import PUSH_LIFETIME

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bank_backend.authorisations.asks import Ask
    from bank_backend.authorisations.model import Authorisation
    from bank_backend.authorisations.signing import Announcer
    from bank_backend.database import Connection
    from bank_backend.tenants.clock import TenantClock
    from psd2.ids import PsuId, TenantId

# As many as the bank app's page shows.
MOST_WAITING: Final = 50


class AskStore(Protocol):
    """What a PSU was asked in its bank app; each call works inside the caller's transaction."""

    def lock(self, connection: Connection, tenant: TenantId, psu: PsuId) -> None:
        """Let the transactions that ask one PSU go one after the other."""

    def asked_since(
        self, connection: Connection, tenant: TenantId, psu: PsuId, since: datetime, *, most: int
    ) -> Sequence[datetime]:
        """Return when it was asked, without its having said yes, newest first."""

    def waiting(self, connection: Connection, tenant: TenantId, psu: PsuId, now: datetime, *, most: int) -> int:
        """Return how many requests wait in its app now, counting no further than `most`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskAllowance:
    """Judges whether a PSU may be asked once more: `asks` without a yes within a push's lifetime, by the tenant's time."""

    store: AskStore
    asks: int
    clock: TenantClock

    def require(self, connection: Connection, tenant: TenantId, psu: PsuId) -> None:
        """Raise `AskedTooOften` for one ask too many. The request itself waits already, and is not pushed yet."""
        self.store.lock(connection, tenant, psu)
        now = self.clock.now(tenant, connection)
        asked = self.store.asked_since(connection, tenant, psu, now - PUSH_LIFETIME, most=self.asks)
        if len(asked) >= self.asks:
            raise AskedTooOften.of_late(self.asks, until=asked[-1] + PUSH_LIFETIME)
        if self.store.waiting(connection, tenant, psu, now, most=MOST_WAITING + 1) > MOST_WAITING:
            raise AskedTooOften.while_waiting(MOST_WAITING)


class BoundedAnnouncer:
    """Announces what a TPP wants announced, as often as it may."""

    def __init__(self, announcer: Announcer, allowance: AskAllowance) -> None:
        """Push by `announcer`."""
        self._announcer = announcer
        self._allowance = allowance

    def announce(self, connection: Connection, authorisation: Authorisation, ask: Ask) -> Authorisation:
        """Tell the PSU what waits for it; raises `AskedTooOften`, and then nobody is asked and nothing is kept."""
        if authorisation.psu is not None:
            self._allowance.require(connection, authorisation.tenant, authorisation.psu)
        return self._announcer.announce(connection, authorisation, ask)
