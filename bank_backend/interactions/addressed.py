"""Deciding headlessly on what an address names: the page of `scaRedirect`, or an authorisation resource (architecture §3.2)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, urlsplit

from bank_backend.authorisations.asks import chosen_accounts
from bank_backend.errors import FieldsInvalid, PsuUnknown
from bank_backend.interactions.errors import InteractionUnknown

if TYPE_CHECKING:
    from bank_backend.authorisations.model import Authorisation
    from bank_backend.authorisations.service import Authorisations
    from bank_backend.authorisations.signing import HolderStore, Signing
    from bank_backend.database import Database
    from bank_backend.interactions.service import Customers, Interactions
    from bank_backend.interactions.wire import HeadlessDecision
    from bank_backend.tenants.clock import TenantClock
    from psd2.ids import TenantId

_ID: Final = r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
_PAGE: Final = re.compile(rf"/psu/authorisations/{_ID}")
_RESOURCE: Final = re.compile(rf"/v[12]/.+/([^/]+)/(?:cancellation-)?authorisations/{_ID}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a decision: where a browser would go on, if one was meant, and the authorisation's status."""

    redirect: str | None
    authorisation: Authorisation


class AddressedDecisions:
    """Decides for the TPP whose authorisation it is; another's is as unknown as none."""

    def __init__(
        self,
        *,
        database: Database,
        interactions: Interactions,
        authorisations: Authorisations,
        signing: Signing,
        holders: HolderStore,
        customers: Customers,
        clock: TenantClock,
    ) -> None:
        """Enter visits by `interactions`, sign by `signing`."""
        self._database = database
        self._interactions = interactions
        self._authorisations = authorisations
        self._signing = signing
        self._holders = holders
        self._customers = customers
        self._clock = clock

    def decide(self, tenant: TenantId, address: str, decision: HeadlessDecision) -> Outcome:
        """Decide on what the address names; raises `InteractionUnknown`, `PsuUnknown`, `FieldsInvalid`, `StatusInvalid`."""
        parts = urlsplit(address)
        if page := _PAGE.fullmatch(parts.path):
            authorisation = self._own(tenant, page[1])
            state = parse_qs(parts.query).get("state", [None])[0]
            visit = self._interactions.enter(authorisation.id, state=state)
            decided = self._interactions.decide(visit.id, decision)
            return Outcome(redirect=decided.return_url, authorisation=self._own(tenant, authorisation.id))
        resource = _RESOURCE.fullmatch(parts.path)
        if resource is None:
            raise FieldsInvalid({"url": "must be an authorization URL, a scaRedirect link, or the address of an authorisation"})
        authorisation = self._own(tenant, resource[2])
        if authorisation.resource != resource[1]:
            raise _unknown()
        return Outcome(redirect=None, authorisation=self._decided(authorisation, decision))

    def _own(self, tenant: TenantId, authorisation_id: str) -> Authorisation:
        with self._database.reading() as connection:
            found = self._authorisations.found(connection, authorisation_id)
        if found is None or found.tenant != tenant:
            raise _unknown()
        return found

    def _decided(self, authorisation: Authorisation, decision: HeadlessDecision) -> Authorisation:
        psu = self._customers.psu(authorisation.tenant, decision.psu)
        if psu is None:
            raise PsuUnknown(f"the bank has no PSU {decision.psu[:40]!r} for this TPP", path="psu")
        with self._database.writing() as connection:
            now = self._clock.now(authorisation.tenant, connection)
            pending = self._signing.pending(connection, authorisation.id)
            if pending.authorisation.psu not in {None, psu.id}:
                raise FieldsInvalid({"psu": f"the authorisation is another PSU's: {pending.authorisation.psu}"})
            if not decision.approves:
                return self._signing.refuse(connection, authorisation.id, psu=psu.id, at=now, headless=True)
            held = self._holders.held_by(connection, authorisation.tenant, psu.id)
            accounts = chosen_accounts(pending.ask, held, decision.accounts)
            return self._signing.sign(connection, authorisation.id, psu=psu.id, accounts=accounts, at=now, headless=True)


def _unknown() -> InteractionUnknown:
    return InteractionUnknown("there is no such authorisation of this TPP: take the address from the answer that started it")
