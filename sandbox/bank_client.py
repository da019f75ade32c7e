"""The bank's tenants as the register sees them (architecture §3.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

from sandbox.answers import require_accepted

if TYPE_CHECKING:
    from chassis.peers import PeerSession
    from sandbox.tpps.model import Tpp

_PEER = "bank"
# Making a tenant seeds 13 months of transactions.
_SEED_SECONDS = (2.0, 30.0)


class Bank(Protocol):
    """What this side tells the bank; each call raises `PeerUnavailable` or `PeerRefused`."""

    def put_tenant(self, tpp: Tpp) -> list[dict[str, Any]]:
        """Make the TPP's tenant unless it exists, and return its personas; safe to repeat."""


class BankOverTheWire:
    """The real one."""

    def __init__(self, session: PeerSession) -> None:
        """Call over this session."""
        self._session = session

    def put_tenant(self, tpp: Tpp) -> list[dict[str, Any]]:
        """Make the TPP's tenant unless it exists, and return its personas; safe to repeat."""
        number = tpp.authorisation_number
        body: dict[str, object] = {"name": tpp.organisation, "country": number.country, "roles": sorted(tpp.roles)}
        if tpp.seed is not None:
            body["seed"] = tpp.seed
        path = f"/internal/tenants/{quote(str(number), safe='')}"
        document = require_accepted(_PEER, self._session.put(path, json=body, timeout=_SEED_SECONDS))
        personas: list[dict[str, Any]] = document.get("personas", [])
        return personas
