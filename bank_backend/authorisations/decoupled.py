"""The decoupled approach: what a PSU is asked appears in its bank app (BG IG 1.3.8 §5.1.7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from bank_backend.authorisations.asks import chosen_accounts
from bank_backend.authorisations.model import ScaStatus
from bank_backend.errors import FieldsInvalid, PsuLocked, StatusInvalid
from bank_backend.sca.errors import TooManyCodes
from bank_backend.sca.model import MethodType, Recipient

if TYPE_CHECKING:
    from datetime import datetime

    from bank_backend.authorisations.asks import Ask
    from bank_backend.authorisations.model import Authorisation
    from bank_backend.authorisations.service import Authorisations
    from bank_backend.authorisations.signing import HolderStore
    from bank_backend.database import Connection
    from bank_backend.sca.model import Challenge, ScaMethod
    from bank_backend.tenants.clock import TenantClock
    from psd2.ids import PsuId, TenantId


class Pushes(Protocol):
    """The part of strong customer authentication that the decoupled approach needs."""

    def offered(self, connection: Connection, tenant: TenantId, psu: PsuId) -> tuple[ScaMethod, ...]:
        """Return the PSU's methods, in its order."""

    def start(self, connection: Connection, recipient: Recipient, *, method: str, statement: str, now: datetime) -> Challenge:
        """Start a challenge; raises `ScaMethodUnknown`, `TooManyCodes`, `PsuLocked`."""


class Decoupled:
    """Sends what waits to the bank app; the rest happens there."""

    def __init__(self, *, sca: Pushes, authorisations: Authorisations, holders: HolderStore, clock: TenantClock) -> None:
        """Push by `sca`."""
        self._sca = sca
        self._authorisations = authorisations
        self._holders = holders
        self._clock = clock

    def announce(self, connection: Connection, authorisation: Authorisation, ask: Ask) -> Authorisation:
        """Push the request to the PSU's app; where the PSU can't approve it, the authorisation has failed.

        A TPP is not told which: whose an account is, and who is locked, is between the bank and its customer.
        """
        try:
            self._push(connection, authorisation, ask)
        except (FieldsInvalid, PsuLocked, TooManyCodes, StatusInvalid):
            return self._authorisations.save(connection, authorisation.moved(ScaStatus.FAILED))
        return authorisation

    def _push(self, connection: Connection, authorisation: Authorisation, ask: Ask) -> None:
        if authorisation.psu is None:
            raise StatusInvalid("nobody is known yet whom the request could be sent to")
        tenant, psu = authorisation.tenant, authorisation.psu
        accounts = chosen_accounts(ask, self._holders.held_by(connection, tenant, psu), None)
        statement = ask.statement(self._holders.tpp(connection, tenant).name, accounts)
        method = next((each for each in self._sca.offered(connection, tenant, psu) if each.type is MethodType.PUSH), None)
        if method is None:
            raise StatusInvalid("this PSU has no bank app")
        recipient = Recipient(authorisation=authorisation.id, tenant=tenant, psu=psu)
        now = self._clock.now(tenant, connection)
        self._sca.start(connection, recipient, method=method.id, statement=statement, now=now)
