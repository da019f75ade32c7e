"""How a resource is decided: signed by as many PSUs as its accounts ask for, or refused by one (BG IG 1.3.8 §5.8, §6.3.4).

Authorisation and resource change in one transaction, for a payment together with the ledger.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from bank_backend.authorisations.asks import AccountChoice, Approval
from bank_backend.authorisations.errors import AlreadySigned
from bank_backend.authorisations.model import CONFIRMATION_WINDOW, SIGNED, ScaStatus
from bank_backend.authorisations.service import Start
from bank_backend.errors import StatusInvalid
from bank_backend.personalities.model import ScaApproach
from bank_backend.states import IllegalMove
from psd2.ids import new_secret

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from bank_backend.accounts.model import Account
    from bank_backend.authorisations.asks import Approvable, Ask
    from bank_backend.authorisations.model import Authorisation, ResourceKind
    from bank_backend.authorisations.service import Authorisations
    from bank_backend.database import Connection
    from bank_backend.personalities.model import Personality
    from bank_backend.references import AccountReference
    from bank_backend.tenants.clock import TenantClock
    from bank_backend.tenants.model import Tenant
    from psd2.ids import PsuId, TenantId

_REDIRECTS = frozenset({ScaApproach.OAUTH, ScaApproach.REDIRECT})


class HolderStore(Protocol):
    """Who holds accounts, how many of the holders must agree, who asks; each call works inside the caller's transaction."""

    def held_by(self, connection: Connection, tenant: TenantId, psu: PsuId) -> list[Account]:
        """Return the accounts that a PSU holds, in its order."""

    def tpp(self, connection: Connection, tenant: TenantId) -> Tenant:
        """Return the TPP that asks: the tenant is its own."""

    def co_holders(self, connection: Connection, tenant: TenantId, account_ids: Sequence[str]) -> list[PsuId]:
        """Return the PSUs that hold all of the accounts, in a stable order."""

    def signatures_for(self, connection: Connection, tenant: TenantId, references: Sequence[AccountReference]) -> int:
        """Return how many signatures the accounts that a TPP names need; 1 where none of them is known."""


class Announcer(Protocol):
    """The way to the PSU's bank app."""

    def announce(self, connection: Connection, authorisation: Authorisation, ask: Ask) -> Authorisation:
        """Tell the PSU of a decoupled authorisation what waits for it; returns the authorisation, failed where it can't be."""


class PersonalityOf(Protocol):
    """Which personality a tenant's bank has."""

    def of(self, tenant: TenantId, connection: Connection | None = None) -> Personality:
        """Return it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """What waits for a PSU: the authorisation, what is asked, and by whom."""

    authorisation: Authorisation
    ask: Ask
    tpp: Tenant


class Signing:
    """Signs and refuses; every call works inside the caller's writing transaction."""

    def __init__(
        self,
        *,
        authorisations: Authorisations,
        approvables: Mapping[ResourceKind, Approvable],
        holders: HolderStore,
        announcer: Announcer,
        personalities: PersonalityOf,
        clock: TenantClock,
    ) -> None:
        """Decide on `approvables`, one for each kind of resource, by each tenant's time."""
        self._authorisations = authorisations
        self._approvables = approvables
        self._holders = holders
        self._announcer = announcer
        self._personalities = personalities
        self._clock = clock

    def can_decide(self, kind: ResourceKind) -> bool:
        """Whether resources of this kind are decided on at all."""
        return kind in self._approvables

    def tpp(self, connection: Connection, tenant: TenantId) -> Tenant:
        """Return the TPP that asks: the tenant is its own."""
        return self._holders.tpp(connection, tenant)

    def ask(self, connection: Connection, authorisation: Authorisation) -> Ask:
        """Return what is asked; raises `ResourceUnknown`, or `StatusInvalid` where nothing is to be decided any more."""
        now = self._clock.now(authorisation.tenant, connection)
        approvable = self._approvables[authorisation.kind]
        return approvable.ask(connection, tenant=authorisation.tenant, resource=authorisation.resource, now=now)

    def ask_of(self, connection: Connection, *, tenant: TenantId, kind: ResourceKind, resource: str) -> Ask | None:
        """Return what is asked about a resource; None where nothing is to be decided any more. Raises `ResourceUnknown`."""
        now = self._clock.now(tenant, connection)
        try:
            return self._approvables[kind].ask(connection, tenant=tenant, resource=resource, now=now)
        except StatusInvalid:
            return None

    def pending(self, connection: Connection, authorisation_id: str) -> Pending:
        """Return what waits under an authorisation, both locked; raises `StatusInvalid` where it is over."""
        found = self._authorisations.locked(connection, authorisation_id)
        authorisation = _require_open(found.settled(self._clock.now(found.tenant, connection)))
        ask = self.ask(connection, authorisation)
        return Pending(authorisation=authorisation, ask=ask, tpp=self._holders.tpp(connection, found.tenant))

    def waiting_for(self, connection: Connection, tenant: TenantId, psu: PsuId, *, most: int | None = None) -> list[Pending]:
        """Return what a PSU has to decide away from the TPP: decoupled authorisations that are its own, oldest first.

        No more than `most` of them; None: all.
        """
        now = self._clock.now(tenant, connection)
        found = self._authorisations.open_of_psu(connection, tenant=tenant, psu=psu, now=now, most=most)
        tpp = self._holders.tpp(connection, tenant)
        waiting = []
        for each in found:
            # What has been decided elsewhere, or withdrawn, waits for nobody.
            with suppress(StatusInvalid):
                waiting.append(Pending(authorisation=each, ask=self.ask(connection, each), tpp=tpp))
        return waiting

    def is_shared(self, connection: Connection, *, tenant: TenantId, kind: ResourceKind, resource: str) -> bool:
        """Whether several PSUs have to sign, as far as it can be told before one of them is known."""
        now = self._clock.now(tenant, connection)
        ask = self._approvables[kind].ask(connection, tenant=tenant, resource=resource, now=now)
        if not ask.references or not self._personalities.of(tenant, connection).multilevel:
            return False
        return self._holders.signatures_for(connection, tenant, ask.references) > 1

    def require_new_signatory(self, connection: Connection, authorisation: Authorisation, psu: PsuId) -> None:
        """Raise `AlreadySigned` for who has signed the resource under another authorisation."""
        self._others_than(connection, authorisation, psu)

    def _others_than(self, connection: Connection, authorisation: Authorisation, psu: PsuId | None) -> list[Authorisation]:
        """Return the resource's other authorisations; raises `AlreadySigned` where this PSU has signed under one of them."""
        others = self._authorisations.others(connection, authorisation)
        if psu in _signatories(others):
            raise AlreadySigned("this PSU has signed already: the signature that is missing is another holder's")
        return others

    def sign(
        self,
        connection: Connection,
        authorisation_id: str,
        *,
        psu: PsuId,
        accounts: tuple[Account, ...],
        at: datetime,
        headless: bool = False,
    ) -> Authorisation:
        """Sign for these accounts; where the bank wants a redirect confirmed, wait for the TPP's confirmation (§7.6).

        Raises `AlreadySigned`, and `StatusInvalid` where the authorisation is over.
        """
        known = _require_open(self._authorisations.locked(connection, authorisation_id).settled(at))
        others = self._others_than(connection, known, psu)
        known = replace(known, accounts=tuple(account.id for account in accounts))
        if self._personalities.of(known.tenant, connection).confirmation and known.approach in _REDIRECTS:
            waiting = self._authorisations.finish(known, psu=psu, headless=headless, to=ScaStatus.UNCONFIRMED)
            unconfirmed = replace(waiting, confirmation_code=new_secret(24), expires_at=at + CONFIRMATION_WINDOW)
            return self._authorisations.save(connection, unconfirmed)
        signed = self._authorisations.finish(known, psu=psu, headless=headless, to=ScaStatus.FINALISED)
        return self._signed(connection, signed, accounts, at, others=others)

    def confirm(
        self, connection: Connection, unconfirmed: Authorisation, *, accounts: tuple[Account, ...], at: datetime
    ) -> Authorisation:
        """Let the signature of a locked authorisation count, now that the TPP has confirmed it; raises `AlreadySigned`."""
        # Two redirects of one PSU may both have waited for this: only the first of them is a signature.
        others = self._others_than(connection, unconfirmed, unconfirmed.psu)
        signed = replace(unconfirmed.moved(ScaStatus.FINALISED), confirmation_code=None)
        return self._signed(connection, signed, accounts, at, others=others)

    def exempt(
        self, connection: Connection, locked: Authorisation, *, psu: PsuId, accounts: tuple[Account, ...], at: datetime
    ) -> Authorisation:
        """Approve without a second factor what the bank exempts from SCA (RTS 2018/389 Art. 16)."""
        others = self._others_than(connection, locked, psu)
        exempted = replace(locked.moved(ScaStatus.EXEMPTED), psu=psu, accounts=tuple(account.id for account in accounts))
        return self._signed(connection, exempted, accounts, at, others=others)

    def refuse(
        self, connection: Connection, authorisation_id: str, *, psu: PsuId | None, at: datetime, headless: bool = False
    ) -> Authorisation:
        """Turn the resource down: one PSU's no ends it for all. Raises `StatusInvalid` where the authorisation is over."""
        known = _require_open(self._authorisations.locked(connection, authorisation_id).settled(at))
        # The TPP may have withdrawn its request meanwhile: then there is nothing left to turn down.
        with suppress(IllegalMove):
            self._approvables[known.kind].reject(connection, tenant=known.tenant, resource=known.resource, now=at)
        self._authorisations.end_open(connection, self._authorisations.others(connection, known))
        refused = replace(known.moved(ScaStatus.FAILED), psu=psu or known.psu, headless=headless)
        return self._authorisations.save(connection, refused)

    def is_signed(self, connection: Connection, authorisation_id: str) -> bool:
        """Whether any PSU has signed the resource of an authorisation, under this one or another."""
        known = self._authorisations.locked(connection, authorisation_id)
        return known.status in SIGNED or bool(_signatories(self._authorisations.others(connection, known)))

    def fail(self, connection: Connection, authorisation: Authorisation) -> Authorisation:
        """End one locked authorisation because the PSU could not prove who it is; its resource stays open (BG IG §7.3)."""
        return self._authorisations.save(connection, authorisation.moved(ScaStatus.FAILED))

    def _signed(
        self,
        connection: Connection,
        signed: Authorisation,
        accounts: tuple[Account, ...],
        at: datetime,
        *,
        others: Sequence[Authorisation],
    ) -> Authorisation:
        ask = self.ask(connection, signed)
        signatories = (*_signatories(others), *([signed.psu] if signed.psu else []))
        approval = Approval(
            tenant=signed.tenant,
            resource=signed.resource,
            psu=signatories[0],
            accounts=accounts,
            at=at,
            signatories=signatories,
        )
        saved = self._authorisations.save(connection, signed)
        if len(signatories) >= self._required(connection, ask, signed.tenant, accounts):
            self._approvables[signed.kind].approve(connection, approval)
            self._authorisations.end_open(connection, others)
        else:
            self._approvables[signed.kind].partially_approve(connection, approval)
            self._invite(connection, signed, approval, ask)
        return saved

    def _required(self, connection: Connection, ask: Ask, tenant: TenantId, accounts: Sequence[Account]) -> int:
        """Return how many have to sign; a consent on whatever is one PSU's own is that PSU's alone."""
        if ask.choice is AccountChoice.ALL or not self._personalities.of(tenant, connection).multilevel:
            return 1
        return max((account.signatures_required for account in accounts), default=1)

    def _invite(self, connection: Connection, signed: Authorisation, approval: Approval, ask: Ask) -> None:
        """Start an authorisation in the bank app for whoever may sign next and has none under way."""
        now = self._clock.now(signed.tenant, connection)
        standing = self._authorisations.of_resource(
            connection, tenant=signed.tenant, kind=signed.kind, resource=signed.resource, now=now
        )
        busy = {each.psu for each in standing if each.is_open} | set(approval.signatories)
        ids = [account.id for account in approval.accounts]
        for psu in self._holders.co_holders(connection, signed.tenant, ids):
            if psu not in busy:
                how = Start(approach=ScaApproach.DECOUPLED, psu=psu, is_shared=True)
                # One start too many must not undo the signature: the TPP's own starts remain.
                with suppress(StatusInvalid):
                    started = self._authorisations.start(
                        connection, tenant=signed.tenant, kind=signed.kind, resource=signed.resource, now=now, how=how
                    )
                    self._announcer.announce(connection, started, ask)


def _signatories(authorisations: Sequence[Authorisation]) -> list[PsuId]:
    """Return who has signed under one of them, in order."""
    return [each.psu for each in authorisations if each.status in SIGNED and each.psu]


def _require_open(authorisation: Authorisation) -> Authorisation:
    if not authorisation.is_open:
        raise StatusInvalid(f"this authorisation is {authorisation.status}: start another, if the resource still waits for one")
    return authorisation
