"""How an interaction ends: the one code path behind the pages' buttons and the headless endpoint."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from bank_backend.authorisations.addresses import with_query
from bank_backend.errors import StatusInvalid
from bank_backend.interactions.errors import InteractionOver, InteractionUnknown
from bank_backend.interactions.model import Interaction, InteractionStatus

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bank_backend.accounts.model import Account
    from bank_backend.authorisations.asks import Approvable, Ask
    from bank_backend.authorisations.model import Authorisation, ResourceKind
    from bank_backend.authorisations.signing import Signing
    from bank_backend.database import Connection
    from bank_backend.tenants.clock import TenantClock
    from psd2.ids import PsuId, TenantId


class InteractionStore(Protocol):
    """Where interactions are kept; each call works inside the caller's transaction."""

    def add(self, connection: Connection, interaction: Interaction) -> None:
        """Write a new interaction."""

    def save(self, connection: Connection, interaction: Interaction) -> bool:
        """Write the new state over the old one unless somebody has decided meanwhile; tell whether it was written."""

    def find(self, connection: Connection, interaction_id: str) -> Interaction | None:
        """Return the interaction, or None."""

    def find_locked(self, connection: Connection, interaction_id: str) -> Interaction | None:
        """Return the interaction, locked until the transaction ends, or None."""

    def pending_of(self, connection: Connection, tenant: TenantId, kind: ResourceKind, resource: str) -> list[Interaction]:
        """Return the visits to a resource that have not ended; one caller at a time for a resource."""


class Decisions:
    """Ends interactions: interaction, authorisation and resource change in one transaction, or not at all."""

    def __init__(
        self,
        *,
        store: InteractionStore,
        signing: Signing,
        approvables: Mapping[ResourceKind, Approvable],
        clock: TenantClock,
    ) -> None:
        """Decide on `approvables`, one for each kind of resource, by each tenant's time."""
        self._store = store
        self._signing = signing
        self._approvables = approvables
        self._clock = clock

    def require_pending(self, connection: Connection, interaction_id: str) -> Interaction:
        """Return the interaction, locked; raises `InteractionUnknown`, or `InteractionOver` where it has ended."""
        found = require_interaction(self._store.find_locked(connection, interaction_id), interaction_id)
        return require_pending(found, self._clock.now(found.tenant, connection))

    def ask(self, connection: Connection, interaction: Interaction, now: datetime) -> Ask:
        """Return what the PSU is asked; raises `ResourceUnknown` or `StatusInvalid`."""
        approvable = self._approvables[interaction.kind]
        return approvable.ask(connection, tenant=interaction.tenant, resource=interaction.resource, now=now)

    def setback(self, connection: Connection, interaction: Interaction) -> str:
        """Return why what was approved came to nothing, in words for the PSU; empty where it did not."""
        approvable = self._approvables[interaction.kind]
        return approvable.setback(connection, tenant=interaction.tenant, resource=interaction.resource)

    def approve(
        self,
        connection: Connection,
        interaction: Interaction,
        *,
        psu: PsuId,
        accounts: tuple[Account, ...],
        at: datetime,
        headless: bool,
    ) -> Interaction:
        """Approve for these accounts."""
        signed = self._signing.sign(connection, interaction.authorisation, psu=psu, accounts=accounts, at=at, headless=headless)
        chosen = tuple(account.id for account in accounts)
        decided = replace(interaction, psu=psu, accounts=chosen, headless=headless, return_url=_way_back(interaction, signed))
        return self._end(connection, decided, InteractionStatus.APPROVED, at)

    def reject(
        self, connection: Connection, interaction: Interaction, *, psu: PsuId | None, at: datetime, headless: bool
    ) -> Interaction:
        """Turn the request down: the PSU refused, with or without having logged in.

        One that the TPP has withdrawn is turned down as well; a visit to what others have signed is closed only.
        """
        status = InteractionStatus.REJECTED
        try:
            self._signing.refuse(connection, interaction.authorisation, psu=psu, at=at, headless=headless)
        except StatusInvalid:
            if self._signing.is_signed(connection, interaction.authorisation):
                status = InteractionStatus.EXPIRED
        return self._end(connection, replace(interaction, psu=psu, headless=headless), status, at)

    def fail(self, connection: Connection, interaction: Interaction, *, at: datetime) -> Interaction:
        """Close the request because the PSU could not prove who it is; nothing is left to try again with."""
        # Withdrawn or decided elsewhere meanwhile: the visit ends all the same.
        with suppress(StatusInvalid):
            self._signing.refuse(connection, interaction.authorisation, psu=interaction.psu, at=at)
        return self._end(connection, interaction, InteractionStatus.FAILED, at)

    def expire(self, connection: Connection, interaction: Interaction, *, at: datetime) -> Interaction:
        """End a visit that another one replaces, or that has nothing left to decide; its resource stays as it is."""
        return self._end(connection, interaction, InteractionStatus.EXPIRED, at)

    def _end(self, connection: Connection, interaction: Interaction, to: InteractionStatus, at: datetime) -> Interaction:
        ended = interaction.ended(to, at=at)
        self.save(connection, ended)
        return ended

    def save(self, connection: Connection, interaction: Interaction) -> None:
        """Write the new state; raises `InteractionOver` where somebody has decided meanwhile."""
        if not self._store.save(connection, interaction):
            raise InteractionOver("this request has been decided meanwhile: it is decided once")


def require_interaction(found: Interaction | None, interaction_id: str) -> Interaction:
    """Raise `InteractionUnknown` for no interaction."""
    if found is None:
        raise InteractionUnknown(f"there is no request {interaction_id[:40]!r}: it may have been mistyped")
    return found


def require_pending(found: Interaction, now: datetime) -> Interaction:
    """Return a visit as it stands; raises `InteractionOver` where it has ended."""
    interaction = found.settled(now)
    if not interaction.is_pending:
        raise InteractionOver(f"this request is {interaction.status}: it is decided once")
    return interaction


def _way_back(interaction: Interaction, signed: Authorisation) -> str:
    """Return where the browser goes on: to a TPP that has to confirm, with the code to do it with (BG IG §7.6.2)."""
    is_to_tpp = signed.return_url is not None and interaction.return_url.startswith(signed.return_url)
    if signed.confirmation_code is None or not is_to_tpp:
        return interaction.return_url
    return with_query(interaction.return_url, confirmationCode=signed.confirmation_code)
